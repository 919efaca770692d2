//! Edits of users' repositories: everything else stays as it is, and an edit that would lose something is refused.
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

const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: root\n  namespace: argocd\nspec:\n  source:\n    repoURL: https://git.example.org/me/home\n    path: applications\n    targetRevision: main\n  destination:\n    namespace: argocd\n";

/// Creates a repository with the root Application and these files.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [("applications/root.yaml", ROOT)].iter().chain(files) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs a command; returns its exit code, its standard output and its standard error.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn application(name: &str) -> String {
    ROOT.replace("name: root", &format!("name: {name}"))
        .replace("path: applications", &format!("path: charts/{name}"))
}

#[test]
fn a_file_that_would_lose_its_comments_is_not_written() {
    let anchored = application("web")
        + "  syncPolicy:\n    syncOptions: &options\n    - ServerSideApply=true # needed\n  info: *options\n";
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";
    let home = repository(&[("applications/web.yaml", &anchored), ("charts/web/web.yaml", manifest)]);
    let upsert = [
        "add-app",
        "web",
        "--upsert",
        "--repo",
        "https://git.example.org/me/home",
        "--path",
        "charts/web",
        "-n",
        "argocd",
        "--sync-option",
        "PruneLast=true",
    ];
    let (code, _, message) = run(home.path(), &upsert);
    assert_eq!(code, Some(3), "{message}");
    assert!(
        message.contains("applications/web.yaml") && message.contains("without anchors"),
        "{message}"
    );
    assert_eq!(
        fs::read_to_string(home.path().join("applications/web.yaml")).unwrap(),
        anchored
    );
}

#[test]
fn a_namespace_that_nothing_syncs_is_reported() {
    let home = repository(&[]);
    let (code, _, message) = run(home.path(), &["add-namespace", "web"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(
        message.contains("no Application syncs `namespaces/web.yaml`"),
        "{message}"
    );
    let (code, _, message) = run(home.path(), &["add-namespace", "web"]);
    assert_eq!(code, Some(3));
    assert!(message.contains("already there, in `namespaces/web.yaml`"), "{message}");
    let (code, _, message) = run(home.path(), &["add-namespace", "web", "--upsert", "-l", "a=b"]);
    assert_eq!(code, Some(0), "{message}");
    let (code, _, message) = run(
        home.path(),
        &["init", "--force", "--repo-url", "https://git.example.org/me/home"],
    );
    assert_eq!(code, Some(0), "{message}");
    let (code, _, message) = run(home.path(), &["add-namespace", "other"]);
    assert!(
        code == Some(0) && !message.contains("no Application syncs"),
        "{message}"
    );
}

#[test]
fn files_without_a_final_newline_are_separate_documents() {
    let native = |name: &str| application(name).trim_end().to_owned();
    let home = repository(&[
        ("applications/a.yaml", &native("a")),
        ("applications/b.yaml", &native("b")),
    ]);
    for name in ["a", "b"] {
        let chart = home.path().join("charts").join(name);
        fs::create_dir_all(&chart).unwrap();
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n");
        fs::write(chart.join("map.yaml"), text).unwrap();
    }
    let (code, printed, message) = run(home.path(), &["convert", "a", "b", "--dry-run"]);
    assert_eq!(code, Some(0), "{message}");
    assert_eq!(homelab::yaml::documents(&printed).unwrap().len(), 2, "{printed}");
}

#[test]
fn two_renders_are_not_written_to_one_file() {
    let web = application("web");
    let home = repository(&[
        ("applications/web.yaml", &web),
        ("applications/other.yaml", &web),
        (
            "charts/web/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n",
        ),
    ]);
    let (code, _, message) = run(home.path(), &["render", "--all", "--output-dir", "out"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(
        message.contains("the same name") && !home.path().join("out").exists(),
        "{message}"
    );
}

#[test]
fn init_reports_what_it_would_do_and_where() {
    let outer = tempfile::tempdir().unwrap();
    git(outer.path(), &["init", "--quiet"]);
    let init = ["init", "home", "--repo-url", "https://git.example.org/me/home"];
    let (code, printed, message) = run(outer.path(), &[&init[..], &["--dry-run", "-o", "name"]].concat());
    assert_eq!(code, Some(0), "{message}");
    assert!(printed.contains("applications/root.yaml") && !outer.path().join("home").exists());
    let (code, _, message) = run(outer.path(), &init);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("run `git init` in it"), "{message}");
}

#[test]
fn a_file_that_git_ignores_is_named() {
    let home = repository(&[(".gitignore", "namespaces/\n")]);
    git(home.path(), &["init", "--quiet"]);
    let (code, _, message) = run(home.path(), &["add-namespace", "web", "--commit"]);
    assert_eq!(code, Some(3));
    assert!(
        message.contains("ignored") && message.contains("the files are written"),
        "{message}"
    );
}

#[test]
fn labels_that_kubernetes_refuses_are_refused() {
    let home = repository(&[]);
    for label in ["bad key=x", "a=bad value!"] {
        let (code, _, message) = run(home.path(), &["add-namespace", "web", "-l", label]);
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains("letters, digits"), "{message}");
    }
}

#[test]
fn a_render_of_all_goes_on_after_a_failure_and_says_what_is_missing() {
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n");
    let far = application("b").replace("path: charts/b", "path: ../b");
    let home = repository(&[
        ("applications/a.yaml", &application("a")),
        ("applications/b.yaml", &far),
        ("applications/c.yaml", &application("c")),
        ("charts/a/map.yaml", &map("one")),
        ("charts/c/map.yaml", &map("three")),
    ]);
    let (code, printed, message) = run(home.path(), &["render", "--all"]);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("error: Application `b`"), "{message}");
    assert!(
        message.contains("not complete: 1 of 4 Applications left out"),
        "{message}"
    );
    for whole in [map("one"), map("three"), application("c")] {
        assert!(printed.contains(&whole), "{printed}");
    }

    let (code, printed, _) = run(home.path(), &["render", "--all", "-o", "json"]);
    let list: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, list["items"].as_array().unwrap().len()), (Some(1), 6));

    let (code, _, message) = run(home.path(), &["render", "--all", "--output-dir", "out"]);
    assert_eq!(code, Some(1), "{message}");
    let files = fs::read_dir(home.path().join("out")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["a.yaml", "c.yaml", "root.yaml"]);

    let (code, printed, _) = run(home.path(), &["render", "a", "b"]);
    assert_eq!(
        (code, printed.as_str()),
        (Some(3), ""),
        "named ones are printed all or not at all"
    );
}

