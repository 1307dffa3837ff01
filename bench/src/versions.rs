//! Versions of what is measured, from where they are pinned.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xtask::cargo;
use xtask::fetch::pins::Pins;
use xtask::home::repository;

/// A program or library and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What it is.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Version {
    /// This version of that.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: version.to_owned() }
    }
}

/// The versions of what every part uses: compiler, sandbox, Kafka and its client, ClickHouse.
///
/// # Errors
/// A lock file of the project cannot be read.
pub fn own() -> Result<Vec<Version>> {
    let lock = LockFile::read(&repository().join("Cargo.lock"))?;
    let pins = Pins::load()?;
    // `4.10.0+2.12.1`: the version of the bindings, and that of librdkafka in them.
    let bindings = lock.version("rdkafka-sys")?;
    let librdkafka = bindings.split_once('+').map_or(bindings, |(_, library)| library);
    Ok(vec![
        Version::new("Tapedeck", env!("CARGO_PKG_VERSION")),
        Version::new("rustc", &cargo::rustc_version()?),
        Version::new("wasmtime", lock.version("wasmtime")?),
        Version::new("Apache Kafka", &pins.kafka.version),
        Version::new("librdkafka", librdkafka),
        Version::new("ClickHouse (chdb)", &pins.package()?.version),
    ])
}

/// A `Cargo.lock`.
#[derive(Debug, Deserialize)]
pub struct LockFile {
    package: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
}

impl LockFile {
    /// Reads one.
    ///
    /// # Errors
    /// It is not there, or no lock file.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no lock file of cargo", file.display()))
    }

    /// The version of a package.
    ///
    /// # Errors
    /// It is not in there.
    pub fn version(&self, name: &str) -> Result<&str> {
        let package = self.package.iter().find(|package| package.name == name);
        Ok(&package.with_context(|| format!("the lock file has no {name}"))?.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_lock_file() {
        let versions = own().unwrap();
        let of = |name: &str| versions.iter().find(|version| version.name == name).map(|found| found.version.as_str());
        assert!(of("rustc").unwrap().starts_with("1."), "{versions:?}");
        assert!(!of("librdkafka").unwrap().contains('+'), "{versions:?}");
    }
}
