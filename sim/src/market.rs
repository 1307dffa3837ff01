//! A market: its names, and the steps in which its prices and quantities move.

use crate::decimal::POWERS_OF_TEN;
use crate::options::Exchange;
use crate::random::hash_text;

/// Digits after the point of Binance's prices and of every quantity.
const FULL_SCALE: u8 = 8;

/// Prices in US cents of the assets that people know, so that a chart looks right. Others get a price from their name.
const KNOWN_PRICES: [(&str, u64); 22] = [
    ("BTC", 6_400_000),
    ("ETH", 260_000),
    ("BNB", 56_000),
    ("SOL", 15_000),
    ("LTC", 6_500),
    ("AVAX", 2_600),
    ("LINK", 1_100),
    ("DOT", 450),
    ("XRP", 60),
    ("ADA", 36),
    ("MATIC", 51),
    ("TRX", 15),
    ("DOGE", 11),
    ("USDT", 100),
    ("USDC", 100),
    ("FDUSD", 100),
    ("TUSD", 100),
    ("BUSD", 100),
    ("USD", 100),
    ("EUR", 109),
    ("GBP", 128),
    ("JPY", 1),
];

/// Quote assets, longest first, by which a symbol without a separator is split.
const KNOWN_QUOTES: [&str; 16] = [
    "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "DAI", "BTC", "ETH", "BNB", "EUR", "GBP", "TRY", "BRL", "JPY", "AUD",
    "USD",
];

/// A market of the simulated exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Canonical name, `BTC/USDT`.
    pub canonical: String,
    /// The exchange's own spelling: `BTCUSDT` for Binance, `BTC/USD` for Kraken.
    pub symbol: String,
    /// Digits of a price after the point.
    pub price_scale: u8,
    /// Digits of a quantity after the point.
    pub quantity_scale: u8,
    /// The smallest change of a price, in units of its last digit.
    pub price_step: u64,
    /// The smallest quantity, in units of its last digit.
    pub quantity_step: u64,
    /// The price that the walk starts at, in steps.
    pub start_steps: u64,
    /// Id of the first trade.
    pub first_trade_id: u64,
    /// Id of the first aggregate of trades.
    pub first_aggregate_id: u64,
}

impl Market {
    /// Reads `BTC/USDT`, or `BTC/USDT=XBTUSDT` where the exchange is to spell it in a way of its own.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(exchange: Exchange, text: &str) -> Result<Self, String> {
        let (canonical, symbol) = match text.split_once('=') {
            Some((canonical, symbol)) => (canonical, Some(symbol)),
            None => (text, None),
        };
        let (base, quote) = canonical
            .split_once('/')
            .filter(|(base, quote)| [base, quote].iter().all(|asset| is_asset(asset)))
            .ok_or_else(|| format!("`{text}` is not a market: write BASE/QUOTE in upper case, for example BTC/USDT"))?;
        if symbol.is_some_and(|symbol| !is_asset(&symbol.replace('/', ""))) {
            return Err(format!(
                "`{text}`: the exchange's spelling behind `=` must be letters and digits in upper case"
            ));
        }
        let own_spelling = match exchange {
            Exchange::Binance => format!("{base}{quote}"),
            Exchange::Kraken => canonical.to_owned(),
        };
        Ok(Self::with_names(exchange, base, quote, symbol.map_or(own_spelling, str::to_owned)))
    }

    /// The market of a symbol such as `ETHUSDT`, split by the quote assets that are known; a symbol that cannot be
    /// split keeps its name.
    pub fn of_symbol(exchange: Exchange, symbol: &str) -> Self {
        let split = KNOWN_QUOTES.iter().find_map(|quote| Some((symbol.strip_suffix(quote)?, *quote)));
        let (base, quote) = split.filter(|(base, _)| !base.is_empty()).unwrap_or((symbol, "UNKNOWN"));
        Self::with_names(exchange, base, quote, symbol.to_owned())
    }

    fn with_names(exchange: Exchange, base: &str, quote: &str, symbol: String) -> Self {
        let (base_cents, quote_cents) = (price_in_cents(base), price_in_cents(quote));
        let unit = POWERS_OF_TEN[usize::from(FULL_SCALE)];
        let price = (base_cents * unit / quote_cents).max(1_000);
        let price_step = price_step(price);
        let quantity_step = power_of_ten_below(unit * 100 / base_cents).clamp(1, unit);
        // Kraken writes prices in the digits of the step, Binance always eight of them.
        let shown_digits = match exchange {
            Exchange::Binance => 0,
            Exchange::Kraken => price_step.ilog10() as u8,
        };
        let canonical = format!("{base}/{quote}");
        let hash = hash_text(&canonical);
        let first_trade_id = match exchange {
            Exchange::Binance => 1_000_000_000 + hash % 1_000_000_000,
            Exchange::Kraken => 10_000_000 + hash % 90_000_000,
        };
        Self {
            symbol,
            price_scale: FULL_SCALE - shown_digits,
            quantity_scale: FULL_SCALE,
            price_step: price_step / POWERS_OF_TEN[usize::from(shown_digits)],
            quantity_step,
            start_steps: price / price_step,
            first_trade_id,
            first_aggregate_id: first_trade_id / 2,
            canonical,
        }
    }

    /// The base asset.
    pub fn base(&self) -> &str {
        self.canonical.split_once('/').map_or("", |(base, _)| base)
    }

    /// The quote asset.
    pub fn quote(&self) -> &str {
        self.canonical.split_once('/').map_or("", |(_, quote)| quote)
    }
}

