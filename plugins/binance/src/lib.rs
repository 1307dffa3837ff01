//! Tapedeck plugin for Binance spot: trades by the combined WebSocket streams `@trade` or `@aggTrade`, and what is missing
//! of them by REST. README.md says what it speaks and how sure each fact is.

mod answer;
mod backfill;
mod describe;
mod event;
mod frame;
mod options;
mod plan;

use tapedeck_sdk::{
    Description, Frame, Gap, HttpRequest, HttpResponse, Markets, OpenError, OpenRequest, Output, Page, Plugin, Reason,
    SessionPlan,
};

use crate::options::Options;

/// One session with Binance spot.
#[derive(Debug)]
pub struct Binance {
    options: Options,
    markets: Markets,
    /// Base of REST urls, without a slash at its end.
    rest: String,
}

impl Plugin for Binance {
    fn describe() -> Description {
        describe::describe()
    }

    fn open(request: &OpenRequest) -> Result<(Self, SessionPlan), OpenError> {
        let options = Options::read(&request.settings)?;
        let markets = Markets::new(&request.markets, |pair| Ok(format!("{}{}", pair.base, pair.quote)))?;
        let plan = plan::plan(request, &options, &markets);
        let rest = plan::base(request.rest_endpoint.as_deref(), options.service.rest());
        Ok((Binance { options, markets, rest }, plan))
    }

    fn decode_frame(&mut self, frame: Frame<'_>, out: &mut Output) -> Result<(), Reason> {
        self.decode_message(frame.bytes, out)
    }

    fn backfill(&mut self, gap: &Gap) -> Result<HttpRequest, Reason> {
        self.first_page(gap)
    }

    fn decode_backfill(&mut self, gap: &Gap, request: &HttpRequest, response: &HttpResponse) -> Result<Page, Reason> {
        self.decode_page(gap, request, response)
    }
}

tapedeck_sdk::register!(Binance);
