//! What a plugin may say, made up from bytes for the fuzz targets: what a sandbox hands over, without a sandbox.

use std::ops::Range;

use super::answer::{self, Question};
use super::bindings::tapedeck::plugin::types;
use super::decoded::Decoded;

mod backfill;
mod description;
mod input;
mod plan;

pub use backfill::{AskedPage, page};
pub use description::description;
pub use input::Input;
pub use plan::{Feed, plan};

/// What a made up answer was about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The frames that it may speak of.
    pub frames: Range<u32>,
    /// How many markets there are.
    pub markets: u32,
}

/// Makes up a question and an answer, and takes it as the host does. None if the answer as a whole is refused.
#[must_use]
pub fn answer(bytes: &[u8]) -> Option<(Asked, Decoded)> {
    let mut input = Input::new(bytes);
    let (frames, markets, offset) =
        (1 + u32::from(input.byte() % 8), 1 + u32::from(input.byte() % 4), input.byte().into());
    let lengths: Vec<usize> = (0..frames).map(|_| usize::from(input.byte())).collect();
    let frame_bytes = |frame: u32| lengths.get(frame as usize).copied().unwrap_or(0);
    let question = Question { frame_bytes: &frame_bytes, frames, markets, offset };
    let answer = types::Decoded {
        trades: input.list(Input::trade),
        events: input.list(Input::event),
        refusals: input.list(Input::refusal),
    };
    let mut out = Decoded::new();
    answer::take(answer.into(), &question, &mut out).ok()?;
    Some((Asked { frames: offset..offset + frames, markets }, out))
}

impl Input<'_> {
    fn decimal(&mut self) -> types::Decimal {
        types::Decimal { high: self.number() as i64, low: self.number(), scale: self.byte() % 48 }
    }

    fn trade(&mut self) -> types::Trade {
        let choices = self.byte();
        types::Trade {
            frame: self.index(),
            market: self.index(),
            id: match choices % 2 {
                0 => types::TradeIdResult::Number(self.number()),
                _ => types::TradeIdResult::Text(self.text()),
            },
            order: self.number(),
            count: self.index(),
            price: self.decimal(),
            quantity: self.decimal(),
            side: [types::Side::Unknown, types::Side::Buy, types::Side::Sell][usize::from(choices >> 1) % 3],
            timestamp: self.number() as i64 >> (choices >> 4),
            source: [types::Source::Live, types::Source::Snapshot, types::Source::Backfill]
                [usize::from(choices >> 3) % 3],
            vendor: self.text(),
        }
    }

    fn refusal(&mut self) -> types::Refusal {
        types::Refusal { frame: self.index(), reason: self.text() }
    }

    fn event(&mut self) -> types::Event {
        let frame = self.index();
        let what = match self.byte() % 5 {
            0 => types::SessionEvent::Subscribed(self.index()),
            1 => {
                let market = self.byte().is_multiple_of(2).then(|| self.index());
                types::SessionEvent::Rejected(types::Rejection { market, reason: self.text() })
            }
            2 => types::SessionEvent::Heartbeat,
            3 => types::SessionEvent::Send(self.text()),
            _ => types::SessionEvent::Reconnect(self.text()),
        };
        types::Event { frame, what }
    }
}
