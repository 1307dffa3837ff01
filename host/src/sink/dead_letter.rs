//! Dead letters: frames that gave no trade, with their exact bytes and the reason.

use rdkafka::message::{Header, OwnedHeaders};

use super::record::SCHEMA_VERSION;
use crate::trade::Origin;

/// A frame that could not be used.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// The frame, byte for byte.
    pub frame: &'a [u8],
    /// Who refused it: the plugin's kinds of refusal, or `protocol`.
    pub kind: &'static str,
    /// Why, as a sentence.
    pub reason: &'a str,
    /// The host's time of the frame, µs since 1970 UTC.
    pub received_at_us: i64,
}

impl DeadLetter<'_> {
    /// Its headers; `session` is the name of the session that it came by.
    pub fn headers(&self, origin: &Origin, session: &str) -> OwnedHeaders {
        OwnedHeaders::new_with_capacity(8)
            .insert(Header { key: "schema-version", value: Some(&SCHEMA_VERSION.to_string()) })
            .insert(Header { key: "exchange", value: Some(&origin.exchange) })
            .insert(Header { key: "plugin", value: Some(&origin.plugin) })
            .insert(Header { key: "plugin-version", value: Some(&origin.plugin_version) })
            .insert(Header { key: "session", value: Some(session) })
            .insert(Header { key: "received-at-us", value: Some(&self.received_at_us.to_string()) })
            .insert(Header { key: "kind", value: Some(self.kind) })
            .insert(Header { key: "reason", value: Some(self.reason) })
    }
}
