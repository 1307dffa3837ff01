//! The pinned versions and checksums of `pins.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

/// Everything that `pins.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// Apache Kafka.
    pub kafka: KafkaPins,
    /// The packages that hold ClickHouse, by platform (`linux-x86_64`).
    clickhouse: BTreeMap<String, PackagePin>,
}

/// Kafka's version and its jars.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaPins {
    /// Version of Kafka.
    pub version: String,
    /// Version of Scala that it is built for, part of the artifact's name.
    pub scala: String,
    /// Version of the log4j binding.
    pub log4j: String,
    /// Version of the Maven plugin that copies the jars.
    pub dependency_plugin: String,
    /// Size of all jars together.
    pub bytes: u64,
    /// sha256 of each jar, by file name.
    pub jars: BTreeMap<String, String>,
}

/// A package of the npm registry that holds `libchdb.so`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagePin {
    /// Name of the package.
    pub package: String,
    /// Version of the package.
    pub version: String,
    /// Size of the tarball.
    pub bytes: u64,
    /// sha512 of the tarball, in hex.
    pub tarball_sha512: String,
    /// sha256 of the library in it, in hex.
    pub library_sha256: String,
}

impl Pins {
    /// The pins that this binary was built with.
    pub fn load() -> Result<Self> {
        toml::from_str(include_str!("../../pins.toml")).context("xtask/pins.toml is not what the fetch expects")
    }

    /// The package for this machine, or a sentence that says what to do where there is none.
    pub fn package(&self) -> Result<&PackagePin> {
        let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        self.clickhouse.get(&platform).ok_or_else(|| {
            anyhow!(
                "there is no ClickHouse library for {platform} (only for {}): run Kafka and ClickHouse by \
                 `docker compose up` instead and point the config's [kafka] brokers and [clickhouse] url at them",
                self.clickhouse.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_complete() {
        let pins = Pins::load().unwrap();
        assert!(pins.kafka.jars.contains_key(&format!("kafka_{}-{}.jar", pins.kafka.scala, pins.kafka.version)));
        assert!(pins.kafka.jars.contains_key(&format!("log4j-slf4j-impl-{}.jar", pins.kafka.log4j)));
        for (jar, sha256) in &pins.kafka.jars {
            assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{jar}: {sha256}");
        }
        for pin in pins.clickhouse.values() {
            assert_eq!(pin.tarball_sha512.len(), 128, "{}", pin.package);
            assert_eq!(pin.library_sha256.len(), 64, "{}", pin.package);
        }
    }
}
