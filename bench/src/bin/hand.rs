//! Reads one exchange's trades into Kafka by a loop written by hand. See [`tapedeck_bench::hand`].

use anyhow::Result;
use clap::Parser;
use tapedeck_bench::hand::producer::Producer;
use tapedeck_bench::hand::reader::{self, Exchange};
use tapedeck_bench::hand::record::Layout;

/// Reads one exchange's trades into Kafka.
#[derive(Parser)]
struct Arguments {
    /// Which exchange.
    #[arg(long)]
    exchange: Exchange,
    /// Its WebSocket.
    #[arg(long)]
    url: String,
    /// Which record is written.
    #[arg(long)]
    layout: Layout,
    /// Kafka's address.
    #[arg(long)]
    brokers: String,
    /// Where records go.
    #[arg(long)]
    topic: String,
}

fn main() -> Result<()> {
    let Arguments { exchange, url, layout, brokers, topic } = Arguments::parse();
    let producer = Producer::new(&brokers, &topic)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(reader::run(exchange, &url, layout, &producer))
}
