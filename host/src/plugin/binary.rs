//! What can be told of a plugin file before it is compiled: is it a component, of which version of the contract, and what
//! does it want from the host?

use std::path::Path;

use wasmparser::{Encoding, Parser, Payload};

use super::error::PluginError;

/// The interface that a plugin exports, without its version.
const PLUGIN_INTERFACE: &str = "tapedeck:plugin/plugin";
/// All interfaces of the contract begin so.
const PACKAGE: &str = "tapedeck:plugin/";
/// Interfaces of the contract that the host offers. `types` has no functions.
const OFFERED: [&str; 2] = ["tapedeck:plugin/host", "tapedeck:plugin/types"];

/// The version of the contract that the host speaks: any patch of it.
pub(super) const SUPPORTED: (u64, u64) = (1, 0);

/// The range of contract versions that are supported, as messages give it.
pub(super) fn supported() -> String {
    let (major, minor) = SUPPORTED;
    format!("{PLUGIN_INTERFACE} {major}.{minor}.x")
}

/// Names of what a component imports and exports, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BinaryInterface {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

impl BinaryInterface {
    /// Reads the outermost imports and exports of a component.
    pub(super) fn read(file: &Path, bytes: &[u8]) -> Result<Self, PluginError> {
        let not_wasm = |reason: String| PluginError::NotWasm { file: file.to_owned(), reason };
        if !bytes.starts_with(b"\0asm") {
            return Err(not_wasm(if bytes.is_empty() {
                "it is empty".into()
            } else {
                "it does not begin with `\\0asm`".into()
            }));
        }
        let mut interface = Self::default();
        // Nested modules and components are passed through with their payloads; what matters is at depth 0.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|error| not_wasm(format!("damaged: {error}")))? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(PluginError::CoreModule { file: file.to_owned() });
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let import = import.map_err(|error| not_wasm(format!("damaged: {error}")))?;
                        interface.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let export = export.map_err(|error| not_wasm(format!("damaged: {error}")))?;
                        interface.exports.push(export.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(interface)
    }

    /// Checks versions and imports.
    pub(super) fn check(&self, file: &Path) -> Result<(), PluginError> {
        let exported = self.exports.iter().find(|name| interface_of(name) == PLUGIN_INTERFACE);
        let Some(exported) = exported else {
            let exports: Vec<String> = self.exports.iter().take(8).map(|name| format!("`{}`", shown(name))).collect();
            let exports = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
            return Err(PluginError::MissingExport { file: file.to_owned(), exports });
        };
        let of_contract = self.imports.iter().filter(|name| name.starts_with(PACKAGE));
        for name in std::iter::once(exported).chain(of_contract) {
            if let Some(advice) = version_advice(version_of(name)) {
                let file = file.to_owned();
                return Err(PluginError::WitVersion { file, wanted: shown(name), supported: supported(), advice });
            }
        }
        let foreign = self.imports.iter().find(|name| !OFFERED.contains(&interface_of(name)) && !is_wasi(name));
        match foreign {
            Some(import) => Err(PluginError::ForeignImport { file: file.to_owned(), import: shown(import) }),
            None => Ok(()),
        }
    }

    /// Whether it was built against WASI, of which nothing is granted.
    pub(super) fn wants_wasi(&self) -> bool {
        self.imports.iter().any(|name| is_wasi(name))
    }

    /// Version of the contract that the component was built against.
    pub(super) fn contract_version(&self) -> Option<&str> {
        self.exports.iter().find(|name| interface_of(name) == PLUGIN_INTERFACE).and_then(|name| version_of(name))
    }
}

fn shown(name: &str) -> String {
    super::text::bounded_escaped(name, 200)
}

fn is_wasi(name: &str) -> bool {
    name.starts_with("wasi:")
}

/// `package/interface` of `package/interface@version`.
fn interface_of(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

fn version_of(name: &str) -> Option<&str> {
    name.split_once('@').map(|(_, version)| version)
}

/// What to do about a version that is not supported; nothing for one that is.
fn version_advice(version: Option<&str>) -> Option<&'static str> {
    let mut parts = version.unwrap_or_default().split('.').map(str::parse::<u64>);
    let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(_)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Some("build the plugin with a released version of tapedeck-sdk");
    };
    match (major, minor).cmp(&SUPPORTED) {
        std::cmp::Ordering::Less => Some("build the plugin again with a newer tapedeck-sdk"),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => {
            Some("update Tapedeck, or build the plugin with the tapedeck-sdk of this Tapedeck")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Result<BinaryInterface, String> {
        let bytes = wat::parse_str(text).unwrap();
        let file = Path::new("plugins/example.wasm");
        let interface = BinaryInterface::read(file, &bytes).map_err(|error| error.to_string())?;
        interface.check(file).map_err(|error| error.to_string())?;
        Ok(interface)
    }

    /// A component that exports an empty instance under this name, and imports one under each of these.
    fn component(export: &str, imports: &[&str]) -> String {
        let imports: String = imports.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
        format!("(component {imports} (core module) (component) (instance $i) (export \"{export}\" (instance $i)))")
    }

    #[test]
    fn the_contract_of_this_version_is_accepted() {
        for imports in [
            &[][..],
            &["tapedeck:plugin/host@1.0.0", "tapedeck:plugin/types@1.0.0"],
            &["tapedeck:plugin/host@1.0.7"],
            &["tapedeck:plugin/host@1.0.0", "wasi:cli/environment@0.2.3"],
        ] {
            let interface = judge(&component("tapedeck:plugin/plugin@1.0.2", imports)).unwrap();
            assert_eq!(interface.imports, imports);
            assert_eq!(interface.contract_version(), Some("1.0.2"));
            assert_eq!(interface.wants_wasi(), imports.iter().any(|name| name.starts_with("wasi:")));
        }
    }

    #[test]
    fn what_is_no_plugin_is_told_apart() {
        let host = ["tapedeck:plugin/host@1.0.0"];
        for (text, parts) in [
            ("(module)".to_owned(), &["plugins/example.wasm", "core module", "wasm-tools component new"][..]),
            ("(component)".to_owned(), &["exports no `tapedeck:plugin/plugin`", "it exports nothing"]),
            (component("acme:other/thing@1.0.0", &[]), &["it exports `acme:other/thing@1.0.0`"]),
            (
                component("tapedeck:plugin/plugin@9.0.0", &host),
                &["wants tapedeck:plugin/plugin@9.0.0", "supports tapedeck:plugin/plugin 1.0.x", "update Tapedeck"],
            ),
            (component("tapedeck:plugin/plugin@0.3.0", &host), &["newer tapedeck-sdk"]),
            (component("tapedeck:plugin/plugin@1.1.0", &host), &["update Tapedeck"]),
            (component("tapedeck:plugin/plugin@1.0.0-draft", &host), &["released version"]),
            (component("tapedeck:plugin/plugin", &host), &["released version"]),
            (
                component("tapedeck:plugin/plugin@1.0.0", &["tapedeck:plugin/host@2.0.0"]),
                &["wants tapedeck:plugin/host@2.0.0"],
            ),
            (
                component("tapedeck:plugin/plugin@1.0.0", &["acme:clock/now@1.0.0"]),
                &["imports `acme:clock/now@1.0.0`", "wasm32-unknown-unknown"],
            ),
        ] {
            let sentence = judge(&text).unwrap_err();
            for part in parts {
                assert!(sentence.contains(part), "{text}: no {part:?} in {sentence}");
            }
        }
    }

    #[test]
    fn what_is_no_wasm_is_told_apart() {
        for (bytes, part) in [
            (&b""[..], "it is empty"),
            (b"not WebAssembly at all", "does not begin with"),
            (b"\0asm", "damaged"),
            (b"\0asm\x0d\0\x01\0\xff\xff\xff", "damaged"),
        ] {
            let sentence = BinaryInterface::read(Path::new("x.wasm"), bytes).unwrap_err().to_string();
            assert!(sentence.contains(part) && sentence.contains("x.wasm"), "{sentence}");
        }
    }

    #[test]
    fn a_damaged_component_never_panics() {
        let whole = wat::parse_str(component("tapedeck:plugin/plugin@1.0.0", &["tapedeck:plugin/host@1.0.0"])).unwrap();
        for at in 0..whole.len() {
            let _ = BinaryInterface::read(Path::new("x.wasm"), &whole[..at]);
            for flip in [1, 0x40, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                let _ = BinaryInterface::read(Path::new("x.wasm"), &damaged);
            }
        }
    }
}
