//! Finds every place of an object that names a claim, and sorts them by whether it can be made read-only.
//!
//! One pass over the object's tree. Pod specs are found by their shape, in any kind: a list `containers` beside
//! `volumes`. Kinds whose volumes stand apart from their containers, and kinds that write a claim which they name by a
//! key of their own, are in the [`tables`]. A manifest inside another object counts for itself: its kind decides, and its
//! claims are of its namespace.

mod tables;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::made_claims::claim_templates;
use super::object::Object;
use super::pointer::{AsPointer, PointerBuf, PointerExt};
use tables::Layout;

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
    let mut walk = Walk {
        path: Vec::new(),
        found: ClaimUses::default(),
    };
    walk.tree(object.tree(), &Context::default());
    walk.found
}

#[derive(Clone, Copy)]
enum Step<'o> {
    Key(&'o str),
    Index(usize),
}

/// What holds for a part of the tree.
#[derive(Default)]
struct Context<'o, 'c> {
    manifest: Embedded<'o>,
    /// The names of the manifest's own `volumeClaimTemplates`, whose volumes the controller replaces.
    claim_templates: Vec<&'o str>,
    /// Where volumes stand apart from their containers: the layout, and how deep in the path that part begins.
    apart: Option<(Layout, PointerBuf)>,
    /// The volumes of the nearest list `volumes`: the index of one that names a claim.
    volumes: HashMap<&'o str, Option<usize>>,
    outer: Option<&'c Context<'o, 'c>>,
}

impl<'o> Context<'o, '_> {
    /// Returns the index of the claim's volume of this name.
    fn volume(&self, name: &str) -> Option<usize> {
        match self.volumes.get(name) {
            Some(index) => *index,
            None => self.outer?.volume(name),
        }
    }
}

struct Walk<'o> {
    path: Vec<Step<'o>>,
    found: ClaimUses<'o>,
}

impl<'o> Walk<'o> {
    fn pointer(&self) -> PointerBuf {
        let mut pointer = PointerBuf::new();
        for step in &self.path {
            match step {
                Step::Key(key) => pointer.push_back(*key),
                Step::Index(index) => pointer.push_back(*index),
            }
        }
        pointer
    }

    fn tree(&mut self, tree: &'o Value, context: &Context<'o, '_>) {
        match tree {
            Value::Object(map) => match self.manifest(tree, map, context) {
                Some(Some(own)) => self.map(map, &own),
                Some(None) => {}
                None => self.map(map, context),
            },
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.tree(value, context);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    /// Returns the context of a map that is a manifest; `Some(None)` where it is passed over, `None` where it is none.
    #[expect(clippy::option_option, reason = "three answers")]
    fn manifest<'c>(
        &self,
        tree: &'o Value,
        map: &'o Map<String, Value>,
        outer: &Context<'o, '_>,
    ) -> Option<Option<Context<'o, 'c>>> {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let (api_version, kind) = (text("apiVersion")?, text("kind")?);
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if tables::is_passed_over(group, kind) {
            return Some(None);
        }
        let namespace = tree.pointer("/metadata/namespace").and_then(Value::as_str);
        let manifest = Embedded {
            group,
            kind,
            namespace: namespace.filter(|name| !name.is_empty()).or(outer.manifest.namespace),
        };
        let apart = tables::apart(group, kind);
        let apart = apart.map(|(pointer, layout)| (layout, self.pointer().concat(pointer.as_pointer())));
        Some(Some(Context {
            manifest,
            claim_templates: claim_templates(group, kind, tree).collect(),
            apart,
            ..Context::default()
        }))
    }

    fn map(&mut self, map: &'o Map<String, Value>, context: &Context<'o, '_>) {
        let volumes = map.get("volumes").and_then(Value::as_array);
        match volumes.filter(|_| self.has_volumes_of_pods(map, context)) {
            Some(volumes) => {
                let volumes = self.volumes(map, volumes, context);
                let inner = Context {
                    manifest: context.manifest,
                    claim_templates: context.claim_templates.clone(),
                    apart: context.apart.clone(),
                    volumes,
                    outer: Some(context),
                };
                self.entries(map, &inner, true);
            }
            None => self.entries(map, context, false),
        }
    }

    /// Reports whether the list `volumes` of a map is that of a pod.
    fn has_volumes_of_pods(&self, map: &Map<String, Value>, context: &Context<'o, '_>) -> bool {
        let is_container = |container: &Value| container.is_object() || container.is_null();
        let has_containers = map.get("containers").is_some_and(|containers| match containers {
            Value::Null => true,
            Value::Array(list) => list.iter().all(is_container),
            _ => false,
        });
        let apart = context.apart.as_ref();
        has_containers
            || apart.is_some_and(|(layout, start)| match layout {
                Layout::Containers => self.pointer().below(start).is_some(),
                Layout::Disks => self.pointer() == *start,
            })
    }

    /// Notes the volumes of a map, and returns them by their names.
    fn volumes(
        &mut self,
        map: &'o Map<String, Value>,
        volumes: &'o [Value],
        context: &Context<'o, '_>,
    ) -> HashMap<&'o str, Option<usize>> {
        let disks = context
            .apart
            .as_ref()
            .is_some_and(|(layout, _)| *layout == Layout::Disks);
        let readable = if disks {
            Some(tables::read_only_disks(map))
        } else {
            None
        };
        let base = self.pointer().child("volumes");
        let mut by_name = HashMap::with_capacity(volumes.len());
        for (index, volume) in volumes.iter().enumerate() {
            let name = text(volume, "name");
            // A null is an absent field to Kubernetes.
            let source = volume.get("persistentVolumeClaim").filter(|source| !source.is_null());
            let Some(source) = source.filter(|_| !context.claim_templates.contains(&name)) else {
                by_name.insert(name, None);
                continue;
            };
            let pointer = base.child(index);
            if readable.as_ref().is_some_and(|disks| !disks.contains(name)) {
                self.found.places.push(PlaceUse {
                    manifest: context.manifest,
                    pointer: pointer.child("persistentVolumeClaim").child("claimName"),
                    claim: text(source, "claimName"),
                    access: Access::Writes,
                });
                continue;
            }
            by_name.insert(name, Some(self.found.volumes.len()));
            self.found.volumes.push(VolumeUse {
                manifest: context.manifest,
                pointer,
                name,
                claim: text(source, "claimName"),
                read_only: is_true(source, "readOnly"),
                mounts: Vec::new(),
            });
        }
        by_name
    }

