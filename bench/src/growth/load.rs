//! Hosts of different sizes, first idle and then under the same load.

use std::time::Duration;

use anyhow::Result;
use tapedeck_tests::publisher::Publisher;

use super::stage::Stage;
use crate::contender::Contender;
use crate::markets::{borrowed, names};
use crate::meter::{Meter, pass};
use crate::rounds::{Measurement, alternate};
use crate::sample::Sample;
use crate::unit::Unit;

/// Trades a second, whatever the size.
pub(super) const RATE: usize = 5_000;

/// After its start, whatever a host still does is over.
const SETTLE: Duration = Duration::from_secs(1);
/// A window without trades.
const IDLE: Duration = Duration::from_secs(4);
/// The first trades.
const WARM_UP: Duration = Duration::from_secs(1);
/// A window with trades.
const BUSY: Duration = Duration::from_secs(4);

/// Sessions to one address share its limit of messages: the last of ten subscribes after about three seconds. More of them reach
/// exchanges at other addresses of loopback.
const SESSIONS_OF_AN_EXCHANGE: usize = 10;

const EXCHANGE: &str = "binance";
const QUOTE: &str = "USDT";

/// Figure: processor without trades, hundredths of a core.
pub(super) const IDLE_CPU: &str = "processor, idle";
/// Figure: resident memory without trades.
pub(super) const IDLE_MEMORY: &str = "memory, idle";
/// Figure: processor with trades, hundredths of a core.
pub(super) const BUSY_CPU: &str = "processor, busy";
/// Figure: resident memory with trades.
pub(super) const BUSY_MEMORY: &str = "memory, busy";
/// Figure: processor time a trade.
pub(super) const CPU_EACH: &str = "CPU a trade";

/// How large a host is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// One session of so many markets.
    Markets(usize),
    /// So many sessions of one market.
    Sessions(usize),
}

impl Size {
    /// As tables name it.
    pub(super) fn name(self) -> String {
        let (count, thing) = match self {
            Self::Markets(count) => (count, "market"),
            Self::Sessions(count) => (count, "session"),
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {thing}{plural}", Unit::Count.show(count as f64))
    }

    fn sessions(self) -> usize {
        match self {
            Self::Markets(_) => 1,
            Self::Sessions(count) => count,
        }
    }

    /// Markets of each session.
    fn markets(self) -> usize {
        match self {
            Self::Markets(count) => count,
            Self::Sessions(_) => 1,
        }
    }
}

/// Starts a host once, so that no other has to compile its plugin.
pub(super) fn warm_up(stage: &Stage<'_>) -> Result<()> {
    let market = names(1, QUOTE);
    let publisher = Publisher::start(EXCHANGE, &borrowed(&market), "1", &[])?;
    let pipeline = stage.pipeline()?.with_feed(EXCHANGE, &borrowed(&market), &publisher.websocket, &publisher.rest);
    let mut host = pipeline.start_host()?;
    host.wait_ready()?;
    host.stop_well()
}

/// Measures hosts of these sizes.
pub(super) fn measure(stage: &Stage<'_>, title: &str, sizes: &[Size]) -> Result<Measurement> {
    let contender = |size: &Size| Box::new(Host { stage, size: *size }) as Box<dyn Contender>;
    let mut contenders: Vec<Box<dyn Contender + '_>> = sizes.iter().map(contender).collect();
    alternate(title, stage.setting.runs, &mut contenders)
}

struct Host<'a> {
    stage: &'a Stage<'a>,
    size: Size,
}

impl Contender for Host<'_> {
    fn name(&self) -> String {
        self.size.name()
    }

    fn run(&mut self) -> Result<Sample> {
        let sessions: Vec<usize> = (0..self.size.sessions()).collect();
        let exchanges: Vec<&[usize]> = sessions.chunks(SESSIONS_OF_AN_EXCHANGE).collect();
        let rate = (RATE / exchanges.len()).to_string();
        let mut pipeline = self.stage.pipeline()?;
        let mut publishers = Vec::new();
        let all = names(self.size.sessions() * self.size.markets(), QUOTE);
        for (address, sessions) in (1..).zip(&exchanges) {
            let of_session = |session: &usize| borrowed(&all[session * self.size.markets()..][..self.size.markets()]);
            let markets: Vec<&str> = sessions.iter().flat_map(of_session).collect();
            let listen = format!("127.0.0.{address}:0");
            let publisher = Publisher::start(EXCHANGE, &markets, &rate, &["--listen", &listen])?;
            for session in *sessions {
                let markets = of_session(session);
                pipeline = pipeline.with_feed(EXCHANGE, &markets, &publisher.websocket, &publisher.rest);
            }
            publishers.push(publisher);
        }
        let mut host = pipeline.start_host()?;
        host.wait_ready()?;
        pass(SETTLE)?;
        let idle = Meter::start(host.pid())?;
        pass(IDLE)?;
        let idle = idle.read()?;
        publishers.iter().try_for_each(|publisher| publisher.tell("start"))?;
        pass(WARM_UP)?;
        let trades = || host.metric("tapedeck_trades_total", EXCHANGE);
        let (before, busy) = (trades()?, Meter::start(host.pid())?);
        pass(BUSY)?;
        let (busy, trades) = (busy.read()?, trades()? - before);
        publishers.iter().try_for_each(|publisher| publisher.tell("stop"))?;
        host.stop_well()?;
        Ok(Sample::new()
            .with(IDLE_CPU, 100.0 * idle.cores, Unit::Percent)
            .with(IDLE_MEMORY, idle.memory, Unit::Bytes)
            .with(BUSY_CPU, 100.0 * busy.cores, Unit::Percent)
            .with(CPU_EACH, busy.cpu.as_secs_f64() / trades.max(1) as f64, Unit::Seconds)
            .with(BUSY_MEMORY, busy.memory, Unit::Bytes))
    }

    fn is_required(&self) -> bool {
        true
    }
}
