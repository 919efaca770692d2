//! A second implementation of the storage rules, on what Argo CD renders itself: written from their description, without
//! code of the program. It has what the cases need, and neither `patches` nor groups.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::table::Case;

/// Labels and annotations of each Namespace: the owner and the writers of each claim.
#[derive(Default)]
pub(crate) struct Registries(BTreeMap<String, [BTreeMap<String, String>; 2]>);

impl Registries {
    /// Reads the registries of the Applications in a folder.
    pub(crate) fn read(applications: &Path) -> Self {
        let mut registries = Self::default();
        let mut writers: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for entry in fs::read_dir(applications).expect("there are Applications") {
            let text = fs::read_to_string(entry.expect("the folder can be read").path()).expect("it can be read");
            let app: Value = yaml_serde::from_str(&text).expect("an Application is YAML");
            let name = app["metadata"]["name"].as_str().expect("it has a name");
            let namespace = app["spec"]["destination"]["namespace"]
                .as_str()
                .expect("it has a namespace");
            for parameter in app["spec"]["source"]["plugin"]["parameters"]
                .as_array()
                .into_iter()
                .flatten()
            {
                for claim in strings(&parameter["array"]) {
                    if parameter["name"] == "owns" {
                        let labels = &mut registries.0.entry(namespace.to_owned()).or_default()[0];
                        labels.insert(format!("owner.storage.home.arpa/{claim}"), name.to_owned());
                    } else if parameter["name"] == "writes" {
                        writers
                            .entry((namespace.to_owned(), claim))
                            .or_default()
                            .insert(name.to_owned());
                    }
                }
            }
        }
        for ((namespace, claim), apps) in writers {
            let annotations = &mut registries.0.entry(namespace).or_default()[1];
            let apps: Vec<String> = apps.into_iter().collect();
            annotations.insert(format!("writers.storage.home.arpa/{claim}"), apps.join(","));
        }
        registries
    }
}

/// Applies the storage rules to the objects of a case. Without registries, a Namespace gets only its guards.
pub(crate) fn apply(case: &Case, objects: &mut [Value], registries: Option<&Registries>) {
    let app = case.app.rsplit_once('_').map_or(case.app.as_str(), |(_, name)| name);
    let destination = if case.destination.is_empty() {
        "default"
    } else {
        &case.destination
    };
    let parameter = |name: &str| strings(case.parameters.get(name).unwrap_or(&Value::Null));
    let rendered: BTreeSet<(String, String)> = objects
        .iter()
        .filter(|object| is_claim(object))
        .map(|object| (namespace(object, destination), text(&object["metadata"]["name"])))
        .collect();
    let named = parameter("owns");
    let is_own = |namespace: &str, claim: &str| {
        rendered.contains(&(namespace.to_owned(), claim.to_owned()))
            || namespace == destination && named.iter().any(|own| own == claim)
    };
    let writes = parameter("writes");
    let may_write = |namespace: &str, claim: &str| {
        is_own(namespace, claim) || namespace == destination && writes.iter().any(|own| own == claim)
    };
    for mount in parameter("mounts") {
        add(objects, &mount);
    }
    for object in objects {
        let here = namespace(object, destination);
        match text(&object["kind"]).as_str() {
            "PersistentVolumeClaim" | "PersistentVolume" => keep(object, app),
            "Namespace" => {
                guard(object);
                if let Some(registries) = registries {
                    register(object, registries);
                }
            }
            _ => {
                if let Some(pod) = pod(object) {
                    read_only(pod, |claim| !may_write(&here, claim));
                }
            }
        }
    }
}

fn is_claim(object: &Value) -> bool {
    object["kind"] == "PersistentVolumeClaim" && object["apiVersion"] == "v1"
}

fn namespace(object: &Value, destination: &str) -> String {
    object["metadata"]["namespace"]
        .as_str()
        .unwrap_or(destination)
        .to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// Returns a map below `metadata`; creates it if it is missing.
fn metadata<'o>(object: &'o mut Value, field: &str) -> &'o mut Map<String, Value> {
    let map = &mut object["metadata"][field];
    if !map.is_object() {
        *map = json!({});
    }
    map.as_object_mut().expect("it is one now")
}

