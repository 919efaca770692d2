//! Owned claims, and the volumes that are rendered with them, outlive every prune and every deletion of their
//! Application; and what would recreate a claim is refused.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use json_patch::PatchOperation;

use super::StorageRules;
use super::operations::set_metadata;
use super::sync_options::{COMPARE_OPTIONS, SYNC_OPTIONS, has, with_guards, with_ignore_extraneous};
use crate::model::sync::{HELM_HOOK, HOOK, RESOURCE_POLICY};
use crate::model::{AppName, Object};

/// Label: the Application that owns a claim.
pub const OWNER_LABEL: &str = "storage.home.arpa/owner";
/// Label: marks the claim as used for kor, which searches for unused claims
/// ([source](https://github.com/yonahd/kor#ignoring-resources)).
pub const KOR_LABEL: &str = "kor/used";

/// Returns the annotation that would make Argo CD delete and create an object, if it has one.
pub fn recreated_by(object: &Object) -> Option<&'static str> {
    let options = object.annotation(SYNC_OPTIONS).unwrap_or_default();
    let option = ["Force=true", "Replace=true"]
        .into_iter()
        .find(|option| has(options, option));
    let hook = || {
        [HELM_HOOK, HOOK]
            .into_iter()
            .find(|key| object.annotation(key).is_some())
    };
    option.or_else(hook)
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

/// Returns the operations for an owned claim.
///
/// # Errors
/// When Argo CD would delete and create it.
pub fn claim(rules: &StorageRules, claim: &Object) -> Result<Vec<PatchOperation>> {
    if let Some(cause) = recreated_by(claim) {
        bail!("`{cause}` makes Argo CD delete and create the claim, and its data is gone; take it off the claim");
    }
    Ok(guard(&rules.app, claim))
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
