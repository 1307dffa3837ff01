//! Times as microseconds since 1970-01-01T00:00:00Z: RFC 3339 text out (on the hot path) and in.

use crate::decimal::write_padded;

/// Microseconds of a second.
pub(crate) const SECOND_US: i64 = 1_000_000;
/// Microseconds of a day.
const DAY_US: i64 = 86_400 * SECOND_US;

/// Writes `2023-10-06T17:35:55.440295Z`, always with six digits after the point.
pub(crate) fn write_rfc3339(out: &mut Vec<u8>, time_us: i64) {
    let (days, of_day) = (time_us.div_euclid(DAY_US), time_us.rem_euclid(DAY_US));
    let (year, month, day) = civil_date(days);
    let seconds = of_day / SECOND_US;
    let parts = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (seconds / 3_600, 2, b':'),
        (seconds / 60 % 60, 2, b':'),
        (seconds % 60, 2, b'.'),
        (of_day % SECOND_US, 6, b'Z'),
    ];
    for (value, width, separator) in parts {
        write_padded(out, value.unsigned_abs(), width);
        out.push(separator);
    }
}

/// The RFC 3339 text of a time.
pub(crate) fn rfc3339(time_us: i64) -> String {
    let mut out = Vec::with_capacity(27);
    write_rfc3339(&mut out, time_us);
    String::from_utf8(out).unwrap_or_default()
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant's civil_from_days).
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Reads an RFC 3339 time, cut to microseconds.
///
/// # Errors
/// Says what is wrong with the text.
pub(crate) fn parse_rfc3339(text: &str) -> Result<i64, String> {
    text.parse::<jiff::Timestamp>()
        .map(|time| time.as_microsecond())
        .map_err(|error| format!("`{text}` is not a time such as 2024-08-08T23:59:30Z: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_jiff_from_1970_to_2100() {
        let mut random = crate::random::Random::new(3);
        for _ in 0..5_000 {
            let time_us = random.below(4_102_444_800_000_000) as i64;
            let text = rfc3339(time_us);
            assert_eq!(text.len(), 27);
            assert_eq!(parse_rfc3339(&text), Ok(time_us), "{text}");
        }
        assert_eq!(rfc3339(1_696_613_755_440_295), "2023-10-06T17:35:55.440295Z");
        assert_eq!(rfc3339(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
    }

    #[test]
    fn a_text_that_is_no_time_is_named() {
        assert!(parse_rfc3339("yesterday").is_err_and(|reason| reason.contains("`yesterday`")));
    }
}
