//! Directories that data is in without a claim's protection: NFS exports and paths on a node.

use std::fmt;

use serde_json::Value;

use super::claim_use::claim_uses;
use super::object::Object;

/// Folders of a node that hold no data of an application.
const SYSTEM: [&str; 16] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/log",
    "/var/run",
];

/// One directory outside of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Directory {
    /// An export of an NFS server.
    Nfs {
        /// The server, in lower case.
        server: String,
        /// The path, without a trailing slash.
        path: String,
    },
    /// A path of the node.
    Host {
        /// The path, without a trailing slash.
        path: String,
    },
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Directory::Nfs { server, path } => write!(f, "{server}:{path}"),
            Directory::Host { path } => f.write_str(path),
        }
    }
}

/// Returns the directories that an object writes: a PersistentVolume's own unless it is read-only throughout, and those
/// that its pods mount read-write by themselves.
pub fn written(object: &Object) -> Vec<Directory> {
    if object.is("", "PersistentVolume") {
        let spec = object.at("/spec").unwrap_or(&Value::Null);
        return of_source(spec).filter(|_| !only_reads(spec)).into_iter().collect();
    }
    let directories = claim_uses(object).directories.into_iter();
    directories
        .filter(|directory| directory.mounts.iter().any(|mount| !mount.read_only))
        .filter_map(|directory| of_source(directory.volume))
        .collect()
}

/// Returns the folder of the node that a volume, or the spec of a PersistentVolume, is; none for a folder without data.
pub fn host_path(volume: &Value) -> Option<String> {
    match of_source(volume)? {
        Directory::Host { path } => Some(path).filter(|path| path != "/"),
        Directory::Nfs { .. } => None,
    }
}

fn only_reads(volume: &Value) -> bool {
    let modes = volume.get("accessModes").and_then(Value::as_array);
    modes.is_some_and(|modes| !modes.is_empty() && modes.iter().all(|mode| mode == "ReadOnlyMany"))
}

/// Returns the directory of a volume or of a PersistentVolume's spec; none when the source itself is read-only.
fn of_source(volume: &Value) -> Option<Directory> {
    let text = |tree: &Value, key: &str| tree.get(key).and_then(Value::as_str).map(str::to_owned);
    let writes = |tree: &&Value| tree.get("readOnly").and_then(Value::as_bool) != Some(true);
    if let Some(nfs) = volume.get("nfs").filter(writes) {
        return Some(Directory::Nfs {
            server: text(nfs, "server")?.to_ascii_lowercase(),
            path: trimmed(&text(nfs, "path")?),
        });
    }
    let host = volume.get("hostPath").filter(writes)?;
    let device = ["Socket", "CharDevice", "BlockDevice"];
    if text(host, "type").is_some_and(|kind| device.contains(&kind.as_str())) {
        return None;
    }
    let path = trimmed(&text(host, "path")?);
    let is_system =
        |folder: &str| path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let data = !SYSTEM.iter().any(|folder| is_system(folder));
    data.then_some(Directory::Host { path })
}

fn trimmed(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(volume: Value, read_only: bool) -> Vec<String> {
        let object = Object::new(json!({"apiVersion": "v1", "kind": "Pod", "spec": {
            "volumes": [volume], "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/m", "readOnly": read_only}]}]}}));
        written(&object).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_is_written_counts() {
        let nfs = json!({"name": "v", "nfs": {"server": "NAS.lan", "path": "/media/"}});
        assert_eq!(pod(nfs.clone(), false), ["nas.lan:/media"]);
        assert!(pod(nfs, true).is_empty());
        assert_eq!(
            pod(json!({"name": "v", "hostPath": {"path": "/srv/media"}}), false),
            ["/srv/media"]
        );
        assert!(pod(json!({"name": "v", "hostPath": {"path": "/dev/dri"}}), false).is_empty());
        assert_eq!(
            pod(json!({"name": "v", "hostPath": {"path": "/devices"}}), false),
            ["/devices"]
        );
    }

    #[test]
    fn the_volumes_of_every_kind_count() {
        let volume = json!({"name": "v", "nfs": {"server": "nas", "path": "/m"}});
        let mounts = json!([{"name": "v", "mountPath": "/m"}]);
        let pod = json!({"volumes": [volume], "containers": [{"volumeMounts": mounts}]});
        for tree in [
            json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "spec": {"jobTargetRef": {"template": {"spec": pod}}}}),
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "spec": {"workflowSpec": {
                "volumes": [volume], "templates": [{"container": {"volumeMounts": mounts}}]}}}),
        ] {
            assert_eq!(written(&Object::new(tree)).len(), 1);
        }
    }

    #[test]
    fn a_persistent_volume_is_written_unless_every_mode_reads() {
        let volume = |modes: Value| {
            written(&Object::new(
                json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "p"},
                "spec": {"accessModes": modes, "nfs": {"server": "nas", "path": "/m"}}}),
            ))
            .len()
        };
        assert_eq!(
            (volume(json!(["ReadWriteMany"])), volume(json!(["ReadOnlyMany"]))),
            (1, 0)
        );
    }
}
