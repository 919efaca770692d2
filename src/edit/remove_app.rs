//! `remove-app`: takes an Application out of the repository. Its data stays, and the source of the Namespaces remembers whose it was;
//! what is to be lost is said by name, and released in a commit of its own.
//!
//! ```text
//! needed      what keeps it from being removed: others that live of it
//! claims      which of its claims are kept, which are lost, and who uses them
//! manifest    where it is written    set  what makes a set generate it    folder  the folder that goes with it
//! in_steps    a set that generates it preserves its objects first
//! ```

pub mod claims;
mod folder;
mod in_steps;
pub mod manifest;
mod needed;
mod removal;
mod set;

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::needed::Needed;
use super::parameters::{Target, entries};
use super::preserve::Phase;
use super::{Edit, Renders, RuleGate, keeps};
use crate::model::{AppName, ClaimPath, ClaimRef};
use crate::repo::{ChangeSet, Manifest, Repo};
use crate::rules::{Scope, Subject};

pub use claims::{Claims, Lost};
pub use in_steps::steps;
use removal::Removal;

/// A request to remove an Application.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Its name.
    pub name: String,
    /// The claims whose data is to be lost.
    pub delete_data: Vec<ClaimPath>,
    /// Whether others that use its claims go on with claims that nobody owns.
    pub orphan_consumers: bool,
    /// Which of three steps is made, of a generated Application; the next one where there are steps.
    pub phase: Option<Phase>,
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It releases the claims that are to be lost.
    Release,
    /// It lets the set preserve what the Application has.
    Preserve,
    /// It takes the Application out.
    Removal,
    /// It gives the set its old policy back.
    Restore,
}

/// The plan of a run.
#[derive(Debug)]
pub struct Plan {
    /// What it does.
    pub stage: Stage,
    /// The Application.
    pub name: AppName,
    /// What becomes of its claims.
    pub claims: Claims,
    /// The changes.
    pub edit: Edit,
    /// The gate, with the renders before and after.
    pub gate: RuleGate,
    /// What has to be in the branch that Argo CD reads.
    pub needed: Vec<Needed>,
}

/// The Application that is removed, with everything that is known.
struct Leaving<'s, 'a> {
    scope: &'s Scope<'a>,
    renders: &'s dyn Renders,
    manifest: &'a Manifest,
    subject: &'s Subject<'a>,
}

/// Plans a run: the removal, or the release of claims that has to be in the cluster before it.
///
/// # Errors
/// When there is no such Application, others need it or use its claims, data would be lost that is not named, nothing would remember
/// whose its claims were, or there is no place for the change.
pub fn plan(scope: &Scope<'_>, renders: &dyn Renders, request: &Request) -> Result<Plan> {
    let repo = scope.repo;
    if repo.application(&request.name).is_none()
        && let Some(restored) = in_steps::restored(repo, renders, request)?
    {
        return Ok(restored);
    }
    let (manifest, _) = repo.named_application(&request.name)?;
    let name = repo
        .app_name(manifest)
        .context("its name is none that Kubernetes takes")?;
    let subject = scope.subject(&name).context("it is not among the Applications")?;
    needed::check(scope, subject)?;
    let claims = Claims::of(scope, subject, &request.delete_data)?;
    claims.check_users(request.orphan_consumers)?;
    let leaving = Leaving {
        scope,
        renders,
        manifest,
        subject,
    };
    let set = in_steps::set_of(repo, manifest);
    let phase = in_steps::next(set.as_ref(), request, claims.check_kept(scope, subject))?;
    if let (Some(Phase::Preserve), Some(set)) = (phase, &set) {
        return leaving.preserve(set, claims);
    }
    let unreleased = claims.unreleased();
    let (stage, mut edit, gate) = match unreleased.is_empty() {
        false => leaving.release(&claims, &unreleased)?,
        true => leaving.removal(&claims, manifest::removal(repo, renders, manifest)?)?,
    };
    let mut needed = Vec::new();
    if let (Some(_), Some(set), Stage::Removal) = (phase, &set, stage) {
        in_steps::say_second(set, &name, &mut edit);
        needed.push(set.needed());
    }
    Ok(Plan {
        stage,
        name,
        claims,
        edit,
        gate,
        needed,
    })
}

impl Leaving<'_, '_> {
    /// Releases claims, in every source of the plugin: each sees what it renders itself.
    fn release(&self, claims: &Claims, unreleased: &[ClaimRef]) -> Result<(Stage, Edit, RuleGate)> {
        let (subject, repo) = (self.subject, self.scope.repo);
        let target = Target::new(repo, self.renders, subject.name.as_str())?;
        let paths: Vec<ClaimPath> = unreleased
            .iter()
            .map(|claim| ClaimPath::of(claim, subject.namespace.as_ref()))
            .collect();
        let changed = target.change(&target.positions(), &|_, source| {
            entries::add_to_parameter(source, "releases", &paths)
        })?;
        let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
        let (mut edit, gate) = target.finish(changed, format!("Release {} of {}", names.join(", "), subject.name));
        edit.notes.extend(claims.notes());
        edit.notes
            .push("step 1 of 2: the claim loses its guards, and the lock lets it go".to_owned());
        edit.next = Some(format!(
            "push it, wait with `kubectl homelab wait {} --for synced`, then run the same command again: it takes the Application out",
            subject.name
        ));
        Ok((Stage::Release, edit, gate))
    }

    /// Takes the Application out, and remembers whose the claims were that stay.
    fn removal(&self, claims: &Claims, removal: Removal) -> Result<(Stage, Edit, RuleGate)> {
        let (repo, name) = (self.scope.repo, &self.subject.name);
        let kept: BTreeSet<ClaimRef> = claims.kept.iter().cloned().collect();
        let remembered = keeps::remember(self.scope, self.renders, name, &kept)?;
        let changes_keeper = !remembered.changes.changes.is_empty();
        let mut changes = ChangeSet::default();
        // A kustomization may be changed for two reasons.
        changes.join(remembered.changes.changes.into_iter().chain(removal.changes.changes))?;
        let derived = match changes_keeper {
            true => self.renders.desired(&repo.file_changes(&changes)?)?,
            false => removal.derived,
        };
        let (before, mut after) = (self.scope.renders.clone(), self.scope.renders.clone());
        after.remove(name);
        after.extend(remembered.renders);
        let gate = RuleGate {
            before,
            after,
            derived: Some(derived),
            ..RuleGate::default()
        };
        let mut notes = removal.notes;
        notes.extend(remembered.notes);
        notes.extend(claims.notes());
        let edit = Edit {
            changes,
            message: format!("Remove Application {name}"),
            notes,
            next: Some(self.next(repo, claims)),
            ..Edit::default()
        };
        Ok((Stage::Removal, edit, gate))
    }

    fn next(&self, repo: &Repo, claims: &Claims) -> String {
        let name = &self.subject.name;
        let wait = match repo.synced_folders().reads(&self.manifest.file) || !self.manifest.is_written() {
            true => "push it".to_owned(),
            false => format!("nothing syncs its manifest: delete it with `kubectl delete application {name}`, too"),
        };
        match claims.kept.first() {
            Some(claim) => {
                format!("{wait}; give a kept claim its next owner with `kubectl homelab restore {claim} --to APP`")
            }
            None => wait,
        }
    }
}
