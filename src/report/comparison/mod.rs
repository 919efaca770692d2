//! What Argo CD does with a change, as a table, as a diff, as JSON, for a comment on a pull request, and as annotations of a workflow.

mod annotations;
mod json;
mod markdown;
mod masked;
mod objects;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use super::places::Places;
use crate::compare::{Comparison, Level, Prediction, Side, Withheld};
use crate::masking::Values;
use crate::model::{AppName, Pointer};
use crate::repo::{Place, Repo};

pub use annotations::annotations;
pub use json::document;
pub use markdown::{LIMIT, markdown};
pub use objects::{Sides, diff, sides};
pub use table::table;

/// A comparison with what is to be said of it.
#[derive(Clone, Copy)]
pub struct Report<'r, 's> {
    /// What happens, object by object.
    pub comparison: &'r Comparison<'s>,
    /// The first state: what it is called, and its commit where it has one.
    pub base: (&'r str, Option<&'r str>),
    /// The second state, in the same way.
    pub head: (&'r str, Option<&'r str>),
    /// The repository in its second state, for the places of its files.
    pub repo: &'r Repo,
    /// How many Applications there are in both states together, and how many can differ.
    pub applications: (usize, usize),
    /// The Applications of which the manifest differs, or a file that they read.
    pub changed: &'r BTreeSet<AppName>,
    /// Whether the second state is another one: a file differs, or it is another commit.
    pub is_change: bool,
    /// Why all Applications were compared, where they were.
    pub doubt: Option<&'r str>,
    /// The values of Secrets, which nobody may see elsewhere either.
    pub secrets: &'r Values,
}

impl Report<'_, '_> {
    /// Returns how many objects there are of each level.
    fn counts(&self) -> BTreeMap<Level, usize> {
        let mut counts = BTreeMap::new();
        for prediction in &self.comparison.predictions {
            *counts.entry(prediction.level).or_default() += 1;
        }
        counts
    }

    /// Returns the counts in words, from the worst.
    fn counted(&self) -> String {
        let counts = self.counts();
        let words = Level::ALL
            .iter()
            .filter_map(|level| Some(format!("{} {level}", counts.get(level)?)));
        let words: Vec<String> = words.collect();
        match words.as_slice() {
            [] if !self.comparison.withheld.is_empty() => "nothing changes in what was compared".to_owned(),
            [] => "nothing changes".to_owned(),
            words => words.join(", "),
        }
    }

    /// Returns what was compared with what.
    fn compared(&self) -> String {
        let (total, compared) = (self.applications.0, self.rendered());
        let applications = if total == 1 { "Application" } else { "Applications" };
        let withheld = match self.comparison.withheld.len() {
            0 => String::new(),
            withheld => format!(", {withheld} withheld"),
        };
        format!(
            "`{}` → {}: {compared} of {total} {applications} compared{withheld}",
            self.base.0, self.head.0
        )
    }

    /// Returns how many Applications were compared, without those whose objects are not known.
    fn rendered(&self) -> usize {
        self.applications.1.saturating_sub(self.comparison.withheld.len())
    }

    /// Returns a summary for standard error.
    pub fn summary(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.comparison.withheld.iter().map(withheld).collect();
        if let Some(doubt) = self.doubt {
            lines.push(format!("all Applications are compared: {doubt}"));
        }
        lines.push(format!("{}; {}", self.compared(), self.counted()));
        lines
    }

    /// Returns what to do instead of a change that changes no object.
    fn without_effect(&self) -> Option<String> {
        let is_nothing = self.comparison.predictions.is_empty() && self.comparison.withheld.is_empty();
        if !is_nothing || !self.is_change {
            return None;
        }
        let app = match self.changed.iter().collect::<Vec<_>>().as_slice() {
            [only] => only.as_str(),
            _ => "APP",
        };
        Some(format!(
            "no object differs, so that there is nothing for Argo CD to apply; a sync needs no commit: `kubectl homelab sync {app}`"
        ))
    }

    /// Returns the next steps for standard error: the ways out of what is worse than a review, each with its place, the worst first;
    /// what to do instead of a change without an effect.
    pub fn hints(&self) -> Vec<String> {
        let bad = self.comparison.predictions.iter();
        let bad = bad.filter(|one| one.level > Level::Review);
        let mut lines: Vec<String> = bad.filter_map(|one| self.hint(one)).collect();
        if let Some(more) = lines.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            lines.truncate(SHOWN);
            lines.push(format!("and {more} more; `-o json` has them all"));
        }
        lines.extend(self.without_effect());
        lines
    }

    fn hint(&self, prediction: &Prediction<'_>) -> Option<String> {
        let way_out = way_out(prediction)?;
        let place = place(self, prediction);
        let place = place.map(|place| format!("{place}: "));
        Some(format!(
            "{}`{}`: {way_out}",
            place.unwrap_or_default(),
            prediction.place
        ))
    }
}

/// The most ways out that are shown at once.
const SHOWN: usize = 5;

/// Returns where the second state has what is to be looked at; the Application's manifest where it has no more of it.
fn place(report: &Report<'_, '_>, one: &Prediction<'_>) -> Option<Place> {
    let repo = report.repo;
    let own = one.location.as_ref();
    let own = own.and_then(|location| Places::new(repo).at(location));
    let of_app = || {
        let (manifest, _) = repo.application(one.app.as_str())?;
        Some(repo.place(manifest, Pointer::from_static("/metadata/name")))
    };
    own.or_else(of_app)
}

/// Returns what to do about what matters most.
fn way_out(prediction: &Prediction<'_>) -> Option<&'static str> {
    prediction.hits.first().map(|hit| hit.way_out)
}

/// Returns what an Application that is not compared is called to.
fn withheld(withheld: &Withheld) -> String {
    let Withheld { app, side, why, hint } = withheld;
    let what = match side {
        Side::Base => "does not render at the base, and its objects are not compared",
        Side::Head => "does not render any more, and its objects are not compared",
        Side::Both => "does not render, and is skipped",
    };
    match hint {
        Some(hint) => format!("Application `{app}` {what}: {why} ({hint})"),
        None => format!("Application `{app}` {what}: {why}"),
    }
}

/// The reasons that say no more than that something is there, or differs.
const PLAIN: [&str; 4] = ["content-differs", "generated", "new-object", "not-generated"];

/// Returns what is said of an object: what the checks find, and why it happens.
fn message(prediction: &Prediction<'_>) -> String {
    let reason = &prediction.outcome.reason;
    let mut said: Vec<&str> = prediction.hits.iter().map(|hit| hit.message.as_str()).collect();
    let says_more = !PLAIN.contains(&reason.word) && !said.contains(&reason.sentence.as_str());
    if said.is_empty() || says_more {
        said.push(&reason.sentence);
    }
    said.join("; ")
}

#[cfg(test)]
mod tests;
