//! Edits of documents that are hard to edit, checked with the real kubectl: correct or refused, never wrong.
//!
//! `tests/vectors/yaml/edit-cases.json` has 35 workloads in every shape that charts write; the 236 documents of
//! `hazards.json` are edited, too. Each case is a separate file; kubectl reads all of them in one run.
#![expect(clippy::unwrap_used, reason = "a test reads files, runs programs and fails loudly")]

mod oracle;

use homelab::yaml::{self, Spliced};
use json_patch::Patch;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn edit_cases() -> BTreeMap<String, String> {
    serde_json::from_str(include_str!("vectors/yaml/edit-cases.json")).unwrap()
}

/// Returns the objects of a value: kubectl splits a list.
fn objects(value: &Value) -> Vec<Value> {
    match value["kind"].as_str() {
        Some("List") => value["items"].as_array().unwrap().clone(),
        _ => vec![value.clone()],
    }
}

/// Returns the JSON Pointer of the pod template in an edit case.
fn pod(value: &Value) -> &'static str {
    match value["kind"].as_str() {
        Some("Pod") => "/spec",
        Some("CronJob") => "/spec/jobTemplate/spec/template/spec",
        Some("List") => "/items/0/spec/template/spec",
        _ => "/spec/template/spec",
    }
}

/// Returns an operation that adds an entry to a map or list, which may not exist yet.
fn into(value: &Value, at: &str, key: &str, new: Value) -> Value {
    let there = value.pointer(at).filter(|there| !there.is_null());
    match there {
        Some(_) => json!({"op": "add", "path": format!("{at}/{key}"), "value": new}),
        None if key == "-" => json!({"op": "add", "path": at, "value": [new]}),
        None => json!({"op": "add", "path": at, "value": {key.replace("~1", "/"): new}}),
    }
}

/// Returns the edits that the storage rules make on a workload.
fn storage_patches(value: &Value) -> Vec<(&'static str, Value)> {
    let pod = pod(value);
    let metadata = if value["kind"] == "List" {
        "/items/0/metadata"
    } else {
        "/metadata"
    };
    let sync = "argocd.argoproj.io~1sync-options";
    let annotation = into(
        value,
        &format!("{metadata}/annotations"),
        sync,
        json!("Prune=false,Delete=false"),
    );
    let label = into(value, &format!("{metadata}/labels"), "kor~1used", json!("true"));
    let claim = json!({"name": "homelab-media", "persistentVolumeClaim": {"claimName": "media", "readOnly": true}});
    let volume = into(value, &format!("{pod}/volumes"), "-", claim);
    let mount = json!({"name": "homelab-media", "mountPath": "/media/pe-audio", "readOnly": true});
    let mount = into(value, &format!("{pod}/containers/0/volumeMounts"), "-", mount);
    let env = into(
        value,
        &format!("{pod}/containers/0/env"),
        "-",
        json!({"name": "B", "value": "yes"}),
    );
    let mut read_only = Vec::new();
    for (container, spec) in value
        .pointer(&format!("{pod}/containers"))
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        for mount in 0..spec["volumeMounts"].as_array().map_or(0, Vec::len) {
            let path = format!("{pod}/containers/{container}/volumeMounts/{mount}/readOnly");
            read_only.push(json!({"op": "add", "path": path, "value": true}));
        }
    }
    let all = [
        vec![annotation.clone(), label.clone()],
        read_only.clone(),
        vec![volume.clone(), mount.clone(), env.clone()],
    ];
    vec![
        ("annotation", json!([annotation])),
        ("label", json!([label])),
        ("volume and mount", json!([volume, mount])),
        ("mount and volume", json!([mount, volume])),
        ("read-only", json!(read_only)),
        ("all", json!(all.concat())),
    ]
}

