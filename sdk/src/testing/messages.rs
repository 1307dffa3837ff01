//! Files of recorded messages or fixtures: one message a line, with the trades that it holds.

use std::fs;
use std::path::Path;

use crate::json::{self, Kind, Scanner, Value};
use crate::testing::Shown;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A frame with trades.
    Trade,
    /// Any other frame.
    Control,
    /// The body of an answer to a REST request.
    Rest,
}

/// A recorded message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What it is.
    pub kind: MessageKind,
    /// The exact text.
    pub raw: String,
    /// The trades in it; none if it must give no trade.
    pub expected: Option<Vec<Expected>>,
    /// Whether a client sent it.
    pub outgoing: bool,
    /// Why a runtime may rightly leave its trades out, where it may.
    pub policy: Option<String>,
    /// Whether its side is not to be compared.
    pub side_disputed: bool,
}

/// A trade as a message's line has it. What is none is not compared.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The exchange's spelling of the market.
    pub symbol: Option<String>,
    /// Exact text.
    pub price: Option<String>,
    /// Exact text.
    pub quantity: Option<String>,
    /// The taker's side, `buy` or `sell`.
    pub side: Option<String>,
    /// Microseconds since 1970.
    pub timestamp: Option<i64>,
    /// The exchange's id.
    pub id: Option<String>,
}

impl Expected {
    /// The first difference from a trade, as a sentence; none if there is no difference.
    #[must_use]
    pub fn difference(&self, trade: &Shown, side_disputed: bool) -> Option<String> {
        let timestamp = trade.timestamp.to_string();
        let expected_timestamp = self.timestamp.map(|timestamp| timestamp.to_string());
        let side = if side_disputed { &None } else { &self.side };
        let fields = [
            ("symbol", &self.symbol, trade.symbol.as_str()),
            ("price", &self.price, trade.price.as_str()),
            ("quantity", &self.quantity, trade.quantity.as_str()),
            ("side", side, trade.side),
            ("timestamp", &expected_timestamp, timestamp.as_str()),
            ("id", &self.id, trade.id.as_str()),
        ];
        fields.into_iter().find_map(|(name, expected, got)| match expected {
            Some(expected) if expected != got => Some(format!("{name}: expected {expected}, got {got}")),
            _ => None,
        })
    }
}

/// Reads a file of messages: a line is a JSON object with `kind` (`trade`, `control` or `rest`), `raw` (the message's text)
/// and `expected` (null, or a list of `symbol`, `price`, `quantity`, `side`, `timestamp_us`, `trade_id`, each of which may
/// be null); also `direction` (`out` for what a client sent), `policy`, `side_disputed`. Other keys are for people.
///
/// # Panics
///
/// If the file cannot be read, or a line is not of this form.
#[must_use]
pub fn read_messages(path: &Path) -> Vec<Message> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => panic!("cannot read {}: {error}", path.display()),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| match message(index + 1, line) {
            Ok(message) => message,
            Err(error) => panic!("{}:{}: {error}", path.display(), index + 1),
        })
        .collect()
}

fn message(line: usize, text: &str) -> Result<Message, String> {
    let mut kind = None;
    let mut raw = None;
    let mut message = Message {
        line,
        kind: MessageKind::Control,
        raw: String::new(),
        expected: None,
        outgoing: false,
        policy: None,
        side_disputed: false,
    };
    let mut fields = |scanner: &mut Scanner<'_>| -> Result<(), json::Error> {
        let mut object = scanner.root().object()?;
        while let Some((key, value)) = object.next()? {
            match &*key {
                "kind" => kind = Some(value.str()?.into_owned()),
                "raw" => raw = Some(value.str()?.into_owned()),
                "expected" => message.expected = expected(value)?,
                "direction" => message.outgoing = optional_text(value)?.as_deref() == Some("out"),
                "policy" => message.policy = optional_text(value)?,
                "side_disputed" => message.side_disputed = value.bool()?,
                _ => {}
            }
        }
        Ok(())
    };
    let mut scanner = Scanner::new(text.as_bytes());
    fields(&mut scanner).and_then(|()| scanner.finish()).map_err(|error| error.to_string())?;
    message.kind = match kind.as_deref() {
        Some("trade") => MessageKind::Trade,
        Some("control") => MessageKind::Control,
        Some("rest") => MessageKind::Rest,
        other => return Err(format!("`kind` is {other:?}, and not trade, control or rest")),
    };
    message.raw = raw.ok_or("`raw` is missing")?;
    Ok(message)
}

fn expected(mut value: Value<'_, '_>) -> Result<Option<Vec<Expected>>, json::Error> {
    if value.kind()? == Kind::Null {
        value.null()?;
        return Ok(None);
    }
    let mut trades = Vec::new();
    let mut array = value.array()?;
    while let Some(row) = array.next()? {
        let mut trade = Expected::default();
        let mut object = row.object()?;
        while let Some((key, value)) = object.next()? {
            match &*key {
                "symbol" => trade.symbol = optional_text(value)?,
                "price" => trade.price = optional_text(value)?,
                "quantity" => trade.quantity = optional_text(value)?,
                "side" => trade.side = optional_text(value)?,
                "timestamp_us" => trade.timestamp = optional_text(value)?.and_then(|text| text.parse().ok()),
                "trade_id" => trade.id = optional_text(value)?,
                _ => {}
            }
        }
        trades.push(trade);
    }
    Ok(Some(trades))
}

fn optional_text(mut value: Value<'_, '_>) -> Result<Option<String>, json::Error> {
    if value.kind()? == Kind::Null {
        value.null()?;
        return Ok(None);
    }
    value.text().map(|text| Some(text.into_owned()))
}
