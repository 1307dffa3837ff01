//! A plugin that was read, checked, compiled and asked what it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::binary::BinaryInterface;
use super::description::Description;
use super::error::{OpenFailure, PluginError};
use super::guest::{self, Guest, GuestPre};
use super::instance::Instance;
use super::open::OpenRequest;
use super::plan::SessionPlan;
use super::runtime::Runtime;

/// A plugin, ready to open sessions.
pub struct Plugin {
    file: PathBuf,
    size: u64,
    digest: String,
    interface: BinaryInterface,
    description: Description,
    runtime: Runtime,
    pre: GuestPre,
    label: Arc<str>,
}

impl Plugin {
    /// The largest file that is read: plugins of languages with a runtime of their own have tens of megabytes.
    pub const MAX_BYTES: u64 = 256 << 20;

    /// Reads, checks and compiles a file, and asks the plugin what it is.
    ///
    /// # Errors
    /// Everything that can be wrong with the file; see [`PluginError`].
    pub fn load(runtime: &Runtime, file: &Path) -> Result<Self, PluginError> {
        let unreadable = |source| PluginError::Unreadable { file: file.to_owned(), source };
        let size = fs::metadata(file).map_err(unreadable)?.len();
        if size > Self::MAX_BYTES {
            return Err(PluginError::TooLarge { file: file.to_owned(), bytes: size, max: Self::MAX_BYTES });
        }
        let bytes = fs::read(file).map_err(unreadable)?;
        Self::from_bytes(runtime, file, &bytes)
    }

    /// As [`Plugin::load`], of bytes that were read already; `file` is for messages.
    ///
    /// # Errors
    /// As [`Plugin::load`].
    pub fn from_bytes(runtime: &Runtime, file: &Path, bytes: &[u8]) -> Result<Self, PluginError> {
        let interface = BinaryInterface::read(file, bytes)?;
        interface.check(file)?;
        let pre = compile(runtime, &interface, bytes).map_err(|error| PluginError::Invalid {
            file: file.to_owned(),
            reason: super::text::bounded_escaped(&format!("{error:#}"), 1024),
        })?;
        let file_name: Arc<str> = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into();
        let fault = |fault| PluginError::Fault { file: file.to_owned(), fault };
        let mut guest = Guest::new(runtime, &pre, &file_name).map_err(fault)?;
        let said = guest.call(|world, store| world.tapedeck_plugin_plugin().call_describe(store)).map_err(fault)?;
        let description =
            Description::checked(said).map_err(|reason| PluginError::Description { file: file.to_owned(), reason })?;
        let label = format!("{} {}", description.name, description.version).into();
        Ok(Self {
            file: file.to_owned(),
            size: bytes.len() as u64,
            digest: hex(&Sha256::digest(bytes)),
            interface,
            description,
            runtime: runtime.clone(),
            pre,
            label,
        })
    }

    /// What it says of itself, checked.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The file that it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Name and version, as messages give them.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Makes an instance and lets it plan one connection. The instance serves that connection.
    ///
    /// # Errors
    /// The plugin refuses, crashes, or gives a plan that can't be used.
    pub fn open(self: &Arc<Self>, request: OpenRequest) -> Result<(Instance, SessionPlan), OpenFailure> {
        Instance::open(Arc::clone(self), request)
    }

    /// A fresh instance in its sandbox.
    pub(super) fn guest(&self) -> Result<Guest, super::fault::Fault> {
        Guest::new(&self.runtime, &self.pre, &self.label)
    }

    pub(super) fn interface(&self) -> &BinaryInterface {
        &self.interface
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Plugin").field("file", &self.file).field("label", &self.label).finish_non_exhaustive()
    }
}

fn compile(runtime: &Runtime, interface: &BinaryInterface, bytes: &[u8]) -> wasmtime::Result<GuestPre> {
    let component = Component::from_binary(runtime.engine_ref(), bytes)?;
    let mut linker = guest::linker(runtime)?;
    if interface.wants_wasi() {
        // Other languages' toolchains link WASI in whether it is used or not: nothing of it is granted, a call crashes.
        linker.define_unknown_imports_as_traps(&component)?;
    }
    guest::prepare(linker.instantiate_pre(&component)?)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
