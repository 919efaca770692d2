use super::*;
use serde_json::{Value, json};

fn object(api_version: &str, kind: &str, rest: Value) -> Object {
    let mut tree = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
    let Value::Object(rest) = rest else { panic!("{rest}") };
    tree.as_object_mut().unwrap().extend(rest);
    Object::new(tree)
}

fn pod() -> Value {
    json!({"containers": [{"volumeMounts": [{"name": "f"}]}], "volumes": [{"name": "f", "persistentVolumeClaim": {"claimName": "films"}}]})
}

/// Returns the pointers of volumes, of their mounts, and of places that write.
fn found(object: &Object) -> (Vec<String>, Vec<String>, Vec<String>) {
    let uses = claim_uses(object);
    let mounts = uses.volumes.iter().flat_map(|volume| &volume.mounts);
    let writes = uses.places.iter().filter(|place| place.access == Access::Writes);
    (
        uses.volumes.iter().map(|volume| volume.pointer.to_string()).collect(),
        mounts.map(|mount| mount.pointer.to_string()).collect(),
        writes.map(|place| place.pointer.to_string()).collect(),
    )
}

#[test]
fn a_pod_spec_is_found_by_its_shape_in_every_kind() {
    for (api_version, kind, tree, spec, is_checked) in [
        (
            "v1",
            "PodTemplate",
            json!({"template": {"spec": pod()}}),
            "/template/spec",
            true,
        ),
        (
            "keda.sh/v1alpha1",
            "ScaledJob",
            json!({"spec": {"jobTargetRef": {"template": {"spec": pod()}}}}),
            "/spec/jobTargetRef/template/spec",
            true,
        ),
        (
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            json!({"spec": {"replicatedJobs": [{"template": {"spec": {"template": {"spec": pod()}}}}]}}),
            "/spec/replicatedJobs/0/template/spec/template/spec",
            true,
        ),
        (
            "serving.knative.dev/v1",
            "Service",
            json!({"spec": {"template": {"spec": pod()}}}),
            "/spec/template/spec",
            true,
        ),
        (
            "monitoring.coreos.com/v1",
            "Prometheus",
            json!({"spec": pod()}),
            "/spec",
            true,
        ),
        (
            "sparkoperator.k8s.io/v1alpha1",
            "SparkConnect",
            json!({"spec": {"server": {"template": {"spec": pod()}}}}),
            "/spec/server/template/spec",
            true,
        ),
        ("example.org/v1", "Player", json!({"spec": pod()}), "/spec", false),
        (
            "example.org/v1",
            "Player",
            json!({"spec": {"a/b": pod()}}),
            "/spec/a~1b",
            false,
        ),
    ] {
        let object = object(api_version, kind, tree);
        let expected = (
            vec![format!("{spec}/volumes/0")],
            vec![format!("{spec}/containers/0/volumeMounts/0")],
            vec![],
        );
        assert_eq!(found(&object), expected, "{kind}");
        assert_eq!(
            claim_uses(&object).volumes[0].manifest.keeps_read_only(),
            is_checked,
            "{kind}"
        );
    }
    for (api_version, kind) in [
        ("argoproj.io/v1alpha1", "Application"),
        ("argoproj.io/v1alpha1", "ApplicationSet"),
        ("argoproj.io/v1alpha1", "AppProject"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ] {
        assert_eq!(
            claim_uses(&object(api_version, kind, json!({"spec": pod()}))),
            ClaimUses::default()
        );
    }
}

#[test]
fn volumes_apart_from_their_containers_are_in_a_table() {
    let workflow = json!({
        "volumes": [{"name": "f", "persistentVolumeClaim": {"claimName": "films"}}, {"name": "t", "emptyDir": {}}],
        "templates": [
            {"container": {"volumeMounts": [{"name": "t"}, {"name": "f"}]}},
            {"volumes": [{"name": "f", "emptyDir": {}}], "script": {"volumeMounts": [{"name": "f"}]}},
            {"steps": [[{"inline": {"containerSet": {"containers": [{"volumeMounts": [{"name": "f"}]}]}}}]]},
        ],
    });
    for (kind, spec) in [
        ("Workflow", "/spec"),
        ("WorkflowTemplate", "/spec"),
        ("ClusterWorkflowTemplate", "/spec"),
        ("CronWorkflow", "/spec/workflowSpec"),
    ] {
        let tree = match kind {
            "CronWorkflow" => json!({"spec": {"workflowSpec": workflow}}),
            _ => json!({"spec": workflow}),
        };
        let mounts = [
            "templates/0/container/volumeMounts/1",
            "templates/2/steps/0/0/inline/containerSet/containers/0/volumeMounts/0",
        ];
        let expected = (
            vec![format!("{spec}/volumes/0")],
            mounts.map(|mount| format!("{spec}/{mount}")).to_vec(),
            vec![],
        );
        assert_eq!(
            found(&object("argoproj.io/v1alpha1", kind, tree.clone())),
            expected,
            "{kind}"
        );
        let elsewhere = found(&object("example.org/v1", kind, tree));
        assert_eq!(
            elsewhere.2,
            [format!("{spec}/volumes/0/persistentVolumeClaim/claimName")]
        );
    }
    let spark = json!({"spec": {"volumes": [{"name": "f", "persistentVolumeClaim": {"claimName": "films"}}],
        "driver": {"volumeMounts": [{"name": "f"}]}, "executor": {"volumeMounts": [{"name": "f"}]}}});
    let (volumes, mounts, writes) = found(&object("sparkoperator.k8s.io/v1beta2", "SparkApplication", spark));
    assert_eq!((volumes.len(), mounts.len(), writes.len()), (1, 2, 0));
}

#[test]
fn a_virtual_machine_reads_where_its_disk_does() {
    for (disk, reads) in [
        (json!({"disk": {"readonly": true}}), true),
        (json!({"lun": {"readonly": true}}), true),
        (json!({"cdrom": {}}), true),
        (json!({"cdrom": {"readonly": false}}), false),
        (json!({"disk": {"bus": "virtio"}}), false),
        (json!({}), false),
    ] {
        let mut disk = disk;
        disk["name"] = json!("f");
        let spec = json!({"domain": {"devices": {"disks": [disk]}}, "volumes": [{"name": "f", "persistentVolumeClaim": {"claimName": "films", "readOnly": true}}]});
        let machine = object(
            "kubevirt.io/v1",
            "VirtualMachine",
            json!({"spec": {"template": {"spec": spec}}}),
        );
        let (volumes, _, writes) = found(&machine);
        assert_eq!(
            (volumes.len(), writes.len()),
            if reads { (1, 0) } else { (0, 1) },
            "{disk}"
        );
    }
}

#[test]
fn other_places_are_sorted_by_what_they_may_do() {
    let access =
        |object: Object| -> Vec<Access> { claim_uses(&object).places.iter().map(|place| place.access).collect() };
    let any = |spec: Value| access(object("example.org/v1", "Any", json!({"spec": spec})));
    assert_eq!(
        any(json!({"persistentVolumeClaim": {"claimName": "films"}})),
        [Access::Writes]
    );
    assert_eq!(
        any(json!({"volumeSource": {"PersistentVolumeClaim": {"claimName": "films"}}})),
        [Access::Writes]
    );
    assert_eq!(
        any(json!({"workspaces": [{"persistentVolumeClaim": {"claimName": "films"}}]})),
        [Access::Writes]
    );
    assert_eq!(
        any(json!({"persistentVolumeClaim": {"claimName": "films", "readOnly": true}})),
        [Access::Reads]
    );
    assert_eq!(any(json!({"provider": {"claimName": "email"}})), [Access::Unknown]);
    assert_eq!(any(json!({"persistentVolumeClaim": {"spec": {}}, "claimName": ""})), []);
    assert_eq!(any(json!({"persistentVolumeClaimName": "films"})), []);
    // Lists and names in the place of the map, and what charts call it.
    assert_eq!(
        any(json!({"persistentVolumeClaim": [{"claimName": "films"}]})),
        [Access::Writes]
    );
    assert_eq!(any(json!({"persistentVolumeClaim": "films"})), [Access::Unknown]);
    assert_eq!(
        any(json!({"persistence": {"existingClaim": "films"}})),
        [Access::Unknown]
    );
    assert_eq!(
        any(json!({"pvc": {"claimName": "films", "readOnly": true}})),
        [Access::Reads]
    );
    let postgres = |volume: Value| {
        let instances = json!({"spec": {"instances": [{"volumes": {"additional": [volume]}}]}});
        access(object(
            "postgres-operator.crunchydata.com/v1beta1",
            "PostgresCluster",
            instances,
        ))
    };
    assert_eq!(postgres(json!({"claimName": "films"})), [Access::Writes]);
    assert_eq!(
        postgres(json!({"claimName": "films", "readOnly": true})),
        [Access::Reads]
    );
    let backup = object(
        "awx.ansible.com/v1beta1",
        "AWXBackup",
        json!({"spec": {"backup_pvc": "films"}}),
    );
    assert_eq!(access(backup), [Access::Writes]);
    // In a volume of a pod, but not as Kubernetes reads it.
    let odd = json!({"containers": [], "volumes": [{"name": "f", "PersistentVolumeClaim": {"claimName": "films"}}]});
    assert_eq!(any(odd), [Access::Writes]);
    let destination = |spec: Value| {
        access(object(
            "volsync.backube/v1alpha1",
            "ReplicationDestination",
            json!({"spec": spec}),
        ))
    };
    assert_eq!(
        destination(json!({"restic": {"destinationPVC": "films"}})),
        [Access::Writes]
    );
    let source = json!({"spec": {"sourcePVC": "films", "restic": {"copyMethod": "Direct"}}});
    assert_eq!(
        access(object("volsync.backube/v1alpha1", "ReplicationSource", source)),
        []
    );
    let restore = json!({"spec": {"restoreMethod": {"folder": {"claimName": "films"}}}});
    assert_eq!(access(object("k8up.io/v1", "Restore", restore)), [Access::Writes]);
    let schedule = json!({"spec": {"restore": {"restoreMethod": {"folder": {"claimName": "films"}}}}});
    assert_eq!(access(object("k8up.io/v1", "Schedule", schedule)), [Access::Writes]);
}

#[test]
fn what_kubevirt_and_volsync_write_by_other_keys() {
    let access = |object: Object| -> Vec<Access> {
        let uses = claim_uses(&object);
        uses.places.iter().map(|place| place.access).collect()
    };
    let machine = |volume: Value, disk: Value| {
        let spec = json!({"domain": {"devices": {"disks": [disk]}}, "volumes": [volume]});
        access(object(
            "kubevirt.io/v1",
            "VirtualMachine",
            json!({"spec": {"template": {"spec": spec}}}),
        ))
    };
    let disk = |read_only: bool| json!({"name": "f", "disk": {"readonly": read_only}});
    for (api_version, kind, spec) in [
        ("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", "/template/spec"),
        (
            "pool.kubevirt.io/v1alpha1",
            "VirtualMachinePool",
            "/virtualMachineTemplate/spec/template/spec",
        ),
    ] {
        let volume = json!({"name": "f", "persistentVolumeClaim": {"claimName": "films"}});
        let inner = json!({"domain": {"devices": {"disks": [disk(false)]}}, "volumes": [volume],
            "utilityVolumes": [{"name": "u", "claimName": "films", "type": "Backup"}]});
        let spec = spec
            .rsplit('/')
            .filter(|key| !key.is_empty())
            .fold(inner, |inner, key| json!({key: inner}));
        assert_eq!(
            access(object(api_version, kind, json!({"spec": spec}))),
            [Access::Writes; 2],
            "{kind}"
        );
    }
    let data = json!({"name": "f", "dataVolume": {"name": "films"}});
    assert_eq!(machine(data.clone(), disk(false)), [Access::Writes]);
    assert_eq!(machine(data, disk(true)), []);
    let ephemeral = json!({"name": "f", "ephemeral": {"persistentVolumeClaim": {"claimName": "films"}}});
    assert_eq!(machine(ephemeral, disk(false)), [Access::Reads]);
    let dump = json!({"name": "f", "memoryDump": {"claimName": "films"}});
    assert_eq!(machine(dump, disk(false)), [Access::Writes]);
    let sync = json!({"spec": {"sourcePVC": "films", "syncthing": {}}});
    assert_eq!(
        access(object("volsync.backube/v1alpha1", "ReplicationSource", sync)),
        [Access::Writes]
    );
}

#[test]
fn a_workload_cannot_hide_its_pod_spec_as_another_manifest() {
    let mut spec = pod();
    for (key, value) in [
        ("apiVersion", json!("v1")),
        ("kind", json!("PersistentVolumeClaim")),
        ("metadata", json!({})),
    ] {
        spec[key] = value;
    }
    for (api_version, kind) in [
        ("apps/v1", "Deployment"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("example.org/v1", "Player"),
    ] {
        for hidden in ["v1/PersistentVolumeClaim", "argoproj.io/v1alpha1/Application"] {
            let (hidden_version, hidden_kind) = hidden.rsplit_once('/').unwrap();
            let mut spec = spec.clone();
            (spec["apiVersion"], spec["kind"]) = (json!(hidden_version), json!(hidden_kind));
            let template = json!({"apiVersion": hidden_version, "kind": hidden_kind, "metadata": {}, "spec": pod()});
            for template in [json!({"spec": spec}), template] {
                let workload = object(api_version, kind, json!({"spec": {"template": template}}));
                assert_eq!(found(&workload).0.len(), 1, "{kind} {hidden}");
            }
        }
    }
}

#[test]
fn an_application_inside_another_object_is_passed_over() {
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
        "spec": {"source": {"helm": {"valuesObject": {"persistentVolumeClaim": {"claimName": "films"}}}}}});
    let outer = object("example.org/v1", "Object", json!({"spec": {"manifest": application}}));
    assert_eq!(claim_uses(&outer), ClaimUses::default());
}

