//! The AppProjects that the repository declares, and what they refuse of Applications.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::{Item, Subject};
use crate::model::app_project::{Named, Refusal};
use crate::model::application::GROUP;
use crate::model::cluster_scoped::is_namespaced;
use crate::model::clusters::{self, Destination};
use crate::model::{AppProject, Cluster, Clusters, DeclaredCluster, Object, Pointer, PointerBuf, PointerExt};
use crate::repo::{Manifest, Repo};

/// The projects of a repository, and what belongs to them.
#[derive(Debug, Default)]
pub(super) struct Projects {
    declared: Vec<Declared>,
    /// The names of those that Kustomize may change.
    changed: BTreeSet<String>,
    /// The repositories that are of one project alone: its name, and their address.
    sources: Vec<(String, String)>,
    /// The same of clusters: their server, and a namespace or `*`.
    destinations: Vec<(String, String, String)>,
    clusters: Clusters,
    /// Whether kinds that the repository defines are in a namespace, by group and kind.
    kinds: BTreeMap<(String, String), bool>,
    /// Whether Argo CD adds to projects what others have (`globalProjects`).
    are_merged: bool,
}

#[derive(Debug)]
struct Declared {
    object: Object,
    /// The root whose Argo CD it is in, where there are several.
    instance: Option<String>,
    /// What is changed to change it: a file, or what renders it.
    home: String,
}

/// Something of an Application that its project refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where the Application says it.
    pub pointer: PointerBuf,
    /// What is refused, in a sentence without its end.
    pub what: String,
    /// The next step.
    pub hint: String,
}

impl Projects {
    pub(super) fn of(repo: &Repo, subjects: &[Subject<'_>]) -> Self {
        let mut projects = Self::default();
        let items = || {
            let of = |subject| move |item| (subject, item);
            subjects
                .iter()
                .flat_map(move |subject| subject.items.iter().map(of(subject)))
        };
        for (subject, item) in items() {
            let object = item.object();
            if item.is_final && object.is(GROUP, "AppProject") {
                let home = match &item.home {
                    Some((manifest, _)) => format!("`{}`", manifest.file),
                    None => format!("what `{}` renders", subject.name),
                };
                projects.declare(object, repo.instance(subject.manifest), home);
            }
        }
        let rendered = projects.names();
        for manifest in repo.all_manifests() {
            if manifest.object.is(GROUP, "AppProject") && !rendered.contains(manifest.object.name()) {
                projects.declare_unrendered(repo, manifest);
            }
        }
        if !projects.declared.is_empty() {
            projects.learn(repo, items().map(|(_, item)| item.object()));
        }
        projects
    }

    /// Adds a project that no known render has. What Kustomize makes of one is known where it is a resource and nothing patches
    /// projects.
    fn declare_unrendered(&mut self, repo: &Repo, manifest: &Manifest) {
        if !manifest.is_written() {
            return;
        }
        let file = &manifest.file;
        let is_built = file.folders().any(|folder| repo.kustomizations.is_at(&folder));
        let home = format!("`{file}`");
        self.declare(&manifest.object, repo.instance(manifest), home);
        let is_changed = || repo.is_kustomize_input(file) || repo.kustomizations.mention("AppProject");
        if is_built && is_changed() {
            self.changed.insert(manifest.object.name().to_owned());
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let names = self.declared.iter().map(|known| known.object.name().to_owned());
        names.collect()
    }

    fn declare(&mut self, object: &Object, instance: Option<&str>, home: String) {
        let instance = instance.map(str::to_owned);
        self.declared.push(Declared {
            object: object.clone(),
            instance,
            home,
        });
    }

    /// Learns what else decides what a project permits.
    fn learn<'o>(&mut self, repo: &'o Repo, rendered: impl Iterator<Item = &'o Object>) {
        self.clusters = repo.clusters();
        for object in rendered.chain(repo.all_manifests().map(|manifest| &manifest.object)) {
            if object.is("", "ConfigMap") && object.name() == "argocd-cm" {
                self.are_merged |= object.at("/data/globalProjects").is_some();
            } else if object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
                self.learn_kind(object);
            } else if object.is("", "Secret") {
                self.learn_secret(object);
            }
        }
        for cluster in &repo.settings.clusters {
            self.learn_secret(&DeclaredCluster::secret(cluster));
        }
    }

    fn learn_kind(&mut self, definition: &Object) {
        let text = |pointer: &'static str| Some(definition.at(pointer)?.as_str()?.to_owned());
        let kind = text("/spec/group").zip(text("/spec/names/kind"));
        if let Some((kind, scope)) = kind.zip(text("/spec/scope")) {
            self.kinds.insert(kind, scope == "Namespaced");
        }
    }

