//! The result of taking an Application out.

use crate::repo::{ChangeSet, Manifest};

/// How an Application is taken out.
#[derive(Clone, Debug, Default)]
pub struct Removal {
    /// The changes.
    pub changes: ChangeSet,
    /// What the user has to know.
    pub notes: Vec<String>,
    /// What sets generate and charts render then.
    pub derived: Vec<Manifest>,
}