#[test]
fn a_manifest_inside_another_counts_for_itself() {
    let inner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "y", "namespace": "inner"}, "spec": {
    "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    "template": {"spec": {"containers": [{}], "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "replaced"}},
        {"name": "f", "persistentVolumeClaim": {"claimName": "films"}},
    ]}}}});
    let mut outer = object(
        "example.org/v1",
        "Work",
        json!({"spec": {"manifests": [inner], "persistentVolumeClaim": {"claimName": "a"}}}),
    )
    .into_tree();
    outer["metadata"]["namespace"] = json!("outer");
    let outer = Object::new(outer);
    let uses = claim_uses(&outer);
    let volumes: Vec<_> = uses
        .volumes
        .iter()
        .map(|volume| (volume.manifest, volume.claim))
        .collect();
    let set = Embedded {
        group: "apps",
        kind: "StatefulSet",
        namespace: Some("inner"),
    };
    assert_eq!(volumes, [(set, "films")]);
    assert_eq!(uses.places[0].manifest.namespace, Some("outer"));
    assert_eq!(uses.places.len(), 1);
}

#[test]
fn the_namespace_is_that_of_the_nearest_manifest() {
    let claim = || json!({"persistentVolumeClaim": {"claimName": "films"}});
    let in_list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [
        {"apiVersion": "example.org/v1", "kind": "Any", "metadata": {"name": "y", "namespace": "inner"}, "spec": claim()}]});
    let copy = json!({"apiVersion": "example.org/v1", "kind": "Any", "name": "y", "namespace": "inner", "data": {"spec": claim()}});
    let generated =
        json!({"apiVersion": "example.org/v1", "kind": "Any", "metadata": {"generateName": "y-"}, "spec": claim()});
    for (inner, namespace) in [(in_list, "inner"), (copy, "inner"), (generated, "outer")] {
        let mut outer = object(
            "kyverno.io/v1",
            "Policy",
            json!({"spec": {"rules": [{"generate": inner}]}}),
        )
        .into_tree();
        outer["metadata"]["namespace"] = json!("outer");
        let outer = Object::new(outer);
        let uses = claim_uses(&outer);
        let found = uses
            .places
            .iter()
            .map(|place| (place.manifest.kind, place.manifest.namespace));
        assert_eq!(found.collect::<Vec<_>>(), [("Any", Some(namespace))]);
    }
}

