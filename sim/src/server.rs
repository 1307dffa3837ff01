//! The one port: WebSocket, REST and the simulator's own endpoints.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::binance::rest::RestRequest;
use crate::connection::{Opening, serve};
use crate::hub::Style;
use crate::options::Exchange;
use crate::shared::Shared;
use crate::{binance, control, kraken, rest};

/// Query parameters in their order.
type Parameters = Query<Vec<(String, String)>>;

/// Accepts connections until the simulator stops.
pub(crate) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let router = routes(shared.options.exchange).with_state(Arc::clone(&shared));
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else {
            // No file handles are left, or the peer is gone already: let others go on.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        if shared.is_away() {
            // Dropped with a reset rather than an orderly end.
            let _ = socket.set_zero_linger();
            continue;
        }
        let (router, stopping, leaving) = (router.clone(), shared.stopping.clone(), shared.leaving());
        shared.tasks.spawn(async move {
            let router = TowerToHyperService::new(router);
            let service = service_fn(|request| {
                let answer = router.call(request);
                async { answered_or_ended(answer.await) }
            });
            let served = http1::Builder::new().serve_connection(TokioIo::new(socket), service).with_upgrades();
            tokio::select! {
                () = stopping.cancelled() => {}
                () = leaving.cancelled() => {}
                served = served => if let Err(error) = served { tracing::debug!(%error, "HTTP connection"); },
            }
        });
    }
}

/// An error in place of a response makes the connection end without one.
fn answered_or_ended(answer: Result<Response, Infallible>) -> io::Result<Response> {
    match answer {
        Ok(response) if response.extensions().get::<rest::NoAnswer>().is_none() => Ok(response),
        Ok(_) => Err(io::Error::other("no answer is to be given")),
        Err(never) => match never {},
    }
}

fn routes(exchange: Exchange) -> Router<Arc<Shared>> {
    let of_exchange = match exchange {
        Exchange::Binance => Router::new()
            .route("/ws", get(binance_raw))
            .route("/ws/{*streams}", get(binance_raw))
            .route("/stream", get(binance_combined))
            .route("/api/v3/{path}", get(binance_rest)),
        Exchange::Kraken => Router::new().route("/v2", get(kraken_socket)).route("/0/public/{path}", get(kraken_rest)),
    };
    of_exchange.merge(control::routes()).fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found\n") })
}

async fn binance_raw(
    State(shared): State<Arc<Shared>>,
    streams: Option<Path<String>>,
    Query(query): Parameters,
    request: Request,
) -> Response {
    let streams = streams.map(|Path(streams)| streams).unwrap_or_default();
    open_binance(shared, request, &query, &streams, false)
}

async fn binance_combined(State(shared): State<Arc<Shared>>, Query(query): Parameters, request: Request) -> Response {
    let streams = query.iter().find(|(key, _)| key == "streams").map(|(_, value)| value.clone()).unwrap_or_default();
    open_binance(shared, request, &query, &streams, true)
}

fn open_binance(
    shared: Arc<Shared>,
    request: Request,
    query: &[(String, String)],
    streams: &str,
    combined: bool,
) -> Response {
    let is_microseconds = |value: &str| value.eq_ignore_ascii_case("microsecond");
    let microseconds = query.iter().any(|(key, value)| key == "timeUnit" && is_microseconds(value));
    let mut names: Vec<String> = Vec::new();
    for name in streams.split('/').filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    let most = shared.options.streams_per_connection;
    if most > 0 && names.len() > most {
        return (StatusCode::BAD_REQUEST, format!("more than {most} streams on one connection\n")).into_response();
    }
    upgrade(shared, request, Opening { style: Style { combined, microseconds }, streams: names })
}

async fn kraken_socket(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    upgrade(shared, request, Opening::default())
}

/// Answers a WebSocket handshake, and serves the connection behind it on the bare socket.
fn upgrade(shared: Arc<Shared>, mut request: Request, opening: Opening) -> Response {
    let headers = request.headers();
    let asks = |name, value: &str| {
        let text = |header: &axum::http::HeaderValue| header.to_str().unwrap_or_default().to_ascii_lowercase();
        headers.get_all(name).iter().any(|header| text(header).split(',').any(|part| part.trim() == value))
    };
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let Some(accept) = key.filter(|_| asks(CONNECTION, "upgrade") && asks(UPGRADE, "websocket")) else {
        return (StatusCode::UPGRADE_REQUIRED, "this is a WebSocket endpoint\n").into_response();
    };
    if !shared.admit_connection() {
        return (StatusCode::TOO_MANY_REQUESTS, "too many connections\n").into_response();
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let tasks = shared.tasks.clone();
    tasks.spawn(async move {
        match upgraded.await.map(|upgraded| upgraded.downcast::<TokioIo<TcpStream>>()) {
            Ok(Ok(parts)) => serve(shared, parts.io.into_inner(), parts.read_buf.to_vec(), opening).await,
            Ok(Err(_)) => tracing::error!("the upgraded connection is not a TCP socket"),
            Err(error) => tracing::debug!(%error, "the client left during the handshake"),
        }
    });
    let headers =
        [(CONNECTION, "upgrade".to_owned()), (UPGRADE, "websocket".to_owned()), (SEC_WEBSOCKET_ACCEPT, accept)];
    (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
}

async fn binance_rest(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Response {
    let unit = headers.get("x-mbx-time-unit").and_then(|unit| unit.to_str().ok()).unwrap_or_default();
    let microseconds = unit.eq_ignore_ascii_case("microsecond");
    rest::respond(&shared, || binance::rest::answer(&shared, &RestRequest { path: &path, query: &query, microseconds }))
}

async fn kraken_rest(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    Query(query): Parameters,
) -> Response {
    rest::respond(&shared, || kraken::rest::answer(&shared, &path, &query))
}
