//! A home cluster with hundreds of Applications.

use std::time::{Duration, Instant};

use real_parts::measure::{Watch, figure, seconds};
use real_parts::{Options, World};
use serde_json::json;

const COUNT: usize = 200;
/// The number of Applications that are the control.
const WITHOUT_PATHS: usize = 10;

fn name(number: usize) -> String {
    format!("note-{number:03}")
}

fn write_chart(world: &World, number: usize) {
    let media = world.source("home-media");
    let path = |file: &str| format!("notes/{}/{file}", name(number));
    let chart = format!("apiVersion: v2\nname: {}\nversion: 1.0.0\n", name(number));
    media.write(&path("Chart.yaml"), &chart).unwrap();
    media.write(&path("values.yaml"), "text: first\n").unwrap();
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  text: {{ .Values.text }}\n";
    media.write(&path("templates/note.yaml"), template).unwrap();
}

fn write_application(world: &World, number: usize) {
    let annotations = match number {
        ..WITHOUT_PATHS => json!({}),
        _ => json!({"argocd.argoproj.io/manifest-generate-paths": "."}),
    };
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name(number), "namespace": "argocd", "annotations": annotations},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": world.source("home-media").url(), "targetRevision": "main",
                "path": format!("notes/{}", name(number)), "plugin": {"name": "homelab-v1"},
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "jellyfin"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}},
        },
    });
    world.write_application(&application).unwrap();
}

/// Returns the number of renders by the plugin.
fn renders(world: &World) -> usize {
    world.read("renders").lines().count()
}

fn until_all_are_synced(world: &World, revision: &str) {
    world.until_within(Duration::from_secs(300), "all notes are Synced", || {
        let applications = world.api().list("Application", "argocd/").unwrap();
        let synced = applications.iter().filter(|application| {
            let status = &application["status"];
            status["sync"]["status"] == "Synced"
                && status["sync"]["revision"] == revision
                && application["metadata"]["name"]
                    .as_str()
                    .is_some_and(|name| name.starts_with("note-"))
        });
        synced.count() == COUNT
    });
}

/// Given two repo-servers with a sidecar each and 200 Applications of one repository, then all become Synced; when a commit
/// changes one of them, then only that one is rendered.
///
/// Control: those without `manifest-generate-paths`, which the scaffold writes, are all rendered, too.
#[test]
fn two_hundred_applications() {
    let options = Options {
        repo_servers: 2,
        ..Options::default()
    };
    let world = World::with_the_shipped_repository(&options).unwrap();
    let count = format!("echo x >>'{}'\nexec \"$REAL\" \"$@\"", world.path("renders").display());
    world.argocd.repo_servers.stand_in("kubectl-homelab", &count).unwrap();
    world.home.remove("applications/jellyfin.yaml").unwrap();
    world.home.remove("applications/pilotedge-audio-fetcher.yaml").unwrap();
    for number in 0..COUNT {
        write_chart(&world, number);
        write_application(&world, number);
    }
    let media = world.source("home-media");
    let revision = media.commit("Many notes").unwrap();
    world.home.commit("Many Applications").unwrap();
    let start = Instant::now();
    let watch = Watch::start(world.argocd.repo_servers.plugin_groups());
    world.apply_the_root().unwrap();
    until_all_are_synced(&world, &revision);
    figure("200 Applications Synced", &seconds(start));
    figure("renders", &renders(&world).to_string());
    figure("most memory of both sidecars", &format!("{} MiB", watch.mebibytes()));

    let before = renders(&world);
    media.write("notes/note-117/values.yaml", "text: second\n").unwrap();
    let start = Instant::now();
    let revision = world.push(media, "One note").unwrap();
    until_all_are_synced(&world, &revision);
    figure("one of them changed", &seconds(start));
    let one = renders(&world) - before;
    figure("renders", &one.to_string());
    assert_eq!(world.field("ConfigMap", "jellyfin/note-117", "/data/text"), "second");
    assert_eq!(one, 1 + WITHOUT_PATHS, "renders for one change");
}
