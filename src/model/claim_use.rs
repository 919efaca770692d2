//! Finds every place of an object that names a claim, and sorts them by whether it can be made read-only.
//!
//! One pass over the object's tree. Pod specs are found by their shape, in any kind: a list `containers` beside
//! `volumes`. Kinds whose volumes stand apart from their containers, and kinds that write a claim which they name by a
//! key of their own, are in the `tables`. A manifest inside another object counts for itself: its kind decides, and its
//! claims are of its namespace.

mod tables;
mod walk;

use super::object::Object;
use super::pointer::PointerBuf;
use walk::Walk;

/// Every place of an object that names a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimUses<'o> {
    /// The volumes of pods, which can be made read-only.
    pub volumes: Vec<VolumeUse<'o>>,
    /// All other places.
    pub places: Vec<PlaceUse<'o>>,
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

    /// Reports whether the kind's controller fills in expressions (`{{…}}`), also in the names of claims.
    pub fn has_expressions(&self) -> bool {
        self.group == super::application::GROUP && self.kind.contains("Workflow")
    }
}

/// Finds every place of an object that names a claim; none in claims and volumes themselves, and in kinds whose content
/// is of no workload of this object.
pub fn claim_uses(object: &Object) -> ClaimUses<'_> {
    Walk::over(object.tree())
}

#[cfg(test)]
mod tests;
