//! The part of the hostile plugins that behaves: a feed of plain lines of text, enough to show that a plugin serves its
//! other frames, and that other feeds are unharmed.
//!
//! A frame holds one or more lines. `SYMBOL,id,price,quantity,timestamp_us` is a trade, whose taker bought;
//! `SUBSCRIBED,SYMBOL` confirms a subscription. A market's symbol is its name without the `/`.

use tapedeck_sdk::{
    Decimal, Description, Frame, Heartbeat, Limits, MarketKind, OpenError, OpenRequest, Output, Precision, Rate,
    Reason, SessionPlan, Side, Trade, TradeId, TradeIds,
};

/// A description that a host accepts. The exchange is called like the plugin.
pub fn describe(name: &str) -> Description {
    Description {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        exchange: name.to_owned(),
        kind: MarketKind::Spot,
        ids: TradeIds::Dense,
        precision: Precision::Microseconds,
        limits: Limits {
            subscriptions: 100,
            connects: Rate { count: 1_000, window: 1_000 },
            messages: Rate { count: 1_000, window: 1_000 },
            lifetime: None,
            rest: None,
        },
        hosts: vec!["hostile.invalid".to_owned()],
        options: Vec::new(),
    }
}

/// A session that decodes the feed of lines.
pub struct Plain {
    symbols: Vec<String>,
}

impl Plain {
    /// Plans a connection to the request's endpoint, with a line `SUBSCRIBE,SYMBOL` for each market.
    pub fn open(request: &OpenRequest) -> Result<(Plain, SessionPlan), OpenError> {
        let symbols: Vec<String> = request
            .markets
            .iter()
            .map(|market| market.symbol.clone().unwrap_or_else(|| market.name.replace('/', "")))
            .collect();
        let plan = SessionPlan {
            url: format!("{}/lines", request.endpoint.as_deref().unwrap_or("wss://hostile.invalid")),
            symbols: symbols.clone(),
            messages: symbols.iter().map(|symbol| format!("SUBSCRIBE,{symbol}")).collect(),
            heartbeat: Heartbeat { idle: 60_000, ping: None },
        };
        Ok((Plain { symbols }, plan))
    }

    /// Decodes a frame of lines.
    pub fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        let text = str::from_utf8(frame.bytes).map_err(|_| "the frame is not UTF-8")?;
        for line in text.lines() {
            if let Some(symbol) = line.strip_prefix("SUBSCRIBED,") {
                out.subscribed(self.market(symbol)?);
            } else {
                out.trade(self.trade(line)?);
            }
        }
        Ok(())
    }

    fn trade(&self, line: &str) -> Result<Trade, Reason> {
        let mut fields = line.split(',');
        let mut field = || fields.next().ok_or("the line is not SYMBOL,id,price,quantity,timestamp_us");
        let market = self.market(field()?)?;
        let id = field()?.parse().map_err(|_| "the id is not a number")?;
        let price = decimal(field()?).ok_or("the price is not a decimal")?;
        let quantity = decimal(field()?).ok_or("the quantity is not a decimal")?;
        let timestamp = field()?.parse().map_err(|_| "the timestamp is not a number")?;
        Ok(Trade::new(market, TradeId::Number(id), price, quantity, Side::Buy, timestamp))
    }

    fn market(&self, symbol: &str) -> Result<u32, Reason> {
        let index = self.symbols.iter().position(|known| known == symbol);
        index.map(|index| index as u32).ok_or_else(|| format!("nobody subscribed to {symbol:.40}").into())
    }
}

/// What stands before the first comma of a frame, or all of it: the word that the hostile plugins obey.
pub fn marker(frame: &[u8]) -> &[u8] {
    frame.split(|byte| *byte == b',' || *byte == b'\n').next().unwrap_or_default()
}

/// An exact decimal from plain digits with at most one point.
pub fn decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let value: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some(Decimal { high: (value >> 64) as i64, low: value as u64, scale: u8::try_from(fraction.len()).ok()? })
}

/// Runs for ever.
pub fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// WebAssembly's own trap.
pub fn unreachable_instruction() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}
