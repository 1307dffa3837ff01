//! A plugin of the right version that asks for a file system as well, by an import that the host does not offer. (Its
//! signature is not WASI's, so that a host which links WASI with nothing granted has to refuse it too.)

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

wit_bindgen::generate!({
    generate_all,
    inline: "
        package hostile:files;

        world files {
            import wasi:filesystem/preopens@0.2.0;
        }

        package wasi:filesystem@0.2.0 {
            interface preopens {
                get-directories: func() -> list<string>;
            }
        }
    ",
});

struct ImportsWasi(Plain);

impl Plugin for ImportsWasi {
    fn describe() -> Description {
        hostile_common::describe("imports_wasi")
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (ImportsWasi(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        if frame.bytes.starts_with(b"FILES") {
            return Err(wasi::filesystem::preopens::get_directories().join(", ").into());
        }
        self.0.decode_frame(frame, out)
    }
}

tapedeck_sdk::register!(ImportsWasi);
