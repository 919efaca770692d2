//! Owned claims, and the volumes that are rendered with them, outlive every prune and every deletion of their
//! Application; and what would recreate a claim is refused.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use json_patch::PatchOperation;

use super::Law;
use super::operations::set_metadata;
use super::sync_options::{COMPARE_OPTIONS, IGNORE_EXTRANEOUS, SYNC_OPTIONS, has, with_guards, with_ignore_extraneous};
use crate::model::{AppName, Object};

/// Label: the Application that owns a claim.
pub const OWNER_LABEL: &str = "storage.home.arpa/owner";
/// Label: kor, which looks for unused claims, takes this one for used
/// ([source](https://github.com/yonahd/kor#ignoring-resources)).
pub const KOR_LABEL: &str = "kor/used";
/// Annotation: read by Argo CD when an Application is deleted, not when it prunes.
pub const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// The guards that an object lacks, as `validate` names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// `Prune=false` or `Delete=false`.
    pub prune_or_delete: bool,
    /// `IgnoreExtraneous`.
    pub ignore_extraneous: bool,
}

/// Which guards an object lacks.
pub fn missing(object: &Object) -> Missing {
    let options = object.annotation(SYNC_OPTIONS).unwrap_or_default();
    let first = |key: &str| {
        options
            .split(',')
            .find_map(|entry| entry.trim().strip_prefix(key)?.strip_prefix('='))
    };
    Missing {
        prune_or_delete: first("Prune") != Some("false") || first("Delete") != Some("false"),
        ignore_extraneous: !has(
            object.annotation(COMPARE_OPTIONS).unwrap_or_default(),
            IGNORE_EXTRANEOUS,
        ),
    }
}

/// The annotation that would make Argo CD delete and create an object, if it has one.
pub fn recreated_by(object: &Object) -> Option<&'static str> {
    let options = object.annotation(SYNC_OPTIONS).unwrap_or_default();
    let option = ["Replace=true", "Force=true"]
        .into_iter()
        .find(|option| has(options, option));
    let hook = || {
        ["helm.sh/hook", "argocd.argoproj.io/hook"]
            .into_iter()
            .find(|key| object.annotation(key).is_some())
    };
    option.or_else(hook)
}

/// The annotations that keep an object: merged with those that it has.
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

/// What an owned claim gets.
///
/// # Errors
/// When Argo CD would delete and create it.
pub fn claim(law: &Law, claim: &Object) -> Result<Vec<PatchOperation>> {
    if let Some(cause) = recreated_by(claim) {
        bail!("`{cause}` makes Argo CD delete and create the claim, and its data is gone; take it off the claim");
    }
    Ok(guard(&law.app, claim))
}

/// Guards and labels of a claim or of its volume.
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
