//! When something is due on a connection by the exchange's rules.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::options::{Exchange, SimulatorOptions};

/// Far enough that it never comes.
const NEVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A ping is to be sent.
    Ping,
    /// A ping was not answered in time.
    NoPong,
    /// A heartbeat is to be sent.
    Heartbeat,
    /// The client is to be told of the connection's end.
    Notice,
    /// The connection's lifetime is over.
    End,
    /// The client said nothing for too long.
    Idle,
}

/// The clocks of one connection.
pub(super) struct Timers {
    ping_interval: Option<Duration>,
    pong_timeout: Duration,
    heartbeat_interval: Duration,
    idle_timeout: Option<Duration>,
    next_ping: Option<Instant>,
    /// Pings without a pong, oldest first.
    unanswered: VecDeque<(String, Instant)>,
    next_heartbeat: Option<Instant>,
    notice: Option<Instant>,
    end: Option<Instant>,
    heard: Instant,
}

impl Timers {
    pub(super) fn new(options: &SimulatorOptions, now: Instant) -> Self {
        let kraken = options.exchange == Exchange::Kraken;
        let end = options.lifetime.map(|lifetime| now + lifetime);
        let lead = options.lifetime.map(|lifetime| lifetime.saturating_sub(options.shutdown_lead));
        Self {
            ping_interval: options.ping_interval,
            pong_timeout: options.pong_timeout,
            heartbeat_interval: options.heartbeat_interval,
            idle_timeout: options.idle_timeout,
            next_ping: options.ping_interval.map(|interval| now + interval),
            unanswered: VecDeque::new(),
            next_heartbeat: kraken.then(|| now + options.heartbeat_interval),
            notice: lead.map(|lead| now + lead),
            end,
            heard: now,
        }
    }

    /// What is due next, and when.
    pub(super) fn next(&self) -> (Instant, Due) {
        let no_pong = self.unanswered.front().map(|(_, sent)| *sent + self.pong_timeout);
        let idle = self.idle_timeout.map(|timeout| self.heard + timeout);
        [
            (self.next_ping, Due::Ping),
            (no_pong, Due::NoPong),
            (self.next_heartbeat, Due::Heartbeat),
            (self.notice, Due::Notice),
            (self.end, Due::End),
            (idle, Due::Idle),
        ]
        .into_iter()
        .filter_map(|(time, due)| Some((time?, due)))
        .min_by_key(|(time, _)| *time)
        .unwrap_or_else(|| (Instant::now() + NEVER, Due::Idle))
    }

    pub(super) fn pinged(&mut self, payload: String, now: Instant) {
        self.unanswered.push_back((payload, now));
        self.next_ping = self.ping_interval.map(|interval| now + interval);
    }

    /// A pong came: it answers the ping with its payload, and those before. Any other changes nothing.
    pub(super) fn answered(&mut self, payload: &[u8]) {
        if let Some(place) = self.unanswered.iter().position(|(sent, _)| sent.as_bytes() == payload) {
            self.unanswered.drain(..=place);
        }
    }

    pub(super) fn beat(&mut self, now: Instant) {
        self.next_heartbeat = Some(now + self.heartbeat_interval);
    }

    pub(super) fn noticed(&mut self) {
        self.notice = None;
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pongs_count_by_their_payload() {
        let now = Instant::now();
        let mut options = SimulatorOptions::new(Exchange::Binance);
        (options.ping_interval, options.lifetime) = (Some(Duration::from_secs(20)), None);
        let mut timers = Timers::new(&options, now);
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(timers.next(), (at(20), Due::Ping));
        for seconds in [20, 40, 60] {
            timers.pinged(seconds.to_string(), at(seconds));
        }
        timers.answered(b"");
        timers.answered(b"41");
        assert_eq!(timers.next(), (at(80), Due::Ping));
        timers.pinged("80".to_owned(), at(80));
        assert_eq!(timers.next(), (at(80), Due::NoPong));
        timers.answered(b"40");
        assert_eq!(timers.next(), (at(100), Due::Ping));
        timers.answered(b"80");
        timers.pinged("100".to_owned(), at(100));
        assert_eq!(timers.next(), (at(120), Due::Ping));
    }

    #[test]
    fn the_notice_comes_before_the_end() {
        let now = Instant::now();
        let mut options = SimulatorOptions::new(Exchange::Binance);
        (options.lifetime, options.shutdown_lead) = (Some(Duration::from_secs(15)), Duration::from_secs(5));
        let mut timers = Timers::new(&options, now);
        assert_eq!(timers.next(), (now + Duration::from_secs(10), Due::Notice));
        timers.noticed();
        assert_eq!(timers.next(), (now + Duration::from_secs(15), Due::End));
    }
}
