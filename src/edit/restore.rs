//! `restore`: a claim whose Application is gone gets its next owner.

use anyhow::{Result, anyhow};
use json_patch::PatchOperation;

use super::parameters::{Target, entries};
use super::{Edit, Renders, RuleGate, fixed_fields, keeps, moves};
use crate::failure::HintExt;
use crate::model::claim_use::claim_uses;
use crate::model::{AppRenders, Availability, ClaimPath, ClaimRef, NamespaceName, Object, Source};
use crate::repo::Repo;
use crate::rules::Scope;

/// A request to give a kept claim an owner.
#[derive(Clone, Debug)]
pub struct Request {
    /// The claim.
    pub claim: ClaimPath,
    /// The Application that owns it from now on.
    pub to: String,
}

/// Gives a kept claim to an Application: into its `owns`, and out of `keeps`.
///
/// # Errors
/// When no such claim is kept, or the Application cannot own it.
pub fn restore(repo: &Repo, renders: &dyn Renders, request: &Request) -> Result<(Edit, RuleGate)> {
    let nothing = AppRenders::new();
    let scope = Scope::new(repo, &nothing);
    let claim = kept(&scope, &request.claim)?;
    let target = Target::new(repo, renders, &request.to)?;
    let subject = scope.subject(&target.name);
    let destination = subject.and_then(|subject| subject.namespace.clone());
    if let Some(subject) = subject.filter(|subject| !subject.cluster.may_be(&claim.cluster)) {
        return Err(anyhow!(
            "claim `{claim}` is in cluster `{}`, and Application `{}` is for cluster `{}`",
            claim.cluster,
            target.name,
            subject.cluster
        )
        .hint("name an Application of the same cluster"));
    }
    let path = ClaimPath::of(&claim, destination.as_ref());
    let changed = target.change(&target.positions(), &|_, source| {
        let mut operations = added(source, &path);
        operations.extend(moves::take_back(source, &claim, destination.as_ref()));
        operations
    })?;
    let use_of_it = unused(&changed.after, &claim, destination.as_ref(), target.name.as_str());
    let forgotten = keeps::forget(repo, renders, &|other| *other == claim)?;
    let others = moves::follow(repo, renders, (&claim, &target.name), &[&target.name])?;
    let (mut edit, mut gate) = target.finish(changed, format!("Give claim {claim} to {}", target.name));
    let (manifest, app) = repo.named_application(&request.to)?;
    fixed_fields::ignore((repo, renders), (manifest, &app), &mut edit);
    forgotten.add_to(&mut edit, &mut gate);
    others.add_to(&mut edit, &mut gate);
    edit.notes.extend(use_of_it);
    Ok((edit, gate))
}

/// Returns the operations that add a claim to `owns` where it is not there yet.
fn added(source: &Source<'_>, path: &ClaimPath) -> Vec<PatchOperation> {
    let owns = source
        .parameters()
        .map(|parameters| parameters.owns)
        .unwrap_or_default();
    match owns.contains(path) {
        true => Vec::new(),
        false => entries::add_to_parameter(source, "owns", std::slice::from_ref(path)),
    }
}

/// Returns the kept claim that is meant.
fn kept(scope: &Scope<'_>, path: &ClaimPath) -> Result<ClaimRef> {
    let all: Vec<ClaimRef> = scope
        .ownership
        .claims()
        .filter(|(_, claim)| !claim.kept_for.is_empty())
        .map(|(reference, _)| reference.clone())
        .collect();
    let is_meant = |claim: &&ClaimRef| {
        claim.name == path.name
            && path
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == claim.namespace)
    };
    let meant: Vec<&ClaimRef> = all.iter().filter(is_meant).collect();
    let names = |claims: &[&ClaimRef]| -> String {
        let names: Vec<String> = claims.iter().map(|claim| format!("`{claim}`")).collect();
        names.join(", ")
    };
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(
            anyhow!("no claim `{path}` is kept: no parameter `keeps` has it").hint(match all.is_empty() {
                true => "see the claims and their owners with `kubectl homelab list volumes`".to_owned(),
                false => format!(
                    "name one of the kept claims: {}",
                    names(&all.iter().collect::<Vec<_>>())
                ),
            }),
        ),
        several => Err(anyhow!("several kept claims have this name: {}", names(several))
            .hint("name it with its namespace, as `NAMESPACE/CLAIM`")),
    }
}

/// Returns a note where nothing of the Application uses the claim.
fn unused(
    after: &Availability<Vec<Object>>,
    claim: &ClaimRef,
    destination: Option<&NamespaceName>,
    app: &str,
) -> Option<String> {
    let Availability::Available(objects) = after else {
        return None;
    };
    let is_here = |namespace: Option<&str>| match namespace {
        Some(namespace) => namespace == claim.namespace.as_str(),
        None => destination == Some(&claim.namespace),
    };
    let uses = |object: &Object| {
        let uses = claim_uses(object);
        let mut named = uses
            .volumes
            .iter()
            .map(|volume| (volume.manifest.namespace, volume.claim));
        named.any(|(namespace, name)| name == claim.name.as_str() && is_here(namespace))
    };
    (!objects.iter().any(uses)).then(|| {
        format!(
            "nothing of `{app}` mounts `{}` yet: set its chart's values so that it does, or use `kubectl homelab mount {} --into {app} --at PATH`",
            claim.name, claim.name
        )
    })
}