/// Returns RFC 6902 patches of every kind.
fn general_patches(value: &Value) -> Vec<(&'static str, Value)> {
    let pod = pod(value);
    let at = |path: &str| format!("{pod}{path}");
    vec![
        (
            "replace scalar",
            json!([{"op": "replace", "path": at("/containers/0/image"), "value": "registry/x:0644"}]),
        ),
        (
            "replace by list",
            json!([{"op": "replace", "path": at("/containers/0/image"), "value": ["no", {"a": null}]}]),
        ),
        (
            "replace collection",
            json!([{"op": "replace", "path": at("/containers/0"), "value": {"name": "y", "args": ["a\nb\n"]}}]),
        ),
        ("remove", json!([{"op": "remove", "path": at("/containers/0/image")}])),
        (
            "remove first",
            json!([{"op": "remove", "path": at("/containers/0/name")}]),
        ),
        ("remove item", json!([{"op": "remove", "path": at("/containers/0")}])),
        ("remove list", json!([{"op": "remove", "path": at("/volumes")}])),
        (
            "insert first",
            json!([{"op": "add", "path": at("/containers/0"), "value": {"name": "zero", "env": []}}]),
        ),
        (
            "append",
            json!([{"op": "add", "path": at("/containers/-"), "value": {"name": "last"}},
            {"op": "add", "path": at("/containers/-"), "value": {"name": "very last"}}]),
        ),
        (
            "copy",
            json!([{"op": "copy", "from": at("/containers/0"), "path": at("/containers/-")},
            {"op": "replace", "path": at("/containers/0/name"), "value": "other"}]),
        ),
        (
            "move",
            json!([{"op": "move", "from": at("/containers/0/image"), "path": at("/containers/0/Image")}]),
        ),
        (
            "move up",
            json!([{"op": "move", "from": at("/containers"), "path": "/moved"}]),
        ),
        (
            "test and add",
            json!([{"op": "test", "path": at("/containers/0/name"), "value": "c"},
            {"op": "add", "path": at("/nodeSelector"), "value": {}},
            {"op": "add", "path": at("/nodeSelector/a~1b"), "value": "on"}]),
        ),
        (
            "nested",
            json!([{"op": "add", "path": "/status", "value": {"a": [{"b": [[], {}, [1.5]]}]}},
            {"op": "add", "path": "/status/a/0/b/2/-", "value": "1_000"}]),
        ),
    ]
}

#[derive(Default)]
struct Tally {
    spliced: usize,
    reprinted: Vec<String>,
    refused: Vec<String>,
    texts: Vec<String>,
    expected: Vec<(String, Value)>,
}

impl Tally {
    /// Splices one case; what comes out is for kubectl to check.
    fn splice(&mut self, name: &str, text: &str, value: &Value, patch: &Value) {
        let patch: Patch = serde_json::from_value(patch.clone()).unwrap();
        let mut expected = value.clone();
        if json_patch::patch(&mut expected, &patch).is_err() {
            assert!(
                yaml::splice(text, &patch).is_err(),
                "{name}: a patch that does not fit was made"
            );
            return;
        }
        match yaml::splice(text, &patch) {
            Ok(Spliced { text, reprinted, .. }) => {
                self.spliced += usize::from(!reprinted);
                self.reprinted.extend(reprinted.then(|| name.to_owned()));
                self.texts.push(text);
                self.expected
                    .extend(objects(&expected).into_iter().map(|object| (name.to_owned(), object)));
            }
            Err(error) => self.refused.push(format!("{name}: {error}")),
        }
    }

    /// Compares the results with what kubectl reads in them.
    fn check(&self) {
        let texts: Vec<_> = self.texts.iter().map(String::as_str).collect();
        let read = oracle::patched(&texts, &json!([]));
        let wrong: Vec<_> = self
            .expected
            .iter()
            .zip(&read)
            .filter(|((_, expected), read)| expected != *read)
            .collect();
        assert!(wrong.is_empty(), "{} wrong, the first: {:#?}", wrong.len(), wrong[0]);
        assert_eq!(read.len(), self.expected.len());
    }
}

/// Returns each case with the value that kubectl reads in it.
fn read_by_kubectl(cases: &BTreeMap<String, String>) -> Vec<(&str, &str, Value)> {
    let texts: Vec<_> = cases.values().map(String::as_str).collect();
    let mut read = oracle::patched(&texts, &json!([])).into_iter();
    let mut values = Vec::new();
    for (name, text) in cases {
        let local = yaml::value(text).unwrap().unwrap();
        let parsed_by_go: Vec<_> = read.by_ref().take(objects(&local).len()).collect();
        assert_eq!(objects(&local), parsed_by_go, "{name}");
        values.push((name.as_str(), text.as_str(), local));
    }
    assert_eq!(read.next(), None);
    values
}

#[test]
fn storage_patches_are_correct_in_every_shape() {
    let cases = edit_cases();
    assert_eq!(cases.len(), 35);
    let mut tally = Tally::default();
    for (name, text, value) in read_by_kubectl(&cases) {
        for (patch_name, patch) in storage_patches(&value) {
            tally.splice(&format!("{name}: {patch_name}"), text, &value, &patch);
        }
    }
    tally.check();
    assert_eq!(tally.refused, [""; 0]);
    // Only what cannot be edited in place loses its comments.
    let odd = ["explicit key", "merge key in container"];
    let reprinted: Vec<_> = tally
        .reprinted
        .iter()
        .filter(|name| !odd.iter().any(|odd| name.starts_with(odd)))
        .collect();
    assert_eq!(reprinted, [""; 0]);
    assert!(tally.spliced >= 190, "{}", tally.spliced);
}

