//! How much a change of an object matters.

use std::fmt;

/// How much a change matters, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing that anybody has to look at.
    #[default]
    Routine,
    /// Somebody should look at it.
    Review,
    /// Argo CD's sync fails or hangs, and holds what comes later.
    SyncFailure,
    /// Something stops running, or starts without its data.
    Outage,
    /// Data is deleted, or out of reach of the workload that wrote it.
    DataLoss,
}

impl Level {
    /// All levels, from the most to the least.
    pub const ALL: [Self; 5] = [
        Self::DataLoss,
        Self::Outage,
        Self::SyncFailure,
        Self::Review,
        Self::Routine,
    ];

    /// Returns its name, as `data-loss`.
    pub fn word(self) -> &'static str {
        match self {
            Self::DataLoss => "data-loss",
            Self::Outage => "outage",
            Self::SyncFailure => "sync-failure",
            Self::Review => "review",
            Self::Routine => "routine",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
