//! Namespaces outlive Git, since their deletion takes every claim along; and they carry the ownership registry.

use anyhow::{Result, bail};
use json_patch::PatchOperation;

use super::Law;
use super::claims::{guards, recreated_by};
use super::operations::set_metadata;
use crate::model::Object;
use crate::model::namespace::Registry;

/// Guards and registry of a Namespace; a claim whose name is too long for a label key is left out and said.
///
/// # Errors
/// When Argo CD would delete and create it: as a hook, or by force. (`Replace=true` alone does not.)
pub fn operations(law: &Law, namespace: &Object, notes: &mut Vec<String>) -> Result<Vec<PatchOperation>> {
    if let Some(cause) = recreated_by(namespace).filter(|cause| *cause != "Replace=true") {
        bail!(
            "`{cause}` makes Argo CD delete and create the Namespace with every claim in it; take it off the Namespace"
        );
    }
    let mut annotations = guards(namespace);
    let mut operations = Vec::new();
    if let Some(registries) = &law.registries {
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