    /// Goes through the entries of a map. `has_volumes` says that those of its `volumes` are noted already.
    fn entries(&mut self, map: &'o Map<String, Value>, context: &Context<'o, '_>, has_volumes: bool) {
        for (key, value) in map {
            self.path.push(Step::Key(key));
            match value {
                Value::Array(volumes) if has_volumes && key == "volumes" => self.below_volumes(volumes, context),
                Value::Array(mounts) if key == "volumeMounts" => self.mounts(mounts, context),
                Value::Object(source) if key.eq_ignore_ascii_case("persistentVolumeClaim") => {
                    self.source(source, value, context);
                }
                Value::String(name) => self.name(key, name, context),
                _ => self.tree(value, context),
            }
            self.path.pop();
        }
    }

    /// Goes through what else is in volumes, such as a projected or an ephemeral one.
    fn below_volumes(&mut self, volumes: &'o [Value], context: &Context<'o, '_>) {
        for (index, volume) in volumes.iter().enumerate() {
            self.path.push(Step::Index(index));
            for (key, value) in volume.as_object().into_iter().flatten() {
                if key == "persistentVolumeClaim" {
                    continue;
                }
                self.path.push(Step::Key(key));
                match value {
                    Value::Object(source) if key.eq_ignore_ascii_case("persistentVolumeClaim") => {
                        self.source(source, value, context);
                    }
                    _ => self.tree(value, context),
                }
                self.path.pop();
            }
            self.path.pop();
        }
    }

    fn mounts(&mut self, mounts: &'o [Value], context: &Context<'o, '_>) {
        for (index, mount) in mounts.iter().enumerate() {
            if let Some(volume) = context.volume(text(mount, "name")) {
                let pointer = self.pointer().child(index);
                let read_only = is_true(mount, "readOnly");
                self.found.volumes[volume].mounts.push(MountUse { pointer, read_only });
            }
        }
    }

    /// Notes the claim of a `persistentVolumeClaim` that is no volume of a pod.
    fn source(&mut self, source: &'o Map<String, Value>, tree: &'o Value, context: &Context<'o, '_>) {
        for (key, value) in source {
            self.path.push(Step::Key(key));
            match value {
                Value::String(name) if key.eq_ignore_ascii_case("claimName") => {
                    let reads = is_true(tree, "readOnly");
                    self.place(name, if reads { Access::Reads } else { Access::Writes }, context);
                }
                _ => self.tree(value, context),
            }
            self.path.pop();
        }
    }

    /// Notes a text that is a claim's name by its key.
    fn name(&mut self, key: &str, name: &'o str, context: &Context<'o, '_>) {
        let parent = match self.path.len().checked_sub(2).map(|at| self.path[at]) {
            Some(Step::Key(parent)) => parent,
            _ => "",
        };
        if tables::is_written(context.manifest.group, context.manifest.kind, parent, key) {
            self.place(name, Access::Writes, context);
        } else if key == "claimName" {
            self.place(name, Access::Unknown, context);
        }
    }

    fn place(&mut self, claim: &'o str, access: Access, context: &Context<'o, '_>) {
        // An empty name is an absent field.
        if !claim.is_empty() {
            self.found.places.push(PlaceUse {
                manifest: context.manifest,
                pointer: self.pointer(),
                claim,
                access,
            });
        }
    }
}

fn text<'o>(tree: &'o Value, key: &str) -> &'o str {
    tree.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_true(tree: &Value, key: &str) -> bool {
    tree.get(key).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests;
