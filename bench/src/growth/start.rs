//! Starts of hosts with many plugins, each of an exchange at an address of its own, their compiled code kept from an
//! earlier start and not.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::publisher::Publisher;

use super::copies;
use super::stage::Stage;
use crate::contender::Contender;
use crate::kafka::cpu::Cpu;
use crate::markets::{borrowed, names};
use crate::meter::{Meter, pass};
use crate::rounds::{Measurement, alternate};
use crate::sample::Sample;
use crate::unit::Unit;

/// Figure: from the start of the process until it answers on HTTP: all plugins are loaded, all sessions planned.
pub(super) const ANSWERS: &str = "answers after";
/// Figure: from there until every session is live.
pub(super) const READY: &str = "ready after";
/// Figure: processor time until then.
pub(super) const CPU: &str = "CPU until then";
/// Figure: resident memory then.
pub(super) const MEMORY: &str = "memory";

/// Pause between two looks whether the host is ready.
const LOOK: Duration = Duration::from_millis(2);

/// Time in which trades come before the first start that is measured, so that every market has a position to go on from.
const TRADES: Duration = Duration::from_secs(2);

/// The plugins that are copied, in turns, and the quote of their markets.
const PLUGINS: [(&str, &str); 2] = [("binance", "USDT"), ("kraken", "USD")];

/// As tables name it.
pub(super) fn name(plugins: usize, is_cached: bool) -> String {
    let plural = if plugins == 1 { "" } else { "s" };
    format!("{plugins} plugin{plural}, {}", if is_cached { "compiled before" } else { "to be compiled" })
}

/// Measures starts with so many plugins.
pub(super) fn measure(stage: &Stage<'_>, title: &str, counts: &[usize]) -> Result<Measurement> {
    // As 20 exchanges have: what an exchange allows, it allows all connections to one address together.
    let publisher = |(address, (exchange, quote)): (usize, (&str, &str))| {
        let listen = format!("127.0.0.{address}:0");
        let flags = ["--listen", &listen, "--connections-per-five-minutes", "0"];
        Publisher::start(exchange, &borrowed(&names(1, quote)), "100", &flags)
    };
    let most = counts.iter().copied().max().unwrap_or_default();
    let publishers = (1..=most).zip(PLUGINS.into_iter().cycle()).map(publisher).collect::<Result<Vec<_>>>()?;
    let mut contenders: Vec<Box<dyn Contender + '_>> = Vec::new();
    for plugins in counts {
        for is_cached in [true, false] {
            let folder = stage.setting.folder.join(format!("{plugins}-{is_cached}"));
            let publishers = &publishers;
            contenders.push(Box::new(Start {
                stage,
                publishers,
                plugins: *plugins,
                is_cached,
                folder,
                pipeline: None,
            }));
        }
    }
    alternate(title, stage.setting.runs, &mut contenders)
}

struct Start<'a> {
    stage: &'a Stage<'a>,
    publishers: &'a [Publisher],
    plugins: usize,
    is_cached: bool,
    /// For plugins and compiled code.
    folder: PathBuf,
    pipeline: Option<Pipeline>,
}

impl Start<'_> {
    /// Copies of the plugins in turns, each with a feed of one market from an exchange of its own.
    fn plan(&self) -> Result<Pipeline> {
        let plugins = self.folder.join("plugins");
        fs::create_dir_all(&plugins).with_context(|| format!("the folder {} cannot be made", plugins.display()))?;
        let mut pipeline = self.stage.pipeline()?.with_plugins(&plugins).with_cache(&self.cache());
        let kinds = PLUGINS.iter().cycle().zip(self.publishers);
        for (number, ((plugin, quote), publisher)) in (0..self.plugins).zip(kinds) {
            let name = copies::name(plugin, number);
            let original = self.stage.setting.plugins.join(format!("{plugin}.wasm"));
            let bytes = fs::read(&original).with_context(|| format!("{} cannot be read", original.display()))?;
            fs::write(plugins.join(format!("{name}.wasm")), copies::copy(&bytes, plugin, &name)?)?;
            let markets = names(1, quote);
            pipeline = pipeline.with_feed(&name, &borrowed(&markets), &publisher.websocket, &publisher.rest);
        }
        Ok(pipeline)
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("compiled")
    }

    fn forget_compiled(&self) -> Result<()> {
        let cache = self.cache();
        if cache.exists() {
            fs::remove_dir_all(&cache).with_context(|| format!("{} cannot be removed", cache.display()))?;
        }
        Ok(())
    }
}

impl Contender for Start<'_> {
    fn name(&self) -> String {
        name(self.plugins, self.is_cached)
    }

    fn set_up(&mut self) -> Result<()> {
        let pipeline = self.plan()?;
        let mut host = pipeline.start_host()?;
        host.wait_ready()?;
        let publishers = &self.publishers[..self.plugins];
        publishers.iter().try_for_each(|publisher| publisher.tell("start"))?;
        pass(TRADES)?;
        publishers.iter().try_for_each(|publisher| publisher.tell("stop"))?;
        host.stop_well()?;
        self.pipeline = Some(pipeline);
        Ok(())
    }

    fn run(&mut self) -> Result<Sample> {
        if !self.is_cached {
            self.forget_compiled()?;
        }
        let pipeline = self.pipeline.as_ref().context("it was not set up")?;
        let mut host = pipeline.start_host()?;
        let (answered, ready) = host.time_to_ready(LOOK)?;
        let cpu = Cpu::of(host.pid())?.all;
        let memory = Meter::start(host.pid())?.read()?.memory;
        host.stop_well()?;
        Ok(Sample::new()
            .with(READY, ready.as_secs_f64(), Unit::Seconds)
            .with(ANSWERS, answered.as_secs_f64(), Unit::Seconds)
            .with(CPU, cpu.as_secs_f64(), Unit::Seconds)
            .with(MEMORY, memory, Unit::Bytes))
    }

    fn is_required(&self) -> bool {
        true
    }
}
