use super::*;
use crate::model::parameter;
use serde_json::json;

fn rules(parameters: Value) -> StorageRules {
    let list = parameter::read(&parameters).unwrap();
    let parameters = Parameters::parse(&list).unwrap();
    StorageRules::new(
        AppName::new("player").unwrap(),
        NamespaceName::new("media").unwrap(),
        &parameters,
        None,
    )
    .unwrap()
}

/// Returns the documents under the storage rules; also checks that the rules have nothing to add to them.
fn after(rules: &StorageRules, documents: &[Value]) -> Vec<Value> {
    let apply = |documents: &[Value]| -> Vec<Value> {
        let plan = rules.plan(documents).unwrap();
        let patched = documents.iter().cloned().zip(plan.operations);
        patched
            .map(|(mut tree, operations)| {
                json_patch::patch(&mut tree, &json_patch::Patch(operations)).unwrap();
                tree
            })
            .collect()
    };
    let once = apply(documents);
    let rules = StorageRules {
        patches: Vec::new(),
        ..rules.clone()
    };
    let plan = rules.plan(&once).unwrap();
    assert!(
        plan.operations.iter().all(Vec::is_empty),
        "the rules applied twice change again: {:?}",
        plan.operations
    );
    once
}

fn error(rules: &StorageRules, documents: &[Value]) -> String {
    let failure = crate::failure::Failure::from(rules.plan(documents).unwrap_err());
    format!("{} | {}", failure.one_line(), failure.hints.join(" | "))
}

fn claim(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {}})
}

fn pod_spec(claim: &str) -> Value {
    json!({
        "securityContext": {"fsGroup": 1000},
        "volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": claim}}],
        "initContainers": [{"name": "i", "volumeMounts": [{"name": "m", "mountPath": "/i"}]}],
        "containers": [
            {"name": "c", "volumeMounts": [{"name": "m", "mountPath": "/m"}, {"name": "m", "mountPath": "/n", "readOnly": false}]},
            {"name": "side"},
        ],
    })
}

fn workload(kind: &str, name: &str, spec: Value) -> Value {
    let group = match kind {
        "CronJob" | "Job" => "batch/v1",
        "Pod" | "ReplicationController" => "v1",
        "Rollout" => "argoproj.io/v1alpha1",
        _ => "apps/v1",
    };
    let template = json!({"spec": spec});
    let spec = match kind {
        "Pod" => template["spec"].clone(),
        "CronJob" => json!({"jobTemplate": {"spec": {"template": template}}}),
        _ => json!({"template": template}),
    };
    json!({"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

const KINDS: [&str; 9] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Pod",
    "Rollout",
];

fn spec_pointer(kind: &str) -> &'static str {
    match kind {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    }
}

#[test]
fn a_foreign_claim_is_read_only_at_both_levels_in_every_kind() {
    for kind in KINDS {
        let out = after(&rules(json!([])), &[workload(kind, "w", pod_spec("films"))]);
        let spec = out[0].pointer(spec_pointer(kind)).unwrap();
        assert_eq!(
            spec["volumes"][0]["persistentVolumeClaim"]["readOnly"],
            json!(true),
            "{kind}"
        );
        for (list, container, mount) in [("initContainers", 0, 0), ("containers", 0, 0), ("containers", 0, 1)] {
            assert_eq!(
                spec[list][container]["volumeMounts"][mount]["readOnly"],
                json!(true),
                "{kind}"
            );
        }
        assert_eq!(
            spec["securityContext"],
            json!({"fsGroup": 1000}),
            "fsGroup is never touched"
        );
    }
}

#[test]
fn own_and_written_claims_stay_writable() {
    let workload = workload("Deployment", "w", pod_spec("films"));
    for (parameters, others) in [
        (json!([{"name": "owns", "array": ["films"]}]), vec![]),
        (json!([{"name": "writes", "array": ["films"]}]), vec![]),
        (json!([]), vec![claim("films")]),
    ] {
        let documents: Vec<Value> = std::iter::once(workload.clone()).chain(others).collect();
        assert_eq!(after(&rules(parameters), &documents)[0], workload);
    }
}

#[test]
fn an_own_claim_of_another_namespace_is_foreign_here() {
    let mut elsewhere = claim("films");
    elsewhere["metadata"]["namespace"] = json!("other");
    let out = after(
        &rules(json!([])),
        &[elsewhere, workload("Deployment", "w", pod_spec("films"))],
    );
    assert_eq!(
        out[1]["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["readOnly"],
        json!(true)
    );
}

#[test]
fn an_owned_claim_gets_guards_and_labels_merged() {
    let mut input = claim("films");
    input["metadata"]["annotations"] =
        json!({"argocd.argoproj.io/sync-options": "ServerSideApply=true,Prune=confirm", "a": "b"});
    let out = after(&rules(json!([])), &[input]);
    assert_eq!(
        out[0]["metadata"],
        json!({"name": "films",
        "labels": {"storage.home.arpa/owner": "player", "kor/used": "true"},
        "annotations": {
            "a": "b", "helm.sh/resource-policy": "keep",
            "argocd.argoproj.io/sync-options": "ServerSideApply=true,Prune=false,Delete=false",
            "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        }})
    );
}

#[test]
fn what_would_recreate_an_owned_claim_is_refused() {
    for (key, value) in [
        ("argocd.argoproj.io/sync-options", "Replace=true"),
        ("argocd.argoproj.io/sync-options", "ServerSideApply=true, Force=true"),
        ("helm.sh/hook", "pre-install"),
        ("argocd.argoproj.io/hook", "PreSync"),
    ] {
        let mut input = claim("films");
        input["metadata"]["annotations"] = json!({key: value});
        let error = error(&rules(json!([])), &[input]);
        assert!(error.starts_with("PersistentVolumeClaim/films: `"), "{error}");
    }
}

#[test]
fn every_volume_is_guarded_with_or_without_its_claim() {
    let volume = |name: &str, claim: Value| json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {"claimRef": claim}});
    let mut bound = claim("films");
    bound["spec"]["volumeName"] = json!("nfs");
    let documents = [
        bound,
        volume("nfs", json!(null)),
        volume("by-ref", json!({"name": "films", "namespace": "media"})),
        volume("other", json!({"name": "x"})),
    ];
    let out = after(&rules(json!([])), &documents);
    let owners: Vec<_> = out
        .iter()
        .map(|tree| tree["metadata"]["labels"]["storage.home.arpa/owner"].as_str())
        .collect();
    assert_eq!(owners, [Some("player"); 4]);
}

#[test]
fn a_stateful_sets_templates_are_its_own_and_untouched() {
    let mut set = workload("StatefulSet", "db", pod_spec("data-db-0"));
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}}]);
    assert_eq!(after(&rules(json!([])), &[set.clone()])[0], set);
    set["spec"]["persistentVolumeClaimRetentionPolicy"] = json!({"whenScaled": "Delete"});
    assert_eq!(
        after(&rules(json!([])), &[set.clone()])[0],
        set,
        "a finding of validate, not an error"
    );
    let error = error(&rules(json!([{"name": "owns", "array": ["data-db-1"]}])), &[set]);
    assert!(
        error.contains("whenScaled: Delete` deletes the owned claim `data-db-1`"),
        "{error}"
    );
}

