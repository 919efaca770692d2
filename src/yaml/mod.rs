//! Text ⇄ tree: documents as Go splits them, values as Go reads them, JSON Patch into text. Knows nothing of Kubernetes.
//!
//! ```text
//! stream  text of a file → documents by byte range        tree    one document → flat nodes with byte spans
//! sniff   a word of a document without parsing it         value   tree → JSON value, with Go's reading
//! locate  JSON Pointer → span                             splice  JSON Patch → text, proved by reading it again
//! reprint the fallback of the splice: one document anew   emit    value → text, for new files
//! ```
//!
//! The judge of all of it is what `kubectl` and Argo CD read: go-yaml version 2, converted to JSON.

mod emit;
mod locate;
mod reprint;
mod sniff;
mod splice;
mod stream;
mod tree;
mod value;
mod write;

pub use emit::{emit, emit_line};
pub use locate::Span;
pub use sniff::{Sniffed, may_hide, top_level_scalars};
pub use splice::{Goal, ReplaceEntry, ReplacedEntry, SpliceError, Spliced, comment_lines, replace_entry, splice};
pub use stream::{Document, documents};
pub use tree::Tree;
pub use value::value;

use std::fmt;

/// A place in a text as a person counts: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The place of a byte offset; an offset behind the end counts as the end.
pub fn position(text: &str, offset: usize) -> Position {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: newlines(before) + 1,
        column: before[start..].chars().count() + 1,
    }
}

/// How many line ends a text has.
fn newlines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

/// Why a text is not YAML that Go would read. Never quotes the text: it may be a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// Line, from 1, of the text that was parsed.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, without words of the text.
    pub message: String,
}

impl YamlError {
    /// An error at a byte offset of a text.
    fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let Position { line, column } = position(text, offset);
        Self {
            line,
            column,
            message: message.into(),
        }
    }

    /// Moves the error down: the error of a document becomes the error of the file that has it below `lines` lines.
    #[must_use]
    pub fn below(mut self, lines: usize) -> Self {
        self.line += lines;
        self
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for YamlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position("ä: b\nß: c\n", 0), Position { line: 1, column: 1 });
        assert_eq!(position("ä: b\nß: c\n", 10), Position { line: 2, column: 4 });
        assert_eq!(position("a", 99), Position { line: 1, column: 2 });
    }

    #[test]
    fn an_error_of_a_document_becomes_one_of_its_file() {
        let error = YamlError {
            line: 2,
            column: 3,
            message: "no".into(),
        };
        assert_eq!(error.below(10).to_string(), "12:3: no");
    }
}
