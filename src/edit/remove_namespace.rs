//! `remove-namespace`: takes the manifest of a Namespace out, once nothing is in it any more.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::remove_app::manifest;
use super::{Edit, RuleGate};
use crate::failure::HintExt;
use crate::law::sync_options::with_guards;
use crate::model::sync::SYNC_OPTIONS;
use crate::model::{NamespaceName, spelling};
use crate::repo::{Change, ChangeSet, Manifest, Repo};
use crate::rules::{Scope, Subject, keeper};

/// Takes a Namespace out of the repository.
///
/// # Errors
/// When there is no manifest of it, or Applications, claims or other objects are in it.
pub fn remove_namespace(scope: &Scope<'_>, name: &NamespaceName) -> Result<(Edit, RuleGate)> {
    let repo = scope.repo;
    let found = manifest_of(repo, name)?;
    let beside = beside(repo, found, name.as_str());
    check_empty(scope, found, &beside, name)?;
    let mut changes = manifest::taken_out(repo, found)?;
    for other in &beside {
        changes.changes.extend(manifest::taken_out(repo, other)?.changes);
    }
    let mut notes: Vec<String> = beside
        .iter()
        .map(|other| format!("{} `{}` in it goes, too", other.object.kind(), other.object.name()))
        .collect();
    notes.push(what_becomes_of_it(scope, found, name));
    let edit = Edit {
        changes: without_doubles(repo, changes)?,
        message: format!("Remove Namespace {name}"),
        notes,
        next: Some("push it".to_owned()),
        ..Edit::default()
    };
    let gate = RuleGate {
        before: scope.renders.clone(),
        after: scope.renders.clone(),
        ..RuleGate::default()
    };
    Ok((edit, gate))
}

/// Returns the only manifest of a Namespace.
fn manifest_of<'r>(repo: &'r Repo, name: &NamespaceName) -> Result<&'r Manifest> {
    let all: Vec<&Manifest> = repo
        .namespaces()
        .filter(|one| one.object.name() == name.as_str())
        .collect();
    match all.as_slice() {
        [one] => Ok(one),
        [] => {
            let known = repo.namespaces().map(|one| one.object.name());
            let nearest = spelling::nearest(name.as_str(), known);
            Err(
                anyhow!("Namespace `{name}` has no manifest in this repository").hint(match nearest {
                    Some(nearest) => format!("name `{nearest}`, if that is meant"),
                    None => "see the Namespaces with `kubectl homelab list namespaces`".to_owned(),
                }),
            )
        }
        several => {
            let files: BTreeSet<String> = several.iter().map(|one| format!("`{}`", one.file)).collect();
            let files: Vec<String> = files.into_iter().collect();
            Err(anyhow!(
                "Namespace `{name}` has {} manifests: {}",
                several.len(),
                files.join(", ")
            )
            .hint("take all but one out by hand"))
        }
    }
}

/// Returns the other documents of its file that are in the Namespace, such as a quota.
fn beside<'r>(repo: &'r Repo, found: &Manifest, name: &str) -> Vec<&'r Manifest> {
    let is_beside =
        |other: &&Manifest| other.file == found.file && other.object.namespace() == Some(name) && other.is_written();
    repo.manifests.iter().filter(is_beside).collect()
}

