//! The report of a check: findings, files that cannot be read, and what was skipped.

use super::fixer::Refused;
use super::{Finding, Location, Scope, Selection, Severity};
use crate::model::application::GROUP;
use crate::model::{AppName, Availability, Unavailable};
use crate::repo::{Malformed, Manifest, RepoPath};

/// The result of checking a repository or an installation.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// What breaks a rule, sorted by place.
    pub findings: Vec<Finding>,
    /// Files and documents that are no manifests; each is an error.
    pub malformed: Vec<Malformed>,
    /// What could not be checked.
    pub skipped: Vec<Skipped>,
}

/// An Application, or another thing that makes objects, whose objects are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// `Application` or `ApplicationSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its place.
    pub location: Location,
    /// Why its objects are not known.
    pub why: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
    /// Whether that is an error of the repository: the source is available and does not render.
    pub failed: bool,
}

impl CheckReport {
    /// Checks a repository by all rules.
    pub fn of(scope: &Scope<'_>) -> Self {
        Self {
            findings: super::check(scope),
            malformed: scope.repo.malformed.clone(),
            skipped: skipped(scope),
        }
    }

    /// Keeps only the findings of selected rules.
    pub fn select(&mut self, selection: &Selection) {
        self.findings.retain(|finding| selection.has(finding.rule.id));
    }

    /// Keeps only what is in these files and folders, and what has no place.
    pub fn within(&mut self, paths: &[RepoPath]) {
        let is_in = |file: &RepoPath| paths.iter().any(|path| file.is_in(path));
        self.findings
            .retain(|finding| finding.location.as_ref().is_none_or(|location| is_in(&location.file)));
        self.malformed.retain(|malformed| is_in(&malformed.file));
        self.skipped.retain(|skipped| is_in(&skipped.location.file));
    }

    /// Takes back the fixes that were tried and not applied.
    pub fn without_fixes(&mut self, refused: &[Refused]) {
        let tried = |finding: &Finding| refused.iter().any(|refused| refused.finding.is_at(finding));
        for finding in self.findings.iter_mut().filter(|finding| tried(finding)) {
            let fix = finding.fix.take();
            finding.hint = fix.map(|fix| format!("{} by hand", fix.title));
        }
    }

    /// Returns the number of errors: findings, malformed files, sources that do not render.
    pub fn errors(&self) -> usize {
        let failed = self.skipped.iter().filter(|skipped| skipped.failed).count();
        self.count(Severity::Error) + self.malformed.len() + failed
    }

    /// Returns the number of warnings.
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.rule.severity == severity)
            .count()
    }
}

fn skipped(scope: &Scope<'_>) -> Vec<Skipped> {
    let mut found = Vec::new();
    for manifest in &scope.repo.manifests {
        let object = &manifest.object;
        let of = |why: String, hint: Option<String>, failed: bool| Skipped {
            kind: object.kind().to_owned(),
            name: object.name().to_owned(),
            location: Location::of(manifest, "/metadata/name"),
            why,
            hint,
            failed,
        };
        if object.is(GROUP, "ApplicationSet") {
            let why = Unavailable::GeneratedInCluster;
            found.push(of(why.to_string(), Some(why.hint()), false));
        } else if object.is(GROUP, "Application") {
            found.extend(of_application(scope, manifest).map(|(why, hint, failed)| of(why, hint, failed)));
        }
    }
    found
}

fn of_application(scope: &Scope<'_>, manifest: &Manifest) -> Option<(String, Option<String>, bool)> {
    let name = match AppName::new(manifest.object.name()) {
        Ok(name) => name,
        Err(error) => return Some((error.to_string(), Some("correct `metadata.name`".to_owned()), true)),
    };
    match scope.renders.get(&name)? {
        Availability::Available(_) => None,
        Availability::Unavailable(why) => {
            let is_error = matches!(why, Unavailable::ProgramMissing { .. });
            Some((why.to_string(), Some(why.hint()), is_error))
        }
        Availability::Failed { message, hint } => Some((message.clone(), hint.clone(), true)),
    }
}
