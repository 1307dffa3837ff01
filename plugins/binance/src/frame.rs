//! A frame: which kind of message it is, and what follows from that.

use std::borrow::Cow;

use tapedeck_sdk::json::{Error, Kind, Scanner};
use tapedeck_sdk::{Output, Reason, excerpt};

use crate::Binance;
use crate::answer::Answer;
use crate::event::Fields;
use crate::options::Stream;

/// The keys of a message that tell what it is, each with its value as it is written.
#[derive(Debug, Default)]
struct Envelope<'a> {
    /// Type of an event.
    event: Option<&'a [u8]>,
    /// Name of the stream, where combined streams wrap an event.
    stream: Option<&'a [u8]>,
    /// The event so wrapped.
    data: Option<&'a [u8]>,
    answer: Answer<'a>,
}

impl Binance {
    /// Decodes one message, wrapped or raw.
    pub(crate) fn decode_message(&self, bytes: &[u8], out: &mut Output) -> Result<(), Reason> {
        match Fields::of_usual_frame(bytes) {
            Some(fields) => self.push_trade(fields, out),
            None => self.decode_other(bytes, out),
        }
    }

    #[inline(always)]
    fn push_trade(&self, fields: Fields<'_>, out: &mut Output) -> Result<(), Reason> {
        let symbol = fields.symbol.as_deref().ok_or("the trade has not got a symbol")?;
        let market = self
            .markets
            .find(symbol.as_bytes())
            .ok_or_else(|| format!("nobody subscribed to the symbol {}", excerpt(symbol.as_bytes())))?;
        out.trade(fields.trade(market, self.options.unit)?);
        Ok(())
    }

    /// Decodes what is no trade, or a trade that is written in another form than the exchange's.
    #[cold]
    fn decode_other(&self, bytes: &[u8], out: &mut Output) -> Result<(), Reason> {
        let outer = Envelope::read(bytes)?;
        let (event, of_event) = match outer.data {
            Some(data) => (Envelope::read(data)?.event, data),
            None => (outer.event, bytes),
        };
        let event = event.map(text).transpose()?;
        let stream = outer.stream.map(text).transpose()?;
        match (event.as_deref(), stream.as_deref()) {
            (Some("trade"), _) => self.push_trade(event_fields(of_event, Stream::Trade)?, out),
            (Some("aggTrade"), _) => self.push_trade(event_fields(of_event, Stream::AggTrade)?, out),
            (Some("serverShutdown"), _) | (None, Some("!serverShutdown")) => {
                out.reconnect("the exchange announced that this server is about to shut down");
                Ok(())
            }
            (Some("blockTrade"), _) => {
                Err("a block trade, which has an id of another series than the trades of the market".into())
            }
            (Some(event), _) => {
                Err(format!("an event {}, to which nobody subscribed", excerpt(event.as_bytes())).into())
            }
            (None, Some(stream)) => {
                Err(format!("an event without a type, of the stream {}", excerpt(stream.as_bytes())).into())
            }
            (None, None) => self.decode_answer(&outer.answer, out),
        }
    }
}

fn event_fields(event: &[u8], stream: Stream) -> Result<Fields<'_>, Reason> {
    let mut scanner = Scanner::new(event);
    let fields = Fields::read(&mut scanner.root().object()?, stream)?;
    scanner.finish()?;
    Ok(fields)
}

impl<'a> Envelope<'a> {
    fn read(bytes: &'a [u8]) -> Result<Envelope<'a>, Reason> {
        let mut scanner = Scanner::new(bytes);
        let mut root = scanner.root();
        if root.kind()? != Kind::Object {
            // What is no JSON at all is to be called so.
            scanner.finish()?;
            return Err("a message of this feed is an object, and this is none".into());
        }
        let mut envelope = Envelope::default();
        let mut object = root.object()?;
        while let Some((key, value)) = object.next()? {
            let place = match &*key {
                "e" => &mut envelope.event,
                "stream" => &mut envelope.stream,
                "data" => &mut envelope.data,
                key => match envelope.answer.place(key) {
                    Some(place) => place,
                    None => continue,
                },
            };
            if place.replace(value.raw()?).is_some() {
                return Err(format!("the key {} comes twice", excerpt(key.as_bytes())).into());
            }
        }
        scanner.finish()?;
        Ok(envelope)
    }
}

/// The content of a string that was kept as it was written.
pub(crate) fn text(raw: &[u8]) -> Result<Cow<'_, str>, Error> {
    Scanner::new(raw).root().str()
}
