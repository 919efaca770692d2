//! An Application takes over from another.

use real_parts::{Options, World};
use serde_json::{Value, json};

const CLAIM: &str = "jellyfin/pvc-pe-audio";
const FETCHER: &str = "pilotedge-audio-fetcher";

/// A plugin without storage rules: it prints the files.
const PRINT_THE_FILES: &str = r#"
for file in *.yaml; do
  echo ---
  while IFS= read -r line; do printf '%s\n' "$line"; done <"$file"
done"#;

/// Returns the owners of a claim by Argo CD's tracking, by the label on the claim, and by the registry.
fn owners(world: &World, namespace: &str, claim: &str) -> [String; 3] {
    let place = format!("{namespace}/{claim}");
    let text = |value: Value| value.as_str().unwrap_or("none").to_owned();
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
        tracking.split(':').next().unwrap_or("none").to_owned(),
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

/// Given a producer, when another Application that declares the same claim replaces it, in any order of their names,
/// in one commit or in two, then the claim is the same and the new one owns it.
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

    // In two commits, without an owner in between, beside the control.
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

/// Given two Applications that stay, when one commit moves a guarded claim from one to the other, and another one back,
/// then the claim is the same and both are Synced.
///
/// Control: without the storage rules, the claim is deleted as soon as its Application no longer declares it.
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
        // The root first: it changes what the other two are.
        for name in ["root", from, to] {
            world.until_synced(name, &head);
        }
        until_owned(&world, "jellyfin", "shared", to);
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
