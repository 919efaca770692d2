//! What is known by what is rendered: of storage, as claims, volumes, storage classes, and the pods that mount a claim; and of
//! projects.

use serde_json::json;

use super::Scope;
use crate::model::ownership::Claim;
use crate::model::{AppName, Availability, ClaimRef, Cluster, Object};
use crate::repo::{Unknown, is_looked_for};
use crate::rules::finding::Finding;
use crate::rules::projects::{Projects, Refused};
use crate::rules::storage::{Classes, Mounting, Storage, mountings};
use crate::rules::subject::{Item, Subject};

impl<'a> Scope<'a> {
    /// Returns what the project of an Application refuses of it, where the repository declares that project.
    pub fn refused_by_project(&self, subject: &Subject<'_>) -> Vec<Refused> {
        let projects = self.projects.get_or_init(|| Projects::of(self.repo, &self.subjects));
        projects.refused(self.repo, subject, self.created_namespace(subject).as_ref())
    }

    /// Returns the Namespace that the sync of an Application creates by itself, where nothing else brings it.
    fn created_namespace(&self, subject: &Subject<'_>) -> Option<Object> {
        let namespace = subject.app.destination_namespace()?;
        let is_there = self.declares(&subject.cluster, namespace) || self.is_built_in(&subject.cluster, namespace);
        let creates = subject.app.sync_option("CreateNamespace") == Some("true") && !is_there;
        let tree = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        creates.then(|| Object::new(tree))
    }

    /// Returns the claims, volumes and storage classes that are rendered.
    fn storage(&self) -> &Storage {
        self.storage.get_or_init(|| Storage::of(&self.subjects))
    }

    /// Returns the object of a claim, with the Application that renders it; of several, the first.
    pub fn claim_object(&self, claim: &ClaimRef) -> Option<(&Subject<'a>, &Item<'a>)> {
        self.storage().claim(&self.subjects, claim)
    }

    /// Returns the PersistentVolume that a claim names, or that names the claim.
    pub(in crate::rules) fn volume_of(&self, claim: &ClaimRef) -> Option<&Item<'a>> {
        self.storage().volume_of(&self.subjects, claim)
    }

    /// Returns the claims that a PersistentVolume is for: the one that it names, and those that name it.
    pub(in crate::rules) fn claims_of_volume(&self, subject: &Subject<'_>, volume: &Item<'_>) -> Vec<ClaimRef> {
        let storage = self.storage();
        storage.claims_of_volume(&self.subjects, &subject.cluster, volume.object().name())
    }

    /// Returns what is known of the storage classes of a cluster.
    pub(in crate::rules) fn classes(&self, cluster: &Cluster) -> Classes<'_> {
        self.storage()
            .classes(&self.subjects, cluster, self.repo.settings.flavour)
    }

    /// Reports whether a bound claim of a class can grow in a cluster; `None` where that is not known.
    pub fn can_grow(&self, cluster: &Cluster, class: &str) -> Option<bool> {
        self.classes(cluster).can_grow(class)
    }

    /// Returns the pods that mount a claim, as they are rendered.
    pub(in crate::rules) fn mountings(&self, claim: &ClaimRef) -> Vec<Mounting<'_, 'a>> {
        let apps = self.ownership.get(claim).map(|claim| &claim.users);
        let subjects = apps.into_iter().flatten().filter_map(|app| self.subject(app));
        subjects.flat_map(|subject| mountings(subject, claim)).collect()
    }

    /// Returns what is found in each claim that has consumers; `find` gets the pods that mount it: those of its owners, and the others.
    pub(in crate::rules) fn in_shared_claims<'s>(
        &'s self,
        find: impl Fn(&ClaimRef, &Claim, (&[Mounting<'s, 'a>], &[Mounting<'s, 'a>])) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let claims = self.ownership.claims();
        let shared = claims.filter(|(_, claim)| !claim.consumers.is_empty());
        let found = shared.flat_map(|(reference, claim)| {
            let mountings = self.mountings(reference).into_iter();
            let (own, foreign): (Vec<_>, Vec<_>) =
                mountings.partition(|mounting| claim.owners.contains(&mounting.subject.name));
            find(reference, &claim, (&own, &foreign))
        });
        found.collect()
    }

    /// Returns the Applications that may bring others, and whose renders do not say that there are none.
    pub(in crate::rules) fn unsearched(&self) -> Vec<Unknown> {
        let brings_none = |unknown: &&Unknown| {
            let subject = AppName::new(&unknown.name).ok().and_then(|name| self.subject(&name));
            subject.is_some_and(|subject| {
                let is_rendered = matches!(self.renders.get(&subject.name), Some(Availability::Available(_)));
                is_rendered && !subject.notable_items().any(|item| is_looked_for(item.object()))
            })
        };
        let all = self.repo.unsearched.iter();
        all.filter(|unknown| !brings_none(unknown)).cloned().collect()
    }

    /// Reports whether it is known what every Application brings.
    pub(in crate::rules) fn is_whole(&self) -> bool {
        let unseen = self.subjects.iter().any(|subject| !subject.is_seen);
        !unseen && self.repo.unknown.is_empty() && self.repo.malformed.is_empty() && self.doubts.is_empty()
    }
}
