//! What an exchange sends: how a trade looks, and the answer to a subscription.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::template::{ID_DIGITS, ID_MARK, TIME_MARK};
use super::tick::Tick;

/// Whose protocol. One market, one trade a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Binance's combined streams, each fill.
    BinanceTrade,
    /// Binance's combined streams, the fills of one order at one price as one.
    BinanceAggTrade,
    /// Kraken's WebSocket v2.
    Kraken,
}

impl Form {
    /// The name that the command line knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BinanceTrade => "binance-trade",
            Self::BinanceAggTrade => "binance-agg-trade",
            Self::Kraken => "kraken",
        }
    }

    /// A trade's message, with marks in the places of its id and its times.
    #[must_use]
    pub fn message(self, tick: &Tick) -> String {
        let (id, time) = (ID_MARK.repeat(ID_DIGITS), TIME_MARK.repeat(self.time(jiff::Timestamp::UNIX_EPOCH).len()));
        let Tick { price, quantity, sell } = tick;
        match self {
            Self::BinanceTrade => format!(
                r#"{{"stream":"ethusdt@trade","data":{{"e":"trade","E":{time},"s":"ETHUSDT","t":{id},"p":"{price}","q":"{quantity}","T":{time},"m":{sell},"M":true}}}}"#
            ),
            Self::BinanceAggTrade => format!(
                r#"{{"stream":"ethusdt@aggTrade","data":{{"e":"aggTrade","E":{time},"s":"ETHUSDT","a":{id},"p":"{price}","q":"{quantity}","f":{id},"l":{id},"T":{time},"m":{sell},"M":true}}}}"#
            ),
            Self::Kraken => format!(
                r#"{{"channel":"trade","type":"update","data":[{{"symbol":"ETH/USD","side":"{}","price":{},"qty":{quantity},"ord_type":"limit","trade_id":{id},"timestamp":"{time}"}}]}}"#,
                if *sell { "sell" } else { "buy" },
                shortened(price),
            ),
        }
    }

    /// A time as it stands in a message; of the same length for all times of our days.
    #[must_use]
    pub fn time(self, time: jiff::Timestamp) -> Vec<u8> {
        match self {
            Self::BinanceTrade | Self::BinanceAggTrade => format!("{:013}", time.as_millisecond()).into_bytes(),
            Self::Kraken => time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into_bytes(),
        }
    }

    /// The answer to a client's message, if it is a request that subscribes.
    #[must_use]
    pub fn answer(self, message: &str) -> Option<String> {
        let request: Value = serde_json::from_str(message).ok()?;
        let method = request.get("method")?.as_str()?;
        if !method.eq_ignore_ascii_case("subscribe") {
            return None;
        }
        let answer = match self {
            Self::BinanceTrade | Self::BinanceAggTrade => json!({"result": null, "id": request.get("id")}),
            Self::Kraken => json!({
                "method": "subscribe",
                "req_id": request.get("req_id"),
                "result": {"channel": "trade", "snapshot": false, "symbol": "ETH/USD"},
                "success": true,
                "time_in": "2026-02-03T09:15:26.900001Z",
                "time_out": "2026-02-03T09:15:26.900040Z",
            }),
        };
        Some(answer.to_string())
    }

    /// What is sent once a second while there are no trades, where clients take silence for a broken connection.
    #[must_use]
    pub fn heartbeat(self) -> Option<&'static str> {
        match self {
            Self::BinanceTrade | Self::BinanceAggTrade => None,
            Self::Kraken => Some(r#"{"channel":"heartbeat"}"#),
        }
    }
}

/// A decimal as Kraken writes prices, `2683.8` for `2683.80000000`.
fn shortened(decimal: &str) -> &str {
    decimal.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::template::Template;

    fn message(form: Form) -> Value {
        let tick = Tick { price: "2683.80000000".to_owned(), quantity: "0.01530000".to_owned(), sell: true };
        let time = form.time(jiff::Timestamp::from_microsecond(1_770_110_127_118_200).unwrap());
        let mut out = Vec::new();
        Template::plain(&form.message(&tick)).append(1_600_000_001, &time, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn messages_are_json_with_the_trade_in_it() {
        let trade = &message(Form::BinanceTrade)["data"];
        assert_eq!((&trade["t"], &trade["T"]), (&1_600_000_001_u64.into(), &1_770_110_127_118_u64.into()));
        assert_eq!(message(Form::BinanceAggTrade)["data"]["a"], 1_600_000_001_u64);
        let trade = &message(Form::Kraken)["data"][0];
        assert_eq!((&trade["price"], &trade["side"]), (&2683.8.into(), &"sell".into()));
        assert_eq!(trade["timestamp"], "2026-02-03T09:15:27.118200Z");
    }

    #[test]
    fn subscriptions_are_answered_and_nothing_else() {
        let answer = Form::BinanceTrade.answer(r#"{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":7}"#);
        assert_eq!(answer.as_deref(), Some(r#"{"id":7,"result":null}"#));
        assert!(Form::Kraken.answer(r#"{"method":"subscribe","params":{"channel":"trade"}}"#).is_some());
        assert_eq!(Form::Kraken.answer(r#"{"method":"ping"}"#), None);
        assert_eq!(Form::Kraken.answer("no JSON"), None);
    }
}
