//! A plugin whose description would harm a host that believed it: a name that leaves its folder, no version, an exchange
//! that is SQL, limits of nothing and of no time.

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, Limits, OpenError, OpenRequest, Output, Plugin, Rate, Reason, SessionPlan};

struct DescribeLies(Plain);

impl Plugin for DescribeLies {
    fn describe() -> Description {
        let nothing = Rate { count: 0, window: 0 };
        let limits =
            Limits { subscriptions: 0, connects: nothing, messages: nothing, lifetime: Some(0), rest: Some(nothing) };
        Description {
            name: "../x".to_owned(),
            version: String::new(),
            exchange: "x`; DROP DATABASE tapedeck; --".to_owned(),
            limits,
            hosts: vec!["*".to_owned(), String::new()],
            ..hostile_common::describe("describe_lies")
        }
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (DescribeLies(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        self.0.decode_frame(frame, out)
    }
}

tapedeck_sdk::register!(DescribeLies);
