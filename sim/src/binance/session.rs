//! A Binance client's connection: what it asked for, and the answers.

use serde_json::{Value, json};

use crate::binance::requests::{Refusal, Request, parse};
use crate::frame::{Opcode, write_frame};
use crate::hub::{Hub, Style};
use crate::options::{SimulatorOptions, UnknownStreams};

/// A connection's streams.
pub(crate) struct Session {
    style: Style,
    /// All that were asked for, known or not, as LIST_SUBSCRIPTIONS gives them.
    streams: Vec<String>,
    most_streams: usize,
    unknown_streams: UnknownStreams,
}

impl Session {
    pub(crate) fn new(options: &SimulatorOptions, style: Style) -> Self {
        let (most_streams, unknown_streams) = (options.streams_per_connection, options.unknown_streams);
        Self { style, streams: Vec::new(), most_streams, unknown_streams }
    }

    /// Subscribes the streams of the url. Unknown ones stay silent in any case: there is nobody to answer.
    pub(crate) fn open(&mut self, hub: &mut Hub, place: usize, streams: Vec<String>) {
        self.add(hub, place, streams);
    }

    /// Answers a message with frames.
    pub(crate) fn answer(&mut self, hub: &mut Hub, place: usize, text: &str, out: &mut Vec<u8>) {
        let answered = parse(text).and_then(|(request, id)| match self.carry_out(hub, place, request) {
            Ok(result) => Ok(json!({ "result": result, "id": id })),
            Err(refusal) => Err((refusal, id)),
        });
        let answer = answered.unwrap_or_else(|(refusal, id)| refusal_message(&refusal, &id));
        write_frame(out, Opcode::Text, answer.to_string().as_bytes());
    }

    fn carry_out(&mut self, hub: &mut Hub, place: usize, request: Request) -> Result<Value, Refusal> {
        match request {
            Request::Subscribe(streams) => {
                let new = streams.iter().filter(|stream| !self.streams.contains(stream)).count();
                if self.most_streams > 0 && self.streams.len() + new > self.most_streams {
                    return Err(Refusal::invalid_request("too many subscriptions"));
                }
                let unknown = streams.iter().any(|stream| !hub.has_stream(stream));
                if unknown && self.unknown_streams == UnknownStreams::Refuse {
                    return Err(Refusal { with_id: true, ..Refusal::invalid_request("invalid stream") });
                }
                self.add(hub, place, streams);
                Ok(Value::Null)
            }
            Request::Unsubscribe(streams) => {
                for stream in streams {
                    hub.unsubscribe(place, &stream);
                    self.streams.retain(|known| *known != stream);
                }
                Ok(Value::Null)
            }
            Request::List => Ok(json!(self.streams)),
            Request::SetCombined(combined) => {
                self.style.combined = combined;
                hub.set_style(place, self.style);
                Ok(Value::Null)
            }
            Request::GetCombined => Ok(json!(self.style.combined)),
        }
    }

    fn add(&mut self, hub: &mut Hub, place: usize, streams: Vec<String>) {
        for stream in streams {
            hub.subscribe(place, &stream, self.style);
            if !self.streams.contains(&stream) {
                self.streams.push(stream);
            }
        }
    }

    /// The event that tells of a cut to come.
    pub(crate) fn shutdown_notice(&self, now_us: i64) -> String {
        let time = super::frames::time_in(self.style.microseconds, now_us);
        let event = format!("{{\"e\":\"serverShutdown\",\"E\":{time}}}");
        if self.style.combined { format!("{{\"stream\":\"!serverShutdown\",\"data\":{event}}}") } else { event }
    }
}

fn refusal_message(refusal: &Refusal, id: &Value) -> Value {
    let mut message = json!({ "code": refusal.code, "msg": refusal.message });
    if refusal.with_id {
        message["id"] = id.clone();
    }
    message
}
