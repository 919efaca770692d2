//! A sync that was refused and is retried: what of its Application it keeps, and what ends that.

use std::time::Instant;

use real_parts::World;
use real_parts::measure::{figure, seconds};
use serde_json::{Value, json};

use super::{failure, write_plugged};

/// Has the plain Application retry every two seconds.
pub(super) fn sooner(world: &World) {
    let file = "applications/plain.yaml";
    let mut application: Value = serde_json::from_str(&world.home.read(file).unwrap()).unwrap();
    application["spec"]["syncPolicy"]["retry"]["backoff"] = json!({"duration": "2s", "factor": 1});
    world.write_application(&application).unwrap();
}

fn write(world: &World, stamp: &[Value]) {
    let writes = json!({"name": "writes", "array": ["pvc-pe-audio"]});
    let parameters: Vec<&Value> = std::iter::once(&writes).chain(stamp).collect();
    let retry = json!({"limit": 5, "refresh": true});
    write_plugged(world, "editor", &json!(parameters), &retry);
}

fn retries(world: &World) -> u64 {
    let state = &world.application("editor")["status"]["operationState"];
    state["retryCount"].as_u64().unwrap_or_default()
}

/// Given an Application that may write a claim and has no stamp, when its sync is refused and the stamp comes, then each retry is
/// refused as the first one was, until the operation is ended; the next one has the stamp.
///
/// Control: the retries take the newest commit, as those of the plain Application do.
pub(super) fn keeps_its_parameters(world: &World) {
    let said = "Deployment jellyfin/editor, whose pods have no label storage.home.arpa/app, would write the claim pvc-pe-audio of";
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "editor"},
        "spec": {"selector": {"matchLabels": {"app": "editor"}}, "template": {
            "metadata": {"labels": {"app": "editor"}},
            "spec": {
                "containers": [{"name": "main", "image": "example.org/x", "volumeMounts": [{"name": "audio", "mountPath": "/audio"}]}],
                "volumes": [{"name": "audio", "persistentVolumeClaim": {"claimName": "pvc-pe-audio"}}],
            },
        }},
    });
    world.home.write("editor/editor.yaml", &deployment.to_string()).unwrap();
    write(world, &[]);
    world.push(&world.home, "An editor").unwrap();
    world.until("it is refused", || failure(world, "editor").contains(said));
    let start = Instant::now();
    write(world, &[json!({"name": "stamp-app", "string": "true"})]);
    let head = world.push(&world.home, "Stamp it").unwrap();
    world.until_synced("root", &head);
    world.until("it was retried", || {
        retries(world) == 2 && failure(world, "editor").contains(said)
    });
    figure("a sync that was refused, retried", &seconds(start));
    let state = &world.application("editor")["status"]["operationState"];
    assert_eq!(state["syncResult"]["revision"], head.as_str());
    let parameters = &state["operation"]["sync"]["source"]["plugin"]["parameters"];
    assert_eq!(parameters.as_array().map(Vec::len), Some(1), "{parameters}");
    let start = Instant::now();
    let end = r#"{"status":{"operationState":{"phase":"Terminating"}}}"#;
    let patch = [
        "patch",
        "application",
        "editor",
        "-n",
        "argocd",
        "--type=merge",
        "-p",
        end,
    ];
    world.cluster.kubectl(&patch, None).unwrap();
    world.until_synced("editor", &head);
    figure(
        "synced with the new parameters, once the retries were ended",
        &seconds(start),
    );
    world.home.remove("applications/editor.yaml").unwrap();
}
