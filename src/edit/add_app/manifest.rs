//! Builds the manifest of an Application: a new one, or an existing one with the requested changes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::namespace::makes_namespace;
use super::{Destination, Place, Request};
use crate::edit::fixed_fields;
use crate::edit::merge::merge;
use crate::model::application::{FINALIZER, GENERATE_PATHS, PLUGIN_NAME};
use crate::model::finalizer;
use crate::model::object::annotation_pointer;
use crate::model::parameter::{Parameter, TABLE};
use crate::repo::generate_paths;
use crate::repo::{Repo, RepoPath};

/// Builds a new Application, with its fields in the usual order.
pub(super) fn new(repo: &Repo, request: &Request) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(request.name.as_str()));
    metadata.insert("namespace".to_owned(), json!(argocd_namespace(repo)));
    if !request.labels.is_empty() {
        metadata.insert("labels".to_owned(), json!(request.labels));
    }
    let mut annotations = BTreeMap::new();
    let path = match &request.place {
        Some(Place::Path(path)) => Some(path.as_str()),
        _ => None,
    };
    let folder = git_folder(request.repo_url.as_deref(), path);
    let watched = folder.map(|folder| generate_paths::of(&folder, &request.reads));
    annotations.extend(watched.map(|paths| (GENERATE_PATHS.to_owned(), paths)));
    annotations.extend(asked_annotations(request));
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), json!(annotations));
    }
    if request.finalizer != Some(false) {
        metadata.insert("finalizers".to_owned(), json!([FINALIZER]));
    }
    let local = Destination::Server("https://kubernetes.default.svc".to_owned());
    let options = std::iter::once(format!("{}=true", fixed_fields::RESPECT));
    let created = makes_namespace(repo, request).then(|| "CreateNamespace=true".to_owned());
    let options = options.chain(created).chain(request.sync_options.iter().cloned());
    let options: Vec<String> = options.collect();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": {
            "project": request.project.as_deref().unwrap_or("default"),
            "source": source(request, Some("HEAD")),
            "destination": destination(request, Some(&local)),
            "syncPolicy": {
                "automated": {
                    "prune": request.auto_prune.unwrap_or(true),
                    "selfHeal": request.self_heal.unwrap_or(true),
                },
                "syncOptions": options,
                "retry": {"limit": 5, "refresh": true},
            },
            "ignoreDifferences": [{"kind": "PersistentVolumeClaim", "jsonPointers": fixed_fields::POINTERS}],
        },
    })
}

/// Returns an existing Application with the requested changes; everything else stays as it is.
pub(super) fn upserted(tree: &Value, request: &Request) -> Value {
    let mut wanted = json!({"spec": {"destination": destination(request, None)}});
    if request.names_source() {
        wanted["spec"]["source"] = source(request, None);
    }
    if !request.labels.is_empty() {
        wanted["metadata"]["labels"] = json!(request.labels);
    }
    let annotations = asked_annotations(request);
    if !annotations.is_empty() {
        wanted["metadata"]["annotations"] = json!(annotations);
    }
    if let Some(project) = &request.project {
        wanted["spec"]["project"] = json!(project);
    }
    for (field, value) in [("prune", request.auto_prune), ("selfHeal", request.self_heal)] {
        if let Some(value) = value {
            wanted["spec"]["syncPolicy"]["automated"][field] = json!(value);
        }
    }
    let mut tree = tree.clone();
    merge(&mut tree, &wanted);
    leave_one_of_each(&mut tree, request);
    if request.names_source() {
        watch(&mut tree, request);
    }
    set_finalizer(&mut tree, request.finalizer);
    set_sync_options(&mut tree, &request.sync_options);
    tree
}

/// Builds the source: of a new Application with a revision, of an existing one what is asked for.
pub(super) fn source(request: &Request, revision: Option<&str>) -> Value {
    let mut source = json!({});
    if let Some(repo_url) = &request.repo_url {
        source["repoURL"] = json!(repo_url);
    }
    match &request.place {
        Some(Place::Path(path)) => source["path"] = json!(source_path(path)),
        Some(Place::Chart(chart)) => source["chart"] = json!(chart),
        None => {}
    }
    if let Some(revision) = request.revision.as_deref().or(revision) {
        source["targetRevision"] = json!(revision);
    }
    // What Argo CD renders by itself stays with it, as long as nothing is asked for that only the plugin has.
    if revision.is_some() || !request.parameters.is_empty() {
        source["plugin"] = json!({"name": PLUGIN_NAME});
    }
    if !request.parameters.is_empty() {
        source["plugin"]["parameters"] = parameters(&request.parameters);
    }
    source
}

