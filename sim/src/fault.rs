//! Faults: those that happen by themselves at a rate, and those that are ordered.

use std::str::FromStr;
use std::time::Duration;

use crate::decimal::{POWERS_OF_TEN, parse_decimal};

mod rest;

pub use rest::{RestFault, RestRates, RestTrouble};

/// How long a silence lasts where its length is not given.
const DEFAULT_SILENCE: Duration = Duration::from_secs(5);

/// Faults that happen by themselves. Rates are in cases of a million; each connection has its own luck.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// Trade frames that are sent a second time, up to 16 frames of their stream later.
    pub duplicate: u32,
    /// Trade frames that are held back, up to 16 frames of their stream or 200 ms.
    pub reorder: u32,
    /// Trade frames before which a damaged copy is sent: cut off, wrong types, 40 digits, or not UTF-8.
    pub malformed: u32,
    /// Trade frames that are never sent.
    pub drop: u32,
    /// Taker orders whose trades carry a time one to six hours before their neighbours'. Part of the tape: the same
    /// for every connection and in REST.
    pub late: u32,
    /// All connections are cut this often.
    pub cut: Option<Duration>,
    /// All connections fall silent this often.
    pub silence: Option<Duration>,
    /// How long each of these silences lasts.
    pub silence_length: Option<Duration>,
}

impl FaultRates {
    /// Whether any fault applies to single frames.
    pub(crate) fn touch_frames(&self) -> bool {
        [self.duplicate, self.reorder, self.malformed, self.drop].iter().any(|rate| *rate > 0)
    }

    /// How long a silence lasts.
    pub(crate) fn silence_length(&self) -> Duration {
        self.silence_length.unwrap_or(DEFAULT_SILENCE)
    }

    /// Sets one fault from its text, as in the list of [`FaultRates::from_str`].
    ///
    /// # Errors
    /// Says what is wrong, and which faults there are.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "duplicate" => self.duplicate = parse_rate(value)?,
            "reorder" => self.reorder = parse_rate(value)?,
            "malformed" => self.malformed = parse_rate(value)?,
            "drop" => self.drop = parse_rate(value)?,
            "late" => self.late = parse_rate(value)?,
            "cut" => self.cut = Some(parse_duration(value)?),
            "silence" => match value.split_once('/') {
                Some((every, length)) => {
                    self.silence = Some(parse_duration(every)?);
                    self.silence_length = Some(parse_duration(length)?);
                }
                None => self.silence = Some(parse_duration(value)?),
            },
            _ => {
                return Err(format!(
                    "there is no fault `{name}`: use duplicate, reorder, malformed, drop or late with a rate such as \
                     0.05, cut with a time such as 30s, or silence with one or two, such as 60s/5s"
                ));
            }
        }
        Ok(())
    }
}

impl FromStr for FaultRates {
    type Err = String;

    /// Reads `duplicate=0.05,reorder=0.01,cut=30s,silence=60s/5s`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rates = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            rates.set(name.trim(), value.trim())?;
        }
        Ok(rates)
    }
}

/// Reads a share from 0 to 1 of at most six digits, as cases of a million.
fn parse_rate(text: &str) -> Result<u32, String> {
    let (mantissa, scale) = parse_decimal(text).filter(|(_, scale)| *scale <= 6).ok_or_else(|| {
        format!("`{text}` is not a rate: use a number from 0 to 1 with at most six digits, such as 0.05")
    })?;
    mantissa
        .checked_mul(POWERS_OF_TEN[usize::from(6 - scale)])
        .filter(|rate| *rate <= 1_000_000)
        .and_then(|rate| u32::try_from(rate).ok())
        .ok_or_else(|| format!("the rate `{text}` is more than 1"))
}

/// Reads a length of time such as `30s`, `500ms`, `1m 30s` or `24h`, longer than nothing.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is not a length of time: write for example 500ms, 30s, 5m or 24h");
    let length = text.parse::<jiff::SignedDuration>().map_err(|_| refused())?;
    Duration::try_from(length).ok().filter(|length| !length.is_zero()).ok_or_else(refused)
}

/// A fault that is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every connection ends at once, without a close frame; what was buffered for it is lost.
    Cut,
    /// Connections that are open now stay open, but nothing is sent to them and nothing is read from them any more, as if
    /// the exchange had forgotten them. A cut, a clearing or the simulator's end closes them.
    HalfOpen,
    /// Nobody is there for so long: connections end, and new ones (REST and control too) are reset at once.
    Away(Duration),
    /// The exchange's clock steps by so many milliseconds. Generated trades never go back in time: after a step backwards
    /// each order's time is a smallest step after the one before, until the clock has caught up.
    ClockStep(i64),
    /// Connections that are open now get nothing more, no answer and no pong either; what is published meanwhile is
    /// not sent. For so long, or until they end.
    Silence(Option<Duration>),
    /// Trades of a market (canonical name) are published, but sent to nobody, while all else goes on. For so long, or
    /// until faults are cleared.
    Mute(String, Option<Duration>),
    /// Connections that are open now are told of a shutdown, and cut after the configured lead.
    Shutdown,
    /// Every connection gets this frame as it is: text, or binary.
    Frame {
        /// The frame's payload.
        payload: Vec<u8>,
        /// Whether it goes out as a binary frame; a text frame that is not UTF-8 breaks the protocol.
        binary: bool,
    },
    /// The rates of faults change.
    Rates(FaultRates),
    /// REST answers with an error, slowly, or not at all.
    Rest(RestFault),
    /// The rates of REST's troubles change.
    RestRates(RestRates),
    /// Silences, mutes, rates and REST faults end; half-open connections are closed.
    Clear,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_faults_is_read() {
        let rates: FaultRates =
            "duplicate=0.05, reorder=1,malformed=0.000001,late=0,cut=30s,silence=1m/500ms".parse().unwrap();
        let expected = FaultRates {
            duplicate: 50_000,
            reorder: 1_000_000,
            malformed: 1,
            cut: Some(Duration::from_secs(30)),
            silence: Some(Duration::from_secs(60)),
            silence_length: Some(Duration::from_millis(500)),
            ..FaultRates::default()
        };
        assert_eq!(rates, expected);
        assert_eq!("".parse(), Ok(FaultRates::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("duplicates=0.1", "no fault `duplicates`"),
            ("duplicate=1.5", "`1.5` is more than 1"),
            ("duplicate=5%", "`5%` is not a rate"),
            ("drop=0.0000001", "not a rate"),
            ("cut=0s", "not a length of time"),
            ("cut=-3s", "not a length of time"),
            ("cut", "not a length of time"),
        ] {
            let reason = text.parse::<FaultRates>().unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
