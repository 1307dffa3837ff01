//! What an exchange grants for REST, shared by all of its markets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::error::RestError;
use super::pace::Pace;
use crate::clock;
use crate::plugin::{Header, Rate};

/// How long 429 and 418 close a budget where the exchange does not say: too many requests, and an address that is banned.
const TOO_MANY: Duration = Duration::from_secs(10);
const BANNED: Duration = Duration::from_secs(120);
/// The longest that an exchange can close a budget for. The longest ban that is documented anywhere lasts three days.
const LONGEST: Duration = Duration::from_secs(3 * 24 * 3600);

/// What an exchange grants. Cheap to clone; clones share it.
#[derive(Clone, Debug)]
pub struct RestBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    exchange: String,
    pace: Option<Pace>,
    /// Held by who waits for the pace, so that requests go out in the order in which they asked, large ones too.
    queue: tokio::sync::Mutex<()>,
    closed_until: Mutex<Option<Instant>>,
}

impl RestBudget {
    /// The budget of an exchange; without a rate only what it answers holds requests back.
    #[must_use]
    pub fn new(exchange: &str, rate: Option<Rate>) -> Self {
        let pace = rate.and_then(Pace::new);
        let exchange = exchange.to_owned();
        Self(Arc::new(Shared { exchange, pace, queue: tokio::sync::Mutex::default(), closed_until: Mutex::default() }))
    }

    /// Waits until a request of this weight may go out, in the order of the callers. Cancel safe: who gives up before its turn
    /// may have spent its own weight, and no other.
    pub async fn acquire(&self, weight: u32) {
        let _turn = self.0.queue.lock().await;
        loop {
            self.opened().await;
            if let Some(pace) = &self.0.pace {
                pace.wait(weight).await;
            }
            // It may have been closed by an answer to a request before this one. What was spent before then does not count
            // for the time after it.
            if self.closed_for().is_none() {
                return;
            }
        }
    }

