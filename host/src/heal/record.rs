//! What readers of Kafka are told of a gap.

use serde::Serialize;

use crate::clock::now_us;
use crate::ledger::{GapState, Notice, Span};
use crate::sink::record::SCHEMA_VERSION;

#[derive(Serialize)]
struct GapRecord<'a> {
    schema: u32,
    exchange: &'a str,
    canonical_symbol: &'a str,
    state: &'a str,
    first_id: Option<u64>,
    last_id: Option<u64>,
    start_us: i64,
    end_us: i64,
    reason: &'a str,
    found_at_us: i64,
    at_us: i64,
}

/// First and last id that are missing, where ids show it.
pub(super) fn bounds(span: &Span) -> (Option<u64>, Option<u64>) {
    span.ids.as_ref().map(|ids| (*ids.start(), *ids.end())).unzip()
}

/// The record's value: one line of JSON.
pub(super) fn payload(exchange: &str, market: &str, notice: &Notice) -> Vec<u8> {
    let (first_id, last_id) = bounds(&notice.span);
    let record = GapRecord {
        schema: SCHEMA_VERSION,
        exchange,
        canonical_symbol: market,
        state: notice.state.as_str(),
        first_id,
        last_id,
        start_us: notice.span.start_us,
        end_us: notice.span.end_us,
        reason: match &notice.state {
            GapState::Missing(reason) => reason,
            GapState::Open | GapState::Filled => "",
        },
        found_at_us: notice.found_at_us,
        at_us: now_us(),
    };
    serde_json::to_vec(&record).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_one_line_of_json() {
        let span = Span { ids: Some(5..=7), start_us: 1, end_us: 2, after: None, before: None };
        let state = GapState::Missing("the exchange said \"no\"".to_owned());
        let payload = payload("acme", "BTC/USD", &Notice { market: 0, span, found_at_us: 3, state });
        let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&value["first_id"], &value["last_id"]), (&5.into(), &7.into()));
        assert_eq!((&value["state"], &value["reason"]), (&"missing".into(), &"the exchange said \"no\"".into()));
        assert_eq!((&value["canonical_symbol"], &value["found_at_us"]), (&"BTC/USD".into(), &3.into()));
    }
}
