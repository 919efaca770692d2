//! A workload that would write a foreign claim, where Argo CD compares on the server (`ServerSideDiff`): which comparisons the policy
//! refuses, and which it never sees.

use real_parts::World;
use serde_json::{Value, json};

use super::{config_map, failure};

/// Has the plain Application compare on the server, with these options of its sync.
pub(super) fn on_the_server(world: &World, options: &[&str]) {
    let file = "applications/plain.yaml";
    let mut application: Value = serde_json::from_str(&world.home.read(file).unwrap()).unwrap();
    application["metadata"]["annotations"] = json!({"argocd.argoproj.io/compare-options": "ServerSideDiff=true"});
    application["spec"]["syncPolicy"]["syncOptions"] = json!(options);
    if options.is_empty() {
        let policy = application["spec"]["syncPolicy"].as_object_mut().unwrap();
        policy.shift_remove("syncOptions");
    }
    world.write_application(&application).unwrap();
}

/// How a workload has the claim of the fetcher.
#[derive(Clone, Copy)]
enum Mount {
    None,
    Reads,
    Writes,
}

fn write(world: &World, name: &str, mount: Mount) {
    let read_only = matches!(mount, Mount::Reads);
    let mut spec = json!({"containers": [{"name": "main", "image": "example.org/x"}]});
    if !matches!(mount, Mount::None) {
        let mut place = json!({"name": "audio", "mountPath": "/audio"});
        if read_only {
            place["readOnly"] = json!(true);
        }
        spec["containers"][0]["volumeMounts"] = json!([place]);
        spec["volumes"] = json!([{"name": "audio", "persistentVolumeClaim": {"claimName": "pvc-pe-audio"}}]);
    }
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": spec,
        }},
    });
    world
        .home
        .write(&format!("plain/{name}.yaml"), &deployment.to_string())
        .unwrap();
}

/// Writes the map beside the workloads.
fn write_beside(world: &World, value: &str) {
    let map = config_map("beside").replace("a: b", &format!("a: {value}"));
    world.home.write("plain/beside.yaml", &map).unwrap();
}

fn beside(world: &World) -> Value {
    world.field("ConfigMap", "jellyfin/beside", "/data/a")
}

fn synced(world: &World, message: &str) {
    let head = world.push(&world.home, message).unwrap();
    world.until_synced("root", &head);
    world.until_synced("plain", &head);
}

/// The sentence about a workload without the label, as far as it is one for all.
fn sentence(name: &str) -> String {
    format!(
        "Deployment jellyfin/{name}, whose pods have no label storage.home.arpa/app, would write the claim pvc-pe-audio of"
    )
}

fn compares_well(world: &World) {
    assert_eq!(world.conditions("plain", "ComparisonError"), Vec::<String>::new());
}

/// Waits until the comparison says the sentence about a workload; the map beside stays as it was.
fn is_an_error_of_the_comparison(world: &World, name: &str) {
    let was = beside(world);
    write_beside(world, name);
    world.push(&world.home, "It writes").unwrap();
    world.until("the comparison says it", || {
        let conditions = world.conditions("plain", "ComparisonError");
        conditions.iter().any(|words| words.contains(&sentence(name)))
    });
    world.stays("nothing is applied", 2, || beside(world) == was);
    write(world, name, Mount::Reads);
    synced(world, "It reads");
    compares_well(world);
    assert_eq!(beside(world), name);
}

pub(super) fn what_writes(world: &World) {
    on_the_server(world, &[]);
    write(world, "bare", Mount::None);
    write(world, "lifted", Mount::Reads);
    synced(world, "Compare on the server");
    // Argo CD compares a new object by itself.
    write(world, "new", Mount::Writes);
    write_beside(world, "new");
    world.push(&world.home, "A new one writes").unwrap();
    world.until("the sync says it", || {
        failure(world, "plain").contains(&sentence("new"))
    });
    world.until("the map is applied", || beside(world) == "new");
    compares_well(world);
    world.home.remove("plain/new.yaml").unwrap();
    synced(world, "The new one is gone");
    // A mount that is added is there in what the server answers.
    write(world, "bare", Mount::Writes);
    is_an_error_of_the_comparison(world, "bare");
    // A field that is taken out of Git is there in it, too: the manager of a server-side apply never had it. Nothing is refused, and
    // nothing is applied.
    let lifted = || {
        let pointer = "/spec/template/spec/containers/0/volumeMounts/0/readOnly";
        world.field("Deployment", "jellyfin/lifted", pointer)
    };
    write(world, "lifted", Mount::Writes);
    synced(world, "The one that was there writes");
    compares_well(world);
    assert_eq!(lifted(), true);
    // The sync of something beside it applies it.
    write_beside(world, "lifted");
    world.push(&world.home, "And something beside").unwrap();
    world.until("the sync says it", || {
        failure(world, "plain").contains(&sentence("lifted"))
    });
    compares_well(world);
    write(world, "lifted", Mount::Reads);
    synced(world, "It reads again");
    // Where syncs are server-side applies, the field is theirs.
    on_the_server(world, &["ServerSideApply=true"]);
    synced(world, "Apply on the server");
    // Created with the option: an object of a client-side apply keeps its older manager for one more sync.
    write(world, "applied", Mount::Reads);
    synced(world, "One more reads");
    write(world, "applied", Mount::Writes);
    is_an_error_of_the_comparison(world, "applied");
}
