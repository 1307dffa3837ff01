//! From what a plugin answered to what the host believes: every index, scale, length and text is checked.

use crate::trade::{Decimal, Source, Trade, TradeId};

use super::bindings::tapedeck::plugin::types;
use super::decoded::{Decoded, Event, RefusalKind, Refused, SessionEvent};
use super::lift::{Answer, Trades};
use super::text::{bounded_escaped, is_showable};

/// The most bytes of a reason: it goes into a header of the dead letter.
pub(super) const MAX_REASON: usize = 1024;
/// The most bytes of an id that is no number.
const MAX_ID: usize = 128;
/// The most bytes of a trade's vendor fields.
const MAX_VENDOR: usize = 1024;
/// The most bytes of a message that is to be sent.
pub(super) const MAX_MESSAGE: usize = 256 << 10;
/// The most events of one frame, besides one for each market.
const MAX_EVENTS: usize = 64;
/// The first µs of 1970: zero stands for a time that was never set. Exchanges' own examples have times of early 1970.
const MIN_TIMESTAMP_US: i64 = 1;
/// 2299-12-31T23:59:59.999999Z, where ClickHouse's calendar ends.
const MAX_TIMESTAMP_US: i64 = 10_413_791_999_999_999;

/// What an answer is about.
pub(super) struct Question<'a> {
    /// Lengths of the frames, bytes.
    pub(super) frame_bytes: &'a dyn Fn(u32) -> usize,
    /// How many frames there are, at least one.
    pub(super) frames: u32,
    /// How many markets there are.
    pub(super) markets: u32,
    /// Index of the first frame in the session's batch.
    pub(super) offset: u32,
}

impl Question<'_> {
    /// The frame that a part of the answer is about. With one frame only, all of it is about that one.
    fn frame(&self, index: u32) -> Option<u32> {
        if self.frames == 1 { Some(0) } else { (index < self.frames).then_some(index) }
    }

    fn refuse(&self, frame: u32, reason: String) -> Refused {
        Refused { frame: frame + self.offset, kind: RefusalKind::Refused, reason }
    }
}

/// Appends an answer to `out`. What is nonsense refuses its frame; the error is nonsense that can't be pinned on a frame,
/// and then what was appended is to be dropped.
pub(super) fn take(answer: Answer, question: &Question<'_>, out: &mut Decoded) -> Result<(), String> {
    take_trades(answer.trades, question, out)?;
    take_events(answer.events, question, out)?;
    for refusal in answer.refusals {
        let Some(frame) = question.frame(refusal.frame) else {
            return Err(stray("a refusal", refusal.frame, question));
        };
        out.refused.push(question.refuse(frame, reason(&refusal.reason)));
    }
    Ok(())
}

/// A plugin's reason for a refusal, fit to show.
pub(super) fn reason(said: &str) -> String {
    let reason = bounded_escaped(said, MAX_REASON);
    if reason.is_empty() { "the plugin gave no reason".to_owned() } else { reason }
}

fn take_trades(Trades(mut trades): Trades, question: &Question<'_>, out: &mut Decoded) -> Result<(), String> {
    let mut before = 0;
    let mut sorted = true;
    // Trades of the frame that is at hand: no format needs less than a byte for one.
    let mut room = (question.frame_bytes)(0);
    let mut nonsense = None;
    trades.retain_mut(|trade| {
        if nonsense.is_some() {
            return false;
        }
        let Some(frame) = question.frame(trade.frame) else {
            nonsense = Some(stray("a trade", trade.frame, question));
            return false;
        };
        if frame != before {
            sorted &= frame > before;
            before = frame;
            room = (question.frame_bytes)(frame);
        }
        let Some(left) = room.checked_sub(1) else {
            nonsense = Some(format!("made more trades of frame {} than that has bytes", frame + question.offset));
            return false;
        };
        room = left;
        trade.frame = frame + question.offset;
        let checked = check_trade(trade, question.markets).and_then(|()| match trade.source {
            Source::Backfill => Err("the plugin says `backfill` of a trade of the live feed".to_owned()),
            Source::Live | Source::Snapshot => Ok(()),
        });
        checked.map_err(|reason| out.refused.push(question.refuse(frame, reason))).is_ok()
    });
    if let Some(nonsense) = nonsense {
        return Err(nonsense);
    }
    if !sorted {
        trades.sort_by_key(|trade| trade.frame);
    }
    if out.trades.is_empty() {
        out.trades = trades;
    } else {
        out.trades.append(&mut trades);
    }
    Ok(())
}

