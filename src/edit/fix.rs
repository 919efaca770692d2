//! Builds an edit from the fixes of findings.

use super::Edit;

pub use crate::rules::fixer::{Fixed, Request, fix};

/// Returns the edit that the fixes make; a report on what is left follows it.
pub fn edit(fixed: &Fixed) -> Edit {
    let findings = match fixed.fixed {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    Edit {
        changes: fixed.changes.clone(),
        message: format!("Fix {findings} of kubectl homelab validate"),
        report_follows: true,
        ..Edit::default()
    }
}
