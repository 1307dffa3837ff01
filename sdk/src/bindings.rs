//! What `wit-bindgen` makes of the plugin world. Authors use the types through the crate's root; `register!` needs the rest.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated from wit/v1, which carries the documentation")]

wit_bindgen::generate!({
    path: "../wit/v1",
    world: "tapedeck-plugin",
    pub_export_macro: true,
    default_bindings_module: "tapedeck_sdk::bindings",
    additional_derives: [Clone, PartialEq],
});
