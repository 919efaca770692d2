//! The input of the rules: the repository, and the objects that its Applications bring to the cluster as far as they
//! are known.

mod named;
mod rendered;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use crate::law::texts;
use crate::model::namespace::is_namespace;
use crate::model::ownership::{Claim, Ownership};
use crate::model::unknown_value::CheckedValues;
use crate::model::{
    AppName, AppRenders, Application, ClaimName, ClaimRef, Cluster, Clusters, NamespaceName, ObjectRef,
};
use crate::parallel;
use crate::repo::{Manifest, Origin, Repo, RepoPath};

use self::named::Named;
use super::doubt::Doubt;
use super::projects::Projects;
use super::shared_objects::SharedObjects;
use super::storage::Storage;
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
    by_name: HashMap<AppName, usize>,
    /// The owners and consumers of each claim, from parameters and objects.
    pub ownership: Ownership,
    /// The claims that have an owner or are kept, by cluster and namespace.
    owned: HashMap<(Cluster, NamespaceName), Vec<ClaimRef>>,
    /// The claims of a name that have an owner.
    namesakes: HashMap<ClaimName, Vec<ClaimRef>>,
    /// The clusters of each Namespace that the repository or a render declares.
    namespaces: BTreeMap<String, BTreeSet<Cluster>>,
    /// The clusters for which there are such Namespaces.
    clusters_of_namespaces: BTreeSet<Cluster>,
    /// The namespaces of the Application manifests themselves, which exist before any Application is synced.
    own_namespaces: BTreeSet<&'a str>,
    /// What may own claims and is not known.
    doubts: Vec<Doubt>,
    /// The Application that brings each manifest to the cluster, by file and document.
    bringers: OnceLock<BTreeMap<(RepoPath, usize), usize>>,
    /// The sets with an Application whose Namespace only `CreateNamespace=true` makes, by file and document.
    creating_sets: OnceLock<BTreeSet<(RepoPath, usize)>>,
    /// The projects, once somebody has asked.
    projects: OnceLock<Projects>,
    /// The objects that several Applications render.
    shared: OnceLock<SharedObjects>,
    /// The claims, volumes and storage classes that are rendered.
    storage: OnceLock<Storage>,
    /// The Helm values of Applications, held against their charts; those that were not are missing.
    values: BTreeMap<AppName, CheckedValues>,
    /// The earlier state to compare with.
    base: Option<Box<Base<'a>>>,
    /// The time in UTC, as `2026-01-31T12:00:00Z`; rules on times are silent without it.
    pub now: Option<String>,
}

/// An earlier state of the repository.
#[derive(Debug)]
pub struct Base<'a> {
    /// The revision, as the user named it.
    pub revision: &'a str,
    /// What was known then.
    pub scope: Scope<'a>,
}

/// A claim that no known Application owns.
#[derive(Clone, Debug)]
pub struct Missing<'s> {
    /// What may own it nevertheless; it certainly has no owner where there is nothing.
    pub doubts: Vec<Cow<'s, str>>,
    /// The claims of this name in other namespaces and clusters.
    pub namesakes: Vec<&'s ClaimRef>,
}

