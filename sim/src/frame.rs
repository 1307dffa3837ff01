//! WebSocket frames of a server, encoded straight into the buffer that is written to the socket.

/// Room for the header of a payload of 126 to 65,535 bytes, which most frames have.
const USUAL_HEADER: usize = 4;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    /// Text, which should be UTF-8.
    Text = 0x1,
    /// Bytes.
    Binary = 0x2,
    /// A ping with a payload that the client must send back.
    Ping = 0x9,
}

/// Begins a frame at the end of `out`: the payload is to be appended, and [`end_frame`] called.
pub(crate) fn begin_frame(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; USUAL_HEADER]);
    start
}

/// Ends the frame that [`begin_frame`] began at `start`.
pub(crate) fn end_frame(out: &mut Vec<u8>, start: usize, opcode: Opcode) {
    let length = out.len() - start - USUAL_HEADER;
    let (header, size) = header(opcode, length);
    if size == USUAL_HEADER {
        out[start..start + USUAL_HEADER].copy_from_slice(&header[..size]);
    } else {
        out.splice(start..start + USUAL_HEADER, header[..size].iter().copied());
    }
}

/// Appends a whole frame.
pub(crate) fn write_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let (header, size) = header(opcode, payload.len());
    out.extend_from_slice(&header[..size]);
    out.extend_from_slice(payload);
}

/// The payload of a frame that was encoded here.
pub(crate) fn payload_of(frame: &[u8]) -> &[u8] {
    let size = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    frame.get(size..).unwrap_or_default()
}

/// The header of an unmasked, final frame, and its size.
fn header(opcode: Opcode, length: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = 0x80 | opcode as u8;
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        header[1] = short;
        (header, 2)
    } else if let Ok(medium) = u16::try_from(length) {
        header[1] = 126;
        header[2..4].copy_from_slice(&medium.to_be_bytes());
        (header, 4)
    } else {
        header[1] = 127;
        header[2..10].copy_from_slice(&(length as u64).to_be_bytes());
        (header, 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_encoding_agree_at_every_size() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload = vec![b'x'; length];
            let mut whole = b"before".to_vec();
            write_frame(&mut whole, Opcode::Text, &payload);
            let mut pieces = b"before".to_vec();
            let start = begin_frame(&mut pieces);
            pieces.extend_from_slice(&payload);
            end_frame(&mut pieces, start, Opcode::Text);
            assert!(whole == pieces, "length {length}");
            assert!(payload_of(&whole[6..]) == payload, "length {length}");
        }
    }
}
