//! Plugins: finding them, checking them, and running them in a sandbox.
//!
//! A plugin is a WebAssembly component that turns one exchange's messages into trades. Nothing that it does reaches the
//! host but its answers, and every number, index and text of those is checked. Its time, memory and stack are bounded; a
//! trap costs it its instance, and the frame at fault goes to the dead letters. This module does no input or output,
//! except for reading plugin files and keeping their compiled code.

mod address;
mod answer;
mod backfill;
mod binary;
mod bindings;
mod cache;
mod decoded;
mod description;
mod error;
mod fault;
mod feed_plugin;
mod folder;
#[doc(hidden)]
pub mod fuzz;
mod guest;
mod guest_log;
pub mod inspect;
mod instance;
mod lift;
mod loaded;
mod open;
mod plan;
mod recorded;
mod runtime;
mod text;

pub use self::backfill::{Gap, Header, HttpRequest, HttpResponse, Page};
pub use self::decoded::{Decoded, Event, RefusalKind, Refused, SessionEvent};
pub use self::description::{Description, Limits, OptionInfo, Precision, Rate, TradeIds};
pub use self::error::{BackfillFailure, OpenFailure, PluginError, RuntimeError};
pub use self::fault::{Fault, FaultKind};
pub use self::feed_plugin::{FeedInstance, FeedPlugin};
pub use self::folder::PluginFolder;
pub use self::instance::Instance;
pub use self::loaded::Plugin;
pub use self::open::{Market, OpenRequest};
pub use self::plan::{AppPing, Heartbeat, SessionPlan};
pub use self::recorded::{RecordedCheck, Tally};
pub use self::runtime::{Runtime, RuntimeSettings};
pub use self::text::bounded_escaped;
