//! Plugins that misbehave, each built from a real guest under tests/hostile: contained, reported by name, others unharmed,
//! and no frame lost in silence.

mod crashes;
mod loading;
mod nonsense;
mod opening;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tapedeck::frames::FrameBatch;
use tapedeck::plugin::{Decoded, Instance, Market, OpenRequest, Plugin, Refused, Runtime, RuntimeSettings};

/// Of a call: short, so that plugins which loop do not hold up the tests; long enough for a busy machine.
const CALL_TIME: Duration = Duration::from_millis(400);
/// Of an instance.
const MEMORY_BYTES: usize = 64 << 20;
/// When frames are received, µs.
const RECEIVED_AT_US: i64 = 1_700_000_000_500_000;

/// The folder with the misbehaving guests, built once a run.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let options = xtask::plugins::Options { hostile: true, quiet: true, ..Default::default() };
        let files = xtask::plugins::build(&options).unwrap();
        files[0].parent().unwrap().to_owned()
    })
}

/// One engine for all tests, as all plugins of a host share one: what one plugin does must not harm the others.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let cache_folder = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-cache"));
        Runtime::new(&RuntimeSettings { memory_bytes: MEMORY_BYTES, call_time: CALL_TIME, cache_folder }).unwrap()
    })
}

fn plugin(name: &str) -> Arc<Plugin> {
    Arc::new(Plugin::load(runtime(), &folder().join(format!("{name}.wasm"))).unwrap())
}

fn request(settings: &[(&str, &str)]) -> OpenRequest {
    let market = |name: &str| Market { name: name.to_owned(), symbol: None };
    OpenRequest {
        markets: vec![market("BTC/USDT"), market("ETH/USDT")],
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..OpenRequest::default()
    }
}

fn open(name: &str) -> Instance {
    plugin(name).open(request(&[])).unwrap().0
}

/// A frame with one trade, whose id is the number.
fn trade(id: u64) -> Vec<u8> {
    let market = if id.is_multiple_of(2) { "BTCUSDT" } else { "ETHUSDT" };
    format!("{market},{id},{id}.25,0.50,1700000000{id:06}").into_bytes()
}

fn batch<F: AsRef<[u8]>>(frames: &[F]) -> FrameBatch {
    let mut batch = FrameBatch::new();
    for frame in frames {
        assert!(batch.push(frame.as_ref()));
    }
    batch
}

fn decode<F: AsRef<[u8]>>(instance: &mut Instance, frames: &[F]) -> Decoded {
    let mut decoded = Decoded::new();
    instance.decode(&batch(frames), RECEIVED_AT_US, &mut decoded);
    assert_in_order(&decoded, frames.len());
    decoded
}

/// What the session relies on: every index is one of the batch, in its order, and a frame is refused at most once.
fn assert_in_order(decoded: &Decoded, frames: usize) {
    assert!(decoded.trades.is_sorted_by_key(|trade| trade.frame));
    assert!(decoded.events.is_sorted_by_key(|event| event.frame));
    assert!(decoded.refused.windows(2).all(|pair| pair[0].frame < pair[1].frame), "{:?}", decoded.refused);
    let indices = decoded.trades.iter().map(|trade| trade.frame);
    let indices = indices.chain(decoded.events.iter().map(|event| event.frame));
    let mut indices = indices.chain(decoded.refused.iter().map(|refused| refused.frame));
    assert!(indices.all(|index| (index as usize) < frames));
    assert!(decoded.trades.iter().all(|trade| trade.market < 2));
    for Refused { reason, .. } in &decoded.refused {
        assert!(!reason.is_empty() && reason.len() <= 1100 && !reason.chars().any(char::is_control), "{reason:?}");
    }
}

fn ids(decoded: &Decoded) -> Vec<String> {
    decoded.trades.iter().map(|trade| trade.id.to_string()).collect()
}
