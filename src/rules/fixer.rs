//! Applies the fixes of findings to a repository, and checks after each step what came of it.
//!
//! Rule by rule, the fixes that do not touch each other are applied together; then all rules run again, so that the next
//! fix starts from what is there by then: two fixes of one missing map are both right. Of one document that is one fix at
//! first, and twice as many after each step that was right. A step that introduces an error, or leaves its finding, is
//! halved until the fix is found that is to blame; that one is not applied.

mod joined;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use json_patch::{Patch, PatchOperation};

use super::fixes::{above, fitted};
use super::{ALL, Finding, Fix, Location, Outcome, Scope, Selection, Severity, check_all};
use crate::failure::Failure;
use crate::model::{AppRenders, Availability, Object, ObjectRef};
use crate::repo::{Change, ChangeSet, Repo, RepoPath};
use joined::Joined;

/// How often all rules are gone through: a fix can enable one of an earlier rule.
const PASSES: usize = 10;

/// Which findings are fixed.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The rules.
    pub selection: Selection,
    /// The files and folders that may be touched; everything when there is none.
    pub paths: Vec<RepoPath>,
    /// Whether fixes that need review are applied, too.
    pub unsafe_fixes: bool,
}

/// What fixing came to.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The changes, in an order in which they can be applied one after the other.
    pub changes: ChangeSet,
    /// The repository with the changes.
    pub repo: Repo,
    /// The renders with the changes, as far as they can be known without rendering again.
    pub renders: AppRenders,
    /// How many findings there were.
    pub found: usize,
    /// How many of them are gone.
    pub fixed: usize,
    /// How many of those that are left have a fix that needs review and was not asked for.
    pub unsafe_fixes: usize,
    /// The findings whose fix was not applied.
    pub refused: Vec<Refused>,
}

/// A finding whose fix was not applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The finding.
    pub finding: Finding,
    /// Why.
    pub why: String,
}

/// Fixes what the rules find in a repository.
pub fn fix(repo: &Repo, renders: &AppRenders, request: &Request) -> Fixed {
    let state = State::of(repo.clone(), renders.clone());
    let findings = state.findings.clone();
    let found = request.selected(&findings);
    let mut fixer = Fixer {
        request,
        state,
        changes: ChangeSet::default(),
        tried: BTreeSet::new(),
        refused: Vec::new(),
        together: 1,
    };
    fixer.run();
    let left = request.selected(&fixer.state.findings);
    let unsafe_fixes = left.iter().filter(|finding| fixer.needs_review(finding)).count();
    let before = tally(found.iter().copied());
    let after = tally(left.iter().copied());
    let gone = |(key, count): (&Key<'_>, &usize)| count.saturating_sub(after.get(key).copied().unwrap_or(0));
    Fixed {
        found: found.len(),
        fixed: before.iter().map(gone).sum(),
        unsafe_fixes,
        changes: fixer.changes,
        refused: fixer.refused,
        repo: fixer.state.repo,
        renders: fixer.state.renders,
    }
}

impl Request {
    fn selected<'f>(&self, findings: &'f [Finding]) -> Vec<&'f Finding> {
        findings.iter().filter(|finding| self.selects(finding)).collect()
    }

    fn selects(&self, finding: &Finding) -> bool {
        let file = finding.location.as_ref().map(|location| &location.file);
        self.selection.has(finding.rule.id) && file.is_none_or(|file| self.is_within(file))
    }

    fn is_within(&self, file: &RepoPath) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|path| file.is_in(path))
    }

    /// Returns the fix of a finding, if it may be applied but for its safety.
    fn fix<'f>(&self, finding: &'f Finding) -> Option<&'f Fix> {
        let touches_selected = |fix: &&Fix| fix.changes.changes.iter().all(|change| self.is_within(change.path()));
        finding
            .fix
            .as_ref()
            .filter(|_| self.selects(finding))
            .filter(touches_selected)
    }
}

/// What makes two findings of one document the same before and after a fix.
type Key<'f> = (
    &'static str,
    Option<&'f ObjectRef>,
    &'f str,
    Option<(&'f RepoPath, usize)>,
);

fn key(finding: &Finding) -> Key<'_> {
    let (rule, object, message) = finding.identity();
    let location = finding.location.as_ref();
    (rule, object, message, location.map(|at| (&at.file, at.document)))
}

fn tally<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> BTreeMap<Key<'f>, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(key(finding)).or_insert(0) += 1;
    }
    counts
}

