//! The oracle of the corpus: a stream as kubectl reads it, and what the storage rules should make of it, computed
//! independently of the program's own code.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

/// Returns the objects of a stream as kubectl reads them, lists flattened.
pub(crate) fn objects(kubectl: &Path, stream: &str) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stream.yaml");
    std::fs::write(&file, stream)?;
    let output = Command::new(kubectl)
        .args(["patch", "--local", "--type=json", "-p", "[]", "-o", "json", "-f"])
        .arg(&file)
        .env("KUBECONFIG", folder.path().join("none"))
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        bail!(
            "kubectl cannot read the stream: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    Ok(objects.collect::<Result<_, _>>()?)
}

/// Returns the JSON Pointer of an object's pod spec.
pub(crate) fn pod_spec(object: &Value) -> Option<String> {
    let pointers = ["/spec/jobTemplate/spec/template/spec", "/spec/template/spec"];
    let has = |pointer: &&&str| {
        object
            .pointer(pointer)
            .is_some_and(|spec| spec.get("containers").is_some())
    };
    match object["kind"].as_str() {
        Some("Pod") => Some("/spec".to_owned()),
        _ => pointers.iter().find(has).map(|pointer| (*pointer).to_owned()),
    }
}

/// Adds an annotation.
pub(crate) fn annotate(object: &mut Value, key: &str, value: &str) {
    map(object, "annotations").insert(key.to_owned(), json!(value));
}

fn map<'o>(object: &'o mut Value, name: &str) -> &'o mut Map<String, Value> {
    let metadata = &mut object["metadata"];
    if !metadata[name].is_object() {
        metadata[name] = json!({});
    }
    metadata[name].as_object_mut().expect("it was made a map")
}

/// Adds the volume and the mount that the parameter `mounts` stands for: read-only, in the default container or the first.
pub(crate) fn mount(object: &mut Value, spec: &str, claim: &str, path: &str) {
    let default = object.pointer(spec.trim_end_matches("/spec")).and_then(|template| {
        template
            .pointer("/metadata/annotations/kubectl.kubernetes.io~1default-container")?
            .as_str()
            .map(str::to_owned)
    });
    let spec = object.pointer_mut(spec).expect("the caller found it");
    let name = format!("homelab-{claim}");
    push(
        spec,
        "volumes",
        json!({"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": true}}),
    );
    let containers = spec["containers"].as_array_mut().expect("a pod has containers");
    let index = default.and_then(|name| {
        containers
            .iter()
            .position(|container| container["name"] == name.as_str())
    });
    push(
        &mut containers[index.unwrap_or(0)],
        "volumeMounts",
        json!({"name": name, "mountPath": path, "readOnly": true}),
    );
}

fn push(map: &mut Value, key: &str, entry: Value) {
    if !map[key].is_array() {
        map[key] = json!([]);
    }
    map[key].as_array_mut().expect("it was made a list").push(entry);
}

/// Adds the annotations and labels that protect claims and Namespaces.
pub(crate) fn guard(object: &mut Value, app: &str) {
    let is_claim = object["kind"] == "PersistentVolumeClaim";
    if !is_claim && object["kind"] != "Namespace" {
        return;
    }
    let list = |object: &Value, key: &str| {
        object["metadata"]["annotations"][key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut options: Vec<String> = list(object, "argocd.argoproj.io/sync-options")
        .split(',')
        .map(|entry| entry.trim().to_owned())
        .collect();
    options.retain(|entry| !entry.is_empty());
    for key in ["Prune", "Delete"] {
        let guard = format!("{key}=false");
        match options.iter().position(|entry| entry.starts_with(&format!("{key}="))) {
            Some(place) => options[place] = guard,
            None => options.push(guard),
        }
    }
    let compare = list(object, "argocd.argoproj.io/compare-options");
    let compare = if compare.is_empty() {
        "IgnoreExtraneous".to_owned()
    } else {
        format!("{compare},IgnoreExtraneous")
    };
    annotate(object, "argocd.argoproj.io/sync-options", &options.join(","));
    annotate(object, "argocd.argoproj.io/compare-options", &compare);
    if is_claim {
        annotate(object, "helm.sh/resource-policy", "keep");
        let labels = map(object, "labels");
        labels.insert("storage.home.arpa/owner".to_owned(), json!(app));
        labels.insert("kor/used".to_owned(), json!("true"));
    }
}
