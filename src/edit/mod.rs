//! The commands that edit: each turns the repository and a request into an [`Edit`]. They know nothing of dry runs,
//! terminals and files.

pub mod add_app;
pub mod add_namespace;
pub mod add_volume;
pub mod adopt;
pub mod baseline;
pub mod convert;
pub mod fix;
pub mod fixed_fields;
pub mod fixed_templates;
pub mod gate;
pub mod grant;
pub mod handover;
pub mod init;
pub mod keeps;
pub mod known_claim;
pub mod leading_value;
pub mod lock;
pub mod merge;
pub mod mount;
pub mod moves;
pub mod needed;
pub mod parameters;
pub mod pause;
pub mod plugin_section;
pub mod preserve;
pub mod remove_app;
pub mod remove_namespace;
pub mod rename_app;
pub mod renders;
pub mod restore;
pub mod source_override;

use crate::repo::ChangeSet;

pub use add_app::add_app;
pub use add_namespace::add_namespace;
pub use gate::{Gate, RuleGate};
pub use init::init;
pub use known_claim::KnownClaim;
pub use renders::{Rendered, Renders};

/// The changes of a command, with its messages for the user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// The changes.
    pub changes: ChangeSet,
    /// The subject of the commit, such as `Add Application jellyfin`.
    pub message: String,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// The next step, in the imperative.
    pub next: Option<String>,
    /// Whether a report on the repository follows as the command's output; the list of files then goes to stderr.
    pub report_follows: bool,
}