#[test]
fn objects_inside_a_list_are_treated_alike() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [claim("cache"), {"apiVersion": "v1", "kind": "List", "items": [workload("Deployment", "w", pod_spec("films"))]}]});
    let out = after(&rules(json!([{"name": "mounts", "array": ["audio:/a"]}])), &[list]);
    assert_eq!(
        out[0]["items"][0]["metadata"]["labels"]["storage.home.arpa/owner"],
        "player"
    );
    let spec = &out[0]["items"][1]["items"][0]["spec"]["template"]["spec"];
    assert_eq!(spec["volumes"][0]["persistentVolumeClaim"]["readOnly"], json!(true));
    assert_eq!(
        spec["volumes"][1],
        json!({"name": "homelab-audio", "persistentVolumeClaim": {"claimName": "audio", "readOnly": true}})
    );
}

#[test]
fn a_mount_is_added_to_the_only_workload() {
    let bare = json!({"containers": [{"name": "c", "volumeMounts": null}]});
    let mut hook = workload("Pod", "test", bare.clone());
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "test"});
    let documents = [workload("Deployment", "w", bare), hook];
    let out = after(
        &rules(json!([{"name": "mounts", "array": ["audio/new:/a,gid=1000", "audio:/b"]}])),
        &documents,
    );
    assert_eq!(
        out[0]["spec"]["template"]["spec"],
        json!({
            "containers": [{"name": "c", "volumeMounts": [
                {"name": "homelab-audio", "mountPath": "/a", "readOnly": true, "subPath": "new"},
                {"name": "homelab-audio", "mountPath": "/b", "readOnly": true},
            ]}],
            "volumes": [{"name": "homelab-audio", "persistentVolumeClaim": {"claimName": "audio", "readOnly": true}}],
            "securityContext": {"supplementalGroups": [1000]},
        })
    );
}

