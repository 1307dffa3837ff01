//! Copies of plugins under other names, so that a host can have many.
//!
//! A copy is the plugin, instruction by instruction, but for what it says of itself: a function around `describe` overwrites
//! name and exchange id in the answer, in the plugin's own memory, with others of the same length.

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::{
    CodeSection, Component, ComponentSectionId, ExportKind, ExportSection, Function, FunctionSection, MemArg,
    MemArgTarget, Module, RawSection, ValType,
};
use wasmparser::{BinaryReader, CodeSectionReader, ExternalKind, Parser, Payload, TypeRef};

/// Where `description` has its name and its exchange id: texts of pointer and length, in a record of the canonical ABI.
const PLACES: [u64; 2] = [0, 16];

/// The name of a copy: as long as that of the plugin.
pub(super) fn name(plugin: &str, number: usize) -> String {
    let number = format!("{number:02}");
    let kept = plugin.len().saturating_sub(number.len());
    format!("{}{number}", &plugin[..kept])
}

/// A copy of a component whose name and exchange id are both `plugin`.
pub(super) fn copy(component: &[u8], plugin: &str, name: &str) -> Result<Vec<u8>> {
    ensure!(name.len() == plugin.len(), "{name:?} is not as long as {plugin:?}");
    let mut copy = Component::new();
    let (mut depth, mut described) = (0_usize, false);
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.with_context(|| format!("plugin {plugin} cannot be read"))?;
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            let section = part(component, range)?;
            let renamed = match &payload {
                Payload::ModuleSection { .. } => renamed(section, name)?,
                _ => None,
            };
            described |= renamed.is_some();
            match renamed {
                Some(module) => copy.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: &module }),
                None => copy.section(&RawSection { id, data: section }),
            };
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    ensure!(described, "plugin {plugin} has no module that describes it");
    Ok(copy.finish())
}

fn part(bytes: &[u8], range: std::ops::Range<u64>) -> Result<&[u8]> {
    let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
    bytes.get(range).context("a section reaches beyond the file")
}

/// What must be known of a module to put another function in the place of its `describe`.
struct Describe {
    export: String,
    function: u32,
    type_index: u32,
    /// Index that an added function gets.
    next: u32,
}

impl Describe {
    /// None where the module is not the one that describes.
    fn find(module: &[u8]) -> Result<Option<Self>> {
        let (mut imported, mut types, mut found) = (0_u32, Vec::new(), None);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    }
                }
                Payload::FunctionSection(functions) => {
                    types = functions.into_iter().collect::<std::result::Result<_, _>>()?;
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if is_describe(export.name) && export.kind == ExternalKind::Func {
                            found = Some((export.name.to_owned(), export.index));
                        }
                    }
                }
                _ => {}
            }
        }
        let Some((export, function)) = found else { return Ok(None) };
        let own = function.checked_sub(imported).and_then(|own| types.get(own as usize));
        let type_index = *own.context("its `describe` is a function that it imports")?;
        let next = imported + u32::try_from(types.len())?;
        Ok(Some(Self { export, function, type_index, next }))
    }

    /// Calls the plugin's own, and overwrites both texts in its answer.
    fn renaming(&self, name: &str) -> Function {
        const ANSWER: u32 = 0;
        const TEXT: u32 = 1;
        let at = |offset: u64, align: u32| MemArg { offset, align, target: MemArgTarget::default(), ordering: None };
        let mut function = Function::new([(2, ValType::I32)]);
        let mut code = function.instructions();
        code.call(self.function).local_set(ANSWER);
        for place in PLACES {
            code.local_get(ANSWER).i32_load(at(place, 2)).local_set(TEXT);
            for (offset, byte) in (0..).zip(name.bytes()) {
                code.local_get(TEXT).i32_const(i32::from(byte)).i32_store8(at(offset, 0));
            }
        }
        code.local_get(ANSWER).end();
        function
    }
}

fn is_describe(export: &str) -> bool {
    export.starts_with("tapedeck:plugin/plugin@") && export.ends_with("#describe")
}

/// The module with another `describe`; none where it has none.
fn renamed(module: &[u8], name: &str) -> Result<Option<Vec<u8>>> {
    let Some(describe) = Describe::find(module)? else { return Ok(None) };
    let mut copy = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::FunctionSection(functions) => {
                let mut section = FunctionSection::new();
                for function in functions {
                    section.function(function?);
                }
                section.function(describe.type_index);
                copy.section(&section);
            }
            Payload::ExportSection(exports) => {
                let mut section = ExportSection::new();
                for export in exports {
                    let export = export?;
                    let is_describe = export.name == describe.export;
                    section.export(
                        export.name,
                        kind(export.kind)?,
                        if is_describe { describe.next } else { export.index },
                    );
                }
                copy.section(&section);
            }
            Payload::CodeSectionStart { unchecked_range, .. } => {
                let mut section = CodeSection::new();
                for body in CodeSectionReader::new(BinaryReader::new(part(module, unchecked_range)?, 0))? {
                    section.raw(body?.as_bytes());
                }
                section.function(&describe.renaming(name));
                copy.section(&section);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    copy.section(&RawSection { id, data: part(module, range)? });
                }
            }
        }
    }
    Ok(Some(copy.finish()))
}

fn kind(kind: ExternalKind) -> Result<ExportKind> {
    Ok(match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        other => bail!("it exports a {other:?}, which no plugin does"),
    })
}

#[cfg(test)]
mod tests {
    use tapedeck::plugin::{Market, OpenRequest, Plugin, Runtime, RuntimeSettings};
    use tapedeck_tests::programs;

    use super::*;

    #[test]
    fn a_copy_is_the_plugin_under_another_name() {
        let runtime = Runtime::new(&RuntimeSettings::default()).unwrap();
        for plugin in ["binance", "kraken"] {
            let file = programs::plugins().unwrap().join(format!("{plugin}.wasm"));
            let bytes = std::fs::read(&file).unwrap();
            let name = name(plugin, 7);
            let load = |bytes: &[u8]| std::sync::Arc::new(Plugin::from_bytes(&runtime, &file, bytes).unwrap());
            let (original, copy) = (load(&bytes), load(&copy(&bytes, plugin, &name).unwrap()));
            let said = copy.description();
            assert_eq!((said.name.as_str(), said.exchange.as_str()), (name.as_str(), name.as_str()));
            assert_eq!(said.hosts, original.description().hosts);
            let markets = vec![Market { name: "BTC/USDT".to_owned(), symbol: None }];
            let plan = |plugin: &std::sync::Arc<Plugin>| {
                plugin.open(OpenRequest { markets: markets.clone(), ..OpenRequest::default() }).unwrap().1
            };
            assert_eq!(plan(&copy), plan(&original));
        }
    }

    #[test]
    fn names_are_as_long_as_before() {
        assert_eq!([name("binance", 3), name("kraken", 19)], ["binan03", "krak19"]);
        assert!(copy(b"", "kraken", "longer name").is_err());
        assert!(copy(b"\0asm\x0d\0\x01\0", "kraken", "krak01").is_err());
    }
}
