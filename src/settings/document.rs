//! A text with YAML documents, and what is wrong with them, with places.

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::entry::{Entry, Fault};
use crate::failure::HintExt;
use crate::model::{Pointer, PointerBuf};
use crate::yaml::{self, Locator, Position, Span, Tree, YamlError};

/// A document that is not empty.
pub(super) struct Document<'t> {
    /// The file, for messages.
    file: &'t str,
    text: &'t str,
    /// Its first line.
    line: usize,
    tree: Tree<'t>,
    pub(super) value: Value,
}

/// Reads the documents of a text; empty ones are left out.
pub(super) fn documents<'t>(file: &'t str, text: &'t str) -> Result<Vec<Document<'t>>> {
    let malformed = |error: YamlError| anyhow!("{file}:{error}").hint("correct the YAML");
    let mut found = Vec::new();
    for document in yaml::documents(text).map_err(malformed)? {
        let below = |error: YamlError| malformed(error.below(document.line - 1));
        let part = &text[document.range.clone()];
        let tree = Tree::parse(part).map_err(below)?;
        if tree.is_empty() {
            continue;
        }
        found.push(Document {
            file,
            text: part,
            line: document.line,
            value: tree.value().map_err(below)?,
            tree,
        });
    }
    Ok(found)
}

impl Document<'_> {
    /// Refuses keys that stand twice in their map, of those at whose offsets `counts` is true, and text that no reader takes.
    pub(super) fn check(&self, counts: impl Fn(&usize) -> bool) -> Result<()> {
        if let Some(offset) = self.tree.repeated_keys().into_iter().find(counts) {
            return Err(self.error(offset, "this key stands here a second time", "write every key once"));
        }
        match self.tree.dropped() {
            Some(offset) => Err(self.error(offset, "nobody reads what stands here", "write one document")),
            None => Ok(()),
        }
    }

    /// Reads the document with a function that returns what is wrong with it.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub(super) fn read(&self, read: impl FnOnce(&Entry<'_>) -> Vec<Fault>) -> Result<()> {
        let locator = Locator::new(&self.tree);
        let written = |pointer: &Pointer| locator.scalar_text(pointer).map(str::to_owned);
        let mut faults = read(&Entry::new(&self.value, PointerBuf::new(), &written));
        let offset = |fault: &Fault| {
            let start = |span: Span| match fault.is_on_key {
                true => span.key.unwrap_or(span.value).start,
                false => span.value.start,
            };
            locator.locate(&fault.pointer).map_or(0, start)
        };
        faults.sort_by_key(offset);
        let [first, others @ ..] = &faults[..] else {
            return Ok(());
        };
        let more = match others.len() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        Err(self.error(offset(first), &format!("{}{more}", first.message), &first.hint))
    }

    /// Returns the key of this document's map that an offset belongs to: the last one that begins before it.
    pub(super) fn key_at(&self, offset: usize) -> Option<&str> {
        let locator = Locator::new(&self.tree);
        let names = self.value.as_object()?.keys();
        let begins = names.filter_map(|name| {
            let span = locator.locate(&PointerBuf::from_tokens([name.as_str()]))?;
            Some((span.key?.start, name.as_str())).filter(|(start, _)| *start <= offset)
        });
        begins.max().map(|(_, name)| name)
    }

    /// Returns the error of something at its beginning.
    pub(super) fn error_at_start(&self, message: &str, hint: &str) -> anyhow::Error {
        anyhow!("{}:{}:1: {message}", self.file, self.line).hint(hint)
    }

    fn error(&self, offset: usize, message: &str, hint: &str) -> anyhow::Error {
        let Position { line, column } = yaml::position(self.text, offset);
        anyhow!("{}:{}:{column}: {message}", self.file, line + self.line - 1).hint(hint)
    }
}
