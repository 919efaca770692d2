//! Jobs of an Application that the plugin renders, while templates are stamped: the template of a Job cannot change.

use real_parts::World;
use serde_json::{Value, json};

use super::{failure, write_plugged};

/// One that has ended, and one that is on no node and runs on.
const JOBS: [&str; 2] = ["ended", "running"];

/// Writes an Application of the plugin with two Jobs that read the claim of the fetcher.
pub(super) fn furnish(world: &World) {
    JOBS.iter().for_each(|name| write_job(world, name));
    write(world, &json!([]), 5);
}

fn write_job(world: &World, name: &str) {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "example.org/x", "volumeMounts": [{"name": "audio", "mountPath": "/audio"}]}],
            "volumes": [{"name": "audio", "persistentVolumeClaim": {"claimName": "pvc-pe-audio", "readOnly": true}}],
        }}},
    });
    if name == "running" {
        job["spec"]["template"]["spec"]["nodeSelector"] = json!({"none": "such"});
    }
    world
        .home
        .write(&format!("chores/{name}.yaml"), &job.to_string())
        .unwrap();
}

fn write(world: &World, parameters: &Value, retries: u32) {
    let retry = json!({"limit": retries, "refresh": true, "backoff": {"duration": "2s"}});
    write_plugged(world, "chores", parameters, &retry);
}

fn uids(world: &World) -> [Option<String>; 2] {
    JOBS.map(|name| world.uid("Job", &format!("jellyfin/{name}")))
}

fn are_stamped(world: &World) -> bool {
    let pointer = "/spec/template/metadata/labels/storage.home.arpa~1app";
    JOBS.iter()
        .all(|name| world.field("Job", &format!("jellyfin/{name}"), pointer) == "chores")
}

fn has_ended(world: &World) -> bool {
    world.field("Job", "jellyfin/ended", "/status/succeeded") == 1
}

/// Control: with a stamp alone the sync fails, and the Jobs stay as they are.
pub(super) fn stay_with_a_stamp_alone(world: &World) -> [Option<String>; 2] {
    world.until("the Job has ended", || has_ended(world));
    let old = uids(world);
    assert!(old.iter().all(Option::is_some));
    // A sync that is retried keeps the parameters that it started with.
    write(world, &json!([{"name": "stamp-app", "string": "true"}]), 1);
    world.push(&world.home, "Stamp the chores").unwrap();
    world.until("the sync fails", || {
        failure(world, "chores").contains("field is immutable")
    });
    assert_eq!(uids(world), old);
    write(world, &json!([]), 5);
    let head = world.push(&world.home, "No stamps").unwrap();
    world.until_synced("root", &head);
    world.until("nothing is tried any more", || {
        let chores = world.application("chores");
        let status = &chores["status"];
        status["sync"]["status"] == "Synced"
            && status["sync"]["revision"] == head.as_str()
            && chores["operation"].is_null()
            && status["operationState"]["phase"] != "Running"
    });
    assert_eq!(uids(world), old);
    old
}

/// The command names them, and refuses to go on without the option.
pub(super) fn are_named(world: &World) {
    let text = world.runs(3, &["lock", "enable", "writes"]);
    assert!(
        text.contains(
            "the template of a Job cannot change: `jellyfin/ended` of `chores`, `jellyfin/running` of `chores`"
        ) && text.contains("--recreate-jobs"),
        "{text}"
    );
}

/// Each is another one that begins again, once.
pub(super) fn are_recreated(world: &World, old: &[Option<String>; 2]) -> [Option<String>; 2] {
    world.until("the Jobs are stamped", || are_stamped(world));
    let new = uids(world);
    assert!(
        new.iter().zip(old).all(|(new, old)| new.is_some() && new != old),
        "{new:?}"
    );
    world.until("the Job has ended again", || has_ended(world));
    new
}

/// With the policy written they are not created again. The one that runs on leaves Git, since nothing is
/// Healthy with it, and one comes that has its stamp from the beginning.
pub(super) fn are_those(world: &World, new: &[Option<String>; 2]) {
    assert_eq!(uids(world), *new);
    world.home.remove("chores/running.yaml").unwrap();
    write_job(world, "late");
    let head = world.push(&world.home, "It is done").unwrap();
    world.until_synced("chores", &head);
}

/// Without stamps the template of the one that was applied with it would be another one again, and the sync fails; the one that was
/// replaced keeps it, and Argo CD sees no difference. The command says which to delete.
pub(super) fn are_named_again(world: &World, said: &str) {
    let head = world.home.head().unwrap();
    world.until("the sync fails", || {
        failure(world, "chores").contains("field is immutable")
    });
    let stamped = ["ended", "late"];
    for name in stamped {
        let command = format!("kubectl delete job {name} -n jellyfin");
        assert!(said.contains(&command), "{said}");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        world.cluster.kubectl(&words, None).unwrap();
    }
    world.until_synced("chores", &head);
    for name in stamped {
        let labels = world.field("Job", &format!("jellyfin/{name}"), "/spec/template/metadata/labels");
        assert!(
            labels.is_object() && labels["storage.home.arpa/app"].is_null(),
            "{labels}"
        );
    }
}
