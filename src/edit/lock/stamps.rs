//! The first commit of the lock on writes: the parameter `stamp-app` of every Application with pod templates. And back.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use json_patch::PatchOperation;

use crate::edit::parameters::{Changed, Target, entries};
use crate::edit::{Edit, Renders, RuleGate};
use crate::model::parameter::{RECREATE_JOBS, STAMP_APP, Stamp};
use crate::model::sync::is_hook;
use crate::model::workload::{PodTemplate, pod_templates};
use crate::model::{AppName, ClaimName, NamespaceName, Source};
use crate::repo::{Manifest, Origin, RepoPath};
use crate::rules::{Item, Scope, Subject};

/// An Application whose templates are to be stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstamped {
    /// Its name.
    pub app: AppName,
    /// Whether a template of it mounts a claim, so that its pods restart.
    pub mounts: bool,
    /// Its Jobs that mount a claim and are no hooks: their templates cannot change.
    pub jobs: Vec<(NamespaceName, ClaimName)>,
}

/// What is to be stamped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// The Applications.
    pub apps: Vec<Unstamped>,
    /// What the user has to know of others.
    pub notes: Vec<String>,
}

/// Returns the Applications with pod templates that the plugin does not stamp. Those that mount nothing are not changed by it, and are
/// ready for a claim.
pub fn unstamped(scope: &Scope<'_>) -> Open {
    let mut open = Open::default();
    for subject in &scope.subjects {
        let name = &subject.name;
        if !subject.sources.iter().any(|(_, parameters)| parameters.is_some()) {
            open.notes.extend(writes_natively(scope, subject));
            continue;
        }
        if subject.has_wrong_parameters() {
            let line = format!("Application `{name}` is not stamped: its parameters cannot be read");
            open.notes.push(line);
            continue;
        }
        let mut sources = subject.read_sources();
        let is_unstamped = sources.any(|(_, parameters)| parameters.stamp_app == Stamp::None);
        // What is not rendered is taken for what its parameters say.
        let names_claims = subject.read_sources().any(|(_, parameters)| {
            !parameters.owns.is_empty() || !parameters.writes.is_empty() || !parameters.mounts.is_empty()
        });
        let is_unknown = names_claims && !subject.is_seen;
        let pods = pods(subject);
        if is_unstamped && (pods.are_there || is_unknown) {
            open.apps.push(Unstamped {
                app: name.clone(),
                mounts: is_unknown || pods.mount_claims,
                jobs: pods.jobs,
            });
        }
    }
    open
}

/// Returns a remark on an Application that the plugin does not render and that writes a claim of the registry.
fn writes_natively(scope: &Scope<'_>, subject: &Subject<'_>) -> Option<String> {
    let volumes = subject.items.iter().flat_map(|item| subject.claim_volumes(item));
    let mut written = volumes.filter(|(claim, volume)| volume.is_written() && scope.is_registered(claim));
    let (claim, _) = written.next()?;
    Some(format!(
        "Application `{0}` writes claim `{claim}`, and the plugin does not render it: nothing stamps its pods; convert it with \
         `kubectl homelab convert {0}`",
        subject.name
    ))
}

/// The pods of an Application.
#[derive(Default)]
struct Pods {
    are_there: bool,
    mount_claims: bool,
    /// Its Jobs that mount a claim and are no hooks.
    jobs: Vec<(NamespaceName, ClaimName)>,
}

fn pods(subject: &Subject<'_>) -> Pods {
    let mut pods = Pods::default();
    for object in subject.items.iter().map(Item::object) {
        let templates = pod_templates(object);
        pods.are_there |= !templates.is_empty();
        if !templates.iter().any(PodTemplate::mounts_a_claim) {
            continue;
        }
        pods.mount_claims = true;
        let name = ClaimName::new(object.name()).ok();
        let is_job = object.is("batch", "Job") && !is_hook(object);
        let job = subject.namespace_of(object).zip(name).filter(|_| is_job);
        pods.jobs.extend(job);
    }
    pods
}

/// Stamps Applications; those in `recreated` have Jobs that are created again for it.
///
/// # Errors
/// When there is no place for the parameter of one of them.
pub fn stamp(
    scope: &Scope<'_>,
    renders: &dyn Renders,
    open: &Open,
    recreated: &BTreeSet<AppName>,
) -> Result<(Edit, RuleGate)> {
    let mut writing = Writing::new(scope, renders);
    for one in &open.apps {
        let value = match recreated.contains(&one.app) {
            true => RECREATE_JOBS,
            false => "true",
        };
        writing.set(&one.app, Some(value))?;
    }
    let mounting = open.apps.iter().filter(|one| one.mounts);
    let names: Vec<String> = mounting.map(|one| format!("`{}`", one.app)).collect();
    writing.notes.extend(open.notes.iter().cloned());
    if !names.is_empty() {
        writing.notes.push(format!(
            "the pods of {} that mount a claim restart once",
            names.join(", ")
        ));
    }
    Ok(writing.finish(
        "Stamp the templates that mount claims",
        "push it, wait with `kubectl homelab wait --all --for synced`, then run the same command again: it writes the policy",
    ))
}

