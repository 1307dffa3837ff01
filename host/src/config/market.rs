//! A market's canonical name, `BASE/QUOTE`.

/// The longest name of a market, in bytes.
const LONGEST: usize = 64;

/// Checks a canonical name.
///
/// # Errors
/// What is wrong with it and how it is spelt. Where base and quote are not separated, no guess is made.
pub fn check_market_name(name: &str) -> Result<(), String> {
    if is_canonical(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    let better = respell(name);
    Err(match better {
        Some(better) => format!("\"{shown}\" is not a market's canonical name; write \"{better}\""),
        None => format!(
            "\"{shown}\" is not a market's canonical name; write base and quote in upper case with a slash between \
             them, for example \"BTC/USDT\""
        ),
    })
}

fn is_canonical(name: &str) -> bool {
    let part_is_good = |part: &str| {
        let allowed = |letter: char| {
            (letter.is_alphanumeric() && letter.to_uppercase().eq([letter])) || matches!(letter, '.' | '-' | '_' | ':')
        };
        part.starts_with(char::is_alphanumeric) && part.chars().all(allowed)
    };
    name.len() <= LONGEST && name.split_once('/').is_some_and(|(base, quote)| part_is_good(base) && part_is_good(quote))
}

/// The canonical name that was probably meant.
fn respell(name: &str) -> Option<String> {
    let upper: String = name.trim().to_uppercase().split_whitespace().collect();
    let separated = if upper.contains('/') { upper } else { upper.replacen(['-', '_', ':', '.', '|', '\\'], "/", 1) };
    is_canonical(&separated).then_some(separated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_canonical_or_respelt() {
        for (name, expected) in [
            ("BTC/USDT", None),
            ("1INCH/USDT", None),
            ("BTC/USD:BTC", None),
            ("币安/USDT", None),
            ("btc-usdt", Some("write \"BTC/USDT\"")),
            ("btc/usdt", Some("write \"BTC/USDT\"")),
            (" BTC / USDT", Some("write \"BTC/USDT\"")),
            ("BTC_USDT", Some("write \"BTC/USDT\"")),
            ("BTCUSDT", Some("with a slash between")),
            ("BTC/", Some("with a slash between")),
            ("/USDT", Some("with a slash between")),
            ("A/B/C", Some("with a slash between")),
            ("", Some("with a slash between")),
            ("BTC/US\u{7}DT", Some("\"BTC/US\\u{7}DT\"")),
        ] {
            match (check_market_name(name), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(part)) => assert!(error.contains(part), "{name}: {error}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
        assert!(check_market_name(&format!("{}/USDT", "A".repeat(60))).is_err());
    }
}
