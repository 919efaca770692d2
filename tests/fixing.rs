//! `validate --fix` on repositories whose Applications are rendered, and in Git.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

#[path = "transcript/git.rs"]
mod git;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use git::git;

const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: root\n  namespace: argocd\nspec:\n  project: default\n  source:\n    repoURL: https://git.example.org/me/home\n    path: applications\n    targetRevision: main\n  destination:\n    server: https://kubernetes.default.svc\n    namespace: argocd\n";
const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: films # all of them\nspec:\n  accessModes: [ReadWriteOnce]\n";
const GUARDED: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: films # all of them\n  annotations:\n    argocd.argoproj.io/sync-options: Prune=false,Delete=false\n    argocd.argoproj.io/compare-options: IgnoreExtraneous\nspec:\n  accessModes: [ReadWriteOnce]\n";

/// A repository with an Application that syncs the folder `storage` natively, and one claim in it.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let storage = ROOT
        .replace(
            "name: root",
            "name: storage\n  finalizers: [resources-finalizer.argocd.argoproj.io]",
        )
        .replace("path: applications", "path: storage");
    for (path, text) in [
        ("applications/root.yaml", ROOT),
        ("applications/storage.yaml", &storage),
        ("storage/films.yaml", CLAIM),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs `validate` with these arguments; returns its exit code, stdout and stderr.
fn validate(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .arg("validate")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("HOME", folder)
        .env("GIT_AUTHOR_NAME", "test")
        .env("GIT_AUTHOR_EMAIL", "test@example.org")
        .env("GIT_COMMITTER_NAME", "test")
        .env("GIT_COMMITTER_EMAIL", "test@example.org")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn claim(home: &Path) -> String {
    fs::read_to_string(home.join("storage/films.yaml")).unwrap()
}

#[test]
fn what_is_rendered_from_this_repository_is_fixed_where_it_stands() {
    let home = repository();
    let (code, _, _) = validate(home.path(), &[]);
    assert_eq!(code, Some(1));
    let (code, left, stderr) = validate(home.path(), &["--fix"]);
    assert_eq!(
        (code, left.as_str()),
        (Some(0), "0 errors, 0 warnings\nchecked 2 of 2 Applications\n"),
        "{stderr}"
    );
    assert_eq!(stderr, "storage/films.yaml changed\nfixed 1 of 1 finding\n");
    assert_eq!(claim(home.path()), GUARDED);
    let (code, _, stderr) = validate(home.path(), &["--fix"]);
    assert_eq!((code, stderr.as_str()), (Some(0), "fixed 0 of 0 findings\n"));
    assert_eq!(claim(home.path()), GUARDED);
}

#[test]
fn a_dry_run_shows_what_would_be_left_and_writes_nothing() {
    let home = repository();
    let (code, diff, stderr) = validate(home.path(), &["--fix", "--dry-run=client", "-o", "diff"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        diff.contains("+    argocd.argoproj.io/compare-options: IgnoreExtraneous\n"),
        "{diff}"
    );
    assert_eq!(
        stderr,
        "0 errors, 0 warnings\nchecked 2 of 2 Applications\nwould fix 1 of 1 finding\n"
    );
    let (_, left, _) = validate(home.path(), &["--fix", "--dry-run=client", "-o", "json"]);
    assert!(left.contains("\"items\": []"), "{left}");
    assert_eq!(claim(home.path()), CLAIM);
}

#[test]
fn fixes_are_committed_where_nothing_else_is_changed() {
    let home = repository();
    git(home.path(), &["init", "--quiet"]);
    git(home.path(), &["add", "."]);
    git(home.path(), &["commit", "--quiet", "--message", "first"]);
    fs::write(home.path().join("storage/films.yaml"), format!("# mine\n{CLAIM}")).unwrap();
    let (code, _, stderr) = validate(home.path(), &["--fix", "--commit"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("uncommitted changes in storage/films.yaml"), "{stderr}");
    assert_eq!(claim(home.path()), format!("# mine\n{CLAIM}"));
    git(home.path(), &["checkout", "--quiet", "."]);
    let (code, _, stderr) = validate(home.path(), &["--fix", "--commit"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        git(home.path(), &["log", "-1", "--format=%s"]),
        "Fix 1 finding of kubectl homelab validate\n"
    );
    assert_eq!(git(home.path(), &["status", "--porcelain"]), "");
}
