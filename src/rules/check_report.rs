//! The report of a check: findings, files that cannot be read, and what was skipped.

use std::collections::BTreeSet;

use super::baseline::{Baseline, Settled};
use super::fixer::Refused;
use super::quoted::quoted;
use super::unrendered::{exists, forgotten, unknown_origins, unrendered};
use super::{ALL, Finding, Ignored, Location, Meta, Outcome, Scope, Selection, Severity};
use crate::masking::without_logins;
use crate::model::settings::Level;
use crate::model::{AppName, Availability, PointerBuf, Settings, Unavailable};
use crate::repo::{Malformed, Manifest, RepoPath, Unknown};

/// The rules that find what no source renders with: `source-has-one-tool`, `value-files-have-no-ref`, `parameters-are-valid` and
/// `source-is-complete`.
const PREVENTS_RENDERING: [&str; 4] = ["HL304", "HL305", "HL309", "HL314"];

/// The result of checking a repository or an installation.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// What breaks a rule, sorted by place.
    pub findings: Vec<Finding>,
    /// What comments ignore.
    pub ignored: Vec<Ignored>,
    /// What is found by rules that the repository's settings switch off.
    pub off: Vec<Finding>,
    /// What the repository's baseline accepts; `None` where there is no baseline.
    pub baseline: Option<Settled>,
    /// The rules whose level is not their own, by the repository's settings.
    pub levels: Vec<(&'static Meta, Level)>,
    /// Files and documents that are no manifests; each is an error.
    pub malformed: Vec<Malformed>,
    /// What could not be checked.
    pub skipped: Vec<Skipped>,
    /// What was checked; `None` where no Applications are.
    pub coverage: Option<Coverage>,
}

/// The Applications that were checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Their places.
    pub checked: Vec<Location>,
    /// Whether they were rendered; without that, manifests and parameters were checked only.
    pub is_rendered: bool,
    /// How many files the repository's settings exclude.
    pub excluded: usize,
    /// The Applications that may bring others that are not known.
    pub unsearched: Vec<Unknown>,
}

/// An Application, or another thing that makes objects, whose objects are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// `Application` or `ApplicationSet`; with `base` before it for one of the earlier state that was compared with, which can
    /// be a `file`, too.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its place.
    pub location: Location,
    /// Why its objects are not known.
    pub why: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
    /// What several that are skipped for this reason are called, after their number: one, and more than one; `None` for one
    /// whose source is available and does not render.
    pub reason: Option<(&'static str, &'static str)>,
    /// Whether that is an error: the source is there, and does not render or cannot be read.
    pub failed: bool,
}

impl CheckReport {
    /// Checks a repository by all rules.
    pub fn of(scope: &Scope<'_>) -> Self {
        let (mut checked, mut skipped) = applications(scope);
        skipped.extend(at_base(scope));
        let is_rendered = !scope.renders.is_empty() || scope.subjects.is_empty();
        let Outcome { findings, ignored, off } = super::check_all(scope);
        // HL406 reports it.
        let is_reported = |skipped: &Skipped| {
            let is_it =
                |finding: &Finding| finding.rule.id == "HL406" && finding.location.as_ref() == Some(&skipped.location);
            skipped.reason == Some(TWICE) && findings.iter().any(is_it)
        };
        let (reported, skipped): (Vec<_>, Vec<_>) = skipped.into_iter().partition(is_reported);
        checked.extend(reported.into_iter().map(|skipped| skipped.location));
        Self {
            findings,
            ignored,
            off,
            baseline: None,
            levels: levels(&scope.repo.settings, ALL.iter().map(|rule| rule.meta)),
            malformed: scope.repo.malformed.clone(),
            skipped,
            coverage: Some(Coverage {
                checked,
                is_rendered,
                excluded: scope.repo.excluded,
                unsearched: scope.unsearched(),
            }),
        }
    }

    /// Returns what is not rendered, and why.
    pub fn skipped(scope: &Scope<'_>) -> Vec<Skipped> {
        applications(scope).1
    }

    /// Takes out what a baseline accepts. Call it before anything else is left out.
    pub fn accept(&mut self, scope: &Scope<'_>, baseline: &Baseline) {
        let is_rendered = self.coverage.as_ref().is_some_and(|coverage| coverage.is_rendered);
        let is_complete = is_rendered && self.skipped.is_empty() && self.malformed.is_empty();
        self.baseline = Some(baseline.settle(scope, &mut self.findings, is_complete));
    }

    /// Keeps only the findings of selected rules.
    pub fn select(&mut self, selection: &Selection) {
        self.retain(|finding| selection.has(finding.rule.id));
        self.levels.retain(|(rule, _)| selection.has(rule.id));
    }

    /// Keeps findings, those that are not reported included.
    fn retain(&mut self, keep: impl Fn(&Finding) -> bool) {
        self.findings.retain(&keep);
        self.ignored.retain(|ignored| keep(&ignored.finding));
        self.off.retain(&keep);
        if let Some(baseline) = &mut self.baseline {
            baseline.accepted.retain(&keep);
        }
    }

