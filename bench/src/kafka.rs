//! From the socket to Kafka: Tapedeck beside a loop written by hand, Kafka's client alone, Redpanda Connect and cryptofeed.
//!
//! All read the same frames from the same [blaster](crate::load) and write to the same broker, each run into a topic of its
//! own. Afterwards every record is read and checked.

use anyhow::Result;

use crate::contender::Contender;
use crate::hand::reader::Exchange;
use crate::hand::record::Layout;
use crate::load::Amount;
use crate::load::form::Form;
use crate::report::Findings;
use crate::rounds::{Measurement, alternate};
use crate::suite::Setting;

mod check;
pub mod client;
pub mod contender;
pub mod cpu;
pub mod run;
mod source;
pub mod stage;
mod topic;

mod findings;

use client::connect::Connect;
use client::cryptofeed::Cryptofeed;
use client::hand::Hand;
use client::librdkafka::Librdkafka;
use client::tapedeck::Tapedeck;
use client::{Client, Programs};
use contender::Runner;
use stage::Stage;

/// How long an unlimited load lasts.
const UNLIMITED: Amount = Amount { seconds: 3.0, rate: None, most: None };

/// Rates whose latencies are measured.
const RATES: [u32; 3] = [1_000, 10_000, 50_000];

/// How long a load of each rate lasts: that of the lowest has to have trades enough for its slowest thousandth.
const SECONDS: [f64; 3] = [5.0, 4.0, 4.0];

/// Runs the part.
///
/// # Errors
/// Kafka does not start, or Tapedeck or the loop fails.
pub fn run(setting: &Setting) -> Result<Findings> {
    let programs = Programs { programs: setting.programs.clone(), plugins: setting.plugins.clone() };
    let stage = Stage::new(&setting.folder, programs)?;
    warm_up(&stage)?;
    let programs = &stage.programs;
    let unlimited = measure(&stage, setting, "As fast as it goes, Binance", UNLIMITED, everyone(programs))?;
    let kraken: Vec<Box<dyn Client>> = vec![
        Box::new(Tapedeck::new(programs, Form::Kraken)),
        Box::new(Hand::new(programs, Exchange::Kraken, Layout::Full)),
    ];
    let kraken = measure(&stage, setting, "As fast as it goes, Kraken", UNLIMITED, kraken)?;
    let mut paced = Vec::new();
    for (rate, seconds) in RATES.into_iter().zip(SECONDS) {
        let amount = Amount { seconds, rate: Some(rate), most: None };
        let title = format!("At {} trades a second", crate::unit::Unit::Count.show(f64::from(rate)));
        paced.push(measure(&stage, setting, &title, amount, those_that_keep_up(programs, rate))?);
    }
    Ok(findings::findings(findings::versions()?, unlimited, kraken, paced))
}

/// Kafka compiles while it runs: the first load is slow, whoever's it is.
fn warm_up(stage: &Stage) -> Result<()> {
    println!("  warming Kafka up");
    run::run(stage, &Librdkafka::new(&stage.programs), &UNLIMITED).map(drop)
}

/// All clients.
fn everyone(programs: &Programs) -> Vec<Box<dyn Client>> {
    vec![
        Box::new(Tapedeck::new(programs, Form::BinanceTrade)),
        Box::new(Hand::new(programs, Exchange::Binance, Layout::Full)),
        Box::new(Hand::new(programs, Exchange::Binance, Layout::Lean)),
        Box::new(Librdkafka::new(programs)),
        Box::new(Connect::in_order()),
        Box::new(Connect::out_of_order()),
        Box::new(Cryptofeed),
    ]
}

/// The clients that carry so many trades a second.
fn those_that_keep_up(programs: &Programs, rate: u32) -> Vec<Box<dyn Client>> {
    let mut clients: Vec<Box<dyn Client>> = vec![
        Box::new(Tapedeck::new(programs, Form::BinanceTrade)),
        Box::new(Hand::new(programs, Exchange::Binance, Layout::Full)),
    ];
    if rate <= 10_000 {
        clients.push(Box::new(Connect::in_order()));
        clients.push(Box::new(Connect::out_of_order()));
    }
    if rate <= 1_000 {
        clients.push(Box::new(Cryptofeed));
    }
    clients
}

fn measure(
    stage: &Stage,
    setting: &Setting,
    title: &str,
    amount: Amount,
    clients: Vec<Box<dyn Client>>,
) -> Result<Measurement> {
    let runner = |client| Box::new(Runner::new(stage, client, amount)) as Box<dyn Contender>;
    let mut contenders: Vec<Box<dyn Contender + '_>> = clients.into_iter().map(runner).collect();
    alternate(title, setting.runs, &mut contenders)
}
