//! Exact decimals as a mantissa and a number of digits after the point: text out and text in, never a float.

/// The largest number of digits after the point that is understood.
pub(crate) const MAX_SCALE: u8 = 18;

/// 10 to the power of 0 to 19: all that fit 64 bits.
pub(crate) const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1_u64; 20];
    let mut index = 1;
    while index < 20 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// Writes an integer.
pub(crate) fn write_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes `value` with at least `width` digits, zeros in front.
pub(crate) fn write_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value).as_bytes();
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
    out.extend_from_slice(digits);
}

/// Writes `mantissa / 10^scale` with exactly `scale` digits after the point, and no point for a scale of 0.
pub(crate) fn write_decimal(out: &mut Vec<u8>, mantissa: u64, scale: u8) {
    let unit = POWERS_OF_TEN[usize::from(scale.min(19))];
    write_integer(out, mantissa / unit);
    if scale > 0 {
        out.push(b'.');
        write_padded(out, mantissa % unit, usize::from(scale));
    }
}

/// The text of `mantissa / 10^scale`.
pub(crate) fn decimal_text(mantissa: u64, scale: u8) -> String {
    let mut out = Vec::with_capacity(24);
    write_decimal(&mut out, mantissa, scale);
    String::from_utf8(out).unwrap_or_default()
}

/// Reads a plain, unsigned decimal; none for any other text, more than 18 digits after the point, or a mantissa of
/// more than 64 bits.
pub(crate) fn parse_decimal(text: &str) -> Option<(u64, u8)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let point_without_digits = text.contains('.') && fraction.is_empty();
    if whole.is_empty() || point_without_digits || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= MAX_SCALE)?;
    let mantissa = whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    Some((mantissa, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_every_digit() {
        for text in
            ["0", "0.00141342", "23.0", "2683.80000000", "12.00000000", "18446744073709551615", "7.000000000000000001"]
        {
            let (mantissa, scale) = parse_decimal(text).expect(text);
            assert_eq!(decimal_text(mantissa, scale), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e5",
            "1,0",
            " 1",
            "1.0.0",
            "18446744073709551616",
            "0.0000000000000000001",
        ] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
    }

    #[test]
    fn padding_fills_with_zeros() {
        let mut out = Vec::new();
        write_padded(&mut out, 42, 6);
        write_padded(&mut out, 1_234, 2);
        assert_eq!(out, b"0000421234");
    }
}
