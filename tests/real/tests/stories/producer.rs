//! The producer owns its claim; the consumer reads it.

use real_parts::{Options, World, argocd};
use serde_json::Value;

/// Returns the claims that a pod mounts, each with `readOnly` of its volume and its mounts.
fn mounts(pod: &Value) -> Vec<(String, bool, bool)> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let claims = volumes.filter_map(|volume| Some((volume, volume["persistentVolumeClaim"]["claimName"].as_str()?)));
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let all: Vec<&Value> = containers
        .filter_map(|container| container["volumeMounts"].as_array())
        .flatten()
        .collect();
    claims
        .map(|(volume, claim)| {
            let mut of_it = all.iter().filter(|mount| mount["name"] == volume["name"]);
            let read_only = volume["persistentVolumeClaim"]["readOnly"] == true;
            (
                claim.to_owned(),
                read_only,
                of_it.all(|mount| mount["readOnly"] == true),
            )
        })
        .collect()
}

fn phase(world: &World, claim: &str) -> String {
    let claim = world
        .api()
        .get("PersistentVolumeClaim", claim)
        .unwrap()
        .unwrap_or_default();
    claim["status"]["phase"].as_str().unwrap_or("nothing").to_owned()
}

/// Given a producer alone, then its claim waits for its first pod and the Application is Healthy meanwhile; when its Job
/// runs, then the claim binds; when a consumer comes, then its pod can only read the claim.
///
/// Controls: without the health check the Application is Progressing for as long; a consumer with Argo CD's own Helm mounts
/// the claim writable.
#[test]
fn the_producer_first() {
    let options = Options {
        health_checks: false,
        ..Options::default()
    };
    let world = World::with_the_shipped_repository(&options).unwrap();
    let jellyfin = world.home.read("applications/jellyfin.yaml").unwrap();
    world.home.remove("applications/jellyfin.yaml").unwrap();
    let head = world.home.commit("The fetcher alone").unwrap();
    world.apply_the_root().unwrap();
    let fetcher = "pilotedge-audio-fetcher";
    world.until_synced("root", &head);
    world.until_synced(fetcher, &world.source(fetcher).head().unwrap());
    world.stays("Progressing without the health check", 3, || {
        world.application(fetcher)["status"]["health"]["status"] == "Progressing"
            && phase(&world, "jellyfin/pvc-pe-audio") == "Pending"
    });

    argocd::patch_health_checks(&world.cluster).unwrap();
    world.refresh_application(fetcher).unwrap();
    world.until_healthy(fetcher);
    assert_eq!(phase(&world, "jellyfin/pvc-pe-audio"), "Pending");

    world
        .cluster
        .kubectl(
            &[
                "create",
                "job",
                "first",
                "--namespace=jellyfin",
                "--from=cronjob/pilotedge-audio-fetcher",
            ],
            None,
        )
        .unwrap();
    world.until("the Job is complete and the claim is bound", || {
        let job = world.api().get("Job", "jellyfin/first").unwrap().unwrap_or_default();
        job["status"]["succeeded"] == 1 && phase(&world, "jellyfin/pvc-pe-audio") == "Bound"
    });
    let pods = world.api().list("Pod", "jellyfin/").unwrap();
    assert_eq!(
        mounts(&pods[0]),
        [("pvc-pe-audio".to_owned(), false, false)],
        "the owner writes"
    );

    world.home.write("applications/jellyfin.yaml", &jellyfin).unwrap();
    world.push(&world.home, "A consumer").unwrap();
    world.until_everything_runs().unwrap();
    let pod = the_pod(&world, "jellyfin", "jellyfin");
    let shared = mounts(&pod).into_iter().find(|(claim, _, _)| claim == "pvc-pe-audio");
    assert_eq!(shared.unwrap(), ("pvc-pe-audio".to_owned(), true, true));
    let own = mounts(&pod)
        .into_iter()
        .find(|(claim, _, _)| claim == "jellyfin-config");
    assert_eq!(own.unwrap(), ("jellyfin-config".to_owned(), false, false));

    // The control: the chart mounts the claim by itself, and nothing makes it read-only.
    let mut twin = world.native_twin("jellyfin", "twin");
    twin["spec"]["destination"]["namespace"] = "jellyfin".into();
    twin["spec"]["source"]["helm"]["parameters"] =
        serde_json::json!([{"name": "pilotedgeAudio.enabled", "value": "true"}]);
    world.api().create("Application", "argocd/", &twin).unwrap();
    world.until("the control's pod is there", || {
        world
            .api()
            .list("Pod", "jellyfin/")
            .unwrap()
            .iter()
            .any(|pod| named(pod, "twin"))
    });
    let pod = the_pod(&world, "jellyfin", "twin");
    let shared = mounts(&pod).into_iter().find(|(claim, _, _)| claim == "pvc-pe-audio");
    assert_eq!(shared.unwrap(), ("pvc-pe-audio".to_owned(), false, false));
}

fn named(pod: &Value, instance: &str) -> bool {
    pod["metadata"]["labels"]["app.kubernetes.io/instance"] == instance
}

fn the_pod(world: &World, namespace: &str, instance: &str) -> Value {
    let pods = world.api().list("Pod", &format!("{namespace}/")).unwrap();
    pods.into_iter().find(|pod| named(pod, instance)).unwrap()
}
