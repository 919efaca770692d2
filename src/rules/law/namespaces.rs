//! Namespaces outlive Git, since their deletion takes every claim along; and they carry the ownership registry.

use anyhow::Result;
use json_patch::PatchOperation;

use super::Law;
use super::claims::guards;
use super::operations::set_metadata;
use crate::model::Object;
use crate::model::namespace::Registry;

/// Guards and registry of a Namespace; a claim whose name is too long for a label key is left out and said.
pub fn operations(law: &Law, namespace: &Object, notes: &mut Vec<String>) -> Result<Vec<PatchOperation>> {
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
