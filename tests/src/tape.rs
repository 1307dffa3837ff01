//! A tape of trades as records in Kafka, made up from a seed: what a host would have written, and the truth of it.
//!
//! It has what makes candles hard: hundreds of trades in one microsecond, minutes without any, and trades on the very edges
//! of minutes, midnight among them, whose second copies are a microsecond to the other side.

use std::collections::BTreeMap;

use anyhow::Result;
use fastrand::Rng;
use serde_json::{Value, json};
use xtask::truth::{Trade, TradeKey, Trades};

use crate::kafka::Record;

/// Midnight in the middle of the tape, 2024-08-09, µs since 1970 UTC.
const MIDNIGHT_US: i64 = 1_723_161_600_000_000;

const MINUTE_US: i64 = 60_000_000;

/// Records, oldest first, and the distinct trades in them.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs)]
pub struct Tape {
    pub records: Vec<Record>,
    pub truth: Trades,
}

/// An hour of trades around midnight, of two markets of an exchange called `acme`.
///
/// # Errors
/// None that the seed could cause.
pub fn around_midnight(seed: u64) -> Result<Tape> {
    let mut rng = Rng::with_seed(seed);
    let mut tape = Tape::default();
    for (partition, market) in [(0, "BTC/USDT"), (1, "ETH/USDT")] {
        let mut next_id = 1_000_000 * (u64::from(partition as u8) + 1);
        let mut price = rng.i64(100_000..9_000_000);
        for minute in -30..30 {
            for timestamp_us in times_of_minute(&mut rng, MIDNIGHT_US + minute * MINUTE_US) {
                price = (price + rng.i64(-500..=500)).max(1);
                next_id += 1;
                let quantity = format!("0.{:08}", rng.u32(1..100_000_000));
                let price = format!("{}.{:02}", price / 100, price % 100);
                let side = if rng.bool() { "BUY" } else { "SELL" };
                tape.push(partition, market, next_id, &price, &quantity, side, timestamp_us)?;
            }
        }
    }
    Ok(tape)
}

/// The times of a minute's trades, in order: singles, bursts at one instant, and the minute's edges.
fn times_of_minute(rng: &mut Rng, start_us: i64) -> Vec<i64> {
    if rng.u8(..) < 20 {
        return Vec::new();
    }
    let mut times = vec![start_us, start_us, start_us + MINUTE_US - 1, start_us + MINUTE_US - 1];
    for _ in 0..rng.usize(1..60) {
        let time = start_us + rng.i64(0..MINUTE_US);
        let fills = if rng.u8(..) < 4 { rng.usize(50..300) } else { rng.usize(1..4) };
        times.extend(std::iter::repeat_n(time, fills));
    }
    times.sort_unstable();
    times
}

impl Tape {
    #[expect(clippy::too_many_arguments)]
    fn push(
        &mut self,
        partition: i32,
        market: &str,
        id: u64,
        price: &str,
        quantity: &str,
        side: &str,
        timestamp_us: i64,
    ) -> Result<()> {
        let value = json!({
            "schema": 1, "exchange": "acme", "symbol": market.replace('/', ""), "canonical_symbol": market,
            "market_kind": "spot", "trade_id": id.to_string(), "order": id, "count": 1, "price": price,
            "quantity": quantity, "side": side, "timestamp_us": timestamp_us, "received_at_us": timestamp_us + 900,
            "source": "live", "vendor": {}, "plugin": "acme", "plugin_version": "0.1.0",
        });
        let headers = [("schema-version", "1"), ("plugin", "acme"), ("plugin-version", "0.1.0"), ("source", "live")];
        let headers = headers.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.records.push(Record {
            partition,
            key: format!("acme:{market}").into_bytes(),
            payload: value.to_string().into_bytes(),
            headers: BTreeMap::from(headers),
        });
        let key = TradeKey { exchange: "acme".into(), market: market.into(), id: id.to_string() };
        self.truth.add(key, Trade::parse(price, quantity, side, timestamp_us)?)
    }
}

/// A second copy of a trade, as a backfill gives it: the same id, another time.
///
/// # Errors
/// The record is not a trade.
pub fn second_copy(record: &Record, shift_us: i64) -> Result<Record> {
    let mut value = record.json()?;
    let timestamp_us = value["timestamp_us"].as_i64().unwrap_or_default() + shift_us;
    value["timestamp_us"] = Value::from(timestamp_us);
    value["source"] = Value::from("backfill");
    let mut copy = Record { payload: value.to_string().into_bytes(), ..record.clone() };
    copy.headers.insert("source".to_owned(), "backfill".to_owned());
    Ok(copy)
}