/// A pod mounts claims of its own namespace.
#[test]
fn a_mount_of_another_namespace_means_the_workload_there() {
    let in_namespace = |name: &str, namespace: Option<&str>| {
        let mut object = workload("Deployment", name, json!({"containers": [{"name": "c"}]}));
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        object
    };
    let documents = [
        in_namespace("here", None),
        in_namespace("there", Some("attic")),
        in_namespace("said", Some("radio")),
        in_namespace("said", Some("cellar")),
    ];
    let entries = [
        "films:/here",
        "films:/there,namespace=attic",
        "own:/there/own,namespace=attic",
        "films:/said,namespace=cellar,workload=said",
    ];
    let parameters = json!([
        {"name": "mounts", "array": entries},
        {"name": "owns", "array": ["attic/own"]},
        {"name": "writes", "array": ["cellar/films"]},
    ]);
    let out = after(&rules(parameters.clone()), &documents);
    let volumes = |index: usize| out[index]["spec"]["template"]["spec"]["volumes"].clone();
    let films = json!({"name": "homelab-films", "persistentVolumeClaim": {"claimName": "films", "readOnly": true}});
    let own = json!({"name": "homelab-own", "persistentVolumeClaim": {"claimName": "own"}});
    assert_eq!(volumes(0), json!([films]));
    assert_eq!(volumes(1), json!([films, own]), "`own` is that of the other namespace");
    assert_eq!(volumes(2), json!(null));
    assert_eq!(
        volumes(3),
        json!([{"name": "homelab-films", "persistentVolumeClaim": {"claimName": "films"}}]),
        "`writes` names the claim there"
    );
    assert_eq!(after(&rules(parameters), &out), out, "a second time changes nothing");
    let refused = |entry: &str| error(&rules(json!([{"name": "mounts", "array": [entry]}])), &documents);
    assert!(
        refused("films:/f,namespace=nowhere").contains("nothing is rendered in namespace `nowhere`"),
        "{}",
        refused("films:/f,namespace=nowhere")
    );
    let elsewhere = refused("films:/f,workload=there");
    assert!(
        elsewhere.contains("there is no workload `there`; rendered: Deployment/here"),
        "{elsewhere}"
    );
}

#[test]
fn a_mount_reuses_the_volume_of_its_claim_and_is_writable_where_it_may_be() {
    let parameters =
        json!([{"name": "mounts", "array": ["films:/new,container=side"]}, {"name": "writes", "array": ["films"]}]);
    let out = after(&rules(parameters), &[workload("Deployment", "w", pod_spec("films"))]);
    let spec = &out[0]["spec"]["template"]["spec"];
    assert_eq!(spec["volumes"].as_array().unwrap().len(), 1);
    assert_eq!(
        spec["containers"][1]["volumeMounts"],
        json!([{"name": "m", "mountPath": "/new"}])
    );
}

#[test]
fn the_default_container_is_taken_where_none_is_named() {
    let mut input = workload(
        "Deployment",
        "w",
        json!({"containers": [{"name": "proxy"}, {"name": "app"}]}),
    );
    input["spec"]["template"]["metadata"] = json!({"annotations": {"kubectl.kubernetes.io/default-container": "app"}});
    let out = after(&rules(json!([{"name": "mounts", "array": ["audio:/a"]}])), &[input]);
    let containers = &out[0]["spec"]["template"]["spec"]["containers"];
    assert!(containers[0].get("volumeMounts").is_none() && containers[1].get("volumeMounts").is_some());
}

#[test]
fn a_mount_that_fits_nothing_or_too_much_is_an_error_with_a_way_out() {
    let two = || {
        vec![
            workload("Deployment", "a", pod_spec("films")),
            workload("CronJob", "b", pod_spec("films")),
        ]
    };
    let one = || vec![workload("Deployment", "a", pod_spec("films"))];
    let mut volume_taken = pod_spec("films");
    volume_taken["volumes"][0] = json!({"name": "homelab-audio", "emptyDir": {}});
    for (entries, documents, part) in [
        (
            json!(["audio:/a"]),
            two(),
            "more than one workload could be meant: Deployment/a, CronJob/b | name one",
        ),
        (
            json!(["audio:/a,workload=x"]),
            two(),
            "no workload `x`; rendered: Deployment/a, CronJob/b",
        ),
        (json!(["audio:/a,workload=CronJob/a"]), two(), "no workload `CronJob/a`"),
        (
            json!(["audio:/a"]),
            vec![claim("x")],
            "nothing is rendered in namespace `media`",
        ),
        (
            json!(["audio:/a,container=x"]),
            one(),
            "no container `x`; the template has c, side, i",
        ),
        (
            json!(["audio:/m/"]),
            one(),
            "volume `m` is already mounted at `/m/` in container `c`",
        ),
        (
            json!(["audio:/a", "video:/a/"]),
            one(),
            "entry `video:/a/`: entry `audio:/a` mounts at the same path of the same container",
        ),
        (
            json!(["audio:/a"]),
            vec![workload("Deployment", "a", volume_taken)],
            "already has a volume `homelab-audio`",
        ),
        (
            json!(["my.audio:/a", "my-audio:/b"]),
            one(),
            "entry `my-audio:/b`: the workload already has a volume `homelab-my-audio`",
        ),
    ] {
        let error = error(&rules(json!([{"name": "mounts", "array": entries}])), &documents);
        assert!(error.contains(part), "{part} in {error}");
        assert!(error.starts_with("parameter `mounts`, entry `"), "{error}");
    }
}

