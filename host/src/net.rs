//! What the host may reach: the hosts of each feed, never an address inside our own network by a name from outside, and
//! servers only that prove who they are.

mod address;
mod allowed;
mod resolve;
mod tls;

pub use address::not_public;
pub use allowed::{AllowedHosts, HostRules};
pub(crate) use allowed::{Origin, shown, shown_text};
pub use resolve::resolve;
pub use tls::client_config;
#[cfg(test)]
pub(crate) use tls::trusting;
