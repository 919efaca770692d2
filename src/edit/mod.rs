//! The verbs that edit: from the repository and a request to an [`Edit`]. They know nothing of dry runs, terminals and
//! files.

pub mod add_app;
pub mod add_namespace;
pub mod convert;
pub mod fix;
pub mod gate;
mod generate_paths;
pub mod init;
pub mod merge;
pub mod renders;

use crate::repo::ChangeSet;

pub use add_app::add_app;
pub use add_namespace::add_namespace;
pub use gate::{Gate, RuleGate};
pub use init::init;
pub use renders::{Rendered, Renders};

/// What a verb wants done, and what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// The changes.
    pub changes: ChangeSet,
    /// What is done, for a commit, as `Add Application jellyfin`.
    pub message: String,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// The next step, in the imperative.
    pub next: Option<String>,
    /// Whether a report on the repository follows, which is the command's answer: the files are named beside it.
    pub report_follows: bool,
}
