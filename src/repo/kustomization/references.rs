//! What one kustomization names: other kustomizations, manifests, files, charts.
//!
//! The fields: <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/>.

use serde_json::Value;

use crate::model::{PointerBuf, PointerExt};
use crate::yaml;

/// What a name in a kustomization stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A manifest, a folder with a kustomization, or something remote.
    Resource,
    /// A folder with a kustomization of the kind `Component`, or a remote one.
    Component,
    /// The configuration of a generator, a transformer or a validator: as a resource.
    Plugin,
    /// A file of the kustomization's own folder that is no manifest.
    File,
    /// A file of the kustomization's own folder that helm gets.
    ValueFile,
}

/// One name in a kustomization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it stands for.
    pub role: Role,
    /// Where it stands.
    pub pointer: PointerBuf,
    /// The name: a path relative to the kustomization, or a URL.
    pub path: String,
}

/// A chart that a kustomization inflates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmChart {
    /// Where the entry stands.
    pub pointer: PointerBuf,
    /// Its name.
    pub name: String,
    /// The URL of the Helm repository or the OCI registry; empty for a chart that is there.
    pub repo: String,
    /// Its version; empty for the newest.
    pub version: String,
    /// The folder of the charts, relative to the kustomization.
    pub home: String,
    /// Whether versions in development count as well.
    pub is_devel: bool,
}

impl HelmChart {
    /// Returns the folder of the chart, relative to the kustomization. Where it is there, kustomize pulls nothing.
    pub fn folder(&self) -> String {
        let Self {
            name,
            repo,
            version,
            home,
            ..
        } = self;
        match repo.is_empty() || version.is_empty() {
            true => format!("{home}/{name}"),
            false => format!("{home}/{name}-{version}/{name}"),
        }
    }
}

/// Lists whose entries are names.
const LISTS: [(&str, Role); 9] = [
    ("resources", Role::Resource),
    ("bases", Role::Resource),
    ("components", Role::Component),
    ("generators", Role::Plugin),
    ("transformers", Role::Plugin),
    ("validators", Role::Plugin),
    ("crds", Role::File),
    ("configurations", Role::File),
    ("patchesStrategicMerge", Role::File),
];

/// Lists whose entries have a name in a field.
const FIELDS: [(&str, &str, Role); 6] = [
    ("patches", "path", Role::File),
    ("patchesJson6902", "path", Role::File),
    ("replacements", "path", Role::File),
    ("helmCharts", "valuesFile", Role::ValueFile),
    ("helmChartInflationGenerator", "values", Role::ValueFile),
    ("helmChartInflationGenerator", "valuesFile", Role::ValueFile),
];

/// Generators of ConfigMaps and Secrets, and their fields with names of files.
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];

/// Returns what a kustomization names, in the order of its fields here. What is written inline is left out.
pub fn references(tree: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut add = |role, pointer: PointerBuf, text: &str| {
        if !is_inline(text) {
            let path = text.to_owned();
            found.push(Reference { role, pointer, path });
        }
    };
    for (name, role) in LISTS {
        for (pointer, entry) in entries(tree, name) {
            if let Some(text) = entry.as_str() {
                add(role, pointer, text);
            }
        }
    }
    for (name, field, role) in FIELDS {
        for (pointer, entry) in entries(tree, name) {
            if let Some((key, text)) = string(entry, field) {
                add(role, pointer.child(key), text);
            }
        }
    }
    for (pointer, entry) in entries(tree, "helmCharts") {
        for (below, file) in entries(entry, "additionalValuesFiles") {
            let pointer = below.tokens().fold(pointer.clone(), |at, token| at.child(token));
            if let Some(text) = file.as_str() {
                add(Role::ValueFile, pointer, text);
            }
        }
    }
    for name in GENERATORS {
        for (pointer, entry) in entries(tree, name) {
            for field in ["files", "envs"] {
                for (below, file) in entries(entry, field) {
                    let pointer = below.tokens().fold(pointer.clone(), |at, token| at.child(token));
                    let file = file.as_str().unwrap_or_default();
                    // A file may have another name in the object.
                    let path = file
                        .split_once('=')
                        .filter(|_| field == "files")
                        .map_or(file, |(_, path)| path);
                    if !path.is_empty() {
                        add(Role::File, pointer, path);
                    }
                }
            }
            if let Some((key, text)) = string(entry, "env") {
                add(Role::File, pointer.child(key), text);
            }
        }
    }
    if let Some((key, openapi)) = field(tree, "openapi")
        && let Some((path, text)) = string(openapi, "path")
    {
        add(Role::File, PointerBuf::from_tokens([key, path]), text);
    }
    found
}

