//! One attempt to get the trades of a gap.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Healer;
use crate::clock::now_us;
use crate::feed::Taken;
use crate::ledger::{Due, Span};
use crate::plugin::{BackfillFailure, FeedInstance, Gap, HttpResponse, Page};
use crate::rest::{Rest, RestError};
use crate::sink::dead_letter::DeadLetter;

/// The most pages of one attempt; a further attempt goes on where this one ends.
const MAX_PAGES: usize = 10_000;

/// Why an attempt ended before its end.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: String,
    /// Whether another attempt may succeed.
    pub(super) may_pass: bool,
    /// How long the exchange wants to be left alone.
    pub(super) after: Option<Duration>,
}

/// Asks for what is missing of a gap, page by page, and sends what comes to Kafka.
pub(super) async fn ask(healer: &Healer, rest: &Rest, due: &Due, shutdown: &CancellationToken) -> Result<(), Failure> {
    let (mut instance, _) =
        healer.feed.open_instance().map_err(|reason| Failure { reason, may_pass: true, after: None })?;
    for span in &due.parts {
        ask_for(healer, rest, &mut *instance, due.market, span, shutdown).await?;
    }
    Ok(())
}

async fn ask_for(
    healer: &Healer,
    rest: &Rest,
    instance: &mut dyn FeedInstance,
    market: u32,
    span: &Span,
    shutdown: &CancellationToken,
) -> Result<(), Failure> {
    let (after, before) = (span.after.clone(), span.before.clone());
    let gap = Gap { market, start_us: span.start_us, end_us: span.end_us, after, before };
    let mut request = instance.backfill(&gap)?;
    let mut line = Vec::new();
    for _ in 0..MAX_PAGES {
        let response = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(Failure::may_pass("the host is shutting down".to_owned())),
            response = rest.get(&request) => response?,
        };
        let received_at_us = now_us();
        let page = instance.decode_backfill(&gap, &request, &response)?;
        for trade in &page.trades {
            match healer.feed.take(trade, received_at_us, healer.account, &mut line).await {
                Taken::Sent => _ = healer.metrics.trades.inc(),
                Taken::Known | Taken::Refused => {}
            }
        }
        keep_refused(healer, &page, &response, received_at_us).await;
        match page.next {
            Some(next) if next != request => request = next,
            Some(_) => return Err(Failure::may_pass("the plugin asks for the same page again".to_owned())),
            None => return Ok(()),
        }
    }
    Err(Failure::may_pass(format!("the gap has more than {MAX_PAGES} pages, going on later")))
}

/// A page with rows that can't be used goes to the dead letters, once.
async fn keep_refused(healer: &Healer, page: &Page, response: &HttpResponse, received_at_us: i64) {
    let Some(first) = page.refused.first() else { return };
    let reason = match page.refused.len() {
        1 => format!("row {}: {}", first.frame, first.reason),
        more => format!("{more} rows can't be used; row {}: {}", first.frame, first.reason),
    };
    let letter = DeadLetter { frame: &response.body, kind: "backfill", reason: &reason, received_at_us };
    healer.feed.send_dead_letter(letter, healer.account).await;
}

impl Failure {
    fn may_pass(reason: String) -> Self {
        Self { reason, may_pass: true, after: None }
    }
}

impl From<RestError> for Failure {
    fn from(error: RestError) -> Self {
        Self { may_pass: error.is_transient(), after: error.retry_after(), reason: error.to_string() }
    }
}

impl From<BackfillFailure> for Failure {
    fn from(failure: BackfillFailure) -> Self {
        Self::may_pass(failure.to_string())
    }
}
