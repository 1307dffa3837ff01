//! All plugins of a folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::PluginError;
use super::loaded::Plugin;
use super::runtime::Runtime;

/// The plugins of a folder, and the files in it that are none.
#[derive(Debug, Default)]
pub struct PluginFolder {
    plugins: Vec<Arc<Plugin>>,
    errors: Vec<PluginError>,
}

impl PluginFolder {
    /// Loads every `*.wasm` file of the folder, in the order of the file names. A file that is no good does not keep the
    /// others from being loaded.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn load(runtime: &Runtime, folder: &Path) -> Result<Self, PluginError> {
        let mut loaded = Self::default();
        let mut files_by_name: HashMap<String, PathBuf> = HashMap::new();
        for file in wasm_files(folder)? {
            let plugin = match Plugin::load(runtime, &file) {
                Ok(plugin) => plugin,
                Err(error) => {
                    loaded.errors.push(error);
                    continue;
                }
            };
            let name = plugin.description().name.clone();
            if let Some(first) = files_by_name.get(&name) {
                loaded.errors.push(PluginError::DuplicateName { file, first: first.clone(), name });
                continue;
            }
            files_by_name.insert(name, file);
            loaded.plugins.push(Arc::new(plugin));
        }
        Ok(loaded)
    }

    /// The plugins, in the order of their file names.
    #[must_use]
    pub fn plugins(&self) -> &[Arc<Plugin>] {
        &self.plugins
    }

    /// What is wrong with the other files, in the order of their names.
    #[must_use]
    pub fn errors(&self) -> &[PluginError] {
        &self.errors
    }

    /// The plugin of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.iter().find(|plugin| plugin.description().name == name)
    }
}

/// The folder's `*.wasm` files, sorted, so that what is loaded does not depend on the file system.
fn wasm_files(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let unreadable = |source| PluginError::Folder { folder: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "wasm") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
