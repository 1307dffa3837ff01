//! `/metrics` for Prometheus, `/health` for who restarts the process, `/ready` for who sends it work.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::session::SessionStatus;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// Whether the topics are there.
    pub kafka: Arc<AtomicBool>,
    /// Every session by name.
    pub sessions: Arc<Vec<(String, SessionStatus)>>,
}

/// Takes the address.
///
/// # Errors
/// The port is in use, or the address is not this machine's.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen} ([http] listen) can't be used: give another port, or stop who has it"))
}

/// Answers until `shutdown`.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    surroundings: Surroundings,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(ready))
        .with_state(surroundings);
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

async fn metrics(State(surroundings): State<Surroundings>) -> Response {
    match surroundings.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// 200 if Kafka is there and every session is live, else 503; one line for each.
async fn ready(State(surroundings): State<Surroundings>) -> (StatusCode, String) {
    let kafka = surroundings.kafka.load(Ordering::Relaxed);
    let mut all = kafka;
    let mut text = format!("kafka: {}\n", if kafka { "ready" } else { "not reached yet" });
    for (name, status) in surroundings.sessions.iter() {
        let state = status.get();
        all &= state.is_live();
        let _ = writeln!(text, "{name}: {}", state.as_str());
    }
    (if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}
