//! Which plugin decodes: the one that the user names, or the newest of a folder.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use semver::Version;

use crate::config::PluginsConfig;
use crate::plugin::{Plugin, PluginError, PluginFolder, Runtime, RuntimeSettings};

/// The sandbox of `[plugins]`.
///
/// # Errors
/// A setting is out of its range, or the system gives no memory.
pub fn runtime(config: &PluginsConfig) -> anyhow::Result<Runtime> {
    let settings = RuntimeSettings {
        memory_bytes: usize::try_from(config.memory_bytes).context("[plugins] memory_mb is too large")?,
        call_time: config.time,
        cache_folder: Some(config.cache.clone()),
    };
    Runtime::new(&settings).context("[plugins] is not usable")
}

/// Loads one plugin file.
///
/// # Errors
/// The file is no plugin that this Tapedeck can run.
pub fn load_file(runtime: &Runtime, file: &Path) -> Result<Arc<Plugin>, PluginError> {
    Plugin::load(runtime, file).map(Arc::new)
}

/// The plugins of a folder, of each name the one with the highest version. Files that are no plugins are left out.
///
/// # Errors
/// The folder can't be read.
pub fn newest(runtime: &Runtime, folder: &Path) -> Result<Vec<Arc<Plugin>>, PluginError> {
    let loaded = PluginFolder::load(runtime, folder)?;
    let mut newest = loaded.plugins().to_vec();
    for error in loaded.errors() {
        // For a session the first file of a name counts; what is decoded again is given to the newest.
        let PluginError::DuplicateName { file, name, .. } = error else { continue };
        let other = load_file(runtime, file)?;
        let known = newest.iter_mut().find(|plugin| plugin.description().name == *name);
        if let Some(known) = known.filter(|known| is_newer(version(&other), version(known))) {
            *known = other;
        }
    }
    Ok(newest)
}

fn version(plugin: &Plugin) -> &str {
    &plugin.description().version
}

/// Whether one version is above another. What is no semantic version is below all that are.
fn is_newer(version: &str, than: &str) -> bool {
    Version::parse(version).ok() > Version::parse(than).ok()
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, than, newer) in [
            ("0.10.0", "0.9.0", true),
            ("0.9.0", "0.10.0", false),
            ("1.0.0", "1.0.0-rc.1", true),
            ("1.0.0", "1.0.0", false),
            ("1.0.0", "tomorrow", true),
            ("tomorrow", "0.0.1", false),
        ] {
            assert_eq!(is_newer(version, than), newer, "{version} {than}");
        }
    }
}
