//! The canonical trade, as it goes from a plugin to Kafka.

use std::fmt;

/// An exact decimal: `unscaled / 10^scale`. The scale is the number of digits after the point that the exchange wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits with the sign, without the point.
    pub unscaled: i128,
    /// Digits after the point, 0 to [`Decimal::MAX_SCALE`].
    pub scale: u8,
}

impl Decimal {
    /// The most digits that a decimal may have after its point.
    pub const MAX_SCALE: u8 = 38;

    /// Appends the plain decimal text, for example `-0.00120`; never an exponent.
    pub fn write_to(self, text: &mut Vec<u8>) {
        if self.unscaled < 0 {
            text.push(b'-');
        }
        let mut digits = itoa::Buffer::new();
        let magnitude = self.unscaled.unsigned_abs();
        let digits = match u64::try_from(magnitude) {
            Ok(magnitude) => digits.format(magnitude),
            Err(_) => digits.format(magnitude),
        };
        let (digits, scale) = (digits.as_bytes(), usize::from(self.scale));
        if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            text.extend_from_slice(whole);
            if scale > 0 {
                text.push(b'.');
                text.extend_from_slice(fraction);
            }
        } else {
            text.extend_from_slice(b"0.");
            text.resize(text.len() + scale - digits.len(), b'0');
            text.extend_from_slice(digits);
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(48);
        self.write_to(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

/// The taker's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The exchange does not say.
    Unknown,
    /// The taker bought.
    Buy,
    /// The taker sold.
    Sell,
}

impl Side {
    /// As records spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

/// The path that a trade came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Pushed by the exchange as it happened.
    Live,
    /// Sent by the exchange on subscription.
    Snapshot,
    /// Asked for afterwards.
    Backfill,
}

impl Source {
    /// As records spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Snapshot => "snapshot",
            Self::Backfill => "backfill",
        }
    }
}

/// What is traded on a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarketKind {
    /// The asset itself.
    Spot,
    /// A future without an expiry.
    Perpetual,
    /// A future with an expiry.
    Future,
    /// An option.
    Option,
}

impl MarketKind {
    /// As records spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Perpetual => "perpetual",
            Self::Future => "future",
            Self::Option => "option",
        }
    }
}

/// A trade's id as the exchange gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TradeId {
    /// An unsigned integer.
    Number(u64),
    /// Any other id, verbatim.
    Text(Box<str>),
}

impl fmt::Display for TradeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// One trade, as a plugin decoded it. What all trades of a session share (exchange, plugin, symbols by market index) is
/// kept once, in [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Index of its frame in the batch.
    pub frame: u32,
    /// Index of its market in the session.
    pub market: u32,
    /// The exchange's id, unique within the market.
    pub id: TradeId,
    /// Position among the market's trades of one timestamp.
    pub order: u64,
    /// How many of the exchange's own fills it stands for.
    pub count: u32,
    /// Price of one unit of base, in quote.
    pub price: Decimal,
    /// Quantity, in base.
    pub quantity: Decimal,
    /// The taker's side.
    pub side: Side,
    /// The exchange's time, µs since 1970 UTC.
    pub timestamp_us: i64,
    /// The path it came by.
    pub source: Source,
    /// Text of a JSON object with what else the exchange said; empty for nothing.
    pub vendor: String,
}

/// A market of a session: its two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Ours, `BASE/QUOTE`.
    pub canonical_symbol: String,
    /// The exchange's.
    pub symbol: String,
}

/// What all trades of a session share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Exchange id, part of topic and table names.
    pub exchange: String,
    /// Kind of its markets.
    pub kind: MarketKind,
    /// Name of the plugin.
    pub plugin: String,
    /// Version of the plugin.
    pub plugin_version: String,
    /// The session's markets, in the order of the plugin's market indices.
    pub instruments: Vec<Instrument>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (unscaled, scale, text) in [
            (0, 0, "0"),
            (0, 3, "0.000"),
            (5, 0, "5"),
            (-5, 1, "-0.5"),
            (268_380_000_000, 8, "2683.80000000"),
            (1, 38, "0.00000000000000000000000000000000000001"),
            (i128::MAX, 0, "170141183460469231731687303715884105727"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(Decimal { unscaled, scale }.to_string(), text);
        }
    }
}
