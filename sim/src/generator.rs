//! Makes trades up. The whole sequence (ids, prices, quantities, sides, times since the start of the clock) is a pure
//! function of seed, markets and rate: each market walks on its own generator, and the walks are merged by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::generator::walk::Walk;
use crate::options::{Precision, Rate, SimulatorOptions};
use crate::trade::Trade;

mod walk;

/// Trades a second of the simulated clock where they are published as fast as clients read.
const RATE_OF_MAX: u64 = 1_000_000;

/// Generated trades of all markets in the order of time.
pub(crate) struct Generator {
    walks: Vec<Walk>,
    /// Time of each market's next order, and its index.
    upcoming: BinaryHeap<Reverse<(u64, usize)>>,
    clock_start_us: i64,
    precision: Precision,
    /// Time of the last order, which no later one is before.
    last_us: i64,
    clock_step_us: i64,
}

impl Generator {
    /// A tape that has not begun.
    pub(crate) fn new(options: &SimulatorOptions) -> Self {
        let rate = match options.rate {
            Rate::PerSecond(rate) => rate.max(1),
            Rate::Max => RATE_OF_MAX,
        };
        // The second market trades half as often as the first, the third a third, and so on.
        let share = |index: usize| 1_000_000_000 / (index as u128 + 1);
        let all_shares: u128 = (0..options.markets.len()).map(share).sum();
        let mut walks = Vec::with_capacity(options.markets.len());
        for (index, market) in options.markets.iter().enumerate() {
            let nanoseconds_a_trade = 1_000_000_000 * all_shares / (u128::from(rate) * share(index));
            walks.push(Walk::new(market, options.seed, nanoseconds_a_trade as u64, options.faults.late));
        }
        let upcoming = walks.iter().enumerate().map(|(index, walk)| Reverse((walk.next_order_ns(), index))).collect();
        Self { walks, upcoming, clock_start_us: 0, precision: options.precision, last_us: i64::MIN, clock_step_us: 0 }
    }

    /// Sets the time that the tape begins at, in microseconds since 1970.
    pub(crate) fn start_clock(&mut self, clock_start_us: i64) {
        // A clock that starts on a whole millisecond keeps the distances between times at either precision.
        self.clock_start_us = clock_start_us.div_euclid(1_000) * 1_000;
    }

    /// Steps the clock to so many microseconds beside the one that was started, in whole milliseconds.
    pub(crate) fn step_clock(&mut self, clock_step_us: i64) {
        self.clock_step_us = clock_step_us / 1_000 * 1_000;
    }

