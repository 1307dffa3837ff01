//! The ways to ask exchanges for trades that were missed: one client, and a budget for each exchange.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::plugin::{OpenRequest, Plugin};
use crate::rest::{Rest, RestBudget, RestClient, RestLimits};

/// What feeds share that ask.
pub(super) struct Exchanges {
    client: RestClient,
    budgets: BTreeMap<String, RestBudget>,
}

impl Exchanges {
    /// No exchange yet.
    pub(super) fn new() -> Result<Self, rustls::Error> {
        Ok(Self { client: RestClient::new(RestLimits::default())?, budgets: BTreeMap::new() })
    }

    /// A feed's way to ask; or why there is none, as a sentence.
    pub(super) fn rest(
        &mut self,
        config: &Config,
        plugin: &Plugin,
        exchange: &str,
        request: &OpenRequest,
    ) -> Result<Rest, String> {
        let description = plugin.description();
        if !config.backfill.enabled {
            return Err("asking for missed trades is switched off ([backfill] enabled)".to_owned());
        }
        if description.limits.rest.is_none() {
            return Err(format!("plugin {} cannot ask for missed trades", description.name));
        }
        // Ids of another server mean nothing to the exchange's own.
        if request.endpoint.is_some() && request.rest_endpoint.is_none() {
            return Err("the feed has an endpoint of its own and no rest_endpoint".to_owned());
        }
        let budget = self.budgets.entry(exchange.to_owned());
        let budget = budget.or_insert_with(|| RestBudget::new(exchange, description.limits.rest)).clone();
        let allowed = request.rest_hosts(&description.hosts)?;
        Ok(Rest { client: self.client.clone(), budget, allowed })
    }
}
