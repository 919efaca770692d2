//! The claims, volumes and storage classes that Applications render, looked up by name; and the pods that mount a claim.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Item, Subject};
use crate::model::claim::is_claim;
use crate::model::claim_use::{VolumeUse, claim_uses};
use crate::model::settings::Flavour;
use crate::model::workload::{CONTAINER_LISTS, mounts};
use crate::model::{ClaimRef, Cluster, PointerBuf, PointerExt};

/// Where an object is: the index of its Application, and its own there.
type At = (usize, usize);

/// What is rendered, by its place.
#[derive(Debug, Default)]
pub(super) struct Storage {
    claims: BTreeMap<ClaimRef, At>,
    /// The PersistentVolumes, by their cluster and name.
    volumes: BTreeMap<(Cluster, String), At>,
    /// The PersistentVolumes of claims that they name.
    by_claim: BTreeMap<ClaimRef, At>,
    classes: BTreeMap<(Cluster, String), At>,
    /// The classes that PersistentVolumes name, by their cluster.
    classes_of_volumes: BTreeSet<(Cluster, String)>,
    /// Whether a ConfigMap gives Rancher's provisioner a file system that all nodes share.
    has_shared_path: bool,
}

/// The provisioner of `local-path`.
const LOCAL_PATH: &str = "rancher.io/local-path";

impl Storage {
    pub(super) fn of(subjects: &[Subject<'_>]) -> Self {
        let mut storage = Self::default();
        for (index, subject) in subjects.iter().enumerate() {
            for (number, item) in subject.items.iter().enumerate() {
                storage.add(subject, item, (index, number));
            }
        }
        storage
    }

    fn add(&mut self, subject: &Subject<'_>, item: &Item<'_>, at: At) {
        let object = item.object();
        let place = || (subject.cluster.clone(), object.name().to_owned());
        if is_claim(object) {
            if let Some(claim) = subject.claim_beside(object, object.name()) {
                self.claims.entry(claim).or_insert(at);
            }
        } else if object.is("", "PersistentVolume") {
            let text = |key: &str| object.at("/spec/claimRef")?.get(key)?.as_str();
            let claim = text("name").zip(text("namespace"));
            if let Some(claim) = claim.and_then(|(name, namespace)| claim_ref(&subject.cluster, namespace, name)) {
                self.by_claim.entry(claim).or_insert(at);
            }
            if let Entry::Vacant(entry) = self.volumes.entry(place()) {
                entry.insert(at);
                let class = object.at("/spec/storageClassName").and_then(Value::as_str);
                let class = class.map(|class| (subject.cluster.clone(), class.to_owned()));
                self.classes_of_volumes.extend(class);
            }
        } else if object.is("storage.k8s.io", "StorageClass") {
            self.classes.entry(place()).or_insert(at);
        } else if object.is("", "ConfigMap") {
            let data = object.at("/data").and_then(Value::as_object).into_iter().flatten();
            let mut texts = data.filter_map(|(_, text)| text.as_str());
            self.has_shared_path |= texts.any(|text| text.contains("sharedFileSystemPath"));
        }
    }

    pub(super) fn claim<'s, 'a>(
        &self,
        subjects: &'s [Subject<'a>],
        claim: &ClaimRef,
    ) -> Option<(&'s Subject<'a>, &'s Item<'a>)> {
        let (subject, item) = *self.claims.get(claim)?;
        Some((&subjects[subject], &subjects[subject].items[item]))
    }

    pub(super) fn volume_of<'s, 'a>(&self, subjects: &'s [Subject<'a>], claim: &ClaimRef) -> Option<&'s Item<'a>> {
        let of_claim = self.by_claim.get(claim).copied();
        let named = || {
            let (_, item) = self.claim(subjects, claim)?;
            let name = item.object().at("/spec/volumeName")?.as_str()?;
            self.volumes.get(&(claim.cluster.clone(), name.to_owned())).copied()
        };
        let (subject, item) = of_claim.or_else(named)?;
        Some(&subjects[subject].items[item])
    }

    pub(super) fn claims_of_volume(&self, subjects: &[Subject<'_>], cluster: &Cluster, name: &str) -> Vec<ClaimRef> {
        let at = self.volumes.get(&(cluster.clone(), name.to_owned()));
        let named_by_it = self.by_claim.iter().filter(|(_, of_claim)| Some(*of_claim) == at);
        let names_it = self.claims.iter().filter(|(claim, (subject, item))| {
            let object = subjects[*subject].items[*item].object();
            let volume = object.at("/spec/volumeName").and_then(Value::as_str);
            claim.cluster == *cluster && volume == Some(name)
        });
        let claims = named_by_it
            .map(|(claim, _)| claim)
            .chain(names_it.map(|(claim, _)| claim));
        claims.cloned().collect()
    }

    pub(super) fn classes<'s>(
        &'s self,
        subjects: &'s [Subject<'_>],
        cluster: &Cluster,
        flavour: Option<Flavour>,
    ) -> Classes<'s> {
        let declared = self.classes.iter().filter(|((of, _), _)| of.may_be(cluster));
        let declared = declared.map(|((_, name), (subject, item))| {
            let object = subjects[*subject].items[*item].object();
            (name.as_str(), object.tree())
        });
        let of_volumes = self.classes_of_volumes.iter().filter(|(of, _)| of.may_be(cluster));
        Classes {
            declared: declared.collect(),
            of_volumes: of_volumes.map(|(_, class)| class.as_str()).collect(),
            flavour,
            has_shared_path: self.has_shared_path,
        }
    }
}

