//! What is known of single kinds, a line each.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Embedded;

/// Kinds that are passed over: a CRD holds schemas, Argo CD's own kinds hold parameters and patches of other objects, and
/// claims and volumes mount nothing.
const PASSED_OVER: &[(&str, &str)] = &[
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
];

/// How the volumes of a kind are used where they stand apart from its containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// By lists `volumeMounts` anywhere below.
    Containers,
    /// By the disks of a virtual machine.
    Disks,
}

/// Kinds whose volumes stand apart from their containers, the pointer to the map with `volumes`, and their use. The CRD of
/// each has `readOnly` at the volume and, for containers, at the mount.
const APART: &[(&str, &str, &str, Layout)] = &[
    ("argoproj.io", "ClusterWorkflowTemplate", "/spec", Layout::Containers),
    ("argoproj.io", "CronWorkflow", "/spec/workflowSpec", Layout::Containers),
    ("argoproj.io", "Workflow", "/spec", Layout::Containers),
    ("argoproj.io", "WorkflowTemplate", "/spec", Layout::Containers),
    ("kubevirt.io", "VirtualMachine", "/spec/template/spec", Layout::Disks),
    ("kubevirt.io", "VirtualMachineInstance", "/spec", Layout::Disks),
    (
        "sparkoperator.k8s.io",
        "ScheduledSparkApplication",
        "/spec/template",
        Layout::Containers,
    ),
    ("sparkoperator.k8s.io", "SparkApplication", "/spec", Layout::Containers),
];

/// Kinds whose pod specs are known to keep `readOnly`.
const KEEPS_READ_ONLY: &[(&str, &[&str])] = &[
    ("", &["Pod", "PodTemplate", "ReplicationController"]),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("apps.kruise.io", &["CloneSet"]),
    ("argoproj.io", &["Rollout"]),
    ("batch", &["CronJob", "Job"]),
    ("jobset.x-k8s.io", &["JobSet"]),
    ("keda.sh", &["ScaledJob"]),
    ("serving.knative.dev", &["Service"]),
];

/// A kind that writes a claim which it names by another key.
struct Written {
    group: &'static str,
    kinds: &'static [&'static str],
    /// The key above, where the name alone says too little.
    above: Option<&'static str>,
    key: &'static str,
    /// A key that stands beside it when the claim is written.
    beside: Option<&'static str>,
}

/// Kinds that write a claim which they name by another key. Syncthing carries changes both ways.
#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    Written { group: "backup.appuio.ch", kinds: &["Restore", "Schedule"], above: Some("folder"), key: "claimName", beside: None },
    Written { group: "k8up.io", kinds: &["Restore", "Schedule"], above: Some("folder"), key: "claimName", beside: None },
    Written { group: "kubevirt.io", kinds: &["VirtualMachine", "VirtualMachineInstance"], above: Some("memoryDump"), key: "claimName", beside: None },
    Written { group: "upload.cdi.kubevirt.io", kinds: &["UploadTokenRequest"], above: None, key: "pvcName", beside: None },
    Written { group: "volsync.backube", kinds: &["ReplicationDestination"], above: None, key: "destinationPVC", beside: None },
    Written { group: "volsync.backube", kinds: &["ReplicationSource"], above: None, key: "sourcePVC", beside: Some("syncthing") },
];

/// Groups and the key above a `persistentVolumeClaim` that is only read: KubeVirt writes beside an ephemeral volume
/// ([source](https://kubevirt.io/user-guide/storage/disks_and_volumes/#ephemeral)).
const READ: &[(&str, &str)] = &[("kubevirt.io", "ephemeral")];

/// Reports whether nothing in an object of this kind is looked at.
pub(super) fn is_passed_over(group: &str, kind: &str) -> bool {
    PASSED_OVER.contains(&(group, kind))
}

/// Returns where the volumes of this kind stand, apart from its containers.
pub(super) fn apart(group: &str, kind: &str) -> Option<(&'static str, Layout)> {
    let mut lines = APART.iter();
    let line = lines.find(|(of, name, ..)| *of == group && *name == kind)?;
    Some((line.2, line.3))
}

/// Reports whether the kind's CRD is known to keep `readOnly`.
pub(super) fn keeps_read_only(group: &str, kind: &str) -> bool {
    let mut lines = KEEPS_READ_ONLY.iter();
    lines.any(|(of, kinds)| *of == group && kinds.contains(&kind)) || apart(group, kind).is_some()
}

/// Reports whether a key of this kind, in this map, names a claim that is written.
pub(super) fn is_written(manifest: &Embedded<'_>, above: &str, key: &str, map: &Map<String, Value>) -> bool {
    WRITTEN.iter().any(|line| {
        line.key == key
            && line.group == manifest.group
            && line.kinds.contains(&manifest.kind)
            && line.above.is_none_or(|needed| needed == above)
            && line.beside.is_none_or(|beside| map.contains_key(beside))
    })
}

/// Reports whether a `persistentVolumeClaim` below this key is only read.
pub(super) fn only_reads(manifest: &Embedded<'_>, above: &str) -> bool {
    READ.contains(&(manifest.group, above))
}

/// Reports whether a group is one of Kubernetes' own workloads, whose kinds hold no manifests of other objects.
pub(super) fn is_built_in(group: &str) -> bool {
    matches!(group, "" | "apps" | "batch")
}

/// Returns the claim of a virtual machine's volume: two keys, and its name. A DataVolume's claim has its name.
pub(super) fn disk_claim(volume: &Value) -> Option<(&'static str, &'static str, &str)> {
    let keys = [("persistentVolumeClaim", "claimName"), ("dataVolume", "name")];
    keys.into_iter()
        .find_map(|(source, key)| Some((source, key, volume.get(source)?.get(key)?.as_str()?)))
}

/// Returns the names of the disks of a virtual machine that are read-only. KubeVirt does not start a machine whose volume
/// is read-only and whose disk is not
/// ([source](https://kubevirt.io/user-guide/storage/disks_and_volumes/)).
pub(super) fn read_only_disks(spec: &Map<String, Value>) -> HashSet<&str> {
    let disks = spec.get("domain").and_then(|domain| domain.pointer("/devices/disks"));
    let disks = disks.and_then(Value::as_array).into_iter().flatten();
    let is_read_only = |disk: &&Value| {
        let says = |kind: &str| disk.get(kind).map(|disk| disk.get("readonly").and_then(Value::as_bool));
        match (says("disk").or_else(|| says("lun")), says("cdrom")) {
            (Some(disk), _) => disk == Some(true),
            // A CD is read-only unless it says otherwise.
            (None, Some(cd)) => cd != Some(false),
            (None, None) => false,
        }
    };
    disks
        .filter(is_read_only)
        .filter_map(|disk| disk.get("name")?.as_str())
        .collect()
}