/// A repository, what it renders, and what the rules find in both.
struct State {
    repo: Repo,
    renders: AppRenders,
    findings: Vec<Finding>,
    /// What comments ignore.
    ignored: Vec<Finding>,
}

struct Fixer<'r> {
    request: &'r Request,
    state: State,
    changes: ChangeSet,
    /// The findings whose fix was applied or refused: none is tried twice in one run.
    tried: BTreeSet<Tried>,
    refused: Vec<Refused>,
    /// How many fixes of one document are applied together.
    together: usize,
}

impl Fixer<'_> {
    fn run(&mut self) {
        for _ in 0..PASSES {
            let before = self.tried.len();
            for rule in ALL {
                self.together = 1;
                loop {
                    let batch = self.batch(rule.meta.id);
                    if batch.is_empty() {
                        break;
                    }
                    let fitting = self.fitting(batch);
                    self.apply(fitting);
                }
            }
            if self.tried.len() == before {
                break;
            }
        }
    }

    fn needs_review(&self, finding: &Finding) -> bool {
        self.request.fix(finding).is_some_and(|fix| !fix.safe) && !self.request.unsafe_fixes
    }

    /// Returns findings of a rule whose fixes can be applied together.
    fn batch(&self, rule: &str) -> Vec<Finding> {
        let mut joined = Joined::new(&self.state.repo, self.together);
        let of_rule = self.state.findings.iter().filter(|finding| finding.rule.id == rule);
        let open = of_rule.filter(|finding| !self.needs_review(finding) && !self.tried.contains(&tried(finding)));
        let taken = open.filter(|finding| self.request.fix(finding).is_some_and(|fix| joined.take(fix)));
        taken.cloned().collect()
    }

    /// Refuses the fixes that cannot be put into their document, and returns the others.
    fn fitting(&mut self, mut batch: Vec<Finding>) -> Vec<Finding> {
        if batch.is_empty() {
            return batch;
        }
        match self.state.repo.file_changes(&self.state.fitted(&batch).1) {
            Ok(_) => batch,
            Err(error) if batch.len() == 1 => {
                self.refuse(batch, &reason(error));
                Vec::new()
            }
            Err(_) => {
                let second = batch.split_off(batch.len() / 2);
                let mut fitting = self.fitting(batch);
                fitting.extend(self.fitting(second));
                fitting
            }
        }
    }

    fn apply(&mut self, mut batch: Vec<Finding>) {
        if batch.is_empty() {
            return;
        }
        match self.state.with(&batch) {
            Ok((state, changes)) => {
                self.tried.extend(batch.iter().map(tried));
                self.state = state;
                self.changes.changes.extend(changes.changes);
                self.together = self.together.saturating_mul(2);
            }
            Err(why) if batch.len() == 1 => self.refuse(batch, &why),
            // Those of one document have to be made again: what is left of them is for the document as it was.
            Err(_) if self.together > 1 => self.together = 1,
            Err(_) => {
                let second = batch.split_off(batch.len() / 2);
                self.apply(batch);
                self.apply(second);
            }
        }
    }

    fn refuse(&mut self, batch: Vec<Finding>, why: &str) {
        self.tried.extend(batch.iter().map(tried));
        let refused = batch.into_iter().map(|finding| Refused {
            finding,
            why: why.to_owned(),
        });
        self.refused.extend(refused);
    }
}

