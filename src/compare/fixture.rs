//! Two small repositories for tests, from a short form of YAML:
//!
//! ```yaml
//! base: {media: [{kind: PersistentVolumeClaim, name: data}]}
//! head: {media: []}
//! ```
//!
//! An Application is a list of objects, or a map with `objects` and what is not as usual: `spec`, `namespace`, `finalizers`, `path`,
//! the parameters `owns`, `moves`, `moved-from`, `keeps` and `releases`, and `by`: `root`, `hand` or the name of a set. `set/NAME` is an ApplicationSet. Objects have `kind`, `name`, `ns`,
//! `labels`, `annotations`, and shorthands: `size` and `class` of a claim; `image`, `replicas`, `pod`, `claims` and `reads` of a
//! workload.

use serde_json::{Map, Value, json};

use super::{Circumstances, Comparison, State};
use crate::model::{AppName, AppRenders, Availability, Object, Pointer};
use crate::repo::{Anchor, Generated, Manifest, Memory, Origin, Repo, RepoPath, Unknown};
use crate::rules::Scope;

const HOME: &str = "https://git.example.org/me/home";

/// Two states.
pub(crate) struct Fixture {
    sides: [(Repo, AppRenders); 2],
}

impl Fixture {
    pub(crate) fn read(text: &str) -> Self {
        let tree: Value = yaml_serde::from_str(text).unwrap();
        Self {
            sides: ["base", "head"].map(|side| repository(tree[side].as_object().unwrap())),
        }
    }

    /// Compares the two states.
    pub(crate) fn compare<R>(&self, then: impl FnOnce(&Comparison<'_>) -> R) -> R {
        self.compare_in(&Circumstances::named("abc1234"), then)
    }

    pub(crate) fn compare_in<R>(
        &self,
        circumstances: &Circumstances<'_>,
        then: impl FnOnce(&Comparison<'_>) -> R,
    ) -> R {
        let [base, head] = &self.sides;
        let (base, head) = (Scope::new(&base.0, &base.1), Scope::new(&head.0, &head.1));
        let (base, head) = (State::of(&base), State::of(&head));
        then(&Comparison::of(&base, &head, circumstances))
    }

    /// Returns a line for each prediction: object, action, reason, guard, and the checks that fire.
    pub(crate) fn describe(&self) -> String {
        self.compare(|comparison| {
            let lines = comparison.predictions.iter().map(|one| {
                let hits: Vec<&str> = one.hits.iter().map(|hit| hit.id).collect();
                let twin = one.twin.as_ref().map(|twin| format!(" ~ {twin}")).unwrap_or_default();
                format!(
                    "{}{twin}: {} {} {} [{}] {}\n",
                    one.place,
                    one.action(),
                    one.outcome.reason.word,
                    one.outcome.guard.word(),
                    hits.join(" "),
                    one.level
                )
            });
            let withheld = comparison
                .withheld
                .iter()
                .map(|one| format!("{}: withheld {:?}\n", one.app, one.side));
            lines.chain(withheld).collect()
        })
    }
}

fn repository(side: &Map<String, Value>) -> (Repo, AppRenders) {
    let mut files: Vec<(String, String)> = Vec::new();
    let (mut renders, mut generated, mut in_root, mut unknown) =
        (AppRenders::new(), Vec::new(), Vec::new(), Vec::new());
    let root = application(
        "root",
        &json!({"namespace": "argocd", "path": "applications", "repo": HOME}),
    );
    files.push(("root.yaml".to_owned(), root.to_string()));
    for (name, entry) in side {
        if let Some(set) = name.strip_prefix("set/") {
            let tree = set_of(set, entry);
            files.push((format!("applications/{set}.yaml"), tree.to_string()));
            in_root.push(Object::new(tree));
            if let Some(why) = entry["unknown"].as_str() {
                unknown.push(Unknown {
                    name: set.to_owned(),
                    kind: "ApplicationSet",
                    place: (RepoPath::new(&format!("applications/{set}.yaml")).unwrap(), 0),
                    why: why.to_owned(),
                    hint: None,
                });
            }
            continue;
        }
        let tree = application(name, entry);
        match entry["by"].as_str().unwrap_or("root") {
            "root" => {
                files.push((format!("applications/{name}.yaml"), tree.to_string()));
                in_root.push(Object::new(tree));
            }
            "hand" => files.push((format!("hand/{name}.yaml"), tree.to_string())),
            set => generated.push((set.to_owned(), Object::new(tree))),
        }
        let objects = entry
            .as_array()
            .or(entry["objects"].as_array())
            .cloned()
            .unwrap_or_default();
        let render = match entry["fails"].as_str() {
            Some(message) => Availability::Failed {
                message: message.to_owned(),
                hint: None,
                rule: None,
            },
            None => Availability::Available(objects.iter().map(object).collect()),
        };
        renders.insert(AppName::new(name).unwrap(), render);
    }
    renders.insert(AppName::new("root").unwrap(), Availability::Available(in_root));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let mut repo = Repo::read(&Memory::new(files).unwrap(), &[HOME.to_owned()]).unwrap();
    repo.unknown.extend(unknown);
    for (set, object) in generated {
        repo.derived.push(Manifest {
            file: RepoPath::new(&format!("applications/{set}.yaml")).unwrap(),
            document: 0,
            object,
            origin: Origin::Generated(Generated {
                set,
                template: Anchor::Of(Pointer::from_static("/spec/template").to_buf()),
                folders: Vec::new(),
            }),
        });
    }
    (repo, renders)
}

fn merge(tree: &mut Value, over: &Value) {
    match (tree, over) {
        (Value::Object(tree), Value::Object(over)) => {
            for (key, value) in over {
                merge(tree.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (tree, over) => *tree = over.clone(),
    }
}

fn application(name: &str, entry: &Value) -> Value {
    let text = |key: &str, otherwise: &str| entry[key].as_str().unwrap_or(otherwise).to_owned();
    let finalizers = match &entry["finalizers"] {
        Value::Null => json!(["resources-finalizer.argocd.argoproj.io"]),
        given => given.clone(),
    };
    let mut tree = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "finalizers": finalizers},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": text("namespace", "media")},
            "source": {"repoURL": text("repo", "https://git.example.org/me/charts"), "path": text("path", name), "targetRevision": "main"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        },
    });
    let parameters = ["owns", "moves", "moved-from", "keeps", "releases"].into_iter();
    let parameters = parameters.filter(|name| entry[*name].is_array());
    let parameters: Vec<Value> = parameters
        .map(|name| json!({"name": name, "array": entry[name]}))
        .collect();
    if !parameters.is_empty() {
        tree["spec"]["source"]["plugin"] = json!({"name": "homelab-v1", "parameters": parameters});
    }
    merge(
        &mut tree["spec"],
        &entry.get("spec").cloned().unwrap_or_else(|| json!({})),
    );
    tree
}

fn set_of(name: &str, entry: &Value) -> Value {
    let mut tree = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"generators": [], "template": {"metadata": {"name": "x"}, "spec": {"project": "default"}}},
    });
    merge(
        &mut tree["spec"],
        &entry.get("spec").cloned().unwrap_or_else(|| json!({})),
    );
    tree
}