fn destination(request: &Request, default: Option<&Destination>) -> Value {
    let mut destination = match request.destination.as_ref().or(default) {
        Some(Destination::Server(server)) => json!({"server": server}),
        Some(Destination::Name(name)) => json!({"name": name}),
        None => json!({}),
    };
    if let Some(namespace) = &request.namespace {
        destination["namespace"] = json!(namespace.as_str());
    }
    destination
}

/// Removes the alternative that is no longer used: a source has a path or a chart, and a destination a server or a
/// name.
fn leave_one_of_each(tree: &mut Value, request: &Request) {
    let place = request.place.as_ref().map(|place| match place {
        Place::Path(_) => "chart",
        Place::Chart(_) => "path",
    });
    let cluster = request.destination.as_ref().map(|destination| match destination {
        Destination::Server(_) => "name",
        Destination::Name(_) => "server",
    });
    for (pointer, other) in [("/spec/source", place), ("/spec/destination", cluster)] {
        let map = tree.pointer_mut(pointer).and_then(Value::as_object_mut);
        if let (Some(map), Some(other)) = (map, other) {
            map.shift_remove(other);
        }
    }
}

/// Adds what the render reads to the paths that Argo CD watches, where the Application names any; without them it watches
/// the whole repository.
fn watch(tree: &mut Value, request: &Request) {
    let pointer = annotation_pointer(GENERATE_PATHS);
    let source = &tree["spec"]["source"];
    let folder = git_folder(source["repoURL"].as_str(), source["path"].as_str());
    let (Some(watched), Some(folder)) = (tree.pointer_mut(pointer.as_str()), folder) else {
        return;
    };
    let reads: Vec<RepoPath> = request.reads.iter().chain([&folder]).cloned().collect();
    let extended = watched
        .as_str()
        .and_then(|list| generate_paths::extended(list, std::slice::from_ref(&folder), &reads));
    if let Some(extended) = extended {
        *watched = json!(extended.value);
    }
}

fn set_finalizer(tree: &mut Value, wanted: Option<bool>) {
    let Some(wanted) = wanted else { return };
    let finalizers = tree["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let (present, mut others): (Vec<Value>, Vec<Value>) = finalizers
        .into_iter()
        .partition(|finalizer| finalizer.as_str().is_some_and(finalizer::deletes));
    if wanted != present.is_empty() {
        return;
    }
    others.extend(wanted.then(|| json!(FINALIZER)));
    if let Some(metadata) = tree["metadata"].as_object_mut() {
        if others.is_empty() {
            metadata.shift_remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), json!(others));
        }
    }
}

/// Sets sync options: in the place of another value of the same one, else behind the others.
fn set_sync_options(tree: &mut Value, wanted: &[String]) {
    if wanted.is_empty() {
        return;
    }
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let policy = &mut tree["spec"]["syncPolicy"]["syncOptions"];
    let mut options = policy.as_array().cloned().unwrap_or_default();
    for option in wanted {
        let same = |other: &&mut Value| other.as_str().is_some_and(|other| key(other) == key(option));
        match options.iter_mut().find(same) {
            Some(other) => *other = json!(option),
            None => options.push(json!(option)),
        }
    }
    *policy = json!(options);
}

/// Returns the path in Argo CD's form: relative to the repository's root, which is `.`.
fn source_path(path: &str) -> String {
    let path = RepoPath::new(path).unwrap_or_default();
    if path.is_root() {
        return ".".to_owned();
    }
    path.to_string()
}

/// Returns the namespace of the repository's Applications: the root Application's, or `argocd`.
fn argocd_namespace(repo: &Repo) -> String {
    let root = repo.root_application().map(|(_, app)| app);
    let app = root.or_else(|| repo.applications().map(|(_, app)| app).next());
    app.and_then(|app| app.object().namespace())
        .unwrap_or("argocd")
        .to_owned()
}

fn asked_annotations(request: &Request) -> BTreeMap<String, String> {
    let wave = request.sync_wave.map(|wave| wave.to_string());
    let mut annotations: BTreeMap<String, String> = request.annotations.clone();
    if let Some(wave) = wave {
        annotations
            .entry("argocd.argoproj.io/sync-wave".to_owned())
            .or_insert(wave);
    }
    annotations
}

