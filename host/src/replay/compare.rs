//! How two plugins differ, trade by trade.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;

use crate::plugin::{Decoded, bounded_escaped};
use crate::trade::{Origin, Trade, TradeId};

/// Bytes of a value that is shown.
const MAX_VALUE: usize = 120;

/// Differences, counted; the first of them in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    most: usize,
    lines: Vec<String>,
    total: u64,
    by_kind: BTreeMap<&'static str, u64>,
}

impl Differences {
    /// None yet; `most` are put in words.
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// A line for each that is in words, and their number by field.
    pub fn text(&self, first: &str, second: &str) -> String {
        if self.total == 0 {
            return format!("{first} and {second} give the same trades and refusals\n");
        }
        let mut text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        let more = self.total - self.lines.len() as u64;
        if more > 0 {
            let _ = writeln!(text, "… and {more} more");
        }
        let kinds: Vec<String> = self.by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let _ = writeln!(text, "{} differences between {first} and {second}: {}", self.total, kinds.join(", "));
        text
    }

    /// Compares what two plugins made of one batch. Trades belong together by frame, market and id.
    pub(super) fn add(&mut self, first: (&Origin, &Decoded), second: (&Origin, &Decoded), at: impl Fn(u32) -> String) {
        let mut others: HashMap<(u32, u32, &TradeId), VecDeque<&Trade>> = HashMap::new();
        for trade in &second.1.trades {
            others.entry(key(trade)).or_default().push_back(trade);
        }
        for trade in &first.1.trades {
            match others.get_mut(&key(trade)).and_then(VecDeque::pop_front) {
                Some(other) => self.fields((first.0, trade), (second.0, other)),
                None => {
                    self.note("trades only of the first", || format!("{}: only of the first", name(first.0, trade)))
                }
            }
        }
        // In the order of the frames, not of the map.
        for trade in &second.1.trades {
            let is_left = others.get_mut(&key(trade)).is_some_and(|left| left.pop_front().is_some());
            if is_left {
                self.note("trades only of the second", || format!("{}: only of the second", name(second.0, trade)));
            }
        }
        self.refusals("frames refused only by the first", first.1, second.1, &at);
        self.refusals("frames refused only by the second", second.1, first.1, &at);
    }

    fn fields(&mut self, (first_origin, first): (&Origin, &Trade), (second_origin, second): (&Origin, &Trade)) {
        let symbol = |origin: &Origin, trade: &Trade| {
            origin
                .instruments
                .get(trade.market as usize)
                .map(|instrument| instrument.symbol.clone())
                .unwrap_or_default()
        };
        let values = |origin: &Origin, trade: &Trade| {
            [
                ("price", trade.price.to_string()),
                ("quantity", trade.quantity.to_string()),
                ("side", trade.side.as_str().to_owned()),
                ("timestamp_us", trade.timestamp_us.to_string()),
                ("order", trade.order.to_string()),
                ("count", trade.count.to_string()),
                ("source", trade.source.as_str().to_owned()),
                ("symbol", symbol(origin, trade)),
                ("market_kind", origin.kind.as_str().to_owned()),
                ("vendor", trade.vendor.clone()),
            ]
        };
        if first == second
            && first_origin.instruments == second_origin.instruments
            && first_origin.kind == second_origin.kind
        {
            return;
        }
        for ((field, one), (_, other)) in values(first_origin, first).into_iter().zip(values(second_origin, second)) {
            if one != other {
                let shown = |value: &str| bounded_escaped(value, MAX_VALUE);
                self.note(field, || {
                    format!("{}: {field} {} → {}", name(first_origin, first), shown(&one), shown(&other))
                });
            }
        }
    }

    fn refusals(&mut self, kind: &'static str, by: &Decoded, other: &Decoded, at: &impl Fn(u32) -> String) {
        for refused in &by.refused {
            if other.refused.iter().all(|refusal| refusal.frame != refused.frame) {
                let reason = bounded_escaped(&refused.reason, MAX_VALUE);
                self.note(kind, || format!("{}: {kind}: {reason}", at(refused.frame)));
            }
        }
    }

    fn note(&mut self, kind: &'static str, line: impl FnOnce() -> String) {
        self.total += 1;
        *self.by_kind.entry(kind).or_default() += 1;
        if self.lines.len() < self.most {
            self.lines.push(line());
        }
    }
}

fn key(trade: &Trade) -> (u32, u32, &TradeId) {
    (trade.frame, trade.market, &trade.id)
}

fn name(origin: &Origin, trade: &Trade) -> String {
    let market = origin.instruments.get(trade.market as usize);
    let market = market.map_or("?", |instrument| instrument.canonical_symbol.as_str());
    format!("{} {market} {}", origin.exchange, bounded_escaped(&trade.id.to_string(), MAX_VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{RefusalKind, Refused};
    use crate::trade::{Decimal, Instrument, MarketKind, Side, Source};

    fn origin() -> Origin {
        Origin {
            exchange: "acme".to_owned(),
            kind: MarketKind::Spot,
            plugin: "acme".to_owned(),
            plugin_version: "1.2.3".to_owned(),
            instruments: vec![Instrument { canonical_symbol: "BTC/USD".to_owned(), symbol: "btcusd".to_owned() }],
        }
    }

    fn trade(frame: u32, id: u64, price: i128) -> Trade {
        Trade {
            frame,
            market: 0,
            id: TradeId::Number(id),
            order: id,
            count: 1,
            price: Decimal { unscaled: price, scale: 1 },
            quantity: Decimal { unscaled: 1, scale: 0 },
            side: Side::Buy,
            timestamp_us: 1,
            source: Source::Live,
            vendor: String::new(),
        }
    }

    fn decoded(trades: Vec<Trade>, refused: Option<u32>) -> Decoded {
        let refused = refused.map(|frame| Refused { frame, kind: RefusalKind::Refused, reason: "no\u{7}".to_owned() });
        Decoded { trades, refused: refused.into_iter().collect(), ..Decoded::default() }
    }

    #[test]
    fn the_same_is_no_difference() {
        let one = decoded(vec![trade(0, 1, 5), trade(0, 1, 5), trade(1, 2, 5)], Some(2));
        let mut differences = Differences::new(10);
        differences.add((&origin(), &one), (&origin(), &one), |frame| frame.to_string());
        assert_eq!(differences.total(), 0);
        assert_eq!(differences.text("a 1", "a 2"), "a 1 and a 2 give the same trades and refusals\n");
    }

    #[test]
    fn each_difference_is_named_and_the_list_bounded() {
        let first = decoded(vec![trade(0, 1, 5), trade(0, 2, 5), trade(1, 3, 5)], Some(2));
        let second = decoded(vec![trade(0, 1, 6), trade(1, 3, 5), trade(2, 4, 5)], None);
        let mut differences = Differences::new(3);
        differences.add((&origin(), &first), (&origin(), &second), |frame| format!("frame {frame}"));
        let text = differences.text("a 1", "a 2");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "acme BTC/USD 1: price 0.5 → 0.6",
                "acme BTC/USD 2: only of the first",
                "acme BTC/USD 4: only of the second",
                "… and 1 more",
                "4 differences between a 1 and a 2: 1 frames refused only by the first, 1 price, 1 trades only of the first, \
                 1 trades only of the second",
            ]
        );
    }
}
