//! Measures Tapedeck beside other programs that do the same work, and writes what it found: a table in the terminal, JSON in
//! bench/results, and docs/performance.md with its charts.
//!
//! A part runs its contenders in rounds, one after the other, in an order that changes from round to round, and takes the
//! median. What is compared is a ratio within a round, so that a machine that grows slower harms all alike. `cargo xtask bench`
//! builds everything and starts it.

pub mod suite;

pub mod plugins;

pub mod contender;
pub mod rounds;
pub mod sample;
pub mod statistics;

pub mod clock;
pub mod machine;
pub mod peers;
pub mod versions;

pub mod chart;
pub mod report;
pub mod table;
pub mod target;

pub mod page;

pub mod count;
pub mod unit;

pub mod hand;
pub mod kafka;
pub mod load;
pub mod moment;

pub mod markets;
pub mod meter;

pub mod candles;
pub mod growth;
pub mod whole;
