//! What is there instead of a market that is not: the nearest names.

use clickhouse::{Client, Row};
use serde::Deserialize;

use super::{CandleError, CandleQuery, CandleSource};

/// How many names are offered at most.
const OFFERED: usize = 3;
/// Similarity, 0 to 1, below which a name is no help.
const ALIKE: f64 = 0.7;

#[derive(Row, Deserialize)]
struct Known {
    exchange: String,
    market: String,
}

/// Fails where the exchange or the market has no candle at all; a known market without candles in range is no error.
pub(super) async fn refuse_unknown(
    client: &Client,
    source: &CandleSource,
    query: &CandleQuery,
) -> Result<(), CandleError> {
    let sql = "SELECT exchange, canonical_symbol AS market FROM gold_1m GROUP BY exchange, market";
    let known =
        client.query_raw(sql).fetch_all::<Known>().await.map_err(|error| CandleError::of_client(source, error))?;
    if !known.iter().any(|known| known.exchange == query.exchange) {
        let nearest = nearest(&query.exchange, known.iter().map(|known| known.exchange.as_str()));
        return Err(CandleError::UnknownExchange { exchange: query.exchange.clone(), nearest });
    }
    let markets = || known.iter().filter(|known| known.exchange == query.exchange).map(|known| known.market.as_str());
    if !markets().any(|market| market == query.market) {
        let nearest = nearest(&query.market, markets());
        return Err(CandleError::UnknownMarket {
            exchange: query.exchange.clone(),
            market: query.market.clone(),
            nearest,
        });
    }
    Ok(())
}

/// The names most like the wanted one, the most alike first. Letters and digits count, case and separators do not.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = plain(wanted);
    let mut alike: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted, &plain(name)), name))
        .filter(|&(similarity, _)| similarity >= ALIKE)
        .collect();
    alike.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(two.1)));
    alike.dedup_by(|one, two| one.1 == two.1);
    alike.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_the_exchange_leads_to_the_canonical_name() {
        let markets = ["BTC/USDT", "ETH/USDT", "BTC/EUR", "DOGE/USDT"];
        assert_eq!(nearest("btcusdt", markets.into_iter()).first().map(String::as_str), Some("BTC/USDT"));
        assert_eq!(nearest("BTC-USDC", markets.into_iter()).first().map(String::as_str), Some("BTC/USDT"));
        assert!(nearest("zzz", markets.into_iter()).is_empty());
        assert_eq!(nearest("Moonex", ["moonex", "moonex", "orbit"].into_iter()), ["moonex"]);
    }
}
