//! The plugins, natively: what an exchange may send, on the socket and as an answer to a request.
//!
//! The first byte of an input chooses: frames, one a line, or the page of a gap whose bounds and status the next bytes choose.

use tapedeck_plugin_binance::Binance;
use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::testing::{self, Opened, Opening};
use tapedeck_sdk::{Gap, HttpResponse, Plugin, Trade, TradeId};

/// More bytes say nothing new.
const MAX_REASON: usize = 4096;

pub(super) fn binance(bytes: &[u8]) {
    let options: [&[(&str, &str)]; 3] = [&[], &[("stream", "aggTrade")], &[("time_unit", "microsecond")]];
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let mut opening = Opening::new(&["BTC/USDT", "ETH/USDT", "SOL/USDT"]);
    for (name, value) in options[usize::from(choice >> 4) % options.len()] {
        opening = opening.option(name, value);
    }
    run::<Binance>(&opening, choice, rest);
}

pub(super) fn kraken(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    run::<Kraken>(&Opening::new(&["BTC/USD", "ETH/USD", "MATIC/USD"]), choice, rest);
}

fn run<P: Plugin>(opening: &Opening, choice: u8, bytes: &[u8]) {
    let Ok(mut opened) = opening.open::<P>() else { return };
    match choice % 2 {
        0 => frames(&mut opened, opening, bytes),
        _ => page(&mut opened, bytes),
    }
}

/// No frame may crash a plugin, and what one gives does not depend on those that it shares a batch with.
fn frames<P: Plugin>(opened: &mut Opened<P>, opening: &Opening, bytes: &[u8]) {
    let frames: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').take(32).collect();
    let markets = opened.plan.symbols.len();
    let Ok(together) = opened.session.decode(&testing::batch(&frames)) else { return };
    together.trades.iter().for_each(|trade| check_trade(trade, markets, frames.len()));
    for refusal in &together.refusals {
        assert!((refusal.frame as usize) < frames.len() && !refusal.reason.is_empty());
        assert!(refusal.reason.len() <= MAX_REASON, "{} bytes of reason", refusal.reason.len());
    }
    let Ok(mut alone) = opening.open::<P>() else { return };
    let (mut trades, mut refused) = (0, 0);
    for frame in &frames {
        let Ok(decoded) = alone.session.decode(&testing::batch(&[frame])) else { return };
        trades += decoded.trades.len();
        refused += decoded.refusals.len();
    }
    assert_eq!((trades, refused), (together.trades.len(), together.refusals.len()), "a batch differs from its frames");
}

/// No page may crash a plugin, lead to one that was there before, or hold trades of another time. Each zero byte begins
/// another page.
fn page<P: Plugin>(opened: &mut Opened<P>, bytes: &[u8]) {
    let [status, bounds, bodies @ ..] = bytes else { return };
    let id = |known: bool, number| known.then_some(TradeId::Number(number));
    let gap = Gap {
        market: u32::from(bounds >> 6) % 3,
        start: if bounds & 1 == 0 { 0 } else { 1_700_000_000_000_000 },
        end: if bounds & 2 == 0 { i64::MAX } else { 1_800_000_000_000_000 },
        after: id(bounds & 4 != 0, 7_000),
        before: id(bounds & 8 != 0, 7_500),
    };
    let status = [200, 200, 200, 400, 418, 429, 500, 503][usize::from(status % 8)];
    let Ok(mut request) = opened.session.backfill(&gap) else { return };
    let mut asked = Vec::new();
    for body in bodies.split(|byte| *byte == 0).take(16) {
        let response = HttpResponse { status, headers: Vec::new(), body: body.to_vec() };
        let Ok(page) = opened.session.decode_backfill(&gap, &request, &response) else { return };
        for trade in &page.trades {
            check_trade(trade, opened.plan.symbols.len(), 1);
            assert_eq!(trade.market, gap.market);
            // Where an id bounds the gap, time is the exchange's matter.
            let by_time = gap.after.is_none() && gap.before.is_none();
            let inside = (gap.start..=gap.end).contains(&trade.timestamp);
            assert!(inside || !by_time, "a trade of {} for {gap:?}", trade.timestamp);
        }
        for refusal in &page.refusals {
            assert!(!refusal.reason.is_empty() && refusal.reason.len() <= MAX_REASON, "{refusal:?}");
        }
        assert!(page.trades.len() + page.refusals.len() <= body.len());
        let Some(next) = page.next else { return };
        asked.push(request.url);
        assert!(!asked.contains(&next.url), "{} leads to a page that was there before", next.url);
        request = next;
    }
}

fn check_trade(trade: &Trade, markets: usize, frames: usize) {
    assert!((trade.market as usize) < markets && (trade.frame as usize) < frames, "{trade:?}");
    assert!(trade.price.scale <= 38 && trade.quantity.scale <= 38, "{trade:?}");
}
