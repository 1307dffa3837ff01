//! What the plugin says of itself, and how a connection is opened.

use tapedeck_sdk::{
    AppPing, Description, Heartbeat, Limits, MarketKind, Markets, OpenError, OpenRequest, OptionInfo, Pair, Precision,
    Rate, Reason, SessionPlan, Settings, TradeIds, json,
};

use crate::Kraken;

const WEBSOCKET: &str = "wss://ws.kraken.com";
const REST: &str = "https://api.kraken.com";

/// Symbols in one subscription: a message of about 1.5 kB. Kraken states no maximum.
const SYMBOLS_PER_MESSAGE: usize = 100;

/// Kraken cuts a connection on which the client has been silent for a minute.
const PING_INTERVAL: u32 = 30_000;

pub(crate) fn describe() -> Description {
    Description {
        name: "kraken".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        exchange: "kraken".to_owned(),
        kind: MarketKind::Spot,
        ids: TradeIds::Dense,
        precision: Precision::Microseconds,
        limits: Limits {
            subscriptions: 200,
            connects: Rate { count: 150, window: 600_000 },
            messages: Rate { count: 10, window: 1_000 },
            lifetime: None,
            rest: Some(Rate { count: 1, window: 1_000 }),
        },
        hosts: vec!["ws.kraken.com".to_owned(), "api.kraken.com".to_owned()],
        options: vec![
            option(
                "snapshot",
                "true",
                "Whether Kraken is to send the last 50 trades of a market on subscription: true or false. They fill the gap \
                 that a short reconnection leaves, and are marked as `snapshot`.",
            ),
            option(
                "idle_ms",
                "5000",
                "Milliseconds without a frame after which the connection counts as dead: 1000 to 600000. Kraken sends a \
                 heartbeat a second, and advises to reconnect after 5 seconds of silence.",
            ),
            option(
                "rest_pairs",
                "",
                "What REST calls a market, where it is not the symbol without its slash and with XBT for BTC, XDG for DOGE: \
                 for example `BTC/USD=XXBTZUSD, ETH/USD=XETHZUSD`.",
            ),
        ],
    }
}

pub(crate) fn open(request: &OpenRequest) -> Result<(Kraken, SessionPlan), OpenError> {
    let description = describe();
    let settings = Settings::new(&request.settings, &description.options)?;
    let snapshot = settings.flag("snapshot")?;
    let idle = settings.number("idle_ms", 1_000..=600_000)?;
    // WebSocket v2 spells a market as its canonical name.
    let markets = Markets::new(&request.markets, |pair| Ok(format!("{}/{}", pair.base, pair.quote)))?;
    let pairs = rest_pairs(request, &markets, settings.text("rest_pairs")?)?;

    let plan = SessionPlan {
        url: format!("{}/v2", request.endpoint_or(WEBSOCKET)),
        symbols: markets.symbols().to_vec(),
        messages: subscriptions(markets.symbols(), snapshot),
        heartbeat: Heartbeat {
            idle,
            ping: Some(AppPing { interval: PING_INTERVAL, message: r#"{"method":"ping"}"#.to_owned() }),
        },
    };
    let rest_url = format!("{}/0/public/Trades", request.rest_endpoint_or(REST));
    Ok((Kraken { markets, rest_url, pairs }, plan))
}

fn option(name: &str, default: &str, help: &str) -> OptionInfo {
    OptionInfo { name: name.to_owned(), default: default.to_owned(), help: help.to_owned() }
}

/// The messages that subscribe to all symbols. `snapshot` is always said: its default has changed over time.
fn subscriptions(symbols: &[String], snapshot: bool) -> Vec<String> {
    let message = |(index, symbols): (usize, &[String])| {
        let symbols: Vec<String> = symbols.iter().map(|symbol| json::quote(symbol)).collect();
        format!(
            r#"{{"method":"subscribe","params":{{"channel":"trade","symbol":[{}],"snapshot":{snapshot}}},"req_id":{}}}"#,
            symbols.join(","),
            index + 1
        )
    };
    symbols.chunks(SYMBOLS_PER_MESSAGE).enumerate().map(message).collect()
}

/// What REST calls each market: as the option says, else by Kraken's old asset names without a slash.
fn rest_pairs(request: &OpenRequest, markets: &Markets, option: &str) -> Result<Vec<String>, OpenError> {
    let mut pairs: Vec<String> = markets.symbols().iter().map(|symbol| rest_pair(symbol)).collect();
    for entry in option.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let Some((market, pair)) = entry.split_once('=').map(|(market, pair)| (market.trim(), pair.trim())) else {
            return Err(OpenError::new(format!("option \"rest_pairs\" has {entry:?}, which is not MARKET=PAIR")));
        };
        Pair::parse(market).map_err(|reason: Reason| OpenError::new(format!("option \"rest_pairs\": {reason}")))?;
        // The option is the whole feed's, and a session may have only some of its markets.
        if let Some(index) = request.markets.iter().position(|other| other.name == market) {
            pairs[index] = pair.to_owned();
        }
    }
    Ok(pairs)
}

fn rest_pair(symbol: &str) -> String {
    let assets = symbol.split('/').map(|asset| match asset {
        "BTC" => "XBT",
        "DOGE" => "XDG",
        other => other,
    });
    assets.collect()
}
