//! A running Application of a Kustomize folder is converted to the plugin, and back.

use real_parts::folder::Folder;
use real_parts::repository::Repository;
use real_parts::{Options, Tools, World};
use serde_json::{Value, json};

/// The base of all folders: a claim, and a Deployment that mounts it.
const BASE: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 1Gi
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: example.org/web:1
          envFrom:
            - configMapRef:
                name: settings
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          persistentVolumeClaim:
            claimName: data
";

/// An overlay, with a generated name and a comment.
const OVERLAY: &str = "
# The order is that of the alphabet.
resources:
- ../../base
configMapGenerator:
- name: settings
  literals:
  - greeting=hello
";

const GUARDS: &str = "/metadata/annotations/argocd.argoproj.io~1sync-options";
const PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";

fn manifest(object: &Value) -> String {
    yaml_serde::to_string(object).unwrap()
}

fn application(url: &str, name: &str, path: &str, paths: &str, kustomize: Option<Value>) -> Value {
    let mut source = json!({"repoURL": url, "targetRevision": "main", "path": path});
    if let Some(options) = kustomize {
        source["kustomize"] = options;
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "annotations": {PATHS: paths}},
        "spec": {
            "project": "default", "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"],
                "retry": {"limit": 20, "backoff": {"duration": "1s", "factor": 1}},
            },
        },
    })
}

/// Returns the kinds, names and UIDs of all objects of a namespace that an Application brings.
fn uids(world: &World, namespace: &str) -> Vec<(String, Value, Value)> {
    let kinds = ["ConfigMap", "Deployment", "PersistentVolumeClaim", "Pod", "ReplicaSet"];
    let objects = kinds.into_iter().flat_map(|kind| {
        let list = world.api().list(kind, &format!("{namespace}/")).unwrap();
        list.into_iter().map(move |object| {
            let of = |field: &str| object["metadata"][field].clone();
            (kind.to_owned(), of("name"), of("uid"))
        })
    });
    let is_own = |(_, name, _): &(String, Value, Value)| *name != "kube-root-ca.crt";
    objects.filter(is_own).collect()
}

/// Commits what is there, and waits until the Applications are Synced to it, and rendered by these tools.
fn land(world: &World, message: &str, tools: [&str; 2]) {
    let revision = world.push(&world.home, message).unwrap();
    for (app, tool) in ["web", "control"].into_iter().zip(tools) {
        world.until(&format!("{app} is rendered as {tool} at the new revision"), || {
            world.application(app)["status"]["sourceType"] == tool && world.is_synced(app, &revision)
        });
        world.until_healthy(app);
    }
}

fn world() -> World {
    let folder = Folder::new().unwrap();
    let home = Repository::create(folder.path(), "home", None).unwrap();
    let url = home.url();
    let options = json!({
        "namePrefix": "my-", "images": ["example.org/web:2"], "commonAnnotations": {"of": "$ARGOCD_APP_NAME"},
        "commonAnnotationsEnvsubst": true, "replicas": [{"name": "web", "count": 1}],
        "patches": [{"target": {"kind": "Deployment"}, "patch": "- op: add\n  path: /spec/paused\n  value: false\n"}],
    });
    let mut root = application(&url, "root", "bootstrap", ".", None);
    root["spec"]["destination"]["namespace"] = "argocd".into();
    root["metadata"].as_object_mut().unwrap().remove("annotations");
    for (path, text) in [
        ("bootstrap/root.yaml", manifest(&root)),
        (
            "bootstrap/web.yaml",
            manifest(&application(&url, "web", "apps/web", ".", Some(options))),
        ),
        (
            "bootstrap/control.yaml",
            manifest(&application(&url, "control", "apps/control", ".;/base", None)),
        ),
        ("base/all.yaml", BASE.to_owned()),
        ("base/kustomization.yaml", "resources: [all.yaml]\n".to_owned()),
        ("apps/web/kustomization.yaml", OVERLAY.to_owned()),
        ("apps/control/kustomization.yaml", OVERLAY.to_owned()),
    ] {
        home.write(path, &text).unwrap();
    }
    home.commit("Two folders over one base").unwrap();
    let tools = Tools::of_the_test_run().unwrap();
    World::with_repositories(&tools, &Options::default(), folder, home, [].into()).unwrap()
}

/// Given an Application of a Kustomize folder with options, over a base outside of it, when `convert` takes it to the plugin, then
/// every object stays, its pod too, and its claim is guarded; the base is named among the paths that Argo CD watches and
/// sends. When the base changes, then the Application is rendered from the new one. When `convert --to native` takes it back, then every
/// object stays again.
///
/// Control: an Application over the same base that stays with Argo CD's own Kustomize has an unguarded claim, which goes with
/// its folder's entry, where the guarded one stays.
#[test]
fn a_kustomize_folder_moves_to_the_plugin() {
    let world = world();
    let native = world.home.read("bootstrap/web.yaml").unwrap();
    world
        .cluster
        .apply(&world.home.read("bootstrap/root.yaml").unwrap())
        .unwrap();
    let head = world.home.head().unwrap();
    for app in ["root", "web", "control"] {
        world.until_synced(app, &head);
        world.until_healthy(app);
    }
    assert_eq!(world.application("web")["status"]["sourceType"], "Kustomize");
    let before = uids(&world, "web");
    assert_eq!(before.len(), 5, "{before:?}");
    let guards = |claim: &str| world.field("PersistentVolumeClaim", claim, GUARDS);
    assert_eq!(guards("web/my-data"), Value::Null);

    world.runs(0, &["convert", "web"]);
    land(&world, "Through the plugin", ["Plugin", "Kustomize"]);
    assert_eq!(uids(&world, "web"), before);
    assert_eq!(guards("web/my-data"), "Prune=false,Delete=false");
    assert_eq!(guards("control/data"), Value::Null);
    let paths = world.application("web")["metadata"]["annotations"][PATHS].clone();
    assert!(paths.as_str().unwrap().contains("base"), "{paths}");

    // What both read changes, and loses the claim.
    let (_, deployment) = BASE.split_once("---\n").unwrap();
    let (deployment, _) = deployment.split_once("          volumeMounts:").unwrap();
    world.home.write("base/all.yaml", deployment).unwrap();
    let claim = world.uid("PersistentVolumeClaim", "web/my-data");
    land(&world, "Without the claim", ["Plugin", "Kustomize"]);
    world.until("the control loses its claim", || {
        world.uid("PersistentVolumeClaim", "control/data").is_none()
    });
    assert_eq!(world.uid("PersistentVolumeClaim", "web/my-data"), claim);

    world.home.write("base/all.yaml", BASE).unwrap();
    land(&world, "With the claim again", ["Plugin", "Kustomize"]);
    let before = uids(&world, "web");
    assert_eq!(world.uid("PersistentVolumeClaim", "web/my-data"), claim);
    world.runs(0, &["convert", "web", "--to", "native", "--drop-owns"]);
    let back = world.home.read("bootstrap/web.yaml").unwrap();
    let spec = |text: &str| yaml_serde::from_str::<Value>(text).unwrap()["spec"].take();
    assert_eq!(spec(&back), spec(&native));
    land(&world, "Back to Argo CD's own Kustomize", ["Kustomize", "Kustomize"]);
    assert_eq!(uids(&world, "web"), before);
}
