//! Applying the repository recreates the cluster.

use real_parts::{Options, World};

/// Given an empty cluster, when one file is applied, then everything is there.
#[test]
fn one_file_brings_everything() {
    let world = World::with_the_shipped_repository(&Options::default()).unwrap();
    world.apply_the_root().unwrap();
    let head = world.home.head().unwrap();
    world.until_synced("root", &head);
    world.until_synced("namespaces", &head);
    for (app, source) in [
        ("jellyfin", "home-media"),
        ("pilotedge-audio-fetcher", "pilotedge-audio-fetcher"),
    ] {
        world.until_synced(app, &world.source(source).head().unwrap());
        world.until_healthy(app);
    }
    world.until_healthy("root");
}
