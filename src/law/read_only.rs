//! Claims of others are mounted read-only, at both levels: at the volume, which binds every container of the pod and
//! keeps the kubelet from changing the files' owner, and at each mount. A place where this cannot be done is refused.

use anyhow::{Result, anyhow, bail};
use json_patch::PatchOperation;
use serde_json::Value;

use super::operations::add;
use super::texts;
use crate::failure::HintExt;
use crate::model::claim_use::{Access, Embedded, PlaceUse, TextUse, claim_uses};
use crate::model::{ClaimName, Object, PointerExt};

/// The ways out where a claim cannot be made read-only.
pub const WAYS_OUT: &str = "add the claim to the parameter `writes` if it has to be written, make it read-only in that \
kind's own way (such as `readOnly: true` beside `claimName`), or change the object with the parameter `patches`";

/// Makes every volume of a claim that may not be written read-only, and every mount of it. Adds an error to `refused` for
/// every other place that names such a claim.
///
/// # Errors
/// When a volume names no claim: an empty name, or a remainder of a template.
pub fn operations(
    object: &Object,
    may_write: impl Fn(&Embedded<'_>, &str) -> bool,
    notes: &mut Vec<String>,
    refused: &mut Vec<anyhow::Error>,
) -> Result<Vec<PatchOperation>> {
    let uses = claim_uses(object);
    let mut operations = Vec::new();
    let mut unchecked = None;
    for volume in &uses.volumes {
        let is_expression = volume.manifest.fills_in(volume.claim);
        if !is_expression && ClaimName::new(volume.claim).is_err() {
            bail!(
                "volume `{}` names the claim `{}`, which is not a valid name of a claim",
                volume.name,
                volume.claim
            );
        }
        if may_write(&volume.manifest, volume.claim) {
            continue;
        }
        if !volume.manifest.keeps_read_only() {
            unchecked = unchecked.or(Some((volume.manifest, volume.claim)));
        }
        if !volume.read_only {
            let source = volume.pointer.child("persistentVolumeClaim");
            operations.push(add(source.child("readOnly"), Value::Bool(true)));
        }
        for mount in volume.mounts.iter().filter(|mount| !mount.read_only) {
            operations.push(add(mount.pointer.child("readOnly"), Value::Bool(true)));
        }
    }
    for place in &uses.places {
        if may_write(&place.manifest, place.claim) {
            continue;
        }
        match place.access {
            Access::Writes => refused.push(refused_at(place)),
            Access::Reads if place.manifest.keeps_read_only() => {}
            Access::Reads => unchecked = unchecked.or(Some((place.manifest, place.claim))),
            Access::Unknown => {}
        }
    }
    for text in uses.texts.iter().filter(|text| text.is_applied) {
        let claims = texts::claims(text);
        for named in &claims.named {
            let manifest = Embedded {
                namespace: named.namespace.as_deref(),
                ..text.manifest
            };
            if named.access == Access::Writes && !may_write(&manifest, &named.claim) {
                refused.push(refused_in_text(text, &named.claim));
            }
        }
        notes.extend(claims.has_expression.then(|| {
            format!(
                "{} `{}` names a claim by an expression in the text `{}`: nobody can check whose it is",
                object.kind(),
                object.name(),
                text.pointer
            )
        }));
    }
    notes.extend(unchecked.map(|(manifest, claim)| {
        format!(
            "{} `{}` mounts claim `{claim}` of another Application, and nobody checked that its CRD keeps `readOnly`: \
             look whether Argo CD shows it as OutOfSync",
            manifest.kind,
            object.name()
        )
    }));
    Ok(operations)
}

/// Returns the error about a text that names a claim of another Application.
fn refused_in_text(text: &TextUse<'_>, claim: &str) -> anyhow::Error {
    anyhow!(
        "the text `{}` names claim `{claim}`, which is neither this Application's nor in `writes`, where it cannot be made \
         read-only",
        text.pointer
    )
    .hint(WAYS_OUT)
}

/// Returns the error about a place that names a claim of another Application and cannot be made read-only.
fn refused_at(place: &PlaceUse<'_>) -> anyhow::Error {
    anyhow!(
        "`{}` names claim `{}`, which is neither this Application's nor in `writes`, where it cannot be made read-only",
        place.pointer,
        place.claim
    )
    .hint(WAYS_OUT)
}
