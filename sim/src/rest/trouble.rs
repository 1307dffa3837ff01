//! What is to befall the next REST request: what was ordered, a ban that lasts, or bad luck.

use std::time::Duration;

use tokio::time::Instant;

use crate::fault::{RestFault, RestRates, RestTrouble};
use crate::random::{Random, mix};
use crate::status::Counters;

/// Sets the luck of requests apart from that of connections.
const OWN_SEED: u64 = 0x5245_5354;

/// Requests that were under way when a client was told to wait: they do not count as too early.
const UNDER_WAY: Duration = Duration::from_millis(250);

/// The troubles of one simulator's REST.
pub(crate) struct Troubles {
    ordered: Option<(RestFault, Instant)>,
    rates: RestRates,
    random: Random,
    ban: Option<Ban>,
}

/// A client was told to wait, and is told again until it does.
struct Ban {
    status: u16,
    since: Instant,
    until: Instant,
}

impl Troubles {
    pub(crate) fn new(seed: u64, rates: RestRates) -> Self {
        Self { ordered: None, rates, random: Random::new(mix(seed) ^ OWN_SEED), ban: None }
    }

    /// Orders a fault, from now on.
    pub(crate) fn order(&mut self, fault: RestFault, now: Instant) {
        self.ordered = Some((fault, now));
    }

    /// Changes the rates; bans end.
    pub(crate) fn set_rates(&mut self, rates: RestRates) {
        (self.rates, self.ban) = (rates, None);
    }

    /// Ends everything.
    pub(crate) fn clear(&mut self) {
        self.ordered = None;
        self.set_rates(RestRates::default());
    }

    /// What befalls this request.
    pub(crate) fn next(&mut self, now: Instant, counters: &mut Counters) -> Option<RestFault> {
        if let Some(ordered) = self.next_ordered(now) {
            return Some(ordered);
        }
        if let Some(ban) = self.ban.as_ref().filter(|ban| ban.until > now) {
            counters.rest_too_early += u64::from(now > ban.since + UNDER_WAY);
            let left = (ban.until - now).as_millis().div_ceil(1_000) as u64;
            return Some(RestFault { status: Some(ban.status), retry_after: Some(left), ..RestFault::default() });
        }
        self.ban = None;
        let random = &mut self.random;
        let (trouble, _) = *self.rates.shares.iter().find(|(_, share)| random.chance(*share))?;
        counters.rest_troubles += 1;
        Some(match trouble {
            RestTrouble::Status(status @ (418 | 429)) => {
                let retry_after = self.rates.retry_after;
                self.ban = Some(Ban { status, since: now, until: now + Duration::from_secs(retry_after) });
                RestFault { status: Some(status), retry_after: Some(retry_after), ..RestFault::default() }
            }
            RestTrouble::Status(status) => RestFault { status: Some(status), ..RestFault::default() },
            RestTrouble::Slow(delay) => RestFault { body_delay: Some(delay), ..RestFault::default() },
            RestTrouble::Down => RestFault { down: true, ..RestFault::default() },
        })
    }

    fn next_ordered(&mut self, now: Instant) -> Option<RestFault> {
        let (fault, since) = self.ordered.as_mut()?;
        let over = fault.lasting.is_some_and(|lasting| now >= *since + lasting) || fault.requests == Some(0);
        if over {
            self.ordered = None;
            return None;
        }
        fault.requests = fault.requests.map(|requests| requests - 1);
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(seed: u64, rates: &str, requests: u64) -> (Vec<Option<u16>>, Counters) {
        let (mut troubles, mut counters) = (Troubles::new(seed, rates.parse().unwrap()), Counters::default());
        let start = Instant::now();
        // Ten seconds apart: each ban is over by then.
        let next = |index| troubles.next(start + Duration::from_secs(10 * index), &mut counters);
        let found: Vec<_> = (0..requests).map(next).map(|fault| fault.and_then(|fault| fault.status)).collect();
        (found, counters)
    }

    #[test]
    fn a_seed_gives_one_luck() {
        let rates = "429:0.1,418:0.01,500:0.1";
        assert_eq!(statuses(7, rates, 1_000), statuses(7, rates, 1_000));
        assert_ne!(statuses(7, rates, 1_000), statuses(8, rates, 1_000));
        let (found, counters) = statuses(7, rates, 10_000);
        let count = |status| found.iter().filter(|it| **it == Some(status)).count();
        assert!((800..1_200).contains(&count(429)) && (50..150).contains(&count(418)), "{counters:?}");
        assert_eq!(counters.rest_troubles as usize, found.iter().flatten().count());
    }

    #[test]
    fn a_ban_lasts_and_who_does_not_wait_is_counted() {
        let (mut troubles, mut counters) =
            (Troubles::new(1, "418:1,retry-after:3".parse().unwrap()), Counters::default());
        let start = Instant::now();
        let mut told = |milliseconds| {
            let fault = troubles.next(start + Duration::from_millis(milliseconds), &mut counters).unwrap();
            (fault.status, fault.retry_after, counters.rest_too_early)
        };
        assert_eq!(told(0), (Some(418), Some(3), 0));
        assert_eq!(told(100), (Some(418), Some(3), 0));
        assert_eq!(told(1_500), (Some(418), Some(2), 1));
        assert_eq!(told(3_000), (Some(418), Some(3), 1));
        troubles.clear();
        assert_eq!(troubles.next(start + Duration::from_millis(3_001), &mut counters), None);
    }
}
