//! The middle of the simulator: markets with their histories, streams with their subscribers, and the connections.
//! One lock guards it; the publisher holds it for a tick's worth of trades, a request for as long as its answer takes.

use std::collections::HashMap;

use crate::fault::FaultRates;
use crate::history::History;
use crate::hub::link::{Frame, Link};
use crate::market::Market;
use crate::options::SimulatorOptions;
use crate::status::Counters;
use crate::trade::Trade;

mod damage;
pub(crate) mod link;
mod publish;
mod subscribe;

/// How a client wants a stream's frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// Wrapped as `{"stream":…,"data":…}`.
    pub(crate) combined: bool,
    /// Times in microseconds.
    pub(crate) microseconds: bool,
}

impl Style {
    /// How many styles there are.
    pub(crate) const COUNT: usize = 4;

    fn index(self) -> usize {
        usize::from(self.combined) * 2 + usize::from(self.microseconds)
    }
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamKind {
    /// Every trade.
    Trades,
    /// Trades summed by taker and price.
    Aggregates,
    /// Frames of a recording.
    Recorded,
}

/// A stream that can be subscribed.
pub(crate) struct Stream {
    name: String,
    market: usize,
    kind: StreamKind,
    subscribers: Vec<Subscriber>,
}

#[derive(Clone, Copy)]
struct Subscriber {
    link: usize,
    style: Style,
}

/// Everything behind the lock.
pub(crate) struct Hub {
    pub(crate) markets: Vec<Market>,
    pub(crate) histories: Vec<History>,
    streams: Vec<Stream>,
    stream_indices: HashMap<String, usize>,
    /// The streams of each market.
    market_streams: Vec<Vec<usize>>,
    market_subscribers: Vec<usize>,
    /// Markets whose trades are sent to nobody, and until when.
    muted: Vec<(usize, Option<tokio::time::Instant>)>,
    links: Vec<Option<Link>>,
    pub(crate) rates: FaultRates,
    pub(crate) counters: Counters,
    seed: u64,
    /// Encoded frames of the trade in hand, by style.
    scratch: [Vec<u8>; Style::COUNT],
    /// Kraken's trades of the tick in hand, by market; and the markets that have any.
    batches: Vec<Vec<Trade>>,
    batched: Vec<usize>,
}

impl Hub {
    pub(crate) fn new(options: &SimulatorOptions, markets: Vec<Market>) -> Self {
        let count = markets.len();
        Self {
            histories: markets.iter().map(|_| History::new(options.keep)).collect(),
            markets,
            streams: Vec::new(),
            stream_indices: HashMap::new(),
            market_streams: vec![Vec::new(); count],
            market_subscribers: vec![0; count],
            muted: Vec::new(),
            links: Vec::new(),
            rates: options.faults.clone(),
            counters: Counters::default(),
            seed: options.seed,
            scratch: Default::default(),
            batches: vec![Vec::new(); count],
            batched: Vec::new(),
        }
    }

    /// Adds a stream that can be subscribed by its name.
    pub(crate) fn add_stream(&mut self, name: String, market: usize, kind: StreamKind) {
        let index = self.streams.len();
        self.stream_indices.insert(name.clone(), index);
        self.market_streams[market].push(index);
        self.streams.push(Stream { name, market, kind, subscribers: Vec::new() });
    }

    /// Takes a connection in, and returns its place.
    pub(crate) fn add_link(&mut self, link: Link) -> usize {
        self.counters.connections_total += 1;
        let free = self.links.iter().position(Option::is_none);
        match free {
            Some(place) => {
                self.links[place] = Some(link);
                place
            }
            None => {
                self.links.push(Some(link));
                self.links.len() - 1
            }
        }
    }

    /// Forgets a connection and its subscriptions.
    pub(crate) fn remove_link(&mut self, place: usize) {
        self.unsubscribe_all(place);
        self.links[place] = None;
    }

    /// Leaves every connection half-open, and returns how many that were.
    pub(crate) fn forget_links(&mut self) -> u64 {
        let mut forgotten = 0;
        for place in 0..self.links.len() {
            self.unsubscribe_all(place);
            if let Some(link) = self.links[place].as_mut().filter(|link| !link.is_half_open()) {
                link.forget();
                forgotten += 1;
            }
        }
        forgotten
    }

    pub(crate) fn link(&self, place: usize) -> Option<&Link> {
        self.links.get(place)?.as_ref()
    }

    pub(crate) fn link_mut(&mut self, place: usize) -> Option<&mut Link> {
        self.links.get_mut(place)?.as_mut()
    }

    /// All connections.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().flatten()
    }

    pub(crate) fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.links.iter_mut().flatten()
    }

    /// A seed for the luck of the next connection.
    pub(crate) fn link_seed(&self) -> u64 {
        crate::random::mix(self.seed) ^ self.counters.connections_total
    }

    /// The place of the market with this spelling of the exchange.
    pub(crate) fn market_of_symbol(&self, symbol: &str) -> Option<usize> {
        self.markets.iter().position(|market| market.symbol == symbol)
    }

    /// Stops sending a market's trades.
    pub(crate) fn mute(&mut self, market: usize, until: Option<tokio::time::Instant>) {
        self.muted.push((market, until));
    }

    /// Sends every market's trades again.
    pub(crate) fn unmute_all(&mut self) {
        self.muted.clear();
    }

    /// Sends a frame to every connection.
    pub(crate) fn broadcast(&self, frame: &Frame) {
        for link in self.links() {
            link.outbox.push(frame.bytes());
        }
    }

    /// Bytes that are not written yet, of all connections.
    pub(crate) fn pending(&self) -> usize {
        self.links().map(|link| link.outbox.pending()).sum()
    }

    /// Bytes that are not written yet, of the slowest connection.
    pub(crate) fn most_pending(&self) -> usize {
        self.links().map(|link| link.outbox.pending()).max().unwrap_or(0)
    }
}
