//! The key `clusters` of `.homelab.yaml`: a list of clusters.

use std::collections::BTreeMap;

use super::entry::{Entry, Fault};
use crate::model::{DeclaredCluster, Settings, label};

const FIELDS: [&str; 5] = ["name", "server", "project", "labels", "annotations"];
const HINT: &str = "write a list of maps, as `[{name: nas, server: 'https://nas.lan:6443'}]`";

pub(super) fn read(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    match clusters(entry) {
        Ok(clusters) => settings.clusters = clusters,
        Err(faults) => return faults,
    }
    Vec::new()
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
                if let Some(twin) = clusters.iter().find(|known| is_twin(known, &cluster)) {
                    let message = format!(
                        "the cluster `{}` has the name or the server of `{}`",
                        cluster.name, twin.name
                    );
                    faults.push(item.fault(message, "write every cluster once"));
                }
                clusters.push(cluster);
            }
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(clusters) } else { Err(faults) }
}

fn is_twin(a: &DeclaredCluster, b: &DeclaredCluster) -> bool {
    a.name == b.name || a.server.trim_end_matches('/') == b.server.trim_end_matches('/')
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