#[test]
fn a_volume_without_a_claims_name_is_an_error() {
    for name in ["", "{{ .Values.claim }}"] {
        let error = error(&rules(json!([])), &[workload("Deployment", "w", pod_spec(name))]);
        assert!(error.contains("which is not a valid name of a claim"), "{error}");
    }
}

#[test]
fn patches_come_first_and_cannot_undo_the_storage_rules() {
    let undo = r#"[{"op":"add","path":"/spec/template/spec/volumes/0/persistentVolumeClaim/readOnly","value":false},{"op":"add","path":"/metadata/labels","value":{"x":"y"}}]"#;
    let rules = rules(json!([{"name": "patches", "map": {"apps/Deployment/media/w": undo}}]));
    let out = after(&rules, &[workload("Deployment", "w", pod_spec("films"))]);
    assert_eq!(out[0]["metadata"]["labels"], json!({"x": "y"}));
    assert_eq!(
        out[0]["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["readOnly"],
        json!(true)
    );
}

#[test]
fn a_patch_that_fits_nothing_is_an_error() {
    let documents = [workload("Deployment", "w", pod_spec("films"))];
    let with = |key: &str, patch: &str| rules(json!([{"name": "patches", "map": {key: patch}}]));
    for (key, patch, part) in [
        ("Deployment/x", "[]", "matches no object; rendered: apps/Deployment/w"),
        ("Service/x", "[]", "rendered: none of this kind"),
        (
            "Deployment/w",
            r#"[{"op":"remove","path":"/nope"}]"#,
            "key `Deployment/w`: the patch does not apply",
        ),
        ("Deployment/w", r#"[{"op":"nope"}]"#, "not a list of operations"),
    ] {
        let error = error(&with(key, patch), &documents);
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_released_claim_has_no_guards_and_the_annotation_of_the_lock() {
    let guarded = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "films", "annotations": {
            "argocd.argoproj.io/sync-options": "Prune=false,ServerSideApply=true,Delete=false",
            "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
            "helm.sh/resource-policy": "keep", "x": "y"}}});
    let elsewhere =
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "films", "namespace": "tv"}});
    let rules = rules(json!([{"name": "releases", "array": ["films", "tv/books"]}]));
    let out = after(&rules, &[guarded, claim("books"), elsewhere]);
    assert_eq!(
        out[0]["metadata"],
        json!({"name": "films", "labels": {"storage.home.arpa/owner": "player"}, "annotations": {
            "argocd.argoproj.io/sync-options": "ServerSideApply=true", "x": "y", "storage.home.arpa/release": "films"}})
    );
    for kept in &out[1..] {
        assert_eq!(
            kept["metadata"]["annotations"]["argocd.argoproj.io/sync-options"],
            "Prune=false,Delete=false"
        );
    }
    let released = after(
        &self::rules(json!([{"name": "releases", "array": ["media/films"]}])),
        &[claim("films")],
    );
    assert_eq!(
        released[0]["metadata"]["annotations"],
        json!({"storage.home.arpa/release": "films"})
    );
}

#[test]
fn a_namespace_gets_guards_and_registry() {
    let fetcher = Object::new(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "fetcher"},
        "spec": {"destination": {"namespace": "media"}, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1",
            "parameters": [{"name": "owns", "array": ["audio"]}]}}},
    }));
    let apps = crate::model::Application::new(&fetcher);
    let registries = crate::model::ownership::Ownership::registries(apps, &Parameters::default()).unwrap();
    let rules = StorageRules {
        registries: Some(registries),
        ..rules(json!([]))
    };
    let namespace =
        |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"x": "y"}}});
    let out = after(&rules, &[namespace("media"), namespace("other")]);
    assert_eq!(
        out[0]["metadata"],
        json!({"name": "media",
            "labels": {"x": "y", "storage.home.arpa/registry": "v1", "owner.storage.home.arpa/audio": "fetcher"},
            "annotations": {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false", "argocd.argoproj.io/compare-options": "IgnoreExtraneous"}})
    );
    assert_eq!(
        out[1]["metadata"]["labels"],
        json!({"x": "y", "storage.home.arpa/registry": "v1"})
    );
}

#[test]
fn anything_else_is_left_alone() {
    let documents = [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}),
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "x"}, "spec": {"template": {"spec": {"project": "p"}}}}),
        json!({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationSource", "metadata": {"name": "x"}, "spec": {"sourcePVC": "films"}}),
    ];
    assert_eq!(after(&rules(json!([])), &documents), documents);
}

