//! A trade event, and the row of a REST answer that means the same: what they hold, and the trade that comes of it.

use std::borrow::Cow;

use tapedeck_sdk::json::{Error, Object};
use tapedeck_sdk::{Decimal, Reason, Side, Trade, TradeId, excerpt};

use crate::options::{Stream, TimeUnit};

/// What of a trade is read. Its own times of sending and the flags that are always the same are passed over, and so are
/// the order ids `b` and `a` of older recordings.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) symbol: Option<Cow<'a, str>>,
    pub(crate) id: Option<u64>,
    pub(crate) price: Option<Decimal>,
    pub(crate) quantity: Option<Decimal>,
    pub(crate) time: Option<i64>,
    pub(crate) buyer_is_maker: Option<bool>,
    /// Ids of the first and last trade of an aggregated one.
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    /// Kind of the order, where the exchange says it: on its futures, whose frames look the same.
    kind: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> {
    /// Reads the event's keys up to its end. Which letter is the id depends on the type of event: `a` is the id of an
    /// aggregated trade, and was the seller's order in a single one.
    pub(crate) fn read(event: &mut Object<'_, 'a>, stream: Stream) -> Result<Fields<'a>, Reason> {
        let mut fields = Fields::default();
        while let Some((key, value)) = event.next()? {
            match (&*key, stream) {
                ("s", _) => fields.symbol = Some(value.str().map_err(in_field("s"))?),
                ("t", Stream::Trade) => fields.id = Some(value.u64().map_err(in_field("t"))?),
                ("a", Stream::AggTrade) => fields.id = Some(value.u64().map_err(in_field("a"))?),
                ("p", _) => fields.price = Some(value.decimal().map_err(in_field("p"))?),
                ("q", _) => fields.quantity = Some(value.decimal().map_err(in_field("q"))?),
                ("T", _) => fields.time = Some(value.i64().map_err(in_field("T"))?),
                ("m", _) => fields.buyer_is_maker = Some(value.bool().map_err(in_field("m"))?),
                ("f", Stream::AggTrade) => fields.first = Some(value.i64().map_err(in_field("f"))?),
                ("l", Stream::AggTrade) => fields.last = Some(value.i64().map_err(in_field("l"))?),
                ("X", _) => fields.kind = Some(value.str().map_err(in_field("X"))?),
                ("e", _) if value.str().map_err(in_field("e"))? != stream.name() => {
                    return Err("the event has two types".into());
                }
                _ => {}
            }
        }
        Ok(fields)
    }

    /// The trade.
    #[inline]
    pub(crate) fn trade(self, market: u32, unit: TimeUnit) -> Result<Trade, Reason> {
        if let Some(kind) = self.kind.filter(|kind| kind != "MARKET") {
            return Err(
                format!("the trade is of the kind {}, and not made on the market", excerpt(kind.as_bytes())).into()
            );
        }
        let id = self.id.ok_or_else(|| missing("an id"))?;
        let price = self.price.ok_or_else(|| missing("a price"))?;
        let quantity = self.quantity.ok_or_else(|| missing("a quantity"))?;
        if !is_positive(&price) || !is_positive(&quantity) {
            return Err(format!("price {price} and quantity {quantity} are not both above zero").into());
        }
        let time = self.time.ok_or_else(|| missing("a time"))?;
        let buyer_is_maker = self.buyer_is_maker.ok_or_else(|| missing("a side"))?;
        // Where the buyer's order was the resting one, the taker sold.
        let side = if buyer_is_maker { Side::Sell } else { Side::Buy };
        let mut trade = Trade::new(market, TradeId::Number(id), price, quantity, side, unit.microseconds(time)?);
        if let (Some(first), Some(last)) = (self.first, self.last) {
            trade.vendor = format!(r#"{{"first":{first},"last":{last}}}"#);
        }
        Ok(trade)
    }
}

/// An error of one field, named as the exchange names it.
pub(crate) fn in_field(field: &'static str) -> impl Fn(Error) -> Reason {
    move |error| format!("field {field}: {error}").into()
}

#[cold]
fn missing(what: &str) -> Reason {
    format!("the trade has not got {what}").into()
}

fn is_positive(decimal: &Decimal) -> bool {
    decimal.high > 0 || (decimal.high == 0 && decimal.low > 0)
}
