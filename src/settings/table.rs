//! The keys of `.homelab.yaml`.

use std::fmt::Debug;

use serde_json::Value;

use super::entry::{Entry, Fault};
use crate::model::Settings;
use crate::model::kube_version::is_kube_version;
use crate::model::repo_url;
use crate::model::settings::{Flavour, Level};
use crate::model::spelling::nearest;
use crate::repo::Excluded;
use crate::rules::{self, Meta};

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes, for the documentation.
    pub takes: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Whether it says what the repository consists of, which the plugin has to know as well.
    pub is_scanned: bool,
    /// Reads its value into the settings, and returns what is wrong with it.
    pub(super) read: fn(&mut Settings, &Entry<'_>) -> Vec<Fault>,
}

/// Every key, in the order of the documentation.
pub static TABLE: &[Key] = &[
    Key {
        name: "kubeVersion",
        takes: "a version, as `1.34`",
        doc: "The cluster's version of Kubernetes, which charts see. It is taken as it is written: `1.30` is not 1.3. `--kube-version` wins.",
        is_scanned: false,
        read: kube_version,
    },
    Key {
        name: "apiVersions",
        takes: "a list, as `[monitoring.coreos.com/v1]`",
        doc: "API versions that charts see besides Helm's own. `--api-versions` replaces the list.",
        is_scanned: false,
        read: api_versions,
    },
    Key {
        name: "flavour",
        takes: "k3s, kind, k0s, microk8s, minikube, rke2, talos or kubeadm",
        doc: "The distribution of Kubernetes, for rules on the storage classes that a cluster has by itself.",
        is_scanned: false,
        read: flavour,
    },
    Key {
        name: "nodes",
        takes: "a number",
        doc: "How many nodes the cluster has, for rules on volumes of one node.",
        is_scanned: false,
        read: nodes,
    },
    Key {
        name: "rules",
        takes: "a map, as `HL306: off`",
        doc: "The level of rules, by their ids: `off`, `warning` or `error`. `validate` says which errors it lowers.",
        is_scanned: false,
        read: levels,
    },
    Key {
        name: "exclude",
        takes: "a list of patterns, as `[tests/**]`",
        doc: "Files that are never scanned, in the form of `.gitignore` without `!`: a pattern with a `/` in it starts at the repository's top, another one matches in every folder. Argo CD reads what an Application's source names nevertheless.",
        is_scanned: true,
        read: exclude,
    },
    Key {
        name: "repoURLs",
        takes: "a list of URLs",
        doc: "Other addresses of this repository, as that of a Git server inside the cluster. The working tree's remotes are known anyway.",
        is_scanned: true,
        read: repo_urls,
    },
    Key {
        name: "roots",
        takes: "a list, as `[{path: bootstrap}]`",
        doc: "Charts and folders that somebody applies by hand or with a script, each with `path`, and with `name` (the release; the folder's name by default), `namespace` (that of Argo CD), `values` (a list of files) and `parameters` (a map, as `helm --set` takes them) where it needs them. All paths start at the repository's top.",
        is_scanned: true,
        read: super::roots::read,
    },
    Key {
        name: "clusters",
        takes: "a list, as `[{name: nas, server: 'https://nas.lan:6443'}]`",
        doc: "Argo CD's clusters that no Secret in the repository describes, for the cluster generators of ApplicationSets and for destinations: `name` and `server`, and `labels`, `annotations` (maps) and `project` where the Secret has them.",
        is_scanned: true,
        read: super::clusters::read,
    },
];

fn exclude(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    let Some(items) = entry.items() else {
        return vec![entry.fault("`exclude` is not a list", "write a list of patterns, as `[tests/**]`")];
    };
    let mut faults = Vec::new();
    for item in items {
        let text = item.value.as_str().unwrap_or_default();
        match Excluded::new([text]) {
            Ok(_) => settings.exclude.push(text.to_owned()),
            Err(error) => faults.push(item.fault_of(error)),
        }
    }
    faults
}

