//! The records of the plugins by `serde_json`, as one would write it by hand: borrowed structs, nothing copied that need not be,
//! the SDK's own exact decimals, times and table of markets.

use tapedeck_sdk::testing::Opening;
use tapedeck_sdk::{Batch, Decoded, Frames, Market, Markets, Plugin, Refusal, Trade};

mod binance;
mod kraken;

pub(crate) use binance::frame as binance;
pub(crate) use kraken::frame as kraken;

/// Reads one frame and pushes its trades.
pub(crate) type Frame = fn(&Markets, &[u8], &mut Vec<Trade>) -> Result<(), String>;

/// The markets of a session.
pub(crate) struct Reader {
    markets: Markets,
}

impl Reader {
    /// Spells markets as the plugin does.
    pub(crate) fn new<P: Plugin>(markets: &[&str]) -> Result<Self, String> {
        let opened = Opening::new(markets).open::<P>().map_err(|refusal| refusal.reason)?;
        let symbols = markets.iter().zip(&opened.plan.symbols);
        let markets: Vec<Market> =
            symbols.map(|(name, symbol)| Market { name: (*name).to_owned(), symbol: Some(symbol.clone()) }).collect();
        let markets = Markets::new(&markets, |_| Ok(String::new())).map_err(|refusal| refusal.reason)?;
        Ok(Self { markets })
    }

    /// Decodes a batch into the same answer as a plugin's.
    pub(crate) fn decode(&self, batch: &Batch, read: Frame) -> Result<Decoded, String> {
        let frames = Frames::new(batch)?;
        let mut out = Decoded { trades: Vec::with_capacity(frames.len()), events: Vec::new(), refusals: Vec::new() };
        for frame in frames {
            let first = out.trades.len();
            if let Err(reason) = read(&self.markets, frame.bytes, &mut out.trades) {
                out.refusals.push(Refusal { frame: frame.index, reason });
            }
            out.trades[first..].iter_mut().for_each(|trade| trade.frame = frame.index);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use tapedeck_plugin_binance::Binance;
    use tapedeck_plugin_kraken::Kraken;
    use tapedeck_sdk::testing;

    use super::*;

    fn check<P: Plugin>(read: Frame, markets: &[&str], frames: &[&str]) {
        let batch = testing::batch(frames);
        let by_plugin = testing::open::<P>(markets).session.decode(&batch).unwrap();
        assert!(by_plugin.trades.len() >= frames.len() && by_plugin.refusals.is_empty(), "{:?}", by_plugin.refusals);
        assert_eq!(Reader::new::<P>(markets).unwrap().decode(&batch, read).unwrap().trades, by_plugin.trades);
    }

    #[test]
    fn both_ways_give_the_same_records() {
        let binance = [
            r#"{"stream":"ethusdt@trade","data":{"e":"trade","E":1723161255612,"s":"ETHUSDT","t":1520538925,"p":"2683.80000000","q":"0.00200000","T":1723161255611,"m":true,"M":true}}"#,
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255612,"s":"BTCUSDT","t":7,"p":"60000.01","q":"1.5","T":1723161255000,"m":false,"M":true}}"#,
        ];
        check::<Binance>(super::binance, &["BTC/USDT", "ETH/USDT"], &binance);
        let kraken = [
            r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,"qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"},{"symbol":"BTC/USD","side":"sell","price":105910.50,"qty":0.00012460,"ord_type":"market","trade_id":10218209,"timestamp":"2023-10-06T17:35:56.123456Z"}]}"#,
        ];
        check::<Kraken>(super::kraken, &["ETH/USD", "BTC/USD"], &kraken);
    }
}
