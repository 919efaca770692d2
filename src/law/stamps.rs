//! Pod templates that mount a claim say whose they are: a label with the name of their Application, by which the lock knows who
//! writes. Parameter `stamp-app`.

use std::collections::BTreeMap;

use json_patch::PatchOperation;

use super::StorageRules;
use super::operations::{set_metadata, set_metadata_at};
use super::sync_options::{SYNC_OPTIONS, with_recreation};
use crate::model::parameter::Stamp;
use crate::model::sync::is_hook;
use crate::model::workload::{PodTemplate, pod_templates};
use crate::model::writer::APP_LABEL;
use crate::model::{Object, Pointer, PointerBuf};

/// Returns the operations that stamp the templates of an object; a kind that may not hand the label on to its pods is noted.
pub fn operations(rules: &StorageRules, object: &Object, notes: &mut Vec<String>) -> Vec<PatchOperation> {
    if rules.stamp == Stamp::None {
        return Vec::new();
    }
    let wanted = BTreeMap::from([(APP_LABEL.to_owned(), rules.app.to_string())]);
    let templates = pod_templates(object).into_iter().filter(PodTemplate::mounts_a_claim);
    let (mut operations, mut unstamped) = (Vec::new(), None);
    for template in templates {
        match place(&template) {
            Some(place) => operations.extend(set_metadata_at(object, &place, "labels", &wanted)),
            None => unstamped = Some(template.manifest.kind),
        }
    }
    notes.extend(unstamped.map(|kind| {
        format!(
            "{kind} `{}` mounts a claim, and its pods get no label `{APP_LABEL}`: nobody checked that its CRD keeps one; where \
             they write, name their service account in the parameter `writers` of the source of the Namespaces",
            object.name()
        )
    }));
    let is_job = object.is("batch", "Job") && !is_hook(object);
    if rules.stamp == Stamp::RecreatesJobs && is_job && !operations.is_empty() {
        let options = with_recreation(object.annotation(SYNC_OPTIONS).unwrap_or_default());
        let wanted = BTreeMap::from([(SYNC_OPTIONS.to_owned(), options)]);
        operations.extend(set_metadata(object, "annotations", &wanted));
    }
    operations
}

/// Returns the place of a template, which has `metadata` beside its `spec`; nothing where its kind is not known to hand labels on.
fn place(template: &PodTemplate<'_>) -> Option<PointerBuf> {
    let manifest = template.manifest;
    let is_pod = (manifest.group, manifest.kind) == ("", "Pod");
    let parent = template.pointer.parent()?;
    let is_template = !parent.is_root() && parent.back().is_some_and(|key| key.decoded() == "template");
    (manifest.keeps_labels() && (is_pod || is_template)).then(|| Pointer::to_buf(parent))
}
