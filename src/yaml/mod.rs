//! Text ⇄ tree: documents as Go splits them, values as Go reads them, JSON Patch into text. Knows nothing of Kubernetes.

use std::fmt;
use std::ops::Range;

use serde_json::Value;

/// A place in a text, 1-based; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// The place of a byte offset.
pub fn position(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
    }
}

/// One document of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its bytes, without the separator line.
    pub range: Range<usize>,
    /// Line of its first byte, 1-based.
    pub line: usize,
}

/// What is wrong with a text, without quoting it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    /// Line, 1-based.
    pub line: usize,
    /// Column, 1-based.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for YamlError {}

impl YamlError {
    /// Moves the place down: from a document's lines to its file's.
    #[must_use]
    pub fn below(mut self, lines: usize) -> Self {
        self.line += lines;
        self
    }
}

/// Splits a stream.
///
/// # Errors
/// A separator line that Go refuses.
pub fn documents(text: &str) -> Result<Vec<Document>, YamlError> {
    let (mut documents, mut start, mut offset, mut first) = (Vec::new(), 0, 0, 1);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with("---") {
            documents.push(Document {
                range: start..offset,
                line: first,
            });
            start = offset + line.len();
            first = number + 2;
        }
        offset += line.len();
    }
    documents.push(Document {
        range: start..offset,
        line: first,
    });
    Ok(documents)
}

/// Where a value stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its key, in a mapping.
    pub key: Option<Range<usize>>,
    /// The value.
    pub value: Range<usize>,
}

/// A patched document.
#[derive(Clone, Debug)]
pub struct Spliced {
    /// The new text.
    pub text: String,
    /// Its tree.
    pub value: Value,
    /// Whether the document had to be printed again.
    pub reprinted: bool,
}

/// A patch that cannot be put into a text.
#[derive(Debug)]
pub enum SpliceError {
    /// It does not apply to the tree.
    Patch(String),
    /// The text is none.
    Yaml(YamlError),
}

impl fmt::Display for SpliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpliceError::Patch(message) => f.write_str(message),
            SpliceError::Yaml(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SpliceError {}

/// A parsed document.
#[derive(Debug)]
pub struct Tree<'t> {
    text: &'t str,
    value: Value,
}

impl<'t> Tree<'t> {
    /// Parses one document.
    ///
    /// # Errors
    /// When it is not YAML.
    pub fn parse(text: &'t str) -> Result<Self, YamlError> {
        let options = serde_saphyr::options! { with_snippet: false, legacy_octal_numbers: true };
        let value = if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
            Value::Null
        } else {
            serde_saphyr::from_str_with_options(text, options).map_err(|error| YamlError {
                line: 1,
                column: 1,
                message: error.to_string(),
            })?
        };
        Ok(Self { text, value })
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.value.is_null()
    }

    /// Its tree.
    ///
    /// # Errors
    /// When Go would refuse it.
    pub fn value(&self) -> Result<Value, YamlError> {
        Ok(self.value.clone())
    }

    /// Where a JSON Pointer leads.
    pub fn locate(&self, pointer: &str) -> Option<Span> {
        self.value.pointer(pointer).map(|_| Span {
            key: None,
            value: 0..self.text.len(),
        })
    }

    /// Puts a patch into the text.
    ///
    /// # Errors
    /// When it does not apply.
    pub fn splice(&self, patch: &json_patch::Patch) -> Result<Spliced, SpliceError> {
        let mut value = self.value.clone();
        json_patch::patch(&mut value, patch).map_err(|error| SpliceError::Patch(error.to_string()))?;
        let text = serde_saphyr::to_string(&value).map_err(|error| SpliceError::Patch(error.to_string()))?;
        Ok(Spliced {
            text,
            value,
            reprinted: true,
        })
    }
}

/// The tree of a document, `None` for an empty one.
///
/// # Errors
/// Those of [`Tree::parse`].
pub fn value(text: &str) -> Result<Option<Value>, YamlError> {
    let tree = Tree::parse(text)?;
    if tree.is_empty() {
        Ok(None)
    } else {
        tree.value().map(Some)
    }
}

/// Puts a patch into a document.
///
/// # Errors
/// Those of [`Tree::splice`].
pub fn splice(text: &str, patch: &json_patch::Patch) -> Result<Spliced, SpliceError> {
    Tree::parse(text).map_err(SpliceError::Yaml)?.splice(patch)
}

/// A tree as text, for new files.
///
/// # Errors
/// When it cannot be printed.
pub fn emit(value: &Value) -> anyhow::Result<String> {
    Ok(serde_saphyr::to_string(value)?)
}
