//! Markets that are subscribed twice: their trades would be counted as two exchanges' or as duplicates.

use std::collections::HashMap;

use super::FeedConfig;
use crate::config::document::Document;
use crate::config::problem::{Place, Problem};

/// Reports what can be seen without the plugins: a feed without `exchange` is taken for its plugin's name.
pub(in crate::config) fn report_overlaps(document: &Document<'_>, feeds: &[FeedConfig]) {
    let exchange_of = |feed: &FeedConfig| feed.exchange.clone().unwrap_or_else(|| feed.plugin.clone());
    for problem in overlaps(feeds, exchange_of) {
        document.report(&problem.place, problem.message);
    }
}

/// Markets of one exchange that are subscribed twice, by one feed or two. Feeds whose plugin's name is not known are
/// left out.
pub(crate) fn overlaps(feeds: &[FeedConfig], exchange_of: impl Fn(&FeedConfig) -> String) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut names: HashMap<(String, &str), (usize, &Place)> = HashMap::new();
    let mut symbols: HashMap<(String, &str), &str> = HashMap::new();
    for feed in feeds.iter().filter(|feed| !feed.plugin.is_empty()) {
        let (exchange, number) = (exchange_of(feed), feed.places.number);
        for (market, place) in feed.markets.iter().zip(&feed.places.markets) {
            let mut report = |message: String| {
                let message = format!("`feed[{number}].markets`: {message}");
                problems.push(Problem { place: place.clone(), message });
            };
            if let Some((other, first)) = names.insert((exchange.clone(), &market.name), (number, place)) {
                let name = &market.name;
                report(if other == number {
                    format!("{name} is there twice, first on line {}; keep one", first.line)
                } else {
                    format!(
                        "{name} of exchange {exchange} is in feed[{other}] too, on line {}; a market belongs to one feed, \
                         or give one of the two another `exchange`",
                        first.line
                    )
                });
                continue;
            }
            let Some(symbol) = market.symbol.as_deref() else { continue };
            if let Some(other) = symbols.insert((exchange.clone(), symbol), &market.name) {
                let shown = symbol.escape_debug();
                report(format!(
                    "symbol \"{shown}\" is given to both {other} and {}; one of them is wrong",
                    market.name
                ));
            }
        }
    }
    problems
}
