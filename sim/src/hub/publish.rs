//! Publishing: each trade is remembered, encoded once for each style that somebody wants, and copied to its subscribers.

use tokio::time::Instant;

use crate::binance::frames as binance;
use crate::frame::{Opcode, begin_frame, end_frame};
use crate::hub::{Hub, Stream, StreamKind, Style};
use crate::kraken::frames as kraken;
use crate::options::Exchange;
use crate::recording::{Line, Recording};
use crate::trade::Trade;

/// Trades in one of Kraken's frames at most.
const TRADES_A_FRAME: usize = 50;

impl Hub {
    /// Publishes the fills of one order.
    pub(crate) fn publish_order(&mut self, exchange: Exchange, market: usize, fills: &[Trade]) {
        for fill in fills {
            if self.histories[market].add(*fill) {
                self.counters.trades += 1;
            }
        }
        if self.market_subscribers[market] == 0 || self.is_muted(market) {
            return;
        }
        match exchange {
            Exchange::Binance => self.publish_binance(market, fills),
            Exchange::Kraken => {
                if self.batches[market].is_empty() {
                    self.batched.push(market);
                }
                self.batches[market].extend_from_slice(fills);
            }
        }
    }

    fn publish_binance(&mut self, market: usize, fills: &[Trade]) {
        let mut most_sent = 0;
        for position in 0..self.market_streams[market].len() {
            let index = self.market_streams[market][position];
            if self.streams[index].subscribers.is_empty() {
                continue;
            }
            let each_trade = self.streams[index].kind == StreamKind::Trades;
            let mut sent = 0;
            for group in fills.chunk_by(|a, b| !each_trade && a.aggregate == b.aggregate) {
                let arrives = self.send(index, |out, hub, style| {
                    let (stream, market) = (&hub.streams[index].name, &hub.markets[market]);
                    match group {
                        [trade] if each_trade => binance::write_trade(out, stream, market, trade, style),
                        fills => binance::write_aggregate(out, stream, market, fills, style),
                    }
                });
                sent += if arrives { group.len() as u64 } else { 0 };
            }
            most_sent = most_sent.max(sent);
        }
        self.counters.trades_sent += most_sent;
    }

    /// Publishes one frame of a recording, as it is or without its wrapping.
    pub(crate) fn publish_line(&mut self, recording: &Recording, line: &Line) {
        let (index, market) = (line.stream, recording.streams[line.stream].market);
        if let Some(trade) = line.trade
            && self.histories[market].add(trade)
        {
            self.counters.trades += 1;
        }
        if self.streams[index].subscribers.is_empty() || self.is_muted(market) {
            return;
        }
        let sent = self.send(index, |out, _, style| {
            out.extend_from_slice(recording.bytes(if style.combined { &line.message } else { &line.data }));
        });
        self.counters.trades_sent += u64::from(sent && line.trade.is_some());
    }

    /// Sends the trades that Kraken's frames gathered in this tick.
    fn publish_batches(&mut self) {
        for position in 0..self.batched.len() {
            let market = self.batched[position];
            let trades = std::mem::take(&mut self.batches[market]);
            let index = self.market_streams[market][0];
            for group in trades.chunks(TRADES_A_FRAME) {
                let sent = self.send(index, |out, hub, _| {
                    kraken::write_trades(out, &hub.markets[market], group, kraken::UPDATE);
                });
                self.counters.trades_sent += if sent { group.len() as u64 } else { 0 };
            }
            self.batches[market] = trades;
            self.batches[market].clear();
        }
        self.batched.clear();
    }

    /// Sends one payload of a stream to its subscribers; false if none of them will get it.
    fn send(&mut self, index: usize, write: impl Fn(&mut Vec<u8>, &Self, Style)) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.iter_mut().for_each(Vec::clear);
        for subscriber in &self.streams[index].subscribers {
            let out = &mut scratch[subscriber.style.index()];
            if out.is_empty() {
                let start = begin_frame(out);
                write(out, self, subscriber.style);
                end_frame(out, start, Opcode::Text);
            }
        }
        let Self { streams, links, rates, counters, .. } = self;
        let Stream { subscribers, .. } = &streams[index];
        let mut sent = false;
        for subscriber in subscribers {
            if let Some(link) = links[subscriber.link].as_mut() {
                sent |= link.deliver(index, &scratch[subscriber.style.index()], rates, counters);
            }
        }
        self.scratch = scratch;
        sent
    }

    /// Hands a tick's frames to the writers. Connections with more than `limit` bytes pending are cut, if there is one.
    pub(crate) fn flush(&mut self, limit: Option<usize>) {
        self.publish_batches();
        let now = Instant::now();
        let counters = &mut self.counters;
        for link in self.links.iter_mut().flatten() {
            let pending = link.flush(now);
            if limit.is_some_and(|limit| pending > limit) && !link.cut.is_cancelled() {
                tracing::warn!(connection = link.number, pending, "cut a client that reads too slowly");
                counters.slow_clients_cut += 1;
                link.cut.cancel();
            }
        }
    }

    /// Ends the silences and mutes whose time is over.
    pub(crate) fn end_faults(&mut self, now: Instant) {
        self.muted.retain(|(_, until)| until.is_none_or(|until| until > now));
        self.links_mut().for_each(|link| link.end_silence(Some(now)));
    }

    /// Whether frames are held back, which time alone releases.
    pub(crate) fn holds_frames(&self) -> bool {
        self.links().any(super::link::Link::holds_frames)
    }

    fn is_muted(&self, market: usize) -> bool {
        self.muted.iter().any(|(muted, _)| *muted == market)
    }
}
