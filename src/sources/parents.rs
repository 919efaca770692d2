//! Applications whose render may hold Applications: parents. A render costs a helm, so that only those count where something
//! says so: templates or values with Argo CD's objects in them, or the chart argocd-apps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::settings::Root;
use crate::model::{Application, Object, Pointer, PointerBuf, Source};
use crate::repo::{Manifest, Origin, Repo, RepoPath, SourceType, Unknown};

/// The chart whose values are Applications and sets
/// ([source](https://github.com/argoproj/argo-helm/tree/main/charts/argocd-apps)).
const ARGOCD_APPS: &str = "argocd-apps";

/// An Application, or a chart that somebody applies, whose render may hold Applications.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    /// The Application; one that stands for the chart where somebody applies that.
    pub(super) manifest: Manifest,
    /// Its name, or the folder of the chart.
    pub(super) name: String,
    /// Where its sources are in the document.
    pub(super) source: PointerBuf,
    /// Whether it stands for a chart.
    pub(super) is_chart: bool,
}

impl Parent {
    /// Returns that what it renders is not known.
    pub(super) fn unknown(&self, why: String, hint: Option<String>) -> Unknown {
        Unknown {
            name: self.name.clone(),
            kind: if self.is_chart { "chart" } else { "Application" },
            place: (self.manifest.file.clone(), self.manifest.document),
            why,
            hint,
        }
    }
}

/// Returns the Applications whose renders may hold others.
pub(super) fn parents(repo: &Repo) -> Vec<Parent> {
    let found = repo.applications().filter(|(_, app)| {
        let sources = app.sources();
        sources.iter().any(|source| may_render(repo, source, &sources))
    });
    let parent = |(manifest, app): (&Manifest, Application<'_>)| Parent {
        manifest: manifest.clone(),
        name: app.name().to_owned(),
        source: manifest.in_document(&sources_of(&app)),
        is_chart: false,
    };
    found.map(parent).collect()
}

/// Returns the charts with Applications that no Application syncs: somebody applies them.
pub(super) fn applied_charts(repo: &Repo) -> Vec<Parent> {
    let declared: Vec<&Root> = repo.settings.roots.iter().collect();
    let charts: BTreeSet<&RepoPath> = repo.charts.of_applications().collect();
    if declared.is_empty() && charts.is_empty() {
        return Vec::new();
    }
    let own = |source: &Source<'_>| own_folder(repo, source);
    let synced: BTreeSet<RepoPath> = repo
        .applications()
        .flat_map(|(_, app)| app.sources().iter().filter_map(own).collect::<Vec<_>>())
        .collect();
    let Some(url) = repo.own_urls.first() else {
        return Vec::new();
    };
    let is_declared = |chart: &RepoPath| declared.iter().any(|root| root.path == chart.as_str());
    let others = charts.iter().copied();
    let others = others.filter(|chart| !synced.contains(*chart) && !is_declared(chart));
    let others: Vec<Root> = others.map(root_of).collect();
    let is_chart = |root: &&Root| RepoPath::new(&root.path).is_ok_and(|path| repo.charts.is_at(&path));
    let all = declared.into_iter().chain(&others).filter(is_chart);
    all.filter_map(|root| applied_chart(root, url, repo.controller_namespace()))
        .collect()
}

/// Returns the folder of a source in this repository, unless it is only for values of a chart.
pub(super) fn own_folder(repo: &Repo, source: &Source<'_>) -> Option<RepoPath> {
    let is_own = source.pulled_chart().is_none() && repo.is_own(source.repo_url());
    RepoPath::new(source.path().filter(|_| is_own)?).ok()
}

/// Returns a chart that somebody applies in the simplest way.
fn root_of(chart: &RepoPath) -> Root {
    Root {
        path: chart.as_str().to_owned(),
        name: match chart.file_name() {
            "" => "root".to_owned(),
            name => name.to_owned(),
        },
        namespace: None,
        values: Vec::new(),
        parameters: BTreeMap::new(),
    }
}

/// Returns the Application that stands for a chart that somebody applies: a source with the same options.
fn applied_chart(root: &Root, url: &str, argo_cd: &str) -> Option<Parent> {
    let (chart, name) = (RepoPath::new(&root.path).ok()?, root.name.as_str());
    let namespace = root.namespace.as_deref().unwrap_or(argo_cd);
    // The value files of a source are below its folder; a leading slash means the repository's top.
    let values: Vec<String> = root.values.iter().map(|file| format!("/{file}")).collect();
    let parameter = |(name, value): (&String, &String)| json!({"name": name, "value": value});
    let parameters: Vec<Value> = root.parameters.iter().map(parameter).collect();
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "project": "default", "source": {
                "repoURL": url, "path": chart.to_string(),
                "helm": {"releaseName": name, "valueFiles": values, "parameters": parameters},
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
        },
    });
    Some(Parent {
        manifest: Manifest {
            file: chart.join("Chart.yaml").ok()?,
            document: 0,
            object: Object::new(application),
            origin: Origin::Document,
        },
        name: chart.to_string(),
        source: PointerBuf::new(),
        is_chart: true,
    })
}

fn sources_of(app: &Application<'_>) -> PointerBuf {
    match app.sources().as_slice() {
        [source] => source.pointer.clone(),
        _ => Pointer::from_static("/spec/sources").to_buf(),
    }
}

/// Reports whether the render of a source may hold Applications.
fn may_render(repo: &Repo, source: &Source<'_>, all: &[Source<'_>]) -> bool {
    let helm = source.helm().or(source.plugin()).unwrap_or(&Value::Null);
    if let Some(chart) = source.pulled_chart() {
        return chart == ARGOCD_APPS
            || mentions_objects(helm)
            || value_files(repo, source, all).any(|file| repo.charts.is_input(&file));
    }
    let Some(folder) = source.path().and_then(|path| RepoPath::new(path).ok()) else {
        return false;
    };
    repo.charts.is_at(&folder)
        && repo.is_own(source.repo_url())
        && repo.source_type(source, &folder) == SourceType::Helm
        && (repo.charts.may_render_applications(&folder)
            || mentions_objects(helm)
            || value_files(repo, source, all).any(|file| repo.charts.is_input(&file)))
}

/// Returns the value files of a source that are in this repository.
fn value_files<'v>(
    repo: &'v Repo,
    source: &'v Source<'_>,
    all: &'v [Source<'_>],
) -> impl Iterator<Item = RepoPath> + 'v {
    let parameter = source
        .parameter("values-files")
        .and_then(|pointer| source.value(&pointer)?.get("array"));
    let option = source.helm().and_then(|helm| helm.get("valueFiles"));
    let files = [option, parameter]
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten();
    files.filter_map(move |file| {
        let file = file.as_str()?;
        if let Some(from_root) = file.strip_prefix('/') {
            return RepoPath::new(from_root).ok().filter(|_| source.chart().is_none());
        }
        let Some(reference) = file.strip_prefix('$') else {
            let folder = RepoPath::new(source.path().filter(|_| source.chart().is_none())?).ok()?;
            return folder.join(file).ok();
        };
        let (name, path) = reference.split_once('/')?;
        let of = all.iter().find(|source| source.reference() == Some(name))?;
        RepoPath::new(path).ok().filter(|_| repo.is_own(of.repo_url()))
    })
}

/// Reports whether inline values hold Argo CD's objects.
fn mentions_objects(helm: &Value) -> bool {
    match helm {
        Value::String(text) => text.contains("argoproj.io/v1alpha1"),
        Value::Array(list) => list.iter().any(mentions_objects),
        Value::Object(map) => map.values().any(mentions_objects),
        _ => false,
    }
}
