//! A recorded Binance socket: its frames as they came, and the trades in them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decimal::parse_decimal;
use crate::market::Market;
use crate::options::{Exchange, Speed};
use crate::trade::{Side, Trade};

/// Times of this many units and more are microseconds, below it milliseconds: it lies in 1973 or in the year 5138.
const FIRST_MICROSECONDS: i64 = 100_000_000_000_000;

/// A stream of the recording.
pub(crate) struct RecordedStream {
    /// Its name, `ethusdt@trade`.
    pub(crate) name: String,
    /// Index of its market.
    pub(crate) market: usize,
}

/// One recorded frame.
pub(crate) struct Line {
    /// When it is due at recorded speed, in nanoseconds since the first.
    at_ns: u64,
    /// The frame, in the recording's bytes.
    pub(crate) message: Range<usize>,
    /// The payload inside of the frame.
    pub(crate) data: Range<usize>,
    /// Index of its stream.
    pub(crate) stream: usize,
    /// The trade in it.
    pub(crate) trade: Option<Trade>,
}

/// Recorded sockets, one after the other, held in memory.
pub(crate) struct Recording {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    next: usize,
    speed: Speed,
    /// The streams in it, in the order of their first frame.
    pub(crate) streams: Vec<RecordedStream>,
}

#[derive(Deserialize)]
struct Combined<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct BookSnapshot {
    #[serde(rename = "lastUpdateId")]
    _last_update_id: u64,
}

#[derive(Deserialize)]
struct TradeEvent<'a> {
    s: &'a str,
    t: u64,
    p: &'a str,
    q: &'a str,
    #[serde(rename = "T")]
    time: i64,
    m: bool,
}

impl Recording {
    /// Reads recordings, and adds the markets of their symbols to `markets`.
    ///
    /// # Errors
    /// Names file and line that cannot be read, or that hold no combined stream's message.
    pub(crate) fn load(files: &[PathBuf], speed: Speed, markets: &mut Vec<Market>) -> Result<Self, String> {
        let mut recording = Self { bytes: Vec::new(), lines: Vec::new(), next: 0, speed, streams: Vec::new() };
        let mut indices = HashMap::new();
        for file in files {
            recording.load_file(file, markets, &mut indices)?;
        }
        Ok(recording)
    }

    fn load_file(
        &mut self,
        file: &Path,
        markets: &mut Vec<Market>,
        indices: &mut HashMap<String, usize>,
    ) -> Result<(), String> {
        let opened =
            File::open(file).map_err(|error| format!("cannot open the recording {}: {error}", file.display()))?;
        let mut reader = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(BufReader::new(opened)));
        // A file goes on where the one before ended.
        let start_ns = self.lines.last().map_or(0, |line| line.at_ns);
        let (mut first_ns, mut line, mut number) = (None, String::new(), 0_u64);
        loop {
            line.clear();
            number += 1;
            let place = |reason: String| format!("the recording {}, line {number}: {reason}", file.display());
            let read = reader.read_line(&mut line).map_err(|error| place(format!("cannot be read: {error}")))?;
            if read == 0 {
                return Ok(());
            }
            let text = line.trim_end();
            if text.is_empty() {
                continue;
            }
            let (received, message) =
                text.split_once(' ').ok_or_else(|| place("no space behind the time".to_owned()))?;
            let received: u64 =
                received.parse().map_err(|_| place(format!("`{received}` is not a time in nanoseconds")))?;
            let since_first = received.saturating_sub(*first_ns.get_or_insert(received));
            self.add(start_ns + since_first, message, markets, indices).map_err(place)?;
        }
    }

    fn add(
        &mut self,
        at_ns: u64,
        message: &str,
        markets: &mut Vec<Market>,
        indices: &mut HashMap<String, usize>,
    ) -> Result<(), String> {
        let combined: Combined<'_> = match serde_json::from_str(message) {
            Ok(combined) => combined,
            // Recorders put the REST snapshots of books among the messages, which never came over the socket.
            Err(_) if serde_json::from_str::<BookSnapshot>(message).is_ok() => return Ok(()),
            Err(error) => return Err(format!("not a message of a combined stream: {error}")),
        };
        let data = combined.data.get();
        let stream = match indices.get(combined.stream) {
            Some(index) => *index,
            None => self.add_stream(combined.stream, data, markets, indices),
        };
        // A recording does not say which trades one order made: each is its own aggregate.
        let aggregate = self.lines.len() as u32;
        let trade = if combined.stream.ends_with("@trade") { Some(read_trade(data, aggregate)?) } else { None };
        let start = self.bytes.len();
        let data_start = start + (data.as_ptr() as usize - message.as_ptr() as usize);
        self.bytes.extend_from_slice(message.as_bytes());
        let data = data_start..data_start + data.len();
        self.lines.push(Line { at_ns, message: start..self.bytes.len(), data, stream, trade });
        Ok(())
    }

    fn add_stream(
        &mut self,
        name: &str,
        data: &str,
        markets: &mut Vec<Market>,
        indices: &mut HashMap<String, usize>,
    ) -> usize {
        let of_event = serde_json::from_str::<TradeEvent<'_>>(data).ok().map(|event| event.s.to_owned());
        let of_name = || name.split('@').next().unwrap_or(name).to_uppercase();
        let symbol = of_event.unwrap_or_else(of_name);
        let market = markets.iter().position(|market| market.symbol == symbol).unwrap_or_else(|| {
            markets.push(Market::of_symbol(Exchange::Binance, &symbol));
            markets.len() - 1
        });
        self.streams.push(RecordedStream { name: name.to_owned(), market });
        indices.insert(name.to_owned(), self.streams.len() - 1);
        self.streams.len() - 1
    }

    /// When the next frame is due, in nanoseconds since the start; none at the end.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        self.lines.get(self.next).map(|line| due_at(self.speed, line.at_ns))
    }

    /// Moves to the next frame; false at the end.
    pub(crate) fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.lines.len()
    }

    /// Bytes of a frame.
    pub(crate) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// The frame that [`Recording::advance`] moved to.
    pub(crate) fn current_line(&self) -> Option<&Line> {
        self.lines.get(self.next.checked_sub(1)?)
    }
}

/// When something recorded at this time is due at this speed; at once where there is none.
pub(crate) fn due_at(speed: Speed, at_ns: u64) -> u64 {
    match speed {
        Speed::Max => 0,
        Speed::Thousandths(speed) => (u128::from(at_ns) * 1_000 / u128::from(speed.max(1))) as u64,
    }
}

fn read_trade(data: &str, aggregate: u32) -> Result<Trade, String> {
    let event: TradeEvent<'_> = serde_json::from_str(data).map_err(|error| format!("not a trade: {error}"))?;
    let decimal = |text: &str| parse_decimal(text).ok_or_else(|| format!("`{text}` is not a decimal of 64 bits"));
    let ((price, price_scale), (quantity, quantity_scale)) = (decimal(event.p)?, decimal(event.q)?);
    let timestamp_us = if event.time < FIRST_MICROSECONDS { event.time * 1_000 } else { event.time };
    let side = if event.m { Side::Sell } else { Side::Buy };
    Ok(Trade { id: event.t, timestamp_us, price, quantity, aggregate, price_scale, quantity_scale, side, late: false })
}
