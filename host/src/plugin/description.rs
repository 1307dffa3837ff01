//! What a plugin says of itself.

use std::collections::HashSet;
use std::time::Duration;

use crate::trade::MarketKind;

use super::bindings::tapedeck::plugin::types;
use super::text::bounded_escaped;

/// The most hosts that a plugin may name.
const MAX_HOSTS: usize = 32;
/// The most options that a plugin may have.
const MAX_OPTIONS: usize = 64;

/// What a plugin says of itself, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name, as the configuration spells it: lower case letters, digits and `_`.
    pub name: String,
    /// Version of the plugin, semver.
    pub version: String,
    /// Exchange id, part of topic and table names: lower case letters, digits and `_`.
    pub exchange: String,
    /// Kind of every market of this plugin.
    pub kind: MarketKind,
    /// How trade ids behave.
    pub ids: TradeIds,
    /// Precision of timestamps.
    pub precision: Precision,
    /// The exchange's limits.
    pub limits: Limits,
    /// Host names that the plugin's own urls use.
    pub hosts: Vec<String>,
    /// Options that it understands.
    pub options: Vec<OptionInfo>,
}

/// How the exchange's trade ids behave, which decides how gaps are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TradeIds {
    /// Each id is the one before plus one, per market.
    Dense,
    /// Ids jump by at most the trade's count.
    Aggregated,
    /// Ids grow, with holes.
    Increasing,
    /// Ids only identify.
    Opaque,
}

impl TradeIds {
    /// Whether ids show that trades are missing.
    #[must_use]
    pub fn show_gaps(self) -> bool {
        matches!(self, Self::Dense | Self::Aggregated)
    }

    /// As the documentation spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Aggregated => "aggregated",
            Self::Increasing => "increasing",
            Self::Opaque => "opaque",
        }
    }
}

/// The unit to which timestamps are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
}

impl Precision {
    /// As the documentation spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
        }
    }
}

/// So many of something in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least one.
    pub count: u32,
    /// In how long a time, longer than zero.
    pub window: Duration,
}

/// The exchange's limits, which the host keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Markets on one connection, at least one.
    pub subscriptions: u32,
    /// Connection attempts from one address.
    pub connects: Rate,
    /// Messages sent on one connection, pings included.
    pub messages: Rate,
    /// Time after which the exchange cuts a connection; none if it does not.
    pub lifetime: Option<Duration>,
    /// Weight of REST requests; none if the exchange has no backfill.
    pub rest: Option<Rate>,
}

/// An option that the plugin understands in a feed's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionInfo {
    /// Its key.
    pub name: String,
    /// Its value where the user gives none.
    pub default: String,
    /// One sentence of help.
    pub help: String,
}

impl Description {
    /// Checks what a plugin said of itself. The error is half a sentence.
    pub(super) fn checked(said: types::Description) -> Result<Self, String> {
        let name = identifier("its name", said.name)?;
        let exchange = identifier("its exchange id", said.exchange)?;
        if !is_semver(&said.version) {
            return Err(format!("its version is `{}`, and not of the form 1.2.3", bounded_escaped(&said.version, 40)));
        }
        let limits = Limits::checked(&said.limits)?;
        let hosts = checked_hosts(said.hosts)?;
        let options = checked_options(said.options)?;
        let kind = match said.kind {
            types::MarketKind::Spot => MarketKind::Spot,
            types::MarketKind::Perpetual => MarketKind::Perpetual,
            types::MarketKind::Future => MarketKind::Future,
            types::MarketKind::Option => MarketKind::Option,
        };
        let ids = match said.ids {
            types::TradeIds::Dense => TradeIds::Dense,
            types::TradeIds::Aggregated => TradeIds::Aggregated,
            types::TradeIds::Increasing => TradeIds::Increasing,
            types::TradeIds::Opaque => TradeIds::Opaque,
        };
        let precision = match said.precision {
            types::Precision::Seconds => Precision::Seconds,
            types::Precision::Milliseconds => Precision::Milliseconds,
            types::Precision::Microseconds => Precision::Microseconds,
        };
        Ok(Self { name, version: said.version, exchange, kind, ids, precision, limits, hosts, options })
    }
}

impl Limits {
    fn checked(said: &types::Limits) -> Result<Self, String> {
        if said.subscriptions == 0 {
            return Err("its limits allow no subscription on a connection (limits.subscriptions is 0)".to_owned());
        }
        Ok(Self {
            subscriptions: said.subscriptions,
            connects: Rate::checked("limits.connects", &said.connects)?,
            messages: Rate::checked("limits.messages", &said.messages)?,
            lifetime: match said.lifetime {
                Some(0) => return Err("limits.lifetime is 0".to_owned()),
                lifetime => lifetime.map(Duration::from_millis),
            },
            rest: said.rest.as_ref().map(|rate| Rate::checked("limits.rest", rate)).transpose()?,
        })
    }
}

