//! Checks whether a change may be written.

use std::borrow::Cow;

use crate::model::AppRenders;
use crate::repo::{Manifest, Repo};
use crate::rules::{self, Finding, Outcome, Rule, Scope, Severity};

/// Decides whether a change of the repository may be written.
pub trait Gate {
    /// Compares the repository before and after the change.
    fn check(&self, before: &Repo, after: &Repo) -> Verdict;
}

/// The result of a gate.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The number of errors that existed before the change.
    pub older: usize,
    /// The errors that the change introduces; the change is written only if there are none.
    pub introduced: Vec<Finding>,
    /// The number of findings that the change introduces and that are no errors by the repository's settings alone.
    pub lowered: usize,
}

/// Refuses a change that introduces an error of a rule.
#[derive(Debug, Default)]
pub struct RuleGate {
    /// The renders of the repository before the change, so that what they show already is not taken for new.
    pub before: AppRenders,
    /// The renders of the repository after the change.
    pub after: AppRenders,
    /// What sets generate after the change that generate something else than before.
    pub generated: Vec<Manifest>,
    /// All that sets generate and charts render after the change, where an Application goes with it.
    pub derived: Option<Vec<Manifest>>,
    /// The old and the new name of an Application: what was found for the one is not new for the other.
    pub renamed: Option<(String, String)>,
    /// Rules whose new errors the user has accepted.
    pub accepted: Vec<&'static Rule>,
}

impl Gate for RuleGate {
    fn check(&self, before: &Repo, after: &Repo) -> Verdict {
        let (old, old_lowered) = errors(before, &self.before);
        // A change that removes no Namespace loses none: declaring the first Namespace must not turn the undeclared
        // ones into errors.
        let takes_namespace = before
            .namespaces()
            .any(|manifest| after.namespace(manifest.object.name()).is_none());
        let is_same = |other: &Finding, finding: &Finding| {
            let renamed = self.renamed.as_ref().is_some_and(|(old, new)| {
                let texts = [&other.message, &finding.message].map(|text| text.replace(old, new));
                other.rule.id == finding.rule.id && texts[0] == texts[1]
            });
            other.identity() == finding.identity() || renamed
        };
        let is_old = |finding: &Finding| {
            old.iter().any(|other| is_same(other, finding))
                || std::ptr::eq(finding.rule, rules::namespace_with_claims_is_declared::RULE.meta) && !takes_namespace
        };
        let after = match (&self.derived, self.generated.is_empty()) {
            (Some(derived), _) => Cow::Owned(after.with_derived(derived)),
            (None, true) => Cow::Borrowed(after),
            (None, false) => Cow::Owned(after.regenerated(&self.generated)),
        };
        let (mut found, mut lowered) = errors(&after, &self.after);
        lowered.retain(|finding| !old_lowered.iter().any(|other| is_same(other, finding)));
        found.retain(|finding| !self.accepted.iter().any(|rule| std::ptr::eq(rule.meta, finding.rule)));
        let (older, introduced): (Vec<_>, Vec<_>) = found.into_iter().partition(is_old);
        Verdict {
            older: older.len(),
            introduced,
            lowered: lowered.len(),
        }
    }
}

/// Returns the errors, and the findings that are no errors by the repository's settings alone.
fn errors(repo: &Repo, renders: &AppRenders) -> (Vec<Finding>, Vec<Finding>) {
    let Outcome { findings, off, .. } = rules::check_all(&Scope::new(repo, renders));
    let (errors, others): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| finding.severity == Severity::Error);
    let mut lowered: Vec<Finding> = others.into_iter().chain(off).collect();
    lowered.retain(|finding| finding.rule.severity == Severity::Error);
    (errors, lowered)
}