#[test]
fn general_patches_are_correct_or_refused() {
    let cases = edit_cases();
    let mut tally = Tally::default();
    for (name, text, value) in read_by_kubectl(&cases) {
        for (patch_name, patch) in general_patches(&value) {
            tally.splice(&format!("{name}: {patch_name}"), text, &value, &patch);
        }
    }
    tally.check();
    assert_eq!(tally.refused, [""; 0]);
    assert!(
        tally.spliced >= 400,
        "{} spliced, reprinted: {:#?}",
        tally.spliced,
        tally.reprinted
    );
}

#[test]
fn kubectl_applies_patches_as_we_do() {
    let cases = edit_cases();
    let values = read_by_kubectl(&cases);
    let template = |value: &Value| pod(value) == "/spec/template/spec";
    let deployments: Vec<_> = values.iter().filter(|(_, _, value)| template(value)).collect();
    let texts: Vec<_> = deployments.iter().map(|(_, text, _)| *text).collect();
    for (name, patch) in [
        (
            "labels",
            json!([{"op": "add", "path": "/metadata/labels", "value": {"a": "yes"}}]),
        ),
        (
            "insert",
            json!([{"op": "add", "path": "/spec/template/spec/containers/0", "value": {"name": "n", "x": [1.5, -0.0]}}]),
        ),
        (
            "copy",
            json!([{"op": "copy", "from": "/spec/template/spec/containers/0", "path": "/spec/template/spec/containers/-"}]),
        ),
        (
            "move",
            json!([{"op": "move", "from": "/spec/template", "path": "/spec/x~1y"}, {"op": "remove", "path": "/metadata/name"},
            {"op": "add", "path": "/metadata/name", "value": "0644"}]),
        ),
    ] {
        let parsed_by_go = oracle::patched(&texts, &patch);
        let patch: Patch = serde_json::from_value(patch).unwrap();
        for ((case, text, _), parsed_by_go) in deployments.iter().zip(parsed_by_go) {
            let spliced = yaml::splice(text, &patch).unwrap_or_else(|error| panic!("{case}: {name}: {error}"));
            assert_eq!(
                yaml::value(&spliced.text).unwrap(),
                Some(parsed_by_go),
                "{case}: {name}"
            );
        }
    }
}

#[test]
fn hazardous_documents_keep_their_values_through_edits() {
    let hazards: BTreeMap<String, Value> = serde_json::from_str(include_str!("vectors/yaml/hazards.json")).unwrap();
    let texts: Vec<_> = hazards
        .values()
        .map(|hazard| hazard["yaml"].as_str().unwrap())
        .collect();
    let accepted = oracle::accepted(&texts);
    let mut tally = Tally::default();
    for ((name, hazard), accepted) in hazards.iter().zip(accepted) {
        assert_eq!(
            accepted,
            hazard["error"].is_null(),
            "{name}: this kubectl reads it differently from the vectors"
        );
        let text = hazard["yaml"].as_str().unwrap();
        let Ok(documents) = yaml::documents(text) else { continue };
        let [document] = documents.as_slice() else { continue };
        let text = &text[document.range.clone()];
        let Ok(Some(value)) = yaml::value(text) else { continue };
        if !accepted {
            continue;
        }
        let annotations = json!([{"op": "add", "path": "/metadata/annotations", "value": {"a": "yes"}}]);
        let last = json!([{"op": "add", "path": "/added", "value": ["0644", {"on": true}]}]);
        // Going through an alias or taking away a shared anchor makes a re-print, which has to keep every value.
        let name_of = json!([{"op": "replace", "path": "/metadata/name", "value": "y"}, {"op": "remove", "path": "/kind"},
            {"op": "add", "path": "/kind", "value": "Foo"}]);
        for (patch_name, patch) in [("annotations", annotations), ("last", last), ("name", name_of)] {
            tally.splice(&format!("{name}: {patch_name}"), text, &value, &patch);
        }
        for key in ["a", "b", "v", "m"] {
            if value.get(key).is_some() {
                let patch = json!([{"op": "replace", "path": format!("/{key}"), "value": {"n": "off"}}]);
                tally.splice(&format!("{name}: {key}"), text, &value, &patch);
            }
        }
    }
    tally.check();
    assert_eq!(tally.refused, [""; 0]);
    assert!(
        tally.spliced > 600,
        "{} spliced, reprinted: {:#?}",
        tally.spliced,
        tally.reprinted
    );
}
