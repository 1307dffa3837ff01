//! Decoding letters again.

use std::fmt::Write as _;

use super::candidates::Candidates;
use super::letter::Letter;
use super::reader::Letters;
use super::{Filter, LetterId};
use crate::config::Config;
use crate::frames::FrameBatch;
use crate::plugin::{Decoded, OpenFailure};
use crate::replay::{Outlet, Refusals};

/// What became of an exchange's letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Letters that were looked at.
    pub letters: u64,
    /// Letters that the plugin took.
    pub replayed: u64,
    /// Trades in them.
    pub trades: u64,
    /// Letters without a frame: the protocol was broken before there was one.
    pub empty: u64,
    /// Letters that are still refused, by reason. Some of their trades may have been good.
    pub refused: Refusals,
}

impl Report {
    /// As sentences; `plugins` are those that decoded.
    pub fn text(&self, exchange: &str, plugins: &[&str], sent: bool) -> String {
        let mut text = format!("{exchange}: {} dead letters, decoded with {}\n", self.letters, plugins.join(", "));
        let where_to = if sent { "sent to Kafka" } else { "not sent: a dry run" };
        let _ = writeln!(text, "  {} replayed: {} trades, {where_to}", self.replayed, self.trades);
        if self.empty > 0 {
            let _ = writeln!(
                text,
                "  {} without a frame: the connection broke the protocol, nothing to decode",
                self.empty
            );
        }
        let _ = writeln!(text, "  {} still refused", self.refused.total());
        text.push_str(&self.refused.lines("    "));
        text
    }
}

/// Decodes the letters of one exchange that `filter` takes, at most the newest `limit`, and produces their trades.
///
/// # Errors
/// Kafka cannot be reached; the plugin does not open again after a crash.
pub async fn replay(
    config: &Config,
    candidates: &mut Candidates,
    filter: &Filter,
    mut outlet: Option<&mut Outlet>,
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let exchange = candidates.exchange.clone();
    let Some(letters) = Letters::open(&config.kafka, &exchange, filter.since)? else { return Ok(report) };
    let (mut attempt, mut best) = (Decoded::new(), Decoded::new());
    for letter in letters {
        let letter = letter?;
        if !filter.takes(&letter) {
            continue;
        }
        report.letters += 1;
        let mut batch = FrameBatch::new();
        if letter.header("kind") == Some("protocol") && letter.frame.is_empty() {
            report.empty += 1;
            continue;
        }
        if !batch.push(&letter.frame) {
            continue;
        }
        let by = candidates.decode(&letter, &batch, &mut attempt, &mut best)?;
        match best.refused.first() {
            Some(refused) => report.refused.add(refused.kind, &refused.reason, || example(letter.id)),
            None => report.replayed += 1,
        }
        report.trades += best.trades.len() as u64;
        let (Some(outlet), Some(decoder)) = (outlet.as_deref_mut(), candidates.decoders.get(by)) else { continue };
        for trade in &best.trades {
            outlet.send(&exchange, decoder.template(), trade, letter.received_at_us()).await?;
        }
    }
    Ok(report)
}

fn example(id: LetterId) -> String {
    format!("letter {id}")
}

impl Candidates {
    /// Decodes a letter with the decoder of the session that it came by, or with another that takes it. What was decoded
    /// best is in `best`; returns by which decoder.
    fn decode(
        &mut self,
        letter: &Letter,
        batch: &FrameBatch,
        attempt: &mut Decoded,
        best: &mut Decoded,
    ) -> Result<usize, OpenFailure> {
        let first = self.first(letter);
        best.clear();
        let mut best_by = first;
        let others = (0..self.decoders.len()).filter(|index| *index != first);
        for (tried, index) in std::iter::once(first).chain(others).enumerate() {
            let Some(decoder) = self.decoders.get_mut(index) else { continue };
            decoder.decode(batch, letter.received_at_us(), attempt)?;
            let better = attempt.refused.is_empty() || attempt.trades.len() > best.trades.len();
            if tried == 0 || better {
                std::mem::swap(attempt, best);
                best_by = index;
            }
            if best.refused.is_empty() {
                break;
            }
        }
        Ok(best_by)
    }

    /// The decoder in place of the session that a letter names, `exchange-number`; the first if there is none any more.
    fn first(&self, letter: &Letter) -> usize {
        let number = letter.header("session").and_then(|session| session.strip_prefix(&self.exchange));
        let number = number.and_then(|rest| rest.strip_prefix('-')?.parse::<usize>().ok());
        number.filter(|number| *number < self.decoders.len()).unwrap_or(0)
    }
}
