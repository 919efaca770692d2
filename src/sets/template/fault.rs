//! Why a template gives no text.

use std::fmt;

/// Why a template gives no text. No message contains a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Argo CD refuses it as well.
    Invalid(String),
    /// A map has no such key, or the value is no map: some templates may wait for more parameters.
    MissingKey(String),
    /// Argo CD takes it, and this program does not do the same.
    Unsupported(String),
}

impl Fault {
    /// Returns a fault that Argo CD reports as well.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// Returns a fault of what this program lacks.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) | Self::MissingKey(message) => f.write_str(message),
            Self::Unsupported(what) => write!(f, "{what}, which is not supported"),
        }
    }
}
