//! Why a text cannot be read.

use super::position::{Position, position};
use std::fmt;

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
    /// Returns an error at a byte offset of a text.
    pub(super) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
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
    fn an_error_of_a_document_becomes_one_of_its_file() {
        let error = YamlError {
            line: 2,
            column: 3,
            message: "no".into(),
        };
        assert_eq!(error.below(10).to_string(), "12:3: no");
    }
}
