//! What the rules judge: the repository, and what its Applications bring to the cluster as far as that is known.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::namespace::is_namespace;
use crate::model::ownership::{Claim, Ownership};
use crate::model::{AppName, Availability, ClaimRef, NamespaceName, Object};
use crate::repo::Repo;

use super::subject::{Item, Subject};

/// Namespaces that every cluster has without a manifest.
const BUILT_IN: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// What the rules judge.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The renders by Application; one that is missing was not asked for.
    pub renders: &'a BTreeMap<AppName, Availability<Vec<Object>>>,
    /// The Applications, in file order; those with a name that Kubernetes refuses left out.
    pub subjects: Vec<Subject<'a>>,
    by_name: BTreeMap<AppName, usize>,
    /// Who owns and consumes each claim, from parameters and objects.
    pub ownership: Ownership,
    /// The claims that have an owner, by namespace.
    owned: BTreeMap<NamespaceName, Vec<ClaimRef>>,
    /// The Namespaces that the repository or a render declares.
    pub namespaces: BTreeSet<String>,
    /// The namespaces that Applications lie in, which exist before any of them.
    homes: BTreeSet<&'a str>,
    /// Destination namespaces of Applications of which it is not known what they own.
    unseen: BTreeSet<NamespaceName>,
}

impl<'a> Scope<'a> {
    /// Gathers what is known. An Application that is missing in `renders` was not asked for (`--no-render`): of it, the
    /// parameters are judged, and the manifests where its source is a folder of this repository.
    pub fn new(repo: &'a Repo, renders: &'a BTreeMap<AppName, Availability<Vec<Object>>>) -> Self {
        let mut scope = Self {
            repo,
            renders,
            subjects: Vec::new(),
            by_name: BTreeMap::new(),
            ownership: Ownership::default(),
            owned: BTreeMap::new(),
            namespaces: BTreeSet::new(),
            homes: BTreeSet::new(),
            unseen: BTreeSet::new(),
        };
        for (manifest, app) in repo.applications() {
            let Some(name) = app.app_name() else { continue };
            let render = renders.get(&name);
            let subject = Subject::new(repo, manifest, (app, name), render);
            scope.learn(&subject);
            scope
                .by_name
                .entry(subject.name.clone())
                .or_insert(scope.subjects.len());
            scope.subjects.push(subject);
        }
        let declared = repo.namespaces().map(|manifest| manifest.object.name().to_owned());
        scope.namespaces.extend(declared);
        for (claim, known) in scope.ownership.claims() {
            if !known.owners.is_empty() {
                scope
                    .owned
                    .entry(claim.namespace.clone())
                    .or_default()
                    .push(claim.clone());
            }
        }
        scope
    }

    fn learn(&mut self, subject: &Subject<'a>) {
        let namespace = subject.namespace.as_ref();
        self.homes.extend(subject.app.object().namespace());
        for (_, parameters) in subject.read_sources() {
            if let Some(namespace) = namespace {
                self.ownership.declare(&subject.name, namespace, parameters);
            }
        }
        let objects = subject.items.iter().map(Item::object);
        self.ownership.render(&subject.name, namespace, objects);
        for item in subject.items.iter().filter(|item| is_namespace(item.object())) {
            self.namespaces.insert(item.object().name().to_owned());
        }
        let says_what_it_owns = subject.is_seen || subject.uses_homelab_plugin();
        if let Some(namespace) = namespace.filter(|_| !says_what_it_owns || subject.has_wrong_parameters()) {
            self.unseen.insert(namespace.clone());
        }
    }

    /// The Application of this name; the first in file order where there are two.
    pub fn subject(&self, name: &AppName) -> Option<&Subject<'a>> {
        self.by_name.get(name).map(|index| &self.subjects[*index])
    }

    /// Every object with the Application that brings it.
    pub fn items(&self) -> impl Iterator<Item = (&Subject<'a>, &Item<'a>)> {
        self.subjects
            .iter()
            .flat_map(|subject| subject.items.iter().map(move |item| (subject, item)))
    }

    /// The objects that are as the cluster gets them: those whose source the plugin finishes, and that were not
    /// rendered, left out.
    pub fn finished(&self) -> impl Iterator<Item = (&Subject<'a>, &Item<'a>)> {
        self.items().filter(|(_, item)| item.is_finished)
    }

    /// What is known of a claim.
    pub fn claim(&self, claim: &ClaimRef) -> Cow<'_, Claim> {
        match self.ownership.get(claim) {
            Some(claim) => Cow::Borrowed(claim),
            None => Cow::Owned(Claim::default()),
        }
    }

    /// Whether nobody owns a claim, as far as everything in its namespace is known.
    pub fn is_missing(&self, claim: &ClaimRef) -> bool {
        self.claim(claim).owners.is_empty() && !self.unseen.contains(&claim.namespace)
    }

    /// The namespaces in which a claim of this name has an owner.
    pub fn namesakes(&self, claim: &ClaimRef) -> Vec<NamespaceName> {
        let owned = self.ownership.claims().filter(|(_, known)| !known.owners.is_empty());
        let elsewhere = owned.filter(|(other, _)| other.name == claim.name && other.namespace != claim.namespace);
        elsewhere.map(|(other, _)| other.namespace.clone()).collect()
    }

    /// The claims of a namespace that have an owner: what would be lost with it. The verbs that remove things ask this
    /// too.
    pub fn owned_in(&self, namespace: &str) -> impl Iterator<Item = (&ClaimRef, &Claim)> {
        let claims = self.owned.get(namespace).map_or(&[][..], Vec::as_slice);
        claims
            .iter()
            .filter_map(|claim| Some((claim, self.ownership.get(claim)?)))
    }

    /// Whether a namespace has owned claims and no manifest, in a repository that declares Namespaces: somebody removed
    /// it, or forgot it.
    pub fn loses_claims(&self, namespace: &str) -> bool {
        !self.namespaces.is_empty()
            && !self.namespaces.contains(namespace)
            && !self.is_built_in(namespace)
            && self.owned_in(namespace).next().is_some()
    }

    /// Whether a namespace exists without a manifest: one of Kubernetes' own, or the one that an Application lies in.
    pub fn is_built_in(&self, namespace: &str) -> bool {
        BUILT_IN.contains(&namespace)
            || self
                .subjects
                .iter()
                .any(|s| s.app.object().namespace() == Some(namespace))
    }
}
