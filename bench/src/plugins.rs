//! The plugin stage alone: from frames to trades, in the sandbox, by the same code without one, and by others.

use std::path::Path;

use anyhow::Result;
use tapedeck::plugin::{Runtime, RuntimeSettings};

use crate::chart::{Axis, Bar, Chart, Line};
use crate::clock::{CPU_EACH, PER_CORE, WALL_EACH};
use crate::contender::Contender;
use crate::peers;
use crate::report::Findings;
use crate::rounds::{Measurement, alternate};
use crate::suite::Setting;
use crate::table::Table;
use crate::target::Target;
use crate::unit::Unit;
use crate::versions::{LockFile, Version};

mod child;
mod frames;
mod sandbox;

use child::{Child, Program};
use frames::Frames;
use sandbox::Sandbox;

/// Frames a call. The host takes what the socket holds, up to 256.
const BATCHES: [usize; 4] = [1, 16, 64, 256];

/// The batch that everything else is compared with.
const BATCH: usize = 64;

/// Processor time of one run.
pub(crate) const SECONDS: f64 = 0.8;

const NATIVE: &str = "the same code without a sandbox";
const SERDE: &str = "serde_json, native, the same records";

/// Measures the plugin stage.
///
/// # Errors
/// A plugin does not run, or what is compared with it of our own does not compile.
pub fn run(setting: &Setting) -> Result<Findings> {
    let runtime = Runtime::new(&RuntimeSettings::default())?;
    let mut measurements = Vec::new();
    let all = frames::all(setting, &runtime)?;
    for frames in &all {
        let mut contenders = contenders(setting, &runtime, frames)?;
        measurements.push(alternate(&frames.title(), setting.runs, &mut contenders)?);
    }
    let figures = [PER_CORE, CPU_EACH, WALL_EACH];
    let main = measurements.first();
    Ok(Findings {
        setting: setting_of(&all),
        versions: versions()?,
        targets: main.map(targets).unwrap_or_default(),
        tables: measurements.iter().map(|measurement| Table::of(measurement, &figures, &sandbox(BATCH))).collect(),
        charts: main.map(bars).into_iter().chain([lines(&measurements)]).collect(),
        measurements,
    })
}

fn sandbox(batch: usize) -> String {
    format!("Tapedeck, batches of {batch}")
}

fn contenders<'a>(
    setting: &'a Setting,
    runtime: &'a Runtime,
    frames: &'a Frames,
) -> Result<Vec<Box<dyn Contender + 'a>>> {
    let mut all: Vec<Box<dyn Contender>> = Vec::new();
    for batch in BATCHES {
        let plugin = setting.plugins.join(format!("{}.wasm", frames.exchange));
        all.push(Box::new(Sandbox::new(sandbox(batch), runtime, &plugin, frames, batch)));
    }
    let own = |name: &str, way: &str| Child::new(name, Program::Own, own_arguments(way, frames), frames.trades);
    all.push(Box::new(own(NATIVE, "plugin")));
    all.push(Box::new(own(SERDE, "serde")));
    // Others know today's Kraken not at all: both speak its old protocol.
    if frames.exchange == "binance" {
        for library in libraries()? {
            let arguments = [&library.name, &frames.markets.join(","), path(&frames.file), &SECONDS.to_string()];
            let arguments = arguments.map(ToString::to_string).to_vec();
            let name = format!("{} {}", library.name, library.version);
            all.push(Box::new(Child::new(&name, Program::Peer("parse"), arguments, frames.trades)));
        }
    }
    Ok(all)
}

fn own_arguments(way: &str, frames: &Frames) -> Vec<String> {
    let markets = frames.markets.join(",");
    let (batch, seconds) = (BATCH.to_string(), SECONDS.to_string());
    ["decode", way, frames.exchange, &markets, path(&frames.file), &batch, &seconds].map(str::to_owned).to_vec()
}

fn path(file: &Path) -> &str {
    // The repository's own folder; cargo itself needs it to be UTF-8.
    file.to_str().unwrap_or_default()
}

fn libraries() -> Result<Vec<Version>> {
    let lock = LockFile::read(&peers::sources("parse").join("Cargo.lock"))?;
    ["barter-data", "crypto-msg-parser"].into_iter().map(|name| Ok(Version::new(name, lock.version(name)?))).collect()
}

fn versions() -> Result<Vec<Version>> {
    let lock = LockFile::read(&xtask::home::repository().join("Cargo.lock"))?;
    let mut versions = vec![Version::new("serde_json", lock.version("serde_json")?)];
    versions.extend(libraries()?);
    Ok(versions)
}

fn setting_of(all: &[Frames]) -> String {
    let frames: Vec<String> = all.iter().map(Frames::description).collect();
    format!(
        "One thread decodes frames that lie in memory, over and over, for {SECONDS} s of its own processor time; nothing else is \
         measured. Frames: {}. Tapedeck is the host's own call into a plugin in its sandbox, with the check of the answer. The same \
         code without a sandbox, and serde_json, are compiled like the plugins, in batches of {BATCH}, and fill the plugin's records \
         (a test compares them). barter-data and crypto-msg-parser make their own records, with prices as floats; the frames of the \
         first come without the stream's envelope, as it subscribes, those of the second with two order ids that it insists on and \
         that are no longer sent.",
        frames.join("; ")
    )
}

fn targets(measurement: &Measurement) -> Vec<Target> {
    let own = sandbox(BATCH);
    let ratio = |what: &str, wanted: f64, name: &str| {
        let other = measurement.series.iter().find(|series| series.contender.starts_with(name));
        let reached = other.and_then(|other| measurement.ratio(&own, &other.contender, PER_CORE));
        Target::at_least(&format!("{what}, Binance frames"), wanted, Unit::Times, reached)
    };
    let rate = measurement.summary(&own, PER_CORE);
    vec![
        Target::at_least("plugin stage, trades/s/core in the sandbox, Binance frames", 3e6, Unit::PerSecond, rate),
        ratio("plugin stage beside serde_json, native", 1.2, SERDE),
        ratio("plugin stage beside the same code without a sandbox", 0.5, NATIVE),
        ratio("plugin stage beside barter-data", 2.0, "barter-data"),
        ratio("plugin stage beside crypto-msg-parser", 8.0, "crypto-msg-parser"),
    ]
}

fn bars(measurement: &Measurement) -> Chart {
    let own = sandbox(BATCH);
    let shown =
        measurement.series.iter().filter(|series| !series.contender.starts_with("Tapedeck") || series.contender == own);
    let bars = shown.filter_map(|series| {
        let value = series.summary(PER_CORE)?;
        Some(Bar { label: series.contender.clone(), value, own: series.contender == own })
    });
    let title = format!("Trades a second of one core: {}", measurement.title);
    Chart::bars("rate", &title, Unit::PerSecond, bars.collect())
}

fn lines(measurements: &[Measurement]) -> Chart {
    let line = |measurement: &Measurement| {
        let cost = |batch| Some((batch as f64, measurement.summary(&sandbox(batch), CPU_EACH)?.median));
        Line { label: measurement.title.clone(), points: BATCHES.into_iter().filter_map(cost).collect() }
    };
    let x = Axis { title: "frames a batch".to_owned(), unit: Unit::Count, is_logarithmic: true };
    let y = Axis { title: "CPU a trade".to_owned(), unit: Unit::Seconds, is_logarithmic: false };
    Chart::lines("batches", "Cost of a trade by the size of a batch", x, y, measurements.iter().map(line).collect())
}
