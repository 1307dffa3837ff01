//! One instance of a plugin in its sandbox: every call with a deadline, every fault put into words.

use std::sync::Arc;

use wasmtime::component::{Component, ComponentExportIndex, Func, HasSelf, InstancePre, Linker, TypedFunc};
use wasmtime::{ResourceLimiter, Store, format_err};

use super::bindings::tapedeck::plugin::types;
use super::bindings::{TapedeckPlugin, TapedeckPluginIndices};
use super::fault::{Fault, FaultContext};
use super::guest_log::GuestLog;
use super::lift::Answer;
use super::runtime::{Runtime, RuntimeLimits};

/// What can be instantiated: compiled, linked, type-checked.
pub(super) struct GuestPre {
    pre: InstancePre<GuestState>,
    world: TapedeckPluginIndices,
    decode: ComponentExportIndex,
}

/// `decode` of the contract.
type Decode<'a> = TypedFunc<(types::Batch<'a>,), (Result<Answer, String>,)>;

/// What the host keeps for one instance.
pub(super) struct GuestState {
    pub(super) log: GuestLog,
    memory: MemoryLimit,
}

/// Refuses memory and tables beyond the limit, and remembers that it did: the guest then usually crashes on its own.
struct MemoryLimit {
    bytes: usize,
    refused: bool,
}

impl MemoryLimit {
    /// Elements of a table; real plugins have hundreds.
    const TABLE_ELEMENTS: usize = 20_000;
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.bytes;
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= Self::TABLE_ELEMENTS;
        self.refused |= !fits;
        Ok(fits)
    }

    fn instances(&self) -> usize {
        16
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        1
    }
}

/// Checks a linked component against the world.
pub(super) fn prepare(pre: InstancePre<GuestState>) -> wasmtime::Result<GuestPre> {
    let world = TapedeckPluginIndices::new(&pre)?;
    let decode = export(pre.component(), "decode").ok_or_else(|| format_err!("there is no function `decode`"))?;
    Ok(GuestPre { pre, world, decode })
}

/// A function of the interface that plugins export.
fn export(component: &Component, function: &str) -> Option<ComponentExportIndex> {
    let interface = component.get_export_index(None, super::bindings::INTERFACE)?;
    component.get_export_index(Some(&interface), function)
}

/// The linker with what plugins may import: the log.
pub(super) fn linker(runtime: &Runtime) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(runtime.engine_ref());
    TapedeckPlugin::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// One instance. After a fault it must be dropped.
pub(super) struct Guest {
    store: Store<GuestState>,
    world: TapedeckPlugin,
    /// Type-checked.
    decode: Func,
    limits: Arc<RuntimeLimits>,
}

impl GuestPre {
    fn instantiate(&self, store: &mut Store<GuestState>) -> wasmtime::Result<(TapedeckPlugin, Func)> {
        let instance = self.pre.instantiate(&mut *store)?;
        let world = self.world.load(&mut *store, &instance)?;
        let decode: Decode<'_> = instance.get_typed_func(&mut *store, self.decode)?;
        Ok((world, *decode.func()))
    }
}

impl Guest {
    /// Instantiates.
    pub(super) fn new(runtime: &Runtime, pre: &GuestPre, label: &Arc<str>) -> Result<Self, Fault> {
        let limits = Arc::clone(runtime.limits());
        let memory = MemoryLimit { bytes: limits.memory_bytes, refused: false };
        let mut store = Store::new(runtime.engine_ref(), GuestState { log: GuestLog::new(Arc::clone(label)), memory });
        store.limiter(|state| &mut state.memory);
        // What an answer may take on the host's side: a record is about as large here as there, but texts in it may all
        // point to the same memory there.
        store.set_hostcall_fuel(limits.memory_bytes.saturating_mul(2));
        store.set_epoch_deadline(limits.call_ticks);
        match pre.instantiate(&mut store) {
            Ok((world, decode)) => Ok(Self { store, world, decode, limits }),
            Err(error) => {
                let state = store.data();
                Err(describe_fault(&error, state, &limits))
            }
        }
    }

    /// Makes one call, stopped at the deadline.
    pub(super) fn call<T>(
        &mut self,
        call: impl FnOnce(&TapedeckPlugin, &mut Store<GuestState>) -> wasmtime::Result<T>,
    ) -> Result<T, Fault> {
        self.watch(|guest| call(&guest.world, &mut guest.store))
    }

    /// Lets it decode a batch: an answer, or its reason for none.
    pub(super) fn decode(&mut self, batch: types::Batch<'_>) -> Result<Result<Answer, String>, Fault> {
        // SAFETY: the function was checked to be of this type when it was instantiated.
        let decode: Decode<'_> = unsafe { TypedFunc::new_unchecked(self.decode) };
        self.watch(|guest| decode.call(&mut guest.store, (batch,)).map(|(answer,)| answer))
    }

    fn watch<T>(&mut self, call: impl FnOnce(&mut Self) -> wasmtime::Result<T>) -> Result<T, Fault> {
        self.store.set_epoch_deadline(self.limits.call_ticks);
        let state = self.store.data_mut();
        state.log.start_call();
        state.memory.refused = false;
        let answer = call(self);
        self.store.data_mut().log.end_call();
        answer.map_err(|error| describe_fault(&error, self.store.data(), &self.limits))
    }
}

fn describe_fault(error: &wasmtime::Error, state: &GuestState, limits: &RuntimeLimits) -> Fault {
    Fault::of(
        error,
        &FaultContext {
            call_ms: limits.call_time.as_millis(),
            memory_bytes: limits.memory_bytes,
            memory_refused: state.memory.refused,
            last_words: state.log.last_error(),
        },
    )
}
