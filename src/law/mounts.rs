//! Claims mounted into workloads whose charts do not know them: parameter `mounts`.

mod additions;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};
use json_patch::PatchOperation;
use serde_json::Value;

use super::operations::below;
use super::{ClaimAccess, Placed, StorageRules};
use crate::failure::HintExt;
use crate::model::Object;
use crate::model::mount::Mount;
use crate::model::sync::is_hook;
use crate::model::workload::{PodTemplate, pod_templates};
use additions::Additions;

/// Annotation of a pod template: the container that is meant where none is named
/// ([source](https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container)).
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Returns the operations that put every mount into its workload, by the index of the document that they are for, and puts
/// them into the objects.
///
/// # Errors
/// When a workload or container is not there or not the only one, or a path is taken.
pub(crate) fn operations(
    rules: &StorageRules,
    access: &ClaimAccess,
    objects: &mut [Placed],
) -> Result<Vec<(usize, Vec<PatchOperation>)>> {
    if rules.mounts.is_empty() {
        return Ok(Vec::new());
    }
    let namespaces: BTreeSet<&str> = rules.mounts.iter().map(|mount| namespace(rules, mount)).collect();
    let namespaces = namespaces.into_iter();
    let workloads: BTreeMap<&str, Workloads<'_>> = namespaces
        .map(|namespace| (namespace, Workloads::new(rules, namespace, objects)))
        .collect();
    let mut additions: BTreeMap<(usize, &str, usize), Additions<'_, '_>> = BTreeMap::new();
    for mount in &rules.mounts {
        let namespace = namespace(rules, mount);
        let mut one = || -> Result<()> {
            let workloads = &workloads[namespace];
            let object = workloads.meant(mount)?;
            let templates = &workloads.templates[object];
            let (index, container) = template(mount, templates)?;
            let may_write = access.may_write(namespace, mount.claim.as_str());
            let added = additions
                .entry((object, namespace, index))
                .or_insert_with(|| Additions::new(&templates[index]));
            added.take(mount, &container, may_write)
        };
        one().with_context(|| format!("parameter `mounts`, entry `{mount}`"))?;
    }
    let additions = additions.into_iter();
    let all: Vec<_> = additions
        .map(|((object, ..), added)| (object, added.operations()))
        .collect();
    let mut placed = Vec::with_capacity(all.len());
    for (index, operations) in all {
        let Placed {
            object,
            document,
            pointer,
        } = &mut objects[index];
        patch(object, &operations)?;
        placed.push((*document, below(pointer, operations)));
    }
    Ok(placed)
}

fn patch(object: &mut Object, operations: &[PatchOperation]) -> Result<()> {
    let mut tree = std::mem::replace(object, Object::new(Value::Null)).into_tree();
    json_patch::patch(&mut tree, operations).map_err(|error| anyhow!("{error}"))?;
    *object = Object::new(tree);
    Ok(())
}

/// Returns the namespace of a mount: of its claim, and of its workload.
fn namespace<'r>(rules: &'r StorageRules, mount: &'r Mount) -> &'r str {
    mount.namespace.as_ref().unwrap_or(&rules.destination).as_str()
}

/// Returns the pod specs of an object that can mount claims of a namespace: a manifest inside the object may be of another one.
fn pods<'o>(rules: &StorageRules, namespace: &str, object: &'o Object) -> Vec<PodTemplate<'o>> {
    let is_there = |template: &PodTemplate<'_>| {
        let own = template.manifest.namespace;
        own.unwrap_or(rules.destination.as_str()) == namespace
    };
    pod_templates(object).into_iter().filter(is_there).collect()
}

/// The objects of a namespace that can be mounted into.
struct Workloads<'o> {
    namespace: &'o str,
    objects: &'o [Placed],
    /// The pod specs of each object.
    templates: Vec<Vec<PodTemplate<'o>>>,
    /// The objects with pod specs.
    all: Vec<usize>,
    by_name: BTreeMap<&'o str, Vec<usize>>,
    /// Those that are meant where no name is given: no hooks, and custom kinds only where there is nothing else.
    unnamed: Vec<usize>,
}

