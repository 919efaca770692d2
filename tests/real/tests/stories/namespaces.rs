//! Namespaces outlive their files, and have the registry of owners.

use real_parts::{Options, World};
use serde_json::{Value, json};

const AUDIO: &str = "/metadata/labels/owner.storage.home.arpa~1pvc-pe-audio";

fn terminating_or_gone(world: &World, name: &str) -> bool {
    world.field("Namespace", name, "/status/phase") != "Active"
}

/// Given two Namespaces in Git, when the file of one is removed, then the Namespace and everything in it stay and the
/// Application is Synced; when it is put back, the same.
///
/// Control: without the plugin, the Namespace is deleted with everything in it.
#[test]
fn a_namespace_outlives_its_file() {
    let world = World::with_the_shipped_repository(&Options::default()).unwrap();
    let namespace = |name: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n");
    world
        .home
        .write("namespaces/photos.yaml", &namespace("photos"))
        .unwrap();
    for name in ["plain", "plain-too"] {
        world
            .home
            .write(&format!("plain/{name}.yaml"), &namespace(name))
            .unwrap();
    }
    world
        .write_application(&json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "plain", "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": world.home.url(), "targetRevision": "main", "path": "plain"},
                "destination": {"server": "https://kubernetes.default.svc"},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
            },
        }))
        .unwrap();
    world.home.commit("Two Namespaces each").unwrap();
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    world.until_synced("plain", &world.home.head().unwrap());
    for name in ["photos", "plain-too"] {
        let album = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: album, namespace: {name}}}}}");
        world.cluster.apply(&album).unwrap();
    }
    let photos = world.uid("Namespace", "photos");
    let album = world.uid("ConfigMap", "photos/album");

    world.home.remove("namespaces/photos.yaml").unwrap();
    world.home.remove("plain/plain-too.yaml").unwrap();
    let head = world.push(&world.home, "One Namespace each leaves Git").unwrap();
    world.until("the control loses its Namespace", || {
        terminating_or_gone(&world, "plain-too")
    });
    world.until_synced("namespaces", &head);
    world.stays("there", 2, || {
        world.field("Namespace", "photos", "/status/phase") == "Active" && world.uid("Namespace", "photos") == photos
    });

    world
        .home
        .write("namespaces/photos.yaml", &namespace("photos"))
        .unwrap();
    let head = world.push(&world.home, "It is back").unwrap();
    world.until_synced("namespaces", &head);
    assert_eq!(world.uid("Namespace", "photos"), photos);
    assert_eq!(world.uid("ConfigMap", "photos/album"), album);
}

/// Given everything runs, then the Namespace records the owner of each claim; when an owner changes in Git, so does the
/// record; when a user changes or removes such a label, it is restored.
///
/// Control: a label that is not in Git is not restored; and the label follows the file, so that it is not constant.
#[test]
fn a_namespace_carries_the_registry() {
    let world = World::running(&Options::default()).unwrap();
    let label = |pointer: &str| world.field("Namespace", "jellyfin", pointer);
    assert_eq!(label("/metadata/labels/storage.home.arpa~1registry"), "v1");
    assert_eq!(label(AUDIO), "pilotedge-audio-fetcher");
    assert_eq!(
        label("/metadata/labels/owner.storage.home.arpa~1jellyfin-config"),
        "jellyfin"
    );

    let change = |value: Value| {
        let labels = json!({"metadata": {"labels": {"owner.storage.home.arpa/pvc-pe-audio": value}}});
        world.api().merge("Namespace", "jellyfin", &labels).unwrap();
    };
    for value in [json!("somebody"), Value::Null] {
        change(value.clone());
        world.until(&format!("{value} is healed"), || {
            label(AUDIO) == "pilotedge-audio-fetcher"
        });
    }
    world
        .api()
        .merge(
            "Namespace",
            "jellyfin",
            &json!({"metadata": {"labels": {"by-hand": "true"}}}),
        )
        .unwrap();

    let fetcher = world.home.read("applications/pilotedge-audio-fetcher.yaml").unwrap();
    world
        .home
        .write(
            "applications/pilotedge-audio-fetcher.yaml",
            &fetcher.replace("            - pvc-pe-audio", "            - pvc-other"),
        )
        .unwrap();
    world
        .home
        .replace(
            "applications/jellyfin.yaml",
            "            - jellyfin-cache\n",
            "            - jellyfin-cache\n            - pvc-pe-audio\n",
        )
        .unwrap();
    let head = world.push(&world.home, "Another owner").unwrap();
    world.until_synced("namespaces", &head);
    assert_eq!(label(AUDIO), "jellyfin");
    assert_eq!(
        label("/metadata/labels/owner.storage.home.arpa~1pvc-other"),
        "pilotedge-audio-fetcher"
    );

    let head = world.home.revert().unwrap();
    world.refresh(&world.home).unwrap();
    world.until_synced("namespaces", &head);
    assert_eq!(label(AUDIO), "pilotedge-audio-fetcher");
    assert_eq!(
        label("/metadata/labels/owner.storage.home.arpa~1pvc-other"),
        Value::Null
    );
    assert_eq!(label("/metadata/labels/by-hand"), "true");
}