/// Refuses to give up a Namespace in which something is.
fn check_empty(scope: &Scope<'_>, found: &Manifest, beside: &[&Manifest], name: &NamespaceName) -> Result<()> {
    let refused = |what: String, hint: String| Err(anyhow!("Namespace `{name}` is not empty: {what}").hint(hint));
    let destined = scope
        .subjects
        .iter()
        .filter(|subject| subject.namespace.as_ref() == Some(name));
    let apps: Vec<String> = destined.map(|subject| format!("`{}`", subject.name)).collect();
    if let Some(first) = apps.first() {
        let hint = format!(
            "remove them first with `kubectl homelab remove-app {}`",
            first.trim_matches('`')
        );
        return refused(format!("Applications are destined to it: {}", apps.join(", ")), hint);
    }
    let claims = scope
        .ownership
        .claims()
        .filter(|(claim, known)| claim.namespace == *name && known.is_held());
    let claims: Vec<_> = claims.collect();
    let owned: Vec<String> = claims
        .iter()
        .filter(|(_, known)| !known.owners.is_empty())
        .map(|(claim, _)| format!("`{}`", claim.name))
        .collect();
    if !owned.is_empty() {
        return refused(
            format!("Applications own claims in it: {}", owned.join(", ")),
            "see them with `kubectl homelab list volumes`, and remove their owners first".to_owned(),
        );
    }
    if let Some((first, _)) = claims.first() {
        let kept: Vec<String> = claims.iter().map(|(claim, _)| format!("`{}`", claim.name)).collect();
        return refused(
            format!("claims are kept in it: {}", kept.join(", ")),
            format!(
                "give each its next owner with `kubectl homelab restore {first} --to APP`; or delete its data by hand (`kubectl homelab release pvc/{0} -n {name}`, `kubectl delete pvc {0} -n {name}`), and take its entry out of `keeps`",
                first.name
            ),
        );
    }
    let is_beside =
        |subject: &Subject<'_>| beside.iter().any(|other| other.file == found.file) && brings(subject, found);
    let in_it = scope.items().find(|(subject, item)| {
        let is_known = item.home.as_ref().is_some_and(|(home, _)| home.file == found.file) && is_beside(subject);
        item.object().namespace() == Some(name.as_str()) && !is_known
    });
    match in_it {
        Some((subject, item)) => refused(
            format!(
                "Application `{}` has {} `{}` in it",
                subject.name,
                item.object().kind(),
                item.object().name()
            ),
            "take that out first".to_owned(),
        ),
        None => Ok(()),
    }
}

fn brings(subject: &Subject<'_>, manifest: &Manifest) -> bool {
    let mut homes = subject.items.iter().filter_map(|item| item.home.as_ref());
    homes.any(|(home, _)| (&home.file, home.document) == (&manifest.file, manifest.document))
}

/// Returns what the cluster does with it.
fn what_becomes_of_it(scope: &Scope<'_>, found: &Manifest, name: &NamespaceName) -> String {
    let clusters = scope
        .subjects
        .iter()
        .filter(|subject| brings(subject, found))
        .map(|subject| &subject.cluster);
    let mut clusters = clusters;
    let is_of_plugin = clusters.any(|cluster| keeper(scope, cluster, name.as_str()).is_some());
    let options = found.object.annotation(SYNC_OPTIONS).unwrap_or_default();
    match is_of_plugin || with_guards(options) == options {
        true => format!(
            "Namespace `{name}` stays in the cluster, since its guards keep it: once this is synced, look what is left with `kubectl get all,pvc -n {name}`, and end it with `kubectl delete namespace {name}`"
        ),
        false => format!(
            "nothing guards Namespace `{name}`: Argo CD deletes it with everything that is left in it, as soon as this is synced with prune"
        ),
    }
}

/// Returns the changes without those of one file that another one removes as a whole.
fn without_doubles(repo: &Repo, changes: ChangeSet) -> Result<ChangeSet> {
    let mut once = ChangeSet::default();
    let documents = changes
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Remove { .. }));
    let mut written: Vec<Change> = Vec::new();
    for change in documents.chain(
        changes
            .changes
            .iter()
            .filter(|change| !matches!(change, Change::Remove { .. })),
    ) {
        if !written.contains(change) {
            written.push(change.clone());
        }
    }
    once.changes = written;
    // The file may go only with all of them.
    let files = repo.file_changes(&once)?;
    let gone = files
        .iter()
        .filter(|file| file.after.is_none() && repo.files.contains_key(&file.path));
    for file in gone {
        for change in repo.kustomizations.without_resource(&file.path)? {
            if !once.changes.contains(&change) {
                once.changes.push(change);
            }
        }
    }
    Ok(once)
}
