//! The window of time, in days of UTC.

use jiff::Timestamp;

const DAY: i64 = 86_400;

/// A day of UTC, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// Its first second.
    pub(super) from: u32,
    /// The first second behind it.
    pub(super) to: u32,
}

/// The days that a window touches, without those that silver holds no more, or only in part.
pub(super) fn days(from: Timestamp, to: Timestamp, silver_days: Option<u32>) -> Vec<Day> {
    days_at(from, to, silver_days, Timestamp::now())
}

fn days_at(from: Timestamp, to: Timestamp, silver_days: Option<u32>, now: Timestamp) -> Vec<Day> {
    let second = |instant: Timestamp| instant.as_second().clamp(0, i64::from(u32::MAX) - DAY);
    let up = |second: i64| second.div_euclid(DAY) + i64::from(second.rem_euclid(DAY) > 0);
    let mut first = second(from).div_euclid(DAY);
    if let Some(kept) = silver_days {
        first = first.max(up(second(now) - i64::from(kept) * DAY));
    }
    let last = up(second(to) + i64::from(to.subsec_nanosecond() > 0));
    let at = |day: i64| u32::try_from(day * DAY).unwrap_or(u32::MAX);
    (first..last).map(|day| Day { from: at(day), to: at(day + 1) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_every_day_that_it_touches() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let count = |from: &str, to: &str, kept| days_at(at(from), at(to), kept, at("2026-03-10T12:00:00Z")).len();
        assert_eq!(count("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", None), 1);
        assert_eq!(count("2026-03-01T23:59:59Z", "2026-03-02T00:00:00.5Z", None), 2);
        assert_eq!(count("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", None), 0);
        assert_eq!(count("2026-03-01T00:00:00Z", "2026-03-10T12:00:00Z", None), 10);
        // Half of the 8th is out of what silver keeps: the 9th is the first whole day.
        assert_eq!(count("2026-03-01T00:00:00Z", "2026-03-10T12:00:00Z", Some(2)), 2);
        let days = days_at(at("2026-03-01T07:00:00Z"), at("2026-03-01T08:00:00Z"), None, at("2026-03-10T12:00:00Z"));
        assert_eq!(days, [Day { from: 1_772_323_200, to: 1_772_409_600 }]);
    }
}
