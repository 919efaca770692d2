//! Target `sets`: ApplicationSets with all generators and both template languages over small repositories, held against what
//! Argo CD's own code makes of them.

mod calls;
mod generators;
mod places;
mod repository;
mod templates;
mod words;

use std::collections::BTreeMap;

use anyhow::Result;
use homelab::model::Object;
use homelab::model::clusters::is_secret;
use homelab::repo::RepoPath;
use homelab::sets::{Contents, Reason, Set};
use serde_json::{Value, json};

use super::case::{Answer, Ran, Target};
use super::numbers::Numbers;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "sets",
    oracle: "argocd-sets",
    make,
    run,
    verdict,
};

/// The address of the repository.
const OWN: &str = "https://git.example.org/home.git";

fn make(numbers: &mut Numbers) -> Value {
    let is_go = !numbers.one_in(3);
    let mut case = json!({
        "files": repository::files(numbers),
        "clusters": repository::clusters(numbers),
    });
    case["set"] = match numbers.one_in(3) {
        true => one_template(numbers),
        false => a_set(numbers, is_go),
    };
    // The order of several clusters in one text is not defined.
    if let Some(clusters) = case["clusters"]
        .as_array()
        .filter(|_| case["set"].to_string().contains("flatList"))
    {
        case["clusters"] = clusters.iter().take(1).cloned().collect();
    }
    case
}

/// Returns a set with one template that may be anything, so that nothing else fails.
fn one_template(numbers: &mut Numbers) -> Value {
    let mut set = frame(numbers, true);
    set["spec"]["generators"] = json!([{"list": {"elements": [generators::element(numbers)]}}]);
    let text = templates::text(numbers);
    set["spec"]["template"] = json!({
        "metadata": {"name": "one", "annotations": {"text": text}},
        "spec": {"project": "default", "destination": {"name": "in-cluster"}},
    });
    set
}

fn a_set(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut set = frame(numbers, is_go);
    let count = numbers.pick(&[1, 1, 1, 1, 2, 3]);
    set["spec"]["generators"] = (0..count).map(|_| generators::entry(numbers, is_go, 0)).collect();
    set["spec"]["template"] = places::template(numbers, is_go);
    if numbers.one_in(if is_go { 4 } else { 16 }) {
        set["spec"]["templatePatch"] = json!(places::patch(numbers));
    }
    set
}

/// Returns a set without generators and template.
fn frame(numbers: &mut Numbers, is_go: bool) -> Value {
    let mut spec = json!({"goTemplate": is_go});
    let options: &[&str] = match numbers.below(12) {
        0 | 1 | 6..=9 => &[],
        2 => &["missingkey=zero"],
        3 => &["missingkey=default"],
        4 => &["missingkey=error", "missingkey=invalid"],
        5 if numbers.one_in(8) => &["missingkey=never"],
        _ => &["missingkey=error"],
    };
    if !options.is_empty() {
        spec["goTemplateOptions"] = json!(options);
    }
    if numbers.one_in(6) {
        spec["syncPolicy"] = json!({"preserveResourcesOnDeletion": numbers.one_in(2)});
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "set", "namespace": "argocd"},
        "spec": spec,
    })
}

/// The repository of a case.
struct Case {
    files: BTreeMap<RepoPath, String>,
    clusters: Vec<Object>,
}

impl Contents for Case {
    fn is_own(&self, url: &str) -> bool {
        url == OWN
    }

    fn files(&self) -> Result<Vec<RepoPath>> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).map(|text| text.clone().into_bytes()))
    }

    fn clusters(&self) -> Vec<&Object> {
        self.clusters.iter().collect()
    }
}

fn run(case: &Value) -> Ran {
    let files = case["files"].as_object().into_iter().flatten();
    let files = files.filter_map(|(path, text)| Some((RepoPath::new(path).ok()?, text.as_str()?.to_owned())));
    let clusters = case["clusters"].as_array().into_iter().flatten();
    let contents = Case {
        files: files.collect(),
        clusters: clusters.cloned().map(Object::new).filter(is_secret).collect(),
    };
    let object = Object::new(case["set"].clone());
    let Some(set) = Set::new(&object) else {
        return Ran::fine("no set");
    };
    if has_long_key(&case["set"]) {
        return Ran::fine("a key that is too long for YAML");
    }
    let mut request = json!({
        "set": case["set"].to_string(),
        "files": case["files"],
        "clusters": case["clusters"],
        "unordered": is_unordered(&case["set"]["spec"]),
    });
    if order_decides(&case["set"]["spec"]) {
        return Ran::fine("the order decides, which is not defined");
    }
    match set.expand(&contents) {
        Ok(generated) => {
            let is_patched = case["set"]["spec"].get("templatePatch").is_some();
            let class = match (generated.len(), is_patched) {
                (0, _) => "expanded to nothing",
                (_, true) => "expanded, with a templatePatch",
                (_, false) => "expanded",
            };
            let trees = generated.into_iter().map(|generated| generated.application.into_tree());
            request["found"] = trees.collect();
            Ran {
                request: Some(request),
                ..Ran::fine(class)
            }
        }
        Err(reason) => Ran {
            request: Some(request),
            class: class(&reason),
            refused: Some(reason.to_string()),
            wrong: None,
        },
    }
}

/// Reports whether a key is longer than the 1024 bytes that YAML takes, which is how the oracle gets the set.
fn has_long_key(value: &Value) -> bool {
    match value {
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| json!(key).to_string().len() >= 1024 || has_long_key(value)),
        Value::Array(list) => list.iter().any(has_long_key),
        _ => false,
    }
}

fn class(reason: &Reason) -> String {
    match reason {
        Reason::Unsupported { .. } => "not supported".to_owned(),
        Reason::Invalid { .. } => "refused by both".to_owned(),
        other => format!("{other}"),
    }
}

/// Reports whether a matrix has sets in an order that is not defined: what Argo CD merges into one of them is in the next as well.
fn order_decides(spec: &Value) -> bool {
    let entries = spec["generators"].as_array().into_iter().flatten();
    entries.into_iter().any(|entry| {
        let matrix = entry["matrix"].to_string();
        let is_undefined = matrix.contains("\"merge\"") || matrix.matches("\"clusters\"").count() > 1;
        is_undefined || order_decides(&entry["merge"])
    })
}

/// Reports whether the order of Applications is not defined.
fn is_unordered(spec: &Value) -> bool {
    let entries = spec["generators"].as_array().into_iter().flatten();
    entries.into_iter().any(|entry| {
        let inner = ["matrix", "merge"].iter().any(|kind| is_unordered(&entry[*kind]));
        inner || !entry["clusters"].is_null() || !entry["merge"].is_null()
    })
}

fn verdict(ran: &Ran, answer: &Answer) -> Result<String, String> {
    match (&ran.refused, &answer.must_refuse) {
        (None, None) => Ok(ran.class.clone()),
        (Some(_), Some(_)) => Ok("refused by both".to_owned()),
        (None, Some(why)) => Err(format!("Argo CD refuses it: {why}")),
        (Some(why), None) if ran.class == "not supported" => Ok(format!("not supported: {}", kind_of(why))),
        (Some(why), None) => Err(format!("it is refused: {why}")),
    }
}

/// Returns the words of a reason.
fn kind_of(why: &str) -> String {
    super::shrink::kind_of(why)
}
