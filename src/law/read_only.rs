//! Claims of others are mounted read-only, at both levels: at the volume, which binds every container of the pod and
//! keeps the kubelet from changing the files' owner, and at each mount.

use anyhow::{Result, bail};
use json_patch::PatchOperation;
use serde_json::Value;

use super::operations::add;
use crate::model::workload::PodTemplate;
use crate::model::{ClaimName, PointerExt};

/// Makes every volume of a claim that may not be written read-only, and every mount of it.
///
/// # Errors
/// When a volume names no claim: an empty name, or a remainder of a template.
pub fn operations(template: &PodTemplate<'_>, may_write: impl Fn(&str) -> bool) -> Result<Vec<PatchOperation>> {
    let spec = template.spec_pointer();
    let mut operations = Vec::new();
    for volume in template.claim_volumes() {
        if ClaimName::new(volume.claim).is_err() {
            bail!(
                "volume `{}` names the claim `{}`, which is not a valid name of a claim",
                volume.name,
                volume.claim
            );
        }
        if may_write(volume.claim) {
            continue;
        }
        if !volume.read_only {
            let source = volume.pointer(&spec).child("persistentVolumeClaim");
            operations.push(add(source.child("readOnly"), Value::Bool(true)));
        }
        for mount in volume.mounts.iter().filter(|mount| !mount.read_only) {
            let entry = mount.pointer(&spec);
            operations.push(add(entry.child("readOnly"), Value::Bool(true)));
        }
    }
    Ok(operations)
}