fn repo_urls(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    let Some(items) = entry.items() else {
        return vec![entry.fault(
            "`repoURLs` is not a list",
            "write a list of URLs, as Applications name them",
        )];
    };
    let mut faults = Vec::new();
    for item in items {
        let text = item.value.as_str().unwrap_or_default();
        match repo_url::usable(text, false) {
            Ok(()) => settings.repo_urls.push(text.to_owned()),
            Err(error) => faults.push(item.fault_of(error)),
        }
    }
    faults
}

fn kube_version(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    match entry.text().filter(|text| is_kube_version(text)) {
        Some(text) => settings.kube_version = Some(text),
        None => return vec![entry.fault("not a version of Kubernetes", "write it as `1.34`")],
    }
    Vec::new()
}

fn api_versions(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    const HINT: &str = "write a list of `group/version` or `group/version/Kind`";
    let Some(items) = entry.items() else {
        return vec![entry.fault("`apiVersions` is not a list", HINT)];
    };
    let mut faults = Vec::new();
    for item in items {
        match item.text().filter(|text| is_api_version(text)) {
            Some(text) => settings.api_versions.push(text),
            None => faults.push(item.fault("not an API version", HINT)),
        }
    }
    faults
}

/// Reports whether a text has the form `version`, `group/version` or `group/version/Kind`.
fn is_api_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let is_part = |part: &&str| !part.is_empty() && !part.contains([' ', ',']);
    parts.len() <= 3 && parts.iter().all(is_part)
}

fn flavour(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    match named(entry, &Flavour::NAMES) {
        Ok(flavour) => settings.flavour = Some(flavour),
        Err(fault) => return vec![fault],
    }
    Vec::new()
}

fn nodes(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    match entry.value.as_u64().filter(|count| *count > 0) {
        Some(count) => settings.nodes = Some(count),
        None => return vec![entry.fault("`nodes` is not a number of nodes", "write it as `3`")],
    }
    Vec::new()
}

fn levels(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    let Value::Object(map) = entry.value else {
        return vec![entry.fault("`rules` is not a map", "write it as `HL306: off`, each rule in a line")];
    };
    let mut faults = Vec::new();
    for (id, value) in map {
        let entry = entry.child(id, value);
        match rule(&entry, id).and_then(|meta| Ok((meta, level(&entry)?))) {
            Ok((meta, Level::Off)) if rules::is_locked(meta.id) => faults.push(entry.fault(
                format!("{id} cannot be switched off: nothing else is certain while it is found"),
                format!("correct what breaks `{}`, or make it a warning", meta.name),
            )),
            Ok((meta, level)) => {
                settings.levels.insert(meta.id, level);
            }
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

fn rule(entry: &Entry<'_>, id: &str) -> Result<&'static Meta, Fault> {
    if let Some(meta) = rules::metas().find(|meta| meta.id == id) {
        return Ok(meta);
    }
    let hint = match rules::meant(id) {
        Some(meta) => format!("write `{}`, which is {}", meta.id, meta.name),
        None => "list the rules with `kubectl homelab explain`".to_owned(),
    };
    Err(entry.fault_on_key(format!("there is no rule `{id}`"), hint))
}

fn level(entry: &Entry<'_>) -> Result<Level, Fault> {
    // An `off` without quotes is `false` in YAML.
    if *entry.value == Value::Bool(false) || entry.value == "false" {
        return Ok(Level::Off);
    }
    named(entry, &Level::NAMES)
}

/// Returns the value of a name.
fn named<T: Copy + Debug>(entry: &Entry<'_>, names: &[(T, &'static str)]) -> Result<T, Fault> {
    let text = entry.text().unwrap_or_default();
    if let Some((value, _)) = names.iter().find(|(_, name)| *name == text) {
        return Ok(*value);
    }
    let all: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
    let hint = match nearest(&text, all.iter().copied()) {
        Some(meant) => format!("write `{meant}`"),
        None => format!("write one of {}", all.join(", ")),
    };
    let shown = entry.text().map_or("this".to_owned(), |text| format!("`{text}`"));
    Err(entry.fault(format!("{shown} is not known here"), hint))
}
