//! The body of a REST answer: a list of trades, or of aggregated trades, told apart by their keys.

use tapedeck_sdk::json::{Error, Kind, Scanner, Value};
use tapedeck_sdk::{Reason, Trade};

use crate::event::{Fields, in_field};
use crate::options::{Stream, TimeUnit};

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// The series that its id is of.
    pub(super) stream: Stream,
    pub(super) trade: Trade,
    /// Id of the first trade that an aggregated one holds.
    pub(super) first_trade: Option<u64>,
}

/// Reads all rows. One that cannot be used is an error of its own; an error of the whole is a body that is no list.
pub(super) fn read(body: &[u8], unit: TimeUnit, market: u32) -> Result<Vec<Result<Row, Reason>>, Reason> {
    let mut scanner = Scanner::new(body);
    let mut root = scanner.root();
    if root.kind()? != Kind::Array {
        return Err(super::refusal::of_body(body));
    }
    let mut array = root.array()?;
    let mut rows = Vec::new();
    while let Some(value) = array.next()? {
        rows.push(row(value, unit, market));
    }
    scanner.finish()?;
    Ok(rows)
}

fn row(value: Value<'_, '_>, unit: TimeUnit, market: u32) -> Result<Row, Reason> {
    let mut fields = Fields::default();
    let mut stream = None;
    let mut object = value.object()?;
    while let Some((key, value)) = object.next()? {
        match &*key {
            "id" => identify(&mut fields, &mut stream, Stream::Trade, value.u64().map_err(in_field("id"))?)?,
            "a" => identify(&mut fields, &mut stream, Stream::AggTrade, value.u64().map_err(in_field("a"))?)?,
            "price" | "p" => fields.price = Some(value.decimal().map_err(in_field("price"))?),
            "qty" | "q" => fields.quantity = Some(value.decimal().map_err(in_field("qty"))?),
            "time" | "T" => fields.time = Some(value.i64().map_err(in_field("time"))?),
            "isBuyerMaker" | "m" => fields.buyer_is_maker = Some(value.bool().map_err(in_field("isBuyerMaker"))?),
            "f" => fields.first = Some(value.i64().map_err(in_field("f"))?),
            "l" => fields.last = Some(value.i64().map_err(in_field("l"))?),
            _ => {}
        }
    }
    let stream = stream.ok_or("the row has no id")?;
    let first_trade = fields.first.and_then(|first| u64::try_from(first).ok());
    Ok(Row { stream, first_trade, trade: fields.trade(market, unit)? })
}

fn identify(fields: &mut Fields<'_>, stream: &mut Option<Stream>, own: Stream, id: u64) -> Result<(), Reason> {
    if stream.is_some_and(|other| other != own) {
        return Err("the row has the ids of a trade and of an aggregated trade".into());
    }
    *stream = Some(own);
    fields.id = Some(id);
    Ok(())
}

/// The code and message of an error's body.
pub(super) fn read_error(body: &[u8]) -> Result<(Option<i64>, Option<String>), Error> {
    let (mut code, mut message) = (None, None);
    let mut scanner = Scanner::new(body);
    let mut object = scanner.root().object()?;
    while let Some((key, value)) = object.next()? {
        match &*key {
            "code" => code = Some(value.i64()?),
            "msg" => message = Some(value.str()?.into_owned()),
            _ => {}
        }
    }
    scanner.finish()?;
    Ok((code, message))
}
