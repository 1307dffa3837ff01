//! Where each market stands: written to Kafka as it goes, read when a host starts.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::{info, warn};

use super::Feed;
use crate::sink::positions::{CheckpointRecord, CheckpointSource};

/// The positions of all feeds.
pub struct Positions(pub Vec<Arc<Feed>>);

impl CheckpointSource for Positions {
    fn changed(&self) -> Vec<CheckpointRecord> {
        let of_feed = |feed: &Arc<Feed>| {
            let record =
                |(market, payload)| Some(CheckpointRecord { key: feed.template.key(market)?.to_vec(), payload });
            feed.ledger.take_positions().into_iter().filter_map(record).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_feed).collect()
    }
}

/// Lets feeds go on where a former host stopped, by the newest position of each key.
pub fn restore(feeds: &[Arc<Feed>], positions: &HashMap<Vec<u8>, Vec<u8>>) {
    let mut restored = 0;
    for feed in feeds {
        for market in (0..).take(feed.origin.instruments.len()) {
            let Some(position) = feed.template.key(market).and_then(|key| positions.get(key)) else { continue };
            match feed.ledger.restore(market, position) {
                Ok(()) => restored += 1,
                Err(reason) => warn!(
                    exchange = feed.origin.exchange,
                    market = feed.canonical(Some(market)),
                    reason,
                    "the market's position in Kafka is not usable: it starts anew, and trades since then are not asked for"
                ),
            }
        }
    }
    if restored > 0 {
        info!(markets = restored, "going on where Kafka's positions are");
    }
}
