//! PersistentVolumes that are one disk: the same server and path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::Object;
use crate::rules::Scope;

/// A directory of a server with several PersistentVolumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The server and the path, as `nas:/media`.
    pub place: String,
    /// The names of the volumes, each with the claim that it names.
    pub volumes: BTreeSet<String>,
}

/// Returns the disks of which several PersistentVolumes are rendered: who writes one claim writes the data of all.
pub(super) fn disks(scope: &Scope<'_>) -> Vec<Disk> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, item) in scope.items() {
        let object = item.object();
        if !object.is("", "PersistentVolume") {
            continue;
        }
        if let Some(place) = place(object) {
            found.entry(place).or_default().insert(volume(object));
        }
    }
    let several = found.into_iter().filter(|(_, volumes)| volumes.len() > 1);
    several.map(|(place, volumes)| Disk { place, volumes }).collect()
}

/// Returns the server and the path of a volume: NFS, or what the CSI drivers for NFS and SMB call them.
fn place(volume: &Object) -> Option<String> {
    let text = |pointer: &'static str| volume.at(pointer).and_then(Value::as_str);
    let path = |path: &str| match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    };
    if let (Some(server), Some(directory)) = (text("/spec/nfs/server"), text("/spec/nfs/path")) {
        return Some(format!("{server}:{}", path(directory)));
    }
    let attributes = volume.at("/spec/csi/volumeAttributes");
    let of_driver = |key: &str| attributes?.get(key)?.as_str();
    if let (Some(server), Some(share)) = (of_driver("server"), of_driver("share")) {
        let below = of_driver("subDir").map(|below| format!("/{below}")).unwrap_or_default();
        return Some(format!("{server}:{}", path(&format!("{share}{below}"))));
    }
    Some(path(of_driver("source")?))
}

/// Returns the name of a volume, with its claim.
fn volume(object: &Object) -> String {
    let text = |pointer: &'static str| object.at(pointer).and_then(Value::as_str);
    let name = object.name();
    match (text("/spec/claimRef/namespace"), text("/spec/claimRef/name")) {
        (Some(namespace), Some(claim)) => format!("{name} ({namespace}/{claim})"),
        _ => name.to_owned(),
    }
}
