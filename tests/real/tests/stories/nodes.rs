//! Other distributions and several nodes: the default class, immutable fields, and the nodes of pods.

use std::collections::BTreeSet;

use real_parts::{Flavour, Options, World};
use serde_json::{Value, json};

const FETCHER: &str = "pilotedge-audio-fetcher";
const VALUES: &str = "helm/pilotedge-audio-fetcher/values.yaml";
const CLAIM: &str = "jellyfin/pvc-pe-audio";

/// Returns the nodes of the pods that a predicate accepts.
fn nodes(world: &World, namespace: &str, accept: impl Fn(&Value) -> bool) -> Vec<String> {
    let pods = world.api().list("Pod", &format!("{namespace}/")).unwrap();
    let accepted = pods.iter().filter(|pod| accept(pod));
    accepted
        .filter_map(|pod| pod["spec"]["nodeName"].as_str().map(str::to_owned))
        .collect()
}

fn mounts(pod: &Value, claim: &str) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let mut claims = volumes.map(|volume| &volume["persistentVolumeClaim"]["claimName"]);
    claims.any(|name| name == claim)
}

/// Given kind with three nodes, where the consumer's pod comes first, then that pod pins the volume to its node, and the
/// producer's pod runs there, too. When a commit takes `storageClassName: standard` away, which Kubernetes never changes
/// on a claim, then the claim stays as it is, and this commit and the next are applied.
///
/// Controls: pods without a claim spread over the nodes; without the `ignoreDifferences` that the scaffold writes, every
/// sync fails from that commit on.
#[test]
fn kind_with_three_nodes() {
    let options = Options {
        flavour: Flavour::Kind,
        nodes: 3,
        ..Options::default()
    };
    let world = World::with_the_shipped_repository(&options).unwrap();
    let source = world.source(FETCHER);
    source
        .replace(VALUES, "storageClass: \"\"", "storageClass: standard")
        .unwrap();
    source.commit("As on kind").unwrap();
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    let class = |claim: &str| world.field("PersistentVolumeClaim", claim, "/spec/storageClassName");
    assert_eq!(class(CLAIM), "standard");
    assert_eq!(
        class("jellyfin/jellyfin-config"),
        "standard",
        "the default class of kind"
    );

    // The reader came first: no Job has run yet.
    let chosen = "/metadata/annotations/volume.kubernetes.io~1selected-node";
    let pinned = world.field("PersistentVolumeClaim", CLAIM, chosen);
    let jellyfin = nodes(&world, "jellyfin", |pod| mounts(pod, "pvc-pe-audio"));
    assert_eq!(json!(jellyfin), json!([pinned]));
    let kubectl = |arguments: &[&str]| world.cluster.kubectl(arguments, None).unwrap();
    let from = "--from=cronjob/pilotedge-audio-fetcher";
    kubectl(&["create", "job", "first", "--namespace=jellyfin", from]);
    world.until("the Job is complete", || {
        world.field("Job", "jellyfin/first", "/status/succeeded") == 1
    });
    let together = nodes(&world, "jellyfin", |pod| mounts(pod, "pvc-pe-audio"));
    assert_eq!(together.len(), 2);
    assert!(together.iter().all(|node| json!(node) == pinned), "{together:?}");
    kubectl(&[
        "create",
        "deployment",
        "free",
        "--namespace=default",
        "--image=example.org/free",
        "--replicas=6",
    ]);
    world.until("the pods without a claim are spread", || {
        nodes(&world, "default", |_| true)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .len()
            > 1
    });

    // The field that never changes.
    let mut twin = world.native_twin(FETCHER, "fetcher-twin");
    twin["spec"]["ignoreDifferences"] = json!([]);
    world.api().create("Application", "argocd/", &twin).unwrap();
    world.until_healthy("fetcher-twin");
    let uid = world.uid("PersistentVolumeClaim", CLAIM);
    source
        .replace(VALUES, "storageClass: standard", "storageClass: other")
        .unwrap();
    let revision = world.push(source, "Another class").unwrap();
    world.until_synced(FETCHER, &revision);
    world.until("the control's sync fails", || {
        let state = world.application("fetcher-twin")["status"]["operationState"].to_string();
        state.contains("spec is immutable")
    });
    source.replace(VALUES, "LOG_LEVEL: info", "LOG_LEVEL: debug").unwrap();
    let revision = world.push(source, "And then something else").unwrap();
    world.until_synced(FETCHER, &revision);
    let job = "/spec/jobTemplate/spec/template/spec/containers/0/env";
    assert!(
        world
            .field("CronJob", "jellyfin/pilotedge-audio-fetcher", job)
            .to_string()
            .contains("debug")
    );
    assert!(!world.is_synced("fetcher-twin", &revision));
    assert_eq!(world.uid("PersistentVolumeClaim", CLAIM), uid);
    assert_eq!(class(CLAIM), "standard");
}
