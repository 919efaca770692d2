//! The lock with Argo CD: what it refuses to Argo CD, and how Argo CD goes on.

mod compared;
mod jobs;
mod retried;
mod rollouts;

use std::time::Instant;

use real_parts::measure::{figure, seconds};
use real_parts::{Options, World};
use serde_json::{Value, json};

/// The kind of what is kept.
const CLAIM: &str = "PersistentVolumeClaim";

/// Returns a claim without guards, which has an owner or none.
fn claim(name: &str, labels: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\n  labels: {{{labels}}}\nspec:\n  \
         accessModes: [ReadWriteOnce]\n  resources: {{requests: {{storage: 1Gi}}}}\n"
    )
}

fn kept() -> String {
    claim("kept", "storage.home.arpa/owner: plain")
}

/// Writes an Application of Argo CD's own over the folder `plain`.
///
/// An empty list of finalizers would be dropped by the API server, and the Application that brings it OutOfSync for good.
fn write_plain(world: &World, finalizer: Option<&str>) {
    let mut application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "plain", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": world.home.url(), "path": "plain", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "jellyfin"},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "retry": {"limit": 5, "refresh": true},
            },
        },
    });
    if let Some(finalizer) = finalizer {
        application["metadata"]["finalizers"] = json!([finalizer]);
    }
    world.write_application(&application).unwrap();
}

/// Writes an Application of the plugin over the folder of its name.
fn write_plugged(world: &World, name: &str, parameters: &Value, retry: &Value) {
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": world.home.url(), "path": name, "targetRevision": "main",
                "plugin": {"name": "homelab-v1", "parameters": parameters},
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "jellyfin"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "retry": retry},
        },
    });
    world.write_application(&application).unwrap();
}

/// Writes an Application of Argo CD's own that brings two claims without guards: one with an owner, and the control.
fn write_the_application(world: &World) {
    write_plain(world, Some("resources-finalizer.argocd.argoproj.io"));
    world.home.write("plain/kept.yaml", &kept()).unwrap();
    world.home.write("plain/loose.yaml", &claim("loose", "a: b")).unwrap();
    for name in ["other", "beside"] {
        world
            .home
            .write(&format!("plain/{name}.yaml"), &config_map(name))
            .unwrap();
    }
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n")
}

/// Returns the message of an Application's operation, and of the objects that failed in it.
fn failure(world: &World, name: &str) -> String {
    let state = world.application(name)["status"]["operationState"].clone();
    let results = state["syncResult"]["resources"].as_array().cloned().unwrap_or_default();
    let messages = results
        .iter()
        .map(|result| result["message"].as_str().unwrap_or_default().to_owned());
    let own = state["message"].as_str().unwrap_or_default().to_owned();
    messages.chain([own]).collect::<Vec<_>>().join("\n")
}

fn uid(world: &World, name: &str) -> Option<String> {
    world.uid(CLAIM, &format!("jellyfin/{name}"))
}

/// Given the lock in Git, when it is pushed, then Argo CD syncs its policies without a difference, and they hold: a prune of an
/// owned claim without guards fails, and the commit that repairs it is not held up; a sync with force and Replace fails, and
/// the claim stays; an Application whose deletion waits goes once its claim is annotated, and the claim is kept. When the lock is
/// disabled, nothing is left of it.
///
/// Control: a claim without an owner, beside the other, is pruned and replaced.
#[test]
fn the_lock_refuses_what_argo_cd_would_lose() {
    let world = World::running(&Options::default()).unwrap();
    write_the_application(&world);
    world.runs(0, &["lock", "enable", "deletions"]);
    let head = world.push(&world.home, "Lock deletions").unwrap();
    for name in ["root", "lock", "plain"] {
        world.until_synced(name, &head);
    }
    world.until("the policies are in force", || {
        world.homelab(&["lock", "status"]).unwrap().status.success()
            && world
                .cluster
                .kubectl(&["delete", "pvc", "kept", "-n", "jellyfin", "--dry-run=server"], None)
                .is_err()
    });
    let status = world.runs(0, &["lock", "status", "-o", "wide"]);
    assert!(status.contains("tried and refused"), "{status}");
    world.stays("Synced, without a difference", 2, || {
        world.application("lock")["status"]["sync"]["status"] == "Synced"
    });
    let claim = uid(&world, "kept");
    assert!(claim.is_some());
    a_sync_with_force_is_refused(&world);
    assert_eq!(uid(&world, "kept"), claim);
    a_prune_is_refused(&world);
    assert_eq!(uid(&world, "kept"), claim);
    a_comparison_on_the_server_refuses_nothing(&world);
    a_deletion_waits_and_goes(&world);
    assert_eq!(uid(&world, "kept"), claim);
    nothing_is_left(&world);
    assert_eq!(uid(&world, "kept"), claim);
}

