//! What is published next, wherever it comes from.

use crate::generator::Generator;
use crate::market::Market;
use crate::options::{Exchange, SimulatorOptions, Source};
use crate::recording::Recording;
use crate::trades_csv::TradesCsv;

/// The source of everything that is published.
pub(crate) enum Tape {
    /// Made up.
    Generated(Generator),
    /// Recorded frames.
    Recorded(Recording),
    /// Trades of a file.
    Trades(TradesCsv),
}

impl Tape {
    /// Opens the source that the options ask for, and adds the markets that it brings.
    ///
    /// # Errors
    /// Says which file cannot be used, or which options do not go together.
    pub(crate) fn open(options: &SimulatorOptions, markets: &mut Vec<Market>) -> Result<Self, String> {
        match &options.source {
            Source::Generated if markets.is_empty() => {
                Err("no markets: give at least one, for example --markets BTC/USDT".to_owned())
            }
            Source::Generated => Ok(Self::Generated(Generator::new(options))),
            Source::Recordings(_) if options.exchange != Exchange::Binance => {
                Err("recordings are replayed for binance only: use --exchange binance".to_owned())
            }
            Source::Recordings(files) => Recording::load(files, options.speed, markets).map(Self::Recorded),
            Source::TradesCsv(_) if markets.len() != 1 => {
                Err("a CSV of trades is of one market: give exactly one, for example --markets XRP/ETH".to_owned())
            }
            Source::TradesCsv(file) => TradesCsv::load(file, options.speed).map(Self::Trades),
        }
    }

    /// When the next item is due, in nanoseconds since the start; none at the end.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        match self {
            Self::Generated(generator) => generator.due_ns(),
            Self::Recorded(recording) => recording.due_ns(),
            Self::Trades(trades) => trades.due_ns(),
        }
    }

    /// Steps the clock of generated trades, as [`Generator::step_clock`] does.
    pub(crate) fn step_clock(&mut self, clock_step_us: i64) {
        if let Self::Generated(generator) = self {
            generator.step_clock(clock_step_us);
        }
    }

    /// Sets the time that generated trades begin at.
    pub(crate) fn start_clock(&mut self, clock_start_us: i64) {
        if let Self::Generated(generator) = self {
            generator.start_clock(clock_start_us);
        }
    }
}
