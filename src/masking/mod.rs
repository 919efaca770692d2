//! What no message may show: the user's values, and the logins and tokens in URLs.
//!
//! Messages leave the program in places that many can see: Argo CD's UI, the log of a CI, a terminal that others watch.
//! This module is the one place that knows
//!
//! - which names mean a secret ([`is_secret`]),
//! - where a URL carries a login or a token ([`without_logins`]),
//! - which texts inside a longer one are secret ([`secrets_within`]), and
//! - how helm, Go, JSON, YAML, a shell and `--set` spell a value ([`Values::mask`]).

mod embedded;
mod key;
mod skeleton;
mod url;
mod values;

pub use embedded::secrets_within;
pub use key::is_secret;
pub use url::{Place, logins, without_logins};
pub use values::Values;

/// What stands in a message for what it must not show.
pub const MASK: &str = "…";
