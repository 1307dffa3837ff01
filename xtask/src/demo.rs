//! `cargo demo`: simulated exchanges, host, Kafka and ClickHouse on this machine; live candles; and an audit at the end that
//! compares every candle and every trade with what the exchanges published.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::{self, Profile};
use crate::fetch;
use crate::home::home;
use crate::interrupt;
use crate::plugins;
use crate::stack::{Stack, StackOptions};

mod audit;
mod exchange;
mod market;
mod pipeline;
mod screen;
mod settings;

use exchange::Exchange;
use pipeline::Host;
use settings::Settings;

/// How long the demo runs, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How long to show candles before the audit, for example 60s or 5m; without it, until Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = read_duration)]
    pub duration: Option<Duration>,
    /// Trades a second of each simulated exchange.
    #[arg(long, default_value_t = 100)]
    pub rate: u32,
    /// Seed of the simulated trades.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Faults of the simulated exchanges, as tapedeck-sim takes them, for example duplicate=0.05,reorder=0.01,malformed=0.01.
    /// With `cut` and `drop` trades are truly missed, and the audit says so.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub faults: String,
    /// Build for speed: takes minutes once.
    #[arg(long)]
    pub release: bool,
    /// Folder with built plugins to use, instead of building them.
    #[arg(long, value_name = "FOLDER")]
    pub plugins: Option<PathBuf>,
}

/// Runs the demo to its audit. Fails with a sentence when something cannot be started, and when anything differs.
pub fn run(options: &Options) -> Result<()> {
    interrupt::listen()?;
    let started = Instant::now();
    let profile = if options.release { Profile::Release } else { Profile::Dev };

    fetch::prerequisites()?;
    // The network fetches while the processors compile.
    let fetching = std::thread::spawn(|| fetch::fetch(fetch::Show::Lines).map(drop));
    say("building the host, the simulator and the plugins");
    // Ctrl-C reaches the compiler too, whose failure is then none.
    let host = cargo::binary("tapedeck", profile).or_else(unless_asked)?;
    let simulator = cargo::binary("tapedeck-sim", profile).or_else(unless_asked)?;
    let plugin_folder = match &options.plugins {
        Some(folder) => folder.canonicalize().with_context(|| format!("there is no folder {}", folder.display()))?,
        None => {
            let files = plugins::build(&plugins::Options { quiet: true, ..Default::default() })?;
            files.first().and_then(|file| file.parent()).context("no plugin was built")?.to_path_buf()
        }
    };
    fetching.join().map_err(|_| anyhow::anyhow!("the thread that fetches the local stack panicked"))??;
    stop_if_asked()?;

    say("starting Kafka and ClickHouse");
    let stack = Stack::start(&StackOptions::default())?;
    let mut settings = Settings::load()?;
    say("starting the simulated exchanges");
    let exchanges = settings.feeds()?.into_iter().map(|feed| Exchange::start(&simulator, feed, options, &stack.folder));
    let exchanges = exchanges.collect::<Result<Vec<_>>>()?;
    settings.fill(&stack, &plugin_folder, &exchanges)?;
    let config = settings.write(&stack.folder)?;
    stop_if_asked()?;

    say("making the tables and starting tapedeck");
    pipeline::apply_sql(&host, &config, &stack.folder)?;
    let host = Host::start(&host, &config, &settings.http, &stack.folder)?;
    say(&format!("running after {} s; Ctrl-C ends it with an audit", started.elapsed().as_secs()));

    let client = stack.clickhouse().client();
    screen::show(&client, &settings.database, options.duration, &host, &exchanges)?;

    say("audit: the exchanges stop publishing, and everything on its way is awaited");
    let report = audit::run(&client, &settings.database, &exchanges, &host)?;
    for example in &report.examples {
        println!("  {example}");
    }
    println!("{report}");
    let lost = host.stop();
    drop(exchanges);
    stack.stop()?;
    lost?;
    if !report.is_clean() {
        bail!("the audit found differences");
    }
    if report.silver == 0 {
        bail!("not a single trade arrived; it ran for too short a time");
    }
    Ok(())
}

fn say(text: &str) {
    println!("{text} …");
}

fn stop_if_asked() -> Result<()> {
    if interrupt::asked() {
        bail!("ended before anything ran; what was fetched stays in {}", home().display());
    }
    Ok(())
}

fn unless_asked<T>(error: anyhow::Error) -> Result<T> {
    stop_if_asked()?;
    Err(error)
}

/// Reads `90`, `90s`, `5m` or `1h`.
pub(crate) fn read_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        _ => None,
    };
    let number = digits.parse::<u64>().ok();
    let total = number.zip(seconds).and_then(|(number, seconds)| number.checked_mul(seconds));
    total.map(Duration::from_secs).ok_or_else(|| format!("`{text}` is no time; write 60s, 5m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        let cases =
            [("60s", Some(60)), ("90", Some(90)), ("5m", Some(300)), ("1h", Some(3600)), ("1d", None), ("s", None)];
        for (text, seconds) in cases {
            assert_eq!(read_duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
