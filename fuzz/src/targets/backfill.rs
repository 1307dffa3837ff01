//! The conversion of a page of a backfill: its trades are of the gap's market, and its next request stays with the feed's
//! hosts and says nothing that is the host's to say.

use tapedeck::plugin::fuzz;
use tapedeck::trade::Source;

use super::answer::{check_trade, template};
use super::reach::check_url;
use super::{check_reason, check_sentence};

/// Headers that decide where a request goes and how its answer is read.
const OWN: [&str; 6] = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade"];

pub(super) fn run(bytes: &[u8]) {
    let (feed, asked, page) = fuzz::page(bytes);
    let page = match page {
        Ok(page) => page,
        Err(reason) => return check_sentence(&reason),
    };
    assert!(page.trades.len() <= asked.body_bytes);
    let template = template(asked.markets);
    for trade in &page.trades {
        assert_eq!((trade.market, trade.source), (asked.market, Source::Backfill));
        check_trade(trade, &template);
    }
    page.refused.iter().for_each(|refused| check_reason(&refused.reason));
    let Some(next) = page.next else { return };
    check_url(&next.url, ["http", "https"], feed.request.rest_endpoint.as_deref(), &feed);
    assert!(next.headers.len() <= 32);
    for header in &next.headers {
        assert!(!OWN.iter().any(|own| header.name.eq_ignore_ascii_case(own)), "{header:?}");
        assert!(!header.name.is_empty() && header.name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'));
        let breaks_out = |byte: u8| byte != b'\t' && (byte < b' ' || byte == 0x7f);
        assert!(header.value.len() <= 4096 && !header.value.bytes().any(breaks_out), "{header:?}");
    }
}