    /// Keeps only what is in these files and folders, and what has no place.
    pub fn within(&mut self, paths: &[RepoPath]) {
        let is_in = |file: &RepoPath| paths.iter().any(|path| file.is_in(path));
        self.retain(|finding| finding.location.as_ref().is_none_or(|location| is_in(&location.file)));
        self.malformed.retain(|malformed| is_in(&malformed.file));
        self.skipped.retain(|skipped| is_in(&skipped.location.file));
        if let Some(coverage) = &mut self.coverage {
            coverage.checked.retain(|location| is_in(&location.file));
            coverage.unsearched.retain(|unknown| is_in(&unknown.place.0));
        }
    }

    /// Takes back the fixes that were tried and not applied.
    pub fn without_fixes(&mut self, refused: &[Refused]) {
        let tried = |finding: &Finding| refused.iter().any(|refused| refused.finding.is_at(finding));
        for finding in self.findings.iter_mut().filter(|finding| tried(finding)) {
            let fix = finding.fix.take();
            finding.hint = fix.map(|fix| format!("{} by hand", fix.title));
        }
    }

    /// Returns the number of errors: findings, malformed files, and sources that do not render for a reason that no finding
    /// gives.
    pub fn errors(&self) -> usize {
        let failed = self.unexplained().filter(|skipped| skipped.failed).count();
        self.count(Severity::Error) + self.malformed.len() + failed
    }

