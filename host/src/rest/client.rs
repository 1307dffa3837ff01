//! One GET: to allowed hosts and addresses alone, after redirects too, and within limits of size and time.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::time::timeout;
use tower_service::Service;

use super::body;
use super::error::RestError;
use crate::net::{self, AllowedHosts, Origin, shown, shown_text};
use crate::plugin::{Header, HttpRequest, HttpResponse, bounded_escaped};
use crate::session::chain;

/// Limits of a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestLimits {
    /// Most bytes of a body, as sent and as decompressed.
    pub body_bytes: usize,
    /// Most bytes of an answer's headers; at least 8192.
    pub header_bytes: usize,
    /// Most headers of an answer.
    pub headers: usize,
    /// Time of connecting, for all addresses of a host together.
    pub connect: Duration,
    /// Time without any byte of a body.
    pub idle: Duration,
    /// Time of everything together, redirects too.
    pub total: Duration,
    /// Most redirects that are followed.
    pub redirects: usize,
}

impl Default for RestLimits {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            header_bytes: 64 << 10,
            headers: 100,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(60),
            redirects: 3,
        }
    }
}

type Pool = Client<HttpsConnector<HttpConnector<Guarded>>, Empty<Bytes>>;

/// Makes requests; cheap to clone. Clones share connections.
#[derive(Clone)]
pub struct RestClient {
    limits: RestLimits,
    tls: ClientConfig,
    /// Connections are shared by who may reach the same hosts, so that none is used that was made by other rules.
    pools: Arc<Mutex<VecDeque<(AllowedHosts, Pool)>>>,
    #[cfg(test)]
    network: Option<Network>,
}

/// Answers requests in memory.
#[cfg(test)]
pub(crate) type Network =
    Arc<dyn Fn(HttpRequest) -> futures_util::future::BoxFuture<'static, Result<HttpResponse, RestError>> + Send + Sync>;

/// The most sets of rules whose connections are kept; the one that was made first is forgotten.
const MAX_POOLS: usize = 64;
/// Connections that are kept open to one host, and for how long.
const IDLE_CONNECTIONS: usize = 2;
const IDLE_TIME: Duration = Duration::from_secs(20);
const HTTP: [&str; 2] = ["http", "https"];

