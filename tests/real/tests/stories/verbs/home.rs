//! The repository of the story of all verbs: Applications of a chart, of Kustomize folders and of a set over folders, for each one a
//! Namespace of its own.

use real_parts::folder::Folder;
use real_parts::repository::Repository;
use real_parts::{Options, Tools, World};
use serde_json::{Value, json};

/// How the Applications of a Namespace are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By Helm.
    Helm,
    /// By Kustomize.
    Kustomize,
    /// From a folder of manifests, for an Application that a set makes.
    Generated,
}

/// The Applications of one Namespace.
#[derive(Debug)]
pub(crate) struct Variant {
    /// The Namespace.
    pub(crate) namespace: &'static str,
    /// What renders them.
    pub(crate) kind: Kind,
    /// The first owner; the name that it gets; who takes the claim over; who replaces that one.
    pub(crate) names: [&'static str; 4],
}

/// All of them; the first one runs everywhere, the others where `cargo xtask stories` asks for all.
pub(crate) const VARIANTS: [Variant; 4] = [
    Variant {
        namespace: "up",
        kind: Kind::Helm,
        names: ["alpha", "bravo", "charlie", "delta"],
    },
    Variant {
        namespace: "down",
        kind: Kind::Helm,
        names: ["zulu", "yankee", "xray", "whiskey"],
    },
    Variant {
        namespace: "kustomize",
        kind: Kind::Kustomize,
        names: ["kilo", "lima", "mike", "november"],
    },
    Variant {
        namespace: "generated",
        kind: Kind::Generated,
        names: ["golf", "hotel", "india", "juliett"],
    },
];

/// The claim that passes from one Application to the next, and a CronJob that writes it, which never runs by itself.
const CLAIM: &str = r#"
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
apiVersion: batch/v1
kind: CronJob
metadata:
  name: NAME
spec:
  schedule: "0 0 31 2 *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: sweep
            image: example.org/sweep:1
            volumeMounts:
            - name: data
              mountPath: /data
          volumes:
          - name: data
            persistentVolumeClaim:
              claimName: data
---"#;

const PROGRAM: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  strategy:
    type: Recreate
  selector:
    matchLabels:
      app: NAME
  template:
    metadata:
      labels:
        app: NAME
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: example.org/program:1
";

/// The end of a program that mounts the claim.
const MOUNT: &str = "        volumeMounts:
        - name: data
          mountPath: /data
      volumes:
      - name: data
        persistentVolumeClaim:
          claimName: data
";

/// Returns the manifests of the first owner, which bring the claim and write it.
fn owner(name: &str) -> String {
    format!("{CLAIM}{PROGRAM}{MOUNT}").replace("NAME", name)
}

/// Returns those of another Application, which has nothing of the claim.
pub(crate) fn program(name: &str) -> String {
    PROGRAM.replace("NAME", name)
}

/// Returns the file that names the plugin in a folder of a set.
pub(crate) fn overrides(parameters: &str) -> String {
    format!("# by hand\nplugin:\n  name: homelab-v1\n{parameters}")
}

const OWNS: &str = "  parameters:\n  - name: owns\n    array: [data]\n";

/// Returns the spec of an Application of a path of the repository.
fn spec(url: &str, path: &str, namespace: &str) -> Value {
    json!({
        "project": "default",
        "source": {"repoURL": url, "targetRevision": "main", "path": path},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
        "syncPolicy": {
            "automated": {"prune": true, "selfHeal": true},
            // The Namespace comes at the same time.
            "retry": {"limit": 20, "refresh": true, "backoff": {"duration": "1s", "factor": 1}},
        },
    })
}

fn application(name: &str, spec: &Value) -> String {
    manifest(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {
            "name": name, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": spec,
    }))
}

fn with_plugin(mut spec: Value, parameters: Value) -> Value {
    spec["source"]["plugin"] = json!({"name": "homelab-v1"});
    if parameters != json!([]) {
        spec["source"]["plugin"]["parameters"] = parameters;
    }
    spec
}

