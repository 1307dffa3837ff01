//! Tapedeck plugin for Kraken spot: the trade channel of WebSocket v2, and past trades by REST.
//!
//! The README says what is spoken, which options there are, and how sure each fact about the exchange is.

mod answer;
mod backfill;
mod frame;
mod plan;
mod trades;

use tapedeck_sdk::{
    Description, Frame, Gap, HttpRequest, HttpResponse, Markets, OpenError, OpenRequest, Output, Page, Plugin, Reason,
    SessionPlan,
};

/// One session with Kraken.
#[derive(Debug)]
pub struct Kraken {
    markets: Markets,
    /// Where past trades are asked for: the url without its query.
    rest_url: String,
    /// The pair that REST calls each market by.
    pairs: Vec<String>,
}

impl Plugin for Kraken {
    fn describe() -> Description {
        plan::describe()
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        plan::open(request)
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        frame::decode(&self.markets, frame.bytes, out)
    }

    fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, Reason> {
        backfill::request(self, gap)
    }

    fn decode_backfill(&mut self, gap: &Gap, request: &HttpRequest, response: &HttpResponse) -> Result<Page, Reason> {
        backfill::decode(self, gap, request, response)
    }
}

tapedeck_sdk::register!(Kraken);