    /// How long the exchange still wants to be left alone, if it does.
    #[must_use]
    pub fn closed_for(&self) -> Option<Duration> {
        let until = (*self.0.closed_until.lock().unwrap_or_else(PoisonError::into_inner))?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Takes an answer's status and headers: 429, 418 and 503 close the budget for as long as `Retry-After` says.
    ///
    /// # Errors
    /// The answer is none to the request itself, but says that the exchange or what stands before it is overloaded, out of
    /// order or has had enough of us; it may be tried again.
    pub fn answered(&self, status: u16, headers: &[Header]) -> Result<(), RestError> {
        let asked = retry_after(headers).map(|pause| pause.min(LONGEST));
        let (what, after) = match status {
            429 => ("it had too many requests", Some(asked.unwrap_or(TOO_MANY))),
            418 => ("it has banned this address for a while", Some(asked.unwrap_or(BANNED))),
            503 => ("it is not available", asked),
            408 | 425 | 500..=599 => ("it is out of order", asked),
            _ => return Ok(()),
        };
        let exchange = &self.0.exchange;
        if let (429 | 418 | 503, Some(after)) = (status, after) {
            self.close(after);
            warn!(exchange, status, seconds = after.as_secs_f32(), "REST is closed: {what}");
        }
        let again = after.map(|after| format!("; again in {} s", after.as_secs_f32().ceil())).unwrap_or_default();
        Err(RestError::Transient { reason: format!("{exchange} answered with status {status}: {what}{again}"), after })
    }

    fn close(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut closed = self.0.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = Some(closed.map_or(until, |before| before.max(until)));
    }

    async fn opened(&self) {
        while let Some(left) = self.closed_for() {
            tokio::time::sleep(left).await;
        }
    }
}

/// The pause that `Retry-After` asks for, in seconds or as a date.
fn retry_after(headers: &[Header]) -> Option<Duration> {
    let value = &headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"))?.value;
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(clock::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> Vec<Header> {
        vec![Header { name: "Retry-After".into(), value: value.into() }]
    }

    fn budget() -> RestBudget {
        RestBudget::new("moonex", Some(Rate { count: 100, window: Duration::from_secs(10) }))
    }

    async fn waits(budget: &RestBudget, weight: u32) -> f32 {
        let began = Instant::now();
        budget.acquire(weight).await;
        (began.elapsed().as_secs_f32() * 10.0).round() / 10.0
    }

    #[tokio::test(start_paused = true)]
    async fn weights_are_paced() {
        let budget = budget();
        assert_eq!(waits(&budget, 50).await, 0.0);
        let paced = waits(&budget, 25).await;
        assert!((4.8..5.0).contains(&paced), "{paced}");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_closes_it_for_all() {
        for status in [429, 418, 503] {
            let budget = budget();
            let other_market = budget.clone();
            let error = budget.answered(status, &header("7")).unwrap_err();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{status}");
            assert!(
                error.is_transient() && error.to_string().contains(&format!("moonex answered with status {status}"))
            );
            assert_eq!(other_market.closed_for(), Some(Duration::from_secs(7)));
            assert_eq!(waits(&other_market, 1).await, 7.0);
            assert_eq!(waits(&budget, 1).await, 0.0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_closes_it_for_those_that_wait_already() {
        let budget = budget();
        budget.acquire(50).await;
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { waits(&budget, 1).await }
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(budget.answered(429, &header("30")).is_err());
        assert_eq!(waiting.await.unwrap(), 30.0);
    }

    /// What was spent before a pause would make one request too many behind it.
    #[tokio::test(start_paused = true)]
    async fn behind_a_pause_no_window_holds_more_than_the_exchange_allows() {
        let budget = budget();
        budget.acquire(50).await;
        let began = Instant::now();
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..150 {
            let budget = budget.clone();
            requests.spawn(async move {
                budget.acquire(1).await;
                Instant::now()
            });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(budget.answered(429, &header("60")).is_err());
        let mut times = Vec::new();
        while let Some(time) = requests.join_next().await {
            times.push(time.unwrap() - began);
        }
        for pair in times.windows(101) {
            assert!(pair[100] - pair[0] >= Duration::from_millis(9_999), "101 requests in {:?}", pair[100] - pair[0]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_a_default_and_an_end() {
        for (status, headers, seconds) in [
            (429, header("soon"), Some(10)),
            (429, vec![], Some(10)),
            (418, vec![], Some(120)),
            (503, vec![], None),
            (500, header("5"), None),
            (429, header("99999999999"), Some(3 * 24 * 3600)),
            (429, header("0"), None),
            (429, header("-5"), Some(10)),
        ] {
            let budget = budget();
            assert!(budget.answered(status, &headers).is_err());
            assert_eq!(budget.closed_for(), seconds.map(Duration::from_secs), "{status} {headers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_pause_does_not_open_it() {
        let budget = budget();
        assert!(budget.answered(418, &header("100")).is_err());
        assert!(budget.answered(429, &header("1")).is_err());
        assert_eq!(budget.closed_for(), Some(Duration::from_secs(100)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_date_is_understood() {
        let budget = budget();
        let date = httpdate::fmt_http_date(clock::now() + Duration::from_secs(120));
        assert!(budget.answered(429, &header(&date)).is_err());
        let left = budget.closed_for().unwrap().as_secs();
        assert!((117..=121).contains(&left), "{left}");
        let past = RestBudget::new("moonex", None);
        assert!(past.answered(429, &header("Sun, 06 Nov 1994 08:49:37 GMT")).is_err());
        assert_eq!(past.closed_for(), None);
    }

    #[test]
    fn the_plugin_judges_the_rest() {
        for status in [200, 204, 400, 401, 403, 404, 451] {
            assert_eq!(budget().answered(status, &[]), Ok(()), "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_go_out_in_the_order_in_which_they_asked() {
        let budget = budget();
        budget.acquire(50).await;
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for (number, weight) in [40, 1, 30, 1].into_iter().enumerate() {
            let (budget, sender) = (budget.clone(), sender.clone());
            tokio::spawn(async move {
                budget.acquire(weight).await;
                sender.send(number).unwrap();
            });
            tokio::task::yield_now().await;
        }
        for number in 0..4 {
            assert_eq!(receiver.recv().await, Some(number));
        }
    }
}