#[test]
fn texts_that_could_name_a_claim_are_noted() {
    let texts = |object: &Object| -> Vec<(String, bool)> {
        let uses = claim_uses(object);
        let texts = uses.texts.iter();
        texts.map(|text| (text.pointer.to_string(), text.is_applied)).collect()
    };
    let patch = "volumes: [{name: f, persistentVolumeClaim: {claimName: films}}]";
    let workflow = json!({"spec": {"podSpecPatch": patch, "entrypoint": "main", "templates": [
        {"resource": {"manifest": patch}}, {"script": {"source": patch}}]}});
    assert_eq!(
        texts(&object("argoproj.io/v1alpha1", "Workflow", workflow)),
        [
            ("/spec/podSpecPatch".to_owned(), true),
            ("/spec/templates/0/resource/manifest".to_owned(), true),
            ("/spec/templates/1/script/source".to_owned(), false),
        ]
    );
    let annotations =
        json!({"kubectl.kubernetes.io/last-applied-configuration": patch, "sidecar.istio.io/userVolume": patch});
    let pod = object("v1", "Pod", json!({"spec": {"metadata": {"annotations": annotations}}}));
    assert_eq!(
        texts(&pod),
        [(
            "/spec/metadata/annotations/sidecar.istio.io~1userVolume".to_owned(),
            true
        )]
    );
    assert_eq!(
        texts(&object("v1", "ConfigMap", json!({"data": {"a": patch, "b": "films"}}))).len(),
        1
    );
    assert_eq!(texts(&object("v1", "Secret", json!({"stringData": {"a": patch}}))), []);
}

#[test]
fn each_of_many_volumes_has_its_mount() {
    let count = 20_000;
    let volumes: Vec<Value> = (0..count)
        .map(|index| json!({"name": format!("v{index}"), "persistentVolumeClaim": {"claimName": format!("c{index}")}}))
        .collect();
    let mounts: Vec<Value> = (0..count).map(|index| json!({"name": format!("v{index}")})).collect();
    let object = object(
        "v1",
        "Pod",
        json!({"spec": {"containers": [{"volumeMounts": mounts}], "volumes": volumes}}),
    );
    assert!(
        claim_uses(&object)
            .volumes
            .iter()
            .all(|volume| volume.mounts.len() == 1)
    );
}
