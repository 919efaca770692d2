//! Lists of clusters: the key `clusters` of `.homelab.yaml`, and a file that a command line names.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::document::documents;
use super::entry::{Entry, Fault};
use crate::failure::HintExt;
use crate::model::{DeclaredCluster, Object, PointerBuf, Settings, label};

const FIELDS: [&str; 5] = ["name", "server", "project", "labels", "annotations"];
const FILE_HINT: &str =
    "write the Secrets that describe clusters to Argo CD, or a list as `[{name: nas, server: 'https://nas.lan:6443'}]`";
const HINT: &str = "write a list of maps, as `[{name: nas, server: 'https://nas.lan:6443'}]`";

pub(super) fn read(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    match clusters(entry) {
        Ok(clusters) => settings.clusters = clusters,
        Err(faults) => return faults,
    }
    Vec::new()
}

/// Reads a file of clusters: lists as in `.homelab.yaml`, the Secrets that describe clusters to Argo CD, and lists of them, in
/// any number of documents. `file` is its name in messages; no message contains a value of a Secret.
///
/// # Errors
/// When there is anything else in it, or nothing: with its place.
pub fn clusters_of_file(file: &str, text: &str) -> Result<Vec<DeclaredCluster>> {
    let mut found = Vec::new();
    for document in documents(file, text)? {
        document.check(|_| true)?;
        document.read(|root| {
            let read = match root.value {
                Value::Array(_) => clusters(root),
                _ => of_secrets(root),
            };
            read.and_then(|read| add(&mut found, read, root))
                .err()
                .unwrap_or_default()
        })?;
    }
    if found.is_empty() {
        return Err(anyhow!("{file}:1:1: there is no cluster in it").hint(FILE_HINT));
    }
    Ok(found)
}

/// Adds clusters of another document.
fn add(known: &mut Vec<DeclaredCluster>, more: Vec<DeclaredCluster>, root: &Entry<'_>) -> Result<(), Vec<Fault>> {
    for cluster in more {
        if let Some(fault) = twin(known, &cluster, root) {
            return Err(vec![fault]);
        }
        known.push(cluster);
    }
    Ok(())
}

/// Reads a Secret that describes a cluster, or a list of such Secrets.
fn of_secrets(root: &Entry<'_>) -> Result<Vec<DeclaredCluster>, Vec<Fault>> {
    let items = match root.value.get("kind").and_then(Value::as_str) {
        Some("List" | "SecretList") => {
            let items = root.value.get("items").map(|items| root.child("items", items));
            items
                .and_then(|items| items.items())
                .ok_or_else(|| vec![root.fault("a list without `items`", FILE_HINT)])?
        }
        _ => vec![Entry::new(root.value, PointerBuf::new(), root.written)],
    };
    let (mut clusters, mut faults) = (Vec::new(), Vec::new());
    for item in items {
        match DeclaredCluster::of_secret(&Object::new(item.value.clone())) {
            Some(Ok(cluster)) => clusters.push(cluster),
            Some(Err(error)) => faults.push(item.fault(format!("{error:#}"), "write it as Argo CD reads it")),
            None => faults.push(item.fault("neither a list of clusters nor a Secret that describes one", FILE_HINT)),
        }
    }
    if faults.is_empty() { Ok(clusters) } else { Err(faults) }
}

/// Reads a list of clusters.
fn clusters(entry: &Entry<'_>) -> Result<Vec<DeclaredCluster>, Vec<Fault>> {
    let Some(items) = entry.items() else {
        return Err(vec![entry.fault("the clusters are not a list", HINT)]);
    };
    let (mut clusters, mut faults): (Vec<DeclaredCluster>, _) = (Vec::new(), Vec::new());
    for item in items {
        match cluster(&item) {
            Ok(cluster) => {
                faults.extend(twin(&clusters, &cluster, &item));
                clusters.push(cluster);
            }
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(clusters) } else { Err(faults) }
}

/// Returns the fault of a cluster that has the name or the server of one that is known.
fn twin(known: &[DeclaredCluster], cluster: &DeclaredCluster, item: &Entry<'_>) -> Option<Fault> {
    let twin = known.iter().find(|known| known.is_twin_of(cluster))?;
    let (name, other) = (&cluster.name, &twin.name);
    let message = format!("the cluster `{name}` has the name or the server of `{other}`");
    Some(item.fault(message, "write every cluster once"))
}

fn cluster(item: &Entry<'_>) -> Result<DeclaredCluster, Vec<Fault>> {
    let fields = item.fields(&FIELDS)?;
    let text = |key: &str| match fields.get(key) {
        Some(entry) => match entry.text().filter(|text| !text.is_empty()) {
            Some(text) => Ok(Some(text)),
            None => Err(vec![entry.fault(format!("`{key}` is not a text"), HINT)]),
        },
        None => Ok(None),
    };
    let needed = |key: &str| text(key)?.ok_or_else(|| vec![item.fault(format!("a cluster has no `{key}`"), HINT)]);
    let name = needed("name")?;
    let server = needed("server")?;
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| server.strip_prefix(scheme));
    if host.is_none_or(|host| host.is_empty() || host.contains(char::is_whitespace)) {
        let place = fields.get("server").unwrap_or(item);
        let hint =
            "write it as `https://nas.lan:6443`; that of Argo CD's own cluster is `https://kubernetes.default.svc`";
        return Err(vec![place.fault("not the URL of an API server", hint)]);
    }
    let texts = |key: &str, check: Check| match fields.get(key) {
        Some(entry) => checked(entry, check),
        None => Ok(BTreeMap::new()),
    };
    Ok(DeclaredCluster {
        name,
        server,
        project: text("project")?,
        labels: texts("labels", |key, value| {
            label::check_key(key).and_then(|()| label::check_value(value))
        })?,
        annotations: texts("annotations", |key, _| label::check_key(key))?,
    })
}

/// Refuses what the API server would.
type Check = fn(&str, &str) -> anyhow::Result<()>;

fn checked(entry: &Entry<'_>, check: Check) -> Result<BTreeMap<String, String>, Vec<Fault>> {
    let texts = entry.texts("write a map of texts, as `{env: home}`")?;
    for (key, value) in &texts {
        if let Err(error) = check(key, value) {
            return Err(vec![
                entry.fault(format!("{error:#}"), "write it as Kubernetes accepts it"),
            ]);
        }
    }
    Ok(texts)
}
