//! A plugin whose plan for a connection must not be followed. The option `lie` says how: `url` (a host that it never
//! named), `scheme` (no WebSocket), `few_symbols`, `same_symbols`, `empty_symbol`, `control_symbol`, `bidi_symbol`, `sql_symbol` (which is odd, and possible),
//! `control_url`, `idle` (a connection that is dead at
//! once), `ping` (a message without pause), `messages` (a flood), `refusal` (of a market that was not asked for).

use hostile_common::Plain;
use tapedeck_sdk::bindings::exports::tapedeck::plugin::plugin::Guest;
use tapedeck_sdk::{
    AppPing, Batch, Decoded, Description, Gap, HttpRequest, HttpResponse, OpenError, OpenRequest, OptionInfo, Page,
    SessionPlan,
};

/// Written against the bindings: the SDK would not let some of these lies pass.
struct OpenLies;

impl Guest for OpenLies {
    fn describe() -> Description {
        let lie = OptionInfo { name: "lie".to_owned(), default: "url".to_owned(), help: "How to lie.".to_owned() };
        Description { options: vec![lie], ..hostile_common::describe("open_lies") }
    }

    fn open(request: OpenRequest) -> Result<SessionPlan, OpenError> {
        let (_, mut plan) = Plain::open(&request)?;
        let lie = request.settings.iter().find(|setting| setting.name == "lie");
        match lie.map_or("url", |setting| &setting.value) {
            "url" => plan.url = "wss://elsewhere.invalid/".to_owned(),
            "scheme" => plan.url = "file:///etc/passwd".to_owned(),
            "few_symbols" => plan.symbols.clear(),
            "same_symbols" => plan.symbols.fill("SAME".to_owned()),
            "empty_symbol" => plan.symbols.fill(String::new()),
            "control_symbol" => plan.symbols = numbered("\u{1b}[2J\r\n", &request),
            "bidi_symbol" => plan.symbols = numbered("\u{202e}", &request),
            "sql_symbol" => plan.symbols = numbered("'); DROP TABLE silver_trades; --", &request),
            "control_url" => plan.url = "wss://hostile.invalid/\u{9b}2J\u{202e}".to_owned(),
            "idle" => plan.heartbeat.idle = 0,
            "ping" => plan.heartbeat.ping = Some(AppPing { interval: 0, message: "ping".to_owned() }),
            "messages" => plan.messages = vec!["x".repeat(1 << 10); 20_000],
            "refusal" => return Err(OpenError { market: Some(u32::MAX), reason: "\u{1b}[2Jno".repeat(1 << 16) }),
            _ => return Err(OpenError { market: None, reason: "this lie is not known".to_owned() }),
        }
        Ok(plan)
    }

    fn decode(_batch: Batch) -> Result<Decoded, String> {
        Err("this plugin is never open".to_owned())
    }

    fn backfill(_gap: Gap) -> Result<HttpRequest, String> {
        Err("this plugin is never open".to_owned())
    }

    fn decode_backfill(_gap: Gap, _request: HttpRequest, _response: HttpResponse) -> Result<Page, String> {
        Err("this plugin is never open".to_owned())
    }
}

/// A text for each market, all different.
fn numbered(text: &str, request: &OpenRequest) -> Vec<String> {
    (0..request.markets.len()).map(|number| format!("{text}{number}")).collect()
}

tapedeck_sdk::bindings::export!(OpenLies with_types_in tapedeck_sdk::bindings);