/// Symbols may hold letters of any alphabet; what they may not hold is lower case and punctuation.
fn is_asset(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() && !letter.is_lowercase())
}

fn price_in_cents(asset: &str) -> u64 {
    let known = KNOWN_PRICES.iter().find(|(name, _)| *name == asset).map(|(_, cents)| *cents);
    known.unwrap_or_else(|| 10 + hash_text(asset) % 10_000)
}

/// A cent where prices are large, else five significant digits.
fn price_step(price: u64) -> u64 {
    let cent = POWERS_OF_TEN[usize::from(FULL_SCALE) - 2];
    if price >= 10_000 * cent { cent } else { (power_of_ten_below(price) / 10_000).max(1) }
}

fn power_of_ten_below(value: u64) -> u64 {
    POWERS_OF_TEN[value.max(1).ilog10() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_exchange() {
        assert_eq!(Market::parse(Exchange::Binance, "BTC/USDT").unwrap().symbol, "BTCUSDT");
        assert_eq!(Market::parse(Exchange::Kraken, "BTC/USD").unwrap().symbol, "BTC/USD");
        let renamed = Market::parse(Exchange::Binance, "BTC/USDT=XBTUSDT").unwrap();
        assert_eq!((renamed.canonical.as_str(), renamed.symbol.as_str()), ("BTC/USDT", "XBTUSDT"));
        let foreign = Market::parse(Exchange::Binance, "币安/USDT").unwrap();
        assert_eq!(foreign.symbol, "币安USDT");
    }

    #[test]
    fn symbols_are_split_by_their_quote() {
        for (symbol, canonical) in
            [("ETHUSDT", "ETH/USDT"), ("XRPETH", "XRP/ETH"), ("USDCUSDT", "USDC/USDT"), ("ABC", "ABC/UNKNOWN")]
        {
            assert_eq!(Market::of_symbol(Exchange::Binance, symbol).canonical, canonical);
        }
    }

    #[test]
    fn other_texts_are_refused_with_an_example() {
        for text in ["", "BTCUSDT", "btc/usdt", "BTC/", "/USDT", "BTC/USD/T", "BTC/USDT=", "BTC/USDT=x y"] {
            assert!(
                Market::parse(Exchange::Binance, text).is_err_and(|reason| reason.contains("upper case")),
                "{text}"
            );
        }
    }

    #[test]
    fn steps_fit_the_price() {
        let bitcoin = Market::parse(Exchange::Binance, "BTC/USDT").unwrap();
        assert_eq!((bitcoin.price_scale, bitcoin.price_step, bitcoin.start_steps), (8, 1_000_000, 6_400_000));
        let bitcoin = Market::parse(Exchange::Kraken, "BTC/USD").unwrap();
        assert_eq!((bitcoin.price_scale, bitcoin.price_step, bitcoin.start_steps), (2, 1, 6_400_000));
        let ripple = Market::parse(Exchange::Kraken, "XRP/USD").unwrap();
        assert_eq!((ripple.price_scale, ripple.price_step, ripple.start_steps), (5, 1, 60_000));
        let tiny = Market::parse(Exchange::Binance, "XRP/ETH").unwrap();
        assert_eq!((tiny.price_scale, tiny.price_step, tiny.start_steps), (8, 1, 23_076));
    }
}
