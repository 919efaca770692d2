//! What is known of single kinds, a line each.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::closed_kinds::is_closed;
use super::{Embedded, checked};

/// Kinds that are passed over beside the closed ones: Argo CD's own kinds hold parameters and patches of other objects, and
/// claims and volumes mount nothing.
const PASSED_OVER: &[(&str, &str)] = &[
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
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

/// Kinds whose volumes stand apart from their containers, the pointer to the map below which they are, and their use. The
/// CRD of each has `readOnly` at the volume and, for containers, at the mount, or preserves unknown fields. The link
/// behind a kind leads to its CRD.
#[rustfmt::skip]
const APART: &[(&str, &str, &str, Layout)] = &[
    // https://github.com/argoproj/argo-workflows/tree/main/manifests/base/crds (full; the minimal ones preserve unknown fields)
    ("argoproj.io", "ClusterWorkflowTemplate", "/spec", Layout::Containers),
    ("argoproj.io", "CronWorkflow", "/spec/workflowSpec", Layout::Containers),
    ("argoproj.io", "Workflow", "/spec", Layout::Containers),
    ("argoproj.io", "WorkflowTemplate", "/spec", Layout::Containers),
    // https://github.com/argoproj/argo-events/tree/master/manifests/base/crds (preserve unknown fields)
    ("argoproj.io", "EventSource", "/spec/template", Layout::Containers),
    ("argoproj.io", "Sensor", "/spec/template", Layout::Containers),
    // https://github.com/mariadb-operator/mariadb-operator/tree/main/config/crd/bases
    ("k8s.mariadb.com", "MariaDB", "/spec", Layout::Containers),
    // https://github.com/k8up-io/k8up/tree/master/config/crd/apiextensions.k8s.io/v1
    ("k8up.io", "Archive", "/spec", Layout::Containers),
    ("k8up.io", "Backup", "/spec", Layout::Containers),
    ("k8up.io", "Check", "/spec", Layout::Containers),
    ("k8up.io", "Prune", "/spec", Layout::Containers),
    ("k8up.io", "Restore", "/spec", Layout::Containers),
    ("k8up.io", "Schedule", "/spec", Layout::Containers),
    // https://github.com/strimzi/strimzi-kafka-operator/tree/main/packaging/install/cluster-operator
    ("kafka.strimzi.io", "Kafka", "/spec", Layout::Containers),
    ("kafka.strimzi.io", "KafkaBridge", "/spec/template", Layout::Containers),
    ("kafka.strimzi.io", "KafkaConnect", "/spec/template", Layout::Containers),
    ("kafka.strimzi.io", "KafkaMirrorMaker2", "/spec/template", Layout::Containers),
    ("kafka.strimzi.io", "KafkaNodePool", "/spec/template", Layout::Containers),
    // https://github.com/kubevirt/kubevirt/blob/main/staging/src/kubevirt.io/api/core/v1/schema.go
    ("kubevirt.io", "VirtualMachine", "/spec/template/spec", Layout::Disks),
    ("kubevirt.io", "VirtualMachineInstance", "/spec", Layout::Disks),
    ("kubevirt.io", "VirtualMachineInstanceReplicaSet", "/spec/template/spec", Layout::Disks),
    ("pool.kubevirt.io", "VirtualMachinePool", "/spec/virtualMachineTemplate/spec/template/spec", Layout::Disks),
    // https://github.com/open-telemetry/opentelemetry-operator/tree/main/config/crd/bases
    ("opentelemetry.io", "OpAMPBridge", "/spec", Layout::Containers),
    ("opentelemetry.io", "OpenTelemetryCollector", "/spec", Layout::Containers),
    ("opentelemetry.io", "TargetAllocator", "/spec", Layout::Containers),
    // https://github.com/kubeflow/spark-operator/tree/master/config/crd/bases
    ("sparkoperator.k8s.io", "ScheduledSparkApplication", "/spec/template", Layout::Containers),
    ("sparkoperator.k8s.io", "SparkApplication", "/spec", Layout::Containers),
    // https://github.com/tektoncd/pipeline/tree/main/config/300-crds (`volumes` preserve unknown fields)
    ("tekton.dev", "Pipeline", "/spec", Layout::Containers),
    ("tekton.dev", "PipelineRun", "/spec", Layout::Containers),
    ("tekton.dev", "Task", "/spec", Layout::Containers),
    ("tekton.dev", "TaskRun", "/spec", Layout::Containers),
];

/// A kind that writes a claim which it names by another key.
struct Written {
    group: &'static str,
    kinds: &'static [&'static str],
    /// The nearest key above, where the name alone says too little.
    above: Option<&'static str>,
    key: &'static str,
    /// A key that stands beside it when the claim is written.
    beside: Option<&'static str>,
}

