//! Repositories that git refuses to read, since they belong to another user.

use std::fmt;

/// Git refuses to read a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Git's own sentence.
    pub message: String,
    /// The command that git names as the way out.
    pub cure: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// Reads what git printed; `None` where it failed for another reason
    /// ([source](https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory)).
    pub(super) fn of(stderr: &str, reason: &str) -> Option<Self> {
        let mut lines = stderr.lines().map(str::trim);
        let cure = lines.find(|line| line.starts_with("git config") && line.contains("safe.directory"))?;
        Some(Self {
            message: reason.to_owned(),
            cure: cure.to_owned(),
        })
    }

    /// Returns the next step.
    pub fn hint(&self) -> String {
        format!("run `{}` if you trust what is in it", self.cure)
    }
}