/// Returns the charts that a kustomization inflates.
pub fn helm_charts(tree: &Value) -> Vec<HelmChart> {
    let home = field(tree, "helmGlobals").and_then(|(_, globals)| string(globals, "chartHome"));
    let home = home.map_or("charts", |(_, home)| home);
    let text = |entry: &Value, key: &str| string(entry, key).map_or(String::new(), |(_, text)| text.to_owned());
    let new = entries(tree, "helmCharts").map(|(pointer, entry)| HelmChart {
        pointer,
        name: text(entry, "name"),
        repo: text(entry, "repo"),
        version: text(entry, "version"),
        home: home.to_owned(),
        is_devel: field(entry, "devel").is_some_and(|(_, devel)| *devel == Value::Bool(true)),
    });
    let old = entries(tree, "helmChartInflationGenerator").map(|(pointer, entry)| HelmChart {
        pointer,
        name: text(entry, "chartName"),
        repo: text(entry, "chartRepoUrl"),
        version: text(entry, "chartVersion"),
        home: string(entry, "chartHome").map_or(home, |(_, home)| home).to_owned(),
        is_devel: false,
    });
    new.chain(old).collect()
}

/// Reports whether an entry is a document, and no name of one.
fn is_inline(text: &str) -> bool {
    text.contains('\n')
        || text.contains('{') && yaml::value(text).is_ok_and(|value| value.is_some_and(|v| v.is_object()))
}

/// Returns a field of a map, with its key as it is written: Go takes keys in any case.
fn field<'t>(tree: &'t Value, name: &str) -> Option<(&'t str, &'t Value)> {
    let fields = tree.as_object()?;
    let any_case = || fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    let (key, value) = fields.get_key_value(name).or_else(any_case)?;
    Some((key, value))
}

fn string<'t>(tree: &'t Value, name: &str) -> Option<(&'t str, &'t str)> {
    let (key, value) = field(tree, name)?;
    Some((key, value.as_str().filter(|text| !text.is_empty())?))
}

/// Returns the entries of a list, each with its place.
fn entries<'t>(tree: &'t Value, name: &str) -> impl Iterator<Item = (PointerBuf, &'t Value)> {
    let list = field(tree, name).and_then(|(key, value)| Some((key, value.as_array()?)));
    list.into_iter().flat_map(|(key, list)| {
        let places = list.iter().enumerate();
        places.map(move |(index, entry)| (PointerBuf::from_tokens([key]).child(index), entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_that_is_read_is_named() {
        let tree = json!({
            "resources": ["a.yaml", "../base"], "Components": ["../c"], "bases": ["old"],
            "patches": [{"path": "p.yaml"}, {"patch": "- op: test"}],
            "patchesStrategicMerge": ["s.yaml", "kind: X\nmetadata: {}\n"],
            "generators": ["g.yaml", "{\"kind\": \"X\"}"],
            "replacements": [{"path": "r.yaml"}, {"source": {}}],
            "configMapGenerator": [{"files": ["one", "key=deep/two"], "envs": ["e.env"], "env": "o.env", "literals": ["a=b"]}],
            "secretGenerator": [{"envs": ["s.env"]}],
            "helmCharts": [{"name": "x", "valuesFile": "v.yaml", "additionalValuesFiles": ["w.yaml"]}],
            "openapi": {"path": "schema.json"}, "crds": ["crd.yaml"], "configurations": ["conf.yaml"],
        });
        let found = references(&tree);
        let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "a.yaml",
                "../base",
                "old",
                "../c",
                "g.yaml",
                "crd.yaml",
                "conf.yaml",
                "s.yaml",
                "p.yaml",
                "r.yaml",
                "v.yaml",
                "w.yaml",
                "one",
                "deep/two",
                "e.env",
                "o.env",
                "s.env",
                "schema.json"
            ]
        );
        for one in &found {
            assert!(tree.pointer(one.pointer.as_str()).is_some(), "{}", one.pointer);
        }
    }

    #[test]
    fn a_chart_has_a_folder_of_its_own_where_repository_and_version_are_named() {
        let tree = json!({"helmGlobals": {"chartHome": "../charts"}, "helmCharts": [
            {"name": "a", "repo": "https://x.example", "version": "1.0.0"}, {"name": "b"}, {"name": "c", "repo": "oci://x"}]});
        let folders: Vec<String> = helm_charts(&tree).iter().map(HelmChart::folder).collect();
        assert_eq!(folders, ["../charts/a-1.0.0/a", "../charts/b", "../charts/c"]);
    }
}
