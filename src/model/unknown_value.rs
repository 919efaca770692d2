//! A Helm value that the chart does not know.

/// The values of one Application, held against its chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedValues {
    /// The value files that it has, as they are named in messages.
    pub files: Vec<String>,
    /// The value files of charts that are not available: they may know every value.
    pub unchecked: Vec<String>,
    /// The values that the chart does not know.
    pub unknown: Vec<UnknownValue>,
}

/// A value that the chart neither has a default for nor reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// Its path, as `ingress.hosts`.
    pub path: String,
    /// The value file that sets it; `None` for the Application itself.
    pub file: Option<String>,
    /// The line in that file.
    pub line: Option<usize>,
    /// The value that is probably meant, as a path.
    pub meant: Option<String>,
}
