//! What a user can choose, and what follows from it.

use tapedeck_sdk::{OpenError, OptionInfo, Reason, Setting, Settings, excerpt, time};

/// The choices of one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) stream: Stream,
    pub(crate) unit: TimeUnit,
    pub(crate) service: Service,
}

/// Which trades: each fill, or the fills of one taker order at one price as one. The ids of the two are different series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Trade,
    AggTrade,
}

/// The unit of every time that the exchange sends. It is asked for in urls and headers, and never guessed from a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Millisecond,
    Microsecond,
}

/// Which of the exchange's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Main,
    MarketData,
}

/// Microseconds of 10000-01-01. A later time is one in a finer unit than was asked for.
const END_OF_TIME: i64 = 253_402_300_800_000_000;

/// Microseconds of September 2001. Only milliseconds that are taken for microseconds are earlier.
const BEFORE_ANY_TRADE: i64 = 1_000_000_000_000_000;

impl Options {
    /// Reads a feed's settings.
    pub(crate) fn read(settings: &[Setting]) -> Result<Options, OpenError> {
        let described = described();
        let settings = Settings::new(settings, &described)?;
        Ok(Options {
            stream: match settings.one_of("stream", &["trade", "aggTrade"])? {
                "aggTrade" => Stream::AggTrade,
                _ => Stream::Trade,
            },
            unit: match settings.one_of("time_unit", &["millisecond", "microsecond"])? {
                "microsecond" => TimeUnit::Microsecond,
                _ => TimeUnit::Millisecond,
            },
            service: match settings.one_of("service", &["main", "market_data"])? {
                "market_data" => Service::MarketData,
                _ => Service::Main,
            },
        })
    }
}

/// The options as the plugin's description lists them.
pub(crate) fn described() -> Vec<OptionInfo> {
    let option = |name: &str, default: &str, help: &str| OptionInfo {
        name: name.to_owned(),
        default: default.to_owned(),
        help: help.to_owned(),
    };
    vec![
        option(
            "stream",
            "trade",
            "Which trades: `trade` for each fill, `aggTrade` for the fills of one order at one price as one. Their ids are \
             different series: do not change it for an exchange whose trades are kept.",
        ),
        option(
            "time_unit",
            "millisecond",
            "Unit of the exchange's times, `millisecond` or `microsecond`, live and by backfill alike.",
        ),
        option(
            "service",
            "main",
            "`main` for stream.binance.com and api.binance.com, `market_data` for data-stream.binance.vision and \
             data-api.binance.vision, which serve market data only.",
        ),
    ]
}

impl Stream {
    /// What follows the `@` of a stream's name, and the `e` of its events.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stream::Trade => "trade",
            Stream::AggTrade => "aggTrade",
        }
    }
}

impl TimeUnit {
    /// Microseconds of a time that the exchange gave in this unit.
    pub(crate) fn microseconds(self, time: i64) -> Result<i64, Reason> {
        let micros = match self {
            TimeUnit::Millisecond => time::from_millis(time)?,
            TimeUnit::Microsecond if time < BEFORE_ANY_TRADE => {
                return Err(format!("the time {time} is not in microseconds, which were asked for").into());
            }
            TimeUnit::Microsecond => time,
        };
        match micros {
            0..END_OF_TIME => Ok(micros),
            _ => {
                let time = excerpt(time.to_string().as_bytes());
                Err(format!("the time {time} is not in {}s, which were asked for", self.name()).into())
            }
        }
    }

    /// A time cut to what this unit can tell, as the exchange cuts a trade's.
    pub(crate) fn cut(self, micros: i64) -> i64 {
        match self {
            TimeUnit::Millisecond => micros.div_euclid(1_000).saturating_mul(1_000),
            TimeUnit::Microsecond => micros,
        }
    }

    fn name(self) -> &'static str {
        match self {
            TimeUnit::Millisecond => "millisecond",
            TimeUnit::Microsecond => "microsecond",
        }
    }
}

impl Service {
    pub(crate) fn socket(self) -> &'static str {
        match self {
            Service::Main => "wss://stream.binance.com:9443",
            Service::MarketData => "wss://data-stream.binance.vision",
        }
    }

    pub(crate) fn rest(self) -> &'static str {
        match self {
            Service::Main => "https://api.binance.com",
            Service::MarketData => "https://data-api.binance.vision",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_taken_in_the_unit_that_was_asked_for_and_in_no_other() {
        let (millis, micros) = (TimeUnit::Millisecond, TimeUnit::Microsecond);
        assert_eq!(millis.microseconds(1_723_161_255_611).unwrap(), 1_723_161_255_611_000);
        assert_eq!(millis.microseconds(123_456_785).unwrap(), 123_456_785_000);
        assert_eq!(micros.microseconds(1_723_161_255_611_345).unwrap(), 1_723_161_255_611_345);
        assert!(millis.microseconds(1_723_161_255_611_345).unwrap_err().contains("not in milliseconds"));
        assert!(micros.microseconds(1_723_161_255_611).unwrap_err().contains("not in microseconds"));
        assert!(micros.microseconds(i64::MAX).unwrap_err().contains("not in microseconds"));
        for wrong in [-1, i64::MIN, i64::MAX] {
            assert!(millis.microseconds(wrong).is_err(), "{wrong}");
        }
    }
}
