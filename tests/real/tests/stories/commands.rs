//! `kubectl homelab refresh`, `sync` and `wait`, with the real API server and the real controller.

use real_parts::{Options, World};
use serde_json::Value;

const APP: &str = "jellyfin";
const MANIFEST: &str = "applications/jellyfin.yaml";
const TEMPLATE: &str = "helm/jellyfin/templates/note.yaml";

/// Returns a Service for the chart; the API server accepts no port above 65535.
fn service(port: u32) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata:\n  name: note\nspec:\n  ports:\n    - port: {port}\n")
}

fn has(message: &str, part: &str) {
    assert!(message.contains(part), "`{part}` is not in:\n{message}");
}

/// Starts a world in which all of the shipped repository exists.
fn everything() -> World {
    let world = World::with_the_shipped_repository(&Options::default()).unwrap();
    world.apply_the_root().unwrap();
    world.runs(0, &["wait", "root", "--timeout", "90s"]);
    world.runs(0, &["wait", "--all", "--timeout", "90s"]);
    world
}

/// Given everything is Synced, when a commit is pushed, then a refresh applies it at once (control: without one, Argo CD
/// finds it after a minute), and `wait` ends when it is in the cluster, or when the Application is gone.
#[test]
fn refresh_and_wait() {
    let world = everything();
    a_commit_is_taken(&world);
    a_broken_chart_is_reported(&world);
    what_is_missing_is_reported(&world);
    flags_select_cluster_and_user(&world);
    a_deletion_is_seen(&world);
}

/// Waits until the Application is Synced; its health depends on pods and nodes, which most of this does not test.
fn until_synced(world: &World, app: &str, revision: &str) {
    let arguments = [
        "wait",
        app,
        "--for",
        "synced",
        "--revision",
        revision,
        "--timeout",
        "90s",
    ];
    world.runs(0, &arguments);
}

fn a_commit_is_taken(world: &World) {
    let chart = world.source("home-media");
    chart.write(TEMPLATE, &service(80)).unwrap();
    let revision = chart.commit("Add a note").unwrap();
    let late = world.runs(1, &["wait", APP, "--revision", &revision, "--timeout=3s"]);
    has(&late, &format!("not to {revision}"));
    has(&world.runs(0, &["refresh", APP]), &revision[..7]);
    until_synced(world, APP, &revision[..10]);
    assert!(world.is_synced(APP, &revision));
    assert!(world.uid("Service", "jellyfin/note").is_some());
}

fn a_broken_chart_is_reported(world: &World) {
    let chart = world.source("home-media");
    chart.write(TEMPLATE, "{{ fail \"not today\" }}").unwrap();
    chart.commit("Break the chart").unwrap();
    let broken = world.runs(1, &["refresh", APP, "namespaces", "-o", "wide"]);
    has(&broken, "jellyfin: ComparisonError: ");
    has(&broken, "not today");
    let waiting = world.runs(1, &["wait", APP, "--for", "synced", "--timeout", "2s"]);
    has(&waiting, "jellyfin: not Synced but Unknown");
    has(&waiting, "not today");
    chart.revert().unwrap();
    world.runs(0, &["refresh", "--all", "--hard"]);
    let message = world.homelab(&["refresh", "app/jellyfin", "-o", "json"]).unwrap();
    let list: Value = serde_json::from_slice(&message.stdout).unwrap();
    assert_eq!(list["kind"], "LiveApplicationList");
    assert_eq!(list["items"][0]["sync"], "Synced", "{list}");
}

fn what_is_missing_is_reported(world: &World) {
    let unknown = world.runs(3, &["refresh", "jelyfin"]);
    has(&unknown, "there is no Application `jelyfin`");
    has(&unknown, "hint: did you mean `jellyfin`?");
    let elsewhere = world.runs(3, &["wait", APP, "--argocd-namespace", "jellyfin"]);
    has(&elsewhere, "there are no Applications in the namespace `jellyfin`");
}

