//! What the entries of `mounts` add to one pod spec: volumes, mounts and groups.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail};
use base16ct::lower;
use json_patch::PatchOperation;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::operations::{add, append};
use super::Container;
use crate::failure::HintExt;
use crate::model::mount::Mount;
use crate::model::workload::PodTemplate;
use crate::model::{ClaimName, PointerExt};

/// Longest name of a volume.
const VOLUME_NAME_MAX: usize = 63;

/// What is added to a pod spec, and what that has already, found by name.
pub(super) struct Additions<'t, 'o> {
    template: &'t PodTemplate<'o>,
    /// The name of the first volume of each claim, of an added one too.
    volume_of: BTreeMap<String, String>,
    /// The names of the volumes, of added ones too.
    names: BTreeSet<String>,
    volumes: Vec<Value>,
    containers: BTreeMap<(&'static str, usize), Mounts<'t, 'o>>,
    groups: BTreeSet<i64>,
    new_groups: Vec<Value>,
}

/// The mounts of one container, by path.
struct Mounts<'t, 'o> {
    container: &'o Value,
    /// The first entry that was there at each path.
    existing: BTreeMap<&'o str, &'o Value>,
    /// The entries of `mounts` by their path.
    taken: BTreeMap<&'t str, &'t Mount>,
    added: Vec<Value>,
}

impl<'t, 'o> Additions<'t, 'o> {
    /// Returns no additions to a pod spec.
    pub(super) fn new(template: &'t PodTemplate<'o>) -> Self {
        let mut volume_of = BTreeMap::new();
        for volume in template.claim_volumes() {
            volume_of
                .entry(volume.claim.to_owned())
                .or_insert_with(|| volume.name.to_owned());
        }
        let named = template.volumes().iter().filter_map(|volume| volume["name"].as_str());
        let groups = template.spec.pointer("/securityContext/supplementalGroups");
        let groups = groups.and_then(Value::as_array).into_iter().flatten();
        Self {
            template,
            volume_of,
            names: named
                .chain(template.claim_templates.iter().copied())
                .map(str::to_owned)
                .collect(),
            volumes: Vec::new(),
            containers: BTreeMap::new(),
            groups: groups.filter_map(Value::as_i64).collect(),
            new_groups: Vec::new(),
        }
    }

    /// Adds one mount in one container.
    ///
    /// # Errors
    /// When something else is mounted at its path, or the kind may not keep that the mount is read-only.
    pub(super) fn take(&mut self, mount: &'t Mount, container: &Container<'o>, may_write: bool) -> Result<()> {
        let place = (container.list, container.index);
        let mounts = self
            .containers
            .entry(place)
            .or_insert_with(|| Mounts::new(container.tree));
        if let Some(other) = mounts.taken.insert(path(&mount.path), mount) {
            bail!("entry `{other}` mounts at the same path of the same container");
        }
        if !may_write {
            check_kind(self.template)?;
        }
        let volume = match self.volume_of.get(mount.claim.as_str()) {
            Some(volume) => volume.clone(),
            None => self.add_volume(&mount.claim, may_write)?,
        };
        let mounts = self.containers.get_mut(&place);
        mounts.map_or(Ok(()), |mounts| mounts.add(mount, &volume, may_write))?;
        let new_group = mount.gid.filter(|gid| self.groups.insert(*gid));
        self.new_groups.extend(new_group.map(|gid| json!(gid)));
        Ok(())
    }

    /// Adds the volume of a claim and returns its name.
    fn add_volume(&mut self, claim: &ClaimName, may_write: bool) -> Result<String> {
        let name = volume_name(claim);
        if !self.names.insert(name.clone()) {
            bail!("the workload already has a volume `{name}`, for something else");
        }
        let mut source = Map::from_iter([("claimName".to_owned(), json!(claim.as_str()))]);
        if !may_write {
            source.insert("readOnly".to_owned(), json!(true));
        }
        self.volumes
            .push(json!({"name": name, "persistentVolumeClaim": source}));
        self.volume_of.insert(claim.as_str().to_owned(), name.clone());
        Ok(name)
    }