/// Adds the guards: neither pruned nor deleted with the Application, and no reason to be out of sync.
fn guard(object: &mut Value) {
    let annotations = metadata(object, "annotations");
    let old = text(
        annotations
            .get("argocd.argoproj.io/sync-options")
            .unwrap_or(&Value::Null),
    );
    let mut options: Vec<String> = Vec::new();
    for option in old.split(',').map(str::trim).filter(|option| !option.is_empty()) {
        let key = option.split('=').next().unwrap_or_default();
        let new = match key {
            "Prune" | "Delete" => format!("{key}=false"),
            _ => option.to_owned(),
        };
        if !matches!(key, "Prune" | "Delete") || !options.contains(&new) {
            options.push(new);
        }
    }
    for guard in ["Prune=false", "Delete=false"] {
        if !options.iter().any(|option| option == guard) {
            options.push(guard.to_owned());
        }
    }
    annotations.insert("argocd.argoproj.io/sync-options".to_owned(), json!(options.join(",")));
    let compare = annotations
        .entry("argocd.argoproj.io/compare-options")
        .or_insert(json!(""));
    let old = text(compare);
    if !old.split(',').any(|option| option.trim() == "IgnoreExtraneous") {
        *compare = json!(if old.is_empty() {
            "IgnoreExtraneous".to_owned()
        } else {
            format!("{old},IgnoreExtraneous")
        });
    }
}

/// Adds the guards and labels of a claim or a volume.
fn keep(object: &mut Value, app: &str) {
    guard(object);
    metadata(object, "annotations").insert("helm.sh/resource-policy".to_owned(), json!("keep"));
    let labels = metadata(object, "labels");
    labels.insert("storage.home.arpa/owner".to_owned(), json!(app));
    labels.insert("kor/used".to_owned(), json!("true"));
}

fn register(object: &mut Value, registries: &Registries) {
    let registry = registries.0.get(&text(&object["metadata"]["name"]));
    metadata(object, "labels").insert("storage.home.arpa/registry".to_owned(), json!("v1"));
    for (field, entries) in ["labels", "annotations"]
        .into_iter()
        .zip(registry.into_iter().flatten())
    {
        for (key, value) in entries {
            metadata(object, field).insert(key.clone(), json!(value));
        }
    }
}

/// Returns the pod spec of a workload.
fn pod(object: &mut Value) -> Option<&mut Value> {
    let pointer = match object["kind"].as_str()? {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    };
    object.pointer_mut(pointer).filter(|pod| pod["containers"].is_array())
}

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Makes every mount of these claims read-only, at both levels.
fn read_only(pod: &mut Value, is_foreign: impl Fn(&str) -> bool) {
    let mut names = BTreeSet::new();
    for volume in pod
        .get_mut("volumes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let name = text(&volume["name"]);
        let Some(claim) = volume.get_mut("persistentVolumeClaim") else {
            continue;
        };
        if is_foreign(&text(&claim["claimName"])) {
            claim["readOnly"] = json!(true);
            names.insert(name);
        }
    }
    for list in CONTAINERS {
        for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let mounts = container.get_mut("volumeMounts").and_then(Value::as_array_mut);
            for mount in mounts.into_iter().flatten() {
                if names.contains(&text(&mount["name"])) {
                    mount["readOnly"] = json!(true);
                }
            }
        }
    }
}

/// Adds an entry of `mounts`, as `CLAIM:PATH,workload=[Kind/]NAME`, to the first container. It becomes read-only later.
fn add(objects: &mut [Value], mount: &str) {
    let (mount, workload) = mount.split_once(",workload=").expect("the cases name the workload");
    let (claim, path) = mount.split_once(':').expect("it has a path");
    let (kind, name) = workload
        .split_once('/')
        .map_or((None, workload), |(kind, name)| (Some(kind), name));
    let is_meant = |object: &&mut Value| {
        object["metadata"]["name"] == name
            && kind.is_none_or(|kind| object["kind"] == kind)
            && object["spec"].is_object()
    };
    let workload = objects.iter_mut().find(is_meant).expect("the workload is rendered");
    let pod = pod(workload).expect("it has a pod");
    let volumes = pod["volumes"].as_array_mut().expect("the cases' pods have volumes");
    let reused = volumes
        .iter()
        .find(|volume| volume["persistentVolumeClaim"]["claimName"] == claim)
        .map(|volume| text(&volume["name"]));
    let volume = reused.unwrap_or_else(|| {
        let name = format!("homelab-{claim}");
        volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": claim}}));
        name
    });
    let container = &mut pod["containers"][0];
    if !container["volumeMounts"].is_array() {
        container["volumeMounts"] = json!([]);
    }
    let mounts = container["volumeMounts"].as_array_mut().expect("it is one now");
    mounts.push(json!({"name": volume, "mountPath": path}));
}