#[test]
fn what_would_recreate_a_namespace_is_refused() {
    let with = |key: &str, value: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media", "annotations": {key: value}}});
    for (key, value) in [
        ("argocd.argoproj.io/sync-options", "Replace=true,Force=true"),
        ("helm.sh/hook", "pre-install"),
        ("argocd.argoproj.io/hook", "PreSync"),
    ] {
        let error = error(&rules(json!([])), &[with(key, value)]);
        assert!(error.contains("delete and create the Namespace"), "{error}");
    }
    let replaced = with("argocd.argoproj.io/sync-options", "Replace=true");
    let mut hook = replaced.clone();
    hook["metadata"]["annotations"]["helm.sh/hook"] = json!("pre-install");
    let error = error(&rules(json!([])), &[hook]);
    assert!(
        error.contains("`helm.sh/hook` makes Argo CD delete and create"),
        "{error}"
    );
    let out = after(&rules(json!([])), &[replaced]);
    let options = &out[0]["metadata"]["annotations"]["argocd.argoproj.io/sync-options"];
    assert_eq!(options, "Replace=true,Prune=false,Delete=false");
}

fn custom(api_version: &str, kind: &str, spec: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "w"}, "spec": spec})
}

#[test]
fn a_pod_spec_in_any_kind_is_read_only_and_an_unchecked_kind_is_noted() {
    let job = custom(
        "keda.sh/v1alpha1",
        "ScaledJob",
        json!({"jobTargetRef": {"template": {"spec": pod_spec("films")}}}),
    );
    let unknown = custom("example.org/v1", "Pool", json!({"pods": [{"spec": pod_spec("films")}]}));
    let rules = rules(json!([]));
    let out = after(&rules, &[job.clone(), unknown.clone()]);
    for spec in [
        &out[0]["spec"]["jobTargetRef"]["template"]["spec"],
        &out[1]["spec"]["pods"][0]["spec"],
    ] {
        assert_eq!(spec["volumes"][0]["persistentVolumeClaim"]["readOnly"], json!(true));
        assert_eq!(spec["containers"][0]["volumeMounts"][0]["readOnly"], json!(true));
    }
    assert!(rules.plan(&[job]).unwrap().notes.is_empty());
    assert!(rules.plan(&[unknown]).unwrap().notes[0].contains("nobody checked"));
}

#[test]
fn a_claim_that_cannot_be_made_read_only_is_refused_with_the_ways_out() {
    let tekton = custom(
        "tekton.dev/v1",
        "PipelineRun",
        json!({"workspaces": [{"name": "w", "persistentVolumeClaim": {"claimName": "films"}}]}),
    );
    let volsync = custom(
        "volsync.backube/v1alpha1",
        "ReplicationDestination",
        json!({"restic": {"destinationPVC": "films"}}),
    );
    for (object, place) in [
        (&tekton, "`/spec/workspaces/0/persistentVolumeClaim/claimName`"),
        (&volsync, "`/spec/restic/destinationPVC`"),
    ] {
        let error = error(&rules(json!([])), std::slice::from_ref(object));
        for part in [place, "`films`", "`writes`", "`patches`", "own way"] {
            assert!(error.contains(part), "{error}");
        }
        let patch = json!([{"op": "remove", "path": "/spec/restic"}, {"op": "remove", "path": "/spec/workspaces"}]);
        let key = format!("{}/w", object["kind"].as_str().unwrap());
        for parameters in [
            json!([{"name": "writes", "array": ["films"]}]),
            json!([{"name": "owns", "array": ["films"]}]),
        ] {
            assert_eq!(after(&rules(parameters), std::slice::from_ref(object))[0], *object);
        }
        let operations: Vec<Value> = patch
            .as_array()
            .unwrap()
            .iter()
            .filter(|operation| object.pointer(operation["path"].as_str().unwrap()).is_some())
            .cloned()
            .collect();
        let patches = json!([{"name": "patches", "map": {key: json!(operations).to_string()}}]);
        assert!(rules(patches).plan(std::slice::from_ref(object)).is_ok());
    }
}

