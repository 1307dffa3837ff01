//! A plugin that dies on a frame that starts with a marker, each time in another way, and serves all others.

use std::hint::black_box;

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

struct Traps(Plain);

impl Plugin for Traps {
    fn describe() -> Description {
        hostile_common::describe("traps")
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (Traps(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        match hostile_common::marker(frame.bytes) {
            b"PANIC" => panic!("a plugin that panics, as asked"),
            b"ABORT" => std::process::abort(),
            b"UNREACHABLE" => hostile_common::unreachable_instruction(),
            b"OUT_OF_BOUNDS" => read_beyond_memory(),
            b"STACK" => {
                black_box(dig(black_box(1)));
                Ok(())
            }
            _ => self.0.decode_frame(frame, out),
        }
    }
}

fn read_beyond_memory() -> ! {
    let last_address = black_box(usize::MAX - 7);
    // SAFETY: not at all, and the sandbox must not need it to be: the address lies behind the end of the memory.
    let byte = unsafe { std::ptr::read_volatile(last_address as *const u8) };
    panic!("the byte {byte} was read from where no memory is");
}

/// Recursion without an end, that no optimiser turns into a loop.
fn dig(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    if room[0] == 0 { 0 } else { dig(black_box(depth + 1)) + room[63] }
}

tapedeck_sdk::register!(Traps);