    fn learn_secret(&mut self, secret: &Object) {
        let field = |name: &str| clusters::field(secret, name);
        let Some(project) = field("project") else {
            return;
        };
        match secret.label(clusters::SECRET_TYPE) {
            Some("repository") => self.sources.extend(field("url").map(|url| (project, url))),
            Some("cluster") => {
                let namespaces = field("namespaces").unwrap_or_else(|| "*".to_owned());
                let namespaces = namespaces.split(',').map(str::trim).map(str::to_owned);
                let server = field("server").unwrap_or_default();
                self.destinations
                    .extend(namespaces.map(|namespace| (project.clone(), server.clone(), namespace)));
            }
            _ => {}
        }
    }

    /// Returns the project of an Application, and what is changed to change it; `None` where that is not known.
    fn project(&self, repo: &Repo, subject: &Subject<'_>) -> Option<(AppProject<'_>, &str)> {
        let instance = repo.instance(subject.manifest);
        let is_it = |known: &&Declared| {
            let is_of_instance =
                known.instance.is_none() || instance.is_none() || known.instance.as_deref() == instance;
            known.object.name() == subject.app.project() && is_of_instance
        };
        let mut known = self.declared.iter().filter(is_it);
        let is_known = !self.are_merged && !self.changed.contains(subject.app.project());
        let first = known.next().filter(|_| is_known)?;
        if known.any(|other| other.object.at("/spec") != first.object.at("/spec")) {
            return None;
        }
        let mut project = AppProject::new(&first.object)?;
        let name = project.name();
        for (_, url) in self.sources.iter().filter(|(of, _)| of == name) {
            project.add_source(url);
        }
        for (_, server, namespace) in self.destinations.iter().filter(|(of, ..)| of == name) {
            project.add_destination(server, namespace);
        }
        Some((project, &first.home))
    }

    /// Reports whether an object is of a kind that is in a namespace; `None` where that is not known.
    fn is_namespaced(&self, object: &Object) -> Option<bool> {
        let defined = || self.kinds.get(&(object.group().to_owned(), object.kind().to_owned()));
        is_namespaced(object).or_else(|| defined().copied())
    }

    /// Returns what the project of an Application refuses of it, and of the Namespace that its sync creates by itself.
    pub(super) fn refused(&self, repo: &Repo, subject: &Subject<'_>, created: Option<&Object>) -> Vec<Refused> {
        let Some((project, home)) = self.project(repo, subject) else {
            return Vec::new();
        };
        let asked = Asked { project, home, subject };
        let destination = self.clusters.destination(&subject.app);
        let mut refused: Vec<Refused> = asked.sources();
        refused.extend(asked.namespace(repo.controller_namespace()));
        if let Some(destination) = &destination {
            refused.extend(asked.destination(destination));
            refused.extend(asked.namespaces(self, destination));
        }
        refused.extend(asked.kinds(self, created));
        refused
    }
}

/// What is asked of one project.
struct Asked<'p> {
    project: AppProject<'p>,
    home: &'p str,
    subject: &'p Subject<'p>,
}

const PROJECT: &Pointer = Pointer::from_static("/spec/project");
const DESTINATION: &Pointer = Pointer::from_static("/spec/destination");