fn manifest(object: &Value) -> String {
    yaml_serde::to_string(object).unwrap()
}

/// Returns the set of the generated ones.
fn set(url: &str, namespace: &str) -> String {
    manifest(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": "folders", "namespace": "argocd"},
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
            "generators": [{"git": {"repoURL": url, "revision": "main", "directories": [{"path": "folders/*"}]}}],
            "template": {
                "metadata": {"name": "{{.path.basename}}"},
                "spec": spec(url, "{{.path.path}}", namespace),
            },
        },
    }))
}

/// Returns the files of a variant at the start.
fn files(variant: &Variant, url: &str) -> Vec<(String, String)> {
    let Variant { namespace, kind, names } = variant;
    let mut files = vec![(
        format!("spaces/{namespace}.yaml"),
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n"
        ),
    )];
    let owns = json!([{"name": "owns", "array": ["data"]}]);
    match kind {
        Kind::Helm => {
            let charts = [
                ("owner", owner("{{ .Release.Name }}")),
                ("program", program("{{ .Release.Name }}")),
            ];
            for (chart, templates) in charts {
                files.push((
                    format!("charts/{chart}/Chart.yaml"),
                    format!("apiVersion: v2\nname: {chart}\nversion: 1.0.0\n"),
                ));
                files.push((format!("charts/{chart}/templates/all.yaml"), templates));
            }
            for (name, chart, parameters) in [(names[0], "owner", owns), (names[2], "program", json!([]))] {
                let spec = with_plugin(spec(url, &format!("charts/{chart}"), namespace), parameters);
                files.push((format!("bootstrap/{name}.yaml"), application(name, &spec)));
            }
        }
        Kind::Kustomize => {
            for (name, text) in [
                (names[0], owner(names[0])),
                (names[2], program(names[2])),
                (names[3], program(names[3])),
            ] {
                let list = "resources: [all.yaml]\nlabels:\n- pairs: {of: kustomize}\n  includeTemplates: true\n";
                files.push((format!("overlays/{name}/kustomization.yaml"), list.to_owned()));
                files.push((format!("overlays/{name}/all.yaml"), text));
            }
            for (name, parameters) in [(names[0], owns), (names[2], json!([]))] {
                let spec = with_plugin(spec(url, &format!("overlays/{name}"), namespace), parameters);
                files.push((format!("bootstrap/{name}.yaml"), application(name, &spec)));
            }
        }
        Kind::Generated => {
            files.push(("bootstrap/folders.yaml".to_owned(), set(url, namespace)));
            for (name, text, parameters) in [(names[0], owner(names[0]), OWNS), (names[2], program(names[2]), "")] {
                files.push((format!("folders/{name}/all.yaml"), text));
                files.push((format!("folders/{name}/.argocd-source.yaml"), overrides(parameters)));
            }
        }
    }
    files
}

/// Starts a world with the Applications of these variants; the root is applied.
pub(crate) fn world(variants: &[&Variant]) -> World {
    let folder = Folder::new().unwrap();
    let home = Repository::create(folder.path(), "home", None).unwrap();
    let url = home.url();
    let root = application("root", &spec(&url, "bootstrap", "argocd"));
    let spaces = with_plugin(spec(&url, "spaces", "argocd"), json!([]));
    home.write("bootstrap/root.yaml", &root).unwrap();
    home.write("bootstrap/spaces.yaml", &application("spaces", &spaces))
        .unwrap();
    for (path, text) in variants.iter().flat_map(|variant| files(variant, &url)) {
        home.write(&path, &text).unwrap();
    }
    home.commit("The start").unwrap();
    let options = Options {
        application_sets: variants.iter().any(|variant| variant.kind == Kind::Generated),
        ..Options::default()
    };
    let tools = Tools::of_the_test_run().unwrap();
    let world = World::with_repositories(&tools, &options, folder, home, [].into()).unwrap();
    world.cluster.apply(&root).unwrap();
    world
}
