//! What git ignores does not count: Argo CD never has it. Homes keep decrypted Secrets and local values that way.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/git.rs"]
mod git;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use git::git;

const URL: &str = "https://git.example.org/me/home";

/// Returns an Application in one line of JSON, with more of its source.
fn application(name: &str, path: &str, more: &str) -> String {
    format!(
        "{{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {{name: {name}, namespace: argocd}}, spec: {{\
         project: default, source: {{repoURL: '{URL}', path: {path}{more}}}, \
         destination: {{server: 'https://kubernetes.default.svc', namespace: {name}}}}}}}\n"
    )
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

/// Returns a home in which `*.local.yaml` is ignored: files of every kind of source, one of each ignored.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let recurse = ", directory: {recurse: true}";
    let values = |options: &str| format!(", helm: {{valueFiles: [values.local.yaml]{options}}}");
    let files = [
        (".gitignore", "*.local.yaml\n/plain/only-here/\n".to_owned()),
        ("apps/root.yaml", application("root", "apps", recurse)),
        ("apps/plain.yaml", application("plain", "plain", recurse)),
        ("apps/gone.yaml", application("gone", "plain/only-here", "")),
        ("apps/not-yet.local.yaml", application("not-yet", "plain", "")),
        ("apps/chart.yaml", application("chart", "chart", &values(""))),
        (
            "apps/lenient.yaml",
            application("lenient", "chart", &values(", ignoreMissingValueFiles: true")),
        ),
        ("apps/built.yaml", application("built", "built", "")),
        ("plain/kept.yaml", config_map("kept")),
        ("plain/secret.local.yaml", config_map("ignored")),
        ("plain/only-here/a.yaml", config_map("only-here")),
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: chart\nversion: 1.0.0\n".to_owned(),
        ),
        ("chart/values.yaml", "who: everybody\n".to_owned()),
        ("chart/values.local.yaml", "who: me\n".to_owned()),
        (
            "chart/templates/map.yaml",
            format!("{}data: {{who: {{{{ .Values.who }}}}}}\n", config_map("map")),
        ),
        ("built/kustomization.yaml", "resources: [map.local.yaml]\n".to_owned()),
        ("built/map.local.yaml", config_map("built")),
    ];
    for (path, text) in files {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    git(home.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(home.path(), &["remote", "add", "origin", URL]);
    git(home.path(), &["add", "."]);
    git(home.path(), &["commit", "--quiet", "--message=one"]);
    home
}

/// Runs the program with helm and kustomize; returns its exit code and what it printed.
fn run(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let tool = |name: &str| {
        PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test`")))
    };
    let tools = ["HOMELAB_TEST_HELM", "HOMELAB_TEST_KUSTOMIZE"].map(tool);
    let folders = tools.iter().map(|tool| tool.parent().unwrap().to_owned());
    let path = std::env::var_os("PATH").unwrap();
    let folders = folders.chain(std::env::split_paths(&path));
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(arguments)
        .current_dir(home)
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("HOMELAB_CACHE_DIR", home.join(".git/cache"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_ignored_application_is_none() {
    let home = home();
    let (code, listed, message) = run(home.path(), &["list", "-o", "name"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(listed.contains("plain") && !listed.contains("not-yet"), "{listed}");
    git(home.path(), &["add", "--force", "apps/not-yet.local.yaml"]);
    let (_, listed, _) = run(home.path(), &["list", "-o", "name"]);
    assert!(listed.contains("not-yet"), "{listed}");
}

#[test]
fn an_ignored_manifest_is_not_rendered() {
    let home = home();
    let (code, rendered, message) = run(home.path(), &["render", "plain"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(rendered.contains("name: kept"), "{rendered}");
    assert!(
        !rendered.contains("ignored") && !rendered.contains("only-here"),
        "{rendered}"
    );
    let (code, _, message) = run(home.path(), &["render", "gone"]);
    assert_ne!(code, Some(0));
    assert!(
        message.contains("app path does not exist: `plain/only-here`"),
        "{message}"
    );
}

#[test]
fn ignored_values_are_missing_as_in_argo_cd() {
    let home = home();
    let (code, _, message) = run(home.path(), &["render", "chart"]);
    assert_ne!(code, Some(0));
    assert!(
        message.contains("value file `values.local.yaml` is ignored by git: Argo CD does not have it"),
        "{message}"
    );
    let (code, rendered, message) = run(home.path(), &["render", "lenient"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(rendered.contains("who: everybody"), "{rendered}");
}

#[test]
fn an_ignored_template_is_said() {
    let home = home();
    let template = home.path().join("chart/templates/more.local.yaml");
    fs::write(&template, config_map("more")).unwrap();
    let (code, _, message) = run(home.path(), &["render", "lenient"]);
    assert_ne!(code, Some(0));
    let said = "`chart/templates/more.local.yaml` is ignored by git: Argo CD does not have it";
    assert!(message.contains(said), "{message}");
    // What helm does not render may lie anywhere.
    fs::rename(template, home.path().join("chart/more.local.yaml")).unwrap();
    assert_eq!(run(home.path(), &["render", "lenient"]).0, Some(0));
}

#[test]
fn an_ignored_resource_of_a_kustomization_is_said() {
    let home = home();
    let (code, _, message) = run(home.path(), &["render", "built"]);
    assert_ne!(code, Some(0));
    let said = "built/kustomization.yaml:1:13: `map.local.yaml` is ignored by git: Argo CD does not have it";
    assert!(message.contains(said), "{message}");
    git(home.path(), &["add", "--force", "built/map.local.yaml"]);
    let (code, rendered, message) = run(home.path(), &["render", "built"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(rendered.contains("name: built"), "{rendered}");
}
