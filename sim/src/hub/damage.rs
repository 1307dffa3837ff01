//! Damaged copies of a trade's frame, each of which a plugin must refuse and none of which reads as another trade.

use crate::frame::{Opcode, payload_of, write_frame};

/// The keys behind which a price stands, Binance's and Kraken's.
const PRICE_KEYS: [&[u8]; 2] = [b"\"p\":", b"\"price\":"];

/// Forty digits: more than 128 bits hold.
const FORTY_DIGITS: &[u8] = b"1234567890123456789012345678901234567890";

/// Appends a damaged copy of `frame`; `way` (0 to 3) chooses how.
pub(super) fn write_damaged(out: &mut Vec<u8>, frame: &[u8], way: u64) {
    let payload = payload_of(frame);
    match way {
        0 => write_frame(out, Opcode::Text, &payload[..payload.len() / 2]),
        1 => write_frame(out, Opcode::Text, &with_price(payload, b"true")),
        2 => {
            let quoted = payload.windows(6).any(|window| window.starts_with(b"\"p\":\""));
            let digits = if quoted { [b"\"", FORTY_DIGITS, b"\""].concat() } else { FORTY_DIGITS.to_vec() };
            write_frame(out, Opcode::Text, &with_price(payload, &digits));
        }
        _ => {
            // Bytes that are not UTF-8 would break the protocol in a text frame.
            let mut bytes = payload.to_vec();
            let middle = bytes.len() / 2;
            bytes.splice(middle..middle, [0xFF, 0xFE]);
            write_frame(out, Opcode::Binary, &bytes);
        }
    }
}

/// The payload with the value of its first price replaced.
fn with_price(payload: &[u8], value: &[u8]) -> Vec<u8> {
    let found = PRICE_KEYS.iter().find_map(|key| {
        let at = payload.windows(key.len()).position(|window| window == *key)?;
        Some(at + key.len())
    });
    let Some(start) = found else { return payload[..payload.len() / 2].to_vec() };
    let length = payload[start..].iter().position(|byte| *byte == b',').unwrap_or(0);
    [&payload[..start], value, &payload[start + length..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_damages_as_it_says() {
        for payload in [r#"{"e":"trade","p":"1.50","q":"2"}"#, r#"{"data":[{"price":1.50,"qty":2}]}"#] {
            let mut frame = Vec::new();
            write_frame(&mut frame, Opcode::Text, payload.as_bytes());
            let damaged = |way| {
                let mut out = Vec::new();
                write_damaged(&mut out, &frame, way);
                payload_of(&out).to_vec()
            };
            assert!(serde_json::from_slice::<serde_json::Value>(&damaged(0)).is_err());
            assert!(String::from_utf8(damaged(1)).unwrap().contains(":true,"));
            serde_json::from_slice::<serde_json::Value>(&damaged(2)).unwrap();
            assert!(String::from_utf8(damaged(2)).unwrap().contains("1234567890123456789012345678901234567890"));
            assert!(String::from_utf8(damaged(3)).is_err());
        }
    }
}
