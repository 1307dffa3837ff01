//! A plugin that never comes back from decoding a frame that starts with `LOOP`, and serves all others.

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

struct Loops(Plain);

impl Plugin for Loops {
    fn describe() -> Description {
        hostile_common::describe("loops")
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (Loops(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        if frame.bytes.starts_with(b"LOOP") {
            hostile_common::spin();
        }
        self.0.decode_frame(frame, out)
    }
}

tapedeck_sdk::register!(Loops);
