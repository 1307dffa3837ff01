//! What a Binance client may ask on the socket, and the documented errors for what it may not.

use serde_json::Value;

/// The methods that exist, as the error for any other lists them.
const METHODS: &str = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`";

/// A request.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    List,
    SetCombined(bool),
    GetCombined,
}

/// A refusal: code, message, and whether the documentation shows it with the request's id.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) with_id: bool,
}

impl Refusal {
    pub(super) fn invalid_request(reason: impl AsRef<str>) -> Self {
        Self { code: 2, message: format!("Invalid request: {}", reason.as_ref()), with_id: false }
    }
}

/// Reads a request and its id.
pub(super) fn parse(text: &str) -> Result<(Request, Value), (Refusal, Value)> {
    let anonymous = |refusal| (refusal, Value::Null);
    let value: Value = serde_json::from_str(text)
        .map_err(|error| anonymous(Refusal { code: 3, message: format!("Invalid JSON: {error}"), with_id: false }))?;
    let missing =
        |field: &str| Refusal::invalid_request(format!("missing field `{field}` at line 1 column {}", text.len()));
    let Some(method) = value.get("method").and_then(Value::as_str) else {
        return Err(anonymous(missing("method")));
    };
    let id = match value.get("id") {
        Some(id) if is_id(id) => id.clone(),
        _ => return Err(anonymous(Refusal::invalid_request("request ID must be an unsigned integer"))),
    };
    let params = value.get("params").and_then(Value::as_array);
    let streams = || params.ok_or_else(|| missing("params")).and_then(|params| stream_names(params));
    let request = match method {
        "SUBSCRIBE" => streams().map(Request::Subscribe),
        "UNSUBSCRIBE" => streams().map(Request::Unsubscribe),
        "LIST_SUBSCRIPTIONS" if params.is_none_or(Vec::is_empty) => Ok(Request::List),
        "LIST_SUBSCRIPTIONS" => Err(Refusal::invalid_request("too many parameters")),
        "GET_PROPERTY" => property(params, 1).map(|_| Request::GetCombined),
        "SET_PROPERTY" => property(params, 2).and_then(|value| {
            let expected_boolean =
                Refusal { code: 1, message: "Invalid value type: expected Boolean".into(), with_id: false };
            value.and_then(Value::as_bool).map(Request::SetCombined).ok_or(expected_boolean)
        }),
        other => Err(Refusal::invalid_request(format!(
            "unknown variant `{other}`, expected one of {METHODS} at line 1 column 28"
        ))),
    };
    request.map(|request| (request, id.clone())).map_err(|refusal| (refusal, id))
}

/// Ids are 64-bit signed integers, null, or up to 36 characters.
fn is_id(id: &Value) -> bool {
    id.is_null() || id.is_i64() || id.as_str().is_some_and(|text| text.chars().count() <= 36)
}

fn stream_names(params: &[Value]) -> Result<Vec<String>, Refusal> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    let not_text = || Refusal::invalid_request("stream name must be a string");
    params.iter().map(|value| name(value).ok_or_else(not_text)).collect()
}

/// The value behind the name of the only property, `combined`.
fn property(params: Option<&Vec<Value>>, count: usize) -> Result<Option<&Value>, Refusal> {
    let params = params.map(Vec::as_slice).unwrap_or_default();
    let Some(name) = params.first().and_then(Value::as_str) else {
        return Err(Refusal::invalid_request("property name must be a string"));
    };
    if name != "combined" {
        return Err(Refusal { code: 0, message: "Unknown property".to_owned(), with_id: true });
    }
    if params.len() > count {
        return Err(Refusal::invalid_request("too many parameters"));
    }
    Ok(params.get(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_read() {
        let streams = || vec!["btcusdt@trade".to_owned()];
        for (text, request, id) in [
            (r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}"#, Request::Subscribe(streams()), json!(1)),
            (
                r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":"a1"}"#,
                Request::Unsubscribe(streams()),
                json!("a1"),
            ),
            (r#"{"method":"LIST_SUBSCRIPTIONS","id":null}"#, Request::List, json!(null)),
            (
                r#"{"method":"SET_PROPERTY","params":["combined",false],"id":-5}"#,
                Request::SetCombined(false),
                json!(-5),
            ),
            (r#"{"method":"GET_PROPERTY","params":["combined"],"id":2}"#, Request::GetCombined, json!(2)),
        ] {
            assert_eq!(parse(text), Ok((request, id)), "{text}");
        }
    }

    #[test]
    fn refusals_are_those_of_the_documentation() {
        for (text, code, message) in [
            ("nonsense", 3, "Invalid JSON: expected"),
            ("[]", 2, "missing field `method` at line 1 column 2"),
            (r#"{"params":[],"id":1}"#, 2, "missing field `method`"),
            (r#"{"method":"SUBSCRIBE","params":[]}"#, 2, "request ID must be an unsigned integer"),
            (r#"{"method":"SUBSCRIBE","params":[],"id":1.5}"#, 2, "request ID must be an unsigned integer"),
            (r#"{"method":"SUBSCRIBE","params":[7],"id":1}"#, 2, "stream name must be a string"),
            (r#"{"method":"SUBSCRIBE","id":1}"#, 2, "missing field `params`"),
            (r#"{"method":"LIST_SUBSCRIPTIONS","params":["x"],"id":1}"#, 2, "too many parameters"),
            (r#"{"method":"LOGIN","id":1}"#, 2, "unknown variant `LOGIN`, expected one of `SUBSCRIBE`"),
            (r#"{"method":"SET_PROPERTY","params":["combined",1],"id":1}"#, 1, "expected Boolean"),
            (r#"{"method":"SET_PROPERTY","params":["speed",1],"id":1}"#, 0, "Unknown property"),
            (r#"{"method":"GET_PROPERTY","params":[],"id":1}"#, 2, "property name must be a string"),
            (r#"{"method":"GET_PROPERTY","params":["combined",1],"id":1}"#, 2, "too many parameters"),
        ] {
            let refusal = parse(text).map_err(|(refusal, _)| refusal);
            assert!(
                matches!(&refusal, Err(refusal) if refusal.code == code && refusal.message.contains(message)),
                "{text}: {refusal:?}"
            );
        }
    }
}