#[test]
fn a_text_that_the_cluster_applies_is_refused_with_the_ways_out() {
    let workflow = |claim: &str| {
        custom(
            "argoproj.io/v1alpha1",
            "Workflow",
            json!({"templates": [{"podSpecPatch": format!("volumes: [{{name: f, persistentVolumeClaim: {claim}}}]")}]}),
        )
    };
    let written = workflow("{claimName: films}");
    let error = error(&rules(json!([])), std::slice::from_ref(&written));
    for part in [
        "the text `/spec/templates/0/podSpecPatch`",
        "`films`",
        "`writes`",
        "`patches`",
        "own way",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let writes = rules(json!([{"name": "writes", "array": ["films"]}]));
    assert_eq!(after(&writes, std::slice::from_ref(&written))[0], written);
    let read = workflow("{claimName: films, readOnly: true}");
    assert_eq!(after(&rules(json!([])), std::slice::from_ref(&read))[0], read);
    let filled_in = workflow("{claimName: '{{x}}'}");
    assert!(rules(json!([])).plan(&[filled_in]).unwrap().notes[0].contains("by an expression"));
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "persistentVolumeClaim: {claimName: films}"}});
    assert_eq!(after(&rules(json!([])), std::slice::from_ref(&config))[0], config);
}

#[test]
fn a_mount_goes_into_a_custom_kind_whose_crd_keeps_it() {
    let job = |containers: &[&str]| {
        let pod = |name: &&str| json!({"template": {"spec": {"template": {"spec": {"containers": [{"name": name}]}}}}});
        let jobs: Vec<Value> = containers.iter().map(pod).collect();
        custom("jobset.x-k8s.io/v1alpha2", "JobSet", json!({"replicatedJobs": jobs}))
    };
    let mounts = |entry: &str| rules(json!([{"name": "mounts", "array": [entry]}]));
    let out = after(&mounts("audio:/a,workload=JobSet/w,container=b"), &[job(&["a", "b"])]);
    let spec = &out[0]["spec"]["replicatedJobs"][1]["template"]["spec"]["template"]["spec"];
    assert_eq!(
        spec["volumes"],
        json!([{"name": "homelab-audio", "persistentVolumeClaim": {"claimName": "audio", "readOnly": true}}])
    );
    assert_eq!(
        spec["containers"][0]["volumeMounts"],
        json!([{"name": "homelab-audio", "mountPath": "/a", "readOnly": true}])
    );
    // Without a name, one of Kubernetes' own kinds is meant, and a custom one where there is no other.
    let deployment = workload("Deployment", "d", json!({"containers": [{"name": "c"}]}));
    let out = after(&mounts("audio:/a"), &[job(&["a"]), deployment]);
    assert_eq!(out[0], job(&["a"]));
    assert_ne!(after(&mounts("audio:/a"), &[job(&["a"])])[0], job(&["a"]));
    for (entry, documents, part) in [
        (
            "audio:/a",
            job(&["a", "b"]),
            "more than one pod spec, with the containers a, b",
        ),
        (
            "audio:/a,container=x",
            job(&["a", "b"]),
            "there is no container `x`; the template has a, b",
        ),
        (
            "audio:/a",
            custom("example.org/v1", "Pool", json!({"containers": [{"name": "a"}]})),
            "nobody checked that the CRD of the kind `Pool` keeps `readOnly`",
        ),
    ] {
        let error = error(&mounts(entry), &[documents]);
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_claim_that_may_be_written_is_mounted_into_any_kind() {
    let pool = custom("example.org/v1", "Pool", json!({"containers": [{"name": "a"}]}));
    for parameter in ["owns", "writes"] {
        let parameters = json!([{"name": "mounts", "array": ["audio:/a"]}, {"name": parameter, "array": ["audio"]}]);
        let out = after(&rules(parameters), std::slice::from_ref(&pool));
        assert_eq!(
            out[0]["spec"]["containers"][0]["volumeMounts"],
            json!([{"name": "homelab-audio", "mountPath": "/a"}])
        );
    }
}

#[test]
fn a_mount_does_not_go_into_a_manifest_of_another_namespace() {
    let held = |namespace: &str| {
        let mut held = workload("Deployment", "held", json!({"containers": [{"name": "c"}]}));
        held["metadata"]["namespace"] = json!(namespace);
        custom(
            "work.open-cluster-management.io/v1",
            "ManifestWork",
            json!({"workload": {"manifests": [held]}}),
        )
    };
    let rules = rules(json!([{"name": "mounts", "array": ["audio:/a"]}]));
    let out = after(&rules, &[held("media")]);
    assert_ne!(out[0], held("media"));
    assert!(error(&rules, &[held("radio")]).contains("nothing is rendered in namespace `media`"));
}

#[test]
fn a_claim_that_an_operator_makes_is_own() {
    let machine = custom(
        "kubevirt.io/v1",
        "VirtualMachine",
        json!({"dataVolumeTemplates": [{"metadata": {"name": "root"}}],
            "template": {"spec": {"domain": {}, "volumes": [{"name": "r", "persistentVolumeClaim": {"claimName": "root"}}]}}}),
    );
    assert_eq!(after(&rules(json!([])), std::slice::from_ref(&machine))[0], machine);
}

#[test]
fn every_volume_is_guarded_and_never_recreated() {
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {"claimRef": {"name": "data-w-0", "namespace": "media"}}});
    let out = after(&rules(json!([])), std::slice::from_ref(&volume));
    assert_eq!(
        out[0]["metadata"]["annotations"]["argocd.argoproj.io/sync-options"],
        json!("Prune=false,Delete=false")
    );
    for (key, value) in [
        ("argocd.argoproj.io/sync-options", "Replace=true"),
        ("argocd.argoproj.io/sync-options", "Force=true"),
        ("helm.sh/hook", "pre-install"),
        ("argocd.argoproj.io/hook", "PreSync"),
    ] {
        let mut volume = volume.clone();
        volume["metadata"]["annotations"] = json!({key: value});
        assert!(error(&rules(json!([])), &[volume]).contains("delete and create the volume"));
    }
}

