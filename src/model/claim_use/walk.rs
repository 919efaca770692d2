//! The one pass over an object's tree that finds the places that name a claim.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::tables::{self, Layout};
use super::{Access, ClaimUses, Embedded, MountUse, PlaceUse, VolumeUse};
use crate::model::made_claims::claim_templates;
use crate::model::pointer::{AsPointer, PointerBuf, PointerExt};

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

/// The walk over an object's tree: where it is, and what it found.
pub(super) struct Walk<'o> {
    path: Vec<Step<'o>>,
    found: ClaimUses<'o>,
}

impl<'o> Walk<'o> {
    /// Returns what a tree has.
    pub(super) fn over(tree: &'o Value) -> ClaimUses<'o> {
        let mut walk = Self {
            path: Vec::new(),
            found: ClaimUses::default(),
        };
        walk.tree(tree, &Context::default());
        walk.found
    }

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
        // A reference to an object has no metadata, and Kubernetes' own kinds hold no manifests: what seems one there is
        // an unknown field.
        let can_be_inside =
            || map.get("metadata").is_some_and(Value::is_object) && !tables::is_built_in(outer.manifest.group);
        if !self.path.is_empty() && !can_be_inside() {
            return None;
        }
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
            let pointer = base.child(index);
            let source = match &readable {
                None => source(volume),
                Some(disks) => {
                    let written = tables::disk_claim(volume).filter(|_| !disks.contains(name));
                    if let Some((key, claim_key, claim)) = written {
                        self.found.places.push(PlaceUse {
                            manifest: context.manifest,
                            pointer: pointer.child(key).child(claim_key),
                            claim,
                            access: Access::Writes,
                        });
                    }
                    source(volume).filter(|_| written.is_none())
                }
            };
            let Some(source) = source.filter(|_| !context.claim_templates.contains(&name)) else {
                by_name.insert(name, None);
                continue;
            };
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
                Value::String(name) => self.name(map, key, name, context),
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
        let above = self.parent();
        for (key, value) in source {
            self.path.push(Step::Key(key));
            match value {
                Value::String(name) if key.eq_ignore_ascii_case("claimName") => {
                    let reads = is_true(tree, "readOnly") || tables::only_reads(&context.manifest, above);
                    self.place(name, if reads { Access::Reads } else { Access::Writes }, context);
                }
                _ => self.tree(value, context),
            }
            self.path.pop();
        }
    }

    /// Returns the key above the one that the path leads to; empty where there is a list.
    fn parent(&self) -> &'o str {
        match self.path.len().checked_sub(2).map(|at| self.path[at]) {
            Some(Step::Key(parent)) => parent,
            _ => "",
        }
    }

    /// Notes a text that is a claim's name by its key.
    fn name(&mut self, map: &Map<String, Value>, key: &str, name: &'o str, context: &Context<'o, '_>) {
        if tables::is_written(&context.manifest, self.parent(), key, map) {
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

/// Returns the claim's source of a volume; a null is an absent field to Kubernetes.
fn source(volume: &Value) -> Option<&Value> {
    volume.get("persistentVolumeClaim").filter(|source| !source.is_null())
}

fn text<'o>(tree: &'o Value, key: &str) -> &'o str {
    tree.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_true(tree: &Value, key: &str) -> bool {
    tree.get(key).and_then(Value::as_bool) == Some(true)
}
