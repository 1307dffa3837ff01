//! What a Kraken client may ask on the socket.

use serde_json::Value;

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Subscribe { symbols: Vec<String>, snapshot: bool },
    Unsubscribe { symbols: Vec<String> },
    Ping,
}

/// A refusal: the method as far as it is known, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) method: Option<String>,
    pub(super) reason: String,
}

/// Reads a request and its `req_id`.
pub(super) fn parse(text: &str) -> (Result<Request, Refusal>, Option<u64>) {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return (Err(Refusal { method: None, reason: "Malformed request".to_owned() }), None);
    };
    let method = value.get("method").and_then(Value::as_str);
    let request = match method {
        Some("ping") => Ok(Request::Ping),
        Some("subscribe") => trade_symbols(&value).map(|symbols| {
            let snapshot = value["params"]["snapshot"].as_bool().unwrap_or(false);
            Request::Subscribe { symbols, snapshot }
        }),
        Some("unsubscribe") => trade_symbols(&value).map(|symbols| Request::Unsubscribe { symbols }),
        Some(_) => Err("Unknown method".to_owned()),
        None => Err("Malformed request".to_owned()),
    };
    let refusal = |reason| Refusal { method: method.map(str::to_owned), reason };
    (request.map_err(refusal), value.get("req_id").and_then(Value::as_u64))
}

fn trade_symbols(request: &Value) -> Result<Vec<String>, String> {
    let params = &request["params"];
    match params["channel"].as_str() {
        Some("trade") => {}
        Some(other) => return Err(format!("Channel not supported {other}")),
        None => return Err("Channel field must be a string".to_owned()),
    }
    if params.get("snapshot").is_some_and(|snapshot| !snapshot.is_boolean()) {
        return Err("Snapshot field must be a boolean".to_owned());
    }
    let symbols = params["symbol"].as_array().filter(|symbols| !symbols.is_empty());
    let text = |symbol: &Value| symbol.as_str().map(str::to_owned);
    let symbols = symbols.and_then(|symbols| symbols.iter().map(text).collect());
    symbols.ok_or_else(|| "Symbol field must be a list of strings".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let symbols = || vec!["BTC/USD".to_owned(), "ETH/USD".to_owned()];
        let text = r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","ETH/USD"],"snapshot":true},"req_id":7}"#;
        assert_eq!(parse(text), (Ok(Request::Subscribe { symbols: symbols(), snapshot: true }), Some(7)));
        let text = r#"{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USD","ETH/USD"]}}"#;
        assert_eq!(parse(text), (Ok(Request::Unsubscribe { symbols: symbols() }), None));
        assert_eq!(parse(r#"{"method":"ping","req_id":1}"#), (Ok(Request::Ping), Some(1)));
    }

    #[test]
    fn other_requests_are_refused() {
        for (text, reason) in [
            ("{", "Malformed request"),
            ("{}", "Malformed request"),
            (r#"{"method":"addOrder"}"#, "Unknown method"),
            (r#"{"method":"subscribe"}"#, "Channel field must be a string"),
            (
                r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]}}"#,
                "Channel not supported book",
            ),
            (
                r#"{"method":"subscribe","params":{"channel":"trade","symbol":"BTC/USD"}}"#,
                "Symbol field must be a list",
            ),
            (r#"{"method":"subscribe","params":{"channel":"trade","symbol":[]}}"#, "Symbol field must be a list"),
            (
                r#"{"method":"subscribe","params":{"channel":"trade","symbol":["A/B"],"snapshot":1}}"#,
                "must be a boolean",
            ),
        ] {
            let (request, _) = parse(text);
            assert!(matches!(&request, Err(refusal) if refusal.reason.contains(reason)), "{text}: {request:?}");
        }
    }
}
