//! Pod templates in kinds of CRDs.

use real_parts::{Options, World};
use serde_json::{Value, json};

/// The claim of the producer, which Jellyfin may only read.
const CLAIM: &str = "pvc-pe-audio";
const TEMPLATE: &str = "helm/jellyfin/templates/custom.yaml";

/// Returns a CRD whose kind has a pod template; `read_only` is the schema's fields for that, or none.
fn definition(group: &str, kind: &str, plural: &str, read_only: &Value) -> Value {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let list = |properties: Value| json!({"type": "array", "items": object(properties)});
    let text = || json!({"type": "string"});
    let with = |fields: &[(&str, Value)]| {
        let mut properties = read_only.clone();
        for (name, schema) in fields {
            properties[*name] = schema.clone();
        }
        properties
    };
    let mounts = list(with(&[("name", text()), ("mountPath", text())]));
    let source = object(with(&[("claimName", text())]));
    let pod = object(json!({
        "containers": list(json!({"name": text(), "image": text(), "volumeMounts": mounts})),
        "volumes": list(json!({"name": text(), "persistentVolumeClaim": source})),
    }));
    let template = object(json!({"template": object(json!({"spec": pod}))}));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": object(json!({"spec": object(json!({"jobTargetRef": template}))}))},
            }],
        },
    })
}

/// Returns a workload of one of the kinds that mounts the claim as if it were its own.
fn workload(group: &str, kind: &str) -> String {
    let object = json!({
        "apiVersion": format!("{group}/v1alpha1"), "kind": kind, "metadata": {"name": "transcode"},
        "spec": {"jobTargetRef": {"template": {"spec": {
            "containers": [{"name": "ffmpeg", "image": "ffmpeg:7", "volumeMounts": [{"name": "audio", "mountPath": "/audio"}]}],
            "volumes": [{"name": "audio", "persistentVolumeClaim": {"claimName": CLAIM}}],
        }}}},
    });
    format!("---\n{object}\n")
}

/// Given two kinds with a pod template, KEDA's ScaledJob and one that nobody checked whose CRD drops `readOnly`, when a
/// consumer's chart has both, then `validate` warns about the second one only, before anything is pushed; the ScaledJob
/// arrives read-only and Synced; the other one arrives without `readOnly`, and Argo CD shows it as OutOfSync.
///
/// Control: without the second one the Application is Synced.
#[test]
fn a_crd_that_drops_read_only_is_out_of_sync_and_was_warned_about() {
    let world = World::running(&Options::default()).unwrap();
    let boolean = json!({"readOnly": {"type": "boolean"}});
    for definition in [
        definition("keda.sh", "ScaledJob", "scaledjobs", &boolean),
        definition("example.org", "Pool", "pools", &json!({})),
    ] {
        world.cluster.apply(&definition.to_string()).unwrap();
    }
    let field = |plural: &str, path: &str| {
        let path = format!("jsonpath={{.spec.jobTargetRef.template.spec.{path}.readOnly}}");
        let arguments = ["get", plural, "transcode", "--namespace=jellyfin", "-o", &path];
        world
            .cluster
            .kubectl(&arguments, None)
            .unwrap_or_else(|error| format!("{error:#}"))
    };
    let media = world.source("home-media");

    let kept = workload("keda.sh", "ScaledJob");
    media.write(TEMPLATE, &kept).unwrap();
    let revision = world.push(media, "A job of KEDA").unwrap();
    let words = world.runs(0, &["validate", "--fetch"]);
    assert!(!words.contains("HL126"), "{words}");
    world.until_synced("jellyfin", &revision);
    for path in ["volumes[0].persistentVolumeClaim", "containers[0].volumeMounts[0]"] {
        assert_eq!(field("scaledjobs.keda.sh", path), "true", "{path}");
    }

    media
        .write(TEMPLATE, &(kept + &workload("example.org", "Pool")))
        .unwrap();
    let revision = media.commit("A pool of somebody").unwrap();
    let words = world.runs(0, &["validate", "--fetch"]);
    assert!(words.contains("warning[HL126]: Pool `transcode`"), "{words}");
    world.refresh(media).unwrap();
    world.until("Argo CD shows what the CRD dropped", || {
        let application = world.application("jellyfin");
        let status = &application["status"];
        let resources = status["resources"].as_array().cloned().unwrap_or_default();
        let of = |kind: &str| resources.iter().find(|resource| resource["kind"] == kind).cloned();
        status["sync"]["revision"] == *revision
            && of("Pool").is_some_and(|pool| pool["status"] == "OutOfSync")
            && of("ScaledJob").is_some_and(|job| job["status"] == "Synced")
    });
    world.until("it is applied", || {
        !field("pools.example.org", "volumes[0].persistentVolumeClaim").contains("NotFound")
    });
    assert_eq!(field("pools.example.org", "volumes[0].persistentVolumeClaim"), "");
    world.stays("out of sync", 2, || !world.is_synced("jellyfin", &revision));
}