fn api_version(kind: &str) -> &'static str {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        "StorageClass" => "storage.k8s.io/v1",
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => "rbac.authorization.k8s.io/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    }
}

fn object(short: &Value) -> Object {
    let kind = short["kind"].as_str().unwrap();
    let mut tree = json!({"apiVersion": api_version(kind), "kind": kind, "metadata": {"name": short["name"]}});
    for (key, value) in short.as_object().unwrap() {
        match key.as_str() {
            "kind" | "name" | "claims" | "reads" | "pod" | "image" => {}
            "ns" => tree["metadata"]["namespace"] = value.clone(),
            "labels" | "annotations" => tree["metadata"][key] = value.clone(),
            "size" => tree["spec"]["resources"]["requests"]["storage"] = value.clone(),
            "class" => tree["spec"]["storageClassName"] = value.clone(),
            "replicas" => tree["spec"]["replicas"] = value.clone(),
            "spec" => merge(&mut tree["spec"], value),
            _ => tree[key] = value.clone(),
        }
    }
    if matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob") {
        let pod = match kind {
            "CronJob" => &mut tree["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            _ => &mut tree["spec"]["template"]["spec"],
        };
        *pod = pod_of(short);
    }
    Object::new(tree)
}

fn pod_of(short: &Value) -> Value {
    let pairs = |value: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match value {
            Value::Array(names) => names.iter().map(|name| (text(name), text(name))).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(volume, claim)| (volume.clone(), text(claim)))
                .collect(),
            _ => Vec::new(),
        }
    };
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    for (key, read_only) in [("claims", false), ("reads", true)] {
        for (volume, claim) in pairs(&short[key]) {
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}));
            mounts.push(json!({"name": volume, "mountPath": format!("/{volume}"), "readOnly": read_only}));
        }
    }
    let image = short["image"].as_str().unwrap_or("x:1");
    let mut pod = json!({"containers": [{"name": "c", "image": image, "volumeMounts": mounts}], "volumes": volumes});
    merge(&mut pod, &short.get("pod").cloned().unwrap_or_else(|| json!({})));
    pod
}