/// Checks one trade. The error is a sentence about it.
pub(super) fn check_trade(trade: &Trade, markets: u32) -> Result<(), String> {
    if trade.market >= markets {
        return Err(format!(
            "the plugin gave a trade of market {}, and there are {markets} (0 to {})",
            trade.market,
            markets - 1
        ));
    }
    if trade.count == 0 {
        return Err("the plugin gave a trade that stands for 0 fills".to_owned());
    }
    if !(MIN_TIMESTAMP_US..=MAX_TIMESTAMP_US).contains(&trade.timestamp_us) {
        return Err(format!(
            "the plugin gave a trade of the time {}, which as microseconds since 1970 is not within the years 1970 to 2299",
            trade.timestamp_us
        ));
    }
    check_id(&trade.id)?;
    check_decimal("price", trade.price)?;
    check_decimal("quantity", trade.quantity)?;
    check_vendor(&trade.vendor)
}

fn check_decimal(what: &str, decimal: Decimal) -> Result<(), String> {
    if decimal.scale > Decimal::MAX_SCALE {
        return Err(format!(
            "the plugin gave a {what} with {} digits after the point, more than {}",
            decimal.scale,
            Decimal::MAX_SCALE
        ));
    }
    Ok(())
}

fn check_id(id: &TradeId) -> Result<(), String> {
    match id {
        TradeId::Number(_) => Ok(()),
        TradeId::Text(text) if text.is_empty() => Err("the plugin gave a trade with an empty id".to_owned()),
        TradeId::Text(text) if text.len() > MAX_ID => {
            Err(format!("the plugin gave a trade with an id of {} bytes, more than {MAX_ID}", text.len()))
        }
        TradeId::Text(text) if !is_showable(text) => {
            Err(format!("the plugin gave a trade whose id has control characters: {}", bounded_escaped(text, 300)))
        }
        TradeId::Text(_) => Ok(()),
    }
}

/// Vendor fields become part of a record that is one line of JSON. What a terminal would obey is to be escaped in them as
/// `\u` and four digits.
fn check_vendor(vendor: &str) -> Result<(), String> {
    if vendor.is_empty() {
        return Ok(());
    }
    if vendor.len() > MAX_VENDOR {
        return Err(format!("the plugin gave vendor fields of {} bytes, more than {MAX_VENDOR}", vendor.len()));
    }
    let is_object =
        vendor.starts_with('{') && is_showable(vendor) && serde_json::from_str::<serde::de::IgnoredAny>(vendor).is_ok();
    if is_object {
        return Ok(());
    }
    Err(format!(
        "the plugin gave vendor fields that are not one line of a JSON object: {}",
        bounded_escaped(vendor, 200)
    ))
}

fn take_events(events: Vec<types::Event>, question: &Question<'_>, out: &mut Decoded) -> Result<(), String> {
    let first = out.events.len();
    let most = (MAX_EVENTS + question.markets as usize).saturating_mul(question.frames as usize);
    if events.len() > most {
        return Err(format!("gave {} events for {} frames, more than {most}", events.len(), question.frames));
    }
    for event in events {
        let Some(frame) = question.frame(event.frame) else {
            return Err(stray("an event", event.frame, question));
        };
        match take_event(event.what, question.markets) {
            Ok(what) => out.events.push(Event { frame: frame + question.offset, what }),
            Err(reason) => out.refused.push(question.refuse(frame, reason)),
        }
    }
    out.events[first..].sort_by_key(|event| event.frame);
    Ok(())
}

fn take_event(event: types::SessionEvent, markets: u32) -> Result<SessionEvent, String> {
    let checked = |market: u32| {
        if market < markets {
            return Ok(market);
        }
        Err(format!("the plugin gave an event of market {market}, and there are {markets} (0 to {})", markets - 1))
    };
    Ok(match event {
        types::SessionEvent::Subscribed(market) => SessionEvent::Subscribed(checked(market)?),
        types::SessionEvent::Rejected(rejection) => SessionEvent::Rejected {
            market: rejection.market.map(checked).transpose()?,
            reason: bounded_escaped(&rejection.reason, MAX_REASON),
        },
        types::SessionEvent::Heartbeat => SessionEvent::Heartbeat,
        types::SessionEvent::Send(text) if text.len() > MAX_MESSAGE => {
            return Err(format!("the plugin wants to send {} bytes, more than {MAX_MESSAGE}", text.len()));
        }
        types::SessionEvent::Send(text) => SessionEvent::Send(text),
        types::SessionEvent::Reconnect(reason) => SessionEvent::Reconnect(bounded_escaped(&reason, MAX_REASON)),
    })
}

fn stray(what: &str, frame: u32, question: &Question<'_>) -> String {
    format!("gave {what} of frame {frame}, and there are {} (0 to {})", question.frames, question.frames - 1)
}

#[cfg(test)]
mod tests;
