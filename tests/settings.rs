//! `.homelab.yaml`: its schema and the README's table are the reader's, charts see its versions, and neither the plugin nor
//! `filter` reads it. `SNAPSHOTS=overwrite` writes the schema again.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use homelab::settings::{FILE, TABLE, schema, schema_text};
use snapbox::{Assert, Data};

#[test]
fn the_schema_is_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("homelab.schema.json");
    let committed = Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
    Assert::new()
        .action_env("SNAPSHOTS")
        .eq(schema_text().unwrap(), committed);
}

#[test]
fn the_table_of_the_readme_is_the_codes() {
    let row = |key: &homelab::settings::Key| format!("| `{}` | {} | {} |\n", key.name, key.takes, key.doc);
    let rows: String = TABLE.iter().map(row).collect();
    let table = format!("\n| key | takes | what it says |\n|---|---|---|\n{rows}\n");
    let readme = include_str!("../README.md");
    let written = readme
        .split_once("<!-- settings:begin -->\n")
        .and_then(|(_, rest)| rest.split_once("<!-- settings:end -->"));
    assert_eq!(
        written.map(|(table, _)| table),
        Some(table.as_str()),
        "write this into the README:\n{table}"
    );
}

/// Returns the helm that `cargo xtask test` builds.
fn helm() -> PathBuf {
    let path = std::env::var_os("HOMELAB_TEST_HELM");
    PathBuf::from(path.expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`"))
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn application(name: &str, repository: &str, path: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  \
         project: default\n  source:\n    repoURL: https://git.example.org/me/{repository}\n    path: {path}\n    \
         targetRevision: main\n  destination:\n    server: https://kubernetes.default.svc\n    namespace: argocd\n"
    )
}

/// A repository with an Application of a chart that asks for Kubernetes before 1.31, and prints what it sees.
fn repository(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("home/.homelab.yaml", settings),
        (
            "home/applications/root.yaml",
            &application("root", "home", "applications"),
        ),
        (
            "home/applications/player.yaml",
            &application("player", "charts", "player"),
        ),
        (
            "charts/player/Chart.yaml",
            "apiVersion: v2\nname: player\nversion: 1.0.0\nkubeVersion: \"<1.31.0-0\"\n",
        ),
        (
            "charts/player/templates/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sees\ndata:\n  version: {{ .Capabilities.KubeVersion.Version }}\n  \
             monitors: {{ .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" | quote }}\n",
        ),
    ] {
        write(folder.path(), path, text);
    }
    folder
}

/// Runs the program in the repository.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(arguments)
        .current_dir(folder.join("home"))
        .env("NO_COLOR", "1")
        .env("HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const SETTINGS: &str = "kubeVersion: 1.30\napiVersions: [monitoring.coreos.com/v1]\n";

#[test]
fn charts_see_the_versions_of_the_repository_and_flags_win() {
    let home = repository(SETTINGS);
    let helm = helm();
    let rendering = |arguments: &[&str]| {
        let sources = format!("charts={}", home.path().join("charts").display());
        let common = ["--helm", helm.to_str().unwrap(), "--source-dir", &sources];
        run(home.path(), &[arguments, &common].concat(), "")
    };
    let render = |more: &[&str]| rendering(&[&["render", "player", "--offline"], more].concat());
    let output = render(&[]);
    let rendered = text(&output.stdout);
    assert!(
        rendered.contains("version: v1.30"),
        "{rendered}{}",
        text(&output.stderr)
    );
    assert!(rendered.contains("monitors: \"true\""), "{rendered}");
    assert!(!text(&output.stderr).contains("helm's own"), "{}", text(&output.stderr));
    let flags = render(&["--kube-version", "1.29", "--api-versions", "a/v1"]);
    assert!(
        text(&flags.stdout).contains("version: v1.29"),
        "{}",
        text(&flags.stdout)
    );
    assert!(
        text(&flags.stdout).contains("monitors: \"false\""),
        "{}",
        text(&flags.stdout)
    );

    for command in [
        &["validate"][..],
        &["convert", "player", "--dry-run=client", "-o", "name"],
    ] {
        let output = rendering(command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", text(&output.stderr));
        let output = rendering(&[command, &["--kube-version", "1.32"]].concat());
        assert_ne!(output.status.code(), Some(0), "{command:?}");
    }
    fs::remove_file(home.path().join("home/.homelab.yaml")).unwrap();
    let output = rendering(&["validate"]);
    assert_eq!(output.status.code(), Some(1));
    let found = text(&output.stdout);
    assert!(
        found.contains("is the default of helm") && found.contains("`kubeVersion` in `.homelab.yaml`"),
        "{found}"
    );
}

#[test]
fn neither_filter_nor_the_plugin_reads_the_file() {
    let home = repository("kubeVersoin: [\n");
    let refused = run(home.path(), &["list"], "");
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        text(&refused.stderr).contains(".homelab.yaml:1:"),
        "{}",
        text(&refused.stderr)
    );
    for command in [&["explain", "HL101"][..], &["version"], &["cmp", "manifest"]] {
        let output = run(home.path(), command, "");
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", text(&output.stderr));
    }
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let filtered = run(home.path(), &["filter", "--app", "player"], map);
    assert_eq!((filtered.status.code(), text(&filtered.stdout)), (Some(0), map));
    write(home.path(), "home/manifests/map.yaml", map);
    for unknown in ["kubeVersoin: 1.30\nrules: {HL1: x}\n", "a: [\n"] {
        write(home.path(), "home/manifests/.homelab.yaml", unknown);
        write(home.path(), "home/.homelab.yaml", unknown);
        let generated = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(["cmp", "generate"])
            .current_dir(home.path().join("home/manifests"))
            .env_clear()
            .envs([("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_SOURCE_PATH", "manifests")])
            .output()
            .unwrap();
        assert_eq!(generated.status.code(), Some(0), "{}", text(&generated.stderr));
        assert_eq!(text(&generated.stdout).trim_start_matches("---\n"), map);
    }
}

/// Texts of `.homelab.yaml` that the reader and the schema have to agree on.
const SAMPLES: [(&str, bool); 54] = [
    ("{}", true),
    ("kubeVersion: 1.30", true),
    ("kubeVersion: v1.34.1+k3s1", true),
    ("kubeVersion: latest", false),
    ("kubeVersion: [1.30]", false),
    ("apiVersions: [v1, a/v1, a/v1/Kind]", true),
    ("apiVersions: []", true),
    ("apiVersions: a/v1", false),
    ("apiVersions: [a/b/c/d]", false),
    ("apiVersions: [[a]]", false),
    ("flavour: k3s", true),
    ("flavour: kubeadm", true),
    ("flavour: gke", false),
    ("flavour: 1", false),
    ("nodes: 3", true),
    ("nodes: 0", false),
    ("nodes: two", false),
    ("nodes: '2'", false),
    ("rules: {HL306: off}", true),
    (
        "rules: {HL306: 'off', HL101: warning, HL203: error, HL510: false}",
        true,
    ),
    ("rules: {HL306: on}", false),
    ("rules: {HL306: warn}", false),
    ("rules: {HL999: off}", false),
    ("rules: {HL309: off}", false),
    ("rules: {HL309: warning}", true),
    ("rules: [HL306]", false),
    ("kubeversion: 1.30", false),
    ("exclud: [a]", false),
    ("exclude: [tests/**, '*.bak.yaml', /a/, a/b]", true),
    ("exclude:", true),
    ("exclude: tests", false),
    ("exclude: ['!a']", false),
    ("exclude: [../a]", false),
    ("exclude: ['**']", false),
    ("exclude: [1]", false),
    (
        "repoURLs: [https://git.example.org/me/home, git@git.example.org:me/home.git]",
        true,
    ),
    ("repoURLs: [github.com/me/home]", false),
    ("repoURLs: [home]", false),
    ("repoURLs: https://git.example.org/me/home", false),
    (
        "roots: [{path: a, name: 1, namespace: argocd, values: [b], parameters: {c: d, e: 1, f: true}}]",
        true,
    ),
    ("roots: [{path: a, namespace: null, values: null}]", true),
    ("roots: [{name: a}]", false),
    ("roots: [{path: a, valeus: [b]}]", false),
    ("roots: [{path: a, values: b}]", false),
    ("roots: [{path: a, namespace: B}]", false),
    ("roots: [{path: a, parameters: {b: [c]}}]", false),
    ("roots: [a]", false),
    ("roots: {path: a}", false),
    (
        "clusters: [{name: a, server: 'https://a', project: b, labels: {c: d}, annotations: {e: 1}}]",
        true,
    ),
    ("clusters: [{name: a}]", false),
    ("clusters: [{server: 'https://a'}]", false),
    ("clusters: [{name: a, server: nas}]", false),
    ("clusters: [{name: a, server: 'https://a', label: {b: c}}]", false),
    ("clusters: {a: {server: 'https://a'}}", false),
];

/// Helm checks values by a schema with a JSON schema library of its own.
#[test]
fn the_schema_and_the_reader_agree() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "chart/Chart.yaml",
        "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    );
    write(folder.path(), "chart/values.schema.json", &schema().to_string());
    fs::create_dir(folder.path().join("chart/templates")).unwrap();
    write(
        folder.path(),
        "home/applications/root.yaml",
        &application("root", "home", "applications"),
    );
    for (sample, is_right) in SAMPLES {
        write(folder.path(), &format!("home/{FILE}"), sample);
        let read = run(folder.path(), &["list"], "");
        assert_eq!(read.status.success(), is_right, "{sample}: {}", text(&read.stderr));
        let by_schema = Command::new(helm())
            .args(["template", "chart", "--values", &format!("home/{FILE}")])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .output()
            .unwrap();
        assert_eq!(
            by_schema.status.success(),
            is_right,
            "{sample}: {}",
            text(&by_schema.stderr)
        );
    }
}

#[test]
fn a_change_says_what_only_the_settings_let_through() {
    let home = repository("rules: {HL109: warning}\n");
    // What is not rendered may own a claim, and would make it a warning by itself.
    fs::remove_file(home.path().join("home/applications/player.yaml")).unwrap();
    let owner = application("owner", "charts", "player")
        .replace(
            "    targetRevision: main\n",
            "    targetRevision: main\n    plugin: {name: homelab-v1, parameters: [{name: owns, array: [films]}]}\n",
        )
        .replace("    namespace: argocd\n", "    namespace: media\n");
    write(home.path(), "home/applications/owner.yaml", &owner);
    write(
        home.path(),
        "home/namespaces/radio.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: radio}\n",
    );
    let arguments = ["add-app", "reader", "-n", "radio", "--mount", "films:/films"];
    let source = ["--repo", "https://git.example.org/me/none", "--path", "chart"];
    let output = run(home.path(), &[&arguments[..], &source].concat(), "");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("1 new finding would fail this command but for the levels in `.homelab.yaml`"),
        "{said}"
    );
    fs::remove_file(home.path().join("home/.homelab.yaml")).unwrap();
    fs::remove_file(home.path().join("home/applications/reader.yaml")).unwrap();
    let output = run(home.path(), &[&arguments[..], &source].concat(), "");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
}