impl Asked<'_> {
    /// Returns what is refused, with the way out: an entry for a list of the project, or one that goes.
    fn refused(&self, pointer: &Pointer, what: &str, refusal: &Refusal, entry: &str) -> Refused {
        let (name, home) = (self.project.name(), self.home);
        let hint = match refusal {
            Refusal::Missing(list) => format!("add {entry} to `spec.{list}` of AppProject `{name}` in {home}"),
            Refusal::Denied(list, denial) => {
                format!(
                    "remove `{denial}` from `spec.{list}` of AppProject `{name}` in {home}, or name another project"
                )
            }
        };
        Refused {
            pointer: pointer.to_buf(),
            what: format!("project `{name}` does not permit {what}"),
            hint,
        }
    }

    fn sources(&self) -> Vec<Refused> {
        let app = &self.subject.app;
        let hydrated = ["/spec/sourceHydrator/drySource", "/spec/sourceHydrator/syncSource"].map(Pointer::from_static);
        let of_hydrator = hydrated.iter().filter_map(|pointer| {
            let url = app.object().at(*pointer)?.get("repoURL")?.as_str()?;
            Some((pointer.child("repoURL"), url))
        });
        let mut urls: Vec<(PointerBuf, &str)> = of_hydrator.collect();
        if urls.is_empty() {
            let sources = self.subject.sources.iter();
            urls.extend(sources.map(|(source, _)| (source.pointer.child("repoURL"), source.repo_url())));
        }
        let refused = urls
            .into_iter()
            .filter(|(_, url)| !url.is_empty())
            .filter_map(|(pointer, url)| {
                let refusal = self.project.refuses_source(url)?;
                Some(self.refused(
                    &pointer,
                    &format!("the repository `{url}`"),
                    &refusal,
                    &format!("`{url}`"),
                ))
            });
        refused.collect()
    }

    fn namespace(&self, controller: &str) -> Option<Refused> {
        let namespace = self.subject.app.object().namespace()?;
        if !self.project.refuses_namespace(namespace, controller) {
            return None;
        }
        let what = format!("Applications in the namespace `{namespace}`");
        let refusal = Refusal::Missing("sourceNamespaces");
        let pointer = Pointer::from_static("/metadata/namespace");
        Some(self.refused(pointer, &what, &refusal, &format!("`{namespace}`")))
    }

    fn destination(&self, wanted: &Destination) -> Option<Refused> {
        let refusal = self.project.refuses_destination(wanted)?;
        let what = match wanted.namespace.as_str() {
            "" => format!("the cluster `{}` without a namespace", self.cluster()),
            namespace => format!("the namespace `{namespace}` of the cluster `{}`", self.cluster()),
        };
        Some(self.refused(DESTINATION, &what, &refusal, &entry(wanted)))
    }

    fn cluster(&self) -> &Cluster {
        &self.subject.cluster
    }

    /// Returns the other namespaces of objects that are refused.
    fn namespaces(&self, projects: &Projects, destination: &Destination) -> Vec<Refused> {
        let mut namespaces = BTreeMap::<String, Vec<&Object>>::new();
        for object in self.subject.finished().map(Item::object) {
            let reference = self.subject.reference_of(object);
            let namespace = reference.and_then(|reference| reference.namespace);
            let Some(namespace) = namespace.filter(|namespace| *namespace != destination.namespace) else {
                continue;
            };
            if projects.is_namespaced(object) == Some(true) {
                namespaces.entry(namespace).or_default().push(object);
            }
        }
        let refused = namespaces.into_iter().filter_map(|(namespace, objects)| {
            let wanted = Destination {
                namespace,
                ..destination.clone()
            };
            let refusal = self.project.refuses_destination(&wanted)?;
            let what = format!(
                "the namespace `{}` of the cluster `{}`, with {} in it",
                wanted.namespace,
                self.cluster(),
                some(&objects)
            );
            Some(self.refused(PROJECT, &what, &refusal, &entry(&wanted)))
        });
        refused.collect()
    }

    /// Returns the kinds of objects that are refused, those of one list together.
    fn kinds(&self, projects: &Projects, created: Option<&Object>) -> Vec<Refused> {
        let objects = self.subject.finished().map(Item::object).chain(created);
        let mut refused = BTreeMap::<Refusal, Vec<&Object>>::new();
        for object in objects {
            let named = Named {
                group: object.group(),
                kind: object.kind(),
                name: object.name(),
            };
            let answer = projects.is_namespaced(object);
            if let Some(refusal) = answer.and_then(|is| self.project.refuses_kind(named, is)) {
                refused.entry(refusal).or_default().push(object);
            }
        }
        let refused = refused.into_iter().map(|(refusal, objects)| {
            let kinds: BTreeSet<(&str, &str)> = objects.iter().map(|object| (object.group(), object.kind())).collect();
            let entries: Vec<String> = kinds
                .iter()
                .map(|(group, kind)| format!("`{{group: {}, kind: {kind}}}`", quoted(group)))
                .collect();
            self.refused(PROJECT, &some(&objects), &refusal, &entries.join(", "))
        });
        refused.collect()
    }
}

/// Returns the entry of `destinations` that permits a destination.
fn entry(wanted: &Destination) -> String {
    let cluster = match (&wanted.server, &wanted.name) {
        (Some(server), _) => format!("server: {server}"),
        (None, name) => format!("name: {}", name.as_deref().unwrap_or_default()),
    };
    format!("`{{{cluster}, namespace: {}}}`", quoted(&wanted.namespace))
}

fn quoted(text: &str) -> &str {
    if text.is_empty() { "''" } else { text }
}

/// Returns the first of some objects, and how many more there are.
fn some(objects: &[&Object]) -> String {
    let first = objects.first();
    let first = first.map(|object| format!("{} `{}`", object.kind(), object.name()));
    let more = match objects.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    first.unwrap_or_default() + &more
}
