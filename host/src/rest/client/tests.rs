//! The client against servers that mean it ill.

use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::*;
use crate::net::HostRules;

mod tls;

const MIB: usize = 1 << 20;

/// A server that answers each request, given as text up to the end of its headers, as `answer` says.
async fn serve<F>(answer: impl Fn(String, TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => asked.push(byte),
                    Err(_) => break,
                }
            }
            tokio::spawn(answer(String::from_utf8_lossy(&asked).into_owned(), stream));
        }
    });
    address
}

/// A server that answers every request with these bytes, and closes.
async fn serve_bytes(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes = bytes.into();
    serve(move |_, mut stream| {
        let bytes = bytes.clone();
        async move {
            // The client may hang up before all of it is sent.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn redirect_to(target: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn limits() -> RestLimits {
    RestLimits {
        body_bytes: MIB,
        header_bytes: 16 << 10,
        headers: 50,
        connect: Duration::from_secs(5),
        idle: Duration::from_millis(300),
        total: Duration::from_secs(3),
        redirects: 3,
    }
}

/// Asks a server that the configuration names.
async fn ask(address: SocketAddr, path: &str) -> Result<HttpResponse, RestError> {
    let endpoint = format!("http://{address}");
    let rules = HostRules { endpoint: Some(&endpoint), allow_plain: true, ..HostRules::default() };
    get(&format!("{endpoint}{path}"), &rules).await
}

async fn get(url: &str, rules: &HostRules<'_>) -> Result<HttpResponse, RestError> {
    let client = RestClient::new(limits()).unwrap();
    let header = Header { name: "x-key".into(), value: "hunter2".into() };
    let request = HttpRequest { url: url.to_owned(), headers: vec![header], weight: 1 };
    client.get(&request, &AllowedHosts::new(rules).unwrap()).await
}

/// Whether it failed for good, with these words and without those of the query.
fn assert_fails(result: Result<HttpResponse, RestError>, for_good: bool, part: &str) {
    let error = result.unwrap_err();
    let sentence = error.to_string();
    assert_eq!(error.is_transient(), !for_good, "{sentence}");
    assert!(sentence.contains(part), "{sentence}");
    assert!(!sentence.contains("secret"), "{sentence}");
}

#[tokio::test]
async fn an_answer_arrives() {
    let server = serve(|asked, mut stream| async move {
        assert!(asked.contains("accept-encoding: gzip\r\n") && asked.contains("user-agent: tapedeck/"), "{asked}");
        assert!(asked.contains("x-key: hunter2\r\n"), "{asked}");
        stream.write_all(&ok("x-weight: 7\r\ncontent-encoding: gzip\r\n", &gzip(b"[1,2,3]"))).await.unwrap();
    })
    .await;
    let answer = ask(server, "/trades?symbol=A").await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"[1,2,3]".as_slice()));
    assert_eq!(answer.headers, [Header { name: "x-weight".into(), value: "7".into() }]);
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let server = serve_bytes("HTTP/1.1 418 I'm a teapot\r\nretry-after: 9\r\ncontent-length: 2\r\n\r\nno").await;
    let answer = ask(server, "/").await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (418, b"no".as_slice()));
    assert_eq!(answer.headers, [Header { name: "retry-after".into(), value: "9".into() }]);
}

#[tokio::test]
async fn bodies_have_a_bound() {
    let exact = serve_bytes(ok("", &vec![b' '; MIB])).await;
    assert_eq!(ask(exact, "/").await.unwrap().body.len(), MIB);
    let announced = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    assert_fails(ask(announced, "/?secret").await, true, "has more than 1048576 bytes");
    let unannounced = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(), &vec![b' '; 2 * MIB]].concat();
    assert_fails(ask(serve_bytes(unannounced).await, "/").await, true, "has more than 1048576 bytes");
    let bomb = gzip(&vec![0; 256 * MIB]);
    assert!(bomb.len() < MIB);
    let bomb = serve_bytes(ok("content-encoding: gzip\r\n", &bomb)).await;
    assert_fails(ask(bomb, "/").await, true, "has more than 1048576 bytes");
}

#[tokio::test]
async fn encodings_that_were_not_asked_for_are_refused() {
    for encoding in ["br", "gzip, gzip", "\u{1b}[2J"] {
        let server = serve_bytes(ok(&format!("content-encoding: {encoding}\r\n"), b"x")).await;
        let Err(error) = ask(server, "/").await else { panic!("{encoding} was taken") };
        assert!(!error.to_string().contains('\u{1b}'));
    }
    let broken = serve_bytes(ok("content-encoding: gzip\r\n", b"no gzip")).await;
    assert_fails(ask(broken, "/").await, false, "is no whole gzip");
}

