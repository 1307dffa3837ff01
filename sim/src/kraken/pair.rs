//! Names of a market in Kraken's REST: the key of an answer, and the aliases that a request may use.

use crate::market::Market;

/// Assets that keep a letter of old in front: X for coins, Z for currencies.
const LEGACY: [(&str, &str); 16] = [
    ("XBT", "X"),
    ("ETH", "X"),
    ("LTC", "X"),
    ("XRP", "X"),
    ("XLM", "X"),
    ("XMR", "X"),
    ("ETC", "X"),
    ("ZEC", "X"),
    ("XDG", "X"),
    ("MLN", "X"),
    ("REP", "X"),
    ("USD", "Z"),
    ("EUR", "Z"),
    ("GBP", "Z"),
    ("JPY", "Z"),
    ("CAD", "Z"),
];

/// The key of an answer: `XXBTZUSD` for BTC/USD, `XBTUSDT` for BTC/USDT, `SOLUSD` for SOL/USD.
pub(super) fn rest_key(market: &Market) -> String {
    let (base, quote) = (rest_asset(market.base()), rest_asset(market.quote()));
    match (prefix(base), prefix(quote)) {
        (Some("X"), Some(letter)) => format!("X{base}{letter}{quote}"),
        _ => format!("{base}{quote}"),
    }
}

/// Whether `pair` in a request means this market.
pub(super) fn is_pair_of(market: &Market, pair: &str) -> bool {
    let (base, quote) = (market.base(), market.quote());
    let (rest_base, rest_quote) = (rest_asset(base), rest_asset(quote));
    let names = [
        rest_key(market),
        format!("{rest_base}{rest_quote}"),
        format!("{rest_base}/{rest_quote}"),
        format!("{base}{quote}"),
        format!("{base}/{quote}"),
    ];
    names.iter().any(|name| name == pair)
}

/// REST says XBT and XDG where the socket says BTC and DOGE.
fn rest_asset(asset: &str) -> &str {
    match asset {
        "BTC" => "XBT",
        "DOGE" => "XDG",
        other => other,
    }
}

fn prefix(asset: &str) -> Option<&'static str> {
    LEGACY.iter().find(|(name, _)| *name == asset).map(|(_, letter)| *letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Exchange;

    #[test]
    fn keys_and_aliases() {
        for (name, key, aliases) in [
            ("BTC/USD", "XXBTZUSD", ["XBTUSD", "XBT/USD", "BTCUSD", "BTC/USD"]),
            ("BTC/USDT", "XBTUSDT", ["XBTUSDT", "XBT/USDT", "BTCUSDT", "BTC/USDT"]),
            ("ETH/BTC", "XETHXXBT", ["ETHXBT", "ETH/XBT", "ETHBTC", "ETH/BTC"]),
            ("SOL/USD", "SOLUSD", ["SOLUSD", "SOL/USD", "SOLUSD", "SOL/USD"]),
            ("USDT/USD", "USDTUSD", ["USDTUSD", "USDT/USD", "USDTUSD", "USDT/USD"]),
        ] {
            let market = Market::parse(Exchange::Kraken, name).unwrap();
            assert_eq!(rest_key(&market), key);
            assert!(is_pair_of(&market, key));
            assert!(aliases.iter().all(|alias| is_pair_of(&market, alias)), "{name}");
            assert!(!is_pair_of(&market, "XBTEUR"));
        }
    }
}
