//! The records, as the host writes them: many markets, some busier than others, ids that go up by one in each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tapedeck::sink::record::RecordTemplate;
use tapedeck::trade::{Decimal, Instrument, MarketKind, Origin, Side, Source, Trade, TradeId};
use tapedeck_tests::kafka::Topic;
use tapedeck_tests::wait;

use super::{MARKETS, RATE};
use crate::hand::producer::Producer;
use crate::load::tick::{Tick, ticks};
use crate::markets::names;

/// The exchange that all records name.
pub(super) const EXCHANGE: &str = "binance";

/// The quote of its markets.
pub(super) const QUOTE: &str = "USDT";

/// How long Kafka may take for the last records.
const PATIENCE: Duration = Duration::from_secs(60);

/// Records that wait in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Backlog {
    pub(super) trades: u64,
    /// Sum of all quantities, as ClickHouse writes it.
    pub(super) volume: String,
}

/// Writes records, one after the other.
struct Writer {
    template: RecordTemplate,
    trades: Vec<Trade>,
    made: usize,
    last_ids: [u64; MARKETS],
    random: fastrand::Rng,
    volume: i128,
    line: Vec<u8>,
}

impl Writer {
    fn new() -> Result<Self> {
        let instrument =
            |canonical_symbol: String| Instrument { symbol: canonical_symbol.replace('/', ""), canonical_symbol };
        let template = RecordTemplate::new(&Origin {
            exchange: EXCHANGE.to_owned(),
            kind: MarketKind::Spot,
            plugin: EXCHANGE.to_owned(),
            plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
            instruments: names(MARKETS, QUOTE).into_iter().map(instrument).collect(),
        });
        let trades = ticks().0.iter().map(trade).collect::<Result<_>>()?;
        let (random, line) = (fastrand::Rng::with_seed(7), Vec::with_capacity(512));
        Ok(Self { template, trades, made: 0, last_ids: [0; MARKETS], random, volume: 0, line })
    }

    /// Key and value of the next trade, which happens at this time.
    fn next(&mut self, time_us: i64) -> (&str, &[u8]) {
        let at = self.made % self.trades.len();
        let trade = &mut self.trades[at];
        // A square is more often small than large: the first markets are the busiest.
        let market = (self.random.f64().powi(2) * MARKETS as f64) as usize;
        self.last_ids[market] += 1;
        trade.market = market as u32;
        trade.order = FIRST_ID + self.last_ids[market];
        trade.id = TradeId::Number(trade.order);
        // The exchange's own times are in milliseconds.
        trade.timestamp_us = time_us / 1_000 * 1_000;
        self.made += 1;
        self.volume += trade.quantity.unscaled;
        self.template.write(trade, time_us + NETWORK_US, &mut self.line);
        let key = self.template.key(trade.market).and_then(|key| std::str::from_utf8(key).ok());
        (key.unwrap_or_default(), &self.line)
    }
}

/// As long as ids of busy markets are.
pub(super) const FIRST_ID: u64 = 1_600_000_000;

/// From the exchange's time to the host's.
const NETWORK_US: i64 = 800;

/// A trade of this price and quantity.
fn trade(tick: &Tick) -> Result<Trade> {
    Ok(Trade {
        frame: 0,
        market: 0,
        id: TradeId::Number(0),
        order: 0,
        count: 1,
        price: decimal(&tick.price)?,
        quantity: decimal(&tick.quantity)?,
        side: if tick.sell { Side::Sell } else { Side::Buy },
        timestamp_us: 0,
        source: Source::Live,
        vendor: String::new(),
    })
}

/// Digits after the point of all prices and quantities.
const SCALE: usize = 8;

fn decimal(text: &str) -> Result<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<SCALE$}");
    let unscaled = digits.parse().with_context(|| format!("{text} is no decimal"))?;
    Ok(Decimal { unscaled, scale: SCALE as u8 })
}

/// Writes so many trades, of as long a time as they take at the usual rate, the last of them now.
pub(super) fn fill(brokers: &str, topic: &Topic, trades: u64) -> Result<Backlog> {
    let (mut writer, producer) = (Writer::new()?, Producer::new(brokers, topic.name())?);
    let step = 1_000_000 / i64::from(RATE);
    let start = now_us()? - step * i64::try_from(trades)?;
    for number in 0..i64::try_from(trades)? {
        let (key, value) = writer.next(start + step * number);
        producer.send(key, value)?;
    }
    wait::until_true("Kafka has every record", PATIENCE, || Ok(topic.count()? == trades))?;
    let volume = Decimal { unscaled: writer.volume, scale: SCALE as u8 }.to_string();
    let volume = volume.trim_end_matches('0').trim_end_matches('.').to_owned();
    Ok(Backlog { trades, volume })
}

/// Writes trades of this moment at the usual rate until it is told to stop, and says how many.
pub(super) fn pace(brokers: &str, topic: &Topic, stop: &AtomicBool) -> Result<u64> {
    let (mut writer, producer) = (Writer::new()?, Producer::new(brokers, topic.name())?);
    let (began, mut written) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * f64::from(RATE)) as u64;
        let time_us = now_us()?;
        while written < due {
            let (key, value) = writer.next(time_us);
            producer.send(key, value)?;
            written += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    wait::until_true("Kafka has every record", PATIENCE, || Ok(topic.count()? == written))?;
    Ok(written)
}

fn now_us() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_micros())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_s_ids_go_up_by_one() {
        let mut writer = Writer::new().unwrap();
        let mut last = std::collections::HashMap::new();
        let mut volume = 0;
        for _ in 0..5_000 {
            let (key, value) = writer.next(1_700_000_000_123_456);
            let value: serde_json::Value = serde_json::from_slice(value).unwrap();
            assert_eq!(key, format!("{EXCHANGE}:{}", value["canonical_symbol"].as_str().unwrap()));
            assert_eq!(value["timestamp_us"], 1_700_000_000_123_000_i64);
            volume += decimal(value["quantity"].as_str().unwrap()).unwrap().unscaled;
            let order = value["order"].as_u64().unwrap();
            assert_eq!(value["trade_id"], order.to_string());
            let before = last.insert(key.to_owned(), order);
            assert_eq!(before.unwrap_or(FIRST_ID) + 1, order, "{key}");
        }
        assert_eq!((last.len(), volume), (MARKETS, writer.volume));
    }

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(decimal("2683.80000000").unwrap().to_string(), "2683.80000000");
        assert_eq!(decimal("5").unwrap().to_string(), "5.00000000");
        assert!(decimal("five").is_err());
    }
}
