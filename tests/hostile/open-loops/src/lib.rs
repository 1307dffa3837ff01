//! A plugin that never comes back from `open`.

use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

struct OpenLoops;

impl Plugin for OpenLoops {
    fn describe() -> Description {
        hostile_common::describe("open_loops")
    }

    fn open(_request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        hostile_common::spin()
    }

    fn decode_frame(&mut self, _frame: Frame<'_>, _out: &mut Output) -> Result<(), Reason> {
        Err("this plugin is never open".into())
    }
}

tapedeck_sdk::register!(OpenLoops);
