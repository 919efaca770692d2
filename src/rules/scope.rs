//! The input of the rules: the repository, and the objects that its Applications bring to the cluster as far as they
//! are known.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::namespace::is_namespace;
use crate::model::ownership::{Claim, Ownership};
use crate::model::{AppName, AppRenders, Application, ClaimName, ClaimRef, NamespaceName};
use crate::parallel;
use crate::repo::{Manifest, Repo};

use super::subject::{Item, Subject};

/// Namespaces that every cluster has without a manifest.
const BUILT_IN: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// The input of the rules.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The renders by Application; those that were not requested are missing.
    pub renders: &'a AppRenders,
    /// The Applications in file order, without those whose name Kubernetes refuses.
    pub subjects: Vec<Subject<'a>>,
    by_name: BTreeMap<AppName, usize>,
    /// The owners and consumers of each claim, from parameters and objects.
    pub ownership: Ownership,
    /// The claims that have an owner, by namespace.
    owned: BTreeMap<NamespaceName, Vec<ClaimRef>>,
    /// The namespaces in which a claim of a name has an owner.
    namesakes: BTreeMap<ClaimName, Vec<NamespaceName>>,
    /// The Namespaces that the repository or a render declares.
    pub namespaces: BTreeSet<String>,
    /// The namespaces of the Application manifests themselves, which exist before any Application is synced.
    own_namespaces: BTreeSet<&'a str>,
    /// Destination namespaces of Applications whose claims are not known.
    unseen: BTreeSet<NamespaceName>,
}

impl<'a> Scope<'a> {
    /// Gathers what is known. An Application that is missing in `renders` was not asked for (`--no-render`): of it, the
    /// parameters are checked, and the manifests where its source is a folder of this repository.
    pub fn new(repo: &'a Repo, renders: &'a AppRenders) -> Self {
        let mut scope = Self {
            repo,
            renders,
            subjects: Vec::new(),
            by_name: BTreeMap::new(),
            ownership: Ownership::default(),
            owned: BTreeMap::new(),
            namesakes: BTreeMap::new(),
            namespaces: BTreeSet::new(),
            own_namespaces: BTreeSet::new(),
            unseen: BTreeSet::new(),
        };
        let applications: Vec<_> = repo.applications().collect();
        let subject = |(manifest, app): &(&'a Manifest, Application<'a>)| {
            let name = app.app_name()?;
            let render = renders.get(&name);
            Some(Subject::new(repo, manifest, (*app, name), render))
        };
        for subject in parallel::each(&applications, subject).into_iter().flatten() {
            scope.learn(&subject);
            scope
                .by_name
                .entry(subject.name.clone())
                .or_insert(scope.subjects.len());
            scope.subjects.push(subject);
        }
        scope.ownership.settle();
        let declared = repo.namespaces().map(|manifest| manifest.object.name().to_owned());
        scope.namespaces.extend(declared);
        for (claim, known) in scope.ownership.claims() {
            if !known.owners.is_empty() {
                scope
                    .namesakes
                    .entry(claim.name.clone())
                    .or_default()
                    .push(claim.namespace.clone());
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
        self.own_namespaces.extend(subject.app.object().namespace());
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

    /// Returns the Application of this name; the first in file order if there are two.
    pub fn subject(&self, name: &AppName) -> Option<&Subject<'a>> {
        self.by_name.get(name).map(|index| &self.subjects[*index])
    }

    /// Returns every object with the Application that brings it.
    pub fn items(&self) -> impl Iterator<Item = (&Subject<'a>, &Item<'a>)> {
        self.subjects
            .iter()
            .flat_map(|subject| subject.items.iter().map(move |item| (subject, item)))
    }

    /// Returns what is known of a claim.
    pub fn claim(&self, claim: &ClaimRef) -> Cow<'_, Claim> {
        match self.ownership.get(claim) {
            Some(claim) => Cow::Borrowed(claim),
            None => Cow::Owned(Claim::default()),
        }
    }

    /// Reports whether a claim has no owner, provided that everything in its namespace is known.
    pub fn is_missing(&self, claim: &ClaimRef) -> bool {
        self.claim(claim).owners.is_empty() && !self.unseen.contains(&claim.namespace)
    }

    /// Returns the namespaces in which a claim of this name has an owner.
    pub fn namesakes(&self, claim: &ClaimRef) -> Vec<NamespaceName> {
        let namespaces = self.namesakes.get(&claim.name).into_iter().flatten();
        namespaces
            .filter(|namespace| **namespace != claim.namespace)
            .cloned()
            .collect()
    }

    /// Returns the claims of a namespace that have an owner and would be lost with it. The commands that remove things
    /// use this as well.
    pub fn owned_in(&self, namespace: &str) -> impl Iterator<Item = (&ClaimRef, &Claim)> {
        let claims = self.owned.get(namespace).map_or(&[][..], Vec::as_slice);
        claims
            .iter()
            .filter_map(|claim| Some((claim, self.ownership.get(claim)?)))
    }

    /// Reports whether a namespace has owned claims and no manifest, in a repository that declares Namespaces: the
    /// manifest was removed or forgotten.
    pub fn loses_claims(&self, namespace: &str) -> bool {
        !self.namespaces.is_empty()
            && !self.namespaces.contains(namespace)
            && !self.is_built_in(namespace)
            && self.owned_in(namespace).next().is_some()
    }

    /// Reports whether a namespace exists without a manifest: one of Kubernetes' own, or one that contains Application
    /// manifests.
    pub fn is_built_in(&self, namespace: &str) -> bool {
        BUILT_IN.contains(&namespace) || self.own_namespaces.contains(namespace)
    }
}
