//! Applications are removed by the command: their data stays, or goes by name.

use real_parts::{Options, World};
use serde_json::Value;

const RELEASE: &str = "/metadata/annotations/storage.home.arpa~1release";

fn label(world: &World, claim: &str) -> Value {
    let pointer = format!("/metadata/labels/owner.storage.home.arpa~1{claim}");
    world.field("Namespace", "jellyfin", &pointer)
}

/// Given everything runs, when `remove-app` takes the player out and loses one claim by name, then the first commit releases this
/// claim and nothing goes; with the second one the Application, its workload and this claim are gone, the others are the same, and the
/// Namespace still says whose they were. When `restore` gives one of them to the fetcher, the Namespace says that, and the claim
/// is the same.
///
/// Control: the other claims of the same Application, which the same commits take out of Git, stay.
#[test]
fn data_stays_unless_it_is_lost_by_name() {
    let world = World::running(&Options::default()).unwrap();
    let uid = |claim: &str| world.uid("PersistentVolumeClaim", &format!("jellyfin/{claim}"));
    let others = ["jellyfin-config", "jellyfin-media"];
    let (kept, lost) = (others.map(uid), uid("jellyfin-cache"));
    assert!(kept.iter().all(Option::is_some) && lost.is_some());
    let remove = "remove-app jellyfin --delete-data jellyfin-cache --confirm jellyfin-cache --fetch --commit";
    let publish = || {
        world.home.publish().unwrap();
        world.refresh(&world.home).unwrap();
    };

    world.runs(0, &remove.split(' ').collect::<Vec<_>>());
    publish();
    world.until("the claim is released", || {
        world.field("PersistentVolumeClaim", "jellyfin/jellyfin-cache", RELEASE) == "jellyfin-cache"
    });
    assert_eq!(uid("jellyfin-cache"), lost);

    world.runs(0, &remove.split(' ').collect::<Vec<_>>());
    publish();
    world.until("the Application is gone with the released claim", || {
        let is_gone = world.uid("Application", "argocd/jellyfin").is_none();
        is_gone && world.uid("Deployment", "jellyfin/jellyfin").is_none() && uid("jellyfin-cache").is_none()
    });
    assert_eq!(others.map(uid), kept);
    world.until("the Namespace knows what is left", || {
        label(&world, "jellyfin-cache").is_null()
    });
    assert!(others.iter().all(|claim| label(&world, claim) == "jellyfin"));

    let restore = "restore jellyfin-media --to pilotedge-audio-fetcher --fetch --commit";
    world.runs(0, &restore.split(' ').collect::<Vec<_>>());
    publish();
    world.until("the Namespace knows the next owner", || {
        label(&world, "jellyfin-media") == "pilotedge-audio-fetcher"
    });
    assert_eq!(label(&world, "jellyfin-config"), "jellyfin");
    assert_eq!(others.map(uid), kept);
}
