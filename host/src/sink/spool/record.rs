//! A record as bytes: topic, key, headers and value, each behind its length.

use rdkafka::message::{BorrowedHeaders, Header, Headers as _, OwnedHeaders};

/// A record that was read back.
#[derive(Debug)]
pub struct SpooledRecord<'a> {
    /// Full name of the topic.
    pub topic: &'a str,
    /// Key.
    pub key: &'a [u8],
    /// Value.
    pub payload: &'a [u8],
    /// Headers, if it has any.
    pub headers: Option<OwnedHeaders>,
}

/// Appends a record's bytes.
pub fn encode(topic: &str, key: &[u8], payload: &[u8], headers: Option<&BorrowedHeaders>, bytes: &mut Vec<u8>) {
    put(topic.as_bytes(), bytes);
    put(key, bytes);
    bytes.extend_from_slice(&(headers.map_or(0, |headers| headers.count()) as u32).to_le_bytes());
    for header in headers.into_iter().flat_map(|headers| headers.iter()) {
        put(header.key.as_bytes(), bytes);
        bytes.push(header.value.is_some().into());
        put(header.value.unwrap_or_default(), bytes);
    }
    put(payload, bytes);
}

/// Reads a record's bytes; none if they are not one.
pub fn decode(mut bytes: &[u8]) -> Option<SpooledRecord<'_>> {
    let bytes = &mut bytes;
    let topic = std::str::from_utf8(take(bytes)?).ok().filter(|topic| !topic.is_empty() && !topic.contains('\0'))?;
    let key = take(bytes)?;
    let count = number(bytes)?;
    // A header takes nine bytes at least.
    let mut headers = OwnedHeaders::new_with_capacity((count as usize).min(bytes.len() / 9));
    for _ in 0..count {
        let key = std::str::from_utf8(take(bytes)?).ok().filter(|key| !key.contains('\0'))?;
        let (there, rest) = bytes.split_first()?;
        *bytes = rest;
        let value = match (there, take(bytes)?) {
            (0, []) => None,
            (1, value) => Some(value),
            _ => return None,
        };
        headers = headers.insert(Header { key, value });
    }
    let payload = take(bytes)?;
    let headers = (count > 0).then_some(headers);
    bytes.is_empty().then_some(SpooledRecord { topic, key, payload, headers })
}

fn put(part: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number))
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(bytes)? as usize;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let headers = OwnedHeaders::new()
            .insert(Header { key: "reason", value: Some("ü\0") })
            .insert(Header { key: "", value: None::<&str> });
        let mut bytes = Vec::new();
        encode("t", b"", b"\0payload", Some(headers.as_borrowed()), &mut bytes);
        let back = decode(&bytes).unwrap();
        assert_eq!((back.topic, back.key, back.payload), ("t", &b""[..], &b"\0payload"[..]));
        let pairs: Vec<_> = back
            .headers
            .iter()
            .flat_map(|headers| headers.iter())
            .map(|header| (header.key.to_owned(), header.value))
            .collect();
        assert_eq!(pairs, [("reason".to_owned(), Some("ü\0".as_bytes())), (String::new(), None)]);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_none(), "{length} bytes of {}", bytes.len());
        }
        bytes.push(0);
        assert!(decode(&bytes).is_none());
    }
}
