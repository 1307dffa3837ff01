//! `tapedeck replay`.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{ConfigArgs, Misconfigured, print};
use crate::capture::Folder;
use crate::config::Config;
use crate::plugin::{Runtime, RuntimeSettings, bounded_escaped};
use crate::replay::{self, Differences, Outlet, Report, Run};
use crate::session::chain;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tapedeck replay /var/lib/tapedeck/capture --plugin new.wasm
  tapedeck replay capture/ --plugin old.wasm --diff new.wasm
  tapedeck replay capture/ --plugin new.wasm --config tapedeck.toml --send")]
pub(super) struct ReplayArgs {
    /// Folder of a capture, or one segment of it
    #[arg(value_name = "DIR")]
    capture: PathBuf,
    /// Plugin, a `.wasm` file
    #[arg(long, value_name = "FILE")]
    plugin: PathBuf,
    /// Compare its trades with those of this plugin; exit code 1 if they differ
    #[arg(long, value_name = "FILE", conflicts_with_all = ["send", "format"])]
    diff: Option<PathBuf>,
    /// Differences that are listed; all are counted
    #[arg(long, value_name = "COUNT", default_value_t = 50, requires = "diff")]
    show: usize,
    /// Only sessions of this exchange, whatever plugin they had [default: those of this plugin, by its name]
    #[arg(long)]
    exchange: Option<String>,
    /// Configuration file, for where Kafka is and for the limits of plugins
    #[arg(long, value_name = "FILE", env = "TAPEDECK_CONFIG")]
    config: Option<PathBuf>,
    /// Send the trades to Kafka
    #[arg(long, requires = "config")]
    send: bool,
    /// summary; or jsonl: the trades as records, one a line, and the summary to standard error
    #[arg(long, value_enum, default_value_t)]
    format: ReplayFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReplayFormat {
    #[default]
    Summary,
    Jsonl,
}

impl ReplayArgs {
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        let config = self.config.clone().map(|config| ConfigArgs { config }.load()).transpose()?;
        let runtime = match &config {
            Some(config) => replay::runtime(&config.plugins)?,
            None => Runtime::new(&RuntimeSettings::default())?,
        };
        let load = |file| replay::load_file(&runtime, file).map_err(|error| Misconfigured(chain(&error)));
        let plugin = load(&self.plugin)?;
        let other = self.diff.as_deref().map(load).transpose()?;
        let mut folder = Folder::open(&self.capture)?;
        let passed_over = self.choose(&mut folder, &plugin.description().name)?;

        let mut differences = Differences::new(self.show);
        let mut outlet = match config.as_ref().filter(|_| self.send) {
            Some(config) => Some(open_outlet(config, &folder).await?),
            None => None,
        };
        let mut out = BufWriter::new(std::io::stdout().lock());
        let run = Run {
            plugin: plugin.clone(),
            other: other.clone().map(|other| (other, &mut differences)),
            lines: (self.format == ReplayFormat::Jsonl).then_some(&mut out as &mut dyn std::io::Write),
            outlet: outlet.as_mut(),
        };
        let report = replay::replay(&mut folder, run).await?;
        out.flush().context("the trades cannot be written")?;
        drop(out);

        let mut text = summary(&report, &folder, passed_over);
        text.push_str(&report.tally.text(plugin.label()));
        if let Some(other) = &other {
            text.push_str(&report.other.text(other.label()));
            text.push_str(&differences.text(plugin.label(), other.label()));
        }
        if let Some(outlet) = outlet {
            let sent = outlet.finish().await?;
            let _ = writeln!(text, "{sent} trades are in Kafka; sending them again changes nothing in ClickHouse");
        }
        if self.format == ReplayFormat::Jsonl {
            eprint!("{text}");
        } else {
            print(&text)?;
        }
        Ok(if differences.total() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Keeps the streams that are asked for. Returns how many are passed over.
    fn choose(&self, folder: &mut Folder, plugin: &str) -> anyhow::Result<usize> {
        let all = folder.streams().len();
        let mut there: Vec<String> = folder
            .streams()
            .iter()
            .map(|stream| bounded_escaped(&format!("{} by {}", stream.header().exchange, stream.header().plugin), 80))
            .collect();
        match &self.exchange {
            Some(exchange) => folder.retain(|header| header.exchange == *exchange),
            None => folder.retain(|header| header.plugin == plugin),
        }
        if folder.streams().is_empty() {
            there.sort_unstable();
            there.dedup();
            let what =
                self.exchange.as_ref().map_or(format!("by plugin {plugin}"), |name| format!("of exchange {name:?}"));
            let shown = self.capture.display();
            anyhow::bail!("no session {what} is captured in {shown}; there are {}", there.join(", "));
        }
        Ok(all - folder.streams().len())
    }
}

async fn open_outlet(config: &Config, folder: &Folder) -> anyhow::Result<Outlet> {
    let exchanges: std::collections::BTreeSet<&str> =
        folder.streams().iter().map(|stream| stream.header().exchange.as_str()).collect();
    Outlet::open(config, exchanges).await
}

fn summary(report: &Report, folder: &Folder, passed_over: usize) -> String {
    let (notes, streams) = (folder.notes(), folder.streams().len());
    let mut text = format!(
        "{} frames in {} batches, of {streams} streams in {} segments\n",
        report.frames, report.batches, notes.segments
    );
    let mut note = |count: u64, what: String| {
        if count > 0 {
            let _ = writeln!(text, "note: {what}");
        }
    };
    note(passed_over as u64, format!("{passed_over} streams of other plugins or exchanges are passed over"));
    note(report.lost, format!("{} frames are missing: the capture could not keep up or be written", report.lost));
    note(notes.missing, format!("{} segments are missing: deleted to stay within max_mb", notes.missing));
    note(
        notes.torn,
        format!("{} segments are cut off: their last {} bytes are of no use", notes.torn, notes.torn_bytes),
    );
    note(notes.empty, format!("{} files end before their header does", notes.empty));
    text
}
