//! Units of figures, and how they are shown.

use serde::{Deserialize, Serialize};

/// What a figure counts. Values are in the base unit; showing picks the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Things a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Processors' worth: 1 is a core that does nothing else.
    Cores,
    /// Whole things.
    Count,
    /// Whole things, of which there are so many that a prefix reads better: instructions.
    Many,
    /// A ratio of two of the same kind.
    Times,
    /// Hundredths.
    Percent,
}

impl Unit {
    /// A value with its unit, three digits or so: `332 ns`, `3.01 M/s`, `93 MB`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => prefixed(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]),
            Self::PerSecond => prefixed(value, &[(1e9, "G/s"), (1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")]),
            Self::Bytes => prefixed(value, &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")]),
            Self::Many => prefixed(value, &[(1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")]).trim_end().to_owned(),
            Self::Cores => format!("{value:.2} cores"),
            Self::Count => grouped(value),
            Self::Times => format!("{}×", digits(value)),
            Self::Percent => format!("{} %", digits(value)),
        }
    }
}

fn prefixed(value: f64, prefixes: &[(f64, &str)]) -> String {
    let size = value.abs();
    let fits = prefixes.iter().find(|(factor, _)| size >= *factor);
    let (factor, name) = fits.or(prefixes.last()).copied().unwrap_or((1.0, ""));
    format!("{} {name}", digits(value / factor))
}

/// Three significant digits, but no digit before the point lost.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn grouped(value: f64) -> String {
    let plain = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_the_prefix_that_fits() {
        let cases = [
            (Unit::Seconds, 332.4e-9, "332 ns"),
            (Unit::Seconds, 0.0052, "5.20 ms"),
            (Unit::PerSecond, 3_012_345.0, "3.01 M/s"),
            (Unit::Bytes, 93e6, "93.0 MB"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Cores, 0.694, "0.69 cores"),
            (Unit::Count, 1_234_567.0, "1,234,567"),
            (Unit::Count, -12.0, "-12"),
            (Unit::Many, 45.2, "45.2"),
            (Unit::Times, 1.234, "1.23×"),
            (Unit::Percent, 4.96, "4.96 %"),
        ];
        for (unit, value, expected) in cases {
            assert_eq!(unit.show(value), expected);
        }
    }
}
