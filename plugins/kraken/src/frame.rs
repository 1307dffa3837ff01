//! A frame: what kind of message it is, read in one pass where its keys come in the documented order.

use std::borrow::Cow;

use tapedeck_sdk::json::{Kind, Scanner};
use tapedeck_sdk::log::{Level, log};
use tapedeck_sdk::{Markets, Output, Reason, Source, excerpt};

use crate::answer::Answer;
use crate::trades;

/// What a frame says outside of its data.
#[derive(Default)]
struct Message<'a> {
    channel: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    /// The data, where it could not be read in passing.
    data: Option<&'a [u8]>,
    /// Whether trades were read in passing.
    decoded: bool,
    /// Why the first of the bad trades is bad.
    fault: Option<Reason>,
    answer: Answer<'a>,
    /// The key that only messages of v1 have.
    event: bool,
}

pub(crate) fn decode(markets: &Markets, frame: &[u8], out: &mut Output) -> Result<(), Reason> {
    if trades::decode_usual(markets, frame, out).is_some() {
        return Ok(());
    }
    out.discard();
    decode_any(markets, frame, out)
}

/// Decodes what is no trades, or trades that are not all as usual.
#[cold]
fn decode_any(markets: &Markets, frame: &[u8], out: &mut Output) -> Result<(), Reason> {
    if Scanner::new(frame).root().kind()? == Kind::Array {
        return Err("an array, as Kraken's WebSocket v1 sends; this plugin speaks v2".into());
    }
    // What is wrong here is wrong with the text as a whole, not with a row: nothing of it can be trusted.
    let message = read(markets, frame, out).inspect_err(|_| out.discard())?;
    if message.event {
        return Err("an object with `event`, as Kraken's WebSocket v1 sends; this plugin speaks v2".into());
    }
    match message.channel.as_deref() {
        Some("trade") => trades_of(markets, message, out),
        Some("heartbeat") => {
            out.heartbeat();
            Ok(())
        }
        Some("status") => status(message.data.unwrap_or_default()),
        Some(other) => {
            Err(format!("a message of the channel {}, which was not subscribed", excerpt(other.as_bytes())).into())
        }
        None => message.answer.decode(markets, out),
    }
}

fn read<'a>(markets: &Markets, frame: &'a [u8], out: &mut Output) -> Result<Message<'a>, Reason> {
    let mut message = Message::default();
    let mut scanner = Scanner::new(frame);
    let mut object = scanner.root().object()?;
    while let Some((key, value)) = object.next()? {
        let twice = match &*key {
            "channel" => message.channel.replace(value.str()?).is_some(),
            "type" => message.kind.replace(value.str()?).is_some(),
            "data" => match source(&message) {
                Some(source) => {
                    message.fault = trades::decode(markets, source, value, out)?;
                    std::mem::replace(&mut message.decoded, true)
                }
                None => message.data.replace(value.raw()?).is_some(),
            },
            "event" => std::mem::replace(&mut message.event, true),
            key => message.answer.read(key, value)?,
        };
        if twice {
            return Err(format!("the key {} comes twice", excerpt(key.as_bytes())).into());
        }
    }
    scanner.finish()?;
    Ok(message)
}

/// The source of the trades that follow, if the message is known to carry trades.
fn source(message: &Message<'_>) -> Option<Source> {
    match (message.channel.as_deref(), message.kind.as_deref()) {
        (Some("trade"), Some("update")) => Some(Source::Live),
        (Some("trade"), Some("snapshot")) => Some(Source::Snapshot),
        _ => None,
    }
}

fn trades_of(markets: &Markets, message: Message<'_>, out: &mut Output) -> Result<(), Reason> {
    let Some(source) = source(&message) else {
        let kind = excerpt(message.kind.as_deref().unwrap_or_default().as_bytes());
        return Err(format!("trades of the type {kind}, which is neither update nor snapshot").into());
    };
    let fault = match message.data {
        _ if message.decoded => message.fault,
        // The data came before what says that they are trades.
        Some(data) => trades::decode(markets, source, Scanner::new(data).root(), out)?,
        None => return Err("a trade message without `data`".into()),
    };
    fault.map_or(Ok(()), Err)
}

/// The state of Kraken's engine. Trading stops and goes on again by itself, so this is only worth a line of log.
fn status(data: &[u8]) -> Result<(), Reason> {
    let mut scanner = Scanner::new(data);
    let mut array = scanner.root().array()?;
    while let Some(element) = array.next()? {
        let mut object = element.object()?;
        while let Some((key, value)) = object.next()? {
            if key == "system" {
                let system = value.str()?;
                let level = if system == "online" { Level::Debug } else { Level::Warn };
                log(level, &format!("Kraken's trading engine is {}", excerpt(system.as_bytes())));
            }
        }
    }
    Ok(())
}
