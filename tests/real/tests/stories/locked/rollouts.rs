//! The lock on writes with Argo Rollouts, whose controller makes ReplicaSets of custom resources.

use real_parts::measure::figure;
use real_parts::{Options, World};
use serde_json::{Value, json};

use super::{claim, until_all_is_stamped, write_plain, write_plugged};

/// The claim of the fetcher, which is foreign to the Rollouts that mount it here.
const FOREIGN: &str = "pvc-pe-audio";
const STAMP: &str = "/spec/template/metadata/labels/storage.home.arpa~1app";

/// A Rollout that mounts a claim.
struct Rollout {
    name: &'static str,
    claim: &'static str,
    read_only: bool,
    replicas: u32,
    image: &'static str,
}

impl Rollout {
    /// Returns one that runs, and writes what it mounts.
    fn new(name: &'static str, claim: &'static str) -> Self {
        Self {
            name,
            claim,
            read_only: false,
            replicas: 1,
            image: "example.org/x",
        }
    }

    fn object(&self) -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": self.name, "namespace": "jellyfin"},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": {"app": self.name}},
                "strategy": {"canary": {}},
                "template": {
                    "metadata": {"labels": {"app": self.name}},
                    "spec": {
                        "terminationGracePeriodSeconds": 0,
                        "containers": [{"name": "main", "image": self.image, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
                        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": self.claim, "readOnly": self.read_only}}],
                    },
                },
            },
        })
    }

    /// Writes it into a folder of the repository.
    fn write(&self, world: &World, folder: &str) {
        let path = format!("{folder}/{}.yaml", self.name);
        world.home.write(&path, &self.object().to_string()).unwrap();
    }

    /// Applies it by hand.
    fn apply(&self, world: &World) {
        world.cluster.apply(&self.object().to_string()).unwrap();
    }
}

/// Returns what a Rollout's label selects of a kind.
fn made(world: &World, kind: &str, name: &str) -> Vec<Value> {
    let all = world.api().list(kind, "jellyfin/").unwrap();
    let of_it = |object: &Value| object["metadata"]["labels"]["app"] == name;
    all.into_iter().filter(of_it).collect()
}

fn runs(world: &World, name: &str) -> bool {
    let pods = made(world, "Pod", name);
    pods.len() == 1 && pods[0]["status"]["phase"] == "Running"
}

/// Returns the message of a condition of an object.
fn condition(object: &Value, kind: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let mut of_kind = conditions.iter().filter(|condition| condition["type"] == kind);
    let message = of_kind.next().and_then(|condition| condition["message"].as_str());
    message.unwrap_or_default().to_owned()
}

fn rollout(world: &World, name: &str) -> Value {
    let object = world.api().get("Rollout", &format!("jellyfin/{name}"));
    object.unwrap().unwrap_or_default()
}

/// Given Rollouts of an owner and of a consumer, when the lock on writes is enabled, then they roll out once, with the stamp in their
/// templates and at their pods, and their next ReplicaSets and pods are let in. One that would write a foreign claim, without the plugin,
/// gets no pods: if it is older than the policy, its ReplicaSet gets none, and if it is newer, it gets no ReplicaSet. `lock status`
/// says where the reason stands.
///
/// Control: with a mount that reads, both run.
#[test]
#[ignore = "needs Argo Rollouts, which `cargo xtask stories` builds"]
fn the_pods_of_a_rollout_are_refused() {
    let world = World::running(&Options::default()).unwrap();
    let _controller = world.rollouts().unwrap();
    furnish(&world);
    the_stamps_roll_out_once(&world);
    world.runs(0, &["lock", "enable", "writes"]);
    let head = world.push(&world.home, "Lock writes").unwrap();
    world.until_synced("lock", &head);
    world.until("the policy is in force", || {
        let status = world.homelab(&["lock", "status"]).unwrap();
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        status.status.success() && text.contains("by nobody's Deployment was tried and refused")
    });
    the_owner_and_the_reader_run(&world);
    an_older_one_gets_no_pods(&world);
    a_newer_one_gets_no_replica_set(&world);
    both_run_where_they_read(&world);
}

fn furnish(world: &World) {
    world.runs(0, &["lock", "enable", "deletions"]);
    let retry = json!({"limit": 5, "refresh": true});
    write_plugged(world, "scribe", &json!([{"name": "owns", "array": ["pages"]}]), &retry);
    world.home.write("scribe/pages.yaml", &claim("pages", "a: b")).unwrap();
    Rollout::new("scribe", "pages").write(world, "scribe");
    write_plugged(world, "listener", &json!([]), &retry);
    Rollout::new("listener", FOREIGN).write(world, "listener");
    let older = Rollout {
        replicas: 0,
        ..Rollout::new("older", FOREIGN)
    };
    older.apply(world);
    let head = world.push(&world.home, "Rollouts").unwrap();
    for name in ["root", "namespaces", "lock", "scribe", "listener"] {
        world.until_synced(name, &head);
    }
    for name in ["scribe", "listener"] {
        world.until("its pod runs", || runs(world, name));
        world.until_healthy(name);
    }
    world.until("it has its ReplicaSet", || {
        made(world, "ReplicaSet", "older").len() == 1
    });
}

