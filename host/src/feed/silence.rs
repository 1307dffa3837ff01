//! Markets that are connected, used to trade, and do not any more: found by each market's own rhythm.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use super::Feed;
use super::rhythm::Rhythm;
use crate::metrics::MarketLabels;
use crate::session::SessionStatus;
use crate::trade::{Source, Trade};

/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);

/// A batch that takes longer than this has waited, and what the markets did meanwhile is not known.
const WAITED: Duration = Duration::from_millis(500);

/// The rhythms of a feed's markets, shared by its connections.
#[derive(Debug)]
pub(super) struct Rhythms {
    markets: Mutex<Vec<Rhythm>>,
    /// Batches that are being handed over.
    busy: AtomicUsize,
}

/// A batch that is being handed over: what takes long is not the markets' silence.
#[derive(Debug)]
pub(super) struct Busy<'a> {
    rhythms: &'a Rhythms,
    since: Instant,
}

impl Rhythms {
    pub(super) fn new(markets: usize) -> Self {
        Self { markets: Mutex::new(vec![Rhythm::default(); markets]), busy: AtomicUsize::new(0) }
    }

    /// A batch begins; it ends when what is returned is dropped.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy { rhythms: self, since: Instant::now() }
    }

    /// Trades came.
    pub(super) fn traded(&self, trades: &[Trade]) {
        let (now, mut markets) = (Instant::now(), self.markets());
        for trade in trades.iter().filter(|trade| trade.source == Source::Live) {
            if let Some(rhythm) = markets.get_mut(trade.market as usize) {
                rhythm.traded(now);
            }
        }
    }

    fn deaf_until(&self, now: Instant) {
        self.markets().iter_mut().for_each(|rhythm| rhythm.deaf_until(now));
    }

    fn markets(&self) -> MutexGuard<'_, Vec<Rhythm>> {
        self.markets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.rhythms.busy.fetch_sub(1, Ordering::Relaxed);
        if self.since.elapsed() > WAITED {
            self.rhythms.deaf_until(Instant::now());
        }
    }
}

/// Looks after the markets of feeds, each with the states of its sessions, for as long as it is polled.
pub async fn watch(feeds: Vec<(Arc<Feed>, Vec<SessionStatus>)>, silent: Family<MarketLabels, Gauge>) {
    let mut raised = BTreeMap::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        for (number, (feed, statuses)) in feeds.iter().enumerate() {
            let is_heard = statuses.iter().any(|status| status.get().is_live());
            for news in feed.rhythms.look(Instant::now(), is_heard) {
                let key = (number, news.market);
                let name = feed.canonical(Some(news.market));
                let gauge = raised.entry(key).or_insert_with(|| {
                    let labels = MarketLabels { exchange: feed.exchange().to_owned(), market: name.to_owned() };
                    silent.get_or_create(&labels).clone()
                });
                match news.silence {
                    Some((pause, usual)) => {
                        gauge.set(1);
                        let (seconds, usual_seconds) = (pause.as_secs_f32(), usual.as_secs_f32());
                        warn!(
                            exchange = feed.exchange(),
                            market = name,
                            seconds,
                            usual_seconds,
                            "a market that used to trade is silent, though it is connected"
                        );
                    }
                    None => {
                        gauge.set(0);
                        raised.remove(&key);
                        info!(exchange = feed.exchange(), market = name, "a market that was silent trades again");
                    }
                }
            }
        }
    }
}

/// A market whose silence began or ended.
#[derive(Debug, PartialEq)]
struct News {
    market: u32,
    /// How long it lasts, and how long would be usual; none: it has ended.
    silence: Option<(Duration, Duration)>,
}

impl Rhythms {
    fn look(&self, now: Instant, is_heard: bool) -> Vec<News> {
        if !is_heard {
            self.deaf_until(now);
        } else if self.busy.load(Ordering::Relaxed) > 0 {
            return Vec::new();
        }
        let mut news = Vec::new();
        for (market, rhythm) in self.markets().iter_mut().enumerate() {
            let market = market as u32;
            if rhythm.falls_silent(now) {
                let silence = Some((rhythm.pause(now), rhythm.patience().unwrap_or_default()));
                news.push(News { market, silence });
            } else if rhythm.ends_silence() {
                news.push(News { market, silence: None });
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::{Decimal, Side, TradeId};

    fn trade(market: u32, source: Source) -> Trade {
        let one = Decimal { unscaled: 1, scale: 0 };
        let (id, vendor) = (TradeId::Number(1), String::new());
        let (price, quantity, side) = (one, one, Side::Buy);
        Trade { frame: 0, market, id, order: 1, count: 1, price, quantity, side, timestamp_us: 0, source, vendor }
    }

    async fn rest(rhythms: &Rhythms, markets: &[u32], times: u32, source: Source) {
        for _ in 0..times {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let trades: Vec<_> = markets.iter().map(|market| trade(*market, source)).collect();
            rhythms.traded(&trades);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_market_of_two_falls_silent_and_trades_again() {
        let rhythms = Rhythms::new(2);
        rest(&rhythms, &[0, 1], 100, Source::Live).await;
        assert_eq!(rhythms.look(Instant::now(), true), []);
        rest(&rhythms, &[0], 60, Source::Live).await;
        let news = rhythms.look(Instant::now(), true);
        assert!(matches!(&news[..], [News { market: 1, silence: Some(_) }]), "{news:?}");
        assert_eq!(rhythms.look(Instant::now(), true), [], "once is enough");
        rest(&rhythms, &[1], 1, Source::Backfill).await;
        assert_eq!(rhythms.look(Instant::now(), true), [], "what is fetched afterwards is no sign of life");
        rest(&rhythms, &[1], 1, Source::Live).await;
        assert_eq!(rhythms.look(Instant::now(), true), [News { market: 1, silence: None }]);
    }

    #[tokio::test(start_paused = true)]
    async fn outages_and_waits_of_ours_are_no_silence() {
        let rhythms = Rhythms::new(1);
        rest(&rhythms, &[0], 100, Source::Live).await;
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(rhythms.look(Instant::now(), false), [], "not connected");
        assert_eq!(rhythms.look(Instant::now(), true), [], "just connected");
        let busy = rhythms.busy();
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(rhythms.look(Instant::now(), true), [], "Kafka is full, and nothing is read");
        drop(busy);
        assert_eq!(rhythms.look(Instant::now(), true), [], "what waited is not read yet");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(rhythms.look(Instant::now(), true).len(), 1);
    }
}