#[test]
fn a_refused_annotation_is_answered_with_the_patch_to_paste() {
    for (key, value, reason) in [
        ("helm.sh/hook", "pre-install", "delete and create"),
        ("argocd.argoproj.io/hook", "PreSync", "delete and create"),
        ("argocd.argoproj.io/hook", "Skip", "keeps Argo CD from applying"),
        ("argocd.argoproj.io/sync-options", "Replace=true", "delete and create"),
        (
            "argocd.argoproj.io/sync-options",
            "ServerSideApply=true , Force=true,Replace=true",
            "delete and create",
        ),
    ] {
        let mut claim = claim("films");
        claim["metadata"]["annotations"] = json!({key: value});
        let error = error(&rules(json!([])), std::slice::from_ref(&claim));
        assert!(error.contains(reason), "{error}");
        let (_, map) = error.split_once("parameter `patches`: ").unwrap();
        let map: Value = serde_json::from_str(map).unwrap();
        let patched = rules(json!([{"name": "patches", "map": map}])).plan(&[claim]);
        assert!(patched.is_ok(), "{patched:?}");
    }
}

#[test]
fn a_stateful_set_that_makes_a_claim_of_another_is_noted() {
    let mut set = workload("StatefulSet", "films", json!({"containers": []}));
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "media"}}]);
    let set = [set];
    assert!(rules(json!([])).plan(&set).unwrap().notes.is_empty());
    let written = rules(json!([{"name": "writes", "array": ["media-films-0", "media-films"]}]));
    let notes = written.plan(&set).unwrap().notes;
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].contains("`media/media-films-0`, which the parameter `writes`"),
        "{notes:?}"
    );
    let mut registry = crate::model::namespace::Registry::default();
    for (claim, owner) in [("media-films-3", "owner"), ("media-films-4", "player")] {
        registry
            .owners
            .insert(claim.parse().unwrap(), AppName::new(owner).unwrap());
    }
    let namespace = NamespaceName::new("media").unwrap();
    let rules = StorageRules {
        registries: Some(Registries::from([(namespace, registry)])),
        ..rules(json!([]))
    };
    let notes = rules.plan(&set).unwrap().notes;
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].contains("`media/media-films-3`, which Application `owner` owns"),
        "{notes:?}"
    );
}

#[test]
fn claims_of_another_namespace_are_named_with_it() {
    let pod = |namespace: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace}, "spec": pod_spec("films")});
    let is_written = |rules: &StorageRules, namespace: &str| after(rules, &[pod(namespace)]) == [pod(namespace)];
    for parameter in ["owns", "writes"] {
        let rules = rules(json!([{"name": parameter, "array": ["tv/films"]}]));
        assert!(is_written(&rules, "tv") && !is_written(&rules, "media"), "{parameter}");
    }
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "tv"}, "spec": {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}});
    let rules = rules(json!([{"name": "owns", "array": ["tv/data-db-0"]}]));
    assert!(error(&rules, &[set]).contains("deletes the owned claim `data-db-0`"));
}

