//! A plugin's plan for a connection: what the host believes of it leads to a host of the feed, by way of what the feed
//! allows, and asks of it what a connection can do.

use std::collections::HashSet;
use std::time::Duration;

use tapedeck::plugin::fuzz;

use super::reach::check_url;
use super::{check_sentence, is_obeyed};

pub(super) fn run(bytes: &[u8]) {
    let (feed, plan) = fuzz::plan(bytes);
    let plan = match plan {
        Ok(plan) => plan,
        Err(reason) => return check_sentence(&reason),
    };
    check_url(&plan.url, ["ws", "wss"], feed.request.endpoint.as_deref(), &feed);
    assert!(!plan.is_plain() || feed.request.allow_plain, "{}", plan.url);
    assert_eq!(plan.symbols.len(), feed.request.markets.len());
    assert_eq!(plan.symbols.iter().collect::<HashSet<_>>().len(), plan.symbols.len(), "{:?}", plan.symbols);
    for symbol in &plan.symbols {
        assert!((1..=64).contains(&symbol.len()) && !symbol.chars().any(is_obeyed), "{symbol:?}");
    }
    let ping = plan.heartbeat.ping.as_ref();
    assert!(plan.messages.len() <= 4096);
    for message in plan.messages.iter().chain(ping.map(|ping| &ping.message)) {
        assert!((1..=256 << 10).contains(&message.len()), "{} bytes", message.len());
    }
    let tenth = Duration::from_millis(100);
    assert!((tenth..=Duration::from_secs(3600)).contains(&plan.heartbeat.idle));
    assert!(ping.is_none_or(|ping| ping.interval >= tenth));
}
