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
    if separators(before) != separators(&text) || before.starts_with("---") != text.starts_with("---") {
        return Err(unequal);
    }
    let starts_as_json = |text: &str| text.trim_start().starts_with('{');
    if starts_as_json(before) != starts_as_json(&text) {
        return Err(Refusal {
            offset: 0,
            reason: "the document would start with a brace, or no longer, and readers take a stream that does for JSON",
        });
    }
    if Tree::parse(&text).is_ok_and(|tree| tree.reads_as(expected)) {
        Ok(text)
    } else {
        Err(unequal)
    }
}