const MACHINES: &[&str] = &[
    "VirtualMachine",
    "VirtualMachineInstance",
    "VirtualMachineInstanceReplicaSet",
    "VirtualMachinePool",
];

/// Kinds that write a claim which they name by another key, unless `readOnly: true` stands beside it. Syncthing carries
/// changes both ways. AWX keeps its projects in the claim; Crunchy's and Percona's databases take the claims of
/// `dataSource` as their own.
#[rustfmt::skip]
const WRITTEN: &[Written] = &[
    // https://github.com/ansible/awx-operator/tree/devel/config/crd/bases
    Written { group: "awx.ansible.com", kinds: &["AWX"], above: None, key: "projects_existing_claim", beside: None },
    Written { group: "awx.ansible.com", kinds: &["AWXBackup"], above: None, key: "backup_pvc", beside: None },
    // https://github.com/k8up-io/k8up/blob/master/api/v1/restore_types.go
    Written { group: "backup.appuio.ch", kinds: &["Restore", "Schedule"], above: Some("folder"), key: "claimName", beside: None },
    Written { group: "k8up.io", kinds: &["Archive", "Restore", "Schedule"], above: Some("folder"), key: "claimName", beside: None },
    // https://kubevirt.io/user-guide/compute/memory_dump/
    Written { group: "kubevirt.io", kinds: MACHINES, above: Some("memoryDump"), key: "claimName", beside: None },
    Written { group: "kubevirt.io", kinds: MACHINES, above: Some("utilityVolumes"), key: "claimName", beside: None },
    Written { group: "pool.kubevirt.io", kinds: MACHINES, above: Some("memoryDump"), key: "claimName", beside: None },
    Written { group: "pool.kubevirt.io", kinds: MACHINES, above: Some("utilityVolumes"), key: "claimName", beside: None },
    // https://github.com/percona/percona-postgresql-operator/tree/main/config/crd/bases
    Written { group: "pg.percona.com", kinds: &["PerconaPGCluster", "PostgresCluster"], above: None, key: "pvcName", beside: None },
    Written { group: "pgv2.percona.com", kinds: &["PerconaPGCluster"], above: None, key: "pvcName", beside: None },
    // https://github.com/CrunchyData/postgres-operator/blob/main/pkg/apis/postgres-operator.crunchydata.com/v1beta1/shared_types.go
    Written { group: "postgres-operator.crunchydata.com", kinds: &["PGAdmin", "PostgresCluster"], above: Some("additional"), key: "claimName", beside: None },
    Written { group: "postgres-operator.crunchydata.com", kinds: &["PostgresCluster"], above: None, key: "pvcName", beside: None },
    // https://github.com/pulp/pulp-operator/tree/main/config/crd/bases
    Written { group: "repo-manager.pulpproject.org", kinds: &["Pulp"], above: None, key: "pvc", beside: None },
    Written { group: "repo-manager.pulpproject.org", kinds: &["PulpBackup"], above: None, key: "backup_pvc", beside: None },
    // https://github.com/kubevirt/containerized-data-importer/blob/main/doc/upload.md
    Written { group: "upload.cdi.kubevirt.io", kinds: &["UploadTokenRequest"], above: None, key: "pvcName", beside: None },
    // https://volsync.readthedocs.io/en/stable/usage/index.html
    Written { group: "volsync.backube", kinds: &["ReplicationDestination"], above: None, key: "destinationPVC", beside: None },
    Written { group: "volsync.backube", kinds: &["ReplicationSource"], above: None, key: "sourcePVC", beside: Some("syncthing") },
];

/// Keys that may name a claim, or something else.
const NAMES: &[&str] = &["claimName", "existingClaim"];

/// A text that the cluster reads as a part of a manifest.
struct Applied {
    group: &'static str,
    kinds: &'static [&'static str],
    key: &'static str,
}

const WORKFLOWS: &[&str] = &[
    "ClusterWorkflowTemplate",
    "CronWorkflow",
    "Workflow",
    "WorkflowTemplate",
];

