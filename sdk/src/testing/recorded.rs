//! Replays a file of messages through a plugin.

use std::env;
use std::path::{Path, PathBuf};

use super::{Expected, Message, MessageKind, Opened, Opening, Shown};
use crate::{Gap, HttpResponse, Plugin, Trade};

/// How a file of messages went.
#[derive(Debug, Default)]
pub struct Report {
    /// How many messages gave what they should.
    pub passed: usize,
    /// For each other message, a line that says what is different.
    pub failures: Vec<String>,
}

impl Report {
    /// Ends a test.
    ///
    /// # Panics
    ///
    /// If a message failed, or if there was none.
    pub fn assert_passed(&self) {
        assert!(
            self.failures.is_empty(),
            "{} passed, {} failed:\n{}",
            self.passed,
            self.failures.len(),
            self.failures.join("\n")
        );
        assert!(self.passed > 0, "there was no message");
    }
}

/// The file of recorded messages with this name, in the folder `messages` of the folder that `TAPEDECK_RECORDED` names,
/// or of `../shared/recorded` beside the workspace. None, with a line that says so, if it is not there.
#[must_use]
pub fn recorded_messages(file: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/recorded");
    let folder = env::var_os("TAPEDECK_RECORDED").map_or_else(beside, PathBuf::from);
    let path = folder.join("messages").join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: no recorded messages at {} (TAPEDECK_RECORDED names their folder)", path.display());
    None
}

/// Feeds each message to a session of `opening`, to which the markets of the expected trades are added by the exchange's
/// spelling: frames one by one through `decode`, bodies through `decode_backfill` with a gap of all time. What a client
/// sent is left out. A message without expected trades must give none; it may be refused.
///
/// # Panics
///
/// If the plugin refuses to open the session.
#[must_use]
pub fn check_messages<P: Plugin>(opening: Opening, messages: &[Message]) -> Report {
    let mut opening = opening;
    for symbol in messages
        .iter()
        .flat_map(|message| message.expected.iter().flatten())
        .filter_map(|trade| trade.symbol.as_deref())
    {
        if !opening.request.markets.iter().any(|market| market.symbol.as_deref() == Some(symbol)) {
            // The exchange's symbols cannot be cut into base and quote, so the canonical names are made up.
            let name = format!("CHECK{}/CHECK", opening.request.markets.len());
            opening = opening.symbol(&name, symbol);
        }
    }
    let mut opened: Opened<P> = match opening.open() {
        Ok(opened) => opened,
        Err(error) => panic!("the plugin refused to open a session for the messages: {}", error.reason),
    };
    let mut report = Report::default();
    for message in messages.iter().filter(|message| !message.outgoing) {
        match check(&mut opened, message) {
            Ok(()) => report.passed += 1,
            Err(difference) => report.failures.push(format!("line {}: {difference}", message.line)),
        }
    }
    report
}

fn check<P: Plugin>(opened: &mut Opened<P>, message: &Message) -> Result<(), String> {
    let (trades, refused) = match message.kind {
        MessageKind::Rest => page(opened, message),
        MessageKind::Trade | MessageKind::Control => {
            let decoded = opened.decode(&[&message.raw]);
            (decoded.trades, decoded.refusals.into_iter().map(|refusal| refusal.reason).next())
        }
    };
    let trades: Vec<Shown> = trades.iter().map(|trade| Shown::new(trade, &opened.plan.symbols)).collect();
    let expected: &[Expected] = message.expected.as_deref().unwrap_or_default();
    if trades.is_empty() && message.policy.is_some() {
        return Ok(());
    }
    if trades.len() != expected.len() {
        let why = refused.map(|reason| format!(" (refused: {reason})")).unwrap_or_default();
        return Err(format!("{} trades expected, {} given{why}", expected.len(), trades.len()));
    }
    if let (Some(reason), false) = (refused, expected.is_empty()) {
        return Err(format!("refused: {reason}"));
    }
    let mut pairs = expected.iter().zip(&trades).enumerate();
    let difference = pairs.find_map(|(index, (expected, trade))| {
        let difference = expected.difference(trade, message.side_disputed)?;
        Some(format!("trade {index}: {difference}"))
    });
    difference.map_or(Ok(()), Err)
}

/// The trades of a body, and why it or a row of it was refused.
fn page<P: Plugin>(opened: &mut Opened<P>, message: &Message) -> (Vec<Trade>, Option<String>) {
    let symbol = message.expected.iter().flatten().find_map(|trade| trade.symbol.as_ref());
    let market = symbol.and_then(|symbol| opened.plan.symbols.iter().position(|other| other == symbol)).unwrap_or(0);
    let end = 253_402_300_799_999_999;
    let gap = Gap { market: market as u32, start: 0, end, after: None, before: None };
    let request = match opened.session.backfill(&gap) {
        Ok(request) => request,
        Err(reason) => return (Vec::new(), Some(reason)),
    };
    let response = HttpResponse { status: 200, headers: Vec::new(), body: message.raw.clone().into_bytes() };
    match opened.session.decode_backfill(&gap, &request, &response) {
        Ok(page) => (page.trades, page.refusals.into_iter().map(|refusal| refusal.reason).next()),
        Err(reason) => (Vec::new(), Some(reason)),
    }
}
