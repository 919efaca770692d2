//! The one pass over an object's tree that finds the places that name a claim.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::context::{Context, Noted};
use super::tables::{self, Layout};
use super::{Access, ClaimUses, DirectoryUse, Embedded, MountUse, PlaceUse, PodUse, TextUse, VolumeUse};
use crate::model::made_claims::claim_templates;
use crate::model::pointer::{AsPointer, PointerBuf, PointerExt};

#[derive(Clone, Copy)]
enum Step<'o> {
    Key(&'o str),
    Index(usize),
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
        pointer(&self.path)
    }

    fn tree(&mut self, tree: &'o Value, context: &Context<'o, '_>) {
        match tree {
            Value::Object(map) => match self.manifest(tree, map, context) {
                Some(Some(own)) => self.map(map, &own),
                Some(None) => self.config_map(tree),
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

    /// Notes the texts of a ConfigMap, which may be manifests that a program applies; nothing of other kinds.
    fn config_map(&mut self, tree: &'o Value) {
        if (text(tree, "apiVersion"), text(tree, "kind")) != ("v1", "ConfigMap") {
            return;
        }
        let manifest = Embedded {
            kind: "ConfigMap",
            namespace: tree.pointer("/metadata/namespace").and_then(Value::as_str),
            ..Embedded::default()
        };
        let data = tree.get("data").and_then(Value::as_object).into_iter().flatten();
        for (key, value) in data.filter(|(_, value)| value.as_str().is_some_and(tables::mentions_claims)) {
            self.found.texts.push(TextUse {
                manifest,
                pointer: self.pointer().child("data").child(key.as_str()),
                text: value.as_str().unwrap_or_default(),
                is_applied: false,
            });
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
        // The items of a list are manifests of their own.
        if map.get("items").is_some_and(Value::is_array) {
            return None;
        }
        let is_inside = !self.path.is_empty();
        if is_inside && tables::holds_no_manifests(outer.manifest.group, outer.manifest.kind) {
            return None;
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if tables::is_passed_over(group, kind) {
            // A pod spec is none of those kinds, whatever stands beside it.
            return (!is_inside || is_whole(map)).then_some(None);
        }
        // Some kinds say whose copy they make without `metadata`.
        let namespace = tree.pointer("/metadata/namespace").or(map.get("namespace"));
        let namespace = namespace.and_then(Value::as_str);
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
        let has_containers = has_containers(map);
        if has_containers && context.apart.is_none() {
            self.found.pods.push(PodUse {
                manifest: context.manifest,
                pointer: self.pointer(),
                claim_templates: context.claim_templates.clone(),
            });
        }
        match volumes.filter(|_| has_containers || self.has_volumes_of_pods(context)) {
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

    /// Reports whether a list `volumes` is that of a pod, although no containers stand beside it.
    fn has_volumes_of_pods(&self, context: &Context<'o, '_>) -> bool {
        let apart = context.apart.as_ref();
        apart.is_some_and(|(layout, start)| match layout {
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
    ) -> HashMap<&'o str, Noted> {
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
                    // An empty name is an absent field.
                    let written =
                        tables::disk_claim(volume).filter(|(.., claim)| !claim.is_empty() && !disks.contains(name));
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
                by_name.insert(name, self.directory(volume));
                continue;
            };
            by_name.insert(name, Noted::Claim(self.found.volumes.len()));
            self.found.volumes.push(VolumeUse {
                manifest: context.manifest,
                pointer,
                name,
                claim: text(source, "claimName"),
                read_only: is_true(source, "readOnly"),
                mounts: Vec::new(),
                has_devices: false,
                is_apart: !has_containers(map) && !disks,
            });
        }
        by_name
    }

    /// Notes a volume that is a directory outside of Kubernetes.
    fn directory(&mut self, volume: &'o Value) -> Noted {
        if volume.get("nfs").is_none() && volume.get("hostPath").is_none() {
            return Noted::No;
        }
        let mounts = Vec::new();
        self.found.directories.push(DirectoryUse { volume, mounts });
        Noted::Directory(self.found.directories.len() - 1)
    }

    /// Goes through the entries of a map. `has_volumes` says that those of its `volumes` are noted already.
    fn entries(&mut self, map: &'o Map<String, Value>, context: &Context<'o, '_>, has_volumes: bool) {
        for (key, value) in map {
            self.path.push(Step::Key(key));
            match value {
                Value::Array(volumes) if has_volumes && key == "volumes" => self.below_volumes(volumes, context),
                Value::Array(mounts) if key == "volumeMounts" => self.mounts(mounts, context),
                Value::Array(devices) if key == "volumeDevices" => self.devices(devices, context),
                _ if tables::is_claim_source(key) => self.sources(value, context),
                Value::String(text) => self.text(map, key, text, context),
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
                    _ if tables::is_claim_source(key) => self.sources(value, context),
                    _ => self.tree(value, context),
                }
                self.path.pop();
            }
            self.path.pop();
        }
    }

    fn mounts(&mut self, mounts: &'o [Value], context: &Context<'o, '_>) {
        for (index, mount) in mounts.iter().enumerate().filter(|(_, mount)| mount.is_object()) {
            let mounts = match context.volume(text(mount, "name")) {
                Noted::Claim(volume) => &mut self.found.volumes[volume].mounts,
                Noted::Directory(volume) => &mut self.found.directories[volume].mounts,
                Noted::No => continue,
            };
            let pointer = pointer(&self.path).child(index);
            let read_only = is_true(mount, "readOnly");
            mounts.push(MountUse { pointer, read_only });
        }
    }

    fn devices(&mut self, devices: &[Value], context: &Context<'o, '_>) {
        for device in devices {
            if let Noted::Claim(volume) = context.volume(text(device, "name")) {
                self.found.volumes[volume].has_devices = true;
            }
        }
    }

    /// Notes the claims of a `persistentVolumeClaim` that is no volume of a pod: a map, a list of maps, or a name.
    fn sources(&mut self, tree: &'o Value, context: &Context<'o, '_>) {
        match tree {
            Value::Object(source) => self.source(source, context),
            Value::Array(list) => {
                for (index, tree) in list.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.sources(tree, context);
                    self.path.pop();
                }
            }
            Value::String(name) => self.place(name, Access::Unknown, context),
            _ => {}
        }
    }

    fn source(&mut self, source: &'o Map<String, Value>, context: &Context<'o, '_>) {
        let above = self.parent();
        for (key, value) in source {
            self.path.push(Step::Key(key));
            match value {
                Value::String(name) if key.eq_ignore_ascii_case("claimName") => {
                    let reads = reads(source) || tables::only_reads(&context.manifest, above);
                    self.place(name, if reads { Access::Reads } else { Access::Writes }, context);
                }
                _ if tables::is_claim_source(key) => self.sources(value, context),
                _ => self.tree(value, context),
            }
            self.path.pop();
        }
    }

    /// Returns the nearest key above the one that the path leads to.
    fn parent(&self) -> &'o str {
        let above = self.path.split_last().map_or(&[][..], |(_, above)| above);
        let keys = above.iter().rev().filter_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        });
        keys.into_iter().next().unwrap_or_default()
    }

    /// Notes a text that is a claim's name by its key, or that could name one as a manifest does.
    fn text(&mut self, map: &Map<String, Value>, key: &'o str, text: &'o str, context: &Context<'o, '_>) {
        let access = |access: Access| if reads(map) { Access::Reads } else { access };
        if tables::is_written(&context.manifest, self.parent(), key, map) {
            self.place(text, access(Access::Writes), context);
        } else if tables::may_name(key) {
            self.place(text, access(Access::Unknown), context);
        } else if tables::mentions_claims(text) && !tables::is_passed_over_text(&context.manifest, key) {
            self.found.texts.push(TextUse {
                manifest: context.manifest,
                pointer: self.pointer(),
                text,
                is_applied: tables::is_applied(&context.manifest, self.parent(), key),
            });
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

fn pointer(path: &[Step<'_>]) -> PointerBuf {
    let mut pointer = PointerBuf::new();
    for step in path {
        match step {
            Step::Key(key) => pointer.push_back(*key),
            Step::Index(index) => pointer.push_back(*index),
        }
    }
    pointer
}

/// Reports whether a map has a list of containers, as a pod spec has.
fn has_containers(map: &Map<String, Value>) -> bool {
    let is_container = |container: &Value| container.is_object() || container.is_null();
    map.get("containers").is_some_and(|containers| match containers {
        Value::Null => true,
        Value::Array(list) => list.iter().all(is_container),
        _ => false,
    })
}

/// Reports whether a map is a manifest with its own metadata, and no pod spec or pod template.
fn is_whole(map: &Map<String, Value>) -> bool {
    let is_pod = |map: &Map<String, Value>| map.contains_key("containers") || map.contains_key("volumes");
    let spec = map.get("spec").and_then(Value::as_object);
    map.get("metadata").is_some_and(Value::is_object) && !is_pod(map) && !spec.is_some_and(is_pod)
}

/// Returns the claim's source of a volume; a null is an absent field to Kubernetes.
fn source(volume: &Value) -> Option<&Value> {
    volume.get("persistentVolumeClaim").filter(|source| !source.is_null())
}

fn text<'o>(tree: &'o Value, key: &str) -> &'o str {
    tree.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Reports whether `readOnly: true` stands in a map.
fn reads(map: &Map<String, Value>) -> bool {
    map.get("readOnly").and_then(Value::as_bool) == Some(true)
}

fn is_true(tree: &Value, key: &str) -> bool {
    tree.get(key).and_then(Value::as_bool) == Some(true)
}
