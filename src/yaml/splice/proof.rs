//! The proof of every edit: its text is read again.

use super::error::{Refusal, UNEQUAL};
use crate::yaml::tree::Tree;
use serde_json::Value;

/// Reads a new text again: it must be one document with exactly the expected value, for a splitter as well.
pub(in crate::yaml) fn prove(before: &str, text: String, expected: &Value) -> Result<String, Refusal> {
    let unequal = Refusal {
        offset: 0,
        reason: UNEQUAL,
    };
    let separators = |text: &str| memchr::memmem::find_iter(text.as_bytes(), "\n---").count();
    let starts = |text: &str| (text.starts_with("---"), text.trim_start().starts_with('{'));
    if separators(before) != separators(&text) || starts(before) != starts(&text) {
        return Err(unequal);
    }
    if Tree::parse(&text).is_ok_and(|tree| tree.reads_as(expected)) {
        Ok(text)
    } else {
        Err(unequal)
    }
}
