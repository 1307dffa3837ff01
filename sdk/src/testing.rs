//! For the unit tests of plugins, which run natively: opens a session, feeds it frames as text, shows trades as lines.
//!
//! ```no_run
//! # use tapedeck_sdk::{testing, Plugin};
//! # fn test<Acme: Plugin>() {
//! let mut session = testing::open::<Acme>(&["BTC/USD"]);
//! assert_eq!(
//!     session.trades(r#"{"t":17,"p":"105944.20","q":"0.5","T":1696613755440,"side":"buy"}"#),
//!     ["BTC/USD buy 0.5 at 105944.20, 1696613755440000, id 17"],
//! );
//! assert!(session.refusal("{").contains("not JSON"));
//! # }
//! ```
//!
//! These functions panic where a test would fail anyway. They are absent on wasm32.

mod messages;
mod recorded;
mod shown;

pub use messages::{Expected, Message, MessageKind, read_messages};
pub use recorded::{Report, check_messages, recorded_messages};
pub use shown::Shown;

use crate::{Batch, Decoded, Market, OpenError, OpenRequest, Plugin, Session, SessionEvent, SessionPlan, Setting};

/// What to open a session with.
#[derive(Debug, Clone)]
pub struct Opening {
    request: OpenRequest,
}

impl Opening {
    /// These markets, by their canonical names; nothing else given.
    #[must_use]
    pub fn new(markets: &[&str]) -> Self {
        let markets = markets.iter().map(|name| Market { name: (*name).to_owned(), symbol: None }).collect();
        Self { request: OpenRequest { markets, endpoint: None, rest_endpoint: None, settings: Vec::new() } }
    }

    /// One more market, with the user's own spelling of it.
    #[must_use]
    pub fn symbol(mut self, market: &str, symbol: &str) -> Self {
        self.request.markets.push(Market { name: market.to_owned(), symbol: Some(symbol.to_owned()) });
        self
    }

    /// An option of the feed.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.request.settings.push(Setting { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Another base of the WebSocket url.
    #[must_use]
    pub fn endpoint(mut self, base: &str) -> Self {
        self.request.endpoint = Some(base.to_owned());
        self
    }

    /// Another base of REST urls.
    #[must_use]
    pub fn rest_endpoint(mut self, base: &str) -> Self {
        self.request.rest_endpoint = Some(base.to_owned());
        self
    }

    /// Opens the session.
    ///
    /// # Errors
    ///
    /// The plugin's refusal.
    pub fn open<P: Plugin>(&self) -> Result<Opened<P>, OpenError> {
        let mut session = Session::new();
        let plan = session.open(&self.request)?;
        Ok(Opened { session, plan })
    }
}

/// Opens a session for these markets, by their canonical names.
///
/// # Panics
///
/// If the plugin refuses.
#[must_use]
pub fn open<P: Plugin>(markets: &[&str]) -> Opened<P> {
    match Opening::new(markets).open() {
        Ok(opened) => opened,
        Err(error) => panic!("the plugin refused to open {markets:?}: {}", error.reason),
    }
}

/// A session that is open.
#[derive(Debug)]
pub struct Opened<P> {
    /// The instance, for calls that are not made easier here.
    pub session: Session<P>,
    /// The plan that it was opened with.
    pub plan: SessionPlan,
}

impl<P: Plugin> Opened<P> {
    /// Decodes frames as one batch.
    ///
    /// # Panics
    ///
    /// If the plugin refuses the batch as a whole.
    pub fn decode<F: AsRef<[u8]>>(&mut self, frames: &[F]) -> Decoded {
        match self.session.decode(&batch(frames)) {
            Ok(decoded) => decoded,
            Err(reason) => panic!("the plugin refused the batch: {reason}"),
        }
    }

    /// The trades of one frame, as lines that [`Shown`] writes.
    ///
    /// # Panics
    ///
    /// If the frame is refused.
    pub fn trades(&mut self, frame: impl AsRef<[u8]>) -> Vec<String> {
        let decoded = self.decode(&[frame]);
        assert!(decoded.refusals.is_empty(), "the frame was refused: {}", decoded.refusals[0].reason);
        self.shown(&decoded).iter().map(Shown::to_string).collect()
    }

    /// The events of one frame that gives no trades.
    ///
    /// # Panics
    ///
    /// If the frame is refused or gives a trade.
    pub fn events(&mut self, frame: impl AsRef<[u8]>) -> Vec<SessionEvent> {
        let decoded = self.decode(&[frame]);
        assert!(decoded.refusals.is_empty(), "the frame was refused: {}", decoded.refusals[0].reason);
        assert!(decoded.trades.is_empty(), "the frame gave trades: {:?}", decoded.trades);
        decoded.events.into_iter().map(|event| event.what).collect()
    }

    /// Why one frame is refused.
    ///
    /// # Panics
    ///
    /// If it is not, or if it gives a trade as well.
    pub fn refusal(&mut self, frame: impl AsRef<[u8]>) -> String {
        let mut decoded = self.decode(&[frame]);
        assert!(decoded.trades.is_empty(), "the frame gave trades: {:?}", decoded.trades);
        match decoded.refusals.pop() {
            Some(refusal) => refusal.reason,
            None => panic!("the frame was not refused"),
        }
    }

    /// Decodes a frame with each of its bytes replaced in turn, once as it is and once with a blank behind it, which shows that a
    /// short way of reading usual frames gives what the way for all others gives. How many trades the damaged frames gave.
    ///
    /// # Panics
    ///
    /// If trades or events differ, or only one of the two is refused.
    pub fn agrees_with_a_blank_behind(&mut self, frame: &str) -> usize {
        let mut trades = 0;
        for at in 0..frame.len() {
            for other in *b"\"\\ ,:{}[]019.-eEtaxMZ\n\x80" {
                let mut damaged = frame.as_bytes().to_vec();
                damaged[at] = other;
                let one = self.decode(&[&damaged]);
                damaged.push(b' ');
                let two = self.decode(&[&damaged]);
                let shown = [&one, &two].map(|decoded| format!("{:?} {:?}", decoded.trades, decoded.events));
                assert!(
                    shown[0] == shown[1] && one.refusals.len() == two.refusals.len(),
                    "{}\n{one:?}\n{two:?}",
                    String::from_utf8_lossy(&damaged)
                );
                trades += one.trades.len();
            }
        }
        trades
    }

    /// The trades of an answer, with symbols and decimals as text.
    #[must_use]
    pub fn shown(&self, decoded: &Decoded) -> Vec<Shown> {
        decoded.trades.iter().map(|trade| Shown::new(trade, &self.plan.symbols)).collect()
    }
}

/// Frames as the host hands them over.
#[must_use]
pub fn batch<F: AsRef<[u8]>>(frames: &[F]) -> Batch {
    let mut batch = Batch { bytes: Vec::new(), ends: Vec::new(), received_at: 1_700_000_000_000_000 };
    for frame in frames {
        batch.bytes.extend(frame.as_ref());
        batch.ends.push(batch.bytes.len() as u32);
    }
    batch
}