#[test]
fn a_render_of_all_names_files_that_cannot_be_read() {
    let home = repository(&[
        ("applications/a.yaml", &application("a")),
        (
            "charts/a/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n",
        ),
        ("namespaces/broken.yaml", "kind: [\n"),
    ]);
    let (code, printed, message) = run(home.path(), &["render", "--all"]);
    assert_eq!(code, Some(1), "{message}");
    assert!(
        message.contains("namespaces/broken.yaml:1:7: unclosed bracket"),
        "{message}"
    );
    assert!(
        message.contains("0 of 2 Applications left out, and not all files can be read"),
        "{message}"
    );
    assert!(printed.contains("name: one\n"), "{printed}");
}

#[test]
fn what_is_written_from_an_empty_folder_on_passes_validate_strict() {
    for has_git in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        if has_git {
            git(&home, &["init", "--quiet"]);
        }
        let done = |arguments: &str| {
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            let (code, stdout, message) = run(&home, &arguments);
            assert_eq!(code, Some(0), "{arguments:?}: {stdout}{message}");
            message
        };
        let hints = done("init --repo-url https://git.example.org/me/home");
        assert!(hints.contains("`kubectl homelab add-app NAME") && hints.contains("`kubectl homelab cmp manifest"));
        done("validate");
        done("validate --strict");
        let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
        fs::create_dir(home.join("web")).unwrap();
        fs::write(home.join("web/claim.yaml"), claim).unwrap();
        done("add-namespace plain");
        done("add-namespace full --pod-security restricted:v1.30 --sync-wave -20 -l a=b --annotations c=d");
        done("add-namespace labelled -l pod-security.kubernetes.io/enforce=privileged");
        done("add-namespace plain --upsert -l a=b");
        let source = "--repo https://git.example.org/me/home --path web --revision main";
        done(&format!("add-app one -n plain {source}"));
        done(&format!(
            "add-app two -n new --create-namespace {source} --sync-wave 3 -l a=b --annotations c=d --project default --self-heal false --sync-option ServerSideApply=true"
        ));
        done(&format!(
            "add-app three -n full {source} --owns more --auto-prune false"
        ));
        done("add-app two --upsert --self-heal true --sync-wave 4");
        done("validate --strict");
        let text = fs::read_to_string(home.join("applications/two.yaml")).unwrap();
        assert!(
            text.contains("selfHeal: true") && text.contains("sync-wave: \"4\""),
            "{text}"
        );
    }
}
