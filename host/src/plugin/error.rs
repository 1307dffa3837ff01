//! What can go wrong with plugins, as sentences.

use std::io;
use std::path::PathBuf;

use super::fault::Fault;

/// Why the sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine refused its settings or got no memory.
    #[error("the plugin sandbox can't be set up: {0}")]
    Engine(String),
    /// A setting is out of its range.
    #[error("{0}")]
    Setting(String),
}

/// Why a plugin file is not used. Each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The folder can't be read.
    #[error("plugin folder {}: can't be read; create it, or set plugins.folder to where the .wasm files are", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file can't be read.
    #[error("plugin file {}: can't be read; check the file's permissions", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any plugin.
    #[error("plugin file {}: has {bytes} bytes, more than the {max} that a plugin may have; is it a plugin?", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
        /// The most that is accepted.
        max: u64,
    },
    /// The file is no WebAssembly.
    #[error("plugin file {}: is not WebAssembly ({reason}); put a component built by `cargo xtask plugins` there", .file.display())]
    NotWasm {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is a core module.
    #[error(
        "plugin file {}: is a core module, not a component; build it with `cargo xtask plugins`, or turn it into one with \
         `wasm-tools component new`", .file.display()
    )]
    CoreModule {
        /// The file.
        file: PathBuf,
    },
    /// The component was built for another version of the plugin contract.
    #[error(
        "plugin file {}: wants {wanted}, and this Tapedeck supports {supported}; {advice}", .file.display()
    )]
    WitVersion {
        /// The file.
        file: PathBuf,
        /// Interface and version that it names.
        wanted: String,
        /// The range that the host supports.
        supported: String,
        /// What to do.
        advice: &'static str,
    },
    /// The component exports no plugin interface.
    #[error(
        "plugin file {}: is a component, but exports no `tapedeck:plugin/plugin` (it exports {exports}); implement the world \
         `tapedeck-plugin` of wit/v1, for example with the crate tapedeck-sdk", .file.display()
    )]
    MissingExport {
        /// The file.
        file: PathBuf,
        /// What it does export.
        exports: String,
    },
    /// The component wants something that the host does not offer.
    #[error(
        "plugin file {}: imports `{import}`, which no plugin is given; a plugin may import `tapedeck:plugin/host` only: build \
         it for wasm32-unknown-unknown, as `cargo xtask plugins` does", .file.display()
    )]
    ForeignImport {
        /// The file.
        file: PathBuf,
        /// The name of the import.
        import: String,
    },
    /// The component can't be compiled or linked.
    #[error("plugin file {}: is not a valid component for this Tapedeck: {reason}; build it again with `cargo xtask plugins`", .file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What the compiler or linker said.
        reason: String,
    },
    /// The plugin crashed when it was asked what it is.
    #[error("plugin file {}: failed when asked for its description: {fault}; it is not used, report it to its author", .file.display())]
    Fault {
        /// The file.
        file: PathBuf,
        /// What happened.
        fault: Fault,
    },
    /// What it says of itself can't be used.
    #[error("plugin file {}: its description can't be used: {reason}; report it to its author", .file.display())]
    Description {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two files hold plugins of the same name.
    #[error("plugin file {}: its name `{name}` is that of {} too; remove one of the two", .file.display(), .first.display())]
    DuplicateName {
        /// The file that is not used.
        file: PathBuf,
        /// The file that is used.
        first: PathBuf,
        /// The plugin's name.
        name: String,
    },
}

impl PluginError {
    /// The file, or the folder, that it is about.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        match self {
            Self::Folder { folder: path, .. }
            | Self::Unreadable { file: path, .. }
            | Self::TooLarge { file: path, .. }
            | Self::NotWasm { file: path, .. }
            | Self::CoreModule { file: path }
            | Self::WitVersion { file: path, .. }
            | Self::MissingExport { file: path, .. }
            | Self::ForeignImport { file: path, .. }
            | Self::Invalid { file: path, .. }
            | Self::Fault { file: path, .. }
            | Self::Description { file: path, .. }
            | Self::DuplicateName { file: path, .. } => path,
        }
    }
}

/// Why a plugin opened no connection.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailure {
    /// The plugin said no: the user's markets, options or endpoint are wrong, and asking again changes nothing.
    #[error("plugin {plugin} refuses {}: {reason}", .market.as_deref().map_or("the feed".to_owned(), |name| format!("market {name}")))]
    Refused {
        /// Name and version of the plugin.
        plugin: String,
        /// Canonical name of the market at fault, if it is one market's.
        market: Option<String>,
        /// Its sentence, escaped and bounded.
        reason: String,
    },
    /// The plan makes no sense, or leads where the plugin may not go.
    #[error("plugin {plugin} gave a plan that can't be used: {reason}")]
    Plan {
        /// Name and version of the plugin.
        plugin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The plugin crashed or ran into a limit.
    #[error("plugin {plugin} failed to open: {fault}")]
    Fault {
        /// Name and version of the plugin.
        plugin: String,
        /// What happened.
        fault: Fault,
    },
}

/// Why a backfill function gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum BackfillFailure {
    /// The plugin said no.
    #[error("plugin {plugin} refuses: {reason}")]
    Refused {
        /// Name and version of the plugin.
        plugin: String,
        /// Its sentence, escaped and bounded.
        reason: String,
    },
    /// The answer makes no sense, or leads where the plugin may not go.
    #[error("plugin {plugin} gave an answer that can't be used: {reason}")]
    Answer {
        /// Name and version of the plugin.
        plugin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The plugin crashed or ran into a limit; the instance was made anew.
    #[error("plugin {plugin} failed: {fault}")]
    Fault {
        /// Name and version of the plugin.
        plugin: String,
        /// What happened.
        fault: Fault,
    },
    /// The instance is of no more use: open anew.
    #[error("plugin {plugin} can't go on: {reason}")]
    Broken {
        /// Name and version of the plugin.
        plugin: String,
        /// Why.
        reason: String,
    },
}
