//! A plugin of the right version that asks for a clock as well, by an import of which no host has heard.

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

wit_bindgen::generate!({
    generate_all,
    inline: "
        package hostile:clock;

        world wishes {
            import acme:clock/now@1.0.0;
        }

        package acme:clock@1.0.0 {
            interface now {
                microseconds: func() -> s64;
            }
        }
    ",
});

struct ImportsForeign(Plain);

impl Plugin for ImportsForeign {
    fn describe() -> Description {
        hostile_common::describe("imports_foreign")
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (ImportsForeign(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        if frame.bytes.starts_with(b"CLOCK") {
            return Err(acme::clock::now::microseconds().to_string().into());
        }
        self.0.decode_frame(frame, out)
    }
}

tapedeck_sdk::register!(ImportsForeign);
