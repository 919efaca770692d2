//! Finds every place of an object that names a claim, and sorts them by whether it can be made read-only.
//!
//! One pass over the object's tree. Pod specs are found by their shape, in any kind: a list `containers` beside
//! `volumes`. Kinds whose volumes stand apart from their containers, and kinds that write a claim which they name by a
//! key of their own, are in the `tables`. A manifest inside another object counts for itself: its kind decides, and its
//! claims are of its namespace.

mod checked;
mod closed_kinds;
mod context;
mod tables;
mod walk;

use super::object::Object;
use super::pointer::PointerBuf;
pub use closed_kinds::is_closed;
use serde_json::Value;
use walk::Walk;

/// Every place of an object that names a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimUses<'o> {
    /// The volumes of pods, which can be made read-only.
    pub volumes: Vec<VolumeUse<'o>>,
    /// All other places.
    pub places: Vec<PlaceUse<'o>>,
    /// The texts that could name a claim, as a part of a manifest would; a parser has to read them.
    pub texts: Vec<TextUse<'o>>,
    /// The volumes of pods that are a directory outside of Kubernetes.
    pub directories: Vec<DirectoryUse<'o>>,
    /// The pod specs: maps with a list `containers`, with or without volumes.
    pub pods: Vec<PodUse<'o>>,
}

/// A pod spec inside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodUse<'o> {
    /// The manifest that the pod spec is of.
    pub manifest: Embedded<'o>,
    /// JSON Pointer of the pod spec.
    pub pointer: PointerBuf,
    /// The names of the manifest's own `volumeClaimTemplates`: its controller puts a volume of each pod's own claim in the
    /// place of every volume of that name
    /// ([source](https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/statefulset/stateful_set_utils.go),
    /// `updateStorage`).
    pub claim_templates: Vec<&'o str>,
}

/// A volume that is an NFS export or a path of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUse<'o> {
    /// The volume.
    pub volume: &'o Value,
    /// The mounts of the volume.
    pub mounts: Vec<MountUse>,
}

/// A text that could name a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextUse<'o> {
    /// The manifest that the text is in.
    pub manifest: Embedded<'o>,
    /// JSON Pointer of the text.
    pub pointer: PointerBuf,
    /// The text.
    pub text: &'o str,
    /// Whether the cluster reads the text as a part of a manifest; otherwise nobody knows what it is for.
    pub is_applied: bool,
}

/// A volume that names a claim, with its mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeUse<'o> {
    /// The manifest that the volume is of.
    pub manifest: Embedded<'o>,
    /// JSON Pointer of the volume.
    pub pointer: PointerBuf,
    /// `name` of the volume.
    pub name: &'o str,
    /// `persistentVolumeClaim.claimName`, as written: it may be empty or a template's left-over.
    pub claim: &'o str,
    /// Whether `persistentVolumeClaim.readOnly` is `true`.
    pub read_only: bool,
    /// The mounts of the volume.
    pub mounts: Vec<MountUse>,
    /// Whether a container uses it as a block device.
    pub has_devices: bool,
    /// Whether it stands apart from its containers, so that its mounts may be anywhere in the object.
    pub is_apart: bool,
}

impl VolumeUse<'_> {
    /// Reports whether the claim can be written.
    pub fn is_written(&self) -> bool {
        let by_unknown = self.is_apart && self.mounts.is_empty();
        !self.read_only && (self.has_devices || by_unknown || self.mounts.iter().any(|mount| !mount.read_only))
    }

    /// Reports whether the claim is read-only at its mounts alone.
    pub fn is_read_only_at_mounts(&self) -> bool {
        !self.read_only && !self.mounts.is_empty() && !self.is_written()
    }
}

/// A mount of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountUse {
    /// JSON Pointer of the mount.
    pub pointer: PointerBuf,
    /// Whether `readOnly` is `true`.
    pub read_only: bool,
}

/// A place that names a claim and is no volume of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceUse<'o> {
    /// The manifest that the place is of.
    pub manifest: Embedded<'o>,
    /// JSON Pointer of the claim's name.
    pub pointer: PointerBuf,
    /// The name, as written.
    pub claim: &'o str,
    /// What is done with the claim.
    pub access: Access,
}

/// What an object may do with a claim that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It writes the claim, or nobody knows: `persistentVolumeClaim.claimName`, or a key of a kind that writes.
    Writes,
    /// `readOnly: true` stands beside the name.
    Reads,
    /// A key `claimName` that may be another thing's name.
    Unknown,
}

/// The nearest manifest around a place: the object itself, or one inside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embedded<'o> {
    /// API group.
    pub group: &'o str,
    /// Kind.
    pub kind: &'o str,
    /// Namespace, where this manifest or one around it says one.
    pub namespace: Option<&'o str>,
}

impl Embedded<'_> {
    /// Reports whether the kind's CRD is known to keep `readOnly` at volumes and mounts.
    pub fn keeps_read_only(&self) -> bool {
        tables::keeps_read_only(self.group, self.kind)
    }

    /// Reports whether the kind is known to give the labels of its pod template to its pods.
    pub fn keeps_labels(&self) -> bool {
        checked::keeps_labels(self.group, self.kind)
    }

    /// Reports whether a claim's name is an expression that the kind's controller fills in: `{{…}}` of Argo Workflows,
    /// `$(…)` of Tekton.
    pub fn fills_in(&self, claim: &str) -> bool {
        let is_workflow = self.group == super::application::GROUP && self.kind.contains("Workflow");
        is_workflow && claim.contains("{{") || self.group == "tekton.dev" && claim.contains("$(")
    }
}

/// Finds every place of an object that names a claim; none in claims and volumes themselves, and in kinds whose content
/// is of no workload of this object.
pub fn claim_uses(object: &Object) -> ClaimUses<'_> {
    Walk::over(object.tree())
}

#[cfg(test)]
mod tests;
