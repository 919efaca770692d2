//! The cluster generator.

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::super::Reason;
use super::super::selector::Selector;
use super::super::template::{Items, Value, sanitized};
use super::{Context, ParameterSet};
use crate::model::Object;
use crate::model::cluster::{LOCAL_NAME, LOCAL_SERVER};

/// Annotations that Argo CD keeps from templates.
const HIDDEN: [&str; 5] = [
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/installation-id",
    "kubectl.kubernetes.io/last-applied-configuration",
];

impl Context<'_> {
    /// Returns the parameters of the known clusters, in the order of names; Argo CD's order is not defined.
    pub(super) fn clusters(&self, generator: &Json) -> Result<Vec<ParameterSet>, Reason> {
        let wanted = &generator["selector"];
        let selector = Selector::of_labels(wanted)?;
        let selects = |key: &str| {
            wanted[key].as_object().is_some_and(|map| !map.is_empty())
                || wanted[key].as_array().is_some_and(|list| !list.is_empty())
        };
        let is_selective = selects("matchLabels") || selects("matchExpressions");
        let mut clusters = BTreeMap::new();
        for secret in self.contents.clusters() {
            clusters.insert(data(secret, "name")?.unwrap_or_default(), secret);
        }
        clusters.retain(|_, secret| selector.matches(&texts(secret, "labels")));
        let (mut sets, mut has_local) = (Vec::new(), false);
        for (name, secret) in clusters {
            let server = data(secret, "server")?.unwrap_or_default();
            has_local |= server == LOCAL_SERVER;
            let project = data(secret, "project")?.unwrap_or_default();
            let mut values = basics(&name, &sanitized(&name), &server, &project);
            let (labels, annotations) = (texts(secret, "labels"), texts(secret, "annotations"));
            let has_annotations = !annotations.is_empty();
            let shown = annotations
                .into_iter()
                .filter(|(key, _)| !HIDDEN.contains(&key.as_str()));
            if self.language.is_go() {
                let mut metadata = Vec::new();
                if has_annotations {
                    metadata.push(("annotations".to_owned(), Value::text_map(shown)));
                }
                if !labels.is_empty() {
                    metadata.push(("labels".to_owned(), Value::text_map(labels)));
                }
                values.push(("metadata".to_owned(), Value::map(metadata)));
            } else {
                values.extend(shown.map(|(key, value)| (format!("metadata.annotations.{key}"), Value::Text(value))));
                let labels = labels.into_iter();
                values.extend(labels.map(|(key, value)| (format!("metadata.labels.{key}"), Value::Text(value))));
            }
            sets.push(ParameterSet::new(values));
        }
        if !is_selective && !has_local {
            sets.push(ParameterSet::new(basics(LOCAL_NAME, LOCAL_NAME, LOCAL_SERVER, "")));
        }
        for set in &sets {
            self.add_values(&generator["values"], set)?;
        }
        if generator["flatList"] == true {
            let all: Vec<Value> = sets.into_iter().map(|set| set.values).collect();
            let clusters = Value::List(Items::Map, Rc::new(all));
            return Ok(vec![ParameterSet::new([("clusters".to_owned(), clusters)])]);
        }
        Ok(sets)
    }
}

fn basics(name: &str, normalized: &str, server: &str, project: &str) -> Vec<(String, Value)> {
    let pairs = [
        ("name", name),
        ("nameNormalized", normalized),
        ("server", server),
        ("project", project),
    ];
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::text(value)))
        .collect()
}

fn texts(secret: &Object, key: &str) -> BTreeMap<String, String> {
    let map = secret.tree()["metadata"][key].as_object().into_iter().flatten();
    map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Returns an entry of a Secret.
fn data(secret: &Object, key: &str) -> Result<Option<String>, Reason> {
    if let Some(text) = secret.tree()["stringData"][key].as_str() {
        return Ok(Some(text.to_owned()));
    }
    let Some(text) = secret.tree()["data"][key].as_str() else {
        return Ok(None);
    };
    let decoded = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let wrong = || {
        Reason::unsupported(format!(
            "the Secret of a cluster `{}`, whose `{key}` cannot be read,",
            secret.name()
        ))
    };
    decoded.map(Some).ok_or_else(wrong)
}