impl<'a> Scope<'a> {
    /// Gathers what is known. An Application that is missing in `renders` was not asked for (`--no-render`): of it, the
    /// parameters are checked, and the manifests where its source is a folder of this repository.
    pub fn new(repo: &'a Repo, renders: &'a AppRenders) -> Self {
        let clusters = repo.clusters();
        let mut scope = Self {
            repo,
            renders,
            subjects: Vec::new(),
            by_name: HashMap::new(),
            ownership: Ownership::default(),
            owned: HashMap::new(),
            namesakes: HashMap::new(),
            namespaces: BTreeMap::new(),
            clusters_of_namespaces: BTreeSet::new(),
            own_namespaces: BTreeSet::new(),
            doubts: Doubt::of_repository(repo, &clusters),
            bringers: OnceLock::new(),
            creating_sets: OnceLock::new(),
            projects: OnceLock::new(),
            shared: OnceLock::new(),
            storage: OnceLock::new(),
            values: BTreeMap::new(),
            base: None,
            now: None,
        };
        let controller = repo.controller_namespace();
        let subject = |named: &Named<'a>| {
            let app = (
                named.app,
                named.name.clone(),
                repo.cluster(named.manifest, &named.app, &clusters),
            );
            let render = renders.get(&named.name).filter(|_| named.is_first);
            let subject = Subject::new(repo, named.manifest, app, controller, render);
            let ownership = ownership_of(&subject);
            (subject, ownership)
        };
        for (subject, ownership) in parallel::each(&Named::all(repo), subject) {
            scope.ownership.absorb(ownership);
            scope.learn(&subject);
            scope
                .by_name
                .entry(subject.name.clone())
                .or_insert(scope.subjects.len());
            scope.subjects.push(subject);
        }
        scope.learn_rendered_applications(&clusters);
        scope.ownership.settle();
        scope.learn_unknown();
        scope.learn_unsynced_namespaces();
        for claim in scope.ownership.owned() {
            let namesakes = scope.namesakes.entry(claim.name.clone()).or_default();
            namesakes.push(claim.clone());
            let place = (claim.cluster.clone(), claim.namespace.clone());
            scope.owned.entry(place).or_default().push(claim.clone());
        }
        scope
    }

    /// Says what time it is.
    #[must_use]
    pub fn at(self, now: String) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Adds an earlier state of the repository to compare with.
    #[must_use]
    pub fn since(self, base: Base<'a>) -> Self {
        Self {
            base: Some(Box::new(base)),
            ..self
        }
    }

    /// Adds what is known of Helm values.
    #[must_use]
    pub fn with_values(self, values: BTreeMap<AppName, CheckedValues>) -> Self {
        Self { values, ..self }
    }

    /// Returns the Helm values of an Application, held against its chart.
    pub(super) fn values_of(&self, name: &AppName) -> Option<&CheckedValues> {
        self.values.get(name)
    }

    /// Returns the earlier state of the repository, if there is one to compare with.
    pub fn base(&self) -> Option<&Base<'a>> {
        self.base.as_deref()
    }

    fn learn(&mut self, subject: &Subject<'a>) {
        self.own_namespaces.extend(subject.app.object().namespace());
        for item in subject.notable_items().filter(|item| is_namespace(item.object())) {
            self.declare_namespace(&subject.cluster, item.object().name());
        }
    }

    /// Learns of the Applications that others render: what their parameters say, and that their objects are not known.
    fn learn_rendered_applications(&mut self, clusters: &Clusters) {
        let declared: LazyCell<HashSet<&str>, _> =
            LazyCell::new(|| self.repo.applications().map(|(_, app)| app.name()).collect());
        for subject in &self.subjects {
            let rendered = subject.notable_items().filter(|item| item.home.is_none());
            for object in rendered.map(Item::object) {
                self.doubts.extend(Doubt::of_set(object, clusters));
                let app = Application::new(object).filter(|app| !declared.contains(app.name()));
                let Some((app, name)) = app.and_then(|app| Some((app, app.app_name()?))) else {
                    continue;
                };
                self.doubts.extend(Doubt::of_rendered(&app, subject, clusters));
                let destination = app.namespace_name();
                for parameters in app.sources().iter().filter_map(|source| source.parameters().ok()) {
                    self.ownership
                        .declare(&name, (&clusters.of(&app), destination.as_ref()), &parameters);
                }
            }
        }
    }

    /// Learns which Applications may own claims that are not known.
    fn learn_unknown(&mut self) {
        let doubt = |subject: &Subject<'_>| {
            let destination = subject.app.destination_namespace();
            let is_for_applications = subject.cluster.is_local()
                && destination.is_none_or(|namespace| self.own_namespaces.contains(namespace));
            let render = self.renders.get(&subject.name);
            Doubt::of_subject(subject, render, is_for_applications)
        };
        let doubts = parallel::each(&self.subjects, doubt);
        self.doubts.extend(doubts.into_iter().flatten());
    }

    /// Learns of the Namespaces whose manifests no Application syncs: they are for the cluster that Argo CD runs in.
    fn learn_unsynced_namespaces(&mut self) {
        let repo = self.repo;
        for manifest in repo.namespaces() {
            if !self.namespaces.contains_key(manifest.object.name()) {
                self.declare_namespace(&Cluster::Local, manifest.object.name());
            }
        }
    }

    fn declare_namespace(&mut self, cluster: &Cluster, name: &str) {
        let clusters = self.namespaces.entry(name.to_owned()).or_default();
        clusters.insert(cluster.clone());
        self.clusters_of_namespaces.insert(cluster.clone());
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

    /// Returns the Application that brings a manifest to the cluster; the last in file order if there are several.
    pub(super) fn bringer(&self, manifest: &Manifest) -> Option<&Subject<'a>> {
        let bringers = self.bringers.get_or_init(|| {
            let subjects = self.subjects.iter().enumerate();
            let places = |(index, subject): (usize, &Subject<'a>)| -> Vec<_> {
                let homes = subject.items.iter().filter_map(|item| item.home.as_ref());
                homes
                    .map(|(manifest, _)| ((manifest.file.clone(), manifest.document), index))
                    .collect()
            };
            subjects.flat_map(places).collect()
        });
        let index = bringers.get(&(manifest.file.clone(), manifest.document))?;
        self.subjects.get(*index)
    }

    /// Reports whether the set that generates an Application has another one whose Namespace only `CreateNamespace=true` makes:
    /// the template that both have needs it.
    pub(super) fn needs_creation_for_others(&self, subject: &Subject<'_>) -> bool {
        if !matches!(subject.manifest.origin, Origin::Generated(_)) {
            return false;
        }
        let place = |subject: &Subject<'_>| (subject.manifest.file.clone(), subject.manifest.document);
        let needs = |subject: &&Subject<'_>| {
            let namespace = subject.app.destination_namespace();
            matches!(subject.manifest.origin, Origin::Generated(_))
                && subject.app.sync_option("CreateNamespace") == Some("true")
                && namespace.is_some_and(|namespace| !self.declares(&subject.cluster, namespace))
        };
        let sets = || self.subjects.iter().filter(needs).map(place).collect();
        self.creating_sets.get_or_init(sets).contains(&place(subject))
    }

    /// Returns the first object of an Application that another one renders, too, and that one.
    pub(super) fn shared(&self, subject: &Subject<'_>) -> Option<(ObjectRef, &Subject<'a>)> {
        let shared = self.shared.get_or_init(|| SharedObjects::of(&self.subjects));
        let is_other = |index: usize| self.subjects[index].name != subject.name;
        let (object, other) = shared.first(subject, is_other)?;
        Some((object, &self.subjects[other]))
    }

    /// Returns what is known of a claim.
    pub fn claim(&self, claim: &ClaimRef) -> Cow<'_, Claim> {
        match self.ownership.get(claim) {
            Some(claim) => Cow::Borrowed(claim),
            None => Cow::Owned(Claim::default()),
        }
    }

    /// Reports whether an Application owns a claim or it is kept, as far as is known: in its cluster, or in one that may be the same.
    pub fn is_held(&self, claim: &ClaimRef) -> bool {
        self.same_held(claim).next().is_some()
    }

    /// Reports whether a claim is in the registry of its Namespace, as far as is known: in its cluster, or in one that may be the same.
    pub fn is_registered(&self, claim: &ClaimRef) -> bool {
        self.same_held(claim).any(|other| self.claim(other).is_registered())
    }

    /// Returns the claims with an owner, or kept ones, that are a claim, or may be it in a cluster of another name.
    fn same_held<'s>(&'s self, claim: &'s ClaimRef) -> impl Iterator<Item = &'s ClaimRef> {
        let of_name = self.namesakes.get(&claim.name).into_iter().flatten();
        of_name.filter(|other| other.namespace == claim.namespace && other.cluster.may_be(&claim.cluster))
    }

    /// Returns what is known about the owner of a claim that no known Application owns; `None` for one with an owner, and for one
    /// that is kept after its owner is gone.
    pub fn missing(&self, claim: &ClaimRef) -> Option<Missing<'_>> {
        if self.claim(claim).is_held() {
            return None;
        }
        let of_name = self.namesakes.get(&claim.name).into_iter().flatten();
        let (same, namesakes): (Vec<&ClaimRef>, Vec<&ClaimRef>) =
            of_name.partition(|other| other.namespace == claim.namespace && other.cluster.may_be(&claim.cluster));
        let perhaps_same = same.iter().map(|other| {
            let (one, other) = (&claim.cluster, &other.cluster);
            Cow::Owned(format!("the owner in cluster `{other}`, if that is `{one}`"))
        });
        let doubts = self.doubts.iter().filter(|doubt| doubt.is_about(claim));
        Some(Missing {
            doubts: perhaps_same
                .chain(doubts.map(|doubt| Cow::Borrowed(doubt.why.as_str())))
                .collect(),
            namesakes,
        })
    }

    /// Returns the claims of a namespace that have an owner or are kept, and would be lost with it. The commands that remove things
    /// use this as well.
    pub fn owned_in(&self, cluster: &Cluster, namespace: &str) -> impl Iterator<Item = (&ClaimRef, &Claim)> {
        let place = NamespaceName::new(namespace).map(|namespace| (cluster.clone(), namespace));
        let claims = place.ok().and_then(|place| self.owned.get(&place));
        let claims = claims.map_or(&[][..], Vec::as_slice);
        claims
            .iter()
            .filter_map(|claim| Some((claim, self.ownership.get(claim)?)))
    }

    /// Reports whether a manifest or a render declares a Namespace in a cluster.
    pub fn declares(&self, cluster: &Cluster, namespace: &str) -> bool {
        let clusters = self.namespaces.get(namespace).into_iter().flatten();
        clusters.into_iter().any(|other| other.may_be(cluster))
    }

    /// Reports whether a namespace has owned claims and no manifest, in a cluster for which the repository declares
    /// Namespaces: the manifest was removed or forgotten.
    pub fn loses_claims(&self, cluster: &Cluster, namespace: &str) -> bool {
        self.lacks(cluster, namespace) && self.owned_in(cluster, namespace).next().is_some()
    }

    /// Reports whether a namespace has no manifest, in a cluster for which the repository declares Namespaces.
    pub fn lacks(&self, cluster: &Cluster, namespace: &str) -> bool {
        self.clusters_of_namespaces.contains(cluster)
            && !self.declares(cluster, namespace)
            && !self.is_built_in(cluster, namespace)
    }

    /// Reports whether a namespace exists without a manifest: one of Kubernetes' own, or one that contains Application
    /// manifests.
    pub fn is_built_in(&self, cluster: &Cluster, namespace: &str) -> bool {
        BUILT_IN.contains(&namespace) || cluster.is_local() && self.own_namespaces.contains(namespace)
    }
}

/// Returns what the parameters and the objects of an Application say of claims.
fn ownership_of(subject: &Subject<'_>) -> Ownership {
    let mut ownership = Ownership::default();
    let place = (&subject.cluster, subject.namespace.as_ref());
    for (_, parameters) in subject.read_sources() {
        ownership.declare(&subject.name, place, parameters);
    }
    let objects = subject.items.iter().map(Item::object);
    ownership.render(&subject.name, place, objects, &texts::names);
    ownership
}
