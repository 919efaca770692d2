//! Why a patch is not put into a text.

use crate::failure::bug;
use crate::yaml::error::YamlError;
use crate::yaml::position::newlines;
use crate::yaml::tree::Tree;
use jsonptr::PointerBuf;
use std::fmt;

/// Why a patch could not be put into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpliceError {
    /// The document cannot be read.
    Yaml(YamlError),
    /// The patch does not fit the document.
    Patch {
        /// Which operation, from 0.
        operation: usize,
        /// Its path.
        path: PointerBuf,
        /// Why.
        reason: String,
    },
    /// The patch fits, but no text was found that provably reads as it should.
    Unspliceable {
        /// Line of the document, from 1.
        line: usize,
        /// What stood in the way.
        reason: String,
    },
}

impl SpliceError {
    /// Returns the error of a command: a bug where the splice's own proof failed.
    pub fn into_error(self) -> anyhow::Error {
        match &self {
            Self::Unspliceable { reason, .. } if BROKEN_PROOF.contains(&reason.as_str()) => bug(self.to_string()),
            _ => self.into(),
        }
    }

    /// Moves the line down: the error of a document becomes the error of the file that has it below `lines` lines.
    #[must_use]
    pub fn below(self, lines: usize) -> Self {
        match self {
            Self::Yaml(error) => Self::Yaml(error.below(lines)),
            Self::Unspliceable { line, reason } => Self::Unspliceable {
                line: line + lines,
                reason,
            },
            patch @ Self::Patch { .. } => patch,
        }
    }
}

impl fmt::Display for SpliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yaml(error) => error.fmt(f),
            Self::Patch {
                operation,
                path,
                reason,
            } => {
                write!(f, "patch operation {} at `{path}`: {reason}", operation + 1)
            }
            Self::Unspliceable { line, reason } => write!(f, "line {line}: {reason}"),
        }
    }
}

impl std::error::Error for SpliceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

impl From<YamlError> for SpliceError {
    fn from(error: YamlError) -> Self {
        Self::Yaml(error)
    }
}

/// Why an edit is not made: where, and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::yaml) struct Refusal {
    pub(in crate::yaml) offset: usize,
    pub(in crate::yaml) reason: &'static str,
}

/// The reasons of an edit that was made and that did not prove to be right.
const BROKEN_PROOF: [&str; 2] = [UNREADABLE, UNEQUAL];
/// The text after an edit is no YAML any more.
pub(super) const UNREADABLE: &str = "an edit made the document unreadable";
/// The text after an edit has another value than it should.
pub(super) const UNEQUAL: &str = "the patched text would not read as the patched value";

impl Refusal {
    /// Reports whether an edit was made that did not prove to be right.
    pub(super) fn is_broken_proof(&self) -> bool {
        BROKEN_PROOF.contains(&self.reason)
    }

    /// Returns the error that names the line of the document.
    pub(in crate::yaml) fn of(self, tree: &Tree<'_>) -> SpliceError {
        let line = newlines(&tree.text[..self.offset.min(tree.text.len())]) + 1;
        SpliceError::Unspliceable {
            line,
            reason: self.reason.to_owned(),
        }
    }
}
