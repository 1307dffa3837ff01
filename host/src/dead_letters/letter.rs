//! One dead letter, as it lies in Kafka.

use std::fmt;
use std::str::FromStr;

use rdkafka::message::{Headers as _, Message};

/// Where a letter lies in its exchange's topic. Written `partition:offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId {
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

impl fmt::Display for LetterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.partition, self.offset)
    }
}

impl FromStr for LetterId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once(':').and_then(|(partition, offset)| {
            let (partition, offset) = (partition.parse::<u16>().ok()?, offset.parse::<i64>().ok()?);
            (offset >= 0).then_some(Self { partition: partition.into(), offset })
        });
        parsed
            .ok_or_else(|| "write PARTITION:OFFSET, as `tapedeck dead-letters list` shows it, for example 2:17".into())
    }
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where it lies.
    pub id: LetterId,
    /// Its headers, in order. Nobody guarantees that it was Tapedeck who wrote them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The frame, byte for byte.
    pub frame: Vec<u8>,
    /// When Kafka got it, µs since 1970 UTC; 0 if it does not say.
    pub written_at_us: i64,
}

impl Letter {
    /// Copies a record.
    pub(super) fn of(message: &impl Message) -> Self {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let headers = headers.map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()));
        Self {
            id: LetterId { partition: message.partition(), offset: message.offset() },
            headers: headers.collect(),
            frame: message.payload().unwrap_or_default().to_vec(),
            written_at_us: message.timestamp().to_millis().unwrap_or(0).saturating_mul(1000),
        }
    }

    /// The value of a header, where it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        str::from_utf8(value).ok()
    }

    /// When the host received the frame, µs since 1970 UTC; when Kafka got the letter, where that is not said.
    pub fn received_at_us(&self) -> i64 {
        self.header("received-at-us").and_then(|text| text.parse().ok()).unwrap_or(self.written_at_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = LetterId { partition: 2, offset: 17 };
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "2", "2:", ":17", "2:-1", "-2:1", "2:17:1", "99999:1", "two:1"] {
            assert!(wrong.parse::<LetterId>().is_err(), "{wrong}");
        }
    }
}
