//! What the project needs around the runtime: the local stack, the checks and the demo, as a library that the tests use too.

pub mod home;
