//! Kafka's client alone: the records that Tapedeck would write, prepared, into its producer. The bound of what any client on
//! librdkafka reaches.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tapedeck_bench::hand::producer::Producer;
use tapedeck_bench::load::frames::{Frames, Sent};
use tapedeck_bench::load::source::{self, Orders};
use tapedeck_bench::load::template::{ID_DIGITS, ID_MARK, TIME_MARK, Template};
use tapedeck_bench::load::tick::{Tick, ticks};
use tapedeck_bench::load::{Amount, Event};
use tapedeck_bench::moment::Moment;

/// How many records there are between two looks at the clock.
const BATCH: u64 = 512;

/// Produces records once `go` came on stdin.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    amount: Amount,
    /// Kafka's address.
    #[arg(long)]
    brokers: String,
    /// Where records go.
    #[arg(long)]
    topic: String,
    /// Where the times of trades would be left.
    #[arg(long)]
    times: Option<PathBuf>,
}

fn main() -> Result<()> {
    let Arguments { amount, brokers, topic, times } = Arguments::parse();
    anyhow::ensure!(amount.rate.is_none(), "only as fast as it goes");
    let orders = Orders::listen();
    let producer = Producer::new(&brokers, &topic)?;
    let templates = ticks().0.iter().map(|tick| Template::plain(&record(tick))).collect();
    let mut records = Frames::new(templates, |time| time.as_microsecond().to_string().into_bytes());
    Event::Ready.tell();
    orders.wait(|| Ok(()))?;
    let sent = produce(&mut records, &amount, &producer)?;
    source::report(&sent, times.as_deref())?;
    orders.wait(|| Ok(()))
}

fn produce(records: &mut Frames, amount: &Amount, producer: &Producer) -> Result<Sent> {
    let began = Moment::now();
    let end = began + Duration::from_secs_f64(amount.seconds);
    let most = amount.most();
    let (mut now, mut value) = (began, Vec::with_capacity(512));
    while records.made() < most && now < end {
        records.set_time();
        for _ in 0..BATCH.min(most - records.made()) {
            value.clear();
            records.append(&mut value);
            producer.send("binance:ETH/USDT", &value)?;
        }
        now = Moment::now();
    }
    Ok(Sent { trades: records.made(), began, ended: now, times: Vec::new(), behind: Duration::ZERO })
}

/// The value of a trade's record, with marks in the places of id and times.
fn record(tick: &Tick) -> String {
    const MICROSECOND_DIGITS: usize = 16;
    let (id, time) = (ID_MARK.repeat(ID_DIGITS), TIME_MARK.repeat(MICROSECOND_DIGITS));
    let Tick { price, quantity, sell } = tick;
    let side = if *sell { "SELL" } else { "BUY" };
    format!(
        r#"{{"schema":1,"exchange":"binance","symbol":"ETHUSDT","canonical_symbol":"ETH/USDT","market_kind":"spot","trade_id":"{id}","order":{id},"count":1,"price":"{price}","quantity":"{quantity}","side":"{side}","timestamp_us":{time},"received_at_us":{time},"source":"live","vendor":{{}},"plugin":"binance","plugin_version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    )
}
