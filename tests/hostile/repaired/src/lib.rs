//! The plugin `traps` after its author has looked at the dead letters: it passes over the marker on which `traps` dies, and
//! takes the lines behind it. It also differs in what a comparison of two versions must find: a price whose trade's id is a
//! multiple of 50 has one unit more in its last digit.

use hostile_common::Plain;
use tapedeck_sdk::{Description, Frame, OpenError, OpenRequest, Output, Plugin, Reason, SessionPlan};

/// What `traps` dies on.
const MARKERS: [&[u8]; 5] = [b"PANIC", b"ABORT", b"UNREACHABLE", b"OUT_OF_BOUNDS", b"STACK"];

struct Repaired(Plain);

impl Plugin for Repaired {
    fn describe() -> Description {
        Description { version: "0.2.0".to_owned(), ..hostile_common::describe("repaired") }
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        Plain::open(request).map(|(plain, plan)| (Repaired(plain), plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        let marker = hostile_common::marker(frame.bytes);
        let bytes = match MARKERS.contains(&marker) {
            true => frame.bytes.get(marker.len() + 1..).unwrap_or_default(),
            false => frame.bytes,
        };
        let text = str::from_utf8(bytes).map_err(|_| "the frame is not UTF-8")?;
        for line in text.lines() {
            let fiftieth = line.split(',').nth(1).and_then(|id| id.parse::<u64>().ok()).is_some_and(|id| id % 50 == 0);
            let line = if fiftieth { with_higher_price(line) } else { line.to_owned() };
            self.0.decode_frame(Frame { bytes: line.as_bytes(), ..frame }, out)?;
        }
        Ok(())
    }
}

/// The line with a price of one unit more in its last digit, which is none of 9.
fn with_higher_price(line: &str) -> String {
    let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
    if let Some(price) = fields.get_mut(2)
        && let Some(digit @ '0'..='8') = price.pop()
    {
        price.push(char::from(digit as u8 + 1));
    }
    fields.join(",")
}

tapedeck_sdk::register!(Repaired);
