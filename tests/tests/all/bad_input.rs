//! What an exchange should never send: each frame ends among the dead letters with its exact bytes, and good trades go on.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use tapedeck_sim::{Exchange as Protocol, Fault, Rate, SimulatorOptions, UnknownStreams};
use tapedeck_tests::exchange::Exchange;
use tapedeck_tests::kafka::Record;
use tapedeck_tests::pipeline::Pipeline;
use tapedeck_tests::{servers, wait};

const PATIENCE: Duration = Duration::from_secs(60);

const FORTY_DIGITS: &str = "1234567890123456789012345678901234567890";

fn options(exchange: Protocol, markets: &[&str], seed: u64) -> Result<SimulatorOptions> {
    let mut options =
        SimulatorOptions::new(exchange).with_markets(markets.iter().copied()).map_err(anyhow::Error::msg)?;
    options.seed = seed;
    options.rate = Rate::PerSecond(200);
    Ok(options)
}

/// A trade of Binance with one of its values replaced.
fn trade_with(key: &str, value: &str) -> Vec<u8> {
    let fields = [
        ("e", r#""trade""#),
        ("E", "1723161255612"),
        ("s", r#""BTCUSDT""#),
        ("t", "77"),
        ("p", r#""64000.00000000""#),
        ("q", r#""0.00200000""#),
        ("T", "1723161255611"),
        ("m", "true"),
        ("M", "true"),
    ];
    let fields = fields.map(|(name, usual)| format!("{name:?}:{}", if name == key { value } else { usual }));
    format!(r#"{{"stream":"btcusdt@trade","data":{{{}}}}}"#, fields.join(",")).into_bytes()
}

/// Frames of a kind that no plugin can use, and whether each is binary.
fn bad_frames() -> Vec<(&'static str, Vec<u8>, bool)> {
    let mut rng = Rng::with_seed(37);
    let whole = trade_with("", "");
    let mut not_utf8 = whole.clone();
    not_utf8.splice(40..40, [0xFF, 0xFE]);
    let garbage = std::iter::repeat_with(|| rng.u8(..)).take(1_000).collect();
    let quoted = |text: &str| format!("{text:?}");
    vec![
        ("not UTF-8", not_utf8, true),
        ("garbage", garbage, true),
        ("nothing", Vec::new(), false),
        ("truncated", whole[..whole.len() / 2].to_vec(), false),
        ("10 MB", trade_with("p", &quoted(&"1".repeat(10 << 20))), false),
        ("nested arrays", "[".repeat(100_000).into_bytes(), false),
        ("nested in a trade", trade_with("p", &format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000))), false),
        ("price of 40 digits", trade_with("p", &quoted(FORTY_DIGITS)), false),
        ("price with 40 digits behind the point", trade_with("p", &quoted(&format!("0.{FORTY_DIGITS}"))), false),
        ("quantity of 40 digits", trade_with("q", &quoted(FORTY_DIGITS)), false),
        ("id of 40 digits", trade_with("t", FORTY_DIGITS), false),
        ("time of 40 digits", trade_with("T", FORTY_DIGITS), false),
    ]
}

#[test]
fn bad_frames_become_dead_letters_and_good_trades_go_on() -> Result<()> {
    let mut options = options(Protocol::Binance, &["BTC/USDT"], 37)?;
    options.wait_for_subscribers = 1;
    // Room for the largest frame: a client behind by more is cut.
    options.client_buffer = 64 << 20;
    let exchange = Exchange::start(options)?;
    let pipeline = Pipeline::new("bad_frames", servers::shared()?)?
        .with_exchange("binance", &["BTC/USDT"], &exchange)
        .with("limits", "frame_mb = 11")
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("binance", 50, PATIENCE)?;

    let frames = bad_frames();
    for (_, payload, binary) in &frames {
        exchange.inject(Fault::Frame { payload: payload.clone(), binary: *binary })?;
    }
    let dead = pipeline.dead_letters("binance");
    let wanted = frames.len() as u64;
    wait::until_true("dead letters", PATIENCE, || Ok(dead.count()? >= wanted)).with_context(|| host.log())?;
    let letters = dead.records()?;
    ensure!(letters.len() == frames.len(), "{} dead letters of {} frames", letters.len(), frames.len());
    for (name, payload, _) in &frames {
        let letter = letters.iter().find(|letter| letter.payload == *payload);
        let letter = letter.with_context(|| format!("no dead letter with the bytes of the frame: {name}"))?;
        check_letter(letter, "refused").with_context(|| (*name).to_owned())?;
        println!("{name}: {}", letter.header("reason")?);
    }
    ensure!(host.metric("tapedeck_refusals_total", "binance")? == wanted);
    ensure!(host.metric("tapedeck_reconnects_total", "binance")? == 0, "a bad frame is no reason to reconnect");

    breaks_of_protocol(&exchange, &pipeline, &host)?;

    exchange.simulator().stop_publishing();
    let truth = exchange.truth()?;
    host.wait_for_trades("binance", truth.len() as u64, PATIENCE)?;
    host.stop_well()?;
    let records = pipeline.trades("binance").count()?;
    ensure!(records == truth.len() as u64, "{records} records of {} trades", truth.len());
    Ok(())
}

/// Frames that are none: a text that is not UTF-8, one beyond the limit. They cost the connection, and are counted.
fn breaks_of_protocol(exchange: &Exchange, pipeline: &Pipeline, host: &tapedeck_tests::host::Host) -> Result<()> {
    let dead = pipeline.dead_letters("binance");
    let breaks = [("text that is not UTF-8", vec![b'{', 0xFF, 0xFE, b'}']), ("12 MB", vec![b' '; 12 << 20])];
    for (number, (name, payload)) in (1_u64..).zip(breaks) {
        // While nothing is published, nothing can be lost with the connection.
        exchange.simulator().stop_publishing();
        std::thread::sleep(Duration::from_millis(200));
        host.wait_for_trades("binance", exchange.truth()?.len() as u64, PATIENCE)?;
        let before = dead.count()?;
        exchange.inject(Fault::Frame { payload, binary: false })?;
        wait::until_true("a dead letter", PATIENCE, || Ok(dead.count()? > before)).with_context(|| host.log())?;
        let records = dead.records()?;
        let letter = records.iter().rfind(|record| record.header("kind").is_ok_and(|kind| kind == "protocol"));
        let letter = letter.with_context(|| format!("{name}: no dead letter of a broken protocol"))?;
        check_letter(letter, "protocol")?;
        println!("{name}: {}", letter.header("reason")?);
        ensure!(letter.payload.is_empty(), "bytes of what never became a frame");
        wait::until_true("a new connection", PATIENCE, || {
            Ok(host.metric("tapedeck_reconnects_total", "binance")? == number && host.get("/ready")?.0 == 200)
        })?;
        let had = host.metric("tapedeck_trades_total", "binance")?;
        exchange.simulator().start_publishing();
        host.wait_for_trades("binance", had + 20, PATIENCE)?;
    }
    Ok(())
}

fn check_letter(letter: &Record, kind: &str) -> Result<()> {
    ensure!(letter.header("kind")? == kind, "kind {}: {}", letter.header("kind")?, letter.header("reason")?);
    ensure!(letter.header("schema-version")? == "1");
    ensure!(letter.header("exchange")? == "binance" && letter.header("plugin")? == "binance");
    ensure!(!letter.header("plugin-version")?.is_empty());
    ensure!(letter.header("session")? == "binance-0");
    ensure!(letter.header("received-at-us")?.parse::<i64>()? > 1_700_000_000_000_000);
    ensure!(!letter.header("reason")?.is_empty());
    ensure!(letter.header("reason")?.len() < 2_000, "a reason of {} bytes", letter.header("reason")?.len());
    Ok(())
}

/// Seed 41. One exchange refuses a whole request, the other market by market.
#[test]
fn an_unknown_market_is_said_and_the_others_flow() -> Result<()> {
    let mut binance = options(Protocol::Binance, &["BTC/USDT"], 41)?;
    binance.unknown_streams = UnknownStreams::Refuse;
    let binance = Exchange::start(binance)?;
    let kraken = Exchange::start(options(Protocol::Kraken, &["BTC/USD", "ETH/USD"], 41)?)?;
    let pipeline = Pipeline::new("unknown_market", servers::shared()?)?
        .with_exchange("kraken", &["BTC/USD", "NONE/SUCH", "ETH/USD"], &kraken)
        .with_exchange("binance", &["NONE/SUCH"], &binance)
        .without_clickhouse();
    let mut host = pipeline.start_host()?;
    host.wait_for_trades("kraken", 100, PATIENCE)?;
    for exchange in ["kraken", "binance"] {
        wait::until_true("a rejected subscription", PATIENCE, || {
            Ok(host.metric("tapedeck_rejected_subscriptions_total", exchange)? >= 1)
        })
        .with_context(|| format!("{exchange}:\n{}", host.log()))?;
    }
    ensure!(host.metric("tapedeck_subscribed_markets", "kraken")? == 2, "{}", host.get("/metrics")?.1);
    let log = host.log();
    let said = log.lines().filter(|line| line.contains("refused a subscription") && line.contains("NONE/SUCH")).count();
    ensure!(said >= 2, "both refusals are said:\n{log}");
    let had = host.metric("tapedeck_trades_total", "kraken")?;
    host.wait_for_trades("kraken", had + 100, PATIENCE)?;
    host.stop_well()
}