fn a_sync_with_force_is_refused(world: &World) {
    let loose = uid(world, "loose");
    let sync = json!({"operation": {"sync": {
        "syncOptions": ["Replace=true"], "syncStrategy": {"apply": {"force": true}},
    }}});
    world.api().merge("Application", "argocd/plain", &sync).unwrap();
    world.until("the owned claim is refused", || {
        failure(world, "plain").contains("claim jellyfin/kept belongs to plain")
    });
    world.until("the control is replaced", || {
        uid(world, "loose").is_some_and(|now| Some(now) != loose)
    });
}

fn a_prune_is_refused(world: &World) {
    // The operation with force is retried until it is given up.
    world.until("the operation is over", || {
        let application = world.application("plain");
        application["operation"].is_null() && application["status"]["operationState"]["phase"] != "Running"
    });
    for file in ["plain/kept.yaml", "plain/loose.yaml"] {
        world.home.remove(file).unwrap();
    }
    world.push(&world.home, "Both claims leave Git").unwrap();
    world.until("the control is pruned", || uid(world, "loose").is_none());
    world.until("the other is refused", || {
        failure(world, "plain").contains("`kubectl homelab release pvc/kept -n jellyfin`")
    });
    let start = Instant::now();
    world.home.write("plain/kept.yaml", &kept()).unwrap();
    let head = world.push(&world.home, "The claim is back").unwrap();
    world.until_synced("plain", &head);
    figure("repaired, after a prune that was refused", &seconds(start));
}

/// The policies on deletions refuse nothing with `ServerSideDiff`, since no comparison deletes. What the one on writes does there is in
/// [`compared`].
fn a_comparison_on_the_server_refuses_nothing(world: &World) {
    compared::on_the_server(world, &[]);
    retried::sooner(world);
    let head = world.push(&world.home, "Compare on the server").unwrap();
    world.until_synced("root", &head);
    world.until_synced("plain", &head);
    world.home.remove("plain/kept.yaml").unwrap();
    world.push(&world.home, "The claim leaves Git again").unwrap();
    world.until("its prune is refused", || {
        failure(world, "plain").contains("claim jellyfin/kept belongs to plain")
    });
    assert_eq!(world.conditions("plain", "ComparisonError"), Vec::<String>::new());
    let start = Instant::now();
    world.home.write("plain/kept.yaml", &kept()).unwrap();
    let head = world.push(&world.home, "And is back").unwrap();
    world.until_synced("plain", &head);
    figure("the same, retried every 2 s", &seconds(start));
}

fn a_deletion_waits_and_goes(world: &World) {
    world.home.remove("applications/plain.yaml").unwrap();
    world.push(&world.home, "The Application leaves Git").unwrap();
    world.until("its condition says why it waits", || {
        let conditions = world.conditions("plain", "DeletionError");
        conditions
            .iter()
            .any(|words| words.contains("claim jellyfin/kept belongs to plain"))
    });
    world.until("its other objects are gone", || {
        world.uid("ConfigMap", "jellyfin/other").is_none()
    });
    world.stays("waiting for its claim", 2, || {
        world.uid("Application", "argocd/plain").is_some()
    });
    // As the message says.
    let keep = "argocd.argoproj.io/sync-options=Prune=false,Delete=false";
    let annotate = ["annotate", "pvc", "kept", "-n", "jellyfin", "--overwrite", keep];
    world.cluster.kubectl(&annotate, None).unwrap();
    world.until("the Application is gone", || {
        world.uid("Application", "argocd/plain").is_none()
    });
}

fn nothing_is_left(world: &World) {
    world.runs(0, &["lock", "disable"]);
    let head = world.push(&world.home, "Unlock deletions").unwrap();
    world.until_synced("root", &head);
    world.until("its Application is gone", || {
        world.uid("Application", "argocd/lock").is_none()
    });
    for kind in ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] {
        let left = world.cluster.kubectl(&["get", kind, "-o", "name"], None).unwrap();
        assert!(!left.contains("claims-stay"), "{left}");
    }
    let tracked = world
        .cluster
        .kubectl(&["get", "applications", "-n", "argocd", "-o", "name"], None)
        .unwrap();
    assert_eq!(tracked.lines().count(), 4, "{tracked}");
}

/// Writes an Application of Argo CD's own that mounts the claim of the fetcher, and a map beside it.
fn write_the_reader(world: &World, (read_only, value): (bool, &str)) {
    write_plain(world, None);
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "reader"},
        "spec": {"selector": {"matchLabels": {"app": "reader"}}, "template": {
            "metadata": {"labels": {"app": "reader"}},
            "spec": {
                "containers": [{"name": "main", "image": "example.org/x", "volumeMounts": [{"name": "audio", "mountPath": "/audio"}]}],
                "volumes": [{"name": "audio", "persistentVolumeClaim": {"claimName": "pvc-pe-audio", "readOnly": read_only}}],
            },
        }},
    });
    world.home.write("plain/reader.yaml", &deployment.to_string()).unwrap();
    let map = config_map("beside").replace("a: b", &format!("a: {value}"));
    world.home.write("plain/beside.yaml", &map).unwrap();
}

