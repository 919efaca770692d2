//! Generated objects with their metadata, and lists of them.

use serde_json::{Map, Value, json};

use super::numbers::Numbers;
use super::shapes::{a_guarded, a_plain, a_special, a_workload};

/// Returns what a document of a stream has: an object or a list.
pub(super) fn document(numbers: &mut Numbers) -> Value {
    match numbers.below(24) {
        0 | 1 => list(numbers, 0),
        2 => odd(numbers),
        _ => object(numbers),
    }
}

/// Returns an object.
fn object(numbers: &mut Numbers) -> Value {
    let object = match numbers.below(16) {
        0..6 => a_workload(numbers),
        6..9 => a_special(numbers),
        9..12 => a_guarded(numbers),
        _ => a_plain(numbers),
    };
    with_metadata(numbers, object)
}

/// Puts metadata into an object, in any place.
fn with_metadata(numbers: &mut Numbers, object: Value) -> Value {
    let name = match object["kind"].as_str() {
        Some("StatefulSet") => numbers.pick(&["db", "db", "x"]),
        Some("PersistentVolumeClaim") => numbers.pick(&["data", "data", "own", "films", "a.b"]),
        Some("Grafana") => "g",
        Some("DataVolume") => "disk",
        _ => numbers.pick(&["x", "y", "web", "web", "media"]),
    };
    let mut metadata = Map::new();
    match numbers.below(60) {
        0 => drop(metadata.insert("generateName".to_owned(), json!("x-"))),
        1 => drop(metadata.insert("labels".to_owned(), json!({"name": "x"}))),
        _ => drop(metadata.insert("name".to_owned(), json!(name))),
    }
    match numbers.below(12) {
        0..5 => drop(metadata.insert("namespace".to_owned(), json!("media"))),
        5 => drop(metadata.insert("namespace".to_owned(), json!("radio"))),
        6 => drop(metadata.insert("namespace".to_owned(), json!(""))),
        _ => {}
    }
    if numbers.one_in(3) {
        metadata.insert("annotations".to_owned(), annotations(numbers));
    }
    if numbers.one_in(4) {
        let labels = [
            json!({"app": "x"}),
            json!({"storage.home.arpa/owner": "other"}),
            Value::Null,
            json!({}),
        ];
        metadata.insert("labels".to_owned(), labels[numbers.below(labels.len())].clone());
    }
    let mut entries: Vec<(String, Value)> = object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let place = if numbers.one_in(4) {
        numbers.below(entries.len() + 1)
    } else {
        2
    };
    entries.insert(
        place.min(entries.len()),
        ("metadata".to_owned(), Value::Object(metadata)),
    );
    if numbers.one_in(8) {
        entries.swap(0, 1);
    }
    if numbers.one_in(16) {
        entries.reverse();
    }
    if numbers.one_in(60) {
        entries.remove(numbers.below(entries.len()));
    }
    entries.into_iter().collect()
}

fn annotations(numbers: &mut Numbers) -> Value {
    let mut annotations = Map::new();
    for _ in 0..=numbers.below(2) {
        let (key, value) = match numbers.below(10) {
            0..4 => ("argocd.argoproj.io/sync-options", sync_options(numbers)),
            4 => (
                "argocd.argoproj.io/compare-options",
                numbers.pick(&["IgnoreExtraneous", "ServerSideDiff=true", "A, IgnoreExtraneous", ""]),
            ),
            5 => ("helm.sh/resource-policy", numbers.pick(&["keep", "delete"])),
            6 if numbers.one_in(2) => ("helm.sh/hook", "pre-install"),
            7 if numbers.one_in(2) => ("argocd.argoproj.io/hook", numbers.pick(&["PreSync", "Skip"])),
            _ => ("example.org/note", "kind: Deployment"),
        };
        annotations.insert(key.to_owned(), json!(value));
    }
    if numbers.one_in(30) {
        return numbers.pick(&[None, Some("x")]).map_or(Value::Null, |text| json!(text));
    }
    Value::Object(annotations)
}

fn sync_options(numbers: &mut Numbers) -> &'static str {
    numbers.pick(&[
        "",
        "Prune=false",
        "Prune=false,Delete=false",
        " Delete=false , Prune=false",
        "Prune=confirm,Delete=confirm",
        "ServerSideApply=true, Prune=true",
        "Prune=false,Prune=true",
        "Delete=false,Delete=false",
        "Prune = true",
        "PruneLast=true,,",
        "Replace=true",
        "Force=true,Replace=true",
        "Prune",
    ])
}

/// Returns a list of objects, of a kind of list or of any kind.
fn list(numbers: &mut Numbers, depth: usize) -> Value {
    let (api_version, kind) = numbers.pick(&[
        ("v1", "List"),
        ("v1", "List"),
        ("v1", "ConfigMapList"),
        ("apps/v1", "DeploymentList"),
        ("v1", "ConfigMap"),
        ("apps/v1", "Deployment"),
    ]);
    let items: Vec<Value> = (0..numbers.pick(&[0, 1, 1, 2, 3]))
        .map(|_| {
            if depth < 2 && numbers.one_in(10) {
                list(numbers, depth + 1)
            } else {
                object(numbers)
            }
        })
        .collect();
    let items = match numbers.below(24) {
        0 => Value::Null,
        1 => json!({"a": items}),
        2 => json!(["x"]),
        _ => Value::Array(items),
    };
    let list = match numbers.below(6) {
        0 => json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "l"}, "items": items}),
        1 => json!({"items": items, "kind": kind, "apiVersion": api_version}),
        _ => json!({"apiVersion": api_version, "kind": kind, "items": items}),
    };
    if !numbers.one_in(40) {
        return list;
    }
    let mut list = list;
    list["spec"] = json!({"template": {"spec": super::volumes::pod_spec(numbers)}});
    list
}

/// Returns what is no object, or an incomplete one.
fn odd(numbers: &mut Numbers) -> Value {
    let odd = [
        Value::Null,
        json!({}),
        json!([]),
        json!("text"),
        json!({"apiVersion": "v1"}),
        json!({"apiVersion": "v1", "kind": "ConfigMap"}),
        json!({"apiVersion": 1, "kind": "ConfigMap", "metadata": {"name": "x"}}),
        json!({"apiVersion": "v1", "kind": ["Pod"], "metadata": {"name": "x"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": true}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": "x"}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ""}}),
    ];
    odd[numbers.below(odd.len())].clone()
}
