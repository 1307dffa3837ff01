//! Which of a connection's markets the exchange has answered for.

use crate::session::Subscriptions;

/// Names that are listed where many are missing.
const NAMES: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Nothing came yet.
    Missing,
    /// No answer, but trades.
    Trading,
    Confirmed,
    Refused,
}

/// The answers to a connection's subscriptions, market by market.
#[derive(Debug)]
pub(super) struct Answers {
    markets: Vec<Answer>,
    changed: bool,
}

impl Answers {
    pub(super) fn new(markets: usize) -> Self {
        Self { markets: vec![Answer::Missing; markets], changed: false }
    }

    /// The exchange confirmed a market.
    pub(super) fn confirmed(&mut self, market: u32) {
        self.set(market, Answer::Confirmed);
    }

    /// The exchange refused a market; none: it did not say which, and only a missing confirmation will tell.
    pub(super) fn refused(&mut self, market: Option<u32>) {
        if let Some(market) = market {
            self.set(market, Answer::Refused);
        }
    }

    /// A trade of the market came: an answer, where there is no better one.
    pub(super) fn traded(&mut self, market: u32) {
        if matches!(self.markets.get(market as usize), Some(Answer::Missing | Answer::Refused)) {
            self.set(market, Answer::Trading);
        }
    }

    /// Whether the market's trades come this way. Where an exchange `confirms` nothing, the first trade of any market has to
    /// do for all.
    pub(super) fn is_served(&self, market: u32, confirms: bool) -> bool {
        match self.markets.get(market as usize) {
            Some(Answer::Confirmed | Answer::Trading) => true,
            Some(Answer::Missing) => !confirms && self.markets.contains(&Answer::Trading),
            Some(Answer::Refused) | None => false,
        }
    }

    /// How far the subscriptions are, if that has changed. `name` gives a market's name.
    pub(super) fn news<'a>(&mut self, name: impl Fn(u32) -> &'a str) -> Option<Subscriptions> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let count = |answer| self.markets.iter().filter(|other| **other == answer).count() as u32;
        let missing = self.markets.iter().enumerate().filter(|(_, answer)| **answer == Answer::Missing);
        let names: Vec<&str> = missing.take(NAMES).map(|(market, _)| name(market as u32)).collect();
        Some(Subscriptions {
            confirmed: count(Answer::Confirmed),
            refused: count(Answer::Refused),
            trading: count(Answer::Trading),
            missing: count(Answer::Missing),
            missing_names: names.join(", "),
        })
    }

    fn set(&mut self, market: u32, answer: Answer) {
        if let Some(known) = self.markets.get_mut(market as usize).filter(|known| **known != answer) {
            *known = answer;
            self.changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_market_counts_once_by_its_newest_and_best_answer() {
        let names = ["A/B", "C/D", "E/F", "G/H"];
        let name = |market: u32| names[market as usize];
        let mut answers = Answers::new(4);
        assert_eq!(answers.news(name), None);
        answers.traded(0);
        answers.refused(Some(1));
        answers.refused(None);
        answers.confirmed(2);
        answers.confirmed(9);
        let counts = |confirmed, refused, trading, missing, names: &str| {
            Some(Subscriptions { confirmed, refused, trading, missing, missing_names: names.to_owned() })
        };
        assert_eq!(answers.news(name), counts(1, 1, 1, 1, "G/H"));
        answers.traded(0);
        answers.traded(2);
        assert_eq!(answers.news(name), None, "nothing new");
        answers.confirmed(0);
        answers.traded(1);
        answers.refused(Some(2));
        assert_eq!(answers.news(name), counts(1, 1, 1, 1, "G/H"));
        answers.confirmed(3);
        assert_eq!(answers.news(name), counts(2, 1, 1, 0, ""));
    }
}
