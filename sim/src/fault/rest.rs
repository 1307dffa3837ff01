//! Faults of REST: those that are ordered, and those that befall requests at a rate.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::fault::{parse_duration, parse_rate};

/// How long a slow body takes where its length is not given.
const DEFAULT_SLOW: Duration = Duration::from_secs(2);
/// `Retry-After` of a 429 and a 418 where it is not given, in seconds. Real exchanges ask for more.
const DEFAULT_RETRY_AFTER: u64 = 1;

/// How REST misbehaves by order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestFault {
    /// The status in place of an answer, for example 429, 418 or 500.
    pub status: Option<u16>,
    /// `Retry-After` beside that status, in seconds.
    pub retry_after: Option<u64>,
    /// Time that each body takes, sent in ten pieces.
    pub body_delay: Option<Duration>,
    /// REST is down: the connection ends without an answer.
    pub down: bool,
    /// How long REST misbehaves; none: until faults are cleared.
    pub lasting: Option<Duration>,
    /// How many requests are affected; none: all.
    pub requests: Option<u64>,
}

/// What befalls a request by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestTrouble {
    /// This status in place of an answer. A 429 and a 418 come with `Retry-After`, and until then every request gets them.
    Status(u16),
    /// The body comes in pieces, over this time.
    Slow(Duration),
    /// The connection ends without an answer.
    Down,
}

/// Shares of REST requests that trouble befalls, in cases of a million. Whether it does depends on the seed and on how many
/// requests there were before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestRates {
    /// Each trouble with its share, tried in this order.
    pub shares: Vec<(RestTrouble, u32)>,
    /// `Retry-After` of a 429 and a 418, in seconds.
    pub retry_after: u64,
}

impl Default for RestRates {
    fn default() -> Self {
        Self { shares: Vec::new(), retry_after: DEFAULT_RETRY_AFTER }
    }
}

impl RestRates {
    /// Adds one trouble from its text, as in the list of [`RestRates::from_str`].
    ///
    /// # Errors
    /// Says what is wrong, and what there is.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let trouble = match name {
            "retry-after" => {
                self.retry_after = value.parse().map_err(|_| format!("`{value}` is not a number of seconds"))?;
                return Ok(());
            }
            "slow" => {
                let (share, length) = value.split_once('/').unwrap_or((value, ""));
                let length = if length.is_empty() { DEFAULT_SLOW } else { parse_duration(length)? };
                return self.add(RestTrouble::Slow(length), share);
            }
            "down" => RestTrouble::Down,
            status => match status.parse() {
                Ok(status) if (200..600).contains(&status) => RestTrouble::Status(status),
                _ => {
                    return Err(format!(
                        "there is no REST fault `{name}`: use a status such as 429, slow or down with a rate such as \
                         0.05, slow with a time too, such as 0.05/2s, or retry-after with seconds"
                    ));
                }
            },
        };
        self.add(trouble, value)
    }

    fn add(&mut self, trouble: RestTrouble, share: &str) -> Result<(), String> {
        self.shares.push((trouble, parse_rate(share)?));
        Ok(())
    }
}

impl FromStr for RestRates {
    type Err = String;

    /// Reads `429:0.1,418:0.01,500:0.1,slow:0.05/2s,down:0.02,retry-after:3`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rates = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once([':', '=']).unwrap_or((part, ""));
            rates.set(name.trim(), value.trim())?;
        }
        Ok(rates)
    }
}

impl fmt::Display for RestTrouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "status {status}"),
            Self::Slow(time) => write!(formatter, "a body of {} ms", time.as_millis()),
            Self::Down => formatter.write_str("no answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_troubles_is_read() {
        let rates: RestRates =
            "429:0.1, 418=0.01,500:0.1,slow:0.05,slow:1/300ms,down:0.02,retry-after:3".parse().unwrap();
        let seconds = Duration::from_secs;
        let shares = vec![
            (RestTrouble::Status(429), 100_000),
            (RestTrouble::Status(418), 10_000),
            (RestTrouble::Status(500), 100_000),
            (RestTrouble::Slow(seconds(2)), 50_000),
            (RestTrouble::Slow(Duration::from_millis(300)), 1_000_000),
            (RestTrouble::Down, 20_000),
        ];
        assert_eq!(rates, RestRates { shares, retry_after: 3 });
        assert_eq!("".parse(), Ok(RestRates::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("700:0.1", "no REST fault `700`"),
            ("fast:0.1", "no REST fault `fast`"),
            ("429:2", "more than 1"),
            ("slow:0.1/x", "not a length of time"),
            ("retry-after:soon", "`soon`"),
        ] {
            let reason = text.parse::<RestRates>().unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