/// A finding whose fix was tried, down to the value that it is about.
type Tried = (&'static str, Option<Location>, Option<ObjectRef>, String);

fn tried(finding: &Finding) -> Tried {
    let (rule, object, message) = finding.identity();
    (rule, finding.location.clone(), object.cloned(), message.to_owned())
}

/// Returns why a change does not fit, with the hint; the finding beside it names the place.
fn reason(error: anyhow::Error) -> String {
    let failure = Failure::from(error);
    let cause = failure.causes.last().map_or("", String::as_str);
    std::iter::once(cause)
        .chain(failure.hints.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("; ")
}

impl State {
    fn of(repo: Repo, renders: AppRenders) -> Self {
        let Outcome { findings, ignored, .. } = check_all(&Scope::new(&repo, &renders));
        Self {
            findings,
            ignored: ignored.into_iter().map(|ignored| ignored.finding).collect(),
            repo,
            renders,
        }
    }

    /// Returns what becomes of it when these findings are fixed, and the changes, or why they cannot be fixed so.
    fn with(&self, batch: &[Finding]) -> Result<(State, ChangeSet), String> {
        let (wanted, changes) = self.fitted(batch);
        let repo = self.repo.with(&changes).map_err(reason)?;
        if repo.malformed.len() > self.repo.malformed.len() {
            return Err("it would leave a file that cannot be read".to_owned());
        }
        let renders = self.carried(&wanted);
        let state = State::of(repo, renders);
        self.accept(batch, &state.findings)?;
        Ok((state, changes))
    }

    /// Refuses findings that are worse than before: a new error, one that a comment ignored, or one of the batch that is
    /// still there.
    fn accept(&self, batch: &[Finding], findings: &[Finding]) -> Result<(), String> {
        let known: BTreeSet<_> = self.findings.iter().map(Finding::identity).collect();
        let ignored: BTreeSet<_> = self.ignored.iter().map(Finding::identity).collect();
        let is_uncovered =
            |finding: &&Finding| ignored.contains(&finding.identity()) && !known.contains(&finding.identity());
        if let Some(uncovered) = findings.iter().find(is_uncovered) {
            return Err(format!(
                "it would part a line from the comment that ignores {} there",
                uncovered.rule.id
            ));
        }
        let is_new = |finding: &&Finding| finding.severity == Severity::Error && !known.contains(&finding.identity());
        if let Some(new) = findings.iter().find(is_new) {
            return Err(format!(
                "it would introduce an error: {} ({})",
                new.message, new.rule.id
            ));
        }
        let (before, after) = (tally(&self.findings), tally(findings));
        let count = |counts: &BTreeMap<Key<'_>, usize>, key| counts.get(key).copied().unwrap_or(0);
        let stays = tally(batch)
            .iter()
            .any(|(key, fixed)| count(&after, key) + fixed > count(&before, key));
        if stays {
            return Err("it would not remove the finding".to_owned());
        }
        Ok(())
    }

    /// Returns the changes that findings want, and those that fit the manifests: a finding can be one of a rendered object,
    /// which may have maps that its manifest lacks.
    fn fitted(&self, batch: &[Finding]) -> (Vec<Change>, ChangeSet) {
        let wanted = joined::changes(&self.repo, batch.iter().filter_map(|finding| finding.fix.as_ref()));
        let fit = |change: &Change| match change {
            Change::Patch { path, document, patch } => Change::Patch {
                path: path.clone(),
                document: *document,
                patch: match self.repo.manifest(path, *document) {
                    Some(manifest) => Patch(fitted(manifest.object.tree(), &patch.0)),
                    None => patch.clone(),
                },
            },
            change => change.clone(),
        };
        let changes = wanted.iter().map(fit).collect();
        (wanted, ChangeSet { changes })
    }

    /// Returns the renders with the changes made to the objects that come from the changed manifests.
    fn carried(&self, changes: &[Change]) -> AppRenders {
        let mut renders = self.renders.clone();
        if renders.is_empty() {
            return renders;
        }
        let mut patches = BTreeMap::new();
        for change in changes {
            if let Change::Patch { patch, .. } = change {
                patches.insert(change.document(), by_place(&patch.0));
            }
        }
        for subject in &Scope::new(&self.repo, &self.renders).subjects {
            let Some(Availability::Available(objects)) = renders.get_mut(&subject.name) else {
                continue;
            };
            let mut places: HashMap<Option<ObjectRef>, Vec<usize>> = HashMap::new();
            for (index, object) in objects.iter().enumerate() {
                places.entry(object.reference()).or_default().push(index);
            }
            for item in &subject.items {
                let Some((manifest, base)) = &item.home else { continue };
                let patch = patches.get(&(&manifest.file, manifest.document));
                let Some(operations) = patch.and_then(|patch| patch.get(base.as_str())) else {
                    continue;
                };
                let operations = above(base, operations.iter().copied());
                for index in places.get(&item.object().reference()).into_iter().flatten() {
                    let mut tree = objects[*index].tree().clone();
                    let fitted = fitted(&tree, &operations);
                    if json_patch::patch(&mut tree, &fitted).is_ok() {
                        objects[*index] = Object::new(tree);
                    }
                }
            }
        }
        renders
    }
}

/// Returns the operations by the places that they are in: each by its path and by everything above it.
fn by_place(operations: &[PatchOperation]) -> HashMap<&str, Vec<&PatchOperation>> {
    let mut by_place: HashMap<&str, Vec<&PatchOperation>> = HashMap::new();
    for operation in operations {
        let path = operation.path().as_str();
        let above = path.rmatch_indices('/').map(|(slash, _)| &path[..slash]);
        for place in std::iter::once(path).chain(above) {
            by_place.entry(place).or_default().push(operation);
        }
    }
    by_place
}

#[cfg(test)]
mod tests;
