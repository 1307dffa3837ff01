//! What the plugin says of itself.

use tapedeck_sdk::{Description, Limits, MarketKind, Precision, Rate, TradeIds};

use crate::options;

/// The description.
pub(crate) fn describe() -> Description {
    Description {
        name: "binance".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        exchange: "binance".to_owned(),
        kind: MarketKind::Spot,
        // Both series, of trades and of aggregated trades, have no holes.
        ids: TradeIds::Dense,
        // What holds whatever the options say: with `time_unit = "microsecond"` times are finer than this.
        precision: Precision::Milliseconds,
        limits: Limits {
            subscriptions: 1024,
            connects: Rate { count: 300, window: 5 * 60 * 1_000 },
            messages: Rate { count: 5, window: 1_000 },
            lifetime: Some(24 * 60 * 60 * 1_000),
            rest: Some(Rate { count: 6_000, window: 60 * 1_000 }),
        },
        hosts: ["stream.binance.com", "data-stream.binance.vision", "api.binance.com", "data-api.binance.vision"]
            .map(str::to_owned)
            .to_vec(),
        options: options::described(),
    }
}
