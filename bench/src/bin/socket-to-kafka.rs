//! Single runs of the part `kafka`, for who works on the speed of a client: all figures, with the processor time of each thread.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tapedeck_bench::hand::reader::Exchange;
use tapedeck_bench::hand::record::Layout;
use tapedeck_bench::kafka::client::connect::Connect;
use tapedeck_bench::kafka::client::cryptofeed::Cryptofeed;
use tapedeck_bench::kafka::client::hand::Hand;
use tapedeck_bench::kafka::client::librdkafka::Librdkafka;
use tapedeck_bench::kafka::client::tapedeck::Tapedeck;
use tapedeck_bench::kafka::client::{Client, Programs};
use tapedeck_bench::kafka::contender::{quantiles, threads};
use tapedeck_bench::kafka::run::{Outcome, run};
use tapedeck_bench::kafka::stage::Stage;
use tapedeck_bench::load::Amount;
use tapedeck_bench::load::form::Form;
use xtask::home::repository;
use xtask::interrupt;

/// Runs clients from the socket to Kafka, one after the other, and prints what each took.
#[derive(Parser)]
struct Arguments {
    /// tapedeck, hand, lean, librdkafka, connect, connect-64, cryptofeed, tapedeck-kraken, hand-kraken.
    #[arg(default_values = ["tapedeck", "hand", "lean", "librdkafka"])]
    clients: Vec<String>,
    /// How often.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    #[command(flatten)]
    amount: Amount,
}

fn main() -> Result<()> {
    let Arguments { clients, rounds, amount } = Arguments::parse();
    interrupt::listen()?;
    let own = std::env::current_exe()?;
    let programs = own.parent().context("this program has no folder")?.to_path_buf();
    let files = xtask::plugins::build(&xtask::plugins::Options { quiet: true, ..Default::default() })?;
    let plugins = files.first().and_then(|file| file.parent()).context("there are no plugins")?.to_path_buf();
    let programs = Programs { programs, plugins };
    let mut clients: Vec<Box<dyn Client>> =
        clients.iter().map(|name| client(name, &programs)).collect::<Result<_>>()?;
    clients.iter_mut().try_for_each(|client| client.set_up())?;
    let folder: PathBuf = repository().join("target/bench/work/socket-to-kafka");
    let stage = Stage::new(&folder, programs.clone())?;
    // Kafka is slow at first.
    run(&stage, &Librdkafka::new(&programs), &Amount { seconds: 2.0, rate: None, most: None })?;
    for _ in 0..rounds {
        for client in &clients {
            if interrupt::asked() {
                return Ok(());
            }
            print(client.as_ref(), &run(&stage, client.as_ref(), &amount)?);
        }
    }
    Ok(())
}

fn client(name: &str, programs: &Programs) -> Result<Box<dyn Client>> {
    Ok(match name {
        "tapedeck" => Box::new(Tapedeck::new(programs, Form::BinanceTrade)),
        "tapedeck-kraken" => Box::new(Tapedeck::new(programs, Form::Kraken)),
        "hand" => Box::new(Hand::new(programs, Exchange::Binance, Layout::Full)),
        "hand-kraken" => Box::new(Hand::new(programs, Exchange::Kraken, Layout::Full)),
        "lean" => Box::new(Hand::new(programs, Exchange::Binance, Layout::Lean)),
        "librdkafka" => Box::new(Librdkafka::new(programs)),
        "connect" => Box::new(Connect::in_order()),
        "connect-64" => Box::new(Connect::out_of_order()),
        "cryptofeed" => Box::new(Cryptofeed),
        _ => bail!("{name} is no client; see --help"),
    })
}

fn print(client: &dyn Client, outcome: &Outcome) {
    let trades = outcome.trades.max(1) as f64;
    let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6 / trades;
    let seconds = outcome.elapsed.as_secs_f64();
    print!("{:<26} {:>9.0}/s  CPU {:>7.3} µs", client.name(), trades / seconds, micros(outcome.cpu.all));
    print!("  Kafka {:>6.3} µs", micros(outcome.broker_cpu));
    if let Some(time) = outcome.blaster_cpu {
        print!("  blaster {:>6.3} µs", micros(time));
    }
    print!("  {:>4} MB", outcome.memory / 1_000_000);
    if let Some(quantiles) = quantiles(&outcome.latencies) {
        let [p50, p99, p999] = quantiles.map(|time| time.as_secs_f64() * 1e3);
        print!("  p50 {p50:.2} p99 {p99:.2} p99.9 {p999:.2} ms, {:.1} ms behind", outcome.behind.as_secs_f64() * 1e3);
    }
    println!("  lost {} twice {} out of order {}", outcome.lost, outcome.twice, outcome.out_of_order);
    println!("{:26} {} trades in {seconds:.2} s; {}", "", outcome.trades, threads(outcome));
}
