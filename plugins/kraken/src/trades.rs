//! The rows of the trade channel.

use std::borrow::Cow;

use tapedeck_sdk::json::{self, Form, Value};
use tapedeck_sdk::{Decimal, Markets, Output, Reason, Side, Source, Trade, TradeId, excerpt, time};

/// Decodes a frame that is written as the exchange writes trades, each good. None for any other, which may have pushed some of its
/// trades and is to be read key by key.
pub(crate) fn decode_usual(markets: &Markets, frame: &[u8], out: &mut Output) -> Option<()> {
    let mut form = Form::new(frame);
    form.take(br#"{"channel":"trade","type":""#)?;
    let source = match form.take(br#"update","data":["#) {
        Some(()) => Source::Live,
        None => form.take(br#"snapshot","data":["#).map(|()| Source::Snapshot)?,
    };
    loop {
        out.trade(Row::of_usual(&mut form)?.trade(markets, source).ok()?);
        if form.take(b",").is_none() {
            break;
        }
    }
    form.take(b"]}")?;
    form.end()
}

/// Decodes a list of trades. A row that is not as documented costs no other row: the good ones are pushed, and the answer
/// says what is wrong with the first of the others, so that the frame is kept as well.
///
/// # Errors
///
/// The list is not JSON, or no list.
pub(crate) fn decode(
    markets: &Markets,
    source: Source,
    list: Value<'_, '_>,
    out: &mut Output,
) -> Result<Option<Reason>, json::Error> {
    let mut first = None;
    let mut bad = 0;
    let mut rows = list.array()?;
    let mut index = 0;
    while let Some(row) = rows.next()? {
        match Row::read(row).map_err(Fault::from).and_then(|row| row.trade(markets, source)) {
            Ok(trade) => out.trade(trade),
            Err(Fault::Json(error)) if error.is_syntax() => return Err(error),
            Err(fault) => {
                first.get_or_insert_with(|| format!("trade {index}: {}", fault.reason()));
                bad += 1;
            }
        }
        index += 1;
    }
    Ok(first.map(
        |reason| if bad == 1 { reason.into() } else { format!("{reason} ({bad} of {index} trades are bad)").into() },
    ))
}

/// What a row holds, as far as it is needed.
#[derive(Default)]
struct Row<'a> {
    symbol: Option<Cow<'a, str>>,
    side: Option<Cow<'a, str>>,
    price: Option<Decimal>,
    quantity: Option<Decimal>,
    order_type: Option<Cow<'a, str>>,
    id: Option<u64>,
    timestamp: Option<Cow<'a, str>>,
}

impl<'a> Row<'a> {
    /// A row that is written as usual.
    #[inline(always)]
    fn of_usual(form: &mut Form<'a>) -> Option<Self> {
        form.take(br#"{"symbol":""#)?;
        let symbol = form.rest_of_string()?;
        form.take(br#","side":""#)?;
        let side = form.rest_of_string()?;
        form.take(br#","price":"#)?;
        let price = form.decimal()?;
        form.take(br#","qty":"#)?;
        let quantity = form.decimal()?;
        form.take(br#","ord_type":""#)?;
        let order_type = form.rest_of_string()?;
        form.take(br#","trade_id":"#)?;
        let id = form.u64()?;
        form.take(br#","timestamp":""#)?;
        let timestamp = form.rest_of_string()?;
        form.take(b"}")?;
        Some(Self {
            symbol: Some(Cow::Borrowed(symbol)),
            side: Some(Cow::Borrowed(side)),
            price: Some(price),
            quantity: Some(quantity),
            order_type: Some(Cow::Borrowed(order_type)),
            id: Some(id),
            timestamp: Some(Cow::Borrowed(timestamp)),
        })
    }

    fn read(value: Value<'_, 'a>) -> Result<Self, json::Error> {
        let mut row = Self::default();
        let mut object = value.object()?;
        while let Some((key, value)) = object.next()? {
            match &*key {
                "symbol" => row.symbol = Some(value.str()?),
                "side" => row.side = Some(value.str()?),
                "price" => row.price = Some(value.decimal()?),
                "qty" => row.quantity = Some(value.decimal()?),
                "ord_type" => row.order_type = Some(value.str()?),
                "trade_id" => row.id = Some(value.u64()?),
                "timestamp" => row.timestamp = Some(value.str()?),
                _ => {}
            }
        }
        Ok(row)
    }

    #[inline(always)]
    fn trade(self, markets: &Markets, source: Source) -> Result<Trade, Fault> {
        let symbol = self.symbol.ok_or(Fault::Missing("symbol"))?;
        let Some(market) = markets.find(symbol.as_bytes()) else {
            let symbol = excerpt(symbol.as_bytes());
            return Err(Fault::Other(format!("{symbol} is no market of this session").into()));
        };
        let side = match self.side.as_deref() {
            Some("buy") => Side::Buy,
            Some("sell") => Side::Sell,
            Some(other) => {
                let side = excerpt(other.as_bytes());
                return Err(Fault::Other(format!("the side is {side}, neither buy nor sell").into()));
            }
            None => return Err(Fault::Missing("side")),
        };
        let price = self.price.ok_or(Fault::Missing("price"))?;
        let quantity = self.quantity.ok_or(Fault::Missing("qty"))?;
        let id = TradeId::Number(self.id.ok_or(Fault::Missing("trade_id"))?);
        let timestamp = self.timestamp.ok_or(Fault::Missing("timestamp"))?;
        let timestamp = time::from_rfc3339(&timestamp).map_err(Fault::Other)?;
        let vendor = self.order_type.as_deref().map(vendor).unwrap_or_default();
        Ok(Trade { source, vendor, ..Trade::new(market, id, price, quantity, side, timestamp) })
    }
}

/// The vendor text of an order type.
pub(crate) fn vendor(order_type: &str) -> String {
    match order_type {
        "limit" => r#"{"ord_type":"limit"}"#.to_owned(),
        "market" => r#"{"ord_type":"market"}"#.to_owned(),
        // Bounded: an order type is a word.
        other if other.len() <= 100 => format!(r#"{{"ord_type":{}}}"#, json::quote(other)),
        _ => String::new(),
    }
}

/// What is wrong with a row.
enum Fault {
    Json(json::Error),
    Missing(&'static str),
    Other(Reason),
}

impl From<json::Error> for Fault {
    fn from(error: json::Error) -> Self {
        Self::Json(error)
    }
}

impl Fault {
    fn reason(&self) -> String {
        match self {
            Self::Json(error) => error.to_string(),
            Self::Missing(key) => format!("it has no `{key}`"),
            Self::Other(reason) => reason.to_string(),
        }
    }
}
