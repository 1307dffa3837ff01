//! Answers to what the client sent: subscriptions and pings.

use std::borrow::Cow;

use tapedeck_sdk::json::{Kind, Value};
use tapedeck_sdk::log::{Level, log};
use tapedeck_sdk::{Markets, Output, Reason, excerpt};

/// The keys of an answer.
#[derive(Default)]
pub(crate) struct Answer<'a> {
    method: Option<Cow<'a, str>>,
    success: Option<bool>,
    error: Option<Cow<'a, str>>,
    /// The symbol of a refused subscription.
    symbol: Option<Cow<'a, str>>,
    /// Channel and symbol of an accepted one.
    result_channel: Option<Cow<'a, str>>,
    result_symbol: Option<Cow<'a, str>>,
    warnings: Option<&'a [u8]>,
}

impl<'a> Answer<'a> {
    /// Takes a key of the message, if it is one of an answer; true if it came before.
    pub(crate) fn read(&mut self, key: &str, mut value: Value<'_, 'a>) -> Result<bool, Reason> {
        // Kraken leaves out what does not apply, and a null would mean the same.
        if value.kind()? == Kind::Null {
            value.null()?;
            return Ok(false);
        }
        Ok(match key {
            "method" => self.method.replace(value.str()?).is_some(),
            "success" => self.success.replace(value.bool()?).is_some(),
            "error" => self.error.replace(value.str()?).is_some(),
            "symbol" => self.symbol.replace(value.str()?).is_some(),
            "result" => self.read_result(value)?,
            _ => false,
        })
    }

    fn read_result(&mut self, mut value: Value<'_, 'a>) -> Result<bool, Reason> {
        if value.kind()? != Kind::Object {
            value.skip()?;
            return Ok(false);
        }
        let mut twice = false;
        let mut object = value.object()?;
        while let Some((key, value)) = object.next()? {
            twice |= match &*key {
                "channel" => self.result_channel.replace(value.str()?).is_some(),
                "symbol" => self.result_symbol.replace(value.str()?).is_some(),
                "warnings" => self.warnings.replace(value.raw()?).is_some(),
                _ => false,
            };
        }
        Ok(twice)
    }

    /// What the answer means to the session.
    pub(crate) fn decode(self, markets: &Markets, out: &mut Output) -> Result<(), Reason> {
        if let Some(warnings) = self.warnings {
            log(Level::Warn, &format!("Kraken warns: {}", excerpt(warnings)));
        }
        let method = self.method.as_deref();
        if self.error.is_some() || self.success == Some(false) {
            self.refused(markets, out);
            return Ok(());
        }
        match method {
            Some("pong") => {
                out.heartbeat();
                Ok(())
            }
            Some("subscribe") => {
                let market = self.trade_market(markets)?;
                out.subscribed(market);
                Ok(())
            }
            Some("unsubscribe") => {
                let market = self.trade_market(markets)?;
                let symbol = markets.symbol(market).unwrap_or_default();
                out.reconnect(format!("Kraken ended the subscription to {symbol}, which the plugin did not ask for"));
                Ok(())
            }
            Some(other) => {
                Err(format!("an answer to {}, which the plugin never sends", excerpt(other.as_bytes())).into())
            }
            None => Err("neither a channel nor an answer: the message has no `channel` and no `method`".into()),
        }
    }

    /// An error: of the subscription to one market where it names one, else of whatever was sent.
    fn refused(&self, markets: &Markets, out: &mut Output) {
        let error = self.error.as_deref().unwrap_or("Kraken gives no reason");
        // A sentence of the exchange's, kept word for word, within bounds.
        let error: String = error.chars().take(500).collect();
        let symbol = self.symbol.as_deref().or(self.result_symbol.as_deref());
        match (self.method.as_deref(), symbol) {
            (Some("ping" | "pong"), _) => {
                log(Level::Warn, &format!("Kraken refused a ping: {error}"));
                out.heartbeat();
            }
            (_, Some(symbol)) => match markets.find(symbol.as_bytes()) {
                Some(market) => out.rejected(Some(market), error),
                None => out.rejected(None, format!("{error} (for {})", excerpt(symbol.as_bytes()))),
            },
            (_, None) => out.rejected(None, error),
        }
    }

    /// The market of an accepted request for the trade channel.
    fn trade_market(&self, markets: &Markets) -> Result<u32, Reason> {
        let channel = self.result_channel.as_deref().unwrap_or_default();
        if channel != "trade" {
            return Err(format!(
                "an answer for the channel {}, which the plugin never asks for",
                excerpt(channel.as_bytes())
            )
            .into());
        }
        let symbol = self.result_symbol.as_deref().unwrap_or_default();
        let market = markets.find(symbol.as_bytes());
        market.ok_or_else(|| {
            format!("an answer for {}, which is no market of this session", excerpt(symbol.as_bytes())).into()
        })
    }
}
