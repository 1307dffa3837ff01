//! The trades that a plugin gave against those that a message holds.

use crate::trade::{Side, Trade};

use super::message::{Expected, Message};
use crate::plugin::bounded_escaped;

/// What differs, a sentence each; nothing if the trades are those of the message, in its order or, since a plugin gives
/// pages oldest first and some exchanges newest first, the reverse.
pub(super) fn differences(message: &Message, trades: &[Trade], symbols: &[String]) -> Vec<String> {
    let expected = message.trades();
    if trades.is_empty() && (expected.is_empty() || message.is_optional()) {
        return Vec::new();
    }
    let found = in_order(message, expected.iter(), trades, symbols);
    let turned = expected.len() > 1 && !found.is_empty();
    if turned && in_order(message, expected.iter().rev(), trades, symbols).is_empty() {
        return Vec::new();
    }
    found
}

fn in_order<'a>(
    message: &Message,
    expected: impl ExactSizeIterator<Item = &'a Expected>,
    trades: &[Trade],
    symbols: &[String],
) -> Vec<String> {
    let mut differences = Vec::new();
    if trades.len() != expected.len() {
        differences.push(format!("got {} trades, expected {}", trades.len(), expected.len()));
    }
    for (index, (trade, expected)) in trades.iter().zip(expected).enumerate() {
        let mut differ = |field: &str, got: &dyn std::fmt::Display, wanted: &dyn std::fmt::Display| {
            let shown = |value: &dyn std::fmt::Display| bounded_escaped(&value.to_string(), 200);
            differences.push(format!("trade {index}: got {field} {}, expected {}", shown(got), shown(wanted)));
        };
        let symbol = symbols.get(trade.market as usize).map_or("(no market)", String::as_str);
        if let Some(wanted) = expected.symbol.as_deref().filter(|wanted| *wanted != symbol) {
            differ("symbol", &symbol, &wanted);
        }
        for (field, got, wanted) in
            [("price", trade.price, &expected.price), ("quantity", trade.quantity, &expected.quantity)]
        {
            let got = got.to_string();
            if let Some(wanted) = wanted.as_deref().filter(|wanted| !same_decimal(&got, wanted)) {
                differ(field, &got, &wanted);
            }
        }
        let side = trade.side;
        let disputed = message.is_side_disputed();
        if let Some(wanted) = expected.side.as_deref().filter(|wanted| !disputed && !same_side(side, wanted)) {
            differ("side", &side.as_str().to_lowercase(), &wanted);
        }
        if let Some(wanted) = expected.timestamp_us.filter(|wanted| *wanted != trade.timestamp_us) {
            differ("timestamp_us", &trade.timestamp_us, &wanted);
        }
        if let Some(wanted) = expected.trade_id.as_ref().map(ToString::to_string)
            && wanted != trade.id.to_string()
        {
            differ("trade_id", &trade.id, &wanted);
        }
    }
    differences
}

fn same_side(side: Side, wanted: &str) -> bool {
    side.as_str().eq_ignore_ascii_case(wanted)
}

/// The same digits. A text that the host would never write (an exponent, a plus, leading zeros) is compared by its value.
fn same_decimal(got: &str, wanted: &str) -> bool {
    got == wanted || (!is_plain(wanted) && value(got).is_some_and(|got| Some(got) == value(wanted)))
}

/// Whether it is a decimal as the host writes them.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(is_number)
}

/// Sign, significant digits, and the power of ten of the last of them; none if it is no number.
fn value(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    let power = i64::from(exponent) - i64::try_from(fraction.len()).ok()? + i64::try_from(trailing).ok()?;
    Some((negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_compared_digit_by_digit() {
        for (got, wanted, same) in [
            ("40.0", "40.0", true),
            ("40", "40.0", false),
            ("40.00", "40.0", false),
            ("0.00000092", "9.2E-7", true),
            ("0.000000921", "9.2E-7", false),
            ("10174884.7777", "1.01748847777E7", true),
            ("100", "1e2", true),
            ("-100", "1e2", false),
            ("5", "+5", true),
            ("0.5", ".5", true),
            ("7", "007", true),
            ("0", "-0", false),
            ("0", "0e5", true),
            ("1", "one", false),
            ("1", "", false),
        ] {
            assert_eq!(same_decimal(got, wanted), same, "{got} {wanted}");
        }
    }
}