/// Waits until the lock on writes can be made: no pod and no template that mounts a claim lacks its stamp.
fn until_all_is_stamped(world: &World) {
    world.until("nothing runs without a stamp", || {
        let next = world
            .homelab(&["lock", "enable", "writes", "--dry-run=client", "-o", "name"])
            .unwrap();
        let names = String::from_utf8_lossy(&next.stdout).into_owned();
        next.status.success() && names.contains("lock/foreign-claims-read-only.yaml")
    });
}

fn label(world: &World, deployment: &str) -> serde_json::Value {
    let pointer = "/spec/template/metadata/labels/storage.home.arpa~1app";
    world.field("Deployment", deployment, pointer)
}

/// Given the lock on deletions, when `lock enable writes --recreate-jobs` has made its two commits, each synced, then everything runs
/// with stamps, Jobs that had none are created again, once, and the policy holds: an Application of Argo CD's own that would write a
/// foreign claim fails in its sync with the sentence, or in its comparison where Argo CD asks the server, and the commit that repairs it
/// comes with the next retry; where the repair is a parameter, with the end of the retries. When the lock is disabled, its policies and the stamps are gone, and everything runs on.
///
/// Control: the map beside the workload is applied, the same workload was let in while it only read, and Jobs with a stamp alone
/// fail in the sync.
#[test]
fn the_lock_makes_foreign_claims_read_only() {
    let world = World::running(&Options::default()).unwrap();
    world.runs(0, &["lock", "enable", "deletions"]);
    jobs::furnish(&world);
    let head = world.push(&world.home, "Lock deletions").unwrap();
    for name in ["root", "lock", "chores"] {
        world.until_synced(name, &head);
    }
    let is_well = || world.homelab(&["lock", "status"]).unwrap().status.success();
    world.until("the policies are in force", is_well);
    let old = jobs::stay_with_a_stamp_alone(&world);
    jobs::are_named(&world);
    let text = world.runs(0, &["lock", "enable", "writes", "--recreate-jobs"]);
    for app in ["chores", "jellyfin", "pilotedge-audio-fetcher"] {
        assert!(text.contains(&format!("`{app}`")), "{text}");
    }
    world.push(&world.home, "Stamp templates").unwrap();
    until_all_is_stamped(&world);
    assert_eq!(label(&world, "jellyfin/jellyfin"), "jellyfin");
    let new = jobs::are_recreated(&world, &old);
    world.runs(0, &["lock", "enable", "writes"]);
    let head = world.push(&world.home, "Lock writes").unwrap();
    world.until_synced("lock", &head);
    world.until_synced("chores", &head);
    world.until("the policy is in force", || {
        let status = world.homelab(&["lock", "status"]).unwrap();
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        status.status.success() && text.contains("by nobody's Deployment was tried and refused")
    });
    jobs::are_those(&world, &new);
    world.until_everything_runs().unwrap();
    a_writer_is_refused(&world);
    compared::what_writes(&world);
    retried::keeps_its_parameters(&world);
    stamps_go_with_the_lock(&world);
}

fn a_writer_is_refused(world: &World) {
    let said = "Deployment jellyfin/reader, whose pods have no label storage.home.arpa/app, would write the claim pvc-pe-audio of \
        pilotedge-audio-fetcher";
    write_the_reader(world, (true, "b"));
    let head = world.push(&world.home, "It reads").unwrap();
    world.until_synced("root", &head);
    world.until_synced("plain", &head);
    write_the_reader(world, (false, "c"));
    world.push(&world.home, "It writes").unwrap();
    world.until("the sync says it", || failure(world, "plain").contains(said));
    world.until("the map is applied", || {
        world.field("ConfigMap", "jellyfin/beside", "/data/a") == "c"
    });
    let start = Instant::now();
    write_the_reader(world, (true, "d"));
    let head = world.push(&world.home, "It reads again").unwrap();
    world.until_synced("plain", &head);
    figure("repaired, after a workload that was refused", &seconds(start));
}

fn stamps_go_with_the_lock(world: &World) {
    world.home.remove("applications/plain.yaml").unwrap();
    let said = world.runs(0, &["lock", "disable"]);
    let head = world.push(&world.home, "Unlock").unwrap();
    world.until_synced("root", &head);
    jobs::are_named_again(world, &said);
    world.until("its Application is gone", || {
        world.uid("Application", "argocd/lock").is_none()
    });
    for kind in ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] {
        let left = world.cluster.kubectl(&["get", kind, "-o", "name"], None).unwrap();
        assert!(!left.contains("claims-"), "{left}");
    }
    world.until("the stamps are gone", || label(world, "jellyfin/jellyfin").is_null());
    world.until_everything_runs().unwrap();
    assert!(
        !world
            .home
            .read("applications/jellyfin.yaml")
            .unwrap()
            .contains("stamp-app")
    );
}
