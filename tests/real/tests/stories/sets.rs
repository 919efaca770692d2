//! A repository with folders of any name, whose Applications an ApplicationSet generates: they name the plugin in a file of their
//! own folder.

use real_parts::folder::Folder;
use real_parts::generate::{Answer, Generate, request};
use real_parts::repository::Repository;
use real_parts::{Options, Tools, World, tools};
use serde_json::{Value, json};

const NAMESPACE: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: media
";

/// A claim and a CronJob that writes it.
const PRODUCER: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: CLAIM
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: CLAIM
spec:
  schedule: "0 0 31 2 *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: fetch
              image: example.org/fetch
              volumeMounts:
                - name: data
                  mountPath: /data
          volumes:
            - name: data
              persistentVolumeClaim:
                claimName: CLAIM
"#;

const PLAYER: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: player
spec:
  selector:
    matchLabels:
      app: player
  template:
    metadata:
      labels:
        app: player
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: player
          image: example.org/player
          volumeMounts:
            - name: audio
              mountPath: /audio
      volumes:
        - name: audio
          persistentVolumeClaim:
            claimName: audio
";

const OVERRIDES: &str = ".argocd-source.yaml";
const GUARDS: &str = "/metadata/annotations/argocd.argoproj.io~1sync-options";

fn producer(claim: &str) -> String {
    PRODUCER.replace("CLAIM", claim)
}

/// Returns an Application of a folder of the repository.
fn application(name: &str, source: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": name, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default", "source": source, "destination": {"server": "https://kubernetes.default.svc"},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                // The Namespace comes at the same time.
                "retry": {"limit": 20, "backoff": {"duration": "1s", "factor": 1}},
            },
        },
    })
}

/// Returns the set: an Application for each folder below `apps`.
fn set(url: &str) -> Value {
    let source = json!({"repoURL": url, "targetRevision": "main", "path": "{{.path.path}}"});
    let mut template = application("{{.path.basename}}", &source);
    template["spec"]["destination"]["namespace"] = "media".into();
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": "apps", "namespace": "argocd"},
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
            "generators": [{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "apps/*"}]}}],
            "template": {"metadata": {"name": template["metadata"]["name"]}, "spec": template["spec"]},
        },
    })
}

/// Starts a world with such a repository; nothing is applied yet.
fn world() -> World {
    let folder = Folder::new().unwrap();
    let home = Repository::create(folder.path(), "home", None).unwrap();
    let url = home.url();
    let source = |path: &str| json!({"repoURL": url, "targetRevision": "main", "path": path});
    let mut namespaces = source("cluster/spaces");
    namespaces["plugin"] = json!({"name": "homelab-v1"});
    let mut namespaces = application("spaces", &namespaces);
    namespaces["metadata"]["annotations"] = json!({"argocd.argoproj.io/manifest-generate-paths": "."});
    for (path, text) in [
        (
            "bootstrap/root.yaml",
            manifest(&application("root", &source("bootstrap"))),
        ),
        ("bootstrap/apps.yaml", manifest(&set(&url))),
        ("bootstrap/spaces.yaml", manifest(&namespaces)),
        ("cluster/spaces/media.yaml", NAMESPACE.to_owned()),
        ("apps/fetcher/all.yaml", producer("audio")),
        ("apps/player/all.yaml", PLAYER.to_owned()),
        ("apps/plain/all.yaml", producer("plain")),
    ] {
        home.write(path, &text).unwrap();
    }
    home.commit("A repository as it lies").unwrap();
    let options = Options {
        application_sets: true,
        ..Options::default()
    };
    let tools = Tools::of_the_test_run().unwrap();
    World::with_repositories(&tools, &options, folder, home, [].into()).unwrap()
}

fn manifest(object: &Value) -> String {
    yaml_serde::to_string(object).unwrap()
}

