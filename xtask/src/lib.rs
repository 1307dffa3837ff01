//! What the project needs around the runtime: the local stack, the checks and the demo, as a library that the tests use too.

pub mod bench;
pub mod cargo;
pub mod demo;
pub mod fetch;
pub mod fuzz;
pub mod home;
pub mod instructions;
pub mod interrupt;
pub mod plugins;
pub mod stack;
pub mod tidy;
pub mod truth;
pub mod verify;
