//! A file of recorded messages.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// By the socket, with trades.
    Trade,
    /// By the socket, without.
    Control,
    /// As the body of a REST response.
    Rest,
}

/// One recorded message.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    /// Number of its line in the file, from 1.
    #[serde(skip)]
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) raw: String,
    #[serde(default)]
    pub(super) expected: Option<Vec<Expected>>,
    #[serde(default)]
    direction: Option<String>,
    #[serde(default)]
    policy: Option<Value>,
    #[serde(default)]
    side_disputed: Option<Value>,
    #[serde(default)]
    context: Option<Value>,
}

/// A trade that a message holds. What is none is not compared.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Expected {
    #[serde(default)]
    pub(super) symbol: Option<String>,
    #[serde(default)]
    pub(super) price: Option<String>,
    #[serde(default)]
    pub(super) quantity: Option<String>,
    #[serde(default)]
    pub(super) side: Option<String>,
    #[serde(default)]
    pub(super) timestamp_us: Option<i64>,
    #[serde(default)]
    pub(super) trade_id: Option<TextOrNumber>,
}

/// An id, which recordings give either way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrNumber {
    Text(String),
    Number(u64),
}

impl std::fmt::Display for TextOrNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => text.fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

impl Message {
    /// Whether the client sent it.
    pub(super) fn is_outgoing(&self) -> bool {
        self.direction.as_deref() == Some("out")
    }

    /// Whether it holds trades that a plugin may rightly leave out.
    pub(super) fn is_optional(&self) -> bool {
        self.policy.as_ref().is_some_and(is_set)
    }

    /// Whether the exchange's documentation and its clients disagree on the side.
    pub(super) fn is_side_disputed(&self) -> bool {
        self.side_disputed.as_ref().is_some_and(is_set)
    }

    /// The request that a REST body answers, for example `GET /0/public/Trades?pair=XBTUSDT`.
    pub(super) fn request(&self) -> Option<&str> {
        self.context.as_ref()?.get("request")?.as_str()
    }

    /// The symbol that the message is about, where only its surroundings say it.
    pub(super) fn context_symbol(&self) -> Option<&str> {
        self.context.as_ref()?.get("symbol")?.as_str()
    }

    /// Trades that it holds.
    pub(super) fn trades(&self) -> &[Expected] {
        self.expected.as_deref().unwrap_or_default()
    }
}

fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// Reads a file of messages. Empty lines are passed over.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Message>> {
    let shown = file.display();
    let bytes = fs::read(file).with_context(|| format!("the file of messages {shown} can't be read"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        anyhow::anyhow!("{shown}, line {line}: is not UTF-8; recorded messages are text, one JSON object a line")
    })?;
    let mut messages = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        messages.push(parse(line, index + 1).with_context(|| format!("{shown}, line {}", index + 1))?);
    }
    if messages.is_empty() {
        bail!("{shown} has no messages; give a file of recorded messages, one JSON object a line");
    }
    Ok(messages)
}

fn parse(line: &str, number: usize) -> anyhow::Result<Message> {
    let value: Value =
        serde_json::from_str(line).context("is not JSON; recorded messages are one JSON object a line")?;
    let message: Message = serde_json::from_value(value).context(
        "is no recorded message; it needs `kind` (trade, control or rest), `raw` (text) and `expected` (null, or a list of \
         trades with symbol, price, quantity, side, timestamp_us and trade_id)",
    )?;
    Ok(Message { line: number, ..message })
}