/// Makes the set look at the repository now, not after its interval.
fn refresh_the_set(world: &World) {
    let change = json!({"metadata": {"annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}});
    world.api().merge("ApplicationSet", "argocd/apps", &change).unwrap();
}

/// Commits what is there, and waits until the Namespaces, and these Applications of the set, are Synced to it.
fn land(world: &World, message: &str, apps: &[&str]) {
    let revision = world.push(&world.home, message).unwrap();
    refresh_the_set(world);
    for app in apps {
        world.until(&format!("{app} is generated"), || !world.application(app).is_null());
        world.refresh_application(app).unwrap();
        world.until_synced(app, &revision);
    }
    world.until_synced("spaces", &revision);
}

fn owner(world: &World, claim: &str) -> Value {
    let label = format!("/metadata/labels/owner.storage.home.arpa~1{claim}");
    world.field("Namespace", "media", &label)
}

fn guards(world: &World, claim: &str) -> Value {
    world.field("PersistentVolumeClaim", &format!("media/{claim}"), GUARDS)
}

fn renderer(world: &World, app: &str) -> Value {
    world.application(app)["status"]["sourceType"].clone()
}

/// Returns an Application's objects as Argo CD renders them, in the order of their kinds.
fn rendered(world: &World, app: &str) -> Vec<Value> {
    let client = tools::of_the_test_run("generate-manifest").unwrap();
    let port = world.argocd.repo_servers.port().unwrap();
    let application = world.application(app);
    let spec = &application["spec"];
    let namespace = spec["destination"]["namespace"].as_str().unwrap_or_default();
    let mut request = request(app, namespace, &spec["source"], &world.home.head().unwrap());
    let paths = &application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"];
    if paths.is_string() {
        request["annotationManifestGeneratePaths"] = paths.clone();
    }
    let answers = Generate::connect(&client, port, 1).unwrap().ask(&[request]).unwrap();
    match &answers[0] {
        Answer::Manifests(texts) => in_order(texts.iter().map(|text| serde_json::from_str(text).unwrap())),
        Answer::Error(message) => panic!("{app}: {message}"),
    }
}

/// Returns an Application's objects as the command line renders them, in the order of their kinds.
fn rendered_here(world: &World, app: &str) -> Vec<Value> {
    let output = world.homelab(&["render", app]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text
        .split("---\n")
        .map(|document| yaml_serde::from_str(document).unwrap());
    in_order(documents.filter(|object: &Value| !object.is_null()))
}

fn in_order(objects: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut objects: Vec<Value> = objects.collect();
    objects.sort_by_key(|object| object["kind"].to_string());
    objects
}

/// Given a set over folders, when `convert` writes `.argocd-source.yaml` into some of them, then the set's Applications of these
/// folders render through the plugin: the claim is guarded, whoever else mounts it reads only, the Namespace carries its owner, and
/// Argo CD renders what the command line renders. When a commit adds such a folder, then its claim is guarded from the first
/// sync on, and has its owner on the Namespace. When a commit removes the folders, then the guarded claims stay.
///
/// Control: an Application of the same set without the file is rendered by Argo CD itself; its claim has no guard and no owner,
/// and goes with its folder.
#[test]
fn a_set_over_folders_renders_through_the_plugin() {
    let world = world();
    world.runs(0, &["convert", "fetcher"]);
    world.runs(0, &["convert", "player", "--read-only", "audio"]);
    // The Namespaces are rendered again when any of it changes.
    world.runs(0, &["validate", "--fix", "--rules", "+HL206"]);
    assert!(
        world
            .home
            .read(&format!("apps/fetcher/{OVERRIDES}"))
            .unwrap()
            .contains("audio")
    );
    let spaces = world.home.read("bootstrap/spaces.yaml").unwrap();
    assert!(spaces.contains(".;/apps;/bootstrap"), "{spaces}");
    let head = world.home.commit("Through the plugin").unwrap();
    world
        .cluster
        .apply(&world.home.read("bootstrap/root.yaml").unwrap())
        .unwrap();
    for app in ["spaces", "fetcher", "player", "plain"] {
        world.until_synced(app, &head);
    }
    world.until_healthy("player");
    assert_eq!(
        world.application("fetcher")["metadata"]["ownerReferences"][0]["name"],
        "apps"
    );
    assert_eq!(
        ["fetcher", "player", "plain"].map(|app| renderer(&world, app)),
        ["Plugin", "Plugin", "Directory"]
    );
    assert_eq!(world.application("fetcher")["spec"]["source"]["plugin"], Value::Null);
    assert_eq!(guards(&world, "audio"), "Prune=false,Delete=false");
    assert_eq!(guards(&world, "plain"), Value::Null);
    assert_eq!(owner(&world, "audio"), "fetcher");
    assert_eq!(owner(&world, "plain"), Value::Null);
    let mount = "/spec/template/spec/containers/0/volumeMounts/0/readOnly";
    assert_eq!(world.field("Deployment", "media/player", mount), true);
    for app in ["fetcher", "player", "plain", "spaces"] {
        assert_eq!(rendered(&world, app), rendered_here(&world, app), "{app}");
    }

    let overrides = world.home.read(&format!("apps/fetcher/{OVERRIDES}")).unwrap();
    world.home.write("apps/second/all.yaml", &producer("photos")).unwrap();
    let second = format!("apps/second/{OVERRIDES}");
    world
        .home
        .write(&second, &overrides.replace("audio", "photos"))
        .unwrap();
    land(&world, "One more folder", &["second"]);
    assert_eq!(renderer(&world, "second"), "Plugin");
    assert_eq!(guards(&world, "photos"), "Prune=false,Delete=false");
    assert_eq!(owner(&world, "photos"), "second");

    let claims = ["audio", "photos"].map(|claim| world.uid("PersistentVolumeClaim", &format!("media/{claim}")));
    for file in ["apps/second/all.yaml", &second, "apps/plain/all.yaml"] {
        world.home.remove(file).unwrap();
    }
    land(&world, "Without two folders", &[]);
    world.until("the control loses its claim", || {
        world.uid("PersistentVolumeClaim", "media/plain").is_none()
    });
    world.until("second is gone", || world.application("second").is_null());
    let after = ["audio", "photos"].map(|claim| world.uid("PersistentVolumeClaim", &format!("media/{claim}")));
    assert_eq!(after, claims);
    assert!(claims.iter().all(Option::is_some));
}
