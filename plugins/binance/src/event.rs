//! A trade event, and the row of a REST answer that means the same: what they hold, and the trade that comes of it.

use std::borrow::Cow;

use tapedeck_sdk::json::{Error, Form, Object};
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
    /// The fields of a frame that is written as the exchange writes trades, wrapped by a combined stream or not. None for
    /// any other, which is to be read key by key.
    #[inline(always)]
    pub(crate) fn of_usual_frame(frame: &'a [u8]) -> Option<Fields<'a>> {
        let mut form = Form::new(frame);
        let is_wrapped = form.take(br#"{"stream":""#).is_some();
        if is_wrapped {
            form.rest_of_string()?;
            form.take(br#","data":"#)?;
        }
        let is_single = form.take(br#"{"e":"trade","E":"#).is_some();
        let mut fields = if is_single { Self::of_trade(&mut form) } else { Self::of_aggregated_trade(&mut form) }?;
        form.take(br#""T":"#)?;
        fields.time = Some(i64::try_from(form.u64()?).ok()?);
        form.take(br#","m":"#)?;
        fields.buyer_is_maker = Some(form.bool()?);
        form.take(br#","M":"#)?;
        form.bool()?;
        form.take(b"}")?;
        if is_wrapped {
            form.take(b"}")?;
        }
        form.end()?;
        Some(fields)
    }

    /// A single trade, behind its type and up to its time. The order ids were dropped by the exchange in 2024.
    #[inline(always)]
    fn of_trade(form: &mut Form<'a>) -> Option<Fields<'a>> {
        let fields = Self::of_order(form, br#","t":"#)?;
        if form.take(br#""b":"#).is_some() {
            form.u64()?;
            form.take(br#","a":"#)?;
            form.u64()?;
            form.take(b",")?;
        }
        Some(fields)
    }

    /// An aggregated trade, up to its time.
    #[inline(always)]
    fn of_aggregated_trade(form: &mut Form<'a>) -> Option<Fields<'a>> {
        form.take(br#"{"e":"aggTrade","E":"#)?;
        let mut fields = Self::of_order(form, br#","a":"#)?;
        form.take(br#""f":"#)?;
        fields.first = Some(i64::try_from(form.u64()?).ok()?);
        form.take(br#","l":"#)?;
        fields.last = Some(i64::try_from(form.u64()?).ok()?);
        form.take(b",")?;
        Some(fields)
    }

    /// What both kinds begin with: the time of sending, symbol, id, price and quantity, and the comma behind them.
    #[inline(always)]
    fn of_order(form: &mut Form<'a>, id: &[u8; 5]) -> Option<Fields<'a>> {
        form.u64()?;
        form.take(br#","s":""#)?;
        let symbol = form.rest_of_string()?;
        form.take(id)?;
        let id = form.u64()?;
        form.take(br#","p":""#)?;
        let price = form.decimal()?;
        form.take(br#"","q":""#)?;
        let quantity = form.decimal()?;
        form.take(br#"","#)?;
        Some(Fields {
            symbol: Some(Cow::Borrowed(symbol)),
            id: Some(id),
            price: Some(price),
            quantity: Some(quantity),
            ..Fields::default()
        })
    }

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
                _ => {}
            }
        }
        Ok(fields)
    }

    /// The trade.
    #[inline(always)]
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
