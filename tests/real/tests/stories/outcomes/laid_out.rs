//! The rows of the table, and the repository that they are laid out in: each has a namespace and Applications of its own.

use real_parts::repository::Repository;
use serde_json::{Map, Value, json};

use super::short;

/// One state of a row, in the short form.
type Side = Map<String, Value>;

/// A row.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Row {
    /// Its namespace, which its Applications begin with.
    #[serde(skip)]
    pub(super) name: String,
    /// What changes; without it, the row is for the prediction alone.
    #[serde(default)]
    pub(super) when: String,
    pub(super) is: String,
    of: String,
    #[serde(default)]
    pub(super) did: String,
    #[serde(default)]
    live: Vec<Value>,
    first: Option<String>,
    pub(super) base: Side,
    pub(super) head: Side,
    pub(super) next: Option<Side>,
}

/// The object of a row, in this world.
pub(super) struct Of {
    pub(super) kind: String,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// A file that Argo CD takes for a manifest, and cannot read.
const BROKEN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n";

/// Returns the rows that a real Argo CD is tried with.
pub(super) fn read() -> Vec<Row> {
    let mut rows: Vec<Row> = yaml_serde::from_str(include_str!("../../../../vectors/outcomes.yaml")).unwrap();
    rows.retain(|row| !row.when.is_empty());
    for (number, row) in (1..).zip(&mut rows) {
        row.name = format!("row-{number:02}");
    }
    rows
}

/// Returns the Application that brings those of all rows.
pub(super) fn root(url: &str) -> String {
    let entry = json!({"namespace": "argocd", "path": "applications", "repo": url});
    tried_again(short::application("root", &entry)).to_string()
}

/// Gives an Application few retries, so that a sync that fails has failed soon.
fn tried_again(mut application: Value) -> Value {
    if application["spec"]["syncPolicy"].is_object() {
        application["spec"]["syncPolicy"]["retry"] = json!({"limit": 2, "backoff": {"duration": "1s", "factor": 1}});
    }
    application
}

fn one_of(side: &Side) -> impl Iterator<Item = (&String, &Value)> {
    side.iter().filter(|(name, _)| !name.starts_with("set/"))
}

impl Row {
    /// Returns what an Application or a set of this row is called.
    pub(super) fn app(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// Returns the Applications of the second state.
    pub(super) fn applications(&self) -> impl Iterator<Item = String> {
        one_of(&self.head).map(|(name, _)| self.app(name))
    }

    /// Returns the Application that Argo CD syncs first.
    pub(super) fn first(&self) -> Option<String> {
        Some(self.app(self.first.as_ref()?))
    }

    /// Returns its object.
    pub(super) fn of(&self) -> Of {
        let mut parts = self.of.split('/');
        let kind = parts.next().unwrap().to_owned();
        let (namespace, name) = match (parts.next().unwrap(), parts.next()) {
            (name, None) => (None, name.to_owned()),
            ("argocd", Some(name)) => (Some("argocd".to_owned()), self.app(name)),
            (_, Some(name)) => (Some(self.name.clone()), name.to_owned()),
        };
        Of { kind, namespace, name }
    }

    /// Returns what is in the cluster before anything is synced.
    pub(super) fn before(&self) -> String {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}});
        let live = short::objects(&json!(self.live)).into_iter().map(|object| {
            let mut object = self.complete(object);
            object["metadata"]["namespace"] = self.name.as_str().into();
            object
        });
        manifests([namespace].into_iter().chain(live))
    }

    /// Returns the Applications of the first state that somebody applies.
    pub(super) fn by_hand(&self, url: &str) -> Vec<Value> {
        let by_hand = one_of(&self.base).filter(|(_, entry)| entry["by"] == "hand");
        by_hand
            .map(|(name, entry)| self.application(url, name, entry))
            .collect()
    }

    /// Returns the Applications of the first state that nothing syncs.
    pub(super) fn not_automated(&self) -> Vec<String> {
        let is_off = |entry: &Value| {
            let policy = entry.pointer("/spec/syncPolicy");
            policy.is_some_and(|policy| policy.is_null() || policy["automated"]["enabled"] == false)
        };
        let off = one_of(&self.base).filter(|(_, entry)| is_off(entry));
        off.map(|(name, _)| self.app(name)).collect()
    }

    /// Writes its first state.
    pub(super) fn write(&self, home: &Repository, side: &Side) {
        for (path, manifest) in self.manifests(&home.url(), side) {
            home.write(&path, &manifest.to_string()).unwrap();
        }
        for (name, entry) in one_of(side) {
            let objects = short::objects(entry).into_iter().chain(self.moved(name, entry));
            let objects = objects.map(|object| self.complete(object));
            let text = match entry["fails"].as_str() {
                None => manifests(objects),
                Some(_) => BROKEN.to_owned(),
            };
            let folder = self.path(name, entry);
            home.write(&format!("{folder}/objects.yaml"), &text).unwrap();
        }
    }

    /// Writes a state in place of the one before. What an Application renders stays where it goes itself, as in a repository of
    /// charts.
    pub(super) fn change(&self, home: &Repository, [before, after]: [&Side; 2]) {
        for (path, _) in self.manifests(&home.url(), before) {
            home.remove(&path).unwrap();
        }
        self.write(home, after);
    }

    /// Returns the manifests of Applications and sets in files, with their paths.
    fn manifests(&self, url: &str, side: &Side) -> Vec<(String, Value)> {
        let file = |folder: &str, name: &str| format!("{folder}/{}.yaml", self.app(name));
        let of_entry = |(name, entry): (&String, &Value)| match (name.strip_prefix("set/"), entry["by"].as_str()) {
            (Some(set), _) => Some((file("applications", set), self.set(url, set, entry, side))),
            (None, None) => Some((file("applications", name), self.application(url, name, entry))),
            (None, Some("hand")) => Some((file("hand", name), self.application(url, name, entry))),
            (None, Some(_)) => None,
        };
        side.iter().filter_map(of_entry).collect()
    }

    /// Returns the folder of an Application.
    fn path(&self, name: &str, entry: &Value) -> String {
        format!("{}/{}", self.name, entry["path"].as_str().unwrap_or(name))
    }

    /// Returns the claims that an Application renders as before, and that it does not print since it gives them away.
    fn moved(&self, name: &str, entry: &Value) -> Vec<Value> {
        let moves = entry["moves"].as_array().into_iter().flatten();
        let names: Vec<&str> = moves.filter_map(|one| Some(one.as_str()?.split_once('=')?.0)).collect();
        let before = self.base.get(name).map(short::objects).unwrap_or_default();
        let is_moved = |object: &Value| {
            object["metadata"]["name"]
                .as_str()
                .is_some_and(|name| names.contains(&name))
        };
        before.into_iter().filter(is_moved).collect()
    }

    /// Returns an element of a parameter with the names of this row.
    fn parameter(&self, name: &str, element: &str) -> String {
        let parts = |separator: char| element.split_once(separator).unwrap();
        match name {
            "moves" => format!("{}={}", parts('=').0, self.app(parts('=').1)),
            "moved-from" => self.app(element),
            "keeps" => format!(
                "{}/{}={}",
                self.name,
                parts('/').1.split('=').next().unwrap(),
                self.app(parts('=').1)
            ),
            _ => element.to_owned(),
        }
    }

    fn application(&self, url: &str, name: &str, entry: &Value) -> Value {
        let mut whole = match entry {
            Value::Object(_) => entry.clone(),
            _ => json!({}),
        };
        let here = json!({"repo": url, "path": self.path(name, entry), "namespace": self.name});
        short::merge(&mut whole, &here);
        for key in ["moves", "moved-from", "keeps"] {
            for element in whole[key].as_array_mut().into_iter().flatten() {
                *element = self.parameter(key, element.as_str().unwrap()).into();
            }
        }
        tried_again(short::application(&self.app(name), &whole))
    }

    /// Returns a set with a list of the Applications that the state has by it.
    fn set(&self, url: &str, name: &str, entry: &Value, side: &Side) -> Value {
        let mut set = short::set_of(&self.app(name), entry);
        let by_it = one_of(side).filter(|(_, entry)| entry["by"] == *name);
        let mut elements: Vec<Value> = by_it
            .map(|(name, entry)| json!({"name": self.app(name), "path": self.path(name, entry)}))
            .collect();
        let fails = entry["unknown"].is_string();
        if fails {
            elements.push(json!({"path": "none"}));
        }
        let whole = json!({"repo": url, "path": "{{.path}}", "namespace": self.name});
        let application = tried_again(short::application("{{.name}}", &whole));
        let spec = json!({
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
            "generators": [{"list": {"elements": elements}}],
            "template": {"metadata": {"name": "{{.name}}"}, "spec": application["spec"]},
        });
        short::merge(&mut set["spec"], &spec);
        set
    }

    /// Adds what the API server wants of an object and the short form leaves out.
    fn complete(&self, object: Value) -> Value {
        let name = object["metadata"]["name"].clone();
        let mut whole = match object["kind"].as_str().unwrap() {
            "PersistentVolumeClaim" => json!({"spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            }}),
            "Deployment" | "StatefulSet" => json!({"spec": {
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"terminationGracePeriodSeconds": 0}},
            }}),
            "Job" => json!({"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}),
            "CustomResourceDefinition" => json!({"spec": {
                "group": "example.org", "scope": "Namespaced", "names": {"plural": "a", "kind": "A"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
            }}),
            _ => json!({}),
        };
        short::merge(&mut whole, &object);
        if whole["kind"] == "Namespace" {
            whole["metadata"]["name"] = self.name.as_str().into();
        }
        whole
    }
}

fn manifests(objects: impl Iterator<Item = Value>) -> String {
    let documents: Vec<String> = objects.map(|object| object.to_string()).collect();
    documents.join("\n---\n")
}