/// Tests the flags of kubectl, with a real certificate and real permissions.
fn flags_select_cluster_and_user(world: &World) {
    let kubeconfig: Value = serde_json::from_str(&world.read("admin.kubeconfig")).unwrap();
    let text = |pointer: &str| kubeconfig.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let nothing = world.write("nothing.kubeconfig", "{}").unwrap();
    let server = ["wait", APP, "--kubeconfig", nothing.to_str().unwrap(), "--server"].map(str::to_owned);
    let server = [&server[..], &[text("/clusters/0/cluster/server")]].concat();
    let run = |code: i32, flags: &[String]| {
        let words = [&server, flags].concat();
        world.runs(code, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let authority = format!(
        "--certificate-authority={}",
        text("/clusters/0/cluster/certificate-authority")
    );
    let token = format!("--token={}", text("/users/0/user/token"));
    run(0, &[authority.clone(), token.clone()]);
    run(0, &["--insecure-skip-tls-verify".to_owned(), token.clone()]);
    has(&run(3, std::slice::from_ref(&token)), "cannot be reached: ");
    let name = "--tls-server-name=kubernetes.default.svc".to_owned();
    run(0, &[authority.clone(), token.clone(), name]);
    let [certificate, key] = ["certificate", "key"].map(|part| format!("--client-{part}="));
    let certificate = certificate + world.path("admin.crt").to_str().unwrap();
    let key = key + world.path("admin.key").to_str().unwrap();
    run(0, &[authority.clone(), certificate, key]);
    let wrong = "--tls-server-name=elsewhere".to_owned();
    has(&run(3, &[authority.clone(), token, wrong]), "cannot be reached: ");
    has(&run(3, &[authority]), "does not allow it: ");

    let mut asked = ["wait", APP, "--as=alice"].to_vec();
    has(
        &world.runs(3, &asked),
        "User \"alice\" cannot list resource \"applications\"",
    );
    asked.push("--as-group=system:masters");
    world.runs(0, &asked);
}

fn a_deletion_is_seen(world: &World) {
    let early = world.runs(1, &["wait", APP, "--for", "deleted", "--timeout", "3s"]);
    has(&early, "jellyfin: nobody has deleted it");
    world.home.remove(MANIFEST).unwrap();
    world.home.commit("Remove jellyfin").unwrap();
    world.runs(0, &["refresh", "root"]);
    world.runs(0, &["wait", APP, "--for", "deleted", "--timeout", "60s"]);
    assert!(world.application(APP).is_null());
    world.runs(0, &["wait", APP, "--for", "deleted"]);
    has(&world.runs(3, &["wait", APP]), "there is no Application `jellyfin`");
}

/// Given an Application without automated sync, when a commit is pushed, then `sync` applies it (control: `wait` alone times
/// out), reports what failed, prunes on request, and starts nothing during another operation.
#[test]
fn sync() {
    let world = everything();
    no_sync_starts_during_another_operation(&world);
    switch_automation_off(&world);
    sync_applies_a_commit(&world);
    failures_are_reported(&world);
    pruning_is_opt_in(&world);
}

fn no_sync_starts_during_another_operation(world: &World) {
    let chart = world.source("home-media");
    chart.write(TEMPLATE, &service(70_000)).unwrap();
    chart.commit("Choose a port that there is not").unwrap();
    world.runs(0, &["refresh", APP]);
    world.until("the sync is tried again", || {
        let application = world.application(APP);
        let message = application["status"]["operationState"]["message"].as_str();
        message.is_some_and(|message| message.contains("Retrying"))
    });
    let refused = world.runs(3, &["sync", APP]);
    has(
        &refused,
        "an operation of Argo CD itself is running on the Application `jellyfin`",
    );
    let waiting = world.runs(1, &["wait", APP, "--for=synced", "--timeout", "3s"]);
    has(&waiting, "jellyfin: an operation is running: ");
    chart.remove(TEMPLATE).unwrap();
    let revision = chart.commit("Take the note back").unwrap();
    until_synced(world, APP, &revision);
}

fn switch_automation_off(world: &World) {
    let automation = "    automated:\n      prune: true\n      selfHeal: true\n";
    world.home.replace(MANIFEST, automation, "").unwrap();
    world.home.replace(MANIFEST, "limit: 5", "limit: 0").unwrap();
    let head = world.home.commit("Sync jellyfin by hand").unwrap();
    world.runs(0, &["refresh", "root"]);
    until_synced(world, "root", &head);
}

fn sync_applies_a_commit(world: &World) {
    let chart = world.source("home-media");
    chart.write(TEMPLATE, &service(80)).unwrap();
    let revision = chart.commit("Add a note").unwrap();
    has(&world.runs(0, &["refresh", APP]), "OutOfSync");
    let waiting = world.runs(1, &["wait", APP, "--timeout", "2s"]);
    has(&waiting, "jellyfin: not Synced but OutOfSync (Service/note)");
    for dry_run in ["--dry-run", "--dry-run=server"] {
        let message = world.runs(0, &["sync", APP, dry_run]);
        has(
            &message,
            "application.argoproj.io/jellyfin would be patched: {\"metadata\"",
        );
        assert!(world.application(APP)["operation"].is_null());
    }
    has(&world.runs(0, &["sync", APP]), "Succeeded");
    until_synced(world, APP, &revision);
    let operation = &world.application(APP)["status"]["operationState"]["operation"];
    assert_eq!(operation["initiatedBy"]["username"], "kubectl-homelab");
    assert_eq!(operation["sync"]["syncOptions"][0], "RespectIgnoreDifferences=true");
}

fn failures_are_reported(world: &World) {
    let chart = world.source("home-media");
    chart.write(TEMPLATE, &service(70_000)).unwrap();
    chart.commit("Choose a port that there is not").unwrap();
    let failed = world.runs(1, &["sync", APP]);
    has(&failed, "jellyfin: Service/jellyfin/note: ");
    has(&failed, "spec.ports[0].port");
    let waiting = world.runs(1, &["wait", APP, "--timeout", "5s"]);
    has(&waiting, "the last sync: Failed");
}

fn pruning_is_opt_in(world: &World) {
    let chart = world.source("home-media");
    chart.remove(TEMPLATE).unwrap();
    let revision = chart.commit("Take the note back").unwrap();
    world.runs(0, &["sync", APP]);
    assert!(
        world.uid("Service", "jellyfin/note").is_some(),
        "it was pruned without being asked for"
    );
    world.runs(0, &["sync", APP, "--prune"]);
    until_synced(world, APP, &revision);
    assert!(world.uid("Service", "jellyfin/note").is_none());
}
