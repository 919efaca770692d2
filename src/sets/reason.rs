//! Why a set's Applications are unknown.

use std::fmt;

use super::template::Fault;
use crate::model::application::GENERATE_PATHS;

/// Why a set's Applications are unknown. No message contains a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A generator asks what no repository tells, as another server.
    Outside {
        /// The generator, as the field of the set is called.
        generator: &'static str,
    },
    /// A git generator looks at another repository.
    OtherRepository {
        /// Its URL, without a login.
        url: String,
    },
    /// A git generator looks at folders of this repository that are not in the part of it that is there.
    NotSent {
        /// Its pattern.
        pattern: String,
    },
    /// Argo CD does it, and this program does not.
    Unsupported {
        /// What it is.
        what: String,
    },
    /// Argo CD refuses the set as well.
    Invalid {
        /// What is wrong.
        message: String,
    },
    /// A file or folder cannot be read.
    Unreadable {
        /// Which one, and why.
        message: String,
    },
}

impl Reason {
    /// Returns the next step, in the imperative, if there is one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Outside { .. } => "name what it gives with `--generators FILE`".to_owned(),
            Self::OtherRepository { .. } => "name a checkout with `--source-dir REPO=DIR`".to_owned(),
            Self::NotSent { .. } => format!("add its folder to the annotation `{GENERATE_PATHS}`"),
            Self::Invalid { .. } => "correct the set: Argo CD refuses it, too".to_owned(),
            Self::Unreadable { .. } => "let the file be read".to_owned(),
            Self::Unsupported { .. } => return None,
        })
    }

    /// Returns the reason that Argo CD has as well.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid {
            message: message.into(),
        }
    }

    /// Returns the reason of what this program lacks.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    /// Returns the reason that a template at a place gives.
    pub(super) fn of(place: &str, fault: Fault) -> Self {
        match fault {
            Fault::Unsupported(what) => Self::unsupported(format!("{what} in `{place}`")),
            Fault::Invalid(message) | Fault::MissingKey(message) => {
                Self::invalid(format!("the template in `{place}` fails: {message}"))
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { generator } => write!(f, "the generator `{generator}` needs a server"),
            Self::OtherRepository { url } => write!(f, "the git generator reads another repository, `{url}`"),
            Self::NotSent { pattern } => write!(f, "not all that `{pattern}` may match is in what Argo CD sent"),
            Self::Unsupported { what } => write!(f, "{what} is not supported"),
            Self::Invalid { message } | Self::Unreadable { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for Reason {}