impl Rate {
    fn checked(name: &str, said: &types::Rate) -> Result<Self, String> {
        if said.count == 0 || said.window == 0 {
            return Err(format!("{name} is {} in {} ms: neither may be 0", said.count, said.window));
        }
        Ok(Self { count: said.count, window: Duration::from_millis(said.window.into()) })
    }
}

/// Parts of topic and table names.
fn identifier(what: &str, text: String) -> Result<String, String> {
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if fits {
        return Ok(text);
    }
    Err(format!("{what} is `{}`, and not 1 to 32 lower case letters, digits or `_`", bounded_escaped(&text, 40)))
}

/// As versions are compared where the newest plugin is to be found.
fn is_semver(version: &str) -> bool {
    version.len() <= 64 && semver::Version::parse(version).is_ok()
}

fn checked_hosts(hosts: Vec<String>) -> Result<Vec<String>, String> {
    if hosts.len() > MAX_HOSTS {
        return Err(format!("it names {} hosts, more than {MAX_HOSTS}", hosts.len()));
    }
    match hosts.iter().find(|host| !is_host(host)) {
        None => Ok(hosts),
        Some(host) => Err(format!("`{}` is not a host name in lower case", bounded_escaped(host, 80))),
    }
}

/// Whether a text is a host name as plugins declare it.
pub(super) fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

fn checked_options(options: Vec<types::OptionInfo>) -> Result<Vec<OptionInfo>, String> {
    if options.len() > MAX_OPTIONS {
        return Err(format!("it has {} options, more than {MAX_OPTIONS}", options.len()));
    }
    let mut names = HashSet::new();
    options
        .into_iter()
        .map(|option| {
            let name = identifier("the name of an option", option.name)?;
            if !names.insert(name.clone()) {
                return Err(format!("it has two options `{name}`"));
            }
            let (default, help) = (bounded_escaped(&option.default, 256), bounded_escaped(&option.help, 1024));
            if default != option.default {
                return Err(format!(
                    "the default of option `{name}` is longer than 256 bytes or has control characters"
                ));
            }
            Ok(OptionInfo { name, default, help })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> types::Description {
        let rate = types::Rate { count: 300, window: 300_000 };
        types::Description {
            name: "example".into(),
            version: "1.2.3-rc.1+build".into(),
            exchange: "example_2".into(),
            kind: types::MarketKind::Spot,
            ids: types::TradeIds::Dense,
            precision: types::Precision::Milliseconds,
            limits: types::Limits {
                subscriptions: 1,
                connects: rate,
                messages: rate,
                lifetime: Some(86_400_000),
                rest: None,
            },
            hosts: vec!["stream.example.com".into()],
            options: vec![types::OptionInfo { name: "stream".into(), default: "trade".into(), help: "Which.".into() }],
        }
    }

    #[test]
    fn a_sound_description_is_taken_over() {
        let description = Description::checked(sound()).unwrap();
        assert_eq!(description.limits.lifetime, Some(Duration::from_secs(86_400)));
        assert_eq!(description.limits.connects, Rate { count: 300, window: Duration::from_secs(300) });
        assert_eq!((description.ids, description.precision), (TradeIds::Dense, Precision::Milliseconds));
        assert_eq!(description.options[0].name, "stream");
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        type Spoil = fn(&mut types::Description);
        let cases: [(Spoil, &str); 18] = [
            (|said| said.name = "../x".into(), "its name is `../x`"),
            (|said| said.name = String::new(), "its name is ``"),
            (|said| said.name = "a".repeat(33), "1 to 32"),
            (|said| said.exchange = "x`; DROP".into(), "its exchange id is `x`; DROP`"),
            (|said| said.exchange = "Upper".into(), "exchange id"),
            (|said| said.version = "1.2".into(), "version is `1.2`"),
            (|said| said.version = "1.2.3-".into(), "version is `1.2.3-`"),
            (|said| said.version = "1.2.\u{1b}".into(), "version is `1.2.\\u{1b}`"),
            (|said| said.limits.subscriptions = 0, "limits.subscriptions is 0"),
            (|said| said.limits.connects.count = 0, "limits.connects is 0 in 300000 ms"),
            (|said| said.limits.messages.window = 0, "limits.messages is 300 in 0 ms"),
            (|said| said.limits.lifetime = Some(0), "limits.lifetime"),
            (|said| said.limits.rest = Some(types::Rate { count: 0, window: 0 }), "limits.rest"),
            (|said| said.hosts = vec!["*".into()], "`*` is not a host name"),
            (|said| said.hosts = vec!["a.b".into(); 33], "33 hosts"),
            (|said| said.options = vec![said.options[0].clone(); 2], "two options `stream`"),
            (|said| said.options = vec![said.options[0].clone(); 65], "65 options"),
            (|said| said.options[0].name = "A B".into(), "name of an option"),
        ];
        for (spoil, part) in cases {
            let mut said = sound();
            spoil(&mut said);
            let reason = Description::checked(said).unwrap_err();
            assert!(reason.contains(part), "no {part:?} in {reason}");
        }
    }
}
