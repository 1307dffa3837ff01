//! Times against `jiff`.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tapedeck_sdk::time::{from_decimal_seconds, from_millis, from_nanos, from_rfc3339, from_seconds};

/// Microseconds of a time that `jiff` reads, cut towards the past.
fn micros(text: &str) -> i64 {
    let timestamp: Timestamp = text.parse().unwrap();
    i64::try_from(timestamp.as_nanosecond().div_euclid(1_000)).unwrap()
}

#[test]
fn every_day_of_the_calendar() {
    // Ten thousand years but for the edges, where an offset leads out of jiff's range.
    let first: Timestamp = "0000-01-01T00:00:00Z".parse().unwrap();
    let mut days = 0;
    for day in 0.. {
        let Ok(time) = first.checked_add(SignedDuration::from_hours(24 * day)) else { break };
        let text = time.to_string();
        if text.len() != 20 {
            break;
        }
        assert_eq!(from_rfc3339(&text).unwrap(), time.as_microsecond(), "{text}");
        days += 1;
    }
    assert!(days > 3_652_000, "{days}");
}

#[test]
fn days_that_are_not() {
    for year in ["1900", "1999", "2000", "2023", "2024", "2100"] {
        for month in 0..=13 {
            for day in 0..=32 {
                let text = format!("{year}-{month:02}-{day:02}T12:00:00Z");
                let expected = text.parse::<Timestamp>().ok().map(|time| time.as_microsecond());
                assert_eq!(from_rfc3339(&text).ok(), expected, "{text}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn times_of_any_form(
        seconds in -60_000_000_000i64..250_000_000_000,
        fraction in "(\\.[0-9]{1,9})?",
        offset in prop_oneof![Just("Z".to_owned()), Just("z".to_owned()), "[+-](0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]"],
    ) {
        let text = Timestamp::from_second(seconds).unwrap().to_string();
        let text = format!("{}{fraction}{offset}", text.trim_end_matches('Z'));
        prop_assert_eq!(from_rfc3339(&text).unwrap(), micros(&text.to_uppercase()));
    }

    #[test]
    fn decimal_seconds(nanos in -4_000_000_000_000_000_000i64..4_000_000_000_000_000_000, digits in 0..=9usize) {
        let (sign, size) = if nanos < 0 { ("-", nanos.unsigned_abs()) } else { ("", nanos.unsigned_abs()) };
        let text = format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000);
        let text = &text[..text.len() - digits];
        let text = text.trim_end_matches('.');
        let kept = i64::try_from(size - size % 10u64.pow(digits as u32)).unwrap();
        let kept = if nanos < 0 { -kept } else { kept };
        prop_assert_eq!(from_decimal_seconds(text).unwrap(), kept.div_euclid(1_000));
        prop_assert_eq!(from_nanos(kept), kept.div_euclid(1_000));
    }

    #[test]
    fn foreign_text(text in "[-+:.TZtz 0-9]{0,32}") {
        // It never panics, and what it takes jiff takes as well, to the microsecond.
        if let Ok(time) = from_rfc3339(&text) {
            prop_assert_eq!(time, micros(&text.to_uppercase()));
        }
    }
}

#[test]
fn examples() {
    assert_eq!(from_rfc3339("2023-10-06T17:35:55.440295Z").unwrap(), 1_696_613_755_440_295);
    assert_eq!(from_rfc3339("2023-10-06T17:35:55.440295999Z").unwrap(), 1_696_613_755_440_295);
    assert_eq!(from_rfc3339("1969-12-31T23:59:59.9999999Z").unwrap(), -1);
    assert_eq!(from_rfc3339("1970-01-01 02:00:00+02:00").unwrap(), 0);
    assert_eq!(from_decimal_seconds("1762795433.9717445").unwrap(), 1_762_795_433_971_744);
    assert_eq!(from_decimal_seconds("-0.0000001").unwrap(), -1);
    assert_eq!(from_decimal_seconds("1.7627954339717445e9").unwrap(), 1_762_795_433_971_744);
    assert_eq!(from_decimal_seconds("1762795616").unwrap(), 1_762_795_616_000_000);
    assert_eq!(from_seconds(-1).unwrap(), -1_000_000);
    assert_eq!(from_millis(1_723_161_255_611).unwrap(), 1_723_161_255_611_000);
}

#[test]
fn refuses_with_a_sentence() {
    for text in [
        "",
        "2023-10-06",
        "2023-10-06T17:35:55",
        "2023-10-06T17:35:55.Z",
        "2023-10-06T17:35:55.1234567890Z",
        "2023-10-06T24:00:00Z",
        "2023-10-06T17:35:60Z",
        "2023-10-06T17:35:55+24:00",
        "2023-10-06T17:35:55+0100",
        "2023-10-06T17:35:55Zx",
        "-023-10-06T17:35:55Z",
        "2023-1O-06T17:35:55Z",
    ] {
        assert!(from_rfc3339(text).unwrap_err().contains("is not a time as RFC 3339 writes it"), "{text}");
    }
    for text in ["", "now", "1e30", "99999999999999999999", "-9223372036854.775809"] {
        assert!(from_decimal_seconds(text).is_err(), "{text}");
    }
    assert_eq!(from_decimal_seconds("-9223372036854.775808").unwrap(), i64::MIN);
    assert!(from_seconds(i64::MAX).unwrap_err().contains("beyond"));
    assert!(from_millis(i64::MIN).is_err());
    assert_eq!(from_nanos(i64::MIN), -9_223_372_036_854_776);
}
