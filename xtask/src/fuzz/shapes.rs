//! Generated objects of the kinds that the storage rules are about, and of kinds that they are not about.

use serde_json::{Value, json};

use super::numbers::Numbers;
use super::volumes::{claim, container, containers, mounts, pod_spec, source, template, volumes};

/// Where a kind has its pod template.
struct Workload {
    api_version: &'static str,
    kind: &'static str,
    /// The keys down to the pod template.
    path: &'static [&'static str],
}

const fn workload(api_version: &'static str, kind: &'static str, path: &'static [&'static str]) -> Workload {
    Workload {
        api_version,
        kind,
        path,
    }
}

const WORKLOADS: &[Workload] = &[
    workload("apps/v1", "Deployment", &["spec", "template"]),
    workload("apps/v1", "Deployment", &["spec", "template"]),
    workload("apps/v1", "DaemonSet", &["spec", "template"]),
    workload("apps/v1", "ReplicaSet", &["spec", "template"]),
    workload("v1", "ReplicationController", &["spec", "template"]),
    workload("batch/v1", "Job", &["spec", "template"]),
    workload("batch/v1", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
    workload("v1", "PodTemplate", &["template"]),
    workload("argoproj.io/v1alpha1", "Rollout", &["spec", "template"]),
    workload("keda.sh/v1alpha1", "ScaledJob", &["spec", "jobTargetRef", "template"]),
    workload("serving.knative.dev/v1", "Service", &["spec", "template"]),
    workload("apps.kruise.io/v1alpha1", "CloneSet", &["spec", "template"]),
    workload("monitoring.coreos.com/v1", "Prometheus", &["spec", "podTemplate"]),
    workload("example.org/v1", "Thing", &["spec", "deep", "template"]),
    workload("eventing.example.org/v1", "Workflow", &["spec", "template"]),
];

/// Returns the pod template of a workload's spec below these keys.
fn nested(path: &[&str], inner: Value) -> Value {
    path.iter().rev().fold(inner, |inner, key| json!({*key: inner}))
}

/// Returns an object with a pod template.
pub(super) fn a_workload(numbers: &mut Numbers) -> Value {
    let shape = &WORKLOADS[numbers.below(WORKLOADS.len())];
    let mut object = json!({"apiVersion": shape.api_version, "kind": shape.kind});
    let inner = nested(shape.path, template(numbers));
    extend(&mut object, inner);
    object
}

/// Returns an object whose storage is written in its kind's own way, or that holds other objects.
pub(super) fn a_special(numbers: &mut Numbers) -> Value {
    match numbers.below(18) {
        0 => json!({"apiVersion": "v1", "kind": "Pod", "spec": pod_spec(numbers)}),
        1 | 2 => stateful_set(numbers),
        3 => json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "spec": {"replicatedJobs": [
            {"name": "a", "template": {"spec": {"template": template(numbers)}}}]}}),
        4 => workflow(numbers),
        5 => json!({"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "spec": {
            "volumes": volumes(numbers), "driver": container(numbers), "executor": {"volumeMounts": mounts(numbers)}}}),
        6 => virtual_machine(numbers),
        7 => json!({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationDestination", "spec": {
            "restic": {"destinationPVC": claim(numbers), "copyMethod": "Direct"}}}),
        8 => json!({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationSource", "spec": {
            "sourcePVC": claim(numbers), "restic": {"copyMethod": "Clone"}}}),
        9 => json!({"apiVersion": "k8up.io/v1", "kind": "Restore", "spec": {
            "restoreMethod": {"folder": {"claimName": claim(numbers)}}}}),
        10 => json!({"apiVersion": "acid.zalan.do/v1", "kind": "postgresql", "spec": {"additionalVolumes": [
            {"name": "x", "mountPath": "/x", "volumeSource": {"PersistentVolumeClaim": source(numbers)}}]}}),
        11 => json!({"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "spec": {
            "workspaces": [{"name": "w", "persistentVolumeClaim": source(numbers)}]}}),
        12 => {
            json!({"apiVersion": "email.example.org/v1", "kind": "Login", "spec": {"provider": {"claimName": "email"}}})
        }
        13 => json!({"apiVersion": "grafana.integreatly.org/v1beta1", "kind": "Grafana", "spec": {
            "persistentVolumeClaim": {"spec": {"accessModes": ["ReadWriteOnce"]}},
            "deployment": {"spec": {"template": template(numbers)}}}}),
        14 => json!({"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "spec": {"source": {"blank": {}}}}),
        15 => passed_over(numbers),
        _ => {
            let held = a_workload(numbers);
            holder(numbers, held)
        }
    }
}

fn stateful_set(numbers: &mut Numbers) -> Value {
    let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"serviceName": "db", "template": template(numbers)}});
    if !numbers.one_in(3) {
        set["spec"]["volumeClaimTemplates"] =
            json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]);
    }
    if numbers.one_in(6) {
        let when = numbers.pick(&["Delete", "Retain"]);
        set["spec"]["persistentVolumeClaimRetentionPolicy"] = json!({"whenDeleted": when});
    }
    set
}

