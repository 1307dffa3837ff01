//! The answer to a batch, read from the guest's memory straight into what the host keeps. Nothing of it is believed yet.
//!
//! wasmtime's own code reads a record field by field, each with its type and its bounds: for trades that is a third of the
//! time of a batch. Here a trade is one read of known length; docs/adr/0008 says what that hangs on. Types are checked as by
//! wasmtime's own code, and fuel is spent in its way, for what the host allocates.

use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{ComponentType, Lift};
use wasmtime::{Result, bail, format_err};

use crate::trade::{Decimal, Side, Source, Trade, TradeId};

use super::bindings::tapedeck::plugin::types;

/// What a plugin says of a batch: `decoded` of the contract.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Answer {
    pub(super) trades: Trades,
    pub(super) events: Vec<types::Event>,
    pub(super) refusals: Vec<types::Refusal>,
}

/// A list of trades, as they were said.
pub(super) struct Trades(pub(super) Vec<Trade>);

/// What wasmtime would read in its place.
type Generated = Vec<types::Trade>;

/// Bytes of a trade in the guest's memory, as the canonical ABI lays a record out. Where its fields are stands in `read`.
const TRADE: usize = 120;
const ALIGNMENT: usize = 8;
/// The budget of fuel counts on records being about as large here as there.
const _: () = assert!(size_of::<Trade>() < 2 * TRADE);
const _: () = assert!(TRADE == types::Trade::SIZE32 && ALIGNMENT == types::Trade::ALIGN32 as usize);

// SAFETY: all of it is what the generated type says.
unsafe impl ComponentType for Trades {
    type Lower = <Generated as ComponentType>::Lower;
    const ABI: CanonicalAbiInfo = <Generated as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        Generated::typecheck(ty, types)
    }
}

// SAFETY: the type was checked to be a list of trades, and all that is read from memory is bounded by its slice.
unsafe impl Lift for Trades {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, _: InterfaceType, [start, count]: &Self::Lower) -> Result<Self> {
        Self::read(cx, start.get_u32() as usize, count.get_u32() as usize)
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, _: InterfaceType, bytes: &[u8]) -> Result<Self> {
        let Some(both) = bytes.first_chunk() else { bail!("a list is a pointer and a length") };
        let (start, count) = halves(*both);
        Self::read(cx, start, count)
    }
}

impl Trades {
    fn read(cx: &mut LiftContext<'_>, start: usize, count: usize) -> Result<Self> {
        let bytes = count.checked_mul(TRADE).and_then(|bytes| cx.memory().get(start..)?.get(..bytes));
        let bytes = bytes.ok_or_else(|| format_err!("list pointer/length out of bounds of memory"))?;
        cx.consume_fuel_array(count, size_of::<Trade>())?;
        if !start.is_multiple_of(ALIGNMENT) {
            bail!("list pointer is not aligned");
        }
        let mut trades = Vec::with_capacity(count);
        for bytes in bytes.as_chunks::<TRADE>().0 {
            trades.push(read(cx, bytes)?);
        }
        Ok(Self(trades))
    }
}

/// Reads one trade.
#[inline]
fn read(cx: &mut LiftContext<'_>, trade: &[u8; TRADE]) -> Result<Trade> {
    Ok(Trade {
        frame: u32::from_le_bytes(part::<0, 4>(trade)),
        market: u32::from_le_bytes(part::<4, 4>(trade)),
        id: match trade[8] {
            0 => TradeId::Number(u64::from_le_bytes(part::<16, 8>(trade))),
            1 => TradeId::Text(text(cx, &trade[16..24])?.into()),
            other => bail!("unexpected discriminant: {other}"),
        },
        order: u64::from_le_bytes(part::<24, 8>(trade)),
        count: u32::from_le_bytes(part::<32, 4>(trade)),
        price: decimal(part::<40, 16>(trade), trade[56]),
        quantity: decimal(part::<64, 16>(trade), trade[80]),
        side: match trade[88] {
            0 => Side::Unknown,
            1 => Side::Buy,
            2 => Side::Sell,
            other => bail!("unexpected discriminant: {other}"),
        },
        timestamp_us: i64::from_le_bytes(part::<96, 8>(trade)),
        source: match trade[104] {
            0 => Source::Live,
            1 => Source::Snapshot,
            2 => Source::Backfill,
            other => bail!("unexpected discriminant: {other}"),
        },
        vendor: text(cx, &trade[108..116])?,
    })
}

/// So many bytes of a trade, from there on.
fn part<const AT: usize, const BYTES: usize>(trade: &[u8; TRADE]) -> [u8; BYTES] {
    std::array::from_fn(|index| trade[AT + index])
}

/// The upper half lies before the lower one.
fn decimal(halves: [u8; 16], scale: u8) -> Decimal {
    let high_first = u128::from_le_bytes(halves).rotate_left(64);
    Decimal { unscaled: high_first.cast_signed(), scale }
}

/// A text, whose pointer and length lie here. Most are empty.
fn text(cx: &mut LiftContext<'_>, place: &[u8]) -> Result<String> {
    if let Some(both) = place.first_chunk()
        && let (pointer, 0) = halves(*both)
        && pointer <= cx.memory().len()
    {
        return Ok(String::new());
    }
    String::linear_lift_from_memory(cx, InterfaceType::String, place)
}

/// A pointer, and the length behind it.
fn halves(both: [u8; 8]) -> (usize, usize) {
    let both = u64::from_le_bytes(both);
    ((both as u32) as usize, (both >> 32) as usize)
}

impl From<types::Trade> for Trade {
    /// Takes it over as it was said.
    fn from(said: types::Trade) -> Self {
        let decimal = |types::Decimal { high, low, scale }| Decimal {
            unscaled: (i128::from(high) << 64) | i128::from(low),
            scale,
        };
        Self {
            frame: said.frame,
            market: said.market,
            id: match said.id {
                types::TradeIdResult::Number(number) => TradeId::Number(number),
                types::TradeIdResult::Text(text) => TradeId::Text(text.into()),
            },
            order: said.order,
            count: said.count,
            price: decimal(said.price),
            quantity: decimal(said.quantity),
            side: match said.side {
                types::Side::Unknown => Side::Unknown,
                types::Side::Buy => Side::Buy,
                types::Side::Sell => Side::Sell,
            },
            timestamp_us: said.timestamp,
            source: match said.source {
                types::Source::Live => Source::Live,
                types::Source::Snapshot => Source::Snapshot,
                types::Source::Backfill => Source::Backfill,
            },
            vendor: said.vendor,
        }
    }
}

impl From<types::Decoded> for Answer {
    fn from(said: types::Decoded) -> Self {
        let trades = Trades(said.trades.into_iter().map(Trade::from).collect());
        Self { trades, events: said.events, refusals: said.refusals }
    }
}

#[cfg(test)]
mod tests;
