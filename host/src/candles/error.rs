//! Why there are no candles to show, as sentences.

use clickhouse::error::Error as ClientError;

use super::CandleSource;
use crate::schema::{SchemaError, server_code};

/// Why candles could not be fetched or shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CandleError {
    /// There is no such interval.
    #[error("there are no candles of {interval:?}: the intervals are 1m, 5m, 15m, 30m, 1h, 1d")]
    UnknownInterval {
        /// What was asked for.
        interval: String,
    },
    /// No trade of that exchange is there.
    #[error("no candles of exchange {exchange:?} are in the database{}", hint(.nearest))]
    UnknownExchange {
        /// What was asked for.
        exchange: String,
        /// What is there and looks like it.
        nearest: Vec<String>,
    },
    /// No trade of that market is there.
    #[error("no candles of market {market:?} on {exchange} are in the database{}", hint(.nearest))]
    UnknownMarket {
        /// Exchange that was asked for.
        exchange: String,
        /// Market that was asked for.
        market: String,
        /// What is there and looks like it.
        nearest: Vec<String>,
    },
    /// The database or its views are not there.
    #[error("database {database} has no candles yet: run `tapedeck sql apply` first")]
    NotApplied {
        /// Database that was asked.
        database: String,
    },
    /// A candle starts at a time that cannot be shown.
    #[error("a candle starts {second} s after 1970, which is no time that can be shown")]
    Time {
        /// What the server said.
        second: u32,
    },
    /// The server could not be reached or asked.
    #[error(transparent)]
    Server(SchemaError),
    /// The output could not be made.
    #[error("the candles cannot be written as {format}")]
    Render {
        /// Format that was asked for.
        format: &'static str,
        /// What the writer said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CandleError {
    pub(super) fn of_client(source: &CandleSource, error: ClientError) -> Self {
        if let ClientError::BadResponse(message) = &error
            // UNKNOWN_TABLE, UNKNOWN_DATABASE
            && matches!(server_code(message), Some(60 | 81))
        {
            return Self::NotApplied { database: source.database.clone() };
        }
        Self::Server(SchemaError::of_client(&source.url, &source.user, error))
    }
}

fn hint(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(" or ")) }
}
