//! Changes that the plugin, `validate` or the API server refuses, and their repair.

use std::time::Instant;

use real_parts::measure::{figure, seconds};
use real_parts::{Options, World};

const TEMPLATE: &str = "helm/jellyfin/templates/claims.yaml";
const VALUES: &str = "helm/jellyfin/values.yaml";

/// Returns the UIDs of Jellyfin's objects that hold state or run.
fn uids(world: &World, application: &str) -> Vec<Option<String>> {
    let of = |kind: &str, name: &str| world.uid(kind, &format!("{application}/{name}"));
    vec![
        of("Deployment", application),
        of("Service", application),
        of("PersistentVolumeClaim", &format!("{application}-config")),
        of("PersistentVolumeClaim", &format!("{application}-media")),
    ]
}

/// Given a chart, when one of its claims has `Replace=true` or `Force=true`, then the plugin refuses it with one line,
/// which is the Application's ComparisonError, and everything stays as it was; a revert repairs it.
///
/// Control: Argo CD's own Helm accepts the same chart.
#[test]
fn a_claim_that_would_be_recreated_is_refused() {
    let world = World::running(&Options::default()).unwrap();
    let twin = world.native_twin("jellyfin", "jellyfin-twin");
    world.api().create("Application", "argocd/", &twin).unwrap();
    world.until_healthy("jellyfin-twin");
    let before = uids(&world, "jellyfin");
    assert!(before.iter().all(Option::is_some));
    let media = world.source("home-media");
    let template = media.read(TEMPLATE).unwrap();
    for option in ["Replace=true", "Force=true"] {
        let annotations = format!("  annotations:\n    argocd.argoproj.io/sync-options: {option}\n  labels:");
        media
            .write(TEMPLATE, &template.replace("  labels:", &annotations))
            .unwrap();
        let revision = world.push(media, option).unwrap();
        world.until("it is refused", || {
            world
                .conditions("jellyfin", "ComparisonError")
                .iter()
                .any(|words| words.contains(option))
        });
        let words = world.conditions("jellyfin", "ComparisonError").remove(0);
        assert!(
            words.contains("jellyfin-config") || words.contains("jellyfin-cache"),
            "{words}"
        );
        assert!(!words.contains('\n') && !words.contains("/tmp"), "{words}");
        world.stays("as it was", 2, || uids(&world, "jellyfin") == before);
        world.until("the control takes it", || {
            world.application("jellyfin-twin")["status"]["sync"]["revision"] == *revision
        });
        assert!(world.conditions("jellyfin-twin", "ComparisonError").is_empty());
    }
    media.write(TEMPLATE, &template).unwrap();
    let revision = world.push(media, "As it was").unwrap();
    world.until_synced("jellyfin", &revision);
    assert!(world.conditions("jellyfin", "ComparisonError").is_empty());
    assert_eq!(uids(&world, "jellyfin"), before);
}

/// Given an Application with the sync option `Replace=true`, which no plugin can see, then `validate` refuses it; when it
/// is pushed all the same, then every sync fails and the claims stay.
///
/// Control: without the option `validate` finds nothing and the same commit syncs.
#[test]
fn replace_on_an_application_is_refused_by_validate() {
    let world = World::running(&Options::default()).unwrap();
    let validate = || {
        let output = world.homelab(&["validate", "--fetch"]).unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, findings) = validate();
    assert!(code == Some(0) && !findings.contains("HL302"), "{code:?} {findings}");
    let before = uids(&world, "jellyfin");

    world
        .home
        .replace(
            "applications/jellyfin.yaml",
            "      - RespectIgnoreDifferences=true",
            "      - Replace=true",
        )
        .unwrap();
    let (code, findings) = validate();
    assert!(code == Some(1) && findings.contains("HL302"), "{code:?} {findings}");

    world.push(&world.home, "Replace everything").unwrap();
    world.until("the option is there", || {
        world.application("jellyfin")["spec"]["syncPolicy"]["syncOptions"][0] == "Replace=true"
    });
    let media = world.source("home-media");
    media.replace(VALUES, "TZ: Etc/UTC", "TZ: Europe/Berlin").unwrap();
    world.push(media, "Another time zone").unwrap();
    world.until("the sync fails", || {
        let state = world.application("jellyfin")["status"]["operationState"].clone();
        let results = state["syncResult"]["resources"].as_array().cloned().unwrap_or_default();
        results
            .iter()
            .any(|result| result["status"] == "SyncFailed" && result["kind"] == "PersistentVolumeClaim")
    });
    assert_eq!(uids(&world, "jellyfin")[2..], before[2..]);

    let head = world.home.revert().unwrap();
    world.refresh(&world.home).unwrap();
    world.until_synced("root", &head);
    // The operation under way keeps the options that it began with, until its retries are used up.
    world.stays("as they were", 2, || uids(&world, "jellyfin")[2..] == before[2..]);
}

/// Given a commit that the API server refuses, when another commit repairs it, then it is applied with the next retry, because the
/// scaffold has `retry.refresh`.
///
/// Control: without `refresh` the old commit is retried, and the repair waits.
#[test]
fn a_repair_is_not_kept_waiting() {
    let world = World::running(&Options::default()).unwrap();
    let mut twin = world.native_twin("jellyfin", "jellyfin-twin");
    twin["spec"]["syncPolicy"]["retry"]
        .as_object_mut()
        .unwrap()
        .remove("refresh");
    world.api().create("Application", "argocd/", &twin).unwrap();
    world.until_healthy("jellyfin-twin");

    let media = world.source("home-media");
    media.replace(VALUES, "port: 8096", "port: 99999").unwrap();
    world.push(media, "A port that is none").unwrap();
    for application in ["jellyfin", "jellyfin-twin"] {
        world.until("the commit can't be applied", || {
            world.application(application)["status"]["operationState"]["retryCount"].as_u64() >= Some(1)
        });
    }
    let start = Instant::now();
    media.replace(VALUES, "port: 99999", "port: 8097").unwrap();
    let revision = world.push(media, "A port").unwrap();
    world.until_synced("jellyfin", &revision);
    figure("repaired, with retry.refresh", &seconds(start));
    world.stays("in want of the repair, without retry.refresh", 5, || {
        !world.is_synced("jellyfin-twin", &revision)
    });
}