/// Takes the recreation of Jobs out again, once all templates are stamped.
///
/// # Errors
/// When there is no place for the parameter of one of them.
pub fn settle(scope: &Scope<'_>, renders: &dyn Renders) -> Result<(Edit, RuleGate)> {
    let mut writing = Writing::new(scope, renders);
    for name in stamped(scope, |stamp| stamp == Stamp::RecreatesJobs) {
        writing.set(&name, Some("true"))?;
    }
    Ok(writing.finish("Lock writes", ""))
}

/// Takes all stamps out again.
///
/// # Errors
/// When one of them is no document of a file.
pub fn unstamp(scope: &Scope<'_>, renders: &dyn Renders) -> Result<(Edit, RuleGate)> {
    let mut writing = Writing::new(scope, renders);
    let names = stamped(scope, |stamp| stamp != Stamp::None);
    for name in &names {
        writing.set(name, None)?;
    }
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        writing.notes.push(format!(
            "the pods of {} that mount a claim restart once: their stamps go",
            names.join(", ")
        ));
    }
    Ok(writing.finish("Unlock writes", ""))
}

/// Returns the Applications with such a stamp.
fn stamped(scope: &Scope<'_>, is_meant: impl Fn(Stamp) -> bool) -> Vec<AppName> {
    let has = |subject: &&Subject<'_>| {
        let mut sources = subject.read_sources();
        sources.any(|(_, parameters)| is_meant(parameters.stamp_app))
    };
    let subjects = scope.subjects.iter().filter(has);
    subjects.map(|subject| subject.name.clone()).collect()
}

/// The parameter in many Applications.
struct Writing<'s, 'a> {
    scope: &'s Scope<'a>,
    renders: &'s dyn Renders,
    edit: Edit,
    notes: Vec<String>,
    generated: Vec<Manifest>,
    /// The sets whose template has it for all of their Applications.
    sets: BTreeSet<(RepoPath, usize)>,
}

impl<'s, 'a> Writing<'s, 'a> {
    fn new(scope: &'s Scope<'a>, renders: &'s dyn Renders) -> Self {
        Self {
            scope,
            renders,
            edit: Edit::default(),
            notes: Vec::new(),
            generated: Vec::new(),
            sets: BTreeSet::new(),
        }
    }

    /// Sets the parameter of an Application, of its whole set where the template can have it: templates that mount nothing are not
    /// stamped.
    fn set(&mut self, name: &AppName, value: Option<&str>) -> Result<()> {
        let what = || format!("Application `{name}` cannot get the parameter `{STAMP_APP}`");
        let (manifest, _) = self.scope.repo.named_application(name.as_str())?;
        let set = (manifest.file.clone(), manifest.document);
        let is_generated = matches!(manifest.origin, Origin::Generated(_));
        if is_generated && self.sets.contains(&set) {
            return Ok(());
        }
        let target = Target::new(self.scope.repo, self.renders, name.as_str()).with_context(what)?;
        let edit = |_: usize, source: &Source<'_>| -> Vec<PatchOperation> {
            match source.uses_homelab_plugin() {
                true => entries::set_text(source, STAMP_APP, value),
                false => Vec::new(),
            }
        };
        let positions = target.positions();
        if is_generated && let Some(changed) = target.change_whole_set(&positions, &edit) {
            self.sets.insert(set);
            self.add(changed.with_context(what)?);
            return Ok(());
        }
        self.add(target.change(&positions, &edit).with_context(what)?);
        Ok(())
    }

    fn add(&mut self, changed: Changed) {
        self.edit.changes.changes.extend(changed.changes.changes);
        self.notes.extend(changed.notes);
        self.generated.extend(changed.derived);
    }

    /// Returns the edit; what the Applications render with it but for the labels is what they rendered before.
    fn finish(self, message: &str, next: &str) -> (Edit, RuleGate) {
        let gate = RuleGate {
            before: self.scope.renders.clone(),
            after: self.scope.renders.clone(),
            generated: self.generated,
            ..RuleGate::default()
        };
        let edit = Edit {
            message: message.to_owned(),
            notes: self.notes,
            next: (!next.is_empty()).then(|| next.to_owned()),
            ..self.edit
        };
        (edit, gate)
    }
}

#[cfg(test)]
mod tests;