impl<'o> Workloads<'o> {
    fn new(rules: &StorageRules, namespace: &'o str, objects: &'o [Placed]) -> Self {
        let templates = objects.iter().map(|placed| pods(rules, namespace, &placed.object));
        let templates: Vec<_> = templates.collect();
        let all: Vec<usize> = (0..objects.len())
            .filter(|index| !templates[*index].is_empty())
            .collect();
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for index in &all {
            by_name.entry(objects[*index].object.name()).or_default().push(*index);
        }
        let is_no_hook = |index: &usize| !is_hook(&objects[*index].object);
        let others: Vec<usize> = all.iter().copied().filter(is_no_hook).collect();
        let is_usual = |template: &PodTemplate<'_>| template.is_usual() && template.manifest.keeps_read_only();
        let usual = others.iter().copied();
        let usual: Vec<usize> = usual.filter(|index| templates[*index].iter().any(is_usual)).collect();
        Self {
            namespace,
            objects,
            templates,
            all,
            by_name,
            unnamed: if usual.is_empty() { others } else { usual },
        }
    }

    /// Returns the index of the workload to mount into: the named one, else the only one that is not a hook.
    fn meant(&self, mount: &Mount) -> Result<usize> {
        let meant: Vec<usize> = match &mount.workload {
            Some(selector) => {
                let is_kind = |index: &usize| {
                    let kind = self.objects[*index].object.kind();
                    selector.kind.as_deref().is_none_or(|wanted| wanted == kind)
                };
                let named = self.by_name.get(selector.name.as_str()).into_iter().flatten();
                named.copied().filter(is_kind).collect()
            }
            None if self.unnamed.len() == 1 => self.unnamed.clone(),
            None => Vec::new(),
        };
        match meant[..] {
            [only] => Ok(only),
            _ => Err(self.unclear(mount, &meant)),
        }
    }

    /// Returns the error where not one workload is meant; `named` are those of the name that is given.
    fn unclear(&self, mount: &Mount, named: &[usize]) -> anyhow::Error {
        let names = |indices: &[usize]| -> String {
            let objects = indices.iter().map(|index| &self.objects[*index].object);
            let names: Vec<String> = objects
                .map(|object| format!("{}/{}", object.kind(), object.name()))
                .collect();
            names.join(", ")
        };
        let known = names(&self.all);
        let several = |indices: &[usize]| {
            anyhow!("more than one workload could be meant: {}", names(indices))
                .hint("name one with `workload=Kind/NAME` (`mount --workload Kind/NAME`)")
        };
        match &mount.workload {
            _ if self.all.is_empty() => {
                let error = anyhow!(
                    "nothing is rendered in namespace `{}` that a claim could be mounted into",
                    self.namespace
                );
                match &mount.namespace {
                    Some(_) => {
                        error.hint("deploy both Applications to one namespace, or let the source put a workload there")
                    }
                    None => error,
                }
            }
            Some(selector) if named.is_empty() => {
                anyhow!("there is no workload `{selector}`; rendered: {known}").hint("name one of these")
            }
            Some(_) => several(named),
            None if self.unnamed.is_empty() => anyhow!("there are only hooks to mount into: {known}")
                .hint("name one with `workload=Kind/NAME` (`mount --workload Kind/NAME`)"),
            None => several(&self.unnamed),
        }
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

/// Returns the index of the pod spec to mount into and its container: the pod spec that has the named container, else the only
/// one.
///
/// # Errors
/// When it is not clear which is meant.
fn template<'o>(mount: &Mount, templates: &[PodTemplate<'o>]) -> Result<(usize, Container<'o>)> {
    let mut meant = templates.iter().enumerate().filter_map(|(index, template)| {
        let container = match &mount.container {
            Some(name) => all_containers(template).find(|found| found.name() == name),
            None => default_container(template),
        };
        Some((index, container?))
    });
    if let (Some(found), None) = (meant.next(), meant.next()) {
        return Ok(found);
    }
    let known: Vec<&str> = templates
        .iter()
        .flat_map(all_containers)
        .map(|found| found.name())
        .collect();
    let names = known.join(", ");
    Err(match &mount.container {
        Some(name) if known.iter().all(|other| other != name) => {
            anyhow!("there is no container `{name}`; the template has {names}").hint("name one of these")
        }
        _ if templates.len() == 1 => anyhow!("the workload has no container"),
        _ => anyhow!("the workload has more than one pod spec, with the containers {names}")
            .hint("name a container that only one of them has with `container=NAME`"),
    })
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
