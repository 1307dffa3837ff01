//! For authors of Tapedeck plugins: one trait, one line to register it, and what decoding a feed needs.
//!
//! A plugin implements [`Plugin`] and ends with `tapedeck_sdk::register!(Acme);`. The types are those of `wit/v1`.

#[doc(hidden)]
pub mod bindings;
mod decimal;
mod excerpt;
mod frames;
pub mod json;
pub mod log;
mod markets;
mod output;
mod plugin;
mod register;
mod session;
mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod time;
mod types;

use std::borrow::Cow;

pub use bindings::tapedeck::plugin::types::{
    AppPing, Batch, Decimal, Decoded, Description, Event, Gap, Header, Heartbeat, HttpRequest, HttpResponse, Level,
    Limits, Market, MarketKind, OpenError, OpenRequest, OptionInfo, Page, Precision, Rate, Refusal, Rejection,
    SessionEvent, SessionPlan, Setting, Side, Source, Trade, TradeId, TradeIds,
};
pub use excerpt::excerpt;
pub use frames::{Frame, Frames};
pub use markets::{Markets, Pair};
pub use output::Output;
pub use plugin::Plugin;
pub use session::Session;
pub use settings::Settings;

/// Why something was refused: a sentence that says what is wrong, and where. Text and `String` turn into it by `?`.
pub type Reason = Cow<'static, str>;
