//! A repository without the plugin, with a layout of every kind, gets the storage rules step by step, while Argo CD syncs it.

use std::collections::BTreeSet;
use std::path::Path;

use real_parts::folder::{Folder, copy};
use real_parts::repository::Repository;
use real_parts::{Options, Tools, World};
use serde_json::{Value, json};

/// Where the manifests point to before the repository has a place.
const NOWHERE: &str = "https://git.example.org/home";

/// The files that name the repository.
const POINTING: [&str; 9] = [
    "bootstrap/root.yaml",
    "bootstrap/layouts.yaml",
    "bootstrap/listed.yaml",
    "bootstrap/sets.yaml",
    "charts/apps/templates/apps.yaml",
    "clusters/home/storage.yaml",
    "clusters/home/media/fetcher.yaml",
    "clusters/home/media/player.yaml",
    "clusters/home/media/viewer.yaml",
];

/// The Applications, the root last.
const APPS: [&str; 15] = [
    "spaces",
    "storage",
    "fetcher",
    "player",
    "viewer",
    "loose",
    "recorder",
    "radio",
    "backup-blue",
    "backup-green",
    "notes",
    "notes-backup",
    "in-folders",
    "of-a-chart",
    "root",
];

/// The claims of the Applications that move, with their owners.
const OWNED: [(&str, &str); 5] = [
    ("media/media", "storage"),
    ("radio/recordings", "recorder"),
    ("blue/backup", "backup-blue"),
    ("green/backup", "backup-green"),
    ("notes/notes", "notes"),
];

/// The claim of an Application that `adopt` leaves alone.
const CONTROL: &str = "media/loose";

/// The Deployments, each with the claim that it mounts.
const DEPLOYMENTS: [&str; 9] = [
    "media/fetcher",
    "media/player",
    "media/viewer",
    "radio/recorder",
    "radio/radio",
    "blue/backup",
    "green/backup",
    "notes/notes",
    "notes/notes-backup",
];

/// The Deployments that only read in the end: one always did, and one is asked to.
const READERS: [&str; 2] = ["viewer", "player"];

const GUARDS: &str = "/metadata/annotations/argocd.argoproj.io~1sync-options";
const READ_ONLY: &str = "/spec/template/spec/containers/0/volumeMounts/0/readOnly";

/// Starts a world with the repository; nothing is applied yet.
fn world() -> World {
    let folder = Folder::new().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../repositories/adopt-every-layout");
    let staged = folder.join("staged");
    copy(&from, &staged).unwrap();
    let home = Repository::create(folder.path(), "home", Some(&staged)).unwrap();
    for file in POINTING {
        home.replace(file, NOWHERE, &home.url()).unwrap();
    }
    home.commit("A repository as it lies").unwrap();
    let options = Options {
        application_sets: true,
        ..Options::default()
    };
    let tools = Tools::of_the_test_run().unwrap();
    World::with_repositories(&tools, &options, folder, home, [].into()).unwrap()
}

/// Returns the UIDs of everything that was applied, and of the pods.
fn uids(world: &World) -> BTreeSet<String> {
    let mut uids = BTreeSet::new();
    for kind in [
        "Application",
        "ApplicationSet",
        "Namespace",
        "PersistentVolumeClaim",
        "Deployment",
        "Pod",
    ] {
        for object in world.api().list(kind, "").unwrap() {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let [namespace, name, uid] = ["namespace", "name", "uid"].map(|field| text(&format!("/metadata/{field}")));
            // Whose volume is read-only from now on has a new pod.
            let is_reader = || READERS.iter().any(|reader| name.starts_with(reader));
            if kind != "Pod" || !is_reader() {
                uids.insert(format!("{kind} {namespace}/{name} {uid}"));
            }
        }
    }
    uids
}

