//! What the lock is in a cluster: read for `lock status`, and for `doctor`.

mod writes;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::cluster::{Attempt, Cluster, Resource, Seen};
use crate::lock::held::{HeldClaim, HeldNamespace, Release, Survey, survey};
use crate::lock::{Part, VERSION_ANNOTATION, WRITES, deletions, policies, refusals, state};
use crate::model::{AppRenders, NamespaceName, Object};
use crate::repo::Repo;
use crate::report::lock::{ClaimRow, HeldRow, LockStatus, PolicyRow, ProofRow, StateRow};
use crate::rules::Scope;
use crate::rules::lock_is_current::all_lock_parts;

/// Reads the state of the lock.
///
/// # Errors
/// When the cluster does not answer, or has no admission policies.
pub(super) fn read(cluster: &Cluster, repo: Option<&Repo>) -> Result<LockStatus> {
    let mut status = LockStatus::default();
    let mut all = |resource| cluster.all(resource, None).map(|what| seen(what, &mut status));
    let (policies, bindings) = (all(Resource::Policies)?, all(Resource::Bindings)?);
    let (namespaces, claims) = (all(Resource::Namespaces)?, all(Resource::Claims)?);
    let counts = seen(cluster.metrics()?, &mut status).map(|text| refusals(&text));
    status.policies = policy_rows(policies.zip(bindings), repo, counts.as_ref());
    let survey = survey(namespaces.as_deref(), claims.as_deref().unwrap_or_default());
    let is_on = |row: &PolicyRow| {
        row.live
            .as_ref()
            .is_some_and(|live| !["missing", "off"].contains(&live.state))
    };
    let on: Vec<bool> = status.policies.iter().map(is_on).collect();
    if on.iter().take(Part::Deletions.policies().len()).any(|is_on| *is_on) {
        status.proofs = proofs(cluster, &survey, &mut status.missing_grants)?;
    }
    let row = status.policies.iter().position(|row| row.name == WRITES);
    if let Some(row) = row {
        writes::read(cluster, namespaces.as_deref(), &survey, &mut status)?;
        if on[row] {
            let proof = writes::tried(cluster, &survey, &mut status.missing_grants)?;
            status.proofs.push(proof);
        }
    }
    let [claims_policy, namespaces_policy] = [0, 1].map(|number| on.get(number) == Some(&true));
    status.held = survey
        .claims
        .iter()
        .map(|claim| claim_row(claim, claims_policy))
        .collect();
    let rows = survey.namespaces.iter();
    status
        .held
        .extend(rows.map(|namespace| namespace_row(namespace, namespaces_policy)));
    if let Some(repo) = repo {
        remark_on_kept(repo, &mut status.held);
    }
    let missing = survey.claims.iter().filter(|claim| claim.is_registered == Some(false));
    status.unregistered = missing.map(claim_of).collect();
    status.open_namespaces = survey.open_namespaces.into_iter().collect();
    Ok(status)
}

/// Returns what may be read; the right that is missing for it is noted.
fn seen<T>(what: Seen<T>, status: &mut LockStatus) -> Option<T> {
    what.map_err(|denied| status.missing_grants.push(denied.grant)).ok()
}

/// Returns the open releases, in the form that commands take.
///
/// # Errors
/// When the cluster does not answer, or claims and Namespaces may not be listed.
pub(super) fn releases(cluster: &Cluster) -> Result<Vec<String>> {
    let all = |resource| -> Result<Vec<Object>> {
        cluster
            .all(resource, None)?
            .map_err(|denied| anyhow::anyhow!(denied.to_string()))
    };
    let survey = survey(Some(&all(Resource::Namespaces)?), &all(Resource::Claims)?);
    let rows = survey.claims.iter().map(|claim| claim_row(claim, false));
    let rows = rows.chain(
        survey
            .namespaces
            .iter()
            .map(|namespace| namespace_row(namespace, false)),
    );
    Ok(rows.filter(|row| row.released).map(|row| row.target()).collect())
}

fn policy_rows(
    live: Option<(Vec<Object>, Vec<Object>)>,
    repo: Option<&Repo>,
    counts: Option<&BTreeMap<&'static str, u64>>,
) -> Vec<PolicyRow> {
    let parts = repo.map(all_lock_parts);
    let version = |object: Option<&Object>| object?.annotation(VERSION_ANNOTATION)?.parse().ok();
    let rows = policies().into_iter().enumerate().map(|(number, expected)| {
        let named = |objects: &[Object]| objects.iter().find(|object| object.name() == expected.name).cloned();
        let live = live.as_ref().map(|(policies, bindings)| {
            let (policy, binding) = (named(policies), named(bindings));
            let state = state(&expected, policy.as_ref(), binding.as_ref());
            StateRow::new(&state, version(policy.as_ref()))
        });
        let part = parts.as_ref().and_then(|parts| parts.get(number));
        let repository =
            part.map(|part| StateRow::new(&part.state(), version(part.policy.map(|policy| &policy.object))));
        PolicyRow {
            name: expected.name.to_owned(),
            live,
            repository,
            refusals: counts.and_then(|counts| counts.get(expected.name).copied()),
        }
    });
    // The second part is chosen by itself: where it is nowhere, there is nothing to say of it.
    let is_there = |row: &Option<StateRow>| row.as_ref().is_some_and(|row| row.state != "missing");
    rows.filter(|row| row.name != WRITES || is_there(&row.live) || is_there(&row.repository))
        .collect()
}

