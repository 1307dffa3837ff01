//! Fixed inputs whose instructions are counted: `cargo xtask instructions`. Each function with `counted` in its name is what a tool
//! counts within; whatever else a case does is not.

use std::error::Error;
use std::hint::black_box;

use tapedeck_plugin_binance::Binance;
use tapedeck_plugin_kraken::Kraken;
use tapedeck_sdk::json::{self, Kind, Scanner, Value};
use tapedeck_sdk::testing::{self, Opening};
use tapedeck_sdk::{Batch, Decoded, Plugin, Session};

/// So often each input is taken.
const TIMES: usize = 20;
/// Frames of a batch.
const FRAMES: u64 = 64;

pub(crate) fn run(case: &str) -> Result<(), Box<dyn Error>> {
    match case {
        "scanner" => scan_documents(),
        "binance" => decode::<Binance>(&["BTC/USDT", "ETH/USDT"], binance_frame),
        "kraken" => decode::<Kraken>(&["BTC/USD", "ETH/USD"], kraken_frame),
        _ => Err(format!("there is no case {case}").into()),
    }
}

/// A combined stream's trade, another for each number.
fn binance_frame(number: u64) -> String {
    let (market, side) = (["BTC", "ETH"][(number % 2) as usize], ["true", "false"][(number / 3 % 2) as usize]);
    let (stream, id, time) = (market.to_lowercase(), 1_520_538_925 + number, 1_723_161_255_611 + number);
    format!(
        r#"{{"stream":"{stream}usdt@trade","data":{{"e":"trade","E":{time},"s":"{market}USDT","t":{id},"p":"{}.80000000","q":"0.00{}","T":{time},"m":{side},"M":true}}}}"#,
        2683 + number,
        200_000 + number
    )
}

/// Two trades of one frame.
fn kraken_frame(number: u64) -> String {
    let (market, id) = (["BTC", "ETH"][(number % 2) as usize], 10_218_208 + 2 * number);
    let row = |id: u64, side: &str, kind: &str| {
        format!(
            r#"{{"symbol":"{market}/USD","side":"{side}","price":{}.50,"qty":0.00{},"ord_type":"{kind}","trade_id":{id},"timestamp":"2023-10-06T17:35:{:02}.440295Z"}}"#,
            105_944 + number,
            276_250 + number,
            number % 60
        )
    };
    let rows = [row(id, "buy", "limit"), row(id + 1, "sell", "market")].join(",");
    format!(r#"{{"channel":"trade","type":"update","data":[{rows}]}}"#)
}

fn decode<P: Plugin>(markets: &[&str], frame: fn(u64) -> String) -> Result<(), Box<dyn Error>> {
    let mut opened = Opening::new(markets).open::<P>().map_err(|refusal| refusal.reason)?;
    let frames: Vec<String> = (0..FRAMES).map(frame).collect();
    let batch = testing::batch(&frames);
    for _ in 0..TIMES {
        let decoded = counted_decode(&mut opened.session, &batch)?;
        if !decoded.refusals.is_empty() || decoded.trades.len() < frames.len() {
            return Err(format!("the frames were refused: {:?}", decoded.refusals).into());
        }
    }
    Ok(())
}

#[inline(never)]
fn counted_decode<P: Plugin>(session: &mut Session<P>, batch: &Batch) -> Result<Decoded, String> {
    session.decode(black_box(batch))
}

fn scan_documents() -> Result<(), Box<dyn Error>> {
    let documents: Vec<String> = (0..FRAMES).flat_map(|number| [binance_frame(number), kraken_frame(number)]).collect();
    for _ in 0..TIMES {
        for document in &documents {
            black_box(counted_scan(document.as_bytes())?);
        }
    }
    Ok(())
}

/// Reads every value of a document.
#[inline(never)]
fn counted_scan(document: &[u8]) -> Result<usize, json::Error> {
    let mut scanner = Scanner::new(black_box(document));
    let read = walk(scanner.root())?;
    scanner.finish()?;
    Ok(read)
}

fn walk(mut value: Value<'_, '_>) -> Result<usize, json::Error> {
    match value.kind()? {
        Kind::Null => value.null().map(|()| 0),
        Kind::Bool => value.bool().map(usize::from),
        Kind::String => value.str().map(|text| text.len()),
        Kind::Number => value.decimal().map(|decimal| decimal.low as usize),
        Kind::Array => {
            let (mut array, mut read) = (value.array()?, 0_usize);
            while let Some(element) = array.next()? {
                read = read.wrapping_add(walk(element)?);
            }
            Ok(read)
        }
        Kind::Object => {
            let (mut object, mut read) = (value.object()?, 0_usize);
            while let Some((key, value)) = object.next()? {
                read = read.wrapping_add(key.len()).wrapping_add(walk(value)?);
            }
            Ok(read)
        }
    }
}
