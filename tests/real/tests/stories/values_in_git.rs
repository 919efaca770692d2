//! A running Application of a chart whose values lie in Git, as the source of `$values`, is converted to the plugin.

use real_parts::folder::Folder;
use real_parts::repository::Repository;
use real_parts::served::{Served, chart_repository};
use real_parts::{Options, Tools, World, tools};
use serde_json::{Value, json};

/// A claim, and a Deployment that mounts it.
const TEMPLATE: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .Release.Name }}-data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: {{ .Values.size }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  annotations:
    from: {{ .Values.from }}
spec:
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: example.org/tea:{{ .Chart.Version }}
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          persistentVolumeClaim:
            claimName: {{ .Release.Name }}-data
";

const GUARDS: &str = "/metadata/annotations/argocd.argoproj.io~1sync-options";
const FROM: &str = "/metadata/annotations/from";

/// Returns an Application of the chart with its values in a folder of the repository.
fn application(home: &str, charts: &str, name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "sources": [
                {
                    "repoURL": charts, "chart": "tea", "targetRevision": "1.0.0",
                    "helm": {"valueFiles": [format!("$values/values/{name}/values.yaml")], "values": "size: 1Gi\n"},
                },
                {"repoURL": home, "targetRevision": "main", "ref": "values"},
            ],
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
    let kinds = ["Deployment", "PersistentVolumeClaim", "Pod", "ReplicaSet"];
    let objects = kinds.into_iter().flat_map(|kind| {
        let list = world.api().list(kind, &format!("{namespace}/")).unwrap();
        list.into_iter().map(move |object| {
            let of = |field: &str| object["metadata"][field].clone();
            (kind.to_owned(), of("name"), of("uid"))
        })
    });
    objects.collect()
}

/// Commits what is there, and waits until an Application is rendered by a tool with a text in its values.
fn land(world: &World, message: &str, app: &str, tool: &str, from: &str) {
    world.push(&world.home, message).unwrap();
    world.refresh_application(app).unwrap();
    world.until(&format!("{app} is rendered as {tool} with `{from}`"), || {
        let status = &world.application(app)["status"];
        let types = [&status["sourceType"], &status["sourceTypes"][0]];
        types.iter().any(|kind| **kind == tool)
            && status["sync"]["status"] == "Synced"
            && status["operationState"]["phase"] == "Succeeded"
            && world.field("Deployment", &format!("{app}/{app}"), FROM) == from
    });
    world.until_healthy(app);
}

/// Writes the values of an Application.
fn write_values(world: &Repository, app: &str, from: &str) {
    world
        .write(
            &format!("values/{app}/values.yaml"),
            &format!("# its values\nfrom: {from}\n"),
        )
        .unwrap();
}

/// Starts a world with two Applications of a chart, and the server of the chart.
#[expect(clippy::disallowed_methods, reason = "a test writes its own chart")]
fn world() -> (World, Served) {
    let folder = Folder::new().unwrap();
    let home = Repository::create(folder.path(), "home", None).unwrap();
    let chart = folder.join("charts/tea");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: tea\nversion: 1.0.0\n").unwrap();
    std::fs::write(chart.join("values.yaml"), "from: the chart\nsize: 2Gi\n").unwrap();
    std::fs::write(chart.join("templates/all.yaml"), TEMPLATE).unwrap();
    let helm = tools::of_the_test_run("helm").unwrap();
    let served = folder.join("served");
    chart_repository(
        &helm,
        &folder.join("charts"),
        &[("tea", "1.0.0")],
        &served.join("charts"),
    )
    .unwrap();
    let served = Served::start(&served).unwrap();
    let charts = format!("{}/charts", served.url());

    let url = home.url();
    let mut root = application(&url, &charts, "root");
    root["spec"].as_object_mut().unwrap().remove("sources");
    root["spec"]["source"] = json!({"repoURL": url, "targetRevision": "main", "path": "bootstrap"});
    root["spec"]["destination"]["namespace"] = "argocd".into();
    for app in [
        &root,
        &application(&url, &charts, "tea"),
        &application(&url, &charts, "control"),
    ] {
        let name = app["metadata"]["name"].as_str().unwrap();
        let text = yaml_serde::to_string(app).unwrap();
        home.write(&format!("bootstrap/{name}.yaml"), &text).unwrap();
    }
    for app in ["tea", "control"] {
        write_values(&home, app, "git");
    }
    home.commit("A chart with its values in Git").unwrap();
    let tools = Tools::of_the_test_run().unwrap();
    let options = Options {
        // As the printed sidecar has it.
        plugin_variables: vec![("HOMELAB_CACHE_DIR", folder.join("cache").display().to_string())],
        ..Options::default()
    };
    let world = World::with_repositories(&tools, &options, folder, home, [].into()).unwrap();
    (world, served)
}

/// Given an Application of a chart with a second source `$values`, when `convert` turns it round, so that the folder of the values
/// is the source and the chart is a parameter, then every object stays, its pod too, and its claim is guarded. When the values
/// change, then the objects do, and the chart is not pulled again. When `convert --to native` takes it back, then every object stays again.
///
/// Control: an Application of the same chart that stays as it is has an unguarded claim.
#[test]
fn a_chart_with_its_values_in_git_moves_to_the_plugin() {
    let (world, served) = world();
    world
        .cluster
        .apply(&world.home.read("bootstrap/root.yaml").unwrap())
        .unwrap();
    world.until_synced("root", &world.home.head().unwrap());
    for app in ["tea", "control"] {
        land_nothing(&world, app);
    }
    let before = uids(&world, "tea");
    assert_eq!(before.len(), 4, "{before:?}");

    world.runs(0, &["convert", "tea", "--fetch"]);
    land(&world, "Through the plugin", "tea", "Plugin", "git");
    assert_eq!(uids(&world, "tea"), before);
    let guards = |claim: &str| world.field("PersistentVolumeClaim", claim, GUARDS);
    world.until("the claim is guarded", || {
        guards("tea/tea-data") == "Prune=false,Delete=false"
    });
    assert_eq!(guards("control/control-data"), Value::Null);

    served.asked();
    write_values(&world.home, "tea", "git again");
    land(&world, "Other values", "tea", "Plugin", "git again");
    let asked: Vec<String> = served
        .asked()
        .into_iter()
        .filter(|path| path.ends_with(".tgz"))
        .collect();
    assert_eq!(asked, Vec::<String>::new());

    let before = uids(&world, "tea");
    world.runs(0, &["convert", "tea", "--fetch", "--to", "native", "--drop-owns"]);
    land(&world, "Back to Argo CD's own Helm", "tea", "Helm", "git again");
    assert_eq!(uids(&world, "tea"), before);
}

/// Waits until an Application runs as it lies in Git.
fn land_nothing(world: &World, app: &str) {
    world.until(&format!("{app} runs"), || {
        world.is_healthy(app) && world.field("Deployment", &format!("{app}/{app}"), FROM) == "git"
    });
}
