//! A page of a backfill, with the request for the next.

use super::{Feed, Input};
use crate::plugin::backfill::Page;
use crate::plugin::bindings::tapedeck::plugin::types;

/// What a made up page was an answer to.
#[derive(Clone, Debug)]
pub struct AskedPage {
    /// Index of the gap's market.
    pub market: u32,
    /// How many markets there are.
    pub markets: u32,
    /// Bytes of the exchange's answer.
    pub body_bytes: usize,
}

/// Makes up a feed and a page, and checks that as the host does: the page, or half a sentence.
pub fn page(bytes: &[u8]) -> (Feed, AskedPage, Result<Page, String>) {
    let mut input = Input::new(bytes);
    let feed = input.feed(["http://127.0.0.1:9002", "https://a.example.com"]);
    let markets = u32::try_from(feed.request.markets.len()).unwrap_or(u32::MAX);
    let asked = AskedPage { market: u32::from(input.byte()) % markets, markets, body_bytes: input.byte().into() };
    let page = types::Page {
        trades: input.list(Input::trade),
        refusals: input.list(Input::refusal),
        next: input.byte().is_multiple_of(2).then(|| types::HttpRequestResult {
            url: input.text(),
            // More than are allowed.
            headers: (0..2).flat_map(|_| input.list(Input::header)).collect(),
            weight: input.index(),
        }),
    };
    let allowed = feed.request.rest_hosts(&feed.hosts);
    let checked = allowed.and_then(|allowed| Page::checked(page, asked.market, markets, asked.body_bytes, &allowed));
    (feed, asked, checked)
}

impl Input<'_> {
    fn header(&mut self) -> types::HeaderResult {
        types::HeaderResult { name: self.text(), value: self.text() }
    }
}
