//! Exact decimals of the audit: prices and quantities with twelve places, and their products and sums with twenty-four.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

const PLACES: usize = 12;
const ONE: i128 = 10_i128.pow(12);
const SUM_PLACES: usize = 24;
const SUM_ONE: i128 = 10_i128.pow(24);

/// A price or a quantity: units of 10⁻¹².
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

/// A sum of quantities or of products: a whole part, rounded down, and units of 10⁻²⁴ above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    whole: i128,
    fraction: i128,
}

impl Decimal {
    /// This times another, exactly.
    ///
    /// Fails when the whole part has more than 38 digits.
    pub fn times(self, other: Self) -> Result<Sum> {
        // (a + b/10¹²)(c + d/10¹²) = ac + (ad + bc)/10¹² + bd/10²⁴, with b and d at least 0.
        let (a, b) = (self.0.div_euclid(ONE), self.0.rem_euclid(ONE));
        let (c, d) = (other.0.div_euclid(ONE), other.0.rem_euclid(ONE));
        let middle = (|| a.checked_mul(d)?.checked_add(b.checked_mul(c)?))();
        let whole = a.checked_mul(c).zip(middle).and_then(|(ac, middle)| ac.checked_add(middle.div_euclid(ONE)));
        let (Some(whole), Some(middle)) = (whole, middle) else { bail!("{self} times {other} has too many digits") };
        Sum { whole, fraction: middle.rem_euclid(ONE) * ONE }.plus(Sum { whole: 0, fraction: b * d })
    }
}

impl Sum {
    /// This plus another, exactly.
    ///
    /// Fails when the whole part has more than 38 digits.
    pub fn plus(self, other: Self) -> Result<Self> {
        let fraction = self.fraction + other.fraction;
        let whole = self.whole.checked_add(other.whole).and_then(|whole| whole.checked_add(fraction / SUM_ONE));
        Ok(Self { whole: whole.context("a sum has too many digits")?, fraction: fraction % SUM_ONE })
    }
}

impl From<Decimal> for Sum {
    fn from(decimal: Decimal) -> Self {
        Self { whole: decimal.0.div_euclid(ONE), fraction: decimal.0.rem_euclid(ONE) * ONE }
    }
}

impl FromStr for Decimal {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (negative, whole, fraction) = split(text, PLACES)?;
        let magnitude = whole.checked_mul(ONE).and_then(|whole| whole.checked_add(fraction));
        let magnitude = magnitude.with_context(|| format!("`{text}` has too many digits"))?;
        Ok(Self(if negative { -magnitude } else { magnitude }))
    }
}

impl FromStr for Sum {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (negative, whole, fraction) = split(text, SUM_PLACES)?;
        Ok(match (negative, fraction) {
            (false, _) => Self { whole, fraction },
            (true, 0) => Self { whole: -whole, fraction: 0 },
            (true, _) => Self { whole: -whole - 1, fraction: SUM_ONE - fraction },
        })
    }
}

/// Sign, whole part, and the fraction in units of its last allowed place.
fn split(text: &str, places: usize) -> Result<(bool, i128, i128)> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        bail!("`{text}` is no plain decimal");
    }
    let significant = fraction.trim_end_matches('0');
    if significant.len() > places {
        bail!("`{text}` has more than {places} places");
    }
    let whole = whole.parse().with_context(|| format!("`{text}` has too many digits"))?;
    let fraction = format!("{significant:0<places$}").parse().with_context(|| format!("`{text}` is no decimal"))?;
    Ok((negative, whole, fraction))
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sum::from(*self).fmt(formatter)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, whole, fraction) = match (self.whole < 0, self.fraction) {
            (false, fraction) => ("", self.whole.unsigned_abs(), fraction),
            (true, 0) => ("-", self.whole.unsigned_abs(), 0),
            (true, fraction) => ("-", (self.whole + 1).unsigned_abs(), SUM_ONE - fraction),
        };
        let fraction = format!("{fraction:0SUM_PLACES$}");
        match fraction.trim_end_matches('0') {
            "" => write!(formatter, "{sign}{whole}"),
            digits => write!(formatter, "{sign}{whole}.{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_read_exactly_and_written_back() {
        for text in ["0", "1", "-1", "0.000000000001", "-0.000000000001", "-2.5", "12345678901234567890.123456789012"] {
            assert_eq!(decimal(text).to_string(), text);
            assert_eq!(text.parse::<Sum>().unwrap().to_string(), text);
        }
        assert_eq!(decimal("2683.80000000"), decimal("2683.8"));
        for text in ["", ".5", "1e5", "+1", "1.0000000000001", "--1", "1.-5", " 1"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn products_are_exact() {
        let cases = [
            ("2683.8", "0.002", "5.3676"),
            ("0.000000000001", "0.000000000001", "0.000000000000000000000001"),
            ("-1.5", "1.5", "-2.25"),
            ("-0.1", "-0.1", "0.01"),
            ("99999999999999999999", "99999999999999", "9999999999999899999900000000000001"),
            ("123456789012345678.9", "987654321.987654321098", "121932631246761163248190824.3344734034322"),
        ];
        for (left, right, product) in cases {
            assert_eq!(decimal(left).times(decimal(right)).unwrap().to_string(), product, "{left} × {right}");
        }
        let huge = decimal("99999999999999999999999999");
        assert!(huge.times(huge).is_err());
    }

    #[test]
    fn sums_carry_over_the_point_and_zero() {
        let sum = |texts: &[&str]| {
            let sums = texts.iter().map(|text| text.parse::<Sum>().unwrap());
            sums.fold(Sum::default(), |left, right| left.plus(right).unwrap()).to_string()
        };
        assert_eq!(sum(&["0.9", "0.2"]), "1.1");
        assert_eq!(sum(&["-0.9", "0.2"]), "-0.7");
        assert_eq!(sum(&["-0.5", "0.5"]), "0");
        assert_eq!(sum(&["-1.25", "-1.75"]), "-3");
    }
}
