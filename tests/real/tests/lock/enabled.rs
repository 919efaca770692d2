//! `lock enable writes`: two commits, each refused until what comes before it is live.

use std::fs;

use serde_json::Value;

use crate::{Locked, POLICIES};

/// An Application of the plugin.
const FETCHER: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: fetcher\n  namespace: argocd\nspec:\n  project: default\n  \
    source:\n    repoURL: https://git.example.org/home\n    path: apps/fetcher\n    targetRevision: main\n    plugin:\n      name: homelab-v1\n      \
    parameters:\n      - name: owns # its own\n        array: [films]\n  destination:\n    server: https://kubernetes.default.svc\n    namespace: show\n";

/// A set of two Applications: one mounts the claim, the other one nothing.
const SET: &str = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: others\n  namespace: argocd\nspec:\n  goTemplate: true\n  \
    generators:\n  - list:\n      elements:\n      - name: player\n      - name: web\n  template:\n    metadata:\n      name: '{{.name}}'\n    spec:\n      \
    project: default\n      source:\n        repoURL: https://git.example.org/home\n        path: 'apps/{{.name}}'\n        targetRevision: main\n        \
    plugin:\n          name: homelab-v1 # for all\n      destination:\n        server: https://kubernetes.default.svc\n        namespace: show\n";

fn workload(kind: &str, name: &str) -> String {
    let (group, rest) = match kind {
        "Job" => ("batch", String::new()),
        _ => ("apps", format!("  selector: {{matchLabels: {{app: {name}}}}}\n")),
    };
    // On no node: the Job runs on.
    let end = match kind {
        "Job" => "      restartPolicy: Never\n      nodeSelector: {none: such}\n",
        _ => "",
    };
    format!(
        "apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: show}}\nspec:\n{rest}  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
         spec:\n      terminationGracePeriodSeconds: 0\n      containers:\n      - name: main\n        image: example.org/x\n        volumeMounts: [{{name: films, mountPath: /films}}]\n      \
         volumes: [{{name: films, persistentVolumeClaim: {{claimName: films}}}}]\n{end}"
    )
}

