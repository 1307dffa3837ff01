//! From the socket to the producer, frame by frame.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;

use super::producer::Producer;
use super::record::Layout;
use super::trade::{Markets, Trade};
use super::{binance, kraken};

/// Which exchange is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Exchange {
    /// Binance's combined streams.
    Binance,
    /// Kraken's WebSocket v2.
    Kraken,
}

impl Exchange {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Kraken => "kraken",
        }
    }

    fn markets(self) -> Markets {
        match self {
            Self::Binance => Markets::new("binance", &[("BTCUSDT", "BTC/USDT"), ("ETHUSDT", "ETH/USDT")]),
            Self::Kraken => Markets::new("kraken", &[("BTC/USD", "BTC/USD"), ("ETH/USD", "ETH/USD")]),
        }
    }

    fn subscription(self) -> &'static str {
        match self {
            Self::Binance => r#"{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":1}"#,
            Self::Kraken => {
                r#"{"method":"subscribe","params":{"channel":"trade","symbol":["ETH/USD"],"snapshot":false}}"#
            }
        }
    }
}

/// Reads until the connection ends.
///
/// # Errors
/// It cannot be made, breaks, or Kafka's client refuses a record.
pub async fn run(exchange: Exchange, url: &str, layout: Layout, producer: &Producer) -> Result<()> {
    let (mut socket, _) = connect_async_with_config(url, None, true).await.context("the exchange does not answer")?;
    socket.send(Message::text(exchange.subscription())).await.context("the exchange takes no subscription")?;
    let markets = exchange.markets();
    let mut line = Vec::with_capacity(512);
    let mut take = |trade: &Trade<'_>, received_at_us| match markets.get(trade.symbol) {
        Some(market) => {
            layout.write(trade, market, received_at_us, &mut line);
            producer.send(&market.key, &line)
        }
        None => Ok(()),
    };
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.context("the connection broke")? else { continue };
        let received_at_us = now_us();
        match exchange {
            Exchange::Binance => binance::trade(&text).iter().try_for_each(|trade| take(trade, received_at_us))?,
            Exchange::Kraken => kraken::trades(&text).iter().try_for_each(|trade| take(trade, received_at_us))?,
        }
    }
    Ok(())
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
