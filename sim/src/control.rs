//! The simulator's own endpoints, under `/sim/`: truth, status, faults, start and stop.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::fault::{Fault, RestFault, RestRates, parse_duration};
use crate::shared::Shared;
use crate::truth::write_truth;

/// How long clients may take to read what was published before publishing was stopped.
const SETTLING_TIME: Duration = Duration::from_secs(5);

/// Routes under `/sim/`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/sim/truth", get(truth))
        .route("/sim/status", get(status))
        .route("/sim/start", post(start))
        .route("/sim/stop", post(stop))
        .route("/sim/fault/{name}", post(fault))
}

async fn truth(State(shared): State<Arc<Shared>>) -> Response {
    let written = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        write_truth(&shared, &mut out).map(|()| out)
    });
    match written.await {
        Ok(Ok(csv)) => ([(CONTENT_TYPE, "text/csv; charset=utf-8")], csv).into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "the truth could not be written").into_response(),
    }
}

async fn status(State(shared): State<Arc<Shared>>) -> Response {
    let body = serde_json::to_string(&shared.status()).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn start(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.want(true);
    StatusCode::NO_CONTENT
}

/// Answers once nothing more is published, and what was is written to the sockets, so that the truth stands still.
async fn stop(State(shared): State<Arc<Shared>>) -> Response {
    shared.want(false);
    let settled = async {
        while !shared.has_settled() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    match tokio::time::timeout(SETTLING_TIME, settled).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => (StatusCode::ACCEPTED, "stopped, but a client does not read what was sent to it\n").into_response(),
    }
}

async fn fault(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    body: Bytes,
) -> Response {
    let injected = read_fault(&shared, &name, &query, body).and_then(|fault| shared.inject(fault));
    match injected {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(reason) => (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
    }
}

fn read_fault(shared: &Shared, name: &str, query: &[(String, String)], body: Bytes) -> Result<Fault, String> {
    let known: &[&str] = match name {
        "silence" => &["seconds"],
        "mute" => &["market", "seconds"],
        "rest" => &["status", "retry_after", "body_seconds", "down", "seconds", "requests"],
        "rest-rates" => return read_rest_rates(query),
        "away" => &["seconds"],
        "clock" => &["ms"],
        "frame" => &["binary"],
        "rates" => &["duplicate", "reorder", "malformed", "drop"],
        "cut" | "half-open" | "shutdown" | "clear" => &[],
        _ => {
            return Err(format!(
                "there is no fault `{name}`: use cut, silence, half-open, mute, away, shutdown, clock, rest, rest-rates, \
                 frame, rates or clear"
            ));
        }
    };
    if let Some((key, _)) = query.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(format!("the fault {name} has no parameter `{key}`; it has: {}", known.join(", ")));
    }
    let parameter = |key: &str| query.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    let seconds = |key: &str| parameter(key).map(read_seconds).transpose();
    let number = |key: &str| {
        parameter(key).map(|text| text.parse().map_err(|_| format!("`{text}` is not a number"))).transpose()
    };
    Ok(match name {
        "cut" => Fault::Cut,
        "half-open" => Fault::HalfOpen,
        "away" => Fault::Away(seconds("seconds")?.ok_or("say for how long: POST /sim/fault/away?seconds=5")?),
        "clock" => {
            let step = parameter("ms").ok_or("say by how much: POST /sim/fault/clock?ms=-500")?;
            Fault::ClockStep(step.parse().map_err(|_| format!("`{step}` is not a number of milliseconds"))?)
        }
        "shutdown" => Fault::Shutdown,
        "clear" => Fault::Clear,
        "silence" => Fault::Silence(seconds("seconds")?),
        "mute" => {
            let market = parameter("market").ok_or("say which market: POST /sim/fault/mute?market=BTC/USDT")?;
            Fault::Mute(market.to_owned(), seconds("seconds")?)
        }
        "frame" => Fault::Frame { payload: body.to_vec(), binary: parameter("binary") == Some("true") },
        "rest" => Fault::Rest(RestFault {
            status: number("status")?.map(read_status).transpose()?,
            retry_after: number("retry_after")?,
            body_delay: seconds("body_seconds")?,
            down: parameter("down") == Some("true"),
            lasting: seconds("seconds")?,
            requests: number("requests")?,
        }),
        _ => {
            let mut rates = shared.hub().rates.clone();
            query.iter().try_for_each(|(key, value)| rates.set(key, value))?;
            Fault::Rates(rates)
        }
    })
}

/// All rates anew: none ends them.
fn read_rest_rates(query: &[(String, String)]) -> Result<Fault, String> {
    let mut rates = RestRates::default();
    query.iter().try_for_each(|(key, value)| rates.set(key, value))?;
    Ok(Fault::RestRates(rates))
}

fn read_status(status: u64) -> Result<u16, String> {
    u16::try_from(status).ok().filter(|status| (200..600).contains(status)).ok_or(format!("`{status}` is not a status"))
}

/// Seconds, whole or with a fraction.
fn read_seconds(text: &str) -> Result<Duration, String> {
    parse_duration(&format!("{text}s")).map_err(|_| format!("`{text}` is not a number of seconds above 0"))
}
