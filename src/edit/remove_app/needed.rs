//! What keeps an Application from being removed: others that it brings, Namespaces in which others live, the lock.

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::namespace::is_namespace;
use crate::repo::Bringer;
use crate::rules::lock_is_current::all_lock_parts;
use crate::rules::{Scope, Subject};

/// Refuses to remove an Application that others need.
///
/// # Errors
/// Names what it brings.
pub(super) fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Result<()> {
    check_children(scope, subject)?;
    check_namespaces(scope, subject)?;
    check_lock(scope, subject)
}

fn check_children(scope: &Scope<'_>, subject: &Subject<'_>) -> Result<()> {
    let name = subject.app.name();
    let tree = scope.repo.tree();
    let is_it = |bringer: &Bringer<'_>| matches!(bringer, Bringer::Application(by) if *by == name);
    let brought = tree.iter().filter(|branch| is_it(&branch.bringer));
    let names: Vec<String> = brought
        .filter(|branch| !branch.manifest.object.is_same_as(subject.app.object()))
        .map(|branch| format!("{} `{}`", branch.manifest.object.kind(), branch.manifest.object.name()))
        .collect();
    let is_unknown = scope
        .repo
        .unknown
        .iter()
        .find(|unknown| unknown.kind == "Application" && unknown.name == name);
    match (names.as_slice(), is_unknown) {
        ([], None) => Ok(()),
        ([], Some(unknown)) => Err(
            anyhow!("what Application `{name}` brings is not known: {}", unknown.why)
                .hint("make that known first: it would go with the Application"),
        ),
        (names, _) => Err(anyhow!(
            "Application `{name}` brings others, which would go with it: {}",
            names.join(", ")
        )
        .hint("remove or move these first")),
    }
}

/// Refuses to remove what renders a Namespace that somebody else needs.
fn check_namespaces(scope: &Scope<'_>, subject: &Subject<'_>) -> Result<()> {
    let objects = subject.items.iter().map(|item| item.object());
    for namespace in objects.filter(|object| is_namespace(object)) {
        let name = namespace.name();
        let is_there = |other: &&Subject<'_>| {
            other.name != subject.name
                && other.cluster.may_be(&subject.cluster)
                && other.app.destination_namespace() == Some(name)
        };
        let mut claims = scope.owned_in(&subject.cluster, name);
        let other = scope
            .subjects
            .iter()
            .find(is_there)
            .map(|other| format!("Application `{}` is in it", other.name));
        let of_claim = || {
            let is_others = |owner: &crate::model::ownership::Claim| !owner.owners.contains(&subject.name);
            let (claim, _) = claims.find(|(_, known)| is_others(known))?;
            Some(format!("claim `{}` is in it", claim.name))
        };
        if let Some(why) = other.or_else(of_claim) {
            return Err(anyhow!(
                "Application `{}` renders Namespace `{name}`, which is needed: {why}",
                subject.name
            )
            .hint("move the manifest of the Namespace to the source of another Application first"));
        }
    }
    Ok(())
}

fn check_lock(scope: &Scope<'_>, subject: &Subject<'_>) -> Result<()> {
    let synced = scope.repo.synced_folders();
    let parts = all_lock_parts(scope.repo);
    let manifests = parts.iter().flat_map(|part| [part.policy, part.binding]).flatten();
    let mut files = manifests.map(|manifest| &manifest.file);
    let is_synced = files.any(|file| synced.readers(file).any(|app| app.name() == subject.app.name()));
    match is_synced {
        true => Err(
            anyhow!("Application `{}` syncs the lock, which would go with it", subject.name)
                .hint("take the lock out with `kubectl homelab lock disable`"),
        ),
        false => Ok(()),
    }
}
