//! A plugin whose answers have the right types and make no sense. A frame that starts with a marker gets the answer that
//! the marker names; all others are served.

use hostile_common::{Plain, decimal};
use tapedeck_sdk::bindings::exports::tapedeck::plugin::plugin::Guest;
use tapedeck_sdk::{
    Batch, Decimal, Decoded, Description, Event, Frames, Gap, HttpRequest, HttpResponse, OpenError, OpenRequest,
    Output, Page, Rate, Refusal, Rejection, SessionEvent, SessionPlan, Side, Trade, TradeId,
};

/// No index is as large as this.
const BEYOND: u32 = 4_000_000_000;

std::thread_local! {
    static SESSION: std::cell::RefCell<Option<Plain>> = const { std::cell::RefCell::new(None) };
}

/// Written against the bindings: what it answers with is not to be put right by the SDK.
struct Nonsense;

impl Guest for Nonsense {
    fn describe() -> Description {
        let mut description = hostile_common::describe("nonsense");
        description.limits.rest = Some(Rate { count: 10, window: 1_000 });
        description
    }

    fn open(request: OpenRequest) -> Result<SessionPlan, OpenError> {
        let (plain, plan) = Plain::open(&request)?;
        SESSION.set(Some(plain));
        Ok(plan)
    }

    fn decode(batch: Batch) -> Result<Decoded, String> {
        let frames = Frames::new(&batch)?;
        let mut plain = SESSION.take().ok_or("the session is not open")?;
        let mut decoded = Decoded { trades: Vec::new(), events: Vec::new(), refusals: Vec::new() };
        for frame in frames {
            if nonsense(frame.index, frame.bytes, &mut decoded) {
                continue;
            }
            let mut out = Output::with_capacity(1);
            out.begin(frame.index);
            if let Err(reason) = plain.decode_frame(frame, &mut out) {
                out.refuse(reason);
            }
            let served = out.finish();
            decoded.trades.extend(served.trades);
            decoded.events.extend(served.events);
            decoded.refusals.extend(served.refusals);
        }
        SESSION.set(Some(plain));
        Ok(decoded)
    }

    fn backfill(_gap: Gap) -> Result<HttpRequest, String> {
        Ok(HttpRequest { url: "file:///etc/passwd".to_owned(), headers: Vec::new(), weight: 0 })
    }

    fn decode_backfill(gap: Gap, request: HttpRequest, _response: HttpResponse) -> Result<Page, String> {
        let trade = Trade { market: gap.market, ..sound_trade(0) };
        let refusal = Refusal { frame: BEYOND, reason: "a row that was never there".to_owned() };
        Ok(Page { trades: vec![trade], refusals: vec![refusal], next: Some(request) })
    }
}

/// Answers a marker; false if the frame starts with none.
fn nonsense(frame: u32, bytes: &[u8], decoded: &mut Decoded) -> bool {
    let sound = sound_trade(frame);
    let mut trade = |trade: Trade| decoded.trades.push(trade);
    let mut event = |frame: u32, what: SessionEvent| decoded.events.push(Event { frame, what });
    match hostile_common::marker(bytes) {
        b"MARKET" => trade(Trade { market: BEYOND, ..sound }),
        b"FRAME" => trade(Trade { frame: BEYOND, ..sound }),
        b"BACKWARDS" if frame > 0 => trade(Trade { frame: frame - 1, ..sound }),
        b"SCALE" => trade(Trade { price: Decimal { high: 0, low: 1, scale: 255 }, ..sound }),
        b"DIGITS" => trade(Trade { quantity: Decimal { high: i64::MIN, low: 0, scale: 38 }, ..sound }),
        b"NEGATIVE" => trade(Trade { price: Decimal { high: -1, low: u64::MAX, scale: 0 }, ..sound }),
        b"ZERO" => trade(Trade { quantity: Decimal { high: 0, low: 0, scale: 8 }, ..sound }),
        b"COUNT" => trade(Trade { count: 0, ..sound }),
        b"PAST" => trade(Trade { timestamp: i64::MIN, ..sound }),
        b"FUTURE" => trade(Trade { timestamp: i64::MAX, ..sound }),
        b"NO_ID" => trade(Trade { id: TradeId::Text(String::new()), ..sound }),
        b"LONG_ID" => trade(Trade { id: TradeId::Text("9".repeat(1 << 20)), ..sound }),
        b"CONTROL_ID" => trade(Trade { id: TradeId::Text("1\u{0}\n\u{202e}2".to_owned()), ..sound }),
        b"BIDI_ID" => trade(Trade { id: TradeId::Text("1\u{202e}2".to_owned()), ..sound }),
        b"SQL_ID" => trade(Trade {
            id: TradeId::Text("1'); DROP TABLE silver_trades; --".to_owned()),
            vendor: r#"{"note":"\"`'); DROP TABLE x; --\u001b[2J"}"#.to_owned(),
            ..sound
        }),
        b"C1_VENDOR" => trade(Trade { vendor: "{\"a\":\"\u{9b}31m\"}".to_owned(), ..sound }),
        b"VENDOR" => trade(Trade { vendor: format!("{{\"a\":\"{}\"}}", "x".repeat(4 << 20)), ..sound }),
        b"NOT_JSON" => trade(Trade { vendor: "},\"price\":\"0\",{".to_owned(), ..sound }),
        b"FLOOD" => decoded.trades.extend(std::iter::repeat_n(sound, number(bytes))),
        b"SUBSCRIBED" if bytes.ends_with(b",BEYOND") => event(frame, SessionEvent::Subscribed(BEYOND)),
        b"EVENT" => event(BEYOND, SessionEvent::Heartbeat),
        b"REJECTED" => {
            let rejection = Rejection { market: Some(BEYOND), reason: "\u{1b}[2J".repeat(1 << 18) };
            event(frame, SessionEvent::Rejected(rejection));
        }
        b"SEND" => event(frame, SessionEvent::Send("x".repeat(4 << 20))),
        b"EVENTS" => (0..number(bytes)).for_each(|_| event(frame, SessionEvent::Heartbeat)),
        b"RECONNECT" => event(frame, SessionEvent::Reconnect("no reason\r\n at all ".repeat(1 << 18))),
        b"REFUSAL" => decoded.refusals.push(Refusal { frame: BEYOND, reason: "no such frame".to_owned() }),
        b"REASON" => decoded.refusals.push(Refusal { frame, reason: "because \u{7}".repeat(1 << 18) }),
        _ => return false,
    }
    true
}

/// A trade that is right in every field.
fn sound_trade(frame: u32) -> Trade {
    let one = || decimal("1.50").unwrap_or(Decimal { high: 0, low: 1, scale: 0 });
    Trade { frame, ..Trade::new(0, TradeId::Number(1), one(), one(), Side::Sell, 1_700_000_000_000_000) }
}

/// The number behind the marker, `FLOOD,100000`.
fn number(bytes: &[u8]) -> usize {
    str::from_utf8(bytes).ok().and_then(|text| text.trim().rsplit(',').next()?.parse().ok()).unwrap_or(1_000_000)
}

tapedeck_sdk::bindings::export!(Nonsense with_types_in tapedeck_sdk::bindings);
