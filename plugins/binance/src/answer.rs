//! The exchange's answers to the requests that subscribe.

use std::ops::Range;

use tapedeck_sdk::json::{Kind, Scanner};
use tapedeck_sdk::{Output, Reason, excerpt};

use crate::frame::text;
use crate::{Binance, plan};

/// The keys of an answer, each with its value as it is written. There are three forms: `{"result":null,"id":1}`,
/// `{"code":2,"msg":"…","id":1}` where the id may be missing, and `{"error":{"code":2,"msg":"…"},"id":1}`.
#[derive(Debug, Default)]
pub(crate) struct Answer<'a> {
    result: Option<&'a [u8]>,
    id: Option<&'a [u8]>,
    code: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
}

impl<'a> Answer<'a> {
    /// Where the value of a key is kept; none for keys that no answer needs.
    pub(crate) fn place(&mut self, key: &str) -> Option<&mut Option<&'a [u8]>> {
        match key {
            "result" => Some(&mut self.result),
            "id" => Some(&mut self.id),
            "code" => Some(&mut self.code),
            "msg" => Some(&mut self.message),
            "error" => Some(&mut self.error),
            _ => None,
        }
    }

    /// The exchange's words for what went wrong, if something did.
    fn complaint(&self) -> Result<Option<String>, Reason> {
        let nested = match self.error {
            Some(error) if Scanner::new(error).root().kind()? == Kind::Object => Some(Answer::read_error(error)?),
            Some(other) => return Ok(Some(format!("the exchange reports the error {}", excerpt(other)))),
            None => None,
        };
        let said = nested.as_ref().unwrap_or(self);
        if said.code.is_none() && said.message.is_none() && self.error.is_none() {
            return Ok(None);
        }
        let code = said.code.map_or("none".into(), |code| String::from_utf8_lossy(code));
        let message = match said.message {
            Some(message) => text(message).map_or_else(|_| excerpt(message), |text| excerpt(text.as_bytes())),
            None => "nothing".to_owned(),
        };
        Ok(Some(format!("the exchange says {message} (code {code:.20})")))
    }

    fn read_error(error: &'a [u8]) -> Result<Answer<'a>, Reason> {
        let mut answer = Answer::default();
        let mut scanner = Scanner::new(error);
        let mut object = scanner.root().object()?;
        while let Some((key, value)) = object.next()? {
            if let Some(place) = answer.place(&key) {
                *place = Some(value.raw()?);
            }
        }
        Ok(answer)
    }
}

impl Binance {
    /// Turns an answer into events.
    pub(crate) fn decode_answer(&self, answer: &Answer<'_>, out: &mut Output) -> Result<(), Reason> {
        let requested = answer.id.and_then(|id| self.markets_of(id));
        if let Some(complaint) = answer.complaint()? {
            return match (requested, answer.id) {
                // A request is refused as a whole.
                (Some(markets), _) => {
                    markets.for_each(|market| out.rejected(Some(market), complaint.clone()));
                    Ok(())
                }
                (None, Some(id)) if id != b"null" => {
                    Err(format!("{complaint} to a request that was not sent here").into())
                }
                // The exchange leaves out the id of what it could not read.
                (None, _) => {
                    out.rejected(None, complaint);
                    Ok(())
                }
            };
        }
        let Some(result) = answer.result else {
            return Err("neither an event nor the answer to a request".into());
        };
        match (Scanner::new(result).root().kind()?, requested) {
            (Kind::Null, Some(markets)) => {
                markets.for_each(|market| out.subscribed(market));
                Ok(())
            }
            (Kind::Array, _) => self.decode_list(result, out),
            _ => Err("the answer to a request that was not sent here".into()),
        }
    }

    /// The streams that the exchange lists as subscribed.
    fn decode_list(&self, list: &[u8], out: &mut Output) -> Result<(), Reason> {
        let mut scanner = Scanner::new(list);
        let mut array = scanner.root().array()?;
        while let Some(value) = array.next()? {
            let listed = value.str()?;
            let is_listed = |symbol: &String| plan::stream_name(symbol, &self.options) == listed;
            if let Some(market) = self.markets.symbols().iter().position(is_listed) {
                out.subscribed(u32::try_from(market).unwrap_or(u32::MAX));
            }
        }
        out.heartbeat();
        Ok(())
    }

    fn markets_of(&self, id: &[u8]) -> Option<Range<u32>> {
        let id = Scanner::new(id).root().u64().ok()?;
        plan::markets_of_request(id, &self.markets)
    }
}
