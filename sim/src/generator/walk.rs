//! One market's walk: taker orders at random times, each with one fill or hundreds, at prices that move in steps.

use crate::market::Market;
use crate::random::{Random, hash_text, mix};
use crate::trade::{Side, Trade};

/// Quantiles of the exponential distribution of mean 1, times 1,024: times between orders without a float.
const EXPONENTIAL: [u64; 64] = [
    4968, 3844, 3320, 2976, 2719, 2513, 2342, 2195, 2067, 1953, 1851, 1758, 1672, 1594, 1520, 1452, 1388, 1328, 1271,
    1217, 1166, 1117, 1070, 1026, 983, 942, 903, 865, 828, 793, 759, 726, 694, 663, 633, 603, 575, 547, 520, 494, 469,
    444, 419, 395, 372, 349, 327, 305, 284, 263, 243, 223, 203, 184, 165, 146, 128, 110, 92, 75, 58, 41, 24, 8,
];

/// Fills of an order on average, times 1,000; see [`Walk::fill_count`].
const MEAN_FILLS_THOUSANDTHS: u128 = 3_325;

/// An hour in microseconds.
const HOUR_US: i64 = 3_600_000_000;

pub(super) struct Walk {
    random: Random,
    /// Separate from the walk's own, so that late trades change no other.
    late_seed: u64,
    late_rate: u32,
    mean_gap_ns: u64,
    next_order_ns: u64,
    steps: u64,
    start_steps: u64,
    price_step: u64,
    quantity_step: u64,
    price_scale: u8,
    quantity_scale: u8,
    next_id: u64,
    next_aggregate: u32,
}

impl Walk {
    pub(super) fn new(market: &Market, seed: u64, nanoseconds_a_trade: u64, late_rate: u32) -> Self {
        let own_seed = mix(seed) ^ hash_text(&market.canonical);
        let mean_gap_ns = u128::from(nanoseconds_a_trade) * MEAN_FILLS_THOUSANDTHS / 1_000;
        let mut walk = Self {
            random: Random::new(own_seed),
            late_seed: mix(own_seed),
            late_rate,
            mean_gap_ns: u64::try_from(mean_gap_ns).unwrap_or(u64::MAX >> 16).max(1),
            next_order_ns: 0,
            steps: market.start_steps,
            start_steps: market.start_steps,
            price_step: market.price_step,
            quantity_step: market.quantity_step,
            price_scale: market.price_scale,
            quantity_scale: market.quantity_scale,
            next_id: market.first_trade_id,
            next_aggregate: 0,
        };
        walk.advance_clock();
        walk
    }

    /// When the next order comes, in nanoseconds since the start.
    pub(super) fn next_order_ns(&self) -> u64 {
        self.next_order_ns
    }

    /// Appends the fills of the next order, all at this time, and moves on to the one after.
    pub(super) fn fill_order(&mut self, timestamp_us: i64, fills: &mut Vec<Trade>) {
        let side = self.choose_side();
        self.move_price(side);
        let late_by_us = self.lateness_us();
        let count = self.fill_count();
        for fill in 0..count {
            // A large order eats through the levels of the book.
            if fill > 0 && self.random.below(3) == 0 {
                self.step(side, 1);
                self.next_aggregate += 1;
            }
            fills.push(Trade {
                id: self.next_id,
                timestamp_us: timestamp_us - late_by_us,
                price: self.steps * self.price_step,
                quantity: self.quantity(),
                aggregate: self.next_aggregate,
                price_scale: self.price_scale,
                quantity_scale: self.quantity_scale,
                side,
                late: late_by_us > 0,
            });
            self.next_id += 1;
        }
        self.next_aggregate += 1;
        self.advance_clock();
    }

    fn advance_clock(&mut self) {
        let quantile = EXPONENTIAL[self.random.below(64) as usize];
        let gap = u128::from(self.mean_gap_ns) * u128::from(quantile) / 1_018;
        self.next_order_ns = self.next_order_ns.saturating_add(gap as u64);
    }

    /// Leans back towards the price of the start, so that a walk of days stays plausible.
    fn choose_side(&mut self) -> Side {
        let distance = self.steps.abs_diff(self.start_steps) * 100 / self.start_steps;
        let odds_of_return = 500 + (distance * 20).min(400);
        let returns = self.random.below(1_000) < odds_of_return;
        if returns == (self.steps < self.start_steps) { Side::Buy } else { Side::Sell }
    }

    fn move_price(&mut self, side: Side) {
        let steps = [0, 0, 0, 1, 1, 2, 3, 8][self.random.below(8) as usize];
        self.step(side, steps);
    }

    fn step(&mut self, side: Side, steps: u64) {
        self.steps = match side {
            Side::Buy => self.steps.saturating_add(steps),
            Side::Sell => self.steps.saturating_sub(steps).max(1),
        };
    }

    /// Most orders meet one resting order; one of a thousand meets hundreds.
    fn fill_count(&mut self) -> u64 {
        match self.random.below(1_000) {
            0 => 100 + self.random.below(401),
            1..50 => 9 + self.random.below(32),
            50..150 => 4 + self.random.below(5),
            150..400 => 2 + self.random.below(2),
            _ => 1,
        }
    }

    fn quantity(&mut self) -> u64 {
        let most = [10, 100, 1_000, 10_000][self.random.below(4) as usize];
        (1 + self.random.below(most)) * self.quantity_step
    }

    fn lateness_us(&self) -> i64 {
        let mut random = Random::new(self.late_seed ^ self.next_id);
        if random.chance(self.late_rate) {
            HOUR_US + random.below(5 * HOUR_US as u64) as i64 / 1_000 * 1_000
        } else {
            0
        }
    }
}