fn workflow(numbers: &mut Numbers) -> Value {
    let spec = json!({"entrypoint": "main", "volumes": volumes(numbers), "templates": [
        {"name": "main", "container": container(numbers), "volumes": volumes(numbers)},
        {"name": "other", "initContainers": containers(numbers), "script": container(numbers)}]});
    match numbers.below(4) {
        0 => json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "spec": {"workflowSpec": spec}}),
        other => {
            let kind = ["", "Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"][other];
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "spec": spec})
        }
    }
}

fn virtual_machine(numbers: &mut Numbers) -> Value {
    let kind = numbers.pick(&["disk", "lun", "cdrom"]);
    let mut disk = json!({"name": numbers.pick(&["v", "w", "media", "vm"]), kind: {"bus": "virtio"}});
    if numbers.one_in(2) {
        disk[kind]["readonly"] = json!(!numbers.one_in(4));
    }
    let mut volumes = volumes(numbers);
    if let Some(list) = volumes.as_array_mut().filter(|_| numbers.one_in(3)) {
        list.push(json!({"name": "vm", "dataVolume": {"name": claim(numbers)}}));
    }
    let mut machine = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "spec": {"template": {"spec": {
        "domain": {"devices": {"disks": [disk]}}, "volumes": volumes}}}});
    if numbers.one_in(3) {
        machine["spec"]["dataVolumeTemplates"] = json!([{"metadata": {"name": "disk"}, "spec": {}}]);
    }
    machine
}

/// Returns an object of a kind that is passed over, with what would be refused in others.
fn passed_over(numbers: &mut Numbers) -> Value {
    let inside = json!({"a": template(numbers), "b": {"persistentVolumeClaim": source(numbers)}});
    let (api_version, kind) = numbers.pick(&[
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("argoproj.io/v1alpha1", "Application"),
        ("argoproj.io/v1alpha1", "ApplicationSet"),
        ("argoproj.io/v1alpha1", "AppProject"),
    ]);
    json!({"apiVersion": api_version, "kind": kind, "spec": inside})
}

/// Returns an object that holds another one.
fn holder(numbers: &mut Numbers, mut held: Value) -> Value {
    held["metadata"] = json!({"name": "held"});
    if numbers.one_in(3) {
        held["metadata"]["namespace"] = json!(numbers.pick(&["media", "radio"]));
    }
    if numbers.one_in(12) {
        // A reference to an object has no metadata.
        held["metadata"] = Value::Null;
    }
    match numbers.below(3) {
        0 => {
            json!({"apiVersion": "work.open-cluster-management.io/v1", "kind": "ManifestWork", "spec": {"workload": {"manifests": [held]}}})
        }
        1 => {
            json!({"apiVersion": "kubernetes.crossplane.io/v1alpha2", "kind": "Object", "spec": {"forProvider": {"manifest": held}}})
        }
        _ => json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"held": held}}),
    }
}

/// Returns an object that the rules guard.
pub(super) fn a_guarded(numbers: &mut Numbers) -> Value {
    let (kind, spec) = match numbers.below(5) {
        0..3 => (
            "PersistentVolumeClaim",
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}),
        ),
        3 => (
            "PersistentVolume",
            json!({"capacity": {"storage": "1Gi"}, "nfs": {"path": "/srv", "server": "nas"}}),
        ),
        _ => ("Namespace", json!({})),
    };
    json!({"apiVersion": "v1", "kind": kind, "spec": spec})
}

/// Returns an object that the rules do not change.
pub(super) fn a_plain(numbers: &mut Numbers) -> Value {
    let text = hostile(numbers);
    match numbers.below(6) {
        0 => json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"key": text, "y": "0644"}}),
        1 => json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80, "name": text}]}}),
        2 => {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"rules": [{"host": "a.example.org"}]}})
        }
        3 => {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]})
        }
        _ => json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": text, "on": "yes", "n": "x"}}),
    }
}

/// Returns a text that looks like YAML, or that some reader splits.
pub(super) fn hostile(numbers: &mut Numbers) -> &'static str {
    numbers.pick(&[
        "plain",
        "two words",
        "first line\nsecond line\n",
        "---\napiVersion: v1\nkind: Pod\n",
        "kind: Deployment\napiVersion: apps/v1\n",
        "a\n---\nb\n",
        "a\n...\nb",
        "# no comment\nx: y",
        "{a: b}",
        "x\ty",
        "it's \"quoted\" \\ here",
        "a: b",
        "é 😀",
        "a\u{a0}b",
        "a\u{2028}b",
        "a\u{85}kind: Deployment",
        "a\rb",
        "\u{feff}a",
        " lead and trail ",
        "\n\nblank\n\n",
        "%YAML 1.1",
        "*a &b !c",
        "yes",
        "~",
        "0x1F",
        "1e3",
        "2001-01-01",
        "<<",
    ])
}

/// Puts the entries of one map into another.
pub(super) fn extend(map: &mut Value, more: Value) {
    if let (Some(map), Value::Object(more)) = (map.as_object_mut(), more) {
        map.extend(more);
    }
}
