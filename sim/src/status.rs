//! What a simulator says of itself.

use serde::Serialize;

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Connections that were ever accepted.
    pub connections_total: u64,
    /// Distinct trades that were published, whether or not anybody was connected: the truth.
    pub trades: u64,
    /// Trades that went to at least one connection as they happened (snapshots are not counted).
    pub trades_sent: u64,
    /// Frames with market data, damaged and second copies among them.
    pub frames_sent: u64,
    /// Second copies.
    pub frames_duplicated: u64,
    /// Frames held back behind later ones.
    pub frames_reordered: u64,
    /// Damaged copies.
    pub frames_malformed: u64,
    /// Frames left out by the fault `drop`.
    pub frames_dropped: u64,
    /// Connections cut by a fault.
    pub connections_cut: u64,
    /// Connections left half-open by a fault.
    pub connections_half_open: u64,
    /// Connections cut because they read too slowly.
    pub slow_clients_cut: u64,
    /// Connections cut because they broke a rule: too many messages, no pong, silence without a subscription.
    pub rule_breakers_cut: u64,
    /// REST requests of the exchange's own endpoints.
    pub rest_requests: u64,
    /// REST requests that trouble befell by chance.
    pub rest_troubles: u64,
    /// REST requests that came before the time that a 429 or 418 had named.
    pub rest_too_early: u64,
}

/// A simulator at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The exchange.
    pub exchange: &'static str,
    /// Open connections, half-open ones not counted.
    pub connections: usize,
    /// Markets with a stream that somebody gets.
    pub subscribed_markets: usize,
    /// Whether trades are being published: started, not stopped, not at the end, and enough markets subscribed.
    pub running: bool,
    /// Whether everything is published and written to the sockets.
    pub finished: bool,
    /// Bytes that are not written to the sockets yet.
    pub pending_bytes: usize,
    /// Time of the simulated clock since its start, in milliseconds.
    pub elapsed_ms: u64,
    /// Counts since the start.
    #[serde(flatten)]
    pub counters: Counters,
}
