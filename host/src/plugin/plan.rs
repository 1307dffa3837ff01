//! A plugin's plan for one connection.

use std::collections::HashMap;
use std::time::Duration;

use super::address;
use super::answer::MAX_MESSAGE;
use super::bindings::tapedeck::plugin::types;
use super::open::OpenRequest;
use super::text::{bounded_escaped, is_showable};

/// How to open one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPlan {
    /// Where to connect: `ws://…` or `wss://…`, on a host that the plugin or the user named.
    pub url: String,
    /// The exchange's spelling of each market, in the order of the request; all different.
    pub symbols: Vec<String>,
    /// Text messages to send once connected, in order.
    pub messages: Vec<String>,
    /// The heartbeat rule.
    pub heartbeat: Heartbeat,
}

/// How a connection is kept alive and found dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Without any frame for this long the connection counts as dead.
    pub idle: Duration,
    /// A message to be sent over and over.
    pub ping: Option<AppPing>,
}

/// A message to be sent at intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPing {
    /// From one to the next.
    pub interval: Duration,
    /// Text of the message.
    pub message: String,
}

/// The most messages of a plan: an exchange that takes one market a message has many.
const MAX_MESSAGES: usize = 4096;
/// The most bytes of a market's spelling.
const MAX_SYMBOL: usize = 64;
/// No exchange is that quiet, and a connection that is dead for longer loses too much.
const MAX_IDLE: Duration = Duration::from_secs(3600);
/// A heartbeat rule below this is a mistake of units.
const MIN_IDLE: Duration = Duration::from_millis(100);

impl SessionPlan {
    /// Whether the connection is without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.url.starts_with("ws:")
    }

    /// Checks a plan of a plugin that declares these hosts. The error is half a sentence.
    pub(super) fn checked(plan: types::SessionPlan, request: &OpenRequest, hosts: &[String]) -> Result<Self, String> {
        address::check(&plan.url, ["ws", "wss"], &request.websocket_hosts(hosts)?)?;
        check_symbols(&plan.symbols, request)?;
        if plan.messages.len() > MAX_MESSAGES {
            return Err(format!(
                "it wants to send {} messages at the start, more than {MAX_MESSAGES}",
                plan.messages.len()
            ));
        }
        if let Some(message) = plan.messages.iter().find(|message| !message_fits(message)) {
            return Err(format!(
                "it wants to send a message of {} bytes (1 to {MAX_MESSAGE} are possible)",
                message.len()
            ));
        }
        Ok(Self {
            url: plan.url,
            symbols: plan.symbols,
            messages: plan.messages,
            heartbeat: Heartbeat::checked(plan.heartbeat)?,
        })
    }
}

impl Heartbeat {
    fn checked(said: types::Heartbeat) -> Result<Self, String> {
        let idle = Duration::from_millis(said.idle.into());
        if !(MIN_IDLE..=MAX_IDLE).contains(&idle) {
            return Err(format!(
                "its connection counts as dead after {} ms without a frame (100 to 3600000 are possible)",
                said.idle
            ));
        }
        let Some(ping) = said.ping else { return Ok(Self { idle, ping: None }) };
        if !message_fits(&ping.message) || ping.interval < 100 {
            let (bytes, interval) = (ping.message.len(), ping.interval);
            return Err(format!(
                "it wants to ping with {bytes} bytes every {interval} ms (from 1 byte, and from 100 ms)"
            ));
        }
        let interval = Duration::from_millis(ping.interval.into());
        Ok(Self { idle, ping: Some(AppPing { interval, message: ping.message }) })
    }
}

fn message_fits(message: &str) -> bool {
    (1..=MAX_MESSAGE).contains(&message.len())
}

fn check_symbols(symbols: &[String], request: &OpenRequest) -> Result<(), String> {
    if symbols.len() != request.markets.len() {
        return Err(format!("it spells {} symbols for {} markets", symbols.len(), request.markets.len()));
    }
    let mut seen = HashMap::new();
    for (symbol, market) in symbols.iter().zip(&request.markets) {
        let name = &market.name;
        if symbol.is_empty() || symbol.len() > MAX_SYMBOL || !is_showable(symbol) {
            let shown = bounded_escaped(symbol, 2 * MAX_SYMBOL);
            return Err(format!("it spells market {name} `{shown}`, and not with 1 to {MAX_SYMBOL} bytes of text"));
        }
        if let Some(other) = seen.insert(symbol, name) {
            return Err(format!("it spells markets {other} and {name} alike: {}", bounded_escaped(symbol, MAX_SYMBOL)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::open::Market;
    use super::*;

    fn hosts() -> Vec<String> {
        vec!["example.com".into()]
    }

    fn request() -> OpenRequest {
        let market = |name: &str| Market { name: name.into(), symbol: None };
        OpenRequest { markets: vec![market("A/B"), market("C/D")], ..OpenRequest::default() }
    }

    fn sound() -> types::SessionPlan {
        types::SessionPlan {
            url: "wss://example.com/ws".into(),
            symbols: vec!["AB".into(), "CD".into()],
            messages: vec!["subscribe".into()],
            heartbeat: types::Heartbeat {
                idle: 5000,
                ping: Some(types::AppPing { interval: 20_000, message: "ping".into() }),
            },
        }
    }

    #[test]
    fn a_sound_plan_is_taken_over() {
        let plan = SessionPlan::checked(sound(), &request(), &hosts()).unwrap();
        assert_eq!(plan.symbols, ["AB", "CD"]);
        assert_eq!(plan.heartbeat.idle, Duration::from_secs(5));
        assert_eq!(plan.heartbeat.ping.as_ref().unwrap().interval, Duration::from_secs(20));
        assert!(!plan.is_plain());
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        type Spoil = fn(&mut types::SessionPlan);
        let cases: [(Spoil, &str); 12] = [
            (|plan| plan.url = "wss://elsewhere.com/".into(), "none of its own hosts"),
            (|plan| plan.url = "ws://example.com/".into(), "without TLS"),
            (|plan| plan.symbols.truncate(1), "1 symbols for 2 markets"),
            (|plan| plan.symbols[1] = "AB".into(), "markets A/B and C/D alike: AB"),
            (|plan| plan.symbols[1] = String::new(), "market C/D ``"),
            (|plan| plan.symbols[1] = "C\nD".into(), "`C\\u{a}D`"),
            (|plan| plan.symbols[0] = "x".repeat(65), "1 to 64 bytes"),
            (|plan| plan.messages = vec![String::new()], "a message of 0 bytes"),
            (|plan| plan.messages = vec!["x".into(); 4097], "4097 messages"),
            (|plan| plan.heartbeat.idle = 0, "after 0 ms"),
            (|plan| plan.heartbeat.idle = u32::MAX, "after 4294967295 ms"),
            (|plan| plan.heartbeat.ping.as_mut().unwrap().interval = 0, "every 0 ms"),
        ];
        for (spoil, part) in cases {
            let mut plan = sound();
            spoil(&mut plan);
            let reason = SessionPlan::checked(plan, &request(), &hosts()).unwrap_err();
            assert!(reason.contains(part), "no {part:?} in {reason}");
        }
    }
}