    /// When the next order is due, in nanoseconds since the start; none without markets.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        self.upcoming.peek().map(|Reverse((at, _))| *at)
    }

    /// Puts the fills of the next order in `fills`, and returns its market's index; none without markets.
    pub(crate) fn next_order(&mut self, fills: &mut Vec<Trade>) -> Option<usize> {
        let Reverse((at_ns, index)) = self.upcoming.pop()?;
        let offset_us = (at_ns / 1_000) as i64;
        let offset_us = match self.precision {
            Precision::Milliseconds => offset_us / 1_000 * 1_000,
            Precision::Microseconds => offset_us,
        };
        let walk = &mut self.walks[index];
        let time_us = self.clock_start_us + self.clock_step_us + offset_us;
        if time_us < self.last_us {
            // No exchange's trades go back in time. At microseconds every order has a time of its own, since a client that
            // pages by time could not step over thousands of one time.
            self.last_us += i64::from(self.precision == Precision::Microseconds);
        } else {
            self.last_us = time_us;
        }
        walk.fill_order(self.last_us, fills);
        self.upcoming.push(Reverse((walk.next_order_ns(), index)));
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Exchange;

    const START_US: i64 = 1_723_161_255_000_000;

    fn tape(seed: u64, rate: Rate, trades: usize) -> Vec<(usize, Trade)> {
        let names = ["BTC/USDT", "ETH/USDT", "XRP/ETH"];
        let mut options = SimulatorOptions::new(Exchange::Binance).with_markets(names).unwrap();
        (options.seed, options.rate) = (seed, rate);
        let mut generator = Generator::new(&options);
        generator.start_clock(START_US);
        let (mut tape, mut fills) = (Vec::new(), Vec::new());
        while tape.len() < trades {
            fills.clear();
            let market = generator.next_order(&mut fills).unwrap();
            tape.extend(fills.iter().map(|fill| (market, *fill)));
        }
        tape
    }

    #[test]
    fn a_seed_gives_one_tape() {
        let rate = Rate::PerSecond(1_000);
        assert_eq!(tape(7, rate, 20_000), tape(7, rate, 20_000));
        assert_ne!(tape(7, rate, 100), tape(8, rate, 100));
        assert_ne!(tape(7, rate, 100), tape(7, Rate::PerSecond(999), 100));
    }

    #[test]
    fn the_tape_of_seed_7_is_the_one_of_every_version() {
        let first = tape(7, Rate::PerSecond(1_000), 3_000);
        let digest = first.iter().fold(0, |digest, (market, trade)| {
            let text = format!("{digest} {market} {} {} {}", trade.id, trade.price, trade.quantity);
            crate::random::hash_text(&format!("{text} {:?} {}", trade.side, trade.timestamp_us))
        });
        assert_eq!(
            digest, 9_206_498_120_465_091_960,
            "a change of the tape breaks every recorded seed: say so in the changelog"
        );
    }

    #[test]
    fn the_rate_is_kept_and_shared_unequally() {
        let tape = tape(3, Rate::PerSecond(5_000), 100_000);
        let seconds = (tape.last().unwrap().1.timestamp_us - START_US) / 1_000_000;
        assert!((17..=23).contains(&seconds), "100,000 trades at 5,000/s took {seconds} s");
        let count = |market| tape.iter().filter(|(index, _)| *index == market).count();
        assert!(
            count(0) > count(1) && count(1) > count(2) && count(2) > 10_000,
            "{} {} {}",
            count(0),
            count(1),
            count(2)
        );
    }

    #[test]
    fn ids_are_dense_times_grow_and_bursts_come() {
        let tape = tape(5, Rate::PerSecond(2_000), 100_000);
        for market in 0..3 {
            let trades: Vec<&Trade> =
                tape.iter().filter(|(index, _)| *index == market).map(|(_, trade)| trade).collect();
            for pair in trades.windows(2) {
                assert_eq!(pair[0].id + 1, pair[1].id);
                assert!(pair[0].timestamp_us <= pair[1].timestamp_us);
                assert!(pair[1].aggregate == pair[0].aggregate || pair[1].aggregate == pair[0].aggregate + 1);
                let same = pair[0].aggregate == pair[1].aggregate;
                assert!(!same || (pair[0].price, pair[0].side) == (pair[1].price, pair[1].side));
                assert!(pair[0].timestamp_us % 1_000 == 0, "Binance's times are whole milliseconds");
            }
        }
        let biggest = tape.chunk_by(|a, b| a.1.timestamp_us == b.1.timestamp_us).map(<[_]>::len).max().unwrap();
        assert!(biggest >= 200, "the biggest burst has {biggest} trades in a millisecond");
    }

    #[test]
    fn a_stepped_clock_changes_times_alone_and_never_goes_back() {
        for (exchange, market) in [(Exchange::Binance, "BTC/USDT"), (Exchange::Kraken, "BTC/USD")] {
            let mut options = SimulatorOptions::new(exchange).with_markets([market]).unwrap();
            options.rate = Rate::PerSecond(1_000);
            let fills = |steps: [i64; 3]| {
                let mut generator = Generator::new(&options);
                generator.start_clock(START_US);
                let mut fills = Vec::new();
                for step_ms in steps {
                    generator.step_clock(step_ms * 1_000);
                    (0..1_000).for_each(|_| assert!(generator.next_order(&mut fills).is_some()));
                }
                fills
            };
            let (stepped, steady) = (fills([0, 700, -400]), fills([0, 0, 0]));
            assert!(stepped.iter().zip(&steady).all(|(one, other)| (one.id, one.price) == (other.id, other.price)));
            assert!(stepped.windows(2).all(|pair| pair[0].timestamp_us <= pair[1].timestamp_us));
            let off = |place: usize| stepped[place].timestamp_us - steady[place].timestamp_us;
            let third = stepped.len() / 3;
            assert_eq!((off(0), off(third + third / 2), off(stepped.len() - 1)), (0, 700_000, -400_000));
            let same = stepped.chunk_by(|a, b| a.timestamp_us == b.timestamp_us).map(<[_]>::len).max().unwrap();
            assert!(exchange == Exchange::Binance || same <= 600, "{same} trades of one time");
        }
    }

    #[test]
    fn late_orders_lie_hours_back() {
        let mut options = SimulatorOptions::new(Exchange::Kraken).with_markets(["BTC/USD"]).unwrap();
        options.faults.late = 50_000;
        let mut generator = Generator::new(&options);
        generator.start_clock(START_US);
        let mut fills = Vec::new();
        for _ in 0..2_000 {
            generator.next_order(&mut fills);
        }
        let late: Vec<&Trade> = fills.iter().filter(|trade| trade.late).collect();
        assert!(!late.is_empty() && late.len() < fills.len() / 5, "{} of {}", late.len(), fills.len());
        assert!(late.iter().all(|trade| trade.timestamp_us < START_US));
    }
}
