//! The proof of every edit: its text is read again.

use super::error::{Refusal, UNEQUAL};
use super::layout::{TAB, tab_line};
use crate::yaml::stream::is_json;
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
    if starts_as_json(before) != starts_as_json(&text) || is_json(before) != is_json(&text) {
        return Err(Refusal {
            offset: 0,
            reason: "the document would turn into JSON, or be none any more, for readers of streams",
        });
    }
    let Some(tree) = Tree::parse(&text).ok().filter(|tree| tree.reads_as(expected)) else {
        return Err(unequal);
    };
    match tab_line(&tree) {
        Some(offset) => Err(Refusal { offset, reason: TAB }),
        None => Ok(text),
    }
}
