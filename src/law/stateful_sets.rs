//! StatefulSets: their `volumeClaimTemplates` stay untouched (the API server refuses changes), the claims that
//! they make are their Application's own, and a retention policy that deletes an owned one is refused.

use anyhow::{Result, bail};
use serde_json::Value;

use super::StorageRules;
use crate::model::Object;
use crate::model::workload::deletes_its_claims;

/// Returns the names of the claims of a StatefulSet without their ordinal: they are
/// `<template>-<StatefulSet>-<ordinal>`
/// ([source](https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage)).
pub fn claim_prefixes(object: &Object) -> Vec<String> {
    if !object.is("apps", "StatefulSet") {
        return Vec::new();
    }
    let templates = object
        .at("/spec/volumeClaimTemplates")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let names = templates
        .iter()
        .filter_map(|template| template.pointer("/metadata/name")?.as_str());
    names.map(|name| format!("{name}-{}", object.name())).collect()
}

/// Reports whether a claim's name is a prefix and an ordinal.
pub fn is_numbered(prefix: &str, claim: &str) -> bool {
    let ordinal = claim
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or_default();
    !ordinal.is_empty() && ordinal.bytes().all(|digit| digit.is_ascii_digit())
}

/// Refuses a policy that deletes a claim named in `owns`.
///
/// # Errors
/// When there is one.
pub fn check(rules: &StorageRules, object: &Object) -> Result<()> {
    if object
        .namespace()
        .is_some_and(|namespace| namespace != rules.destination.as_str())
    {
        return Ok(());
    }
    let prefixes = claim_prefixes(object);
    let deletes = deletes_its_claims(object);
    let Some(field) = deletes.first().filter(|_| !prefixes.is_empty()) else {
        return Ok(());
    };
    let owned = rules
        .owns
        .iter()
        .find(|claim| prefixes.iter().any(|prefix| is_numbered(prefix, claim.as_str())));
    if let Some(claim) = owned {
        bail!(
            "`persistentVolumeClaimRetentionPolicy.{field}: Delete` deletes the owned claim `{claim}`; set it to Retain"
        );
    }
    Ok(())
}