fn the_stamps_roll_out_once(world: &World) {
    let text = world.runs(0, &["lock", "enable", "writes"]);
    for app in ["listener", "scribe"] {
        assert!(text.contains(&format!("`{app}`")), "{text}");
        assert_eq!(rollout(world, app).pointer(STAMP), None);
    }
    let head = world.push(&world.home, "Stamp templates").unwrap();
    for app in ["scribe", "listener"] {
        world.until_synced(app, &head);
        let labels = "/metadata/labels/storage.home.arpa~1app";
        world.until("its pod has the stamp", || {
            runs(world, app) && made(world, "Pod", app)[0].pointer(labels) == Some(&json!(app))
        });
        assert_eq!(rollout(world, app).pointer(STAMP), Some(&json!(app)));
        // The one from before, and the one with the stamp.
        assert_eq!(made(world, "ReplicaSet", app).len(), 2);
    }
    until_all_is_stamped(world);
}

/// With another image, so that there are a ReplicaSet and pods that are newer than the policy.
fn the_owner_and_the_reader_run(world: &World) {
    for (app, claim) in [("scribe", "pages"), ("listener", FOREIGN)] {
        let newer = Rollout {
            image: "example.org/newer",
            ..Rollout::new(app, claim)
        };
        newer.write(world, app);
    }
    let head = world.push(&world.home, "Newer images").unwrap();
    for app in ["scribe", "listener"] {
        world.until_synced(app, &head);
        world.until("its newer pod runs", || {
            runs(world, app) && made(world, "Pod", app)[0]["spec"]["containers"][0]["image"] == "example.org/newer"
        });
        world.until_healthy(app);
    }
}

/// Returns the rows of `lock status` about what was refused to the controller of something.
fn refused(world: &World, kind: &str, name: &str) -> Vec<(String, String)> {
    let output = world.homelab(&["lock", "status", "-o", "json"]).unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = status["refused"].as_array().cloned().unwrap_or_default();
    let of_it = rows
        .iter()
        .filter(|row| row["kind"] == kind && row["name"].as_str().is_some_and(|is| is.starts_with(name)));
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    of_it.map(|row| (text(row, "reason"), text(row, "message"))).collect()
}

/// Runs the commands that `lock status` names for something; what they print has the sentence.
fn is_found_as_it_says(world: &World, kind: &str, name: &str, sentence: &str) {
    let text = world.homelab(&["lock", "status"]).unwrap();
    let text = String::from_utf8_lossy(&[text.stdout, text.stderr].concat()).into_owned();
    let about = format!("{kind} `jellyfin/{name}");
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(&about)).collect();
    assert!(!lines.is_empty(), "{text}");
    for line in lines {
        let (_, command) = line.split_once("as `kubectl ").expect(line);
        let words: Vec<&str> = command.split('`').next().unwrap().split(' ').collect();
        let printed = world.cluster.kubectl(&words, None).unwrap();
        assert!(printed.contains(sentence), "{line}\n{printed}");
        figure("found", &format!("kubectl {}", words.join(" ")));
    }
}

/// Its ReplicaSet is older than the policy, and is scaled: the refusal is of its pods.
fn an_older_one_gets_no_pods(world: &World) {
    Rollout::new("older", FOREIGN).apply(world);
    let said = "would write the claim pvc-pe-audio of pilotedge-audio-fetcher";
    world.until("its ReplicaSet says why there is no pod", || {
        let sets = made(world, "ReplicaSet", "older");
        condition(&sets[0], "ReplicaFailure").contains(said)
    });
    world.until("the Rollout says it, too", || {
        condition(&rollout(world, "older"), "ReplicaFailure").contains(said)
    });
    world.until("the events are there", || {
        refused(world, "ReplicaSet", "older-").len() == 2
    });
    let reasons: Vec<String> = refused(world, "ReplicaSet", "older-")
        .into_iter()
        .map(|(reason, _)| reason)
        .collect();
    assert_eq!(reasons, ["FailedCreate", "ReplicaFailure"]);
    is_found_as_it_says(world, "ReplicaSet", "older-", said);
    assert_eq!(made(world, "Pod", "older").len(), 0);
}

/// Its ReplicaSet would be newer than the policy, and is refused by itself.
fn a_newer_one_gets_no_replica_set(world: &World) {
    write_plain(world, None);
    Rollout::new("newer", FOREIGN).write(world, "plain");
    let head = world.push(&world.home, "A new one writes").unwrap();
    world.until_synced("plain", &head);
    let said = "would write the claim pvc-pe-audio of pilotedge-audio-fetcher";
    world.until("the Rollout says why there is no ReplicaSet", || {
        condition(&rollout(world, "newer"), "Progressing").contains(said)
    });
    world.until("its event is there", || refused(world, "Rollout", "newer").len() == 1);
    assert_eq!(refused(world, "Rollout", "newer")[0].0, "ReplicaSetCreateError");
    is_found_as_it_says(world, "Rollout", "newer", said);
    assert_eq!(made(world, "ReplicaSet", "newer").len(), 0);
    // Argo CD waits, and shows no reason.
    world.until("its Application is Progressing", || {
        world.application("plain")["status"]["health"]["status"] == "Progressing"
    });
}

fn both_run_where_they_read(world: &World) {
    let reads = |name| Rollout {
        read_only: true,
        ..Rollout::new(name, FOREIGN)
    };
    reads("older").apply(world);
    reads("newer").write(world, "plain");
    let head = world.push(&world.home, "It reads").unwrap();
    world.until_synced("plain", &head);
    for name in ["older", "newer"] {
        world.until("it runs", || runs(world, name));
    }
    world.until_healthy("plain");
}