impl fmt::Debug for RestClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RestClient").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl RestClient {
    /// A client that verifies servers against Mozilla's roots.
    ///
    /// # Errors
    /// The TLS library does not work.
    pub fn new(limits: RestLimits) -> Result<Self, rustls::Error> {
        Ok(Self::with_tls(limits, net::client_config()?))
    }

    pub(crate) fn with_tls(limits: RestLimits, tls: ClientConfig) -> Self {
        Self {
            limits,
            tls,
            pools: Arc::default(),
            #[cfg(test)]
            network: None,
        }
    }

    /// A client of the same kind that knows this network alone.
    #[cfg(test)]
    pub(crate) fn over(&self, network: Network) -> Self {
        Self { network: Some(network), ..self.clone() }
    }

    /// Makes a request, and follows redirects. Any status is an answer.
    ///
    /// # Errors
    /// The request leads where it may not go, the answer is beyond a limit, or there is none.
    pub async fn get(&self, request: &HttpRequest, allowed: &AllowedHosts) -> Result<HttpResponse, RestError> {
        let shown = shown_text(&request.url);
        let total = self.limits.total;
        timeout(total, self.follow(request, allowed)).await.unwrap_or_else(|_| {
            Err(RestError::transient(format!("{shown} gave no whole answer within {} s", total.as_secs_f32())))
        })
    }

    async fn follow(&self, request: &HttpRequest, allowed: &AllowedHosts) -> Result<HttpResponse, RestError> {
        #[cfg(test)]
        if let Some(network) = &self.network {
            return network(request.clone()).await;
        }
        let pool = self.pool(allowed);
        let mut uri: Uri = request
            .url
            .parse()
            .map_err(|error| RestError::permanent(format!("{} is no url: {error}", shown_text(&request.url))))?;
        let home = Origin::of(&uri);
        let mut hops = 0;
        loop {
            allowed.check(&uri, HTTP).map_err(RestError::permanent)?;
            let shown = shown(&uri);
            // Headers may carry a key, which is for the host that the plugin named.
            let is_home = Origin::of(&uri) == home;
            let headers = if is_home { request.headers.as_slice() } else { &[] };
            let answer = pool.request(build(&uri, headers)?).await;
            let answer = answer.map_err(|error| RestError::transient(format!("{shown}: {}", chain(&error))))?;
            let Some(next) = redirect(&uri, &answer).map_err(RestError::permanent)? else {
                return self.take(&shown, answer).await;
            };
            hops += 1;
            if hops > self.limits.redirects {
                let most = self.limits.redirects;
                return Err(RestError::permanent(format!("{shown} redirects once more, after {most} redirects")));
            }
            allowed
                .check(&next, HTTP)
                .map_err(|reason| RestError::permanent(format!("{shown} redirects, but {reason}")))?;
            uri = next;
        }
    }

    async fn take(&self, shown: &str, answer: Response<Incoming>) -> Result<HttpResponse, RestError> {
        let (head, body) = answer.into_parts();
        let body = body::read(shown, &head.headers, body, self.limits.body_bytes, self.limits.idle).await?;
        Ok(HttpResponse { status: head.status.as_u16(), headers: headers(&head.headers), body })
    }

    fn pool(&self, allowed: &AllowedHosts) -> Pool {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(rules, _)| rules == allowed) {
            return pool.clone();
        }
        let mut tcp = HttpConnector::new_with_resolver(Guarded(allowed.clone()));
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(self.limits.connect));
        tcp.set_nodelay(true);
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(self.tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(self.limits.header_bytes)
            .http1_max_headers(self.limits.headers)
            .build(tls);
        if pools.len() >= MAX_POOLS {
            pools.pop_front();
        }
        pools.push_back((allowed.clone(), pool.clone()));
        pool
    }
}

/// Resolves names for connections to what the rules allow. An address in a url is not resolved; `AllowedHosts::check` has
/// seen it.
#[derive(Clone)]
struct Guarded(AllowedHosts);

impl Service<Name> for Guarded {
    type Response = std::vec::IntoIter<std::net::SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allowed = self.0.clone();
        // The connector puts the url's port in place of this one.
        Box::pin(async move { Ok(net::resolve(name.as_str(), 0, &allowed).await?.into_iter()) })
    }
}

fn build(uri: &Uri, headers: &[Header]) -> Result<Request<Empty<Bytes>>, RestError> {
    let mut builder = Request::get(uri.clone());
    for Header { name, value } in headers {
        builder = builder.header(name, value);
    }
    let mut request = builder
        .body(Empty::new())
        .map_err(|error| RestError::permanent(format!("{} cannot be asked for: {error}", shown(uri))))?;
    let agent = HeaderValue::from_static(concat!("tapedeck/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().entry(USER_AGENT).or_insert(agent);
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    Ok(request)
}

/// Where an answer leads, if it is a redirect.
fn redirect(from: &Uri, answer: &Response<Incoming>) -> Result<Option<Uri>, String> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let from_shown = shown(from);
    let Some(location) = answer.headers().get(LOCATION) else {
        return Err(format!("{from_shown} redirects to nowhere"));
    };
    let text = String::from_utf8_lossy(location.as_bytes());
    let target = url::Url::parse(&from.to_string()).and_then(|base| base.join(&text));
    // What is checked is what is connected to: this one reading of the url.
    let uri = target.ok().and_then(|mut target| {
        target.set_fragment(None);
        target.as_str().parse().ok()
    });
    uri.map(Some).ok_or_else(|| format!("{from_shown} redirects to {}, which is no url", bounded_escaped(&text, 200)))
}

/// The headers that a plugin sees: those that are text, without those that speak of the body as it was sent.
fn headers(map: &HeaderMap) -> Vec<Header> {
    map.iter()
        .filter(|(name, _)| ![CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name))
        .filter_map(|(name, value)| {
            Some(Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests;
