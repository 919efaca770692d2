//! Changes of a chart, and its claim.

use real_parts::{Options, World};
use serde_json::Value;

const FETCHER: &str = "pilotedge-audio-fetcher";
const VALUES: &str = "helm/pilotedge-audio-fetcher/values.yaml";

/// A claim with its volume.
#[derive(Debug, PartialEq)]
struct Held {
    uid: Option<String>,
    volume: Value,
    volume_uid: Option<String>,
    size: Value,
}

fn held(world: &World, claim: &str) -> Held {
    let volume = world.field("PersistentVolumeClaim", claim, "/spec/volumeName");
    Held {
        uid: world.uid("PersistentVolumeClaim", claim),
        volume_uid: world.uid("PersistentVolume", volume.as_str().unwrap_or("none")),
        size: world.field("PersistentVolumeClaim", claim, "/spec/resources/requests/storage"),
        volume,
    }
}

/// Starts the shipped repository, and beside it both of its applications with Argo CD's own Helm; every claim is bound.
fn with_controls() -> World {
    let world = World::running(&Options::default()).unwrap();
    for (app, twin) in [("jellyfin", "jellyfin-twin"), (FETCHER, "fetcher-twin")] {
        world
            .api()
            .create("Application", "argocd/", &world.native_twin(app, twin))
            .unwrap();
    }
    world.until_healthy("jellyfin-twin");
    world.until_healthy("fetcher-twin");
    // A Job whose pod is gone again: a claim that is deleted dies with the last pod that names it.
    let namespace = "--namespace=fetcher-twin";
    let kubectl = |arguments: &[&str]| world.cluster.kubectl(arguments, None).unwrap();
    let cron_job = "--from=cronjob/fetcher-twin-pilotedge-audio-fetcher";
    kubectl(&["create", "job", "first", namespace, cron_job]);
    world.until("the control's claim is bound", || {
        !held(&world, "fetcher-twin/pvc-pe-audio").volume.is_null()
    });
    kubectl(&["delete", "job", "first", namespace]);
    world
}

/// Given a chart with a claim, when the claim leaves the chart or gets another name, then the claim and its volume stay
/// and the Application is Synced; when it gets smaller, then the API server's message is shown, everything else of the
/// commit is applied, and a revert repairs it.
///
/// Control: with Argo CD's own Helm the claim and its volume are gone.
#[test]
fn a_claim_outlives_its_chart() {
    let world = with_controls();

    // Removed.
    let before = held(&world, "jellyfin/jellyfin-cache");
    assert!(before.volume_uid.is_some());
    let media = world.source("home-media");
    let values = media.read("helm/jellyfin/values.yaml").unwrap();
    media
        .write(
            "helm/jellyfin/values.yaml",
            &values.replace("  cache:\n    enabled: true", "  cache:\n    enabled: false"),
        )
        .unwrap();
    let revision = world.push(media, "No claim for the cache").unwrap();
    world.until_synced("jellyfin", &revision);
    world.until("the control lost its claim and its volume", || {
        held(&world, "jellyfin-twin/jellyfin-twin-cache").uid.is_none()
            && volumes_of(&world, "jellyfin-twin", "jellyfin-twin-cache") == 0
    });
    assert_eq!(held(&world, "jellyfin/jellyfin-cache"), before);
    assert!(world.is_synced("jellyfin", &revision));

    // Renamed.
    let before = held(&world, "jellyfin/pvc-pe-audio");
    let source = world.source(FETCHER);
    source
        .replace(VALUES, "name: pvc-pe-audio", "name: pvc-recordings")
        .unwrap();
    let revision = world.push(source, "Another name for the claim").unwrap();
    world.until_synced(FETCHER, &revision);
    world.until("the control lost its claim and its volume", || {
        held(&world, "fetcher-twin/pvc-pe-audio").uid.is_none()
            && volumes_of(&world, "fetcher-twin", "pvc-pe-audio") == 0
    });
    assert_eq!(held(&world, "jellyfin/pvc-pe-audio"), before);
    assert!(world.uid("PersistentVolumeClaim", "jellyfin/pvc-recordings").is_some());
    assert!(world.is_synced(FETCHER, &revision));

    // Back, which finds the claim as it was; then smaller.
    let revision = source.revert().unwrap();
    world.refresh(source).unwrap();
    world.until_synced(FETCHER, &revision);
    assert_eq!(held(&world, "jellyfin/pvc-pe-audio"), before);
    source.replace(VALUES, "size: 20Gi", "size: 10Gi").unwrap();
    source.replace(VALUES, "LOG_LEVEL: info", "LOG_LEVEL: debug").unwrap();
    world.push(source, "A smaller claim, and more to read").unwrap();
    world.until("the API server's words are the sync's message", || {
        let application = world.application(FETCHER);
        let results = application["status"]["operationState"]["syncResult"]["resources"].clone();
        results.as_array().into_iter().flatten().any(|result| {
            let words = result["message"].as_str().unwrap_or_default();
            result["kind"] == "PersistentVolumeClaim"
                && result["status"] == "SyncFailed"
                && words.contains("field can not be less than status.capacity")
        })
    });
    world.until("the rest of the commit is applied", || {
        world
            .field(
                "CronJob",
                "jellyfin/pilotedge-audio-fetcher",
                "/spec/jobTemplate/spec/template/spec/containers/0/env",
            )
            .to_string()
            .contains("debug")
    });
    assert_eq!(held(&world, "jellyfin/pvc-pe-audio"), before);
    let revision = source.revert().unwrap();
    world.refresh(source).unwrap();
    world.until_synced(FETCHER, &revision);
    assert_eq!(held(&world, "jellyfin/pvc-pe-audio"), before);
}

fn volumes_of(world: &World, namespace: &str, claim: &str) -> usize {
    let volumes = world.api().list("PersistentVolume", "").unwrap();
    let of_it = volumes.iter().filter(|volume| {
        let reference = &volume["spec"]["claimRef"];
        reference["namespace"] == namespace && reference["name"] == claim
    });
    of_it.count()
}
