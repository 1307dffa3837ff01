//! The simulated exchange's history, asked for by REST.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};

use super::plugin::{REQUESTS, REST};
use super::world::{World, within};
use crate::plugin::{Header, HttpRequest, HttpResponse};
use crate::rest::{Network, RestError};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Page,
    Status(u16),
    Hangs,
    Unreachable,
}

impl World {
    /// The way to the exchange's history.
    pub(super) fn rest(self: &Arc<Self>) -> Network {
        let world = Arc::clone(self);
        Arc::new(move |request| Arc::clone(&world).asked(request).boxed())
    }

    async fn asked(self: Arc<Self>, request: HttpRequest) -> Result<HttpResponse, RestError> {
        let (fate, latency, life) = self.judge(&request);
        sleep(latency).await;
        match fate {
            Fate::Hangs => std::future::pending().await,
            Fate::Unreachable => Err(RestError::transient("it is not there".to_owned())),
            Fate::Page => {
                let body = self.page(&request.url).unwrap_or_default();
                self.note(format_args!("REST answers {} lines to {}", body.lines().count(), request.url));
                Ok(HttpResponse { status: 200, headers: Vec::new(), body: body.into_bytes() })
            }
            Fate::Status(status) => Ok(self.refuse(status, life)),
        }
    }

    fn judge(&self, request: &HttpRequest) -> (Fate, Duration, u32) {
        let mut state = self.state();
        state.tally.requests += 1;
        state.note(self.began, format_args!("REST is asked for {}", request.url));
        if !within(&mut state.requests, REQUESTS) {
            state.broken(self.began, "more requests than the exchange takes");
        }
        if let Some(until) = state.closed_until.filter(|until| Instant::now() < *until) {
            let left = until - Instant::now();
            state.broken(self.began, format_args!("REST is asked {left:?} before its time"));
        }
        let luck = state.rest;
        let latency = Duration::from_millis(state.rng.u64(5..=300));
        let slow = if state.chance(luck.slow) { Duration::from_secs(state.rng.u64(1..=50)) } else { Duration::ZERO };
        let chances = [
            (luck.unreachable, Fate::Unreachable),
            (luck.too_many, Fate::Status(429)),
            (luck.banned, Fate::Status(418)),
            (luck.broken, Fate::Status(500)),
            (luck.unavailable, Fate::Status(503)),
            (luck.hangs, Fate::Hangs),
        ];
        let befallen = chances.into_iter().find(|(thousandth, _)| state.chance(*thousandth));
        let fate = if state.is_away { Fate::Unreachable } else { befallen.map_or(Fate::Page, |(_, fate)| fate) };
        (fate, latency + slow, state.life.number)
    }

    fn page(&self, url: &str) -> Option<String> {
        let mut words = url.strip_prefix(REST)?.trim_start_matches('/').split('/');
        let (kind, market) = (words.next()?, words.next()?.parse::<usize>().ok()?);
        let query: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let until_us = crate::clock::now_us() - i64::try_from(self.plan.exchange.lag.as_micros()).ok()?;
        self.state().markets.get(market)?.page(&query, kind == "times", until_us, self.plan.exchange.page)
    }

    /// An answer that is none, which may say how long the exchange wants to be left alone.
    fn refuse(&self, status: u16, life: u32) -> HttpResponse {
        let mut state = self.state();
        let pause = Duration::from_secs(state.rng.u64(1..=120));
        let date = || {
            // A date has no fractions.
            let at = (crate::clock::now() + pause).duration_since(UNIX_EPOCH).unwrap_or_default();
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(at.as_secs()))
        };
        let value = match state.rng.u32(0..3) {
            0 => None,
            1 => Some(pause.as_secs().to_string()),
            _ => Some(date()),
        };
        state.note(self.began, format_args!("REST answers {status}, retry after {value:?}"));
        let closes = match (status, &value) {
            (429 | 418 | 503, Some(_)) => Some(pause.saturating_sub(Duration::from_secs(1))),
            (429, None) => Some(Duration::from_secs(10)),
            (418, None) => Some(Duration::from_secs(120)),
            _ => None,
        };
        // Only the host that heard it can know.
        if let Some(pause) = closes.filter(|_| state.life.number == life) {
            let until = Instant::now() + pause;
            state.closed_until = Some(state.closed_until.map_or(until, |before| before.max(until)));
        }
        let headers = value.map(|value| Header { name: "Retry-After".to_owned(), value });
        HttpResponse { status, headers: headers.into_iter().collect(), body: Vec::new() }
    }
}