fn deployment_of(claim: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "player"}, "spec": {"template": {"spec": {
        "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]}}}})
}

#[test]
fn a_moved_claim_is_left_out_and_only_read() {
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio"}});
    let other =
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio", "namespace": "tv"}});
    let rules = rules(json!([{"name": "moves", "array": ["audio=recorder"]}]));
    let plan = rules.plan(&[claim, deployment_of("audio"), other]).unwrap();
    assert_eq!(plan.moved.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0]);
    assert!(plan.operations[0].is_empty(), "{:?}", plan.operations[0]);
    let text = format!("{:?}", plan.operations[1]);
    assert!(text.contains("readOnly"), "it belongs to another one now: {text}");
    assert!(!plan.operations[2].is_empty(), "it is another claim, and guarded");
}

#[test]
fn a_move_that_names_nothing_is_refused() {
    let config = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "config"}});
    let rules = rules(json!([{"name": "moves", "array": ["audio=recorder"]}]));
    let error = rules.plan(&[config]).unwrap_err();
    assert_eq!(
        format!("{error:#}").split(": ").collect::<Vec<_>>()[..2],
        ["parameter `moves`", "claim `audio` is not rendered; rendered"]
    );
}

#[test]
fn templates_that_mount_a_claim_are_stamped_and_no_others() {
    let pod = |claim: bool| {
        let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "films", "readOnly": true}}]);
        json!({"containers": [{"name": "c"}], "volumes": if claim { volumes } else { json!([]) }})
    };
    let of = |api_version: &str, kind: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
    let template = |claim: bool| json!({"metadata": {"labels": {"a": "b"}}, "spec": pod(claim)});
    let templates = json!([{"metadata": {"name": "data"}}]);
    let hook = json!({"argocd.argoproj.io/hook": "Sync"});
    let mut hooked = of("batch/v1", "Job", json!({"template": {"spec": pod(true)}}));
    hooked["metadata"]["annotations"] = hook.clone();
    let documents = [
        of("apps/v1", "Deployment", json!({"template": template(true)})),
        of("apps/v1", "Deployment", json!({"template": template(false)})),
        of(
            "batch/v1",
            "CronJob",
            json!({"jobTemplate": {"spec": {"template": {"spec": pod(true)}}}}),
        ),
        of(
            "apps/v1",
            "StatefulSet",
            json!({"template": template(false), "volumeClaimTemplates": templates}),
        ),
        of("v1", "Pod", pod(true)),
        of("argoproj.io/v1alpha1", "Rollout", json!({"template": template(true)})),
        of("monitoring.coreos.com/v1", "Prometheus", pod(true)),
        of("batch/v1", "Job", json!({"template": {"spec": pod(true)}})),
        hooked,
    ];
    let label = |tree: &Value, at: &str| {
        tree.pointer(&format!("{at}/metadata/labels/storage.home.arpa~1app"))
            .cloned()
    };
    let of_player = Some(json!("player"));
    let expected = [
        ("/spec/template", &of_player),
        ("/spec/template", &None),
        ("/spec/jobTemplate/spec/template", &of_player),
        ("/spec/template", &of_player),
        ("", &of_player),
        ("/spec/template", &of_player),
        ("", &None),
        ("/spec/template", &of_player),
        ("/spec/template", &of_player),
    ];
    for (value, recreates) in [("true", false), ("recreate-jobs", true)] {
        let rules = rules(json!([{"name": "stamp-app", "string": value}]));
        let out = after(&rules, &documents);
        for (tree, (at, is)) in out.iter().zip(expected) {
            assert_eq!(&label(tree, at), is, "{tree}");
        }
        assert_eq!(out[0]["spec"]["template"]["metadata"]["labels"]["a"], "b");
        let options = out[7]["metadata"]["annotations"]["argocd.argoproj.io/sync-options"].as_str();
        assert_eq!(options, recreates.then_some("Force=true,Replace=true"));
        assert_eq!(out[8]["metadata"]["annotations"], hook);
        let notes = rules.plan(&documents).unwrap().notes;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].contains("Prometheus `x` mounts a claim, and its pods get no label"),
            "{notes:?}"
        );
    }
    let rules = rules(json!([]));
    assert!(
        after(&rules, &documents)
            .iter()
            .zip(expected)
            .all(|(tree, (at, _))| label(tree, at).is_none())
    );
}

#[test]
fn a_claim_that_the_parameter_mounts_counts_for_the_stamp() {
    let rules = rules(json!([{"name": "mounts", "array": ["films:/films"]}, {"name": "stamp-app", "string": "true"}]));
    let documents = [
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"},
        "spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}),
    ];
    let out = after(&rules, &documents);
    let template = &out[0]["spec"]["template"];
    assert_eq!(
        template["metadata"],
        json!({"labels": {"storage.home.arpa/app": "player"}})
    );
    assert_eq!(
        template["spec"]["volumes"][0]["persistentVolumeClaim"]["readOnly"],
        true
    );
}
