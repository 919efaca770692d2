//! Claims mounted into workloads whose charts do not know them: parameter `mounts`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use base16ct::lower;
use json_patch::PatchOperation;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::operations::{add, append, below};
use super::{ClaimAccess, Placed, StorageRules};
use crate::failure::HintExt;
use crate::model::claim::Mount;
use crate::model::sync::is_hook;
use crate::model::workload::{PodTemplate, pod_templates};
use crate::model::{ClaimName, Object, Pointer, PointerExt};

/// Annotation of a pod template: the container that is meant where none is named
/// ([source](https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container)).
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// Longest name of a volume.
const VOLUME_NAME_MAX: usize = 63;

/// Returns the operations that put every mount into its workload, by the index of the document that they are for.
///
/// # Errors
/// When a workload or container is not there or not the only one, or a path is taken.
pub(crate) fn operations(
    rules: &StorageRules,
    access: &ClaimAccess,
    objects: &mut [Placed],
) -> Result<Vec<(usize, Vec<PatchOperation>)>> {
    let (mut all, mut taken) = (Vec::new(), BTreeMap::new());
    for mount in &rules.mounts {
        let mut one = |objects: &mut [Placed]| -> Result<(usize, Vec<PatchOperation>)> {
            let index = workload(rules, mount, objects)?;
            let (template, container) = template(mount, pods(rules, &objects[index].object))?;
            let place = (
                index,
                template.pointer.clone(),
                container.list,
                container.index,
                mount.path.trim_end_matches('/').to_owned(),
            );
            if let Some(other) = taken.insert(place, mount) {
                bail!("entry `{other}` mounts at the same path of the same container");
            }
            let may_write = access.may_write(rules.destination.as_str(), mount.claim.as_str());
            if !may_write {
                check_kind(&template)?;
            }
            let operations = into(mount, &template, &container, may_write)?;
            // The next entry sees what this one added.
            patch(&mut objects[index].object, &operations)?;
            Ok((index, operations))
        };
        let (index, operations) = one(objects).with_context(|| format!("parameter `mounts`, entry `{mount}`"))?;
        all.push((objects[index].document, below(&objects[index].pointer, operations)));
    }
    Ok(all)
}

fn patch(object: &mut Object, operations: &[PatchOperation]) -> Result<()> {
    let mut tree = std::mem::replace(object, Object::new(Value::Null)).into_tree();
    json_patch::patch(&mut tree, operations).map_err(|error| anyhow!("{error}"))?;
    *object = Object::new(tree);
    Ok(())
}

/// Returns the pod specs of an object that can mount claims of the Application's namespace: a manifest inside the object may be
/// of another one.
fn pods<'o>(rules: &StorageRules, object: &'o Object) -> Vec<PodTemplate<'o>> {
    let is_here = |template: &PodTemplate<'_>| {
        let namespace = template.manifest.namespace;
        namespace.is_none_or(|namespace| namespace == rules.destination.as_str())
    };
    pod_templates(object).into_iter().filter(is_here).collect()
}

/// Returns the index of the workload to mount into: the named one, else the only one that is not a hook.
fn workload(rules: &StorageRules, mount: &Mount, objects: &[Placed]) -> Result<usize> {
    let of_kind = |is_meant: fn(&PodTemplate<'_>) -> bool| -> Vec<usize> {
        let has_one = |placed: &Placed| pods(rules, &placed.object).iter().any(is_meant);
        let placed = objects.iter().enumerate();
        placed
            .filter(|(_, placed)| has_one(placed))
            .map(|(index, _)| index)
            .collect()
    };
    let workloads = of_kind(|_| true);
    let meant: Vec<usize> = match &mount.workload {
        Some(selector) => {
            let named = |index: &usize| {
                let object = &objects[*index].object;
                let is_kind = selector.kind.as_deref().is_none_or(|kind| kind == object.kind());
                object.name() == selector.name && is_kind
            };
            workloads.iter().copied().filter(named).collect()
        }
        None => {
            let is_no_hook = |index: &usize| !is_hook(&objects[*index].object);
            let usual = of_kind(|template| template.is_usual() && template.manifest.keeps_read_only());
            let usual: Vec<usize> = usual.into_iter().filter(is_no_hook).collect();
            // A custom kind is meant where there is nothing else.
            let others = || workloads.iter().copied().filter(is_no_hook).collect();
            if usual.is_empty() { others() } else { usual }
        }
    };
    if let [only] = meant[..] {
        return Ok(only);
    }
    let names = |indices: &mut dyn Iterator<Item = usize>| -> String {
        indices
            .map(|index| format!("{}/{}", objects[index].object.kind(), objects[index].object.name()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let known = names(&mut workloads.iter().copied());
    match (&mount.workload, meant.is_empty(), known.is_empty()) {
        (_, _, true) => bail!(
            "nothing is rendered in namespace `{}` that a claim could be mounted into",
            rules.destination
        ),
        (Some(selector), true, _) => {
            Err(anyhow!("there is no workload `{selector}`; rendered: {known}").hint("name one of these"))
        }
        (None, true, _) => {
            Err(anyhow!("there are only hooks to mount into: {known}").hint("name one with `workload=Kind/NAME`"))
        }
        _ => Err(anyhow!(
            "more than one workload could be meant: {}",
            names(&mut meant.iter().copied())
        )
        .hint("name one with `workload=Kind/NAME`")),
    }
}

struct Container<'o> {
    list: &'static str,
    index: usize,
    tree: &'o Value,
}

impl<'o> Container<'o> {
    /// Returns its name, empty where it has none.
    fn name(&self) -> &'o str {
        self.tree.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Returns the pod spec to mount into and its container: the pod spec that has the named container, else the only one.
///
/// # Errors
/// When it is not clear which is meant.
fn template<'o>(mount: &Mount, templates: Vec<PodTemplate<'o>>) -> Result<(PodTemplate<'o>, Container<'o>)> {
    let names =
        |template: &PodTemplate<'o>| -> Vec<&'o str> { all_containers(template).map(|found| found.name()).collect() };
    let known: Vec<&str> = templates.iter().flat_map(names).collect();
    let is_only = templates.len() == 1;
    let mut meant = templates.into_iter().filter_map(|template| {
        let container = match &mount.container {
            Some(name) => all_containers(&template).find(|found| found.name() == name),
            None => default_container(&template),
        };
        Some((template, container?))
    });
    let (Some((template, container)), None) = (meant.next(), meant.next()) else {
        let known = known.join(", ");
        return Err(match &mount.container {
            Some(name) if known.split(", ").all(|other| other != name) => {
                anyhow!("there is no container `{name}`; the template has {known}").hint("name one of these")
            }
            _ if is_only => anyhow!("the workload has no container"),
            _ => anyhow!("the workload has more than one pod spec, with the containers {known}")
                .hint("name a container that only one of them has with `container=NAME`"),
        });
    };
    Ok((template, container))
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

fn all_containers<'o>(template: &PodTemplate<'o>) -> impl Iterator<Item = Container<'o>> + use<'o> {
    let list = |list: &'static str| {
        let containers = template.containers(list).iter().enumerate();
        containers.map(move |(index, tree)| Container { list, index, tree })
    };
    list("containers").chain(list("initContainers"))
}

/// Returns the template's default container, else the first.
fn default_container<'o>(template: &PodTemplate<'o>) -> Option<Container<'o>> {
    let named = |name: &str| all_containers(template).find(|container| container.name() == name);
    let default = template.annotation(DEFAULT_CONTAINER).and_then(named);
    default.or_else(|| all_containers(template).find(|container| container.list == "containers"))
}

