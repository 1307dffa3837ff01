//! `tapedeck plugin check`: recorded messages through a plugin in its sandbox, compared with the trades that they hold.
//!
//! A file has one message a line, as JSON: `kind` (`trade`, `control` or `rest`), `raw` (the text received), `expected` (the
//! trades in it, or null), and what else the recording knows. Messages are decoded one at a time, in the order of the
//! file, on one instance, so that what a plugin learns from an answer is there for the trades behind it.

mod compare;
mod markets;
mod message;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use crate::frames::FrameBatch;
use crate::trade::Trade;

use self::markets::Opened;
use self::message::{Kind, Message};
use super::backfill::HttpResponse;
use super::decoded::{Decoded, RefusalKind};
use super::error::BackfillFailure;
use super::loaded::Plugin;
use super::runtime::{Runtime, RuntimeSettings};

/// When the messages are said to be received, µs: a plugin has no clock, and its answer must not hang on this.
const RECEIVED_AT_US: i64 = 1_800_000_000_000_000;

/// What is to be checked.
#[derive(Clone, Debug)]
pub struct RecordedCheck<'a> {
    /// The plugin file.
    pub plugin: &'a Path,
    /// The file of messages.
    pub messages: &'a Path,
    /// Options of the plugin, key and value.
    pub settings: Vec<(String, String)>,
    /// Whether to show each refusal, besides what is wrong.
    pub verbose: bool,
}

/// How many messages did as expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that gave just the trades that they hold.
    pub passed: u32,
    /// Messages that did not.
    pub failed: u32,
}

impl RecordedCheck<'_> {
    /// Loads the plugin in a sandbox of its own, runs every message, writes each difference as a line, and last the tally.
    ///
    /// # Errors
    /// The plugin can't be run, or the file is not one of messages; a sentence says why.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Tally> {
        let runtime = Runtime::new(&RuntimeSettings::default())?;
        let plugin = Arc::new(Plugin::load(&runtime, self.plugin)?);
        self.run_loaded(&plugin, out)
    }

    /// As [`RecordedCheck::run`], of a plugin that is loaded already.
    ///
    /// # Errors
    /// As [`RecordedCheck::run`].
    pub fn run_loaded(&self, plugin: &Arc<Plugin>, out: &mut dyn Write) -> anyhow::Result<Tally> {
        let messages = message::read(self.messages)?;
        let mut runner =
            Runner { opened: Opened::new(plugin, &messages, &self.settings, out)?, decoded: Decoded::new() };
        let mut tally = Tally::default();
        let mut skipped = 0;
        for message in &messages {
            if message.is_outgoing() {
                skipped += 1;
                continue;
            }
            let outcome = runner.decode(message)?;
            let problems = outcome.problems(message, &runner.opened);
            for problem in &problems {
                writeln!(out, "line {}: {problem}", message.line)?;
            }
            if self.verbose || !problems.is_empty() {
                for reason in &outcome.reasons {
                    writeln!(out, "line {}: refused: {reason}", message.line)?;
                }
            }
            *(if problems.is_empty() { &mut tally.passed } else { &mut tally.failed }) += 1;
        }
        if skipped > 0 {
            writeln!(out, "{skipped} messages of the client's were skipped")?;
        }
        writeln!(out, "{} passed, {} failed", tally.passed, tally.failed)?;
        Ok(tally)
    }
}

/// What came of one message.
struct Outcome {
    trades: Vec<Trade>,
    /// Why it, or a part of it, was refused.
    reasons: Vec<String>,
    /// The plugin crashed or ran into a limit.
    fault: Option<String>,
}

impl Outcome {
    fn problems(&self, message: &Message, opened: &Opened) -> Vec<String> {
        let mut problems = compare::differences(message, &self.trades, &opened.symbols);
        problems.extend(self.fault.as_ref().map(|fault| format!("the plugin failed: {fault}")));
        problems
    }
}

struct Runner {
    opened: Opened,
    decoded: Decoded,
}

impl Runner {
    fn decode(&mut self, message: &Message) -> anyhow::Result<Outcome> {
        match message.kind {
            Kind::Trade | Kind::Control => self.decode_frame(message),
            Kind::Rest => self.decode_page(message),
        }
    }

    fn decode_frame(&mut self, message: &Message) -> anyhow::Result<Outcome> {
        let mut batch = FrameBatch::new();
        if !batch.push(message.raw.as_bytes()) {
            bail!("line {}: its message is too long for a frame", message.line);
        }
        self.opened.instance.decode(&batch, RECEIVED_AT_US, &mut self.decoded);
        if self.decoded.broken.is_some() {
            self.opened.reopen()?;
        }
        let is_fault = |kind| matches!(kind, RefusalKind::Trap | RefusalKind::Limit);
        let fault = self.decoded.refused.iter().find(|refused| is_fault(refused.kind));
        let mut fault = fault.map(|refused| refused.reason.clone());
        if fault.is_none() && self.decoded.faults > 0 {
            fault = Some(
                "it crashed, and was well when started anew: it can't take this message after those before".to_owned(),
            );
        }
        Ok(Outcome {
            trades: self.decoded.trades.clone(),
            reasons: self.decoded.refused.iter().map(|refused| refused.reason.clone()).collect(),
            fault,
        })
    }

    fn decode_page(&mut self, message: &Message) -> anyhow::Result<Outcome> {
        let gap = self.opened.gap(message);
        let request = self.opened.page_request(message);
        let response = HttpResponse { status: 200, headers: Vec::new(), body: message.raw.clone().into_bytes() };
        let mut outcome = Outcome { trades: Vec::new(), reasons: Vec::new(), fault: None };
        match self.opened.instance.decode_backfill(&gap, &request, &response) {
            Ok(page) => {
                outcome.trades = page.trades;
                outcome.reasons = page.refused.into_iter().map(|refused| refused.reason).collect();
            }
            Err(BackfillFailure::Refused { reason, .. }) => outcome.reasons.push(reason),
            Err(BackfillFailure::Answer { reason, .. }) => outcome.fault = Some(reason),
            Err(failure @ BackfillFailure::Fault { .. }) => outcome.fault = Some(failure.to_string()),
            Err(failure @ BackfillFailure::Broken { .. }) => {
                outcome.fault = Some(failure.to_string());
                self.opened.reopen()?;
            }
        }
        Ok(outcome)
    }
}
