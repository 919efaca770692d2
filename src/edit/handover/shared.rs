//! Objects that both Applications would render: they would take them from each other with every sync.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::{Object, ObjectRef};

/// One side: the name of the Application, its objects, and the namespace of those without one.
pub(super) type Side<'s> = (&'s str, &'s [Object], &'s str);

/// Refuses two Applications that render one object.
///
/// # Errors
/// Names the objects.
pub(super) fn check(old: Side<'_>, new: Side<'_>) -> Result<()> {
    let both: Vec<String> = references(old)
        .intersection(&references(new))
        .map(|object| format!("`{object}`"))
        .collect();
    if both.is_empty() {
        return Ok(());
    }
    Err(anyhow!(
        "Applications `{}` and `{}` both render {}, and would take it from each other with every sync",
        old.0,
        new.0,
        both.join(", ")
    )
    .hint(format!(
        "give the release of `{0}` another name, as `--release-name {0}`, or rename the Application that is there with `kubectl homelab rename-app`",
        new.0
    )))
}

fn references((_, objects, destination): Side<'_>) -> BTreeSet<ObjectRef> {
    let reference = |object: &Object| {
        let reference = object.reference()?;
        // One of a cluster has no namespace on either side.
        let namespace = reference.namespace.or_else(|| Some(destination.to_owned()));
        Some(ObjectRef { namespace, ..reference })
    };
    objects.iter().filter_map(reference).collect()
}
