//! The truth: every distinct trade that was published, as CSV.

use std::io::{self, Write};

use crate::decimal::{write_decimal, write_integer};
use crate::options::Exchange;
use crate::shared::Shared;
use crate::trade::Trade;

/// The columns.
pub const TRUTH_HEADER: &str = "exchange,symbol,canonical_symbol,trade_id,price,quantity,side,timestamp_us\n";

/// Rows that are written between two looks at the hub, so that publishing goes on meanwhile.
const ROWS_AT_ONCE: usize = 20_000;

/// A trade with the market that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthTrade {
    /// The exchange's spelling of the market.
    pub symbol: String,
    /// Canonical name of the market.
    pub canonical_symbol: String,
    /// The trade.
    pub trade: Trade,
}

/// Writes every trade that is known now, market by market, by id.
pub(crate) fn write_truth(shared: &Shared, out: &mut impl Write) -> io::Result<()> {
    out.write_all(TRUTH_HEADER.as_bytes())?;
    let markets = shared.hub().markets.len();
    for market in 0..markets {
        let mut next_id = 0;
        loop {
            let mut rows = Vec::new();
            {
                let hub = shared.hub();
                let trades = hub.histories[market].since_id(next_id, ROWS_AT_ONCE);
                let Some(last) = trades.last() else { break };
                next_id = last.id + 1;
                let market = &hub.markets[market];
                let names = format!("{},{},{}", shared.options.exchange, market.symbol, market.canonical);
                trades.iter().for_each(|trade| write_row(&mut rows, &names, trade));
            }
            out.write_all(&rows)?;
        }
    }
    Ok(())
}

fn write_row(out: &mut Vec<u8>, names: &str, trade: &Trade) {
    out.extend_from_slice(names.as_bytes());
    out.push(b',');
    write_integer(out, trade.id);
    out.push(b',');
    write_decimal(out, trade.price, trade.price_scale);
    out.push(b',');
    write_decimal(out, trade.quantity, trade.quantity_scale);
    out.push(b',');
    out.extend_from_slice(trade.side.name().as_bytes());
    out.push(b',');
    write_integer(out, trade.timestamp_us);
    out.push(b'\n');
}

/// Every trade that is known now, market by market, by id.
pub(crate) fn truth(shared: &Shared) -> Vec<TruthTrade> {
    let hub = shared.hub();
    let of_market = |(market, history): (&crate::market::Market, &crate::history::History)| {
        let name = |trade: &Trade| TruthTrade {
            symbol: market.symbol.clone(),
            canonical_symbol: market.canonical.clone(),
            trade: *trade,
        };
        history.all().iter().map(name).collect::<Vec<_>>()
    };
    hub.markets.iter().zip(&hub.histories).flat_map(of_market).collect()
}

/// The names of streams that a market has, and what they carry.
pub(crate) fn stream_names(exchange: Exchange, symbol: &str) -> Vec<(String, crate::hub::StreamKind)> {
    use crate::hub::StreamKind::{Aggregates, Trades};
    let lower = symbol.to_lowercase();
    match exchange {
        Exchange::Binance => vec![(format!("{lower}@trade"), Trades), (format!("{lower}@aggTrade"), Aggregates)],
        Exchange::Kraken => vec![(symbol.to_owned(), Trades)],
    }
}
