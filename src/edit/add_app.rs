//! `add-app`: an Application whose claims are safe from its first sync on, and its Namespace where that is missing.

pub mod claims_left;
pub mod folder;
mod manifest;
pub mod namespace;
pub mod rendered;
pub mod unwritten;
pub mod values_in_git;
pub mod wrapper;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};

use serde_json::Value;

use crate::failure::HintExt;
use crate::lock::Part;
use crate::model::parameter::{Parameter, Parameters, STAMP_APP};
use crate::model::workload::claims_of_templates;
use crate::model::{
    AppName, Application, ClaimName, ClaimPath, NamespaceName, Object, Source, claim, repo_url, spelling, substitute,
};
use crate::repo::{Change, ChangeSet, Manifest, Repo, RepoPath};
use crate::rules::lock_is_current::is_on;
use crate::rules::variable_is_known;
use crate::yaml;

/// Where the Application's manifests come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of a Git repository, or `.` of an OCI artefact.
    Path(String),
    /// A chart of a Helm repository.
    Chart(String),
}

/// The destination cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// By API server URL.
    Server(String),
    /// By its name in Argo CD.
    Name(String),
}

/// A request to add or change an Application. A field that is `None` takes its default in a new Application and is left
/// unchanged in an existing one.
#[derive(Clone, Debug)]
pub struct Request {
    /// The Application.
    pub name: AppName,
    /// Its destination namespace; a new Application needs one.
    pub namespace: Option<NamespaceName>,
    /// `repoURL`; a new Application needs one.
    pub repo_url: Option<String>,
    /// The path or the chart; a new Application needs one.
    pub place: Option<Place>,
    /// `targetRevision`; `HEAD` by default.
    pub revision: Option<String>,
    /// The cluster; by default the one that Argo CD runs in.
    pub destination: Option<Destination>,
    /// The project in Argo CD; by default `default`.
    pub project: Option<String>,
    /// The plugin's parameters as the user gave them.
    pub parameters: Vec<Parameter>,
    /// Paths outside the source that the render reads, from the repository's root.
    pub reads: Vec<RepoPath>,
    /// Whether objects that are no longer in Git are pruned; by default they are.
    pub auto_prune: Option<bool>,
    /// Whether manual changes are undone; by default they are.
    pub self_heal: Option<bool>,
    /// Additional sync options.
    pub sync_options: Vec<String>,
    /// The sync wave.
    pub sync_wave: Option<i64>,
    /// Whether deleting the Application deletes its objects; by default it does.
    pub finalizer: Option<bool>,
    /// Labels of the Application.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Application.
    pub annotations: BTreeMap<String, String>,
    /// The folder for a new Application; by default the one of the others.
    pub folder: Option<RepoPath>,
    /// Whether an existing Application may be changed.
    pub upsert: bool,
    /// Whether a Namespace without a manifest is added.
    pub create_namespace: bool,
    /// Whether the Application may leave its claims behind in another namespace or cluster.
    pub move_namespace: bool,
}

impl Request {
    /// Reports whether it names anything about the source.
    fn names_source(&self) -> bool {
        let of_source = self.repo_url.is_some() || self.place.is_some() || self.revision.is_some();
        of_source || !self.parameters.is_empty()
    }
}

/// Refuses a request that does not fit the repository, before anything is rendered.
///
/// # Errors
/// When the Application is already there (without `upsert`) or cannot be changed as asked for, a new one lacks something,
/// or its Namespace has no manifest and is not added.
pub fn check_against(repo: &Repo, request: &Request) -> Result<()> {
    match repo.application(request.name.as_str()) {
        Some((existing, _)) if !request.upsert => {
            return Err(anyhow!(
                "Application `{}` is already there, in `{}`",
                request.name,
                existing.file
            )
            .hint("change it with `--upsert`, or choose another name"));
        }
        Some((existing, app)) => {
            existing.check_editable()?;
            check_change(request, existing, &app)?;
        }
        None => {
            check_complete(repo, request)?;
            repo.place_for_application(&request.name, request.folder.as_ref())?;
        }
    }
    namespace::check(repo, request)
}

