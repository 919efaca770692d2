//! What is known of single kinds, a line each.

use std::collections::HashSet;

use serde_json::{Map, Value};

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

/// Kinds that write a claim which they name by another key: the key, and the one above it where it needs that.
const WRITTEN: &[(&str, &str, Option<&str>, &str)] = &[
    ("backup.appuio.ch", "Restore", Some("folder"), "claimName"),
    ("backup.appuio.ch", "Schedule", Some("folder"), "claimName"),
    ("k8up.io", "Restore", Some("folder"), "claimName"),
    ("k8up.io", "Schedule", Some("folder"), "claimName"),
    ("volsync.backube", "ReplicationDestination", None, "destinationPVC"),
];

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

/// Reports whether a key of this kind names a claim that is written.
pub(super) fn is_written(group: &str, kind: &str, parent: &str, key: &str) -> bool {
    WRITTEN.iter().any(|(of, name, above, written)| {
        *written == key && *of == group && *name == kind && above.is_none_or(|above| above == parent)
    })
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
