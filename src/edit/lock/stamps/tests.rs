use super::*;
use crate::edit::parameters::tests::Nothing;
use crate::model::AppRenders;
use crate::repo::{Memory, Repo};
use crate::rules::case::{Case, claim, owns};
use serde_json::{Value, json};

fn workload(kind: &str, claim: &str, annotations: Value) -> Value {
    let api_version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "annotations": annotations}, "spec": {"template": {"spec": {
        "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]}}}})
}

fn case() -> Case {
    let stamped = json!([{"name": "stamp-app", "string": "true"}]);
    Case::new()
        .plugin("fetcher", json!([owns(["films"])]))
        .renders(
            "fetcher",
            [
                workload("Deployment", "films", json!({})),
                workload("Job", "films", json!({})),
            ],
        )
        .plugin("hooked", json!([]))
        .renders(
            "hooked",
            [workload("Job", "films", json!({"argocd.argoproj.io/hook": "Sync"}))],
        )
        .plugin("stamped", stamped)
        .renders("stamped", [workload("Deployment", "films", json!({}))])
        .plugin("mounts-nothing", json!([owns(["books"])]))
        .renders(
            "mounts-nothing",
            [json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})],
        )
        .plugin("ready", json!([]))
        .renders("ready", [json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "c"}]}})])
        .plugin("not-rendered", json!([owns(["songs"])]))
        .helm("native")
        .renders("native", [workload("Deployment", "films", json!({}))])
        // The claim of this one is in no registry.
        .helm("apart")
        .renders("apart", [claim("site", json!({})), workload("Deployment", "site", json!({}))])
}

#[test]
fn templates_that_mount_a_claim_are_found() {
    let case = case();
    let repo = case.repo();
    let open = unstamped(&Scope::new(&repo, case.app_renders()));
    let names: Vec<_> = open.apps.iter().map(|one| (one.app.as_str(), one.mounts)).collect();
    let expected = [
        ("fetcher", true),
        ("hooked", true),
        ("not-rendered", true),
        ("ready", false),
    ];
    assert_eq!(names, expected);
    let jobs: Vec<String> = open.apps[0]
        .jobs
        .iter()
        .map(|(place, name)| format!("{place}/{name}"))
        .collect();
    assert_eq!(jobs, ["media/x"]);
    assert!(open.apps[1].jobs.is_empty(), "hooks are created again anyway");
    assert_eq!(open.notes.len(), 1, "{:?}", open.notes);
    assert!(
        open.notes[0].contains("`native` writes claim `media/films`"),
        "{:?}",
        open.notes
    );
}

/// Returns all files after an edit.
fn after(files: &[(&str, &str)], edit: &Edit) -> Vec<String> {
    let repo = Repo::read(&Memory::new(files.iter().copied()).unwrap(), &[]).unwrap();
    let after = repo.with(&edit.changes).unwrap();
    after.files.values().map(|file| file.text.clone()).collect()
}

#[test]
fn stamps_are_written_settled_and_taken_out() {
    let text = |rest: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: fetcher}}\nspec:\n  destination: {{namespace: media}}\n  \
             source:\n    repoURL: u\n    plugin:\n      name: homelab-v1 # ours\n      parameters:\n      - name: owns\n        array: [films]\n{rest}"
        )
    };
    let edits = |text: &str, recreated: &[&str]| -> [Vec<String>; 3] {
        let files = [("applications/fetcher.yaml", text)];
        let nothing = Nothing(Memory::new(files).unwrap());
        let repo = Repo::read(&nothing.0, &[]).unwrap();
        let renders = AppRenders::new();
        let scope = Scope::new(&repo, &renders);
        let recreated = recreated.iter().map(|name| AppName::new(*name).unwrap()).collect();
        let stamp = stamp(&scope, &nothing, &unstamped(&scope), &recreated).unwrap().0;
        let settle = settle(&scope, &nothing).unwrap().0;
        let unstamp = unstamp(&scope, &nothing).unwrap().0;
        [stamp, settle, unstamp].map(|edit| after(&files, &edit))
    };
    let (without, stamped) = (text(""), text("      - name: stamp-app\n        string: \"true\"\n"));
    let recreating = text("      - name: stamp-app\n        string: recreate-jobs\n");
    assert_eq!(
        edits(&without, &[]),
        [[stamped.clone()], [without.clone()], [without.clone()]]
    );
    assert_eq!(edits(&without, &["fetcher"])[0], std::slice::from_ref(&recreating));
    let [_, settled, unstamped] = edits(&recreating, &[]);
    assert_eq!(settled, std::slice::from_ref(&stamped));
    assert_eq!(unstamped, std::slice::from_ref(&without));
    assert_eq!(edits(&stamped, &[])[2], [without]);
}
