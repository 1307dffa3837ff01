//! Decoding a capture again.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;

use super::{Decoder, Differences, Outlet, Tally};
use crate::capture::{CapturedBatch, Folder, SegmentHeader, Stream};
use crate::frames::FrameBatch;
use crate::plugin::{Decoded, Plugin, bounded_escaped};

/// What is made of a capture.
pub struct Run<'a> {
    /// Decodes it.
    pub plugin: Arc<Plugin>,
    /// Decodes it as well, to be compared.
    pub other: Option<(Arc<Plugin>, &'a mut Differences)>,
    /// Takes the trades, one record a line.
    pub lines: Option<&'a mut dyn Write>,
    /// Takes the trades to Kafka.
    pub outlet: Option<&'a mut Outlet>,
}

/// What was read, and what the plugins made of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Frames that were decoded.
    pub frames: u64,
    /// In so many batches.
    pub batches: u64,
    /// Frames that the capture says it is missing.
    pub lost: u64,
    /// What the plugin gave.
    pub tally: Tally,
    /// What the other gave.
    pub other: Tally,
}

/// The decoders of a stream, and the connection that they are at.
struct Opened {
    connection: u32,
    decoder: Decoder,
    other: Option<Decoder>,
}

/// Decodes every batch of a capture as it was received, with a new instance for each connection.
///
/// # Errors
/// A file cannot be read; a plugin does not open for the markets of a stream; the trades cannot be written.
pub async fn replay(folder: &mut Folder, mut run: Run<'_>) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut opened: Vec<Option<Opened>> = folder.streams().iter().map(|_| None).collect();
    let (mut decoded, mut other_decoded) = (Decoded::new(), Decoded::new());
    let mut line = Vec::new();
    while let Some((index, captured)) = folder.next_captured()? {
        let (connection, received_at_us, batch) = match captured {
            CapturedBatch::Lost { frames, .. } => {
                report.lost = report.lost.saturating_add(frames);
                continue;
            }
            CapturedBatch::Frames { connection, received_at_us, batch } => (connection, received_at_us, batch),
        };
        let Some((header, slot)) = folder.streams().get(index).map(Stream::header).zip(opened.get_mut(index)) else {
            continue;
        };
        let current = ready(slot, connection, header, &run)?;
        report.batches += 1;
        report.frames += batch.len() as u64;
        let at = |frame: u32| place(header, received_at_us, &batch, frame);
        let Opened { decoder, other, .. } = current;
        decoder.decode(&batch, received_at_us, &mut decoded)?;
        report.tally.add(decoder.origin(), &mut decoded, at);
        if let (Some(other), Some((_, differences))) = (other, &mut run.other) {
            other.decode(&batch, received_at_us, &mut other_decoded)?;
            report.other.add(other.origin(), &mut other_decoded, at);
            differences.add((decoder.origin(), &decoded), (other.origin(), &other_decoded), at);
        }
        for trade in &decoded.trades {
            if let Some(lines) = &mut run.lines {
                decoder.template().write(trade, received_at_us, &mut line);
                line.push(b'\n');
                lines.write_all(&line).context("the trades cannot be written")?;
            }
            if let Some(outlet) = run.outlet.as_deref_mut() {
                outlet.send(&decoder.origin().exchange, decoder.template(), trade, received_at_us).await?;
            }
        }
        // Instances are many only for as long as connections were open side by side.
        if folder.streams().get(index).is_some_and(Stream::is_over)
            && let Some(slot) = opened.get_mut(index)
        {
            *slot = None;
        }
    }
    Ok(report)
}

/// The stream's decoders, fresh where a connection begins.
fn ready<'s>(
    slot: &'s mut Option<Opened>,
    connection: u32,
    header: &SegmentHeader,
    run: &Run<'_>,
) -> anyhow::Result<&'s mut Opened> {
    if slot.as_ref().is_none_or(|opened| opened.connection != connection) {
        let request = header.request.request();
        let open = |plugin: &Arc<Plugin>| {
            Decoder::open(plugin, &header.exchange, &request)
                .with_context(|| format!("the plugin does not open for the markets of session {}", header.session))
        };
        let other = run.other.as_ref().map(|(plugin, _)| open(plugin)).transpose()?;
        *slot = Some(Opened { connection, decoder: open(&run.plugin)?, other });
    }
    slot.as_mut().context("no decoder")
}

/// Where a frame is, for a person.
fn place(header: &SegmentHeader, received_at_us: i64, batch: &FrameBatch, frame: u32) -> String {
    let bytes = batch.get(frame as usize).map_or(0, <[u8]>::len);
    let time =
        Timestamp::from_microsecond(received_at_us).map_or_else(|_| received_at_us.to_string(), |t| t.to_string());
    format!("{}, {time}, frame {frame} of {bytes} bytes", bounded_escaped(&header.session, 80))
}
