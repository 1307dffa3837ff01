//! What the tests of the whole pipeline share: real servers, the real `tapedeck` binary, simulated exchanges, and the
//! audit of what came out at the far end.
//!
//! One Kafka and one ClickHouse serve all tests; each test has topics and a database of its own. Only tests that kill or
//! stop a server start servers of their own.

pub mod programs;
pub mod servers;

pub mod exchange;
pub mod lines;
pub mod publisher;
pub mod recorded;
pub mod tape;

pub mod command;
pub mod host;
pub mod pipeline;
pub mod proxy;

pub mod audit;
pub mod kafka;
pub mod wait;

pub mod chaos;
pub mod load;