/// Texts that the cluster reads as a part of a manifest: what they say of a claim, happens.
#[rustfmt::skip]
const APPLIED: &[Applied] = &[
    // https://argo-workflows.readthedocs.io/en/latest/fields/#template (`podSpecPatch`), https://argo-workflows.readthedocs.io/en/latest/walk-through/kubernetes-resources/
    Applied { group: "argoproj.io", kinds: WORKFLOWS, key: "podSpecPatch" },
    Applied { group: "argoproj.io", kinds: WORKFLOWS, key: "manifest" },
    // https://github.com/argoproj/argo-events/blob/master/pkg/apis/events/v1alpha1/sensor_types.go (`ArtifactLocation`)
    Applied { group: "argoproj.io", kinds: &["Sensor"], key: "inline" },
    // https://docs.k3s.io/add-ons/helm#helmchart-field-definitions
    Applied { group: "helm.cattle.io", kinds: &["HelmChart", "HelmChartConfig"], key: "valuesContent" },
    // https://fluxcd.io/flux/components/helm/helmreleases/#post-renderers, https://fluxcd.io/flux/components/kustomize/kustomizations/#patches
    Applied { group: "helm.toolkit.fluxcd.io", kinds: &["HelmRelease"], key: "patch" },
    Applied { group: "kustomize.toolkit.fluxcd.io", kinds: &["Kustomization"], key: "patch" },
];

/// Annotations of pods whose volumes an admission webhook adds
/// ([source](https://istio.io/latest/docs/reference/config/annotations/#SidecarUserVolume)).
const APPLIED_ANNOTATIONS: &[&str] = &["sidecar.istio.io/userVolume"];

/// The annotation in which kubectl keeps the manifest that was applied last: a copy of the object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Groups and the key above a `persistentVolumeClaim` that is only read: KubeVirt writes beside an ephemeral volume
/// ([source](https://kubevirt.io/user-guide/storage/disks_and_volumes/#ephemeral)).
const READ: &[(&str, &str)] = &[("kubevirt.io", "ephemeral")];

/// Reports whether nothing in an object of this kind is looked at.
pub(super) fn is_passed_over(group: &str, kind: &str) -> bool {
    PASSED_OVER.contains(&(group, kind)) || is_closed(group, kind)
}

/// Returns where the volumes of this kind stand, apart from its containers.
pub(super) fn apart(group: &str, kind: &str) -> Option<(&'static str, Layout)> {
    let mut lines = APART.iter();
    let line = lines.find(|(of, name, ..)| *of == group && *name == kind)?;
    Some((line.2, line.3))
}

/// Reports whether the kind's CRD is known to keep `readOnly`.
pub(super) fn keeps_read_only(group: &str, kind: &str) -> bool {
    checked::keeps_read_only(group, kind) || apart(group, kind).is_some()
}

/// Reports whether a key of this kind, below this key, names a claim that is written.
pub(super) fn is_written(manifest: &Embedded<'_>, above: &str, key: &str, map: &Map<String, Value>) -> bool {
    WRITTEN.iter().any(|line| {
        line.key == key
            && line.group == manifest.group
            && line.kinds.contains(&manifest.kind)
            && line.above.is_none_or(|needed| needed == above)
            && line.beside.is_none_or(|beside| map.contains_key(beside))
    })
}

/// Reports whether a key leads to a claim as a volume's does; Zalando's operator writes it as Go does.
pub(super) fn is_claim_source(key: &str) -> bool {
    key.eq_ignore_ascii_case("persistentVolumeClaim")
}

/// Reports whether a key may name a claim, or something else.
pub(super) fn may_name(key: &str) -> bool {
    NAMES.contains(&key)
}

/// Reports whether a text of this kind, below this key, is read as a part of a manifest.
pub(super) fn is_applied(manifest: &Embedded<'_>, above: &str, key: &str) -> bool {
    let mut lines = APPLIED.iter();
    lines.any(|line| line.key == key && line.group == manifest.group && line.kinds.contains(&manifest.kind))
        || above == "annotations" && APPLIED_ANNOTATIONS.contains(&key)
}

/// Reports whether a text says nothing of its own: a copy of the object, or what a Secret keeps.
pub(super) fn is_passed_over_text(manifest: &Embedded<'_>, key: &str) -> bool {
    key == LAST_APPLIED || (manifest.group, manifest.kind) == ("", "Secret")
}

/// Reports whether a text could name a claim as a manifest does; what it says is for a parser.
pub(super) fn mentions_claims(text: &str) -> bool {
    let words = ["laim", "LAIM", "PVC", "pvc"];
    text.contains(':') && words.iter().any(|word| text.contains(word))
}

/// Reports whether a `persistentVolumeClaim` below this key is only read.
pub(super) fn only_reads(manifest: &Embedded<'_>, above: &str) -> bool {
    READ.contains(&(manifest.group, above))
}

/// Reports whether a kind holds no manifests of other objects: Kubernetes' own kinds, and those that are known for their
/// pod specs. What seems a manifest there is an unknown field.
pub(super) fn holds_no_manifests(group: &str, kind: &str) -> bool {
    !kind.is_empty() && matches!(group, "" | "apps" | "batch") || checked::keeps_read_only(group, kind)
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
