//! An Application takes over from another, and from Argo CD's own Helm.

use real_parts::{Options, World};
use serde_json::{Value, json};

const CLAIM: &str = "jellyfin/pvc-pe-audio";
const FETCHER: &str = "pilotedge-audio-fetcher";

/// A plugin that knows no law: it prints the files.
const PRINT_THE_FILES: &str = r#"
for file in *.yaml; do
  echo ---
  while IFS= read -r line; do printf '%s\n' "$line"; done <"$file"
done"#;

/// Who owns a claim, by everything that says so: Argo CD's tracking, the label on the claim, and the registry.
fn owners(world: &World, namespace: &str, claim: &str) -> [String; 3] {
    let place = format!("{namespace}/{claim}");
    let text = |value: Value| value.as_str().unwrap_or("nobody").to_owned();
    let tracking = text(world.field(
        "PersistentVolumeClaim",
        &place,
        "/metadata/annotations/argocd.argoproj.io~1tracking-id",
    ));
    let label = world.field(
        "PersistentVolumeClaim",
        &place,
        "/metadata/labels/storage.home.arpa~1owner",
    );
    let registry = format!("/metadata/labels/owner.storage.home.arpa~1{claim}");
    [
        tracking.split(':').next().unwrap_or("nobody").to_owned(),
        text(label),
        text(world.field("Namespace", namespace, &registry)),
    ]
}

fn until_owned(world: &World, namespace: &str, claim: &str, owner: &str) {
    world.until(&format!("{claim} belongs to {owner}"), || {
        owners(world, namespace, claim).iter().all(|one| one == owner)
    });
}

fn exists(world: &World, application: &str) -> bool {
    world.uid("Application", &format!("argocd/{application}")).is_some()
}

/// Given a producer, when another Application that declares the same claim takes its place, whatever the order of their
/// names, in one commit or in two, then the claim is the same and belongs to the new one.
///
/// Control: with Argo CD's own Helm the new one gets a new claim.
#[test]
fn a_producer_is_replaced() {
    let world = World::running(&Options::default()).unwrap();
    let claim = world.uid("PersistentVolumeClaim", CLAIM);
    let revision = world.source(FETCHER).head().unwrap();
    let manifest = world.home.read("applications/pilotedge-audio-fetcher.yaml").unwrap();
    let named = |name: &str| manifest.replacen("name: pilotedge-audio-fetcher", &format!("name: {name}"), 1);
    let file = |name: &str| format!("applications/{name}.yaml");

    let mut old = FETCHER;
    for new in ["audio-recorder", "zulu-recorder"] {
        world.home.remove(&file(old)).unwrap();
        world.home.write(&file(new), &named(new)).unwrap();
        let head = world.push(&world.home, "Another producer").unwrap();
        world.until_synced("root", &head);
        world.until("the old one is gone", || !exists(&world, old));
        world.until_synced(new, &revision);
        world.until_healthy(new);
        until_owned(&world, "jellyfin", "pvc-pe-audio", new);
        assert_eq!(world.uid("PersistentVolumeClaim", CLAIM), claim);
        assert!(
            world
                .uid("CronJob", &format!("jellyfin/{new}-pilotedge-audio-fetcher"))
                .is_some()
        );
        old = new;
    }

    // In two commits, with nobody in between, beside the control.
    world
        .write_application(&world.native_twin(old, "fetcher-twin"))
        .unwrap();
    let head = world.push(&world.home, "The control").unwrap();
    world.until_synced("root", &head);
    world.until_healthy("fetcher-twin");
    let lost = world.uid("PersistentVolumeClaim", "fetcher-twin/pvc-pe-audio");
    assert!(lost.is_some());
    for name in [old, "fetcher-twin"] {
        world.home.remove(&file(name)).unwrap();
    }
    world.push(&world.home, "No producer").unwrap();
    world.until("both are gone", || {
        !exists(&world, old) && !exists(&world, "fetcher-twin")
    });
    assert_eq!(world.uid("PersistentVolumeClaim", CLAIM), claim);
    world.home.write(&file(FETCHER), &manifest).unwrap();
    let mut twin = world.native_twin("jellyfin", "fetcher-twin");
    twin["spec"]["source"]["repoURL"] = world.source(FETCHER).url().into();
    twin["spec"]["source"]["path"] = "helm/pilotedge-audio-fetcher".into();
    world.write_application(&twin).unwrap();
    world.push(&world.home, "The first producer again").unwrap();
    world.until("both have a claim", || {
        exists(&world, FETCHER)
            && world
                .uid("PersistentVolumeClaim", "fetcher-twin/pvc-pe-audio")
                .is_some()
    });
    world.until_everything_runs().unwrap();
    until_owned(&world, "jellyfin", "pvc-pe-audio", FETCHER);
    assert_eq!(world.uid("PersistentVolumeClaim", CLAIM), claim);
    assert_ne!(world.uid("PersistentVolumeClaim", "fetcher-twin/pvc-pe-audio"), lost);
}