/// Returns the folder of a source in a Git repository.
fn git_folder(repo_url: Option<&str>, path: Option<&str>) -> Option<RepoPath> {
    let is_git = repo_url.is_some_and(|url| !url.starts_with("oci://"));
    path.filter(|_| is_git)
        .map(|path| RepoPath::new(path).unwrap_or_default())
}

/// Returns the parameters in the form that Argo CD writes, in the order of the documentation.
pub(super) fn parameters(list: &[Parameter]) -> Value {
    let place = |parameter: &&Parameter| TABLE.iter().position(|spec| spec.name == parameter.name);
    let mut sorted: Vec<&Parameter> = list.iter().collect();
    sorted.sort_by_key(place);
    let trees = sorted.into_iter().map(|parameter| {
        let mut tree = json!({"name": parameter.name});
        if let Some(string) = &parameter.string {
            tree["string"] = json!(string);
        }
        if let Some(array) = &parameter.array {
            tree["array"] = json!(array);
        }
        if let Some(map) = &parameter.map {
            tree["map"] = json!(map);
        }
        tree
    });
    Value::Array(trees.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppName, NamespaceName};

    fn request() -> Request {
        Request {
            name: AppName::new("one").unwrap(),
            namespace: Some(NamespaceName::new("web").unwrap()),
            repo_url: Some("https://git.example.org/web".to_owned()),
            place: Some(Place::Path("charts/web".to_owned())),
            revision: None,
            destination: None,
            project: None,
            parameters: Vec::new(),
            reads: vec![RepoPath::new("values/web.yaml").unwrap()],
            auto_prune: None,
            self_heal: None,
            sync_options: Vec::new(),
            sync_wave: None,
            finalizer: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            folder: None,
            upsert: true,
            create_namespace: false,
            move_namespace: false,
        }
    }

    fn existing() -> Value {
        json!({
            "metadata": {
                "name": "one", "namespace": "argocd-apps",
                "annotations": {GENERATE_PATHS: ".;/shared"},
                "finalizers": ["resources-finalizer.argocd.argoproj.io/background"],
            },
            "spec": {
                "project": "media",
                "source": {
                    "repoURL": "https://git.example.org/web", "path": "charts/web", "targetRevision": "v1.2.3",
                    "plugin": {"name": PLUGIN_NAME},
                },
                "destination": {"name": "other-cluster", "namespace": "web"},
                "syncPolicy": {
                    "automated": {"prune": false, "selfHeal": false},
                    "syncOptions": ["RespectIgnoreDifferences=false"],
                    "retry": {"limit": -1},
                },
            },
        })
    }

    #[test]
    fn what_was_not_asked_for_stays() {
        let mut expected = existing();
        expected["metadata"]["annotations"][GENERATE_PATHS] = json!(".;/shared;/values/web.yaml");
        assert_eq!(upserted(&existing(), &request()), expected);
        let mut unwatched = existing();
        unwatched["metadata"]
            .as_object_mut()
            .unwrap()
            .shift_remove("annotations");
        assert_eq!(upserted(&unwatched, &request()), unwatched);
    }

    #[test]
    fn what_was_asked_for_takes_the_place_of_what_was_there() {
        let request = Request {
            revision: Some("v2".to_owned()),
            destination: Some(Destination::Server("https://k".to_owned())),
            project: Some("default".to_owned()),
            auto_prune: Some(true),
            sync_options: vec!["RespectIgnoreDifferences=true".to_owned(), "PruneLast=true".to_owned()],
            finalizer: Some(false),
            reads: Vec::new(),
            ..request()
        };
        let mut expected = existing();
        expected["metadata"].as_object_mut().unwrap().shift_remove("finalizers");
        let spec = &mut expected["spec"];
        spec["project"] = json!("default");
        spec["source"]["targetRevision"] = json!("v2");
        spec["destination"] = json!({"namespace": "web", "server": "https://k"});
        spec["syncPolicy"]["automated"]["prune"] = json!(true);
        spec["syncPolicy"]["syncOptions"] = json!(["RespectIgnoreDifferences=true", "PruneLast=true"]);
        assert_eq!(upserted(&existing(), &request), expected);
        let again = Request {
            finalizer: Some(true),
            ..request
        };
        assert_eq!(
            upserted(&expected, &again)["metadata"]["finalizers"],
            json!([FINALIZER])
        );
        assert_eq!(
            upserted(&existing(), &again)["metadata"]["finalizers"],
            existing()["metadata"]["finalizers"]
        );
    }
}