#[tokio::test]
async fn slow_bodies_end() {
    let stopped = serve(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab").await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    assert_fails(ask(stopped, "/?secret").await, false, "came to a stop for 0.3 s");
    let dripping = serve(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let began = Instant::now();
    assert_fails(ask(dripping, "/?secret").await, false, "gave no whole answer within 3 s");
    assert!(began.elapsed() < Duration::from_secs(6));
    let silent = serve(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    assert_fails(ask(silent, "/").await, false, "gave no whole answer within 3 s");
    let cut = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab").await;
    assert_fails(ask(cut, "/").await, false, "broke off");
}

#[tokio::test]
async fn headers_have_a_bound() {
    let many: String = (0..60).map(|number| format!("x-{number}: y\r\n")).collect();
    assert_fails(ask(serve_bytes(ok(&many, b"")).await, "/?secret").await, false, "http://127.0.0.1:");
    let long = format!("x-long: {}\r\n", "y".repeat(64 << 10));
    assert_fails(ask(serve_bytes(ok(&long, b"")).await, "/?secret").await, false, "http://127.0.0.1:");
}

#[tokio::test]
async fn redirects_stay_on_allowed_hosts() {
    let foreign = serve_bytes(ok("", b"stolen")).await;
    for (target, part) in [
        (format!("http://{foreign}/"), "not on the feed's endpoint"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "not on the feed's endpoint"),
        ("http://[::1]/".to_owned(), "not on the feed's endpoint"),
        ("//evil.example.com/x?secret".to_owned(), "redirects, but http://evil.example.com/x is not on"),
        ("file:///etc/passwd".to_owned(), "redirects"),
        ("https://user:secret@127.0.0.1/".to_owned(), "carries credentials"),
        ("http://%1b[31m/".to_owned(), "redirects to http://%1b[31m/, which is no url"),
    ] {
        let error = ask(serve_bytes(redirect_to(&target)).await, "/").await.unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains(part) && !error.is_transient(), "{target}: {sentence}");
        assert!(!sentence.contains("secret") && !sentence.contains('\u{1b}'), "{sentence}");
    }
    let nowhere = serve_bytes("HTTP/1.1 301 Moved\r\ncontent-length: 0\r\n\r\n").await;
    assert_fails(ask(nowhere, "/").await, true, "redirects to nowhere");
}

#[tokio::test]
async fn redirects_on_the_same_host_are_followed_up_to_three() {
    for (hops, good) in [(3, true), (4, false)] {
        let server = serve(move |asked, mut stream| async move {
            let number: usize = asked.split([' ', '/']).nth(2).unwrap().parse().unwrap();
            let answer =
                if number == hops { ok("", b"there") } else { redirect_to(&format!("/{}", number + 1)).into() };
            stream.write_all(&answer).await.unwrap();
        })
        .await;
        match ask(server, "/0").await {
            Ok(answer) => assert!(good && answer.body == b"there"),
            failed => assert_fails(failed.map(|_| unreachable!()), true, "redirects once more, after 3 redirects"),
        }
        assert!(good || ask(server, "/1").await.is_ok());
    }
}

#[tokio::test]
async fn a_plugins_headers_are_not_for_other_hosts() {
    let other = serve(|asked, mut stream| async move {
        assert!(!asked.contains("hunter2"), "{asked}");
        stream.write_all(&ok("", b"there")).await.unwrap();
    })
    .await;
    let first = serve_bytes(redirect_to(&format!("http://127.0.0.1:{}/", other.port()))).await;
    let hosts = ["127.0.0.1".to_owned()];
    let rules = HostRules { added: &hosts, allow_plain: true, ..HostRules::default() };
    assert_eq!(get(&format!("http://{first}/"), &rules).await.unwrap().body, b"there");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_reached() {
    let server = serve_bytes(ok("", b"inside")).await;
    let hosts = ["localhost".to_owned()];
    let rules = HostRules { declared: &hosts, allow_plain: true, ..HostRules::default() };
    let url = format!("http://localhost:{}/?secret", server.port());
    assert_fails(get(&url, &rules).await, false, "a loopback address, which no feed reaches unless");
    let added = HostRules { declared: &[], added: &hosts, ..rules };
    assert_fails(get(&url, &added).await, false, "a loopback address");
    let allowed = HostRules { allow_private: true, ..rules };
    assert_eq!(get(&url, &allowed).await.unwrap().body, b"inside");
    let endpoint = format!("http://localhost:{}", server.port());
    let named = HostRules { endpoint: Some(&endpoint), declared: &[], ..rules };
    assert_eq!(get(&url, &named).await.unwrap().body, b"inside");
    // As a redirect from a server that may be reached.
    let first = serve_bytes(redirect_to(&url)).await;
    let endpoint = format!("http://{first}");
    let rules = HostRules { endpoint: Some(&endpoint), added: &hosts, allow_plain: true, ..HostRules::default() };
    assert_fails(get(&endpoint, &rules).await, false, "a loopback address");
}

#[tokio::test]
async fn a_declared_address_is_no_way_in() {
    let server = serve_bytes(ok("", b"inside")).await;
    let hosts = ["127.0.0.1".to_owned(), "0x7f.1".to_owned(), "::ffff:127.0.0.1".to_owned()];
    let rules = HostRules { declared: &hosts, allow_plain: true, ..HostRules::default() };
    for host in ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let error = get(&format!("http://{host}:{}/", server.port()), &rules).await.unwrap_err().to_string();
        assert!(error.contains("a loopback address"), "{error}");
    }
}

#[tokio::test]
async fn nobody_there_may_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_fails(ask(address, "/?secret").await, false, &format!("http://{address}/: "));
}

#[tokio::test]
async fn tries_again_what_may_pass() {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = serve(move |_, mut stream| {
        let first = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        async move {
            let busy = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n".to_vec();
            stream.write_all(&if first { busy } else { ok("", b"there") }).await.unwrap();
        }
    })
    .await;
    let endpoint = format!("http://{server}");
    let rules = HostRules { endpoint: Some(&endpoint), allow_plain: true, ..HostRules::default() };
    let rest = crate::rest::Rest {
        client: RestClient::new(limits()).unwrap(),
        budget: crate::rest::RestBudget::new("moonex", None),
        allowed: AllowedHosts::new(&rules).unwrap(),
    };
    let request = HttpRequest { url: endpoint.clone(), headers: vec![], weight: 1 };
    let began = Instant::now();
    assert_eq!(rest.get_patiently(&request, 3).await.unwrap().body, b"there");
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
}
