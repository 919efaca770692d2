//! A running Application is converted from Argo CD's own Helm to the plugin, and back.

use real_parts::{Options, World};
use serde_json::Value;

const MANIFEST: &str = "applications/jellyfin.yaml";
const CONVERT: [&str; 3] = ["convert", "jellyfin", "--fetch"];
const CLAIM_GUARD: &str = "/metadata/annotations/argocd.argoproj.io~1sync-options";

/// Returns the UIDs of all objects of Jellyfin.
fn uids(world: &World) -> Vec<(String, String)> {
    let mut uids = Vec::new();
    for kind in ["Deployment", "Service", "PersistentVolumeClaim", "ReplicaSet", "Pod"] {
        for object in world.api().list(kind, "jellyfin/").unwrap() {
            let text = |pointer: &str| {
                object
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            if text("/metadata/labels/app.kubernetes.io~1instance") == "jellyfin" {
                uids.push((format!("{kind} {}", text("/metadata/name")), text("/metadata/uid")));
            }
        }
    }
    uids.sort();
    uids
}

/// Commits the changes of a command, and waits as its output says: until the root has applied them.
fn land(world: &World, message: &str) {
    let revision = world.push(&world.home, message).unwrap();
    let arguments = [
        "wait",
        "root",
        "--for",
        "synced",
        "--revision",
        &revision,
        "--timeout",
        "90s",
    ];
    world.runs(0, &arguments);
}

/// Waits until Jellyfin is rendered by one of the two renderers, and runs.
fn until_rendered_by(world: &World, source_type: &str) {
    world.until(&format!("{source_type} renders it"), || {
        world.application("jellyfin")["status"]["sourceType"] == source_type
    });
    world.until_everything_runs().unwrap();
}

fn has_sync_option(world: &World, option: &str) -> bool {
    let options = &world.application("jellyfin")["spec"]["syncPolicy"]["syncOptions"];
    options
        .as_array()
        .is_some_and(|options| options.iter().any(|one| one == option))
}

/// Given an Application of Argo CD's own Helm that runs, when `convert --guard-first` takes it to the plugin in its three
/// commits, and `convert --to native` back in one, then every object stays the same, its pod too; in between its claims
/// are guarded. When it names the plugin and mounts another Application's claim in one commit, then the Deployment stays and only the
/// pod is new.
///
/// Control: with another `release-name`, which makes other objects of the same chart, every one of them is new.
#[test]
fn an_application_moves_from_helm_to_the_plugin() {
    let world = World::with_the_shipped_repository(&Options::default()).unwrap();
    let with_plugin = world.home.read(MANIFEST).unwrap();
    let (before_plugin, from_plugin) = with_plugin.split_once("    plugin:").unwrap();
    let (_, after_plugin) = from_plugin.split_once("  destination:").unwrap();
    let native = format!("{before_plugin}  destination:{after_plugin}");
    world.home.write(MANIFEST, &native).unwrap();
    world.home.commit("By Argo CD's own Helm").unwrap();
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    assert_eq!(world.application("jellyfin")["status"]["sourceType"], "Helm");
    let before = uids(&world);
    assert_eq!(before.len(), 7, "{before:?}");

    there_in_three_commits(&world, &native);
    assert_eq!(uids(&world), before);
    back_in_one(&world, &native);
    assert_eq!(uids(&world), before);

    world.home.write(MANIFEST, &with_plugin).unwrap();
    land(&world, "By the plugin, with a mount");
    world.until("the pod is new", || {
        world
            .field("Deployment", "jellyfin/jellyfin", "/spec/template/spec/volumes")
            .to_string()
            .contains("pvc-pe-audio")
    });
    until_rendered_by(&world, "Plugin");
    let lasting = |uids: &[(String, String)]| -> Vec<(String, String)> {
        let lasting = uids
            .iter()
            .filter(|(name, _)| !name.starts_with("Pod ") && !name.starts_with("ReplicaSet "));
        lasting.cloned().collect()
    };
    assert_eq!(lasting(&uids(&world)), lasting(&before));

    let other = with_plugin.replace(
        "      parameters:\n",
        "      parameters:\n        - name: release-name\n          string: jellyfin-too\n",
    );
    world.home.write(MANIFEST, &other).unwrap();
    world.push(&world.home, "Another release name").unwrap();
    world.until("every object but the guarded claims is new", || {
        world.uid("Deployment", "jellyfin/jellyfin").is_none()
            && world.uid("Deployment", "jellyfin/jellyfin-too").is_some()
    });
}

fn there_in_three_commits(world: &World, native: &str) {
    let guard_first = [&CONVERT[..], &["--guard-first"]].concat();
    let guards = || has_sync_option(world, "Prune=false") && has_sync_option(world, "Delete=false");

    assert!(world.runs(0, &guard_first).contains("step 1 of 3"));
    land(world, "Guard it");
    assert!(guards());

    assert!(world.runs(0, &guard_first).contains("step 2 of 3"));
    land(world, "Move it");
    until_rendered_by(world, "Plugin");
    assert!(guards());
    let claims = world.api().list("PersistentVolumeClaim", "jellyfin/").unwrap();
    let own = |claim: &&Value| claim["metadata"]["labels"]["app.kubernetes.io/instance"] == "jellyfin";
    for claim in claims.iter().filter(own) {
        let options = claim.pointer(CLAIM_GUARD).and_then(Value::as_str).unwrap_or_default();
        assert!(options.contains("Prune=false"), "{claim}");
    }

    assert!(world.runs(0, &guard_first).contains("step 3 of 3"));
    land(world, "Let the guards of the move go");
    assert!(!has_sync_option(world, "Prune=false") && !has_sync_option(world, "Delete=false"));
    world.until_everything_runs().unwrap();

    // What is left of the manifest is what it was, but for the source.
    let moved = world.home.read(MANIFEST).unwrap();
    let (before, _) = moved.split_once("    plugin:").unwrap();
    let (_, after) = moved.split_once("  destination:").unwrap();
    assert_eq!(format!("{before}  destination:{after}"), native);
}

fn back_in_one(world: &World, native: &str) {
    let back = [&CONVERT[..], &["--to", "native"]].concat();
    let refused = world.runs(3, &back);
    assert!(refused.contains("--drop-owns"), "{refused}");
    world.runs(0, &[&back[..], &["--drop-owns"]].concat());
    assert_eq!(world.home.read(MANIFEST).unwrap(), native);
    land(world, "Back to Argo CD's own Helm");
    until_rendered_by(world, "Helm");
    world.until("the claims have no guard any more", || {
        world
            .field("PersistentVolumeClaim", "jellyfin/jellyfin-config", CLAIM_GUARD)
            .is_null()
    });
}
