//! The stream that is edited, kube-prometheus-stack of the corpus or a generated one of that shape, and the rows that are
//! measured on it inside one process.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use homelab::law::StorageRules;
use homelab::model::parameter::Parameters;
use homelab::model::workload::{CONTAINER_LISTS, pod_templates};
use homelab::model::{AppName, NamespaceName, Object};
use homelab::render::storage_pass;
use homelab::yaml;

use super::{Row, take_turns, time};

const RUNS: usize = 41;

/// A workload of the stream, as yq and kustomize have to name it.
pub(super) struct Workload {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) container: String,
}

/// The stream and its edit: one volume and one mount in each workload.
pub(super) struct Stream {
    pub(super) text: String,
    pub(super) description: String,
    pub(super) workloads: Vec<Workload>,
}

impl Stream {
    pub(super) fn load(corpus: Option<&Path>) -> Result<Self> {
        let (text, what) = match corpus {
            Some(folder) => {
                let path = folder.join("prom__charts__kube-prometheus-stack.yaml");
                (
                    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?,
                    "kube-prometheus-stack",
                )
            }
            None => (generated(), "a generated stream"),
        };
        let documents = yaml::documents(&text)?;
        let mut workloads = Vec::new();
        for document in &documents {
            let Some(tree) = yaml::value(&text[document.range.clone()])? else {
                continue;
            };
            let object = Object::new(tree);
            let templates = pod_templates(&object);
            let Some(template) = templates.iter().find(|template| template.is_usual()) else {
                continue;
            };
            let container = template.containers(CONTAINER_LISTS[0])[0]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            workloads.push(Workload {
                api_version: object.api_version().to_owned(),
                kind: object.kind().to_owned(),
                namespace: object.namespace().unwrap_or("default").to_owned(),
                name: object.name().to_owned(),
                container,
            });
        }
        let description = format!(
            "{what}: {:.1} MB, {} documents, {} workloads",
            text.len() as f64 / 1e6,
            documents.len(),
            workloads.len()
        );
        Ok(Self {
            text,
            description,
            workloads,
        })
    }

    /// Returns the namespace of the workloads; all of them are in one.
    pub(super) fn namespace(&self) -> &str {
        self.workloads.first().map_or("default", |workload| &workload.namespace)
    }

    /// Returns the mounts that edit every workload.
    pub(super) fn mounts(&self) -> Vec<String> {
        let here = self
            .workloads
            .iter()
            .filter(|workload| workload.namespace == self.namespace());
        here.map(|workload| format!("media:/media,workload={}/{}", workload.kind, workload.name))
            .collect()
    }

    fn storage_rules(&self) -> Result<StorageRules> {
        let mounts = self.mounts().iter().map(|mount| mount.parse()).collect::<Result<_>>()?;
        let parameters = Parameters {
            mounts,
            ..Parameters::default()
        };
        StorageRules::new(
            AppName::new("bench")?,
            NamespaceName::new(self.namespace())?,
            &parameters,
            None,
        )
    }

    /// Measures the edit with its proof, compared with a copy of the bytes and with a round trip through a YAML library.
    pub(super) fn rows(&self) -> Result<Vec<Row>> {
        let rules = self.storage_rules()?;
        let edit = || -> Result<_> {
            let text = self.text.clone();
            let mut failed = None;
            let taken = time(|| storage_pass::apply(text, &rules, false).map_err(|error| failed = Some(error)));
            failed.map_or(Ok(taken), Err)
        };
        let mut target = vec![0_u8; self.text.len()];
        let copy = || Ok(time(|| target.copy_from_slice(self.text.as_bytes())));
        let against_copy = take_turns(RUNS, edit, copy)?.at_most("splice with its proof / memcpy", 25.0);
        let round_trip = || Ok(time(|| round_trip(&self.text)));
        let against_library =
            take_turns(7, edit, round_trip)?.faster_by("serde_yaml round trip / splice with its proof", 40.0);
        Ok(vec![against_copy, against_library])
    }
}

/// Reads and prints every document with the maintained fork of serde_yaml.
fn round_trip(text: &str) -> String {
    let documents = yaml::documents(text).unwrap_or_default();
    let values = documents
        .iter()
        .filter_map(|document| yaml_serde::from_str::<yaml_serde::Value>(&text[document.range.clone()]).ok());
    values.filter_map(|value| yaml_serde::to_string(&value).ok()).collect()
}

/// Generates a stream of kube-prometheus-stack's shape: most bytes are CustomResourceDefinitions, six documents are workloads.
fn generated() -> String {
    let mut text = String::new();
    for index in 0..12 {
        let _ = write!(
            text,
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: thing{index}s.example.org\nspec:\n  group: example.org\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        properties:\n"
        );
        for property in 0..3500 {
            let _ = write!(
                text,
                "          property{property}:\n            description: |-\n              What property {property} is for, explained in a sentence of usual length.\n            type: string\n"
            );
        }
    }
    for index in 0..110 {
        let _ = write!(
            text,
            "---\n# Source: chart/templates/config-{index}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{index}\n  namespace: default\n  labels:\n    app: chart\ndata:\n  key: value\n"
        );
    }
    for index in 0..6 {
        let _ = write!(
            text,
            "---\n# Source: chart/templates/deployment-{index}.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: deployment-{index}\n  namespace: default\nspec:\n  template:\n    spec:\n      containers:\n        - name: main\n          image: example.org/image:1\n          args:\n"
        );
        for argument in 0..60 {
            let _ = writeln!(text, "            - --argument-{argument}=value");
        }
        text.push_str("          volumeMounts:\n            - name: tmp\n              mountPath: /tmp\n      volumes:\n        - name: tmp\n          emptyDir: {}\n");
    }
    text
}