/// Given two Applications that go on living, when one commit takes a guarded claim from one and gives it to the other,
/// there and back again, then the claim is the same and both are Synced.
///
/// Control: printed without the law, the claim dies as soon as its Application lets go of it.
#[test]
fn a_claim_moves_between_applications() {
    let world = World::with_the_shipped_repository(&Options::default()).unwrap();
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: shared\n  namespace: jellyfin\nspec:\n  \
                 accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 1Gi\n";
    let application = |name: &str, owns: &[&str]| {
        world
            .write_application(&json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": name, "namespace": "argocd"},
                "spec": {
                    "project": "default",
                    "source": {
                        "repoURL": world.home.url(), "targetRevision": "main", "path": format!("plain/{name}"),
                        "plugin": {"name": "homelab-v1", "parameters": [{"name": "owns", "array": owns}]},
                    },
                    "destination": {"server": "https://kubernetes.default.svc", "namespace": "jellyfin"},
                    "syncPolicy": {
                        "automated": {"prune": true, "selfHeal": true}, "retry": {"limit": 5, "refresh": true},
                    },
                },
            }))
            .unwrap();
    };
    for name in ["alpha", "zulu"] {
        let other = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: jellyfin\n");
        world.home.write(&format!("plain/{name}/other.yaml"), &other).unwrap();
        application(name, &[]);
    }
    let give = |from: &str, to: &str, message: &str| {
        if world.home.read(&format!("plain/{from}/claim.yaml")).is_ok() {
            world.home.remove(&format!("plain/{from}/claim.yaml")).unwrap();
        }
        world.home.write(&format!("plain/{to}/claim.yaml"), claim).unwrap();
        application(from, &[]);
        application(to, &["shared"]);
        world.home.commit(message).unwrap()
    };
    give("zulu", "alpha", "Alpha owns the claim");
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    until_owned(&world, "jellyfin", "shared", "alpha");
    let uid = world.uid("PersistentVolumeClaim", "jellyfin/shared");

    for (from, to) in [("alpha", "zulu"), ("zulu", "alpha")] {
        let head = give(from, to, "It moves");
        world.refresh(&world.home).unwrap();
        until_owned(&world, "jellyfin", "shared", to);
        for name in [from, to] {
            world.until_synced(name, &head);
        }
        assert_eq!(world.uid("PersistentVolumeClaim", "jellyfin/shared"), uid);
    }

    world
        .argocd
        .repo_servers
        .stand_in("kubectl-homelab", PRINT_THE_FILES)
        .unwrap();
    world.render_again("alpha").unwrap();
    world.until("the claim has no guard", || {
        let guard = "/metadata/annotations/argocd.argoproj.io~1sync-options";
        world.field("PersistentVolumeClaim", "jellyfin/shared", guard).is_null()
    });
    world.home.remove("plain/alpha/claim.yaml").unwrap();
    world.push(&world.home, "Alpha lets go").unwrap();
    world.until("the claim is gone", || {
        world.uid("PersistentVolumeClaim", "jellyfin/shared") != uid
    });
}