/// Writes the Applications into the repository.
pub(crate) fn furnish(locked: &Locked) {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n";
    for (path, text) in [
        ("applications/fetcher.yaml", FETCHER),
        ("applications/others.yaml", SET),
        ("apps/fetcher/fetcher.yaml", &workload("Deployment", "fetcher")),
        ("apps/fetcher/once.yaml", &workload("Job", "once-more")),
        ("apps/player/player.yaml", &workload("Deployment", "player")),
        ("apps/web/web.yaml", config),
    ] {
        let path = locked.home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

const ENABLE: [&str; 3] = ["lock", "enable", "writes"];

/// Deletions come first.
pub(crate) fn not_before_deletions(locked: &Locked) {
    let refused = |expected: &str| {
        let text = locked.runs(3, &ENABLE);
        assert!(text.contains(expected), "{text}");
    };
    refused("writes come second");
    locked.runs(0, &["lock", "enable", "deletions"]);
    refused("the policy `owned-claims-stay` is not in force: it is not in the cluster");
    locked.runs(0, &["lock", "disable"]);
    assert_eq!(locked.read("applications/fetcher.yaml"), FETCHER);
}

/// The first commit: stamps. The second one is refused while what runs has none.
pub(crate) fn stamps(locked: &Locked) {
    for (app, file) in [
        ("fetcher", "fetcher.yaml"),
        ("fetcher", "once.yaml"),
        ("player", "player.yaml"),
    ] {
        let text = locked.read(&format!("apps/{app}/{file}"));
        locked.cluster.apply(&text).unwrap();
    }
    let text = locked.runs(3, &ENABLE);
    assert!(
        text.contains("the template of a Job cannot change: `show/once-more` of `fetcher`")
            && text.contains("--recreate-jobs"),
        "{text}"
    );
    let text = locked.runs(0, &[&ENABLE[..], &["--recreate-jobs"]].concat());
    assert!(
        text.contains("the pods of `fetcher`, `player` that mount a claim restart once"),
        "{text}"
    );
    let stamp = "      - name: stamp-app\n        string: recreate-jobs\n";
    assert_eq!(
        locked.read("applications/fetcher.yaml"),
        FETCHER.replace("  destination", &format!("{stamp}  destination"))
    );
    let set = locked.read("applications/others.yaml");
    assert!(
        set.contains("name: homelab-v1 # for all") && set.contains("name: stamp-app"),
        "{set}"
    );
    assert!(!locked.has("lock/foreign-claims-read-only.yaml"));
    let rendered = locked.runs(0, &["render", "fetcher"]);
    assert!(rendered.contains("Force=true,Replace=true"), "{rendered}");

    let text = locked.runs(3, &ENABLE);
    for line in [
        "Deployment `show/old`, whose pods have no label `storage.home.arpa/app`, writes claim `films` of `fetcher`",
        "Deployment `show/fetcher`, whose",
        "Job `show/running`, whose",
        "Pod `show/writer`, whose",
        "the policy `foreign-claims-read-only` would refuse",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("show/reader") && !text.contains("elsewhere/"), "{text}");
}

/// The second commit, once everything runs with stamps.
pub(crate) fn policy(locked: &Locked) {
    locked.kubectl("delete job once-more -n show").unwrap();
    for app in ["fetcher", "player"] {
        let rendered = locked.runs(0, &["render", app]);
        locked.cluster.apply(&rendered).unwrap();
    }
    locked.until("what ran without a stamp is gone", || {
        let (code, _) = locked.homelab(&[&ENABLE[..], &["--dry-run=client"]].concat());
        code == Some(0)
    });
    let text = locked.runs(0, &ENABLE);
    assert!(text.contains("lock/foreign-claims-read-only.yaml created"), "{text}");
    let (_, policy) = POLICIES
        .split_once("# The claims of Applications are read-only")
        .unwrap();
    let written = locked.read("lock/foreign-claims-read-only.yaml");
    assert_eq!(
        written.trim_end(),
        format!("# The claims of Applications are read-only{policy}").trim_end()
    );
    let app = locked.read("applications/fetcher.yaml");
    assert!(
        app.contains("string: \"true\"") && !app.contains("recreate-jobs"),
        "{app}"
    );
    locked.cluster.apply(&written).unwrap();
    let text = locked.runs(0, &ENABLE);
    assert!(text.contains("nothing to change"), "{text}");
    let status = status(locked);
    let row = &status["policies"][2];
    assert_eq!(
        (&row["name"], &row["live"]["state"], &row["repository"]["state"]),
        (&"foreign-claims-read-only".into(), &"current".into(), &"current".into()),
        "{status:#}"
    );
    assert!(row["refusals"].as_u64() > Some(20), "{status:#}");
    assert_eq!(status["writes"].as_array().map(Vec::len), Some(0), "{status:#}");
    let text = locked.runs(0, &["lock", "status"]);
    assert!(text.contains("by nobody's Deployment was tried and refused"), "{text}");
    assert_eq!(
        locked.field("deployment homelab-lock-proof -n show", ".metadata.uid"),
        ""
    );
}

/// Returns the document that `lock status` prints.
fn status(locked: &Locked) -> Value {
    let text = locked.runs(0, &["lock", "status", "-o", "json"]);
    let end = text.rfind("\n}").unwrap() + 2;
    serde_json::from_str(&text[..end]).unwrap()
}

/// All that was written is gone.
pub(crate) fn disabled(locked: &Locked) {
    assert!(!locked.has("lock/foreign-claims-read-only.yaml"));
    assert_eq!(locked.read("applications/fetcher.yaml"), FETCHER);
    assert_eq!(locked.read("applications/others.yaml"), SET);
}
