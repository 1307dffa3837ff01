//! A plugin that takes memory until there is none on a frame that starts with `EAT`, keeps a mebibyte for good on each
//! frame that starts with `LEAK`, and serves all others.

use std::hint::black_box;

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

const MEBIBYTE: usize = 1 << 20;

struct EatsMemory {
    plain: Plain,
    kept: Vec<Vec<u8>>,
}

impl Plugin for EatsMemory {
    fn describe() -> Description {
        hostile_common::describe("eats_memory")
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (EatsMemory { plain, kept: Vec::new() }, plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        if frame.bytes.starts_with(b"EAT") {
            loop {
                self.eat();
            }
        }
        if frame.bytes.starts_with(b"LEAK") {
            self.eat();
            return Ok(());
        }
        self.plain.decode_frame(frame, out)
    }
}

impl EatsMemory {
    fn eat(&mut self) {
        self.kept.push(black_box(vec![1; MEBIBYTE]));
    }
}

tapedeck_sdk::register!(EatsMemory);
