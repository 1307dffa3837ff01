//! A market's position in Kafka, whoever wrote it: it is refused, or a ledger goes on from it, and what that writes is a
//! position of the same trades again.
//!
//! An input is some bytes that choose the kind of ids and the trades that come, and the position as JSON.

use std::time::Duration;

use serde_json::Value;
use tapedeck::ledger::{Attempt, Ledger};
use tapedeck::plugin::TradeIds;
use tapedeck::plugin::fuzz::Input;
use tapedeck::trade::{Decimal, Side, Source, Trade, TradeId};

use super::check_sentence;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let kinds = [TradeIds::Dense, TradeIds::Aggregated, TradeIds::Increasing, TradeIds::Opaque];
    let ids = kinds[usize::from(input.byte() % 4)];
    let steps: Vec<_> = (0..input.byte() % 16).map(|_| (input.byte(), input.byte(), input.byte())).collect();
    let position = input.rest();
    let ledger = Ledger::new(1, ids);
    if let Err(reason) = ledger.restore(0, position) {
        return check_sentence(&reason);
    }
    // What the host does not know in it may be anything, bytes that are no UTF-8 too.
    let position: Value = serde_json::from_slice(position).unwrap_or_default();
    let newest = position["bounds"][1].as_u64().or(position["id"].as_u64()).unwrap_or(0);
    let latest = position["timestamp_us"].as_i64().unwrap_or(0);
    for (what, id, time) in steps {
        let trade = trade(newest.wrapping_add(id.into()).wrapping_sub(16), what, latest.saturating_add(time.into()));
        match what % 4 {
            0 => drop(ledger.due(Duration::ZERO).iter().map(|due| ledger.attempted(due, attempt(id))).count()),
            1 => ledger.connected(0, id.into()),
            _ => {
                if ledger.is_new(&trade) {
                    ledger.accepted(&trade);
                }
            }
        }
    }
    ledger.take_notices();
    goes_on(&ledger, ids);
}

/// A successor knows what a ledger knows.
fn goes_on(ledger: &Ledger, ids: TradeIds) {
    for (market, position) in ledger.take_positions() {
        let successor = Ledger::new(1, ids);
        if let Err(reason) = successor.restore(market, &position) {
            panic!("a ledger does not read what another wrote: {reason}: {}", position.escape_ascii());
        }
        let (Ok(before), gaps) = (serde_json::from_slice::<Value>(&position), successor.open_gaps()) else {
            panic!("a position that is no JSON");
        };
        let holes = before["holes"].as_array().map_or(0, Vec::len);
        // What is too large to be asked for, or is more than a market may have, is given up, each with a notice.
        let given_up = successor.take_notices().len();
        assert_eq!(gaps + given_up, holes, "{before}");
        for (_, again) in successor.take_positions() {
            let Ok(after) = serde_json::from_slice::<Value>(&again) else { panic!("a position that is no JSON") };
            assert!(holes > 256 || before == after, "{before}\n{after}");
        }
    }
}

fn attempt(choice: u8) -> Attempt {
    match choice % 3 {
        0 => Attempt::Answered,
        1 => Attempt::Later(Duration::ZERO),
        _ => Attempt::GiveUp("no".to_owned()),
    }
}

fn trade(id: u64, choice: u8, timestamp_us: i64) -> Trade {
    let decimal = Decimal { unscaled: 1, scale: 0 };
    Trade {
        frame: 0,
        market: 0,
        id: if choice & 8 == 0 { TradeId::Number(id) } else { TradeId::Text(id.to_string().into()) },
        order: id,
        count: 1 + u32::from(choice >> 5),
        price: decimal,
        quantity: decimal,
        side: Side::Buy,
        timestamp_us,
        source: if choice & 16 == 0 { Source::Live } else { Source::Backfill },
        vendor: String::new(),
    }
}
