//! What happens when: a list that depends on the seed and the number of kills alone.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// Kills of ten: what is killed how often, before they are shuffled.
const TEN_KILLS: [Target; 10] = {
    use Target::{ClickHouse, Connections, Host, Kafka};
    [Host, Host, Host, Host, Kafka, Kafka, ClickHouse, ClickHouse, Connections, Connections]
};

/// Time between two kills, in milliseconds.
const BETWEEN_KILLS: std::ops::Range<u64> = 1_500..5_000;

/// Time before the first kill, for something to be there that can be lost.
const FIRST: Duration = Duration::from_secs(4);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The host, by SIGKILL.
    Host,
    /// The broker, by SIGKILL.
    Kafka,
    /// The database, by SIGKILL.
    ClickHouse,
    /// Every connection to both exchanges, without a word.
    Connections,
}

/// One of the two simulated exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venue {
    /// Binance.
    Binance,
    /// Kraken.
    Kraken,
}

/// What an exchange does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Cuts its connections.
    Cut,
    /// Forgets its connections, which stay open.
    HalfOpen,
    /// Says nothing on any connection for so long, and does not send later what happened meanwhile.
    Silence(Duration),
    /// Sends nothing of its first market for so long.
    Mute(Duration),
    /// Resets every connection for so long, REST's too.
    Away(Duration),
    /// Answers no REST request for so long.
    RestDown(Duration),
    /// Steps its clock by so many milliseconds.
    ClockStep(i64),
    /// Announces that it will shut down, and then cuts.
    Shutdown,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A kill; what was killed is started again after so long.
    Kill(Target, Duration),
    /// An exchange makes trouble.
    Trouble(Venue, Trouble),
}

/// An action and its time since the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Step {
    pub at: Duration,
    pub action: Action,
}

/// The steps of a run, in order of time: so many kills, and between each two of them trouble at an exchange.
pub fn plan(seed: u64, kills: usize) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let (mut targets, mut troubles) = (Vec::new(), Vec::new());
    let (mut steps, mut at) = (Vec::new(), FIRST);
    for _ in 0..kills {
        if targets.is_empty() {
            targets.extend(TEN_KILLS);
            rng.shuffle(&mut targets);
        }
        if troubles.is_empty() {
            troubles.extend(every_trouble(&mut rng));
            rng.shuffle(&mut troubles);
        }
        let (Some(target), Some((venue, trouble))) = (targets.pop(), troubles.pop()) else { break };
        let back_after = Duration::from_millis(if target == Target::Connections { 0 } else { rng.u64(0..3_000) });
        steps.push(Step { at, action: Action::Kill(target, back_after) });
        let pause = rng.u64(BETWEEN_KILLS);
        steps.push(Step { at: at + Duration::from_millis(rng.u64(0..pause)), action: Action::Trouble(venue, trouble) });
        at += Duration::from_millis(pause);
    }
    steps
}

/// Each kind of trouble once at either exchange, with times of its own.
fn every_trouble(rng: &mut Rng) -> Vec<(Venue, Trouble)> {
    let mut all = Vec::new();
    for venue in [Venue::Binance, Venue::Kraken] {
        let mut seconds = |range: std::ops::Range<u64>| Duration::from_millis(rng.u64(range));
        let lasting = [seconds(500..6_000), seconds(1_000..8_000), seconds(200..3_000), seconds(1_000..8_000)];
        let step = rng.i64(-1_500..=1_500);
        all.extend([
            (venue, Trouble::Cut),
            (venue, Trouble::HalfOpen),
            (venue, Trouble::Silence(lasting[0])),
            (venue, Trouble::Mute(lasting[1])),
            (venue, Trouble::Away(lasting[2])),
            (venue, Trouble::RestDown(lasting[3])),
            (venue, Trouble::ClockStep(step)),
            (venue, Trouble::Shutdown),
        ]);
    }
    all
}

impl Venue {
    /// Id of the exchange.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Kraken => "kraken",
        }
    }
}

impl Target {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "the host",
            Self::Kafka => "Kafka",
            Self::ClickHouse => "ClickHouse",
            Self::Connections => "the connections",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(Target::Connections, _) => formatter.write_str("KILL every connection to both exchanges"),
            Self::Kill(target, pause) => {
                write!(formatter, "KILL {}, to be started again in {} ms", target.name(), pause.as_millis())
            }
            Self::Trouble(venue, trouble) => write!(formatter, "{}: {trouble}", venue.name()),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lasting = |what: &str, time: &Duration| write!(formatter, "{what} for {} ms", time.as_millis());
        match self {
            Self::Silence(time) => lasting("every connection is silent", time),
            Self::Mute(time) => lasting("the first market is silent", time),
            Self::Away(time) => lasting("nobody is there", time),
            Self::RestDown(time) => lasting("REST does not answer", time),
            Self::Cut => formatter.write_str("connections are cut"),
            Self::HalfOpen => formatter.write_str("connections are left half-open"),
            Self::ClockStep(milliseconds) => write!(formatter, "the clock steps by {milliseconds} ms"),
            Self::Shutdown => formatter.write_str("a shutdown is announced"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_seed_gives_one_plan() {
        assert_eq!(plan(7, 100), plan(7, 100));
        assert_ne!(plan(7, 100), plan(8, 100));
        assert_eq!(plan(7, 0), []);
    }

    #[test]
    fn every_plan_has_its_kills_in_order_and_every_trouble() {
        for seed in 0..2_000 {
            let steps = plan(seed, 20);
            assert!(steps.is_sorted_by_key(|step| step.at), "seed {seed}");
            let mut kills = HashMap::new();
            let mut troubles = std::collections::HashSet::new();
            for step in &steps {
                match step.action {
                    Action::Kill(target, _) => *kills.entry(target).or_insert(0) += 1,
                    Action::Trouble(venue, trouble) => {
                        troubles.insert((venue.name(), std::mem::discriminant(&trouble)));
                    }
                }
            }
            let count = |target| kills.get(&target).copied().unwrap_or(0);
            let all = [Target::Host, Target::Kafka, Target::ClickHouse, Target::Connections].map(count);
            assert_eq!(all, [8, 4, 4, 4], "seed {seed}");
            assert_eq!(troubles.len(), 16, "seed {seed}");
        }
    }
}
