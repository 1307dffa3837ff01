//! Everything of Tapedeck that reads foreign bytes, as functions of bytes that panic where something is wrong.
//!
//! `cargo xtask fuzz` drives them for minutes, guided by coverage; the test of this crate runs them over `corpus/` and over
//! mutations of it that are the same each time. An input that once broke a target stays in its corpus.

pub mod memory;
mod targets;

pub use targets::{TARGETS, Target};
