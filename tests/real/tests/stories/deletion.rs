//! An Application is deleted; its claims are not.

use real_parts::{Options, World};

const CLAIMS: [&str; 3] = ["jellyfin-cache", "jellyfin-config", "jellyfin-media"];

fn uids(world: &World, namespace: &str, prefix: &str) -> Vec<Option<String>> {
    let uid = |claim: &str| {
        world.uid(
            "PersistentVolumeClaim",
            &format!("{namespace}/{}", claim.replace("jellyfin", prefix)),
        )
    };
    CLAIMS.iter().map(|claim| uid(claim)).collect()
}

/// Given an Application with the finalizer, when it is deleted, by hand or from Git, then its owned claims stay and the
/// rest is removed; the root recreates what was deleted by hand, and it uses its claims again.
///
/// Control: with Argo CD's own Helm the claims are removed, too.
#[test]
fn claims_outlive_their_application() {
    let world = World::running(&Options::default()).unwrap();
    world
        .api()
        .create(
            "Application",
            "argocd/",
            &world.native_twin("jellyfin", "jellyfin-twin"),
        )
        .unwrap();
    world.until_healthy("jellyfin-twin");

    let claims = uids(&world, "jellyfin", "jellyfin");
    assert!(claims.iter().all(Option::is_some));
    assert!(
        uids(&world, "jellyfin-twin", "jellyfin-twin")
            .iter()
            .all(Option::is_some)
    );
    let application = world.uid("Application", "argocd/jellyfin");
    let deployment = world.uid("Deployment", "jellyfin/jellyfin");
    world.api().delete("Application", "argocd/jellyfin").unwrap();
    world.api().delete("Application", "argocd/jellyfin-twin").unwrap();
    world.until("the control's claims are gone", || {
        uids(&world, "jellyfin-twin", "jellyfin-twin")
            .iter()
            .all(Option::is_none)
    });
    world.until("the root made the Application again", || {
        let now = world.uid("Application", "argocd/jellyfin");
        now.is_some() && now != application
    });
    world.until_everything_runs().unwrap();
    assert_ne!(
        world.uid("Deployment", "jellyfin/jellyfin"),
        deployment,
        "the rest was deleted"
    );
    assert_eq!(uids(&world, "jellyfin", "jellyfin"), claims);

    let audio = world.uid("PersistentVolumeClaim", "jellyfin/pvc-pe-audio");
    for name in ["jellyfin", "pilotedge-audio-fetcher"] {
        world.home.remove(&format!("applications/{name}.yaml")).unwrap();
    }
    let head = world.push(&world.home, "Both applications leave Git").unwrap();
    world.until_synced("root", &head);
    world.until("both Applications are gone with their objects", || {
        world.api().list("Application", "argocd/").unwrap().len() == 2
            && world.uid("Deployment", "jellyfin/jellyfin").is_none()
            && world.uid("Service", "jellyfin/jellyfin").is_none()
            && world.uid("CronJob", "jellyfin/pilotedge-audio-fetcher").is_none()
    });
    world.stays("there", 3, || {
        uids(&world, "jellyfin", "jellyfin") == claims
            && world.uid("PersistentVolumeClaim", "jellyfin/pvc-pe-audio") == audio
    });
}
