//! The engine that compiles and runs plugins, and the clock that stops them.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use super::cache;
use super::error::RuntimeError;

/// What a plugin is allowed, and where compiled code is kept.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    /// Memory of one instance, 1 MiB to 4 GiB.
    pub memory_bytes: usize,
    /// Time of one call, 10 ms to one hour. Kept by a clock that ticks every [`Runtime::TICK`], so that a call may take up to
    /// one tick longer.
    pub call_time: Duration,
    /// Folder for compiled code, made if missing, closed to other users; none compiles anew at each start.
    pub cache_folder: Option<PathBuf>,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self { memory_bytes: 64 << 20, call_time: Duration::from_secs(1), cache_folder: None }
    }
}

/// The engine. Cheap to clone; all plugins of a process share one.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    limits: Arc<RuntimeLimits>,
}

/// The limits of one instance.
#[derive(Debug)]
pub(super) struct RuntimeLimits {
    pub(super) memory_bytes: usize,
    pub(super) call_time: Duration,
    /// [`RuntimeLimits::call_time`] in ticks.
    pub(super) call_ticks: u64,
}

impl Runtime {
    /// How often the clock that stops plugins ticks.
    pub const TICK: Duration = Duration::from_millis(10);
    /// The most instances at a time, one for each connection: so many 4 GiB of address space are reserved.
    const INSTANCES: u32 = 512;
    /// Stack of a plugin. The host's threads have 2 MiB.
    const STACK_BYTES: usize = 512 << 10;

    /// Sets up the engine and starts its clock, a thread that ends with the last clone.
    ///
    /// # Errors
    /// A setting is out of its range, or the system gives no memory.
    pub fn new(settings: &RuntimeSettings) -> Result<Self, RuntimeError> {
        if !(1 << 20..=1 << 32).contains(&settings.memory_bytes) {
            return Err(RuntimeError::Setting(format!(
                "a plugin's memory must be 1 MiB to 4 GiB, and is {} bytes; change plugins.memory_mb",
                settings.memory_bytes
            )));
        }
        if !(Self::TICK..=Duration::from_secs(3600)).contains(&settings.call_time) {
            return Err(RuntimeError::Setting(format!(
                "a plugin's time for a call must be 10 ms to one hour, and is {:?}; change plugins.time_ms",
                settings.call_time
            )));
        }
        let cache = settings.cache_folder.as_deref().and_then(|folder| {
            cache::open(folder)
                .inspect_err(|reason| {
                    let folder = folder.display();
                    tracing::warn!(%folder, %reason, "compiled plugins are not kept; each start compiles them anew");
                })
                .ok()
        });
        let mut config = Self::config(settings);
        config.cache(cache);
        let engine = Self::engine(config, settings)?;
        start_clock(&engine)?;
        let call_ticks = settings.call_time.as_millis().div_ceil(Self::TICK.as_millis());
        let limits = RuntimeLimits {
            memory_bytes: settings.memory_bytes,
            call_time: settings.call_time,
            // A call starts between two ticks: one more, so that it is never cut short.
            call_ticks: u64::try_from(call_ticks).unwrap_or(u64::MAX >> 1) + 1,
        };
        Ok(Self { engine, limits: Arc::new(limits) })
    }

    fn config(settings: &RuntimeSettings) -> Config {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .epoch_interruption(true)
            .max_wasm_stack(Self::STACK_BYTES)
            .parallel_compilation(true)
            // Inlined functions and lines in backtraces, where the plugin has debug information.
            .wasm_backtrace_details(WasmBacktraceDetails::Enable);
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(Self::INSTANCES)
            // A component of this world consists of its module, a shim for its imports and one that ties the two.
            .total_core_instances(4 * Self::INSTANCES)
            .total_memories(Self::INSTANCES)
            .total_tables(4 * Self::INSTANCES)
            .max_core_instances_per_component(16)
            .max_memories_per_component(1)
            .max_memory_size(settings.memory_bytes)
            // Pages of a dropped instance that are zeroed by hand instead of given back: instantiating again is cheaper.
            .linear_memory_keep_resident(256 << 10)
            .table_keep_resident(16 << 10);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        config
    }

    /// The engine with its pool of 4 GiB reservations, which make memory accesses cheapest; without a pool, and with checked
    /// accesses, where the address space is limited (`ulimit -v`, small containers).
    fn engine(config: Config, settings: &RuntimeSettings) -> Result<Engine, RuntimeError> {
        let mut plain = config.clone();
        match Engine::new(&config) {
            Ok(engine) => Ok(engine),
            Err(reason) => {
                tracing::warn!(
                    reason = %format!("{reason:#}"),
                    "no address space for a pool of plugin instances: plugins run 20 to 30 percent slower; raise `ulimit -v`"
                );
                plain
                    .allocation_strategy(InstanceAllocationStrategy::OnDemand)
                    .memory_reservation(settings.memory_bytes as u64)
                    .memory_reservation_for_growth(0)
                    .memory_guard_size(64 << 10);
                Engine::new(&plain).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
            }
        }
    }

    pub(super) fn engine_ref(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn limits(&self) -> &Arc<RuntimeLimits> {
        &self.limits
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runtime").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Starts the thread that advances the engine's epoch. It holds the engine weakly and ends with it.
fn start_clock(engine: &Engine) -> Result<(), RuntimeError> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("plugin-clock".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(Runtime::TICK);
            }
        })
        .map(drop)
        .map_err(|error| RuntimeError::Engine(format!("no thread for its clock: {error}")))
}