/// Tries to delete a claim and a Namespace that are held; nothing is deleted.
fn proofs(cluster: &Cluster, survey: &Survey, denied: &mut Vec<String>) -> Result<Vec<ProofRow>> {
    let [on_claims, on_namespaces] = deletions();
    let claim = survey.claims.iter().find(|claim| claim.release != Release::Open);
    let claim = claim.map(|claim| (claim_row(claim, true), Resource::Claims));
    let namespace = survey
        .namespaces
        .iter()
        .find(|namespace| namespace.release != Release::Open);
    let namespace = namespace.map(|namespace| (namespace_row(namespace, true), Resource::Namespaces));
    let mut rows = Vec::new();
    for (policy, held) in [(on_claims.name, claim), (on_namespaces.name, namespace)] {
        let Some((row, resource)) = held else {
            rows.push(proof(policy, None, "nothingToTest", None));
            continue;
        };
        let namespace = row.namespace.as_deref().map(NamespaceName::new).transpose()?;
        let attempt = cluster.try_delete(resource, namespace.as_ref(), &row.name)?;
        rows.push(attempted((policy, Some(row.target())), attempt, denied));
    }
    Ok(rows)
}

/// Returns what was tried on an object, and how it ended.
fn attempted((policy, object): (&str, Option<String>), attempt: Attempt, denied: &mut Vec<String>) -> ProofRow {
    let (result, message) = match attempt {
        Attempt::Refused(message) if message.contains(policy) => ("refused", Some(message)),
        Attempt::Refused(message) => ("unknown", Some(message)),
        Attempt::LetThrough => ("letThrough", None),
        Attempt::Gone => ("unknown", None),
        Attempt::Denied(grant) => {
            denied.push(grant.grant);
            ("unknown", None)
        }
    };
    proof(policy, object, result, message)
}

fn proof(policy: &str, object: Option<String>, result: &'static str, message: Option<String>) -> ProofRow {
    ProofRow {
        policy: policy.to_owned(),
        object,
        result,
        message,
    }
}

fn claim_of(claim: &HeldClaim) -> ClaimRow {
    ClaimRow {
        namespace: claim.namespace.clone(),
        name: claim.name.clone(),
        owner: claim.owner.clone(),
    }
}

fn claim_row(claim: &HeldClaim, is_policy_on: bool) -> HeldRow {
    HeldRow {
        kind: "PersistentVolumeClaim",
        namespace: Some(claim.namespace.clone()),
        name: claim.name.clone(),
        owners: vec![claim.owner.clone()],
        refused: is_policy_on && claim.release != Release::Open,
        released: claim.release == Release::Open,
        remark: remark(&claim.release, claim.is_being_deleted),
    }
}

fn namespace_row(namespace: &HeldNamespace, is_policy_on: bool) -> HeldRow {
    HeldRow {
        kind: "Namespace",
        namespace: None,
        name: namespace.name.clone(),
        owners: namespace.owners(),
        refused: is_policy_on && namespace.release != Release::Open,
        released: namespace.release == Release::Open,
        remark: remark(&namespace.release, namespace.is_being_deleted),
    }
}

/// Says of claims that they are kept after their Application is gone.
fn remark_on_kept(repo: &Repo, rows: &mut [HeldRow]) {
    let nothing = AppRenders::new();
    let scope = Scope::new(repo, &nothing);
    let claims = scope.ownership.claims().filter(|(_, claim)| claim.is_only_kept());
    let kept: BTreeSet<(String, String)> = claims
        .map(|(claim, _)| (claim.namespace.to_string(), claim.name.to_string()))
        .collect();
    let is_kept = |row: &&mut HeldRow| {
        let claim = row.namespace.clone().map(|namespace| (namespace, row.name.clone()));
        claim.is_some_and(|claim| kept.contains(&claim))
    };
    for row in rows.iter_mut().filter(is_kept) {
        let remarks = row.remark.take().into_iter();
        let kept = "kept, its Application is gone".to_owned();
        row.remark = Some(remarks.chain([kept]).collect::<Vec<_>>().join(", "));
    }
}

fn remark(release: &Release, is_being_deleted: bool) -> Option<String> {
    let release = match release {
        Release::None => None,
        Release::Open => Some("released".to_owned()),
        Release::Other(name) => Some(format!("its release names `{name}`")),
    };
    let going = is_being_deleted.then(|| "being deleted".to_owned());
    let parts: Vec<String> = release.into_iter().chain(going).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
