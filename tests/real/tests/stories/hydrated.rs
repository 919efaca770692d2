//! The source hydrator: Argo CD commits what it rendered to a branch, and syncs from there.

use real_parts::folder::Folder;
use real_parts::repository::Repository;
use real_parts::{Options, Tools, World};
use serde_json::{Value, json};

/// A claim, and a Deployment that mounts a claim.
const FOLDER: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: OWN
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: OWN
spec:
  selector:
    matchLabels:
      app: OWN
  template:
    metadata:
      labels:
        app: OWN
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: example.org/player
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          persistentVolumeClaim:
            claimName: MOUNTED
";

const GUARDS: &str = "argocd.argoproj.io/sync-options: Prune=false,Delete=false";
const BRANCH: &str = "hydrated";

fn folder(own: &str, mounted: &str) -> String {
    FOLDER.replace("OWN", own).replace("MOUNTED", mounted)
}

/// Returns an Application whose dry source is a folder, and whose manifests are committed to a branch.
fn application(url: &str, name: &str, plugin: Option<Value>) -> Value {
    let mut dry = json!({"repoURL": url, "targetRevision": "main", "path": format!("apps/{name}")});
    if let Some(plugin) = plugin {
        dry["plugin"] = plugin;
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": name, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "sourceHydrator": {"drySource": dry, "syncSource": {"targetBranch": BRANCH, "path": name}},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "media"},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "syncOptions": ["CreateNamespace=true"],
                "retry": {"limit": 20, "backoff": {"duration": "1s", "factor": 1}},
            },
        },
    })
}

/// Asks Argo CD to compare an Application with the newest commit of its dry source.
fn request_hydration(world: &World, app: &str) {
    let change = json!({"metadata": {"annotations": {"argocd.argoproj.io/hydrate": "normal"}}});
    world
        .api()
        .merge("Application", &format!("argocd/{app}"), &change)
        .unwrap();
}

/// Waits until Applications are Synced to what was rendered from a revision. Returns the hydrated revision.
fn until_hydrated(world: &World, apps: &[&str], dry: &str) -> String {
    for app in apps {
        request_hydration(world, app);
    }
    for app in apps {
        world.until(&format!("{app} is hydrated from {} and Synced", &dry[..7]), || {
            let status = &world.application(app)["status"];
            let last = &status["sourceHydrator"]["lastSuccessfulOperation"];
            last["drySHA"] == dry
                && last["hydratedSHA"] == status["sync"]["revision"]
                && status["sync"]["status"] == "Synced"
                && status["operationState"]["phase"] == "Succeeded"
        });
    }
    world.home.branch(BRANCH).unwrap()
}

/// Returns what was committed for an Application.
fn committed(world: &World, app: &str, revision: &str) -> String {
    world.home.read_at(revision, &format!("{app}/manifest.yaml")).unwrap()
}

fn claim(world: &World, name: &str) -> Option<String> {
    world.uid("PersistentVolumeClaim", &format!("media/{name}"))
}

/// Starts a world with three hydrated Applications: the owner of a claim, another one that mounts it, and the control.
fn world() -> World {
    let folder_of_all = Folder::new().unwrap();
    let home = Repository::create(folder_of_all.path(), "home", None).unwrap();
    for (path, text) in [
        ("apps/fetcher/all.yaml", folder("audio", "audio")),
        ("apps/player/all.yaml", folder("library", "audio")),
        ("apps/plain/all.yaml", folder("loose", "audio")),
    ] {
        home.write(path, &text).unwrap();
    }
    home.commit("A repository to hydrate").unwrap();
    let options = Options {
        hydrator: true,
        ..Options::default()
    };
    let tools = Tools::of_the_test_run().unwrap();
    World::with_repositories(&tools, &options, folder_of_all, home, [].into()).unwrap()
}

/// Given Applications whose dry source names the plugin, when Argo CD hydrates them, then the branch that it commits to has the
/// guards of their claims and the read-only mounts, as the cluster has them, and no tracking of Argo CD. When a folder loses its claim, then
/// the branch loses it, too, and the claim stays. When the plugin refuses a commit, then the status says why, nothing is
/// committed, and everything stays.
///
/// Control: an Application without the plugin, hydrated to the same branch, has neither there; its claim goes.
#[test]
fn the_hydrated_branch_has_the_guards() {
    let world = world();
    let apps = ["fetcher", "player", "plain"];
    for app in apps {
        let plugin = (app != "plain").then(|| json!({"name": "homelab-v1"}));
        let application = application(&world.home.url(), app, plugin);
        world.api().create("Application", "argocd/", &application).unwrap();
    }
    let dry = world.home.head().unwrap();
    let hydrated = until_hydrated(&world, &apps, &dry);
    let files = world.home.files_at(&hydrated).unwrap();
    assert!(files.contains(&"player/manifest.yaml".to_owned()), "{files:?}");
    assert!(!files.iter().any(|file| file.starts_with("apps/")), "{files:?}");
    let metadata = world.home.read_at(&hydrated, "player/hydrator.metadata").unwrap();
    assert!(metadata.contains(&dry), "{metadata}");
    let [fetcher, player, plain] = apps.map(|app| committed(&world, app, &hydrated));
    assert!(fetcher.contains(GUARDS) && !fetcher.contains("readOnly"), "{fetcher}");
    assert!(player.contains(GUARDS), "{player}");
    assert_eq!(player.matches("readOnly: true").count(), 2, "{player}");
    assert!(!plain.contains("Prune=false") && !plain.contains("readOnly"), "{plain}");
    for text in [&fetcher, &player, &plain] {
        assert!(!text.contains("tracking-id"), "{text}");
    }
    for (app, read_only) in [("audio", Value::Null), ("library", json!(true)), ("loose", Value::Null)] {
        let mount = "/spec/template/spec/containers/0/volumeMounts/0/readOnly";
        assert_eq!(
            world.field("Deployment", &format!("media/{app}"), mount),
            read_only,
            "{app}"
        );
    }

    let claims = ["audio", "library"].map(|name| claim(&world, name));
    assert!(claims.iter().all(Option::is_some));
    for app in ["fetcher", "plain"] {
        let path = format!("apps/{app}/all.yaml");
        let text = world.home.read(&path).unwrap();
        let (_, deployment) = text.split_once("---\n").unwrap();
        world.home.write(&path, deployment).unwrap();
    }
    let dry = world.home.commit("Without two claims").unwrap();
    let hydrated = until_hydrated(&world, &["fetcher", "plain"], &dry);
    assert!(!committed(&world, "fetcher", &hydrated).contains("PersistentVolumeClaim"));
    world.until("the control loses its claim", || claim(&world, "loose").is_none());
    assert_eq!(["audio", "library"].map(|name| claim(&world, name)), claims);

    let recreated = folder("library", "audio").replace(
        "  name: library\nspec:\n  accessModes",
        "  name: library\n  annotations:\n    argocd.argoproj.io/sync-options: Replace=true\nspec:\n  accessModes",
    );
    world.home.write("apps/player/all.yaml", &recreated).unwrap();
    world.home.commit("A claim that would be made again").unwrap();
    request_hydration(&world, "player");
    let operation = || world.application("player")["status"]["sourceHydrator"]["currentOperation"].clone();
    world.until("the refusal is in the status", || operation()["phase"] == "Failed");
    let message = operation()["message"].to_string();
    assert!(message.contains("Replace=true"), "{message}");
    assert_eq!(world.home.branch(BRANCH).unwrap(), hydrated);
    assert_eq!(["audio", "library"].map(|name| claim(&world, name)), claims);
}
