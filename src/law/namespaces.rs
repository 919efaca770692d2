//! Namespaces are kept when they leave Git, since their deletion would delete every claim; they have the ownership
//! registry.

use anyhow::{Result, bail};
use json_patch::PatchOperation;

use super::StorageRules;
use super::claims::{causes, guards};
use super::operations::set_metadata;
use crate::model::Object;
use crate::model::namespace::Registry;

/// Returns the operations that set guards and registry of a Namespace; a claim whose name is too long for a label key
/// is left out, with a note.
///
/// # Errors
/// When Argo CD would delete and create it: as a hook, or by force. (`Replace=true` alone does not.)
pub fn operations(rules: &StorageRules, namespace: &Object, notes: &mut Vec<String>) -> Result<Vec<PatchOperation>> {
    if let Some(cause) = causes(namespace).find(|cause| *cause != "Replace=true") {
        bail!(
            "`{cause}` makes Argo CD delete and create the Namespace with every claim in it; take it off the Namespace"
        );
    }
    let mut annotations = guards(namespace);
    let mut operations = Vec::new();
    if let Some(registries) = &rules.registries {
        let nobody = Registry::default();
        let registry = registries.get(namespace.name()).unwrap_or(&nobody);
        operations.extend(set_metadata(namespace, "labels", &registry.labels()));
        annotations.extend(registry.annotations());
        notes.extend(registry.left_out().map(|claim| {
            format!(
                "claim `{}/{claim}` is not in the registry: its name is too long for a label",
                namespace.name()
            )
        }));
    }
    operations.extend(set_metadata(namespace, "annotations", &annotations));
    Ok(operations)
}