    /// Returns what could not be checked, without the Applications that failed for a reason that a finding gives.
    pub fn unexplained(&self) -> impl Iterator<Item = &Skipped> {
        let gives_a_reason =
            |finding: &&Finding| finding.severity == Severity::Error && PREVENTS_RENDERING.contains(&finding.rule.id);
        // Several that one set generates have one document.
        let of_finding = |finding: &'_ Finding| {
            let (location, app) = (finding.location.as_ref()?, finding.app.as_ref()?);
            Some((location.file.clone(), location.document, app.to_string()))
        };
        let reasons = self.findings.iter().filter(gives_a_reason).filter_map(of_finding);
        let explained: BTreeSet<_> = reasons.collect();
        let is_explained = move |Skipped { location, name, .. }: &Skipped| {
            explained.contains(&(location.file.clone(), location.document, name.clone()))
        };
        let is_failure = |skipped: &Skipped| skipped.failed && skipped.reason.is_none();
        self.skipped
            .iter()
            .filter(move |skipped| !(is_failure(skipped) && is_explained(skipped)))
    }

    /// Returns the number of warnings.
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Returns what was skipped and is no error.
    pub fn left_out(&self) -> impl Iterator<Item = &Skipped> {
        self.skipped.iter().filter(|skipped| !skipped.failed)
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

/// Returns the rules whose level is not their own.
pub(super) fn levels(settings: &Settings, rules: impl Iterator<Item = &'static Meta>) -> Vec<(&'static Meta, Level)> {
    let changed = rules.filter_map(|rule| {
        let level = settings.levels.get(rule.id)?;
        let own = match rule.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        (own != *level).then_some((rule, *level))
    });
    changed.collect()
}

/// What Applications are called whose name another one of the same root has, too.
const TWICE: (&str, &str) = ("of a name that another one has", "of names that others have");

/// What several things are called that are not known at the base.
const AT_BASE: (&str, &str) = ("not known at the base", "not known at the base");

/// Returns what may have brought a claim to the base that nothing renders now, and is not known. None of it is an error: the
/// change may be what corrects it.
fn at_base(scope: &Scope<'_>) -> Vec<Skipped> {
    let Some(base) = scope.base() else { return Vec::new() };
    let mut skipped: Vec<Skipped> = Vec::new();
    let open = unrendered(scope, base);
    let of_unrendered = open.iter().flat_map(|found| unknown_origins(scope, base, found));
    // Whether a forgotten claim was rendered at all is not known either.
    let forgotten = forgotten(scope, base).into_iter();
    let not_there = forgotten.filter(|(claim, _)| !exists(&base.scope.claim(claim)));
    let of_forgotten = not_there.filter_map(|(_, owner)| base.scope.subject(&owner).filter(|owner| !owner.is_seen));
    for subject in of_unrendered.chain(of_forgotten) {
        let why = match base.scope.renders.get(&subject.name) {
            Some(Availability::Unavailable(why)) => Skipped::of(subject.manifest, why),
            Some(Availability::Failed { message, .. }) => Skipped::failed(subject.manifest, message.clone(), None),
            _ => Skipped::failed(subject.manifest, "it was not rendered".to_owned(), None),
        };
        let kind = format!("base {}", why.kind);
        if !skipped.iter().any(|other| other.name == why.name) {
            skipped.push(Skipped { kind, ..why });
        }
    }
    if open.iter().any(|found| !exists(&base.scope.claim(&found.claim))) {
        skipped.extend(base.scope.repo.malformed.iter().map(Skipped::file));
        let is_gone = |manifest: &&Manifest| {
            let is_it = |other: &Manifest| other.object.reference() == manifest.object.reference();
            !scope.repo.all_manifests().any(is_it)
        };
        let sets = base.scope.repo.unexpanded_sets().filter(is_gone);
        let set = |manifest| Skipped::of(manifest, &Unavailable::GeneratedInCluster);
        skipped.extend(sets.map(set).map(|set| Skipped {
            kind: format!("base {}", set.kind),
            ..set
        }));
    }
    let at_base = |skipped: Skipped| Skipped {
        hint: Some(
            skipped
                .hint
                .unwrap_or_else(|| "compare with a revision that renders".to_owned()),
        ),
        reason: Some(AT_BASE),
        failed: false,
        ..skipped
    };
    skipped.into_iter().map(at_base).collect()
}

/// Returns the places of the Applications that were checked, and what was not.
fn applications(scope: &Scope<'_>) -> (Vec<Location>, Vec<Skipped>) {
    let (mut checked, mut skipped) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for (manifest, app) in scope.repo.applications() {
        if !names.insert((scope.repo.app_name(manifest), app.name())) {
            skipped.push(Skipped::twice(manifest));
            continue;
        }
        match of_application(scope, manifest) {
            None => checked.push(Location::of(manifest, "/metadata/name")),
            Some(why) => skipped.push(match scope.repo.app_name(manifest) {
                Some(name) => Skipped {
                    name: name.to_string(),
                    ..why
                },
                None => why,
            }),
        }
    }
    let repo = scope.repo;
    let is_known = |set: &Manifest| {
        let is_it =
            |unknown: &&Unknown| unknown.place == (set.file.clone(), set.document) && unknown.name == set.object.name();
        repo.unknown.iter().any(|unknown| is_it(&unknown))
    };
    let sets = repo.unexpanded_sets().filter(|set| !is_known(set));
    skipped.extend(sets.map(|set| Skipped::of(set, &Unavailable::GeneratedInCluster)));
    skipped.extend(repo.unknown.iter().map(Skipped::unknown));
    (checked, skipped)
}

fn of_application(scope: &Scope<'_>, manifest: &Manifest) -> Option<Skipped> {
    if let Err(error) = AppName::new(manifest.object.name()) {
        let hint = Some("correct `metadata.name`".to_owned());
        return Some(Skipped::failed(manifest, error.to_string(), hint));
    }
    match scope.renders.get(&scope.repo.app_name(manifest)?)? {
        Availability::Available(_) => None,
        Availability::Unavailable(why) => Some(Skipped::of(manifest, why)),
        Availability::Failed { message, hint, .. } => Some(Skipped {
            location: Location::of(manifest, quoted(manifest, message)),
            ..Skipped::failed(manifest, message.clone(), hint.clone())
        }),
    }
}

impl Skipped {
    fn of(manifest: &Manifest, why: &Unavailable) -> Self {
        Self {
            reason: Some(why.kind()),
            failed: why.is_error(),
            ..Self::failed(manifest, why.to_string(), Some(why.hint()))
        }
    }

    /// Returns a set, or something that renders Applications, of which it is not known what it brings.
    fn unknown(unknown: &Unknown) -> Self {
        let (file, document) = unknown.place.clone();
        Self {
            kind: unknown.kind.to_owned(),
            name: unknown.name.clone(),
            location: Location {
                file,
                document,
                pointer: PointerBuf::new(),
                bytes: None,
            },
            why: without_logins(&unknown.why),
            hint: unknown.hint.as_deref().map(without_logins),
            reason: Some(match unknown.kind {
                "ApplicationSet" => ("ApplicationSet not expanded", "ApplicationSets not expanded"),
                _ => (
                    "source of Applications not rendered",
                    "sources of Applications not rendered",
                ),
            }),
            failed: false,
        }
    }

    /// Returns a second Application of one name.
    fn twice(manifest: &Manifest) -> Self {
        Self {
            reason: Some(TWICE),
            failed: false,
            ..Self::failed(
                manifest,
                "another Application has this name, and that one is checked".to_owned(),
                Some("rename one of the two, or remove it".to_owned()),
            )
        }
    }

    /// Returns a file of the base that cannot be read.
    fn file(malformed: &Malformed) -> Self {
        Self {
            kind: "base file".to_owned(),
            name: malformed.file.to_string(),
            location: Location {
                file: malformed.file.clone(),
                document: 0,
                pointer: PointerBuf::new(),
                bytes: None,
            },
            why: without_logins(&malformed.message),
            hint: None,
            reason: Some(AT_BASE),
            failed: false,
        }
    }

    fn failed(manifest: &Manifest, why: String, hint: Option<String>) -> Self {
        Self {
            kind: manifest.object.kind().to_owned(),
            name: manifest.object.name().to_owned(),
            location: Location::of(manifest, "/metadata/name"),
            why: without_logins(&why),
            hint: hint.as_deref().map(without_logins),
            reason: None,
            failed: true,
        }
    }
}
