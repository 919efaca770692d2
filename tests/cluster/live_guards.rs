//! `diff --live-guards`: the annotations in the cluster decide, and what cannot be read is no answer.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::git::git;
use crate::server::{Answer, Server, kubeconfig};

const GUARD: &str = "Prune=false,Delete=false";

fn application(name: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'https://git.example.org/me/home', path: {name}, targetRevision: main}}\n  destination: {{server: https://kubernetes.default.svc, namespace: media}}\n  syncPolicy: {{automated: {{prune: true}}}}\n"
    )
}

/// Returns what `diff` says of a claim that leaves Git with these sync options, with a cluster of these claims, or one that refuses to
/// list them.
fn answer(in_git: &str, in_cluster: Option<Vec<Value>>) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for name in ["applications", "media"] {
        write(&format!("home/applications/{name}.yaml"), &application(name));
    }
    write(
        "home/media/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n",
    );
    write(
        "home/media/claim.yaml",
        &format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: films, annotations: {{argocd.argoproj.io/sync-options: '{in_git}'}}}}\n"
        ),
    );
    let home = folder.path().join("home");
    git(&home, &["init", "--quiet", "--initial-branch=main"]);
    git(&home, &["remote", "add", "origin", "https://git.example.org/me/home"]);
    git(&home, &["add", "--all"]);
    git(&home, &["commit", "--quiet", "--message=x"]);
    git(&home, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    fs::remove_file(home.join("media/claim.yaml")).unwrap();

    let server = Server::start(move |request, _| {
        let is_of_claims = request.path.contains("/persistentvolumeclaims");
        match (&in_cluster, is_of_claims) {
            (None, true) => Answer::status(403, "you may not list claims"),
            (Some(claims), true) => list("PersistentVolumeClaimList", claims),
            (_, false) => list("List", &[]),
        }
    });
    let config = folder.path().join("kubeconfig");
    fs::write(
        &config,
        kubeconfig(&server.url, &json!({"token": "s3cret"})).to_string(),
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(["diff", "--live-guards", "-o", "json"])
        .current_dir(&home)
        .env("KUBECONFIG", config)
        .env("HOMELAB_CACHE_DIR", folder.path().join("cache"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), document["items"][0].clone(), said)
}

fn list(kind: &str, items: &[Value]) -> Answer {
    let body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": "1"}, "items": items});
    Answer::json(200, &body)
}

fn claim(options: &str) -> Value {
    json!({"metadata": {"name": "films", "namespace": "media", "annotations": {"argocd.argoproj.io/sync-options": options}}})
}

#[test]
fn the_guards_of_the_cluster_decide() {
    for (what, in_git, in_cluster, expected, sentence) in [
        (
            "a guard that was never synced keeps nothing",
            GUARD,
            vec![claim("")],
            (1, "prune", "none"),
            "does not render it any more",
        ),
        (
            "one that somebody set by hand keeps",
            "",
            vec![claim(GUARD)],
            (0, "keep", "live"),
            "`Prune=false` in the cluster: kept",
        ),
        (
            "a claim that is not there has those of Git",
            GUARD,
            Vec::new(),
            (0, "keep", "base"),
            "`Prune=false`, and it is not in the cluster: nothing is deleted there",
        ),
        (
            "half a guard deletes nothing at a prune",
            "",
            vec![claim("Prune=false")],
            (0, "keep", "live"),
            "`Prune=false` in the cluster: kept",
        ),
        (
            "the other half is none",
            GUARD,
            vec![claim("Delete=false")],
            (1, "prune", "none"),
            "does not render it any more",
        ),
    ] {
        let (code, item, said) = answer(in_git, Some(in_cluster));
        let field = |name: &str| item[name].as_str().unwrap_or_default();
        assert_eq!(
            (code, field("action"), field("guard")),
            expected,
            "{what}: {item:#}\n{said}"
        );
        assert!(field("message").contains(sentence), "{what}: {item:#}");
    }
}

#[test]
fn guards_that_cannot_be_read_are_no_answer() {
    let (code, item, said) = answer(GUARD, None);
    assert_eq!((code, &item), (3, &Value::Null), "{said}");
    assert!(said.contains("the guards in the cluster cannot be read"), "{said}");
    assert!(
        said.contains("ask for that right, or leave out `--live-guards`"),
        "{said}"
    );
}