/// The UIDs of everything that Jellyfin consists of.
fn uids(world: &World) -> Vec<(String, String)> {
    let mut uids = Vec::new();
    for kind in ["Deployment", "Service", "PersistentVolumeClaim", "ReplicaSet", "Pod"] {
        for object in world.api().list(kind, "jellyfin/").unwrap() {
            let text = |pointer: &str| {
                object
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            if text("/metadata/labels/app.kubernetes.io~1instance") == "jellyfin" {
                uids.push((format!("{kind} {}", text("/metadata/name")), text("/metadata/uid")));
            }
        }
    }
    uids.sort();
    uids
}

/// Given an Application of Argo CD's own Helm that runs, when it names the plugin, then every object stays what it is, its
/// pod too, and its claims are guarded; when it mounts somebody's claim, then the Deployment stays and only the pod is new.
///
/// Control: with another `release-name`, which makes other objects of the same chart, every one of them is new.
#[test]
fn an_application_moves_from_helm_to_the_plugin() {
    let world = World::with_the_shipped_repository(&Options::default()).unwrap();
    let with_plugin = world.home.read("applications/jellyfin.yaml").unwrap();
    let (before_plugin, from_plugin) = with_plugin.split_once("    plugin:").unwrap();
    let (plugin, after_plugin) = from_plugin.split_once("  destination:").unwrap();
    let native = format!("{before_plugin}  destination:{after_plugin}");
    let without_mounts = format!(
        "{before_plugin}    plugin:{}  destination:{after_plugin}",
        plugin.split_once("        # CLAIM:PATH").unwrap().0
    );
    world.home.write("applications/jellyfin.yaml", &native).unwrap();
    world.home.commit("By Argo CD's own Helm").unwrap();
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    assert_eq!(world.application("jellyfin")["status"]["sourceType"], "Helm");
    let before = uids(&world);
    assert_eq!(before.len(), 7, "{before:?}");

    world.home.write("applications/jellyfin.yaml", &without_mounts).unwrap();
    world.push(&world.home, "By the plugin").unwrap();
    world.until("the plugin renders and the claim is guarded", || {
        world.application("jellyfin")["status"]["sourceType"] == "Plugin"
            && owners(&world, "jellyfin", "jellyfin-config")
                .iter()
                .all(|owner| owner == "jellyfin")
    });
    world.until_everything_runs().unwrap();
    assert_eq!(uids(&world), before);

    world.home.write("applications/jellyfin.yaml", &with_plugin).unwrap();
    world.push(&world.home, "A mount").unwrap();
    world.until("the pod is new", || {
        world
            .field("Deployment", "jellyfin/jellyfin", "/spec/template/spec/volumes")
            .to_string()
            .contains("pvc-pe-audio")
    });
    world.until_everything_runs().unwrap();
    let lasting = |uids: &[(String, String)]| -> Vec<(String, String)> {
        let lasting = uids
            .iter()
            .filter(|(name, _)| !name.starts_with("Pod ") && !name.starts_with("ReplicaSet "));
        lasting.cloned().collect()
    };
    assert_eq!(lasting(&uids(&world)), lasting(&before));

    let other = with_plugin.replace(
        "      parameters:\n",
        "      parameters:\n        - name: release-name\n          string: jellyfin-too\n",
    );
    world.home.write("applications/jellyfin.yaml", &other).unwrap();
    world.push(&world.home, "Another release name").unwrap();
    world.until("every object but the guarded claims is new", || {
        world.uid("Deployment", "jellyfin/jellyfin").is_none()
            && world.uid("Deployment", "jellyfin/jellyfin-too").is_some()
    });
}