/// Returns the operations for one mount in one container.
fn into(
    mount: &Mount,
    template: &PodTemplate<'_>,
    container: &Container<'_>,
    may_write: bool,
) -> Result<Vec<PatchOperation>> {
    let spec = &template.pointer;
    let existing = template
        .claim_volumes()
        .into_iter()
        .find(|volume| volume.claim == mount.claim.as_str());
    let (name, mut operations) = match existing {
        Some(volume) => (volume.name.to_owned(), Vec::new()),
        None => {
            let name = volume_name(&mount.claim);
            let is_taken = template.claim_templates.contains(&name.as_str());
            if is_taken || template.volumes().iter().any(|volume| volume["name"] == name.as_str()) {
                bail!("the workload already has a volume `{name}`, for something else");
            }
            let mut claim = Map::from_iter([("claimName".to_owned(), json!(mount.claim.as_str()))]);
            if !may_write {
                claim.insert("readOnly".to_owned(), json!(true));
            }
            let volume = json!({"name": name, "persistentVolumeClaim": claim});
            (name, append(template.spec, spec, "volumes", vec![volume]))
        }
    };
    if !is_mounted(mount, container, &name)? {
        let mut entry = Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("mountPath".to_owned(), json!(mount.path)),
        ]);
        if !may_write {
            entry.insert("readOnly".to_owned(), json!(true));
        }
        if let Some(sub_path) = &mount.sub_path {
            entry.insert("subPath".to_owned(), json!(sub_path));
        }
        let pointer = spec.child(container.list).child(container.index);
        operations.extend(append(
            container.tree,
            &pointer,
            "volumeMounts",
            vec![Value::Object(entry)],
        ));
    }
    operations.extend(mount.gid.map(|gid| group(template, spec, gid)).unwrap_or_default());
    Ok(operations)
}

/// Reports whether exactly this mount exists already.
///
/// # Errors
/// When something else is mounted at its path.
fn is_mounted(mount: &Mount, container: &Container<'_>, volume: &str) -> Result<bool> {
    let mounts = container
        .tree
        .get("volumeMounts")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let has_expression = |entry: &Value| entry.get("subPathExpr").is_some_and(|expression| !expression.is_null());
    let same_path = |entry: &&Value| text(entry, "mountPath").trim_end_matches('/') == mount.path.trim_end_matches('/');
    let Some(entry) = mounts.iter().find(same_path) else {
        return Ok(false);
    };
    let same_folder = text(entry, "subPath") == mount.sub_path.as_deref().unwrap_or_default();
    if text(entry, "name") == volume && same_folder && !has_expression(entry) {
        return Ok(true);
    }
    bail!(
        "volume `{}` is already mounted at `{}` in container `{}`",
        text(entry, "name"),
        mount.path,
        text(container.tree, "name")
    )
}

/// Adds a group to the pod, so that its processes can read files that the producer's group may read.
fn group(template: &PodTemplate<'_>, spec: &Pointer, gid: i64) -> Vec<PatchOperation> {
    let context = template
        .spec
        .get("securityContext")
        .filter(|context| context.is_object());
    let pointer = spec.child("securityContext");
    let Some(context) = context else {
        return vec![add(pointer, json!({"supplementalGroups": [gid]}))];
    };
    let groups = context.get("supplementalGroups").and_then(Value::as_array);
    if groups.is_some_and(|groups| groups.iter().any(|group| group.as_i64() == Some(gid))) {
        return Vec::new();
    }
    append(context, &pointer, "supplementalGroups", vec![json!(gid)])
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
