//! The findings that a repository accepts for now: those that were there when `.homelab-baseline.yaml` was made. New ones are
//! reported.

use std::collections::{BTreeMap, BTreeSet};

use super::{ALL, Check, Finding, Scope, is_locked};
use crate::model::{AppName, Availability};
use crate::repo::Repo;

/// What makes a finding the same one in two runs, wherever its file lies and whatever the words of the message are.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted {
    /// The id of the rule.
    pub rule: String,
    /// The Application that it is about.
    pub application: Option<String>,
    /// The object that it is about; the file where there is none.
    pub object: String,
    /// JSON Pointer of the place.
    pub pointer: String,
    /// What the message names, so that several findings at one place are told apart.
    pub names: Vec<String>,
}

impl Accepted {
    /// Returns what makes a finding the same one.
    pub fn of(repo: &Repo, finding: &Finding) -> Self {
        let location = finding.location.as_ref();
        let manifest = || {
            let location = location?;
            repo.manifest(&location.file, location.document)?.object.reference()
        };
        let object = finding
            .object
            .clone()
            .or_else(manifest)
            .map(|object| object.to_string());
        let file = || location.map(|location| location.file.to_string()).unwrap_or_default();
        let names = finding.message.split('`').skip(1).step_by(2);
        Self {
            rule: finding.rule.id.to_owned(),
            application: finding.app.as_ref().map(ToString::to_string),
            object: object.unwrap_or_else(file),
            pointer: location
                .map(|location| location.pointer.to_string())
                .unwrap_or_default(),
            names: names.map(str::to_owned).collect(),
        }
    }
}

/// The accepted findings of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// One for each finding; equal ones count.
    pub accepted: Vec<Accepted>,
}

/// What a baseline came to in a report.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// The findings that it accepts.
    pub accepted: Vec<Finding>,
    /// The indices of the entries that no finding needs any more.
    pub unneeded: Vec<usize>,
    /// How many entries have no finding, and nobody knows whether they are needed: something was not checked.
    pub unknown: usize,
}

impl Baseline {
    /// Takes the accepted findings out of all that there are, and notes which entries are not needed any more. `is_complete` says
    /// that everything was checked.
    pub(super) fn settle(&self, scope: &Scope<'_>, findings: &mut Vec<Finding>, is_complete: bool) -> Settled {
        let mut open: BTreeMap<&Accepted, Vec<usize>> = BTreeMap::new();
        for (index, entry) in self.accepted.iter().enumerate().rev() {
            open.entry(entry).or_default().push(index);
        }
        let mut settled = Settled::default();
        for finding in std::mem::take(findings) {
            let entry = open.get_mut(&Accepted::of(scope.repo, &finding));
            let is_accepted = !is_locked(finding.rule.id) && entry.is_some_and(|indices| indices.pop().is_some());
            let list = if is_accepted {
                &mut settled.accepted
            } else {
                &mut *findings
            };
            list.push(finding);
        }
        let left: BTreeSet<usize> = open.into_values().flatten().collect();
        let is_gone = |index: &usize| is_complete || is_checked(&self.accepted[*index], scope);
        let (unneeded, unknown): (Vec<_>, Vec<_>) = left.into_iter().partition(is_gone);
        settled.unneeded = unneeded;
        settled.unknown = unknown.len();
        settled
    }
}

/// Reports whether a finding that is not there is gone although not everything was checked: its object was, and its rule looks at
/// nothing else.
fn is_checked(entry: &Accepted, scope: &Scope<'_>) -> bool {
    let rule = ALL.iter().find(|rule| rule.meta.id == entry.rule);
    let is_of_object = rule.is_none_or(|rule| matches!(rule.check, Check::Object(_)));
    let name = entry
        .application
        .as_ref()
        .and_then(|name| AppName::new(name.as_str()).ok());
    let is_available = name.is_some_and(|name| matches!(scope.renders.get(&name), Some(Availability::Available(_))));
    is_of_object && is_available
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unavailable;
    use crate::rules::CheckReport;
    use crate::rules::case::{Case, claim, owns};
    use serde_json::json;

    fn report(case: &Case, baseline: &Baseline) -> (CheckReport, Vec<Accepted>) {
        let repo = case.repo();
        let scope = Scope::new(&repo, case.app_renders());
        let mut report = CheckReport::of(&scope);
        let found = report
            .findings
            .iter()
            .map(|finding| Accepted::of(&repo, finding))
            .collect();
        report.accept(&scope, baseline);
        (report, found)
    }

    fn case(claims: &[&str]) -> Case {
        let claims: Vec<_> = claims.iter().map(|name| claim(name, json!({}))).collect();
        let case = Case::new().plugin("fetcher", json!([owns(["other"])]));
        match &claims[..] {
            [one] => case.renders("fetcher", [one.clone()]),
            [one, two] => case.renders("fetcher", [one.clone(), two.clone()]),
            _ => case.renders("fetcher", []),
        }
    }

    #[test]
    fn what_was_there_is_accepted_and_what_is_new_is_reported() {
        let (_, accepted) = report(&case(&["audio"]), &Baseline::default());
        let baseline = Baseline { accepted };
        let (same, _) = report(&case(&["audio"]), &baseline);
        let settled = same.baseline.unwrap();
        assert_eq!((same.findings.len(), settled.unneeded.len()), (0, 0));
        assert_eq!(settled.accepted.len(), baseline.accepted.len());
        let (more, _) = report(&case(&["audio", "films"]), &baseline);
        assert!(!more.findings.is_empty());
        assert!(
            more.findings.iter().all(|finding| finding.message.contains("films")),
            "{:?}",
            more.findings
        );
    }

    #[test]
    fn what_is_gone_is_not_needed_unless_nobody_knows() {
        let (_, accepted) = report(&case(&["audio"]), &Baseline::default());
        let baseline = Baseline { accepted };
        let (gone, _) = report(&case(&["other"]), &baseline);
        assert!(!gone.baseline.unwrap().unneeded.is_empty());
        let url = "https://git.example.org/charts".to_owned();
        let unseen = Case::new()
            .plugin("fetcher", json!([owns(["other"])]))
            .unavailable("fetcher", Availability::Unavailable(Unavailable::NotCloned { url }));
        let settled = report(&unseen, &baseline).0.baseline.unwrap();
        assert!(settled.unneeded.is_empty() && settled.unknown > 0);
    }

    #[test]
    fn equal_findings_count() {
        let (_, found) = report(&case(&["audio"]), &Baseline::default());
        let twice = [found.clone(), found.clone()].concat();
        let (report, _) = report(&case(&["audio"]), &Baseline { accepted: twice });
        assert_eq!(report.baseline.unwrap().unneeded.len(), found.len());
    }
}
