//! The audit at the end: nothing is published any more, so what ClickHouse holds must become exactly the truth.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::exchange::Exchange;
use super::pipeline::Host;
use crate::interrupt;
use crate::stack::Client;
use crate::truth::{Report, Trades, compare};

/// Trades are in gold within about two seconds; a busy machine may take longer. After this, a difference is one.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Stops the exchanges, waits until everything has arrived, and gives the comparison.
pub(crate) fn run(client: &Client, database: &str, exchanges: &[Exchange], host: &Host) -> Result<Report> {
    // Asked to end a first time, we are here; a second time ends the process.
    let asked_before = interrupt::asked();
    for exchange in exchanges {
        exchange.stop_publishing()?;
    }
    let truth = fetch_truth(exchanges)?;
    let until = Instant::now() + PATIENCE;
    loop {
        host.check()?;
        let report = compare(client, database, &truth)?;
        if report.is_clean() || Instant::now() >= until {
            return Ok(report);
        }
        if interrupt::asked() && !asked_before {
            bail!("ended during the audit");
        }
        std::thread::sleep(PAUSE);
    }
}

/// What all exchanges published. A tick that was under way when they were stopped may still add to it.
fn fetch_truth(exchanges: &[Exchange]) -> Result<Trades> {
    let mut truth = Trades::default();
    for exchange in exchanges {
        let mut published = exchange.published()?;
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let now = exchange.published()?;
            if now == published {
                break;
            }
            published = now;
        }
        truth.read_csv(exchange.truth()?.as_bytes())?;
    }
    Ok(truth)
}
