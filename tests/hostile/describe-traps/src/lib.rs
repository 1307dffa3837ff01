//! A plugin that traps in `describe`.

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

struct DescribeTraps(Plain);

impl Plugin for DescribeTraps {
    fn describe() -> Description {
        panic!("this plugin cannot even say its name")
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (DescribeTraps(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        self.0.decode_frame(frame, out)
    }
}

tapedeck_sdk::register!(DescribeTraps);
