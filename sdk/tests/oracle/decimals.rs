//! Decimals against arithmetic on digits, done in another way.

use proptest::prelude::*;
use tapedeck_sdk::Decimal;

/// What a text should become: its digits as text, plain, by moving the point as a person does.
fn plain(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) =
        rest.split_once(['e', 'E']).map_or((rest, 0), |(mantissa, e)| (mantissa, e.parse::<i64>().unwrap_or(0)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let mut scale = fraction.len() as i64 - exponent;
    let zero = digits.bytes().all(|byte| byte == b'0');
    if scale < 0 {
        digits.extend(std::iter::repeat_n('0', if zero { 0 } else { -scale as usize }));
        scale = 0;
    }
    let scale = scale as usize;
    let significant = digits.trim_start_matches('0').len();
    if significant > 38 || scale > 38 {
        return None;
    }
    let digits = format!("{:0>width$}", digits.trim_start_matches('0'), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if zero { "" } else { sign };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?") {
        prop_assert_eq!(Decimal::parse(&text).ok().map(|decimal| decimal.to_string()), plain(&text));
    }

    #[test]
    fn prices(text in "(0|[1-9][0-9]{0,8})\\.[0-9]{1,10}") {
        prop_assert_eq!(Decimal::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn whatever_is_no_number_is_an_error(text in "[-+.eE0-9 ]{0,12}") {
        let json = serde_json::from_str::<serde_json::Number>(&text);
        let is_number = json.as_ref().is_ok_and(|_| text.trim() == text)
            || json.is_err_and(|error| error.to_string().contains("out of range"));
        if !is_number {
            prop_assert!(Decimal::parse(&text).is_err(), "{}", text);
        }
    }

    #[test]
    fn halves(units in any::<i128>(), scale in 0..=38u8) {
        let decimal = Decimal::new(units, scale).unwrap();
        prop_assert_eq!((decimal.units(), decimal.scale), (units, scale));
    }
}

#[test]
fn keeps_zeros_and_digits() {
    let nines = "9".repeat(38);
    let small = format!("0.{}1", "0".repeat(37));
    for (text, shown, scale) in [
        ("2683.80000000", "2683.80000000", 8),
        ("105944.20", "105944.20", 2),
        ("0.00027625", "0.00027625", 8),
        ("1.5e-7", "0.00000015", 8),
        ("1.50E1", "15.0", 1),
        ("12e3", "12000", 0),
        ("0e99999999999999999999", "0", 0),
        ("0.000", "0.000", 3),
        ("-0.5", "-0.5", 1),
        ("-0", "0", 0),
        (nines.as_str(), nines.as_str(), 0),
        (small.as_str(), small.as_str(), 38),
        ("9223372036854775808", "9223372036854775808", 0),
        ("9999999999999999999", "9999999999999999999", 0),
        ("99999999999999999.99", "99999999999999999.99", 2),
    ] {
        let decimal = Decimal::parse(text).unwrap();
        assert_eq!((decimal.to_string().as_str(), decimal.scale), (shown, scale), "{text}");
    }
}

#[test]
fn refuses_with_a_sentence() {
    let forty = "1".repeat(40);
    let small = format!("0.{}1", "0".repeat(38));
    for text in [
        "", "-", ".5", "1.", "+1", "01", "1e", "1e-", "0x1", "NaN", "1,5", " 1", "1 ", "--1", "1.2.3", "1e39", "1e-39",
        &forty, &small,
    ] {
        let reason = Decimal::parse(text).unwrap_err();
        assert_eq!(reason, format!("{text:?} is not a decimal number of at most 38 digits"));
    }
    assert_eq!(Decimal::new(1, 39), None);
}
