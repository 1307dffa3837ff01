//! How a connection is opened, and which request subscribes which markets.

use std::ops::Range;

use tapedeck_sdk::{Heartbeat, Markets, OpenRequest, SessionPlan, json};

use crate::options::{Options, TimeUnit};

/// Streams in one SUBSCRIBE request. 1,024 streams, the most that a connection takes, are subscribed by four requests,
/// which leaves one of the five messages a second for the answer to a ping.
const STREAMS_A_REQUEST: usize = 256;

/// Milliseconds without a frame until a connection counts as dead: three of the server's pings, one in 20 s.
const IDLE: u32 = 65_000;

/// Plans one connection.
pub(crate) fn plan(request: &OpenRequest, options: &Options, markets: &Markets) -> SessionPlan {
    let unit = match options.unit {
        TimeUnit::Millisecond => "",
        TimeUnit::Microsecond => "?timeUnit=MICROSECOND",
    };
    let base = base(request.endpoint.as_deref(), options.service.socket());
    SessionPlan {
        url: format!("{base}/stream{unit}"),
        symbols: markets.symbols().to_vec(),
        messages: messages(options, markets),
        heartbeat: Heartbeat { idle: IDLE, ping: None },
    }
}

/// The user's base of a url in place of the exchange's own.
pub(crate) fn base(given: Option<&str>, own: &str) -> String {
    given.unwrap_or(own).trim_end_matches('/').to_owned()
}

/// Name of the stream of a symbol: streams are named in lower case, events carry the symbol in upper case.
pub(crate) fn stream_name(symbol: &str, options: &Options) -> String {
    format!("{}@{}", symbol.to_lowercase(), options.stream.name())
}

fn messages(options: &Options, markets: &Markets) -> Vec<String> {
    let mut messages = Vec::new();
    for (index, symbols) in markets.symbols().chunks(STREAMS_A_REQUEST).enumerate() {
        let streams: Vec<String> = symbols.iter().map(|symbol| json::quote(&stream_name(symbol, options))).collect();
        let (streams, id) = (streams.join(","), index + 1);
        messages.push(format!(r#"{{"method":"SUBSCRIBE","params":[{streams}],"id":{id}}}"#));
    }
    messages
}

/// Indices of the markets that the request with this id subscribed; none if no such request was sent.
pub(crate) fn markets_of_request(id: u64, markets: &Markets) -> Option<Range<u32>> {
    let index = usize::try_from(id.checked_sub(1)?).ok()?;
    let start = index.checked_mul(STREAMS_A_REQUEST).filter(|start| *start < markets.len())?;
    let end = markets.len().min(start + STREAMS_A_REQUEST);
    Some(u32::try_from(start).ok()?..u32::try_from(end).ok()?)
}