    /// Returns the operations for the object.
    pub(super) fn operations(self) -> Vec<PatchOperation> {
        let (tree, spec) = (self.template.spec, &self.template.pointer);
        let mut all = append(tree, spec, "volumes", self.volumes);
        for ((list, index), mounts) in self.containers {
            let pointer = spec.child(list).child(index);
            all.extend(append(mounts.container, &pointer, "volumeMounts", mounts.added));
        }
        if self.new_groups.is_empty() {
            return all;
        }
        // Groups, so that the pod's processes can read files that the producer's group may read.
        let pointer = spec.child("securityContext");
        let context = tree.get("securityContext").filter(|context| context.is_object());
        match context {
            Some(context) => all.extend(append(context, &pointer, "supplementalGroups", self.new_groups)),
            None => all.push(add(pointer, json!({"supplementalGroups": self.new_groups}))),
        }
        all
    }
}

impl<'t, 'o> Mounts<'t, 'o> {
    fn new(container: &'o Value) -> Self {
        let mut existing = BTreeMap::new();
        let mounts = container.get("volumeMounts").and_then(Value::as_array);
        for entry in mounts.into_iter().flatten() {
            existing.entry(path(text(entry, "mountPath"))).or_insert(entry);
        }
        Self {
            container,
            existing,
            taken: BTreeMap::new(),
            added: Vec::new(),
        }
    }

    /// Adds the mount of a volume, unless exactly this one is there.
    ///
    /// # Errors
    /// When something else is mounted at its path.
    fn add(&mut self, mount: &Mount, volume: &str, may_write: bool) -> Result<()> {
        if let Some(entry) = self.existing.get(path(&mount.path)) {
            let same_folder = text(entry, "subPath") == mount.sub_path.as_deref().unwrap_or_default();
            let has_expression = entry.get("subPathExpr").is_some_and(|expression| !expression.is_null());
            if text(entry, "name") == volume && same_folder && !has_expression {
                return Ok(());
            }
            bail!(
                "volume `{}` is already mounted at `{}` in container `{}`",
                text(entry, "name"),
                mount.path,
                text(self.container, "name")
            );
        }
        let mut entry = Map::from_iter([
            ("name".to_owned(), json!(volume)),
            ("mountPath".to_owned(), json!(mount.path)),
        ]);
        if !may_write {
            entry.insert("readOnly".to_owned(), json!(true));
        }
        if let Some(sub_path) = &mount.sub_path {
            entry.insert("subPath".to_owned(), json!(sub_path));
        }
        self.added.push(Value::Object(entry));
        Ok(())
    }
}

/// Checks that the kind keeps that a mount is read-only.
///
/// # Errors
/// When nobody read its CRD.
fn check_kind(template: &PodTemplate<'_>) -> Result<()> {
    if template.manifest.keeps_read_only() {
        return Ok(());
    }
    Err(anyhow!(
        "nobody checked that the CRD of the kind `{}` keeps `readOnly` at volumes and mounts",
        template.manifest.kind
    )
    .hint("name another workload, or add the volume with the parameter `patches`"))
}

/// Returns a path as it is compared: without slashes at its end.
fn path(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn text<'o>(entry: &'o Value, key: &str) -> &'o str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns `homelab-<claim>` with dashes for dots; when that is too long, its beginning and a digest of the claim's
/// name.
fn volume_name(claim: &ClaimName) -> String {
    let name = format!("homelab-{}", claim.as_str().replace('.', "-"));
    if name.len() <= VOLUME_NAME_MAX {
        return name;
    }
    let digest = Sha256::digest(claim.as_str().as_bytes());
    format!(
        "{}-{}",
        &name[..VOLUME_NAME_MAX - 9],
        lower::encode_string(&digest[..4])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_names_fit() {
        assert_eq!(volume_name(&ClaimName::new("a.b").unwrap()), "homelab-a-b");
        let long = volume_name(&ClaimName::new("x".repeat(56)).unwrap());
        assert_eq!(long.len(), 63);
        assert_ne!(long, volume_name(&ClaimName::new("x".repeat(57)).unwrap()));
    }
}
