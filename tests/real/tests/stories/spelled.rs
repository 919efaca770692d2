//! What becomes of an Application that is spelled otherwise than Argo CD spells it.

use real_parts::{Options, World};
use serde_json::Value;

const JELLYFIN: &str = "applications/jellyfin.yaml";

fn validate(world: &World) -> (Option<i32>, String) {
    let output = world.homelab(&["validate", "--fetch"]).unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// Returns what the last sync of the root says of the Application `jellyfin`.
fn result_of_jellyfin(world: &World) -> Value {
    let results = world.application("root")["status"]["operationState"]["syncResult"]["resources"].clone();
    let results = results.as_array().cloned().unwrap_or_default();
    results
        .into_iter()
        .find(|result| result["name"] == "jellyfin")
        .unwrap_or_default()
}

fn is_out_of_sync(world: &World, revision: &str) -> bool {
    let status = world.application("root")["status"].clone();
    let resources = status["resources"].as_array().cloned().unwrap_or_default();
    let is_it = |resource: &Value| resource["name"] == "jellyfin" && resource["status"] == "OutOfSync";
    status["sync"]["revision"] == *revision && resources.iter().any(is_it)
}

/// Given an Application with a field that Argo CD does not know, when the root syncs it, then the sync succeeds, the field is
/// dropped, and the root stays OutOfSync; with server-side apply it is dropped, too, and the root is Synced. With a value of a
/// wrong type the sync fails. `validate` says each before.
///
/// Control: the Application without the field is Synced.
#[test]
fn a_field_that_is_not_known_is_dropped_and_stays_out_of_sync() {
    let world = World::running(&Options::default()).unwrap();
    let sound = world.home.read(JELLYFIN).unwrap();
    let (code, findings) = validate(&world);
    assert_eq!(code, Some(0), "{findings}");

    let push = |text: &str, words: &[&str]| {
        world.home.write(JELLYFIN, text).unwrap();
        let (code, findings) = validate(&world);
        assert_eq!(code, Some(1), "{findings}");
        assert!(words.iter().all(|word| findings.contains(word)), "{findings}");
        world.push(&world.home, words[0]).unwrap()
    };
    let unknown = sound.replace("      selfHeal: true", "      selfHeal: true\n      alowEmpty: false");
    let revision = push(
        &unknown,
        &["HL310", "it is dropped silently, and `root` stays OutOfSync"],
    );
    world.until("the sync succeeds", || {
        let state = world.application("root")["status"]["operationState"].clone();
        state["syncResult"]["revision"] == *revision && state["phase"] == "Succeeded"
    });
    world.until("it is OutOfSync", || is_out_of_sync(&world, &revision));
    world.stays("OutOfSync", 3, || is_out_of_sync(&world, &revision));
    let automated = world.application("jellyfin")["spec"]["syncPolicy"]["automated"].clone();
    assert!(
        automated["selfHeal"] == true && automated["alowEmpty"].is_null(),
        "{automated}"
    );

    let server_side = unknown.replace(
        "  annotations:\n",
        "  annotations:\n    argocd.argoproj.io/sync-options: ServerSideApply=true\n",
    );
    let revision = push(&server_side, &["HL310", "and `root` is Synced nevertheless"]);
    world.until_synced("root", &revision);
    let automated = world.application("jellyfin")["spec"]["syncPolicy"]["automated"].clone();
    assert!(automated["alowEmpty"].is_null(), "{automated}");

    let wrong = sound.replace("      prune: true", "      prune: \"yes\"");
    push(&wrong, &["HL311", "the API server refuses the manifest"]);
    world.until("the sync fails", || {
        let result = result_of_jellyfin(&world);
        result["status"] == "SyncFailed" && result["message"].as_str().unwrap_or_default().contains("boolean")
    });

    world.home.write(JELLYFIN, &sound).unwrap();
    let revision = world.push(&world.home, "As it was").unwrap();
    world.until_synced("root", &revision);
}

/// Given an Application of the plugin, when a file `.argocd-source-<name>.yaml` in its folder adds `helm`, as image-updater
/// writes it, then Argo CD does not render it and what runs stays; `validate` says so and `render` prints nothing.
///
/// Control: the file of another Application changes nothing.
#[test]
fn a_file_that_adds_another_tool_is_refused() {
    let world = World::running(&Options::default()).unwrap();
    let media = world.source("home-media");
    let text = "helm:\n  parameters:\n  - {name: image.tag, value: '1'}\n";
    media.write("helm/jellyfin/.argocd-source-other.yaml", text).unwrap();
    let revision = world.push(media, "For another one").unwrap();
    world.until_synced("jellyfin", &revision);
    let (code, findings) = validate(&world);
    assert_eq!(code, Some(0), "{findings}");

    media.write("helm/jellyfin/.argocd-source-jellyfin.yaml", text).unwrap();
    world.push(media, "A new image").unwrap();
    world.until("it is refused", || {
        let conditions = world.conditions("jellyfin", "ComparisonError");
        conditions
            .iter()
            .any(|words| words.contains("multiple application sources defined"))
    });
    let (code, findings) = validate(&world);
    assert!(code == Some(1) && findings.contains("HL304"), "{findings}");
    let output = world.homelab(&["render", "jellyfin", "--fetch"]).unwrap();
    assert!(output.status.code() == Some(3) && output.stdout.is_empty());
    assert!(world.uid("Deployment", "jellyfin/jellyfin").is_some());
}