fn claim_ref(cluster: &Cluster, namespace: &str, name: &str) -> Option<ClaimRef> {
    Some(ClaimRef {
        cluster: cluster.clone(),
        namespace: namespace.parse().ok()?,
        name: name.parse().ok()?,
    })
}

/// What is known of the storage classes of a cluster.
#[derive(Debug)]
pub(super) struct Classes<'s> {
    declared: BTreeMap<&'s str, &'s Value>,
    /// Those that PersistentVolumes name: such a class need not exist.
    of_volumes: BTreeSet<&'s str>,
    flavour: Option<Flavour>,
    has_shared_path: bool,
}

impl<'s> Classes<'s> {
    /// Reports whether a class, or a volume of it, is rendered.
    pub(super) fn is_declared(&self, class: &str) -> bool {
        self.declared.contains_key(class) || self.of_volumes.contains(class)
    }

    /// Returns the names of the classes that are rendered.
    pub(super) fn names(&self) -> impl Iterator<Item = &'s str> {
        self.declared.keys().copied()
    }

    /// Reports whether Rancher's provisioner makes the volumes of a class, each in a folder of one node.
    pub(super) fn is_local_path(&self, class: &str) -> bool {
        if self.has_shared_path || self.of_volumes.contains(class) {
            return false;
        }
        match self.declared.get(class) {
            Some(tree) => tree.get("provisioner").and_then(Value::as_str) == Some(LOCAL_PATH),
            None => class == "local-path" || self.flavour.and_then(Flavour::local_path_class) == Some(class),
        }
    }

    /// Reports whether a bound claim of a class can grow; `None` where that is not known. The API server asks the class, whatever
    /// its provisioner does.
    pub(super) fn can_grow(&self, class: &str) -> Option<bool> {
        match self.declared.get(class) {
            Some(tree) => Some(tree.get("allowVolumeExpansion").and_then(Value::as_bool) == Some(true)),
            None => self.is_local_path(class).then_some(false),
        }
    }

    /// Reports whether a class is known to be the one that a claim without a class gets.
    pub(super) fn is_default(&self, class: &str) -> bool {
        const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
        let is_default = |tree: &Value| {
            let annotations = tree.pointer("/metadata/annotations");
            annotations.and_then(|all| all.get(DEFAULT)) == Some(&Value::from("true"))
        };
        let named = self.declared.values().any(|tree| is_default(tree));
        match self.declared.get(class) {
            Some(tree) => is_default(tree),
            None => !named && self.flavour.and_then(Flavour::own_class) == Some(class),
        }
    }
}

/// A pod that mounts a claim.
#[derive(Debug)]
pub(super) struct Mounting<'s, 'a> {
    /// Its Application.
    pub(super) subject: &'s Subject<'a>,
    /// The object that it is of.
    pub(super) item: &'s Item<'a>,
    /// JSON Pointer of the pod spec.
    pub(super) pointer: PointerBuf,
    /// The pod spec.
    pub(super) pod: &'s Value,
    /// The volume.
    pub(super) volume: VolumeUse<'s>,
}

/// Returns the pods of an Application that mount a claim.
pub(super) fn mountings<'s, 'a>(subject: &'s Subject<'a>, claim: &ClaimRef) -> Vec<Mounting<'s, 'a>> {
    let mut found = Vec::new();
    for item in subject.mounting(claim) {
        let uses = claim_uses(item.object());
        for volume in uses.volumes {
            if subject.claim_of(&volume.manifest, volume.claim).as_ref() != Some(claim) {
                continue;
            }
            let pod = uses
                .pods
                .iter()
                .find(|pod| volume.pointer.below(&pod.pointer).is_some());
            let Some((pointer, pod)) = pod.and_then(|pod| Some((&pod.pointer, item.object().at(&pod.pointer)?))) else {
                continue;
            };
            found.push(Mounting {
                subject,
                item,
                pointer: pointer.clone(),
                pod,
                volume,
            });
        }
    }
    found
}

impl<'s> Mounting<'s, '_> {
    /// Returns the containers that mount the volume, with whether they may write it.
    pub(super) fn containers(&self) -> impl Iterator<Item = (&'s Value, bool)> {
        let containers = CONTAINER_LISTS.into_iter().flat_map(|list| {
            let containers = self.pod.get(list).and_then(Value::as_array);
            containers.into_iter().flatten()
        });
        containers.filter_map(|container| {
            let mut own = mounts(container)
                .iter()
                .filter(|mount| mount.get("name").and_then(Value::as_str) == Some(self.volume.name));
            let first = own.next()?;
            let writes = |mount: &Value| mount.get("readOnly").and_then(Value::as_bool) != Some(true);
            let is_written = writes(first) || own.any(writes);
            Some((container, is_written && !self.volume.read_only))
        })
    }

    /// Returns the kind and the name of the object, for a message.
    pub(super) fn workload(&self) -> String {
        self.item.title()
    }
}