/// Refuses a change of an existing Application's source that its source does not allow.
fn check_change(request: &Request, existing: &Manifest, app: &Application<'_>) -> Result<()> {
    let name = &request.name;
    if !request.names_source() {
        return Ok(());
    }
    if app.object().at("/spec/sources").is_some() {
        return Err(anyhow!("Application `{name}` has several sources").hint(format!(
            "change what is about its sources in `{}` by hand",
            existing.file
        )));
    }
    let source = Object::new(manifest::upserted(app.object().tree(), request));
    check_source(source.at("/spec/source").unwrap_or(&Value::Null))?;
    let sources = app.sources();
    let uses_plugin = sources.iter().any(Source::uses_homelab_plugin);
    let has = |tool: &&str| sources.iter().any(|source| source.tree().get(*tool).is_some());
    let tools = ["helm", "kustomize", "directory", "plugin"];
    match tools.into_iter().find(has) {
        Some(tool) if !uses_plugin && !request.parameters.is_empty() => Err(anyhow!(
            "Application `{name}` has `{tool}` in its source, beside which there can be no parameters of this plugin"
        )
        .hint(format!(
            "move it to the plugin first with `kubectl homelab convert {name}`"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a new Application without a source or a namespace.
fn check_complete(repo: &Repo, request: &Request) -> Result<()> {
    let flags = [
        (request.repo_url.is_none(), "`--repo`"),
        (request.place.is_none(), "`--path` or `--helm-chart`"),
        (request.namespace.is_none(), "`--dest-namespace`"),
    ];
    let missing: Vec<&str> = flags
        .iter()
        .filter(|(is_missing, _)| *is_missing)
        .map(|(_, flag)| *flag)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let name = &request.name;
    let error = anyhow!(
        "there is no Application `{name}`, and a new one needs {}",
        missing.join(", ")
    );
    let known = repo.applications().map(|(_, app)| app.name());
    Err(error.hint(match spelling::nearest(name.as_str(), known) {
        Some(nearest) => format!("change `{nearest}`, if that is meant, or name what a new Application needs"),
        None => "name them; `kubectl homelab list` shows the Applications that are there".to_owned(),
    }))
}

/// Adds an Application to the repository or changes it, its Namespace first where that is asked for.
///
/// # Errors
/// Those of [`check`] and [`check_against`].
pub fn add_app(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    check(request)?;
    check_against(repo, request)?;
    let mut changes = namespace::added(repo, request)?;
    match repo.application(request.name.as_str()) {
        Some((existing, app)) => {
            let tree = app.object().tree();
            let patch = json_patch::diff(tree, &manifest::upserted(tree, request));
            changes.changes.push(Change::Patch {
                path: existing.file.clone(),
                document: existing.document,
                patch,
            });
        }
        None => {
            let text = yaml::emit(&manifest::new(repo, request))?;
            let place = repo.place_for_application(&request.name, request.folder.as_ref())?;
            changes.changes.extend(place.create(text));
        }
    }
    Ok(changes)
}

/// Refuses what cannot be asked for, whatever the repository holds.
///
/// # Errors
/// Those of [`add_app`] that are about the request alone.
pub fn check(request: &Request) -> Result<()> {
    request.name.check_as_owner()?;
    check_parameters(&request.parameters)?;
    if let Some(Place::Path(path)) = &request.place {
        RepoPath::new(path)?;
    }
    if request.repo_url.is_some() && request.place.is_some() {
        check_source(&manifest::source(request, None))?;
    }
    if request
        .sync_options
        .iter()
        .any(|option| option.starts_with("CreateNamespace=true"))
    {
        return Err(
            anyhow!("`CreateNamespace=true` fights with the Namespace's own manifest")
                .hint("leave it out; the Namespace is added to the repository with its guards"),
        );
    }
    Ok(())
}

fn check_parameters(list: &[Parameter]) -> Result<Parameters> {
    Parameters::parse(list).map_err(|errors| {
        let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!(messages.join("; "))
    })
}

/// Refuses a source that Argo CD could not read.
fn check_source(source: &Value) -> Result<()> {
    let text = |key: &str| source.get(key).and_then(Value::as_str);
    let repo_url = text("repoURL").unwrap_or_default();
    let is_chart = text("chart").is_some() || repo_url.starts_with("oci://");
    repo_url::usable(repo_url, is_chart)
}

/// Stamps the templates of a new Application where the lock on writes would refuse them else.
pub fn stamp(repo: &Repo, request: &mut Request) {
    let is_said = request.parameters.iter().any(|parameter| parameter.name == STAMP_APP);
    if !is_said && repo.application(request.name.as_str()).is_none() && is_on(repo, Part::Writes) {
        request.parameters.push(Parameter {
            name: STAMP_APP.to_owned(),
            string: Some("true".to_owned()),
            ..Parameter::default()
        });
    }
}

/// Adds the claims that the Application was seen to render, and those that its StatefulSets make, to its parameter `owns`; gives
/// the ones that were added. It owns those in `owned` already.
///
/// # Errors
/// When a rendered claim has a name that Kubernetes refuses.
pub fn own_rendered_claims(
    request: &mut Request,
    destination: Option<&NamespaceName>,
    owned: &BTreeSet<ClaimPath>,
    objects: &[Object],
) -> Result<Vec<ClaimPath>> {
    let here = |namespace: Option<NamespaceName>, name: ClaimName| ClaimPath {
        namespace: namespace.filter(|namespace| Some(namespace) != destination),
        name,
    };
    let paths = |object: &Object| -> Result<Vec<ClaimPath>> {
        let namespace = object.namespace().map(NamespaceName::new).transpose()?;
        let itself = claim::is_claim(object).then(|| ClaimName::new(object.name()));
        let names = itself.transpose()?.into_iter().chain(claims_of_templates(object));
        Ok(names.map(|name| here(namespace.clone(), name)).collect())
    };
    let of_objects: Vec<Vec<ClaimPath>> = objects.iter().map(paths).collect::<Result<_>>().context("the render")?;
    let owned: BTreeSet<ClaimPath> = owned
        .iter()
        .map(|path| here(path.namespace.clone(), path.name.clone()))
        .collect();
    let rendered: BTreeSet<ClaimPath> = of_objects.concat().into_iter().collect();
    let rendered = rendered.difference(&owned).cloned();
    let index = request.parameters.iter().position(|parameter| parameter.name == "owns");
    let known: Vec<String> = index
        .and_then(|index| request.parameters[index].array.clone())
        .unwrap_or_default();
    let added: Vec<ClaimPath> = rendered
        .filter(|claim| !known.iter().any(|name| *name == claim.to_string()))
        .collect();
    if !added.is_empty() {
        let array = known.into_iter().chain(added.iter().map(ToString::to_string)).collect();
        let owns = Parameter {
            name: "owns".to_owned(),
            array: Some(array),
            ..Parameter::default()
        };
        match index {
            Some(index) => request.parameters[index] = owns,
            None => request.parameters.push(owns),
        }
    }
    Ok(added)
}

/// Returns remarks on `$NAME` that is no variable of Argo CD, where the request has it.
pub fn unknown_variables(repo: &Repo, request: &Request) -> Vec<String> {
    let preview = preview(repo, request);
    let unknown = Application::new(&preview)
        .map(|app| substitute::unknown_variables(&app))
        .unwrap_or_default();
    let is_asked_for = request
        .parameters
        .iter()
        .any(|parameter| parameter.map.is_some() || parameter.array.is_some());
    let unknown: Vec<_> = unknown.iter().filter(|_| is_asked_for).collect();
    let hint = (!unknown.is_empty()).then(|| variable_is_known::HINT.to_owned());
    let messages = unknown.iter().map(|unknown| variable_is_known::message(unknown));
    messages.chain(hint).collect()
}

/// Returns a remark on a new Application that nothing would sync.
///
/// # Errors
/// When there is no place for it.
pub fn unsynced(repo: &Repo, request: &Request) -> Result<Option<String>> {
    if repo.application(request.name.as_str()).is_some() {
        return Ok(None);
    }
    let place = repo.place_for_application(&request.name, request.folder.as_ref())?;
    Ok(place.synced_by.is_none().then(|| {
        format!(
            "no Application syncs `{0}`: apply it by hand with `kubectl apply -f {0}`",
            place.path
        )
    }))
}

/// Returns the Application that a request would write, to render it before it is written.
pub fn preview(repo: &Repo, request: &Request) -> Object {
    let existing = repo.application(request.name.as_str()).filter(|_| request.upsert);
    Object::new(match existing {
        Some((_, app)) => manifest::upserted(app.object().tree(), request),
        None => manifest::new(repo, request),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::application::{FINALIZER, GENERATE_PATHS};
    use crate::repo::Memory;
    use serde_json::json;

    pub(super) fn request() -> Request {
        Request {
            name: AppName::new("fetcher").unwrap(),
            namespace: Some(NamespaceName::new("media").unwrap()),
            repo_url: Some("https://git.example.org/fetcher".to_owned()),
            place: Some(Place::Path("helm/fetcher".to_owned())),
            revision: Some("main".to_owned()),
            destination: None,
            project: None,
            parameters: Vec::new(),
            reads: Vec::new(),
            auto_prune: None,
            self_heal: None,
            sync_options: Vec::new(),
            sync_wave: None,
            finalizer: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            folder: None,
            upsert: false,
            create_namespace: true,
            move_namespace: false,
        }
    }

    const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root}\nspec:\n  source: {repoURL: https://git.example.org/home, path: applications}\n";

    /// Returns a repository with a root Application, the one of the Namespaces, and other files.
    fn home(files: &[(&str, &str)]) -> Repo {
        let namespaces = ROOT.replace("path: applications", "path: namespaces");
        let namespaces = namespaces.replace("name: root", "name: namespaces");
        let own = [
            ("applications/root.yaml", ROOT),
            ("applications/namespaces.yaml", namespaces.as_str()),
        ];
        let files = Memory::new(own.iter().chain(files).copied());
        Repo::read(&files.unwrap(), &[]).unwrap()
    }

    fn array(name: &str, entries: &[&str]) -> Parameter {
        let array = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Parameter {
            name: name.to_owned(),
            array: Some(array),
            ..Parameter::default()
        }
    }

    #[test]
    fn the_namespace_comes_before_the_application() {
        let repo = home(&[]);
        let changes = add_app(&repo, &request()).unwrap();
        let paths: Vec<&str> = changes.changes.iter().map(|change| change.path().as_str()).collect();
        assert_eq!(paths, ["namespaces/media.yaml", "applications/fetcher.yaml"]);
        let after = repo.with(&changes).unwrap();
        let (_, app) = after.application("fetcher").unwrap();
        assert_eq!(app.object().annotation(GENERATE_PATHS), Some("."));
        assert_eq!(app.finalizers(), [FINALIZER]);
        assert_eq!(app.object().at("/spec/syncPolicy/retry/refresh"), Some(&json!(true)));
        assert!(app.sources()[0].uses_homelab_plugin());
    }

    #[test]
    fn the_namespace_of_another_cluster_is_not_added_to_this_one() {
        let nas = Request {
            destination: Some(Destination::Name("nas".to_owned())),
            ..request()
        };
        let changes = add_app(&home(&[]), &nas).unwrap();
        let paths: Vec<&str> = changes.changes.iter().map(|change| change.path().as_str()).collect();
        assert_eq!(paths, ["applications/fetcher.yaml"]);
    }

    #[test]
    fn rendered_claims_are_owned_and_extra_reads_are_watched() {
        let claim = |name: &str| {
            Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}))
        };
        let mut request = request();
        request.parameters = vec![array("mounts", &["films:/f"]), array("owns", &["audio"])];
        let added =
            own_rendered_claims(&mut request, None, &BTreeSet::new(), &[claim("audio"), claim("cache")]).unwrap();
        assert_eq!(added, ["cache".parse().unwrap()]);
        request.reads = ["helm/fetcher/values.yaml", "values/fetcher.yaml"]
            .iter()
            .map(|path| RepoPath::new(path).unwrap())
            .collect();
        let tree = manifest::new(&Repo::default(), &request);
        assert_eq!(
            tree["metadata"]["annotations"][GENERATE_PATHS],
            ".;/values/fetcher.yaml"
        );
        assert_eq!(
            tree["spec"]["source"]["plugin"]["parameters"][0],
            json!({"name": "owns", "array": ["audio", "cache"]})
        );
    }

    #[test]
    fn a_new_application_is_stamped_where_writes_are_locked() {
        let text = crate::lock::texts().join("---\n");
        for (files, expected) in [(vec![], 0), (vec![("applications/lock.yaml", text.as_str())], 1)] {
            let mut request = request();
            stamp(&home(&files), &mut request);
            stamp(&home(&files), &mut request);
            let stamps = request
                .parameters
                .iter()
                .filter(|parameter| parameter.name == "stamp-app");
            assert_eq!(stamps.count(), expected);
        }
    }

    #[test]
    fn claims_that_a_stateful_set_makes_are_owned() {
        let set = Object::new(
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
            "spec": {"replicas": 3, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}),
        );
        let mut request = request();
        let media = NamespaceName::new("media").unwrap();
        let owned = BTreeSet::from(["media/data-db-0".parse().unwrap()]);
        let added = own_rendered_claims(&mut request, Some(&media), &owned, &[set]).unwrap();
        let added: Vec<String> = added.iter().map(ToString::to_string).collect();
        assert_eq!(added, ["data-db-1", "data-db-2"]);
    }

    #[test]
    fn upsert_changes_what_was_asked_and_keeps_the_rest() {
        let repo = home(&[(
            "applications/fetcher.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: fetcher\nspec:\n  source:\n    repoURL: old\n  revisionHistoryLimit: 3\n",
        )]);
        assert!(
            add_app(&repo, &request())
                .unwrap_err()
                .to_string()
                .contains("already there")
        );
        let changes = add_app(
            &repo,
            &Request {
                upsert: true,
                ..request()
            },
        )
        .unwrap();
        let after = repo.with(&changes).unwrap();
        let (_, app) = after.application("fetcher").unwrap();
        assert_eq!(app.object().at("/spec/revisionHistoryLimit"), Some(&json!(3)));
        assert_eq!(app.sources()[0].repo_url(), "https://git.example.org/fetcher");
    }

    /// Returns a repository with one Application.
    fn with_app(spec: &str) -> Repo {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: fetcher\nspec:\n  {spec}\n  destination: {{namespace: media}}\n"
        );
        home(&[
            ("applications/fetcher.yaml", text.as_str()),
            (
                "namespaces/radio.yaml",
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: radio}\n",
            ),
        ])
    }

    /// Returns a request that names nothing but the Application.
    fn change() -> Request {
        Request {
            namespace: None,
            repo_url: None,
            place: None,
            revision: None,
            upsert: true,
            create_namespace: false,
            ..request()
        }
    }

    #[test]
    fn upsert_takes_any_part_of_a_request() {
        let native = with_app("source: {repoURL: https://git.example.org/a, path: x, helm: {releaseName: y}}");
        let after = |repo: &Repo, request: Request| {
            let changes = add_app(repo, &request)?;
            let changed = repo.file_changes(&changes)?.pop();
            Ok::<_, anyhow::Error>(changed.and_then(|file| file.after).unwrap_or_default())
        };
        assert_eq!(after(&native, change()).unwrap(), "", "nothing is named");
        let revision = Some("v2".to_owned());
        let text = after(&native, Request { revision, ..change() }).unwrap();
        assert!(
            text.contains("{repoURL: https://git.example.org/a, path: x, helm: {releaseName: y}, targetRevision: v2}"),
            "{text}"
        );
        let parameters = vec![array("owns", &["a"])];
        let owns = Request { parameters, ..change() };
        let error = after(&native, owns.clone()).unwrap_err();
        assert!(error.to_string().contains("has `helm` in its source"), "{error}");
        let several = with_app("sources: [{repoURL: https://git.example.org/a, path: x}]");
        let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        assert!(
            after(&several, Request { labels, ..change() })
                .unwrap()
                .contains("a: b")
        );
        assert!(
            after(&several, owns.clone())
                .unwrap_err()
                .to_string()
                .contains("several sources")
        );
        let error = after(&Repo::default(), owns).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no Application `fetcher`, and a new one needs `--repo`, `--path` or `--helm-chart`, `--dest-namespace`"
        );
    }

    #[test]
    fn a_namespace_without_a_manifest_is_an_error() {
        let repo = with_app("source: {repoURL: https://git.example.org/a, path: x}");
        let add = |namespace: &str| {
            let request = Request {
                name: AppName::new("other").unwrap(),
                namespace: Some(NamespaceName::new(namespace).unwrap()),
                create_namespace: false,
                ..request()
            };
            add_app(&repo, &request).map_err(|error| {
                let failure = crate::failure::Failure::from(error);
                format!("{}: {}", failure.one_line(), failure.hints.join(""))
            })
        };
        let error = add("radoi").unwrap_err();
        assert!(
            error.contains("`radoi` has no manifest") && error.contains("`-n radio`"),
            "{error}"
        );
        assert!(add("films").unwrap_err().contains("`--create-namespace`"));
        for known in ["radio", "default", "argocd"] {
            assert_eq!(add(known).unwrap().changes.len(), 1, "{known}");
        }
    }

    #[test]
    fn upsert_leaves_one_place_and_keeps_its_hands_off_several_sources() {
        let upsert = |spec: &str| {
            let text = format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: fetcher\nspec:\n  {spec}\n"
            );
            let repo = home(&[("applications/fetcher.yaml", text.as_str())]);
            let changes = add_app(
                &repo,
                &Request {
                    upsert: true,
                    ..request()
                },
            )?;
            let (_, app) = repo
                .with(&changes)?
                .application("fetcher")
                .map(|(m, a)| (m.file.clone(), a.object().tree().clone()))
                .unwrap();
            Ok::<_, anyhow::Error>(app)
        };
        let tree = upsert("source: {repoURL: https://charts.example.org/a, chart: fetcher}").unwrap();
        assert_eq!(tree["spec"]["source"]["path"], "helm/fetcher");
        assert_eq!(tree["spec"]["source"].get("chart"), None);
        let error = upsert("sources: [{repoURL: https://git.example.org/a, path: x}]").unwrap_err();
        assert_eq!(error.to_string(), "Application `fetcher` has several sources");
    }

    #[test]
    fn a_source_is_one_that_argo_cd_can_read() {
        let add = |repo_url: &str, path: &str| {
            let request = Request {
                repo_url: Some(repo_url.to_owned()),
                place: Some(Place::Path(path.to_owned())),
                ..request()
            };
            add_app(&home(&[]), &request).map(|_| manifest::new(&Repo::default(), &request))
        };
        let url = "https://git.example.org/fetcher";
        assert_eq!(add(url, "./helm/").unwrap()["spec"]["source"]["path"], "helm");
        assert_eq!(add(url, "/").unwrap()["spec"]["source"]["path"], ".");
        assert!(add(url, "../x").unwrap_err().to_string().contains("leads out"));
        assert!(add("fetcher", "helm").unwrap_err().to_string().contains("not the URL"));

        // The URL of a Helm repository may be a bare host, that of a Git repository may not.
        let host = "https://charts.example.org";
        assert!(add(host, "helm").unwrap_err().to_string().contains("not the URL"));
        let chart = |repo_url: &str| {
            let repo_url = Some(repo_url.to_owned());
            let place = Some(Place::Chart("fetcher".to_owned()));
            add_app(
                &home(&[]),
                &Request {
                    repo_url,
                    place,
                    ..request()
                },
            )
        };
        assert!(chart(host).is_ok() && chart("registry.example.org/charts").is_ok());
        assert!(chart("https://").is_err() && chart("charts").is_err());
    }

    #[test]
    fn what_would_lose_data_is_refused() {
        let error = add_app(
            &Repo::default(),
            &Request {
                sync_options: vec!["CreateNamespace=true".to_owned()],
                ..request()
            },
        );
        assert!(error.unwrap_err().to_string().contains("fights"));
        let error = add_app(
            &Repo::default(),
            &Request {
                parameters: vec![array("mounts", &["films:f"])],
                ..request()
            },
        );
        assert!(error.unwrap_err().to_string().contains("not absolute"));
    }
}
