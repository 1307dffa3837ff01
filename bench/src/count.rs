//! Fixed inputs of the host whose instructions are counted: `cargo xtask instructions`. Each function with `counted` in its name is
//! what a tool counts within, and the taking of an answer is; whatever else a case does is not.

use std::hint::black_box;

use anyhow::{Context, Result, bail, ensure};
use tapedeck::ledger::Ledger;
use tapedeck::plugin::{TradeIds, fuzz};
use tapedeck::sink::record::RecordTemplate;
use tapedeck::trade::{Decimal, Instrument, MarketKind, Origin, Side, Source, Trade, TradeId};

/// Trades of a case.
const TRADES: u64 = 1280;
const MARKETS: u32 = 2;

/// Runs a case once.
///
/// # Errors
/// There is no such case, or it does not do what it is there for.
pub fn run(case: &str) -> Result<()> {
    match case {
        "record" => write_records(),
        "ledger" => note_trades(),
        "answer" => take_answers(),
        _ => bail!("there is no case {case}"),
    }
}

fn trade(number: u64) -> Trade {
    Trade {
        frame: 0,
        market: (number % u64::from(MARKETS)) as u32,
        id: TradeId::Number(1_520_538_925 + number / u64::from(MARKETS)),
        order: 1_520_538_925 + number / u64::from(MARKETS),
        count: 1,
        price: Decimal { unscaled: 268_380_000_000 + i128::from(number), scale: 8 },
        quantity: Decimal { unscaled: 200_000 + i128::from(number), scale: 8 },
        side: if number.is_multiple_of(3) { Side::Sell } else { Side::Buy },
        timestamp_us: 1_723_161_255_611_000 + number as i64,
        source: Source::Live,
        vendor: String::new(),
    }
}

fn write_records() -> Result<()> {
    let instrument =
        |name: &str| Instrument { canonical_symbol: format!("{name}/USDT"), symbol: format!("{name}USDT") };
    let template = RecordTemplate::new(&Origin {
        exchange: "acme".to_owned(),
        kind: MarketKind::Spot,
        plugin: "acme".to_owned(),
        plugin_version: "1.0.0".to_owned(),
        instruments: vec![instrument("BTC"), instrument("ETH")],
    });
    let mut line = Vec::with_capacity(1024);
    for number in 0..TRADES {
        counted_record(&template, &trade(number), &mut line);
        ensure!(line.len() > 200, "a record of {} bytes", line.len());
    }
    Ok(())
}

#[inline(never)]
fn counted_record(template: &RecordTemplate, trade: &Trade, line: &mut Vec<u8>) {
    template.write(black_box(trade), 1_723_161_255_700_000, line);
}

fn note_trades() -> Result<()> {
    let ledger = Ledger::new(MARKETS as usize, TradeIds::Dense);
    for number in 0..TRADES {
        let trade = trade(number);
        ensure!(counted_ledger(&ledger, &trade), "a trade that is new is not");
        ensure!(!counted_ledger(&ledger, &trade), "a trade that came already is new");
    }
    Ok(())
}

/// What happens to a trade on its way.
#[inline(never)]
fn counted_ledger(ledger: &Ledger, trade: &Trade) -> bool {
    let is_new = ledger.is_new(black_box(trade));
    if is_new {
        ledger.accepted(trade);
    }
    is_new
}

fn take_answers() -> Result<()> {
    let bytes = answer();
    for _ in 0..TRADES / u64::from(TRADES_OF_AN_ANSWER) {
        let (_, decoded) = fuzz::answer(black_box(&bytes)).context("the answer was refused")?;
        let trades = decoded.trades.len();
        ensure!(trades == usize::from(TRADES_OF_AN_ANSWER) && decoded.refused.is_empty(), "{trades} trades were taken");
    }
    Ok(())
}

const TRADES_OF_AN_ANSWER: u8 = 16;

/// An answer of sixteen usual trades of eight frames, as [`fuzz::answer`] reads it.
fn answer() -> Vec<u8> {
    // Eight frames of 255 bytes, two markets, no offset.
    let mut bytes = vec![7, 1, 0];
    bytes.extend([255; 8]);
    bytes.push(TRADES_OF_AN_ANSWER);
    for number in 0..TRADES_OF_AN_ANSWER {
        // A numeric id, bought or sold, live, a time that is not shifted.
        bytes.push(2 * (1 + number % 2));
        bytes.extend([number / 2, number % 2]);
        bytes.extend((1_520_538_925 + u64::from(number)).to_le_bytes());
        bytes.extend((1_520_538_925 + u64::from(number)).to_le_bytes());
        bytes.push(1);
        for unscaled in [268_380_000_000_u64, 200_000] {
            bytes.extend(0_u64.to_le_bytes());
            bytes.extend((unscaled + u64::from(number)).to_le_bytes());
            bytes.push(8);
        }
        bytes.extend(1_723_161_255_611_000_i64.to_le_bytes());
        // No vendor fields.
        bytes.extend([0, 0]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_do_what_they_are_there_for() {
        for case in ["record", "ledger", "answer"] {
            run(case).unwrap();
        }
    }
}
