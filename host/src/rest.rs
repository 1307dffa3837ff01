//! REST: the requests by which a plugin asks for trades that were missed.
//!
//! [`RestClient`] makes one GET within limits of size and time, to allowed hosts alone. [`RestBudget`] is what the
//! exchange grants, shared by all markets: it is asked before each request and told each answer. [`Rest`] joins the two.

mod body;
mod budget;
mod client;
mod error;
mod pace;

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

pub use self::budget::RestBudget;
#[cfg(test)]
pub(crate) use self::client::Network;
pub use self::client::{RestClient, RestLimits};
pub use self::error::RestError;
pub use crate::net::{AllowedHosts, HostRules};
use crate::plugin::{HttpRequest, HttpResponse};

/// First and longest pause between attempts, where the exchange does not say how long to wait.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// What a feed needs to ask an exchange: a client, the exchange's budget, and the hosts that it may reach.
#[derive(Clone, Debug)]
pub struct Rest {
    /// Makes requests.
    pub client: RestClient,
    /// The budget, shared by all feeds of the exchange.
    pub budget: RestBudget,
    /// Hosts that the feed may reach.
    pub allowed: AllowedHosts,
}

impl Rest {
    /// One request, once the budget has room for it. What the exchange answers for this request alone, such as 200, 400 or
    /// 404, is for the plugin to judge.
    ///
    /// # Errors
    /// There is no answer, or none that the plugin should see: overload, a ban, a fault of the server.
    pub async fn get(&self, request: &HttpRequest) -> Result<HttpResponse, RestError> {
        self.budget.acquire(request.weight).await;
        let response = self.client.get(request, &self.allowed).await?;
        self.budget.answered(response.status, &response.headers)?;
        Ok(response)
    }

    /// As [`Rest::get`], and tries again up to so many times after errors that may pass: after growing pauses, and not before
    /// the exchange says.
    ///
    /// # Errors
    /// A permanent error, or the last one.
    pub async fn get_patiently(&self, request: &HttpRequest, retries: usize) -> Result<HttpResponse, RestError> {
        let [first, longest] = PAUSES;
        let pauses = ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest).with_jitter();
        (|| self.get(request))
            .retry(pauses.with_max_times(retries))
            .when(RestError::is_transient)
            .adjust(|error, pause| pause.map(|pause| pause.max(error.retry_after().unwrap_or_default())))
            .await
    }
}
