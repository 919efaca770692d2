//! Owned claims, and the volumes that are rendered with them, outlive every prune and every deletion of their
//! Application; and what would recreate a claim is refused.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use json_patch::{PatchOperation, RemoveOperation};
use serde_json::json;

use super::StorageRules;
use super::operations::set_metadata;
use super::sync_options::{
    COMPARE_OPTIONS, RECREATING, SYNC_OPTIONS, has, with_guards, with_ignore_extraneous, without_guards,
    without_ignore_extraneous, without_recreation,
};
use crate::failure::HintExt;
use crate::model::claim::{OWNER_LABEL, RELEASE};
use crate::model::object::annotation_pointer;
use crate::model::sync::{HELM_HOOK, HOOK, RESOURCE_POLICY};
use crate::model::{AppName, Object};

/// Label: marks the claim as used for kor, which searches for unused claims
/// ([source](https://github.com/yonahd/kor#ignoring-resources)).
pub const KOR_LABEL: &str = "kor/used";

/// Returns the annotation that would make Argo CD delete and create an object, if it has one.
pub fn recreated_by(object: &Object) -> Option<&'static str> {
    causes(object).next()
}

/// Returns the sync options and annotations that would make Argo CD delete and create an object.
pub(super) fn causes(object: &Object) -> impl Iterator<Item = &'static str> {
    let options = object.annotation(SYNC_OPTIONS).unwrap_or_default();
    let options = RECREATING.into_iter().filter(move |option| has(options, option));
    let hooks = [HELM_HOOK, HOOK].into_iter();
    options.chain(hooks.filter(|key| object.annotation(key).is_some()))
}

/// Returns the annotations that keep an object: merged with those that it has.
pub fn guards(object: &Object) -> BTreeMap<String, String> {
    let existing = |key: &str| object.annotation(key).unwrap_or_default();
    BTreeMap::from([
        (SYNC_OPTIONS.to_owned(), with_guards(existing(SYNC_OPTIONS))),
        (
            COMPARE_OPTIONS.to_owned(),
            with_ignore_extraneous(existing(COMPARE_OPTIONS)),
        ),
    ])
}

/// Returns the operations for an owned claim: its guards, or none of them where it is released.
///
/// # Errors
/// When Argo CD would delete and create it, or never apply it.
pub fn claim(rules: &StorageRules, claim: &Object) -> Result<Vec<PatchOperation>> {
    check(claim, "claim")?;
    if is_released(rules, claim) {
        return Ok(release(&rules.app, claim));
    }
    Ok(guard(&rules.app, claim))
}

/// Reports whether the parameter `releases` names a claim.
fn is_released(rules: &StorageRules, claim: &Object) -> bool {
    let destination = rules.destination.as_str();
    let namespace = claim.namespace().unwrap_or(destination);
    let mut named = rules.releases.iter();
    named.any(|path| {
        path.name_in(namespace, destination)
            .is_some_and(|name| name.as_str() == claim.name())
    })
}

/// Returns the operations for a PersistentVolume. Its claim may be one that nobody renders: a StatefulSet's, or an
/// operator's.
///
/// # Errors
/// When Argo CD would delete and create it, or never apply it.
pub fn volume(rules: &StorageRules, volume: &Object) -> Result<Vec<PatchOperation>> {
    check(volume, "volume")?;
    Ok(guard(&rules.app, volume))
}

/// Reports whether Argo CD does not apply an object, because it is a hook of the phase `Skip`.
pub fn is_skipped(object: &Object) -> bool {
    object.annotation(HOOK).is_some_and(|hook| has(hook, "Skip"))
}

/// Refuses an annotation by which Argo CD would delete and create an object, or never apply it.
fn check(object: &Object, what: &str) -> Result<()> {
    let Some(cause) = recreated_by(object) else {
        return Ok(());
    };
    let error = if cause == HOOK && is_skipped(object) {
        anyhow!("`{HOOK}: Skip` keeps Argo CD from applying the {what}, and from pruning it, so that nobody manages it")
    } else {
        anyhow!("`{cause}` makes Argo CD delete and create the {what}, and its data is gone")
    };
    let key = if cause.contains('/') { cause } else { SYNC_OPTIONS };
    let path = annotation_pointer(key);
    let rest = without_recreation(object.annotation(key).unwrap_or_default());
    let operation = if key == SYNC_OPTIONS && !rest.is_empty() {
        json!({"op": "replace", "path": path.as_str(), "value": rest})
    } else {
        json!({"op": "remove", "path": path.as_str()})
    };
    let name = object
        .reference()
        .map(|reference| reference.to_string())
        .unwrap_or_default();
    Err(error.hint(format!(
        "take it off the {what} in the chart, or add to the parameter `patches`: {}",
        json!({name: json!([operation]).to_string()})
    )))
}

/// Returns the operations that take the guards off a claim and let the lock delete it. The label of its owner stays.
fn release(app: &AppName, claim: &Object) -> Vec<PatchOperation> {
    let labels = BTreeMap::from([(OWNER_LABEL.to_owned(), app.to_string())]);
    let mut annotations = BTreeMap::from([(RELEASE.to_owned(), claim.name().to_owned())]);
    let mut removed = Vec::new();
    let of_sync = claim.annotation(SYNC_OPTIONS).map(without_guards);
    let of_comparison = claim.annotation(COMPARE_OPTIONS).map(without_ignore_extraneous);
    for (key, rest) in [(SYNC_OPTIONS, of_sync), (COMPARE_OPTIONS, of_comparison)] {
        match rest {
            None => {}
            Some(rest) if rest.is_empty() => removed.push(key),
            Some(rest) => drop(annotations.insert(key.to_owned(), rest)),
        }
    }
    removed.extend(claim.annotation(RESOURCE_POLICY).map(|_| RESOURCE_POLICY));
    let mut operations = set_metadata(claim, "labels", &labels);
    operations.extend(set_metadata(claim, "annotations", &annotations));
    operations.extend(removed.into_iter().map(|key| {
        PatchOperation::Remove(RemoveOperation {
            path: annotation_pointer(key),
        })
    }));
    operations
}

/// Returns the operations that set guards and labels of a claim or of its volume.
pub fn guard(app: &AppName, object: &Object) -> Vec<PatchOperation> {
    let mut annotations = guards(object);
    annotations.insert(RESOURCE_POLICY.to_owned(), "keep".to_owned());
    let labels = [(OWNER_LABEL, app.as_str()), (KOR_LABEL, "true")];
    let labels = labels
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let mut operations = set_metadata(object, "labels", &labels);
    operations.extend(set_metadata(object, "annotations", &annotations));
    operations
}
