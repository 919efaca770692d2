//! `-o`: one enum per kind of answer, shared by the commands that give it.

use anyhow::Result;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::Value;

use crate::yaml;

/// Formats of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListOutput {
    Table,
    Wide,
    Name,
    Json,
    Yaml,
}

/// Formats of one document, or of a stream of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentOutput {
    Yaml,
    Json,
}

/// Formats of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FindingsOutput {
    /// A row for each finding, or for many of one rule
    Table,
    /// A line for each finding
    Wide,
    /// Everything, for programs
    Json,
    /// Workflow commands: annotations in a pull request, on GitHub
    Github,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
}

/// Formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ComparisonOutput {
    /// A row for each object
    Table,
    /// The same with more columns
    Wide,
    /// The objects themselves; `KUBECTL_EXTERNAL_DIFF` names another program for that
    Diff,
    /// A comment on a pull request
    Markdown,
    /// Annotations of a workflow
    Github,
    /// Everything, for programs
    Json,
}

/// Formats of edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EditOutput {
    /// The whole new files
    Yaml,
    /// A unified diff
    Diff,
    /// The paths of the files
    Name,
}

/// Formats of `list`: those of a list, and a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeOutput {
    List(ListOutput),
    Tree,
}

impl ValueEnum for TreeOutput {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::List(ListOutput::Table),
            Self::List(ListOutput::Wide),
            Self::Tree,
            Self::List(ListOutput::Name),
            Self::List(ListOutput::Json),
            Self::List(ListOutput::Yaml),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::List(output) => output.to_possible_value(),
            Self::Tree => Some(PossibleValue::new("tree")),
        }
    }
}

/// Formats of a command that finds and edits: those of findings, and those of edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FixOutput {
    Findings(FindingsOutput),
    Edits(EditOutput),
}

impl ValueEnum for FixOutput {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Findings(FindingsOutput::Table),
            Self::Findings(FindingsOutput::Wide),
            Self::Findings(FindingsOutput::Json),
            Self::Findings(FindingsOutput::Github),
            Self::Findings(FindingsOutput::Sarif),
            Self::Edits(EditOutput::Yaml),
            Self::Edits(EditOutput::Diff),
            Self::Edits(EditOutput::Name),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Findings(output) => output.to_possible_value(),
            Self::Edits(output) => output.to_possible_value(),
        }
    }
}

impl FixOutput {
    /// Returns the format of findings, if it is one.
    pub(super) fn findings(self) -> Option<FindingsOutput> {
        match self {
            Self::Findings(output) => Some(output),
            Self::Edits(_) => None,
        }
    }

    /// Returns the format of edits, if it is one.
    pub(super) fn edits(self) -> Option<EditOutput> {
        match self {
            Self::Findings(_) => None,
            Self::Edits(output) => Some(output),
        }
    }
}

impl DocumentOutput {
    /// Renders a value.
    ///
    /// # Errors
    /// None in practice: a value can always be written.
    pub(super) fn render(self, value: &Value) -> Result<String> {
        Ok(match self {
            Self::Yaml => yaml::emit(value)?,
            Self::Json => format!("{}\n", serde_json::to_string_pretty(value)?),
        })
    }
}
