//! A plugin that never comes back from `describe`.

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

struct DescribeLoops(Plain);

impl Plugin for DescribeLoops {
    fn describe() -> Description {
        hostile_common::spin()
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (DescribeLoops(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        self.0.decode_frame(frame, out)
    }
}

tapedeck_sdk::register!(DescribeLoops);
