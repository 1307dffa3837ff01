//! From a core module, as the compiler leaves it, to a component, as the host loads it.

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// What a plugin may import: the vocabulary, and the host's log.
const OFFERED: [&str; 2] = ["tapedeck:plugin/types@", "tapedeck:plugin/host@"];

/// Wraps a core module that carries its world in a custom section into a component, and validates it.
pub(super) fn encode(name: &str, module: &[u8]) -> Result<Vec<u8>> {
    let explain = || format!("the module of plugin {name} cannot be made a component");
    ComponentEncoder::default().validate(true).module(module).with_context(explain)?.encode().with_context(explain)
}

/// Refuses a component that imports anything which the host does not offer, and names it.
pub(super) fn check_imports(name: &str, component: &[u8]) -> Result<()> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.with_context(|| format!("the component of plugin {name} cannot be read"))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let import =
                        import.with_context(|| format!("the imports of plugin {name} cannot be read"))?.name.name;
                    if !OFFERED.iter().any(|offered| import.starts_with(offered)) {
                        bail!(
                            "plugin {name} imports {import}, which the host does not offer: a plugin may import only \
                             the log function of tapedeck:plugin/host"
                        );
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component_importing(import: &str) -> Vec<u8> {
        let mut component = wasm_encoder_preamble();
        // An import section (id 10) with one import: name, then an instance type (sort 5) with index 0. A type section
        // (id 7) before it declares that empty instance type (0x42, no declarations).
        component.extend([7, 3, 1, 0x42, 0]);
        let mut section = vec![1, 0, u8::try_from(import.len()).unwrap()];
        section.extend(import.as_bytes());
        section.extend([5, 0]);
        component.push(10);
        component.push(u8::try_from(section.len()).unwrap());
        component.extend(section);
        component
    }

    fn wasm_encoder_preamble() -> Vec<u8> {
        vec![0, b'a', b's', b'm', 0x0d, 0, 1, 0]
    }

    #[test]
    fn the_log_is_offered_and_files_are_not() {
        check_imports("good", &component_importing("tapedeck:plugin/host@1.0.0")).unwrap();
        let error = check_imports("curious", &component_importing("wasi:filesystem/types@0.2.0")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("curious") && error.contains("wasi:filesystem/types@0.2.0"), "{error}");
    }

    #[test]
    fn a_module_without_a_world_is_refused_by_name() {
        let empty_module = [0, b'a', b's', b'm', 1, 0, 0, 0];
        let outcome = encode("empty", &empty_module).and_then(|bytes| check_imports("empty", &bytes));
        assert!(outcome.is_ok(), "an empty module is an empty component: {outcome:?}");
        let error = format!("{:#}", encode("text", b"not wasm at all").unwrap_err());
        assert!(error.contains("plugin text"), "{error}");
    }
}
