//! What Argo CD does to one object, and why.

use std::fmt;

use super::level::Level;
use super::place::Place;
use crate::model::{AppName, Object};
use crate::rules::Location;

/// What Argo CD does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is created.
    Create,
    /// It is there already, and another Application takes it over.
    Adopt,
    /// It is changed in its place.
    Change,
    /// It differs, and `ignoreDifferences` leaves it as it is.
    Ignored,
    /// It is deleted and created again.
    Recreate,
    /// It is deleted.
    Prune,
    /// It is kept by the sync of this change, and deleted by the next one.
    PruneLater,
    /// It stays, since something guards it.
    Keep,
    /// It is deleted: what would guard it comes with the same change.
    TooLate,
    /// It stays, and no Application manages it.
    Orphan,
    /// It stays, since nothing deletes it.
    Left,
    /// The sync does not come to it, or waits for somebody.
    Blocked,
    /// Nothing happens until somebody syncs.
    Unsynced,
    /// The sync waits for it.
    Wait,
    /// The API server refuses it, and the sync fails.
    Fail,
    /// It is a hook: Argo CD runs it by its own rules.
    Hook,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 16] = [
        Self::Create,
        Self::Adopt,
        Self::Change,
        Self::Ignored,
        Self::Recreate,
        Self::Prune,
        Self::PruneLater,
        Self::Keep,
        Self::TooLate,
        Self::Orphan,
        Self::Left,
        Self::Blocked,
        Self::Unsynced,
        Self::Wait,
        Self::Fail,
        Self::Hook,
    ];

    /// Returns its name, as `prune-later`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Change => "change",
            Self::Ignored => "ignored",
            Self::Recreate => "recreate",
            Self::Prune => "prune",
            Self::PruneLater => "prune-later",
            Self::Keep => "keep",
            Self::TooLate => "too-late",
            Self::Orphan => "orphan",
            Self::Left => "left",
            Self::Blocked => "blocked",
            Self::Unsynced => "unsynced",
            Self::Wait => "wait",
            Self::Fail => "fail",
            Self::Hook => "hook",
        }
    }

    /// Reports whether the object that was there is deleted.
    pub fn deletes(self) -> bool {
        matches!(self, Self::Recreate | Self::Prune | Self::PruneLater | Self::TooLate)
    }

    /// Returns how much it matters where no check says more.
    pub fn level(self) -> Level {
        match self {
            Self::Fail | Self::Wait => Level::SyncFailure,
            Self::Recreate | Self::TooLate => Level::Outage,
            Self::Prune | Self::PruneLater | Self::Orphan | Self::Left | Self::Keep => Level::Review,
            Self::Blocked | Self::Unsynced => Level::Review,
            Self::Create | Self::Adopt | Self::Change | Self::Ignored | Self::Hook => Level::Routine,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What keeps an object that is not rendered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// An annotation of the object at the base: it counts if Argo CD has synced the base.
    Base,
    /// An annotation of the object in the cluster.
    Live,
    /// Nothing.
    None,
}

impl Guard {
    /// Returns its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Live => "live",
            Self::None => "none",
        }
    }
}

/// Why Argo CD does what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// For programs, as `prune-off`: one of [`REASONS`](super::reasons::REASONS).
    pub word: &'static str,
    /// For people.
    pub sentence: String,
}

/// What becomes of an object, without which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What keeps it.
    pub guard: Guard,
}

impl Outcome {
    /// Returns an outcome that no guard has a part in.
    pub(super) fn new(action: Action, word: &'static str, sentence: impl Into<String>) -> Self {
        Self::guarded(action, Guard::None, word, sentence)
    }

    /// Returns an outcome that a guard decides.
    pub(super) fn guarded(action: Action, guard: Guard, word: &'static str, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self {
            action,
            reason: Reason { word, sentence },
            guard,
        }
    }
}

/// What Argo CD does to one object, why, and who is hit.
#[derive(Clone, Debug)]
pub struct Prediction<'s> {
    /// The object.
    pub place: Place,
    /// The Application whose sync or deletion does it.
    pub app: AppName,
    /// What happens, and why.
    pub outcome: Outcome,
    /// The Application that owns the object; of a claim, that of the parameter `owns`.
    pub owner: Option<AppName>,
    /// The other Applications that mount the claim, or are in the Namespace.
    pub consumers: Vec<AppName>,
    /// What leads to the object, from the outermost: `ApplicationSet/apps`, `Application/media`.
    pub via: Vec<String>,
    /// The object that it is renamed to, or was renamed from.
    pub twin: Option<Place>,
    /// Where the second state has what is to be looked at: the first difference in the object's manifest, or the name of the object
    /// that it is renamed to; `None` where neither is in the repository.
    pub location: Option<Location>,
    /// The object as it was.
    pub before: Option<&'s Object>,
    /// The object as it is.
    pub after: Option<&'s Object>,
    /// The JSON Pointers at which it differs, random values left out.
    pub pointers: Vec<String>,
    /// What the checks say of it.
    pub hits: Vec<Hit>,
    /// How much it matters.
    pub level: Level,
}

/// What a check says of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The check.
    pub id: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// What to do about it, in the imperative.
    pub way_out: &'static str,
    /// Where that is described.
    pub reference: &'static str,
}

impl<'s> Prediction<'s> {
    /// Returns the prediction of an object of which nothing else is known.
    pub(super) fn new(place: Place, app: AppName, outcome: Outcome) -> Self {
        Self {
            place,
            app,
            outcome,
            owner: None,
            consumers: Vec::new(),
            via: Vec::new(),
            twin: None,
            location: None,
            before: None,
            after: None,
            pointers: Vec::new(),
            hits: Vec::new(),
            level: Level::default(),
        }
    }

    /// Returns what happens.
    pub fn action(&self) -> Action {
        self.outcome.action
    }

    /// Returns the object as it is, else as it was.
    pub fn object(&self) -> Option<&'s Object> {
        self.after.or(self.before)
    }
}
