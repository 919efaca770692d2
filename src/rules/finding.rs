//! What a rule finds: what is wrong, where, and how to fix it.

use std::fmt;
use std::ops::Range;

use crate::masking::without_logins;
use crate::model::{AppName, AsPointer, ObjectRef, Pointer, PointerBuf};
use crate::repo::{ChangeSet, Manifest, RepoPath};

use super::Meta;

/// How bad a finding is. Warnings alone do not fail `validate`, unless `--strict`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Data or the sync is at stake.
    Error,
    /// Worth a review.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A place in the repository, symbolic: it becomes line and column only when it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file.
    pub file: RepoPath,
    /// Index of the document.
    pub document: usize,
    /// JSON Pointer inside the document; empty for all of it.
    pub pointer: PointerBuf,
    /// The bytes of the document, start and end, for what no pointer leads to: a comment.
    pub bytes: Option<(usize, usize)>,
}

impl Location {
    /// Returns a place inside a manifest; of one that is generated or rendered, the place of what makes it.
    pub fn of(manifest: &Manifest, pointer: impl AsPointer) -> Self {
        Self {
            file: manifest.file.clone(),
            document: manifest.document,
            pointer: manifest.in_document(pointer.as_pointer()),
            bytes: None,
        }
    }

    /// Returns the place of bytes of a manifest's document.
    pub fn of_bytes(manifest: &Manifest, range: Range<usize>) -> Self {
        Self {
            bytes: Some((range.start, range.end)),
            ..Self::of(manifest, Pointer::root())
        }
    }
}

/// What would remove a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// Whether it can be applied without a review.
    pub safe: bool,
    /// The changes to the repository.
    pub changes: ChangeSet,
}

impl Fix {
    /// Returns a fix that needs no review.
    pub fn safe(title: impl Into<String>, changes: ChangeSet) -> Self {
        Self {
            title: without_logins(&title.into()),
            safe: true,
            changes,
        }
    }

    /// Returns a fix that needs a review.
    pub fn needs_review(title: impl Into<String>, changes: ChangeSet) -> Self {
        Self {
            safe: false,
            ..Self::safe(title, changes)
        }
    }
}

/// One thing that breaks a rule. Its texts have no logins of URLs in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Meta,
    /// How bad it is: the rule's own severity, or the one that the repository's settings give it.
    pub severity: Severity,
    /// What is wrong, names in backticks.
    pub message: String,
    /// Where in the repository; a finding on a rendered object points at its Application.
    pub location: Option<Location>,
    /// The Application that it is about.
    pub app: Option<AppName>,
    /// The rendered object that it is about.
    pub object: Option<ObjectRef>,
    /// The next step, in the imperative.
    pub hint: Option<String>,
    /// The fix, where the rule has one.
    pub fix: Option<Fix>,
}

impl Finding {
    /// Returns a finding with a place.
    pub fn new(rule: &'static Meta, message: impl Into<String>, location: Location) -> Self {
        Self {
            location: Some(location),
            ..Self::placeless(rule, message)
        }
    }

    /// Returns a finding on what stands nowhere any more.
    pub fn placeless(rule: &'static Meta, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            message: without_logins(&message.into()),
            location: None,
            app: None,
            object: None,
            hint: None,
            fix: None,
        }
    }

    /// Adds the Application.
    #[must_use]
    pub fn app(mut self, app: Option<AppName>) -> Self {
        self.app = app;
        self
    }

    /// Adds the rendered object.
    #[must_use]
    pub fn object(mut self, object: Option<ObjectRef>) -> Self {
        self.object = object;
        self
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(without_logins(&hint.into()));
        self
    }

    /// Adds the fix; where it has nothing to change, it is the user's next step.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        if fix.changes.changes.is_empty() {
            // Nothing here can be edited: the object is generated or rendered.
            return self.hint(fix.title);
        }
        self.fix = Some(fix);
        self
    }

    /// Adds the fix where there is one, else the user's next step.
    #[must_use]
    pub fn fix_or_hint(self, fix: Option<Fix>, hint: impl Into<String>) -> Self {
        match fix {
            Some(fix) => self.fix(fix),
            None => self.hint(hint),
        }
    }

    /// Returns what findings are sorted by: place, then rule, then text.
    pub fn order(&self) -> (Option<&Location>, &'static str, &str) {
        (self.location.as_ref(), self.rule.id, &self.message)
    }

    /// Reports whether another finding is the same one at the same place.
    pub fn is_at(&self, other: &Finding) -> bool {
        self.identity() == other.identity() && self.location == other.location
    }

    /// Returns what makes two findings the same one before and after a change: rule, object and text, not the place.
    pub fn identity(&self) -> (&'static str, Option<&ObjectRef>, &str) {
        (self.rule.id, self.object.as_ref(), &self.message)
    }
}
