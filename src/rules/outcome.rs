//! What checking a repository comes to: the findings of all rules, less those that comments ignore and those of rules that
//! the settings switch off.

use super::declared::{self, Declared};
use super::ignore::{self, Ignore, Ignored};
use super::{ALL, Finding, Scope, Severity, Subject};
use crate::model::Settings;
use crate::model::settings::Level;
use crate::parallel;

/// The result of all rules.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What is reported, sorted by place and id.
    pub findings: Vec<Finding>,
    /// What comments ignore.
    pub ignored: Vec<Ignored>,
    /// What is found by rules that are switched off.
    pub off: Vec<Finding>,
}

/// Checks a repository by all rules.
pub fn check_all(scope: &Scope<'_>) -> Outcome {
    // All rules on one Application, then the next: its objects stay in the processor's caches.
    let on_each = |subject: &Subject<'_>| -> Vec<Finding> {
        let rules = ALL.iter();
        rules.flat_map(|rule| rule.on_each(scope, subject)).collect()
    };
    let of_subjects = parallel::each(&scope.subjects, on_each);
    let on_object = |declared: &Declared<'_>| -> Vec<Finding> {
        let rules = ALL.iter();
        rules.flat_map(|rule| rule.on_object(declared)).collect()
    };
    let of_objects = parallel::each(&declared::declared(scope), on_object);
    let of_whole = parallel::in_order(ALL, |rule| rule.on_whole(scope), |_| {});
    let findings = of_subjects.into_iter().chain(of_objects).chain(of_whole);
    let findings = findings.flatten().collect();
    let mut ignores: Vec<Ignore> = ignore::of(scope.repo);
    let (findings, ignored) = ignore::apply(scope.repo, &mut ignores, findings);
    let mut outcome = Outcome {
        findings,
        ignored,
        off: Vec::new(),
    };
    let on_comments = ALL.iter().flat_map(|rule| rule.on_comments(scope, &ignores));
    outcome.findings.extend(on_comments);
    outcome.level(&scope.repo.settings);
    outcome.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    outcome
}

impl Outcome {
    /// Gives findings the levels of the settings, and takes out those of rules that are off.
    pub(super) fn level(&mut self, settings: &Settings) {
        let level = |finding: &Finding| settings.levels.get(finding.rule.id).copied();
        self.ignored
            .retain(|ignored| level(&ignored.finding) != Some(Level::Off));
        for mut finding in std::mem::take(&mut self.findings) {
            match level(&finding) {
                Some(Level::Off) => {
                    self.off.push(finding);
                    continue;
                }
                Some(Level::Warning) => finding.severity = Severity::Warning,
                Some(Level::Error) => finding.severity = Severity::Error,
                None => {}
            }
            self.findings.push(finding);
        }
    }
}
