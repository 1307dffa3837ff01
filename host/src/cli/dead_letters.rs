//! `tapedeck dead-letters`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::candles::parse_time;
use super::{ConfigArgs, Misconfigured, print};
use crate::check::exchanges;
use crate::config::Config;
use crate::dead_letters::{self, Candidates, Filter, Letter, LetterId, LetterList, Letters};
use crate::replay::Outlet;

/// Letters that are listed where no number is given.
const LISTED: u32 = 100;

/// The most letters that are listed or replayed by number.
const MOST: u32 = 1_000_000;

#[derive(Debug, Subcommand)]
pub(super) enum DeadLettersCommand {
    /// List them, oldest first
    List(ListArgs),
    /// Show the headers of one, and its exact bytes
    Show(ShowArgs),
    /// Decode them again, with a plugin that was repaired, and send their trades to Kafka
    ///
    /// Their trades are produced as a session would have: same topic, key and layout. The letters stay where they are, so
    /// that this may be done again: a trade that Kafka has twice is one trade in ClickHouse. With several exchanges and no
    /// --exchange, all are replayed.
    Replay(ReplayArgs),
}

#[derive(Args, Debug)]
struct FilterArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Only of this exchange [default: all that are configured]
    #[arg(long)]
    exchange: Option<String>,
    /// Only of this kind: refused, batch-refused, trap, limit or protocol
    #[arg(long)]
    kind: Option<String>,
    /// Only frames received at this time or later, UTC: 2026-01-31 or 2026-01-31T09:30
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Only the newest so many
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST)))]
    limit: Option<u32>,
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// table or json
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    #[default]
    Table,
    Json,
}

#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// Which, PARTITION:OFFSET as `list` shows it
    #[arg(value_name = "LETTER")]
    letter: LetterId,
    #[command(flatten)]
    config: ConfigArgs,
    /// Exchange; may be left out where one is configured
    #[arg(long)]
    exchange: Option<String>,
    /// Write the frame to standard output as it is, and nothing else
    #[arg(long)]
    raw: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tapedeck dead-letters replay --config tapedeck.toml --plugin fixed.wasm --dry-run
  tapedeck dead-letters replay 2:17 2:18 --exchange NAME --config tapedeck.toml")]
pub(super) struct ReplayArgs {
    /// Only these, PARTITION:OFFSET as `list` shows them; needs --exchange where several are configured
    #[arg(value_name = "LETTER")]
    letters: Vec<LetterId>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Plugin, a `.wasm` file [default: of each feed's plugin the newest version in the plugin folder]
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// Decode, and send nothing
    #[arg(long)]
    dry_run: bool,
}

impl DeadLettersCommand {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(args) => args.execute(),
            Self::Show(args) => args.execute(),
            Self::Replay(args) => args.execute().await,
        }
    }
}

impl ListArgs {
    fn execute(self) -> anyhow::Result<ExitCode> {
        let config = self.filter.config.load()?;
        let exchanges = self.filter.exchanges(&config)?;
        let list = self.filter.list(&config, &exchanges, self.filter.limit.unwrap_or(LISTED))?;
        print(&if self.format == ListFormat::Json { list.json()? } else { list.table() })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl FilterArgs {
    /// The exchange that is named, or all that are configured.
    fn exchanges(&self, config: &Config) -> Result<Vec<String>, Misconfigured> {
        one_or_all(config, self.exchange.as_ref())
    }

    fn filter(&self) -> Filter {
        Filter { kind: self.kind.clone(), since: self.since, ids: BTreeSet::new() }
    }

    /// The newest letters of these exchanges.
    fn list(&self, config: &Config, exchanges: &[String], most: u32) -> anyhow::Result<LetterList> {
        let filter = self.filter();
        let mut list = LetterList::default();
        for exchange in exchanges {
            let Some(letters) = Letters::open(&config.kafka, exchange, self.since)? else {
                let topic = config.kafka.dead_letter_topic(exchange);
                eprintln!("tapedeck: there is no topic {topic} yet");
                continue;
            };
            for letter in letters {
                let letter: Letter = letter?;
                if filter.takes(&letter) {
                    list.add(exchange, &letter, most as usize);
                }
            }
        }
        Ok(list)
    }
}

impl ShowArgs {
    fn execute(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        let exchange = one(&config, self.exchange.as_ref())?;
        let letter = dead_letters::read_one(&config.kafka, &exchange, self.letter)?;
        if !self.raw {
            print(&dead_letters::page(&exchange, &letter))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut out = std::io::stdout().lock();
        out.write_all(&letter.frame).and_then(|()| out.flush()).context("the frame cannot be written")?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ReplayArgs {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let config = self.filter.config.load()?;
        if !self.letters.is_empty() {
            one(&config, self.filter.exchange.as_ref())?;
        }
        let wanted = self.filter.exchange.as_deref();
        let mut candidates = Candidates::open(&config, wanted, self.plugin.as_deref())
            .map_err(|error| Misconfigured(crate::session::chain(error.as_ref())))?;
        let exchanges: Vec<String> = candidates.iter().map(|candidates| candidates.exchange.clone()).collect();
        let newest = match self.filter.limit {
            Some(limit) => Some(self.filter.list(&config, &exchanges, limit)?),
            None => None,
        };
        let mut outlet = match self.dry_run {
            true => None,
            false => Some(Outlet::open(&config, exchanges.iter().map(String::as_str)).await?),
        };
        for candidates in &mut candidates {
            let mut filter = Filter { ids: self.letters.iter().copied().collect(), ..self.filter.filter() };
            if let Some(newest) = &newest {
                let of = newest.ids().filter(|(exchange, _)| *exchange == candidates.exchange).map(|(_, id)| id);
                filter.ids = of.filter(|id| self.letters.is_empty() || self.letters.contains(id)).collect();
                if filter.ids.is_empty() {
                    continue;
                }
            }
            let report = dead_letters::replay(&config, candidates, &filter, outlet.as_mut()).await?;
            print(&report.text(&candidates.exchange, &candidates.labels(), !self.dry_run))?;
        }
        if let Some(outlet) = outlet {
            let sent = outlet.finish().await?;
            print(&format!(
                "{sent} trades are in Kafka; the letters stay, and replaying them again changes nothing in ClickHouse"
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn one_or_all(config: &Config, named: Option<&String>) -> Result<Vec<String>, Misconfigured> {
    if let Some(exchange) = named {
        return Ok(vec![exchange.clone()]);
    }
    let all = exchanges(config).map_err(|findings| Misconfigured(findings.problems.join("\n")))?;
    Ok(all.into_iter().collect())
}

/// The exchange that is named, or the only one.
fn one(config: &Config, named: Option<&String>) -> Result<String, Misconfigured> {
    let mut all = one_or_all(config, named)?;
    match (all.len(), all.pop()) {
        (1, Some(only)) => Ok(only),
        (_, last) => {
            all.extend(last);
            Err(Misconfigured(format!("which exchange's letter? say --exchange with one of {}", all.join(", "))))
        }
    }
}