/// Pushes what is committed, and waits until everything is Synced to it.
fn land(world: &World) {
    let revision = world.home.publish().unwrap();
    for set in ["folders", "twins"] {
        let change = json!({"metadata": {"annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}});
        world
            .api()
            .merge("ApplicationSet", &format!("argocd/{set}"), &change)
            .unwrap();
    }
    // What an Application brings is there when it is Synced.
    for app in APPS.iter().rev() {
        world.refresh_application(app).unwrap();
        world.until_synced(app, &revision);
    }
}

/// Makes the next step, and returns what is said.
fn step(world: &World) -> String {
    let said = world.runs(0, &["adopt", "-y", "--commit", "--read-only", "player/media"]);
    land(world);
    said
}

fn options(world: &World, app: &str) -> Vec<String> {
    let options = world.application(app)["spec"]["syncPolicy"]["syncOptions"].clone();
    serde_json::from_value(options).unwrap_or_default()
}

fn renderer(world: &World, app: &str) -> Value {
    world.application(app)["status"]["sourceType"].clone()
}

fn guards(world: &World, claim: &str) -> Value {
    world.field("PersistentVolumeClaim", claim, GUARDS)
}

/// Returns the UIDs of the claims that were guarded.
fn claims(world: &World) -> Vec<Option<String>> {
    let claims = OWNED.iter().map(|(claim, _)| world.uid("PersistentVolumeClaim", claim));
    claims.collect()
}

/// Returns who is written as the owner of a claim on its Namespace.
fn owner(world: &World, claim: &str) -> Value {
    let (namespace, name) = claim.split_once('/').unwrap();
    let label = format!("/metadata/labels/owner.storage.home.arpa~1{name}");
    world.field("Namespace", namespace, &label)
}

/// Given a repository with Applications in folders of any name, in a chart of Applications, and in two sets, one of which has one
/// folder for two Applications, when each step of `adopt` is a commit that Argo CD syncs, and what a chart renders is changed as the
/// plan says, then no object is another one than before, not even a pod; every claim is guarded and has its owner on the
/// Namespace; who wrote writes still, and only the claim that was named turns read-only. When the manifests of the claims go,
/// then the claims stay.
///
/// Control: an Application in a `List`, which `adopt` leaves alone: its claim is not guarded, and goes with its manifest.
#[test]
fn every_layout_is_adopted_without_a_new_object() {
    let world = world();
    world
        .cluster
        .apply(&world.home.read("bootstrap/root.yaml").unwrap())
        .unwrap();
    let head = world.home.head().unwrap();
    for app in APPS {
        world.until_synced(app, &head);
    }
    for deployment in DEPLOYMENTS {
        world.until(&format!("{deployment} runs"), || {
            world.field("Deployment", deployment, "/status/availableReplicas") == 1
        });
    }
    let before = uids(&world);
    assert_eq!(OWNED.map(|(claim, _)| owner(&world, claim)), [const { Value::Null }; 5]);

    let unasked = world.runs(0, &["adopt", "-o", "text"]);
    assert!(!unasked.contains("turns read-only for"), "{unasked}");
    adopt(&world, &before);
    change_the_chart(&world, &before);

    for (claim, app) in OWNED {
        assert_eq!(guards(&world, claim), "Prune=false,Delete=false", "{claim}");
        assert_eq!(owner(&world, claim), app, "{claim}");
        assert_eq!(renderer(&world, app), "Plugin", "{app}");
    }
    assert_eq!(
        (guards(&world, CONTROL), owner(&world, CONTROL)),
        (Value::Null, Value::Null)
    );
    for deployment in DEPLOYMENTS {
        let (_, name) = deployment.split_once('/').unwrap();
        let read_only = world.field("Deployment", deployment, READ_ONLY);
        assert_eq!(read_only == true, READERS.contains(&name), "{deployment}");
    }
    assert!(world.runs(0, &["adopt", "-y"]).contains("1 to be changed by hand"));

    let claims = claims(&world);
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: left}\n";
    for file in ["manifests/storage/claims.yaml", "manifests/loose/claim.yaml"] {
        world.home.write(file, config).unwrap();
    }
    for file in [
        "manifests/notes/all.yaml",
        "apps/recorder/all.yaml",
        "shared/backup/all.yaml",
    ] {
        let text = world.home.read(file).unwrap();
        let (_, deployment) = text.split_once("---\n").unwrap();
        world.home.write(file, deployment).unwrap();
    }
    world.home.commit("Without claims").unwrap();
    land(&world);
    world.until("the control loses its claim", || {
        world.uid("PersistentVolumeClaim", CONTROL).is_none()
    });
    assert_eq!(self::claims(&world), claims);
    assert!(claims.iter().all(Option::is_some));
    assert_eq!(uids(&world).len(), before.len() - 1);
}

/// Makes the three steps of `adopt`.
fn adopt(world: &World, before: &BTreeSet<String>) {
    let said = step(world);
    assert!(said.contains("step 1 of 3"), "{said}");
    for app in ["spaces", "storage", "recorder", "radio", "backup-blue", "backup-green"] {
        assert_eq!(options(world, app), ["Prune=false", "Delete=false"], "{app}");
    }
    assert_eq!(uids(world), *before);

    let said = step(world);
    assert!(said.contains("equal but for the storage rules"), "{said}");
    assert_eq!(uids(world), *before);

    let said = step(world);
    assert!(said.contains("step 3 of 3"), "{said}");
    for app in APPS {
        assert!(options(world, app).is_empty(), "{app}");
    }
    assert_eq!(uids(world), *before);
    let subjects = world.home.subjects().unwrap();
    assert_eq!(
        subjects[2..],
        [
            "Guard 2 Applications for the move to the plugin; Guard what ApplicationSet folders generates for the move to the plugin; Guard what ApplicationSet twins generates for the move to the plugin",
            "Convert 5 Applications to the plugin; Move what ApplicationSet folders generates to the plugin; Move what ApplicationSet twins generates to the plugin",
            "Take the guards of the move from 2 Applications; Take the guards of the move from ApplicationSet folders; Take the guards of the move from ApplicationSet twins",
        ]
    );
}

/// Changes the chart of Applications as the plan says.
fn change_the_chart(world: &World, before: &BTreeSet<String>) {
    let plan = world.runs(0, &["adopt", "-o", "json"]);
    assert!(
        plan.contains("plugin: {name: homelab-v1, parameters: [{name: owns, array: [notes]}]}"),
        "{plan}"
    );
    let (file, options) = (
        "charts/apps/templates/apps.yaml",
        "    syncOptions: [Prune=false, Delete=false]\n",
    );
    let path = "    path: manifests/{{ . }}\n";
    let plugin = "    plugin: {name: homelab-v1, parameters: [{name: {{ eq . \"notes\" | ternary \"owns\" \"writes\" }}, array: [notes]}]}\n";
    let end = "{{- end }}\n";
    for (from, to, message) in [
        (end, format!("{options}{end}"), "Guard what the chart renders"),
        (path, format!("{path}{plugin}"), "Move what the chart renders"),
        (options, String::new(), "Take the guards away"),
    ] {
        world.home.replace(file, from, &to).unwrap();
        world.home.commit(message).unwrap();
        land(world);
        assert_eq!(uids(world), *before);
    }
}
