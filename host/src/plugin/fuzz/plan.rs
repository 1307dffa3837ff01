//! A plan for a connection, and the feed that it is for.

use super::Input;
use crate::plugin::bindings::tapedeck::plugin::types;
use crate::plugin::description::is_host;
use crate::plugin::open::{Market, OpenRequest};
use crate::plugin::plan::SessionPlan;

/// A feed.
#[derive(Clone, Debug)]
pub struct Feed {
    /// What the plugin is asked to open.
    pub request: OpenRequest,
    /// The hosts that it declares.
    pub hosts: Vec<String>,
}

/// Makes up a feed and a plan for it, and checks that as the host does: the plan, or half a sentence.
pub fn plan(bytes: &[u8]) -> (Feed, Result<SessionPlan, String>) {
    let mut input = Input::new(bytes);
    let feed = input.feed(["ws://127.0.0.1:9001", "wss://a.example.com"]);
    let plan = types::SessionPlan {
        url: input.text(),
        symbols: input.list(Input::text),
        messages: input.list(Input::message),
        heartbeat: types::Heartbeat {
            idle: input.milliseconds(),
            ping: input
                .byte()
                .is_multiple_of(2)
                .then(|| types::AppPing { interval: input.milliseconds(), message: input.message() }),
        },
    };
    let checked = SessionPlan::checked(plan, &feed.request, &feed.hosts);
    (feed, checked)
}

impl Input<'_> {
    pub(super) fn feed(&mut self, endpoints: [&str; 2]) -> Feed {
        let choices = self.byte();
        let endpoint = match choices % 4 {
            0 => None,
            3 => Some(self.text()),
            known => endpoints.get(usize::from(known - 1)).map(|endpoint| (*endpoint).to_owned()),
        };
        let mut hosts = vec!["stream.example.com".to_owned(), "api.example.com".to_owned(), "10.0.0.1".to_owned()];
        if choices & 32 != 0 {
            hosts.extend(self.list(Self::text).into_iter().filter(|host| is_host(host)));
        }
        let markets = 1 + self.byte() % 4;
        let request = OpenRequest {
            markets: (0..markets).map(|number| Market { name: format!("A{number}/B"), symbol: None }).collect(),
            rest_endpoint: endpoint.clone(),
            endpoint,
            settings: Vec::new(),
            allow_plain: choices & 4 != 0,
            hosts: if choices & 16 != 0 { self.list(Self::text) } else { Vec::new() },
            allow_private: choices & 8 != 0,
        };
        Feed { request, hosts }
    }

    /// Some longer than is allowed.
    fn message(&mut self) -> String {
        let text = self.text();
        if text.len() == 255 { text.repeat(2_000) } else { text }
    }

    fn milliseconds(&mut self) -> u32 {
        match self.byte() {
            0 => self.number() as u32,
            hundreds => 50 * u32::from(hundreds),
        }
    }
}
