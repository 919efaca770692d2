//! What helm renders is kept for the next command: the same is rendered once, and what is not the same is rendered again.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

const URL: &str = "https://git.example.org/me/home";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\nstringData:\n  key: hunter2\n";
/// Prints the chart's templates, writes down each start, and wants `charts/lib` where the chart asks for it.
const HELM: &str = r#"#!/bin/sh
echo "$@" >> "COUNT"
case "$1" in dependency) mkdir -p charts/lib; exit 0;; esac
if [ -e wants-lib ] && [ ! -e charts/lib ]; then
  echo 'Error: found in Chart.yaml, but missing in charts/ directory: lib' >&2; exit 1
fi
if [ -e fails ]; then echo 'Error: it fails' >&2; exit 1; fi
cat templates/*.yaml
"#;

/// A repository with three Applications of charts, a helm that counts its starts, and a cache.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let git = Command::new("git")
            .args(["init", "--quiet"])
            .arg(home.path("repo"))
            .status();
        assert!(git.unwrap().success());
        home.write("repo/applications/root.yaml", &app("root", "applications", ""));
        for name in ["a", "b", "c"] {
            home.write(
                &format!("repo/applications/{name}.yaml"),
                &app(
                    name,
                    &format!("charts/{name}"),
                    "    helm:\n      valueFiles: [values.yaml]\n",
                ),
            );
            home.write(&format!("repo/charts/{name}/Chart.yaml"), &chart(name, ""));
            home.write(&format!("repo/charts/{name}/values.yaml"), "a: 1\n");
            home.write(&format!("repo/charts/{name}/templates/config.yaml"), CONFIG);
        }
        home.write("helm", &HELM.replace("COUNT", home.path("count").to_str().unwrap()));
        fs::set_permissions(home.path("helm"), fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command
            .args(arguments.split_whitespace())
            .arg("--helm")
            .arg(self.path("helm"));
        command.current_dir(self.path("repo")).stdin(Stdio::null());
        command
            .env("HOMELAB_CACHE_DIR", self.path("cache"))
            .env("HOME", self.0.path());
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Returns how often a command started helm; it has to succeed.
    fn starts(&self, arguments: &str) -> usize {
        self.starts_of(&mut self.command(arguments))
    }

    fn starts_of(&self, command: &mut Command) -> usize {
        let _ = fs::remove_file(self.path("count"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
        self.count()
    }

    fn count(&self) -> usize {
        fs::read_to_string(self.path("count")).map_or(0, |text| text.lines().count())
    }

    fn entries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("cache/renders")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn app(name: &str, path: &str, options: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  project: default\n  source:\n    repoURL: {URL}\n    path: {path}\n    targetRevision: main\n{options}  destination:\n    server: https://kubernetes.default.svc\n    namespace: default\n"
    )
}

fn chart(name: &str, more: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}")
}

const RENDER: &str = "render --all --offline";

#[test]
fn the_second_command_starts_no_helm() {
    let home = Home::new();
    let first = home.run("validate -o json");
    assert_eq!(home.count(), 3);
    for (arguments, starts) in [
        ("validate", 0),
        ("list volumes", 0),
        (RENDER, 0),
        ("validate --no-cache", 3),
        ("list volumes --no-cache", 3),
        ("render --all --offline --no-cache", 3),
        ("validate", 0),
    ] {
        assert_eq!(home.starts(arguments), starts, "{arguments}");
    }
    for (value, starts) in [("true", 0), ("false", 3)] {
        let mut command = home.command("validate");
        assert_eq!(
            home.starts_of(command.env("HOMELAB_RENDER_CACHE", value)),
            starts,
            "{value}"
        );
    }
    assert_eq!(home.run("validate -o json").stdout, first.stdout);
    let cached = home.run(RENDER).stdout;
    assert_eq!(home.run("render --all --offline --no-cache").stdout, cached);
    assert!(!cached.is_empty());
}

#[test]
fn what_changed_is_rendered_again_and_nothing_else() {
    let home = Home::new();
    assert_eq!(home.starts(RENDER), 3);
    let helm = "    helm:\n      valueFiles: [values.yaml, ../more.yaml]\n";
    let with = |more: &str| app("a", "charts/a", &format!("{helm}{more}"));
    let dependency = chart(
        "a",
        "dependencies:\n- {name: lib, version: 1.0.0, repository: 'file://../lib'}\n",
    );
    let a = "repo/applications/a.yaml";
    for (file, text) in [
        ("repo/charts/a/templates/config.yaml", CONFIG.replace("config", "other")),
        ("repo/charts/a/templates/more.yaml", CONFIG.replace("config", "more")),
        ("repo/charts/a/values.yaml", "a: 2\n".to_owned()),
        ("repo/charts/a/charts/lib-1.0.0.tgz", "packed".to_owned()),
        ("repo/charts/a/.helmignore", "x\n".to_owned()),
        ("repo/charts/more.yaml", "b: 1\n".to_owned()),
        (a, with("")),
        ("repo/charts/more.yaml", "b: 2\n".to_owned()),
        (a, with("      values: 'x: 1'\n")),
        (a, with("      values: 'x: 2'\n")),
        (a, with("      parameters:\n      - {name: a, value: '3'}\n")),
        (a, with("      releaseName: other\n")),
        (a, with("      kubeVersion: 1.30.0\n")),
        (a, with("      apiVersions: [a/v1]\n")),
        (a, with("      skipCrds: true\n")),
        (a, with("      namespace: other\n")),
        ("repo/charts/lib/Chart.yaml", chart("lib", "")),
        ("repo/charts/a/Chart.yaml", dependency),
        ("repo/charts/lib/Chart.yaml", chart("lib", "appVersion: x\n")),
    ] {
        home.write(file, &text);
        let starts = home.starts(RENDER);
        let is_read = file != "repo/charts/more.yaml" && !file.contains("/lib/")
            || text.contains("b: 2")
            || text.contains("appVersion");
        assert_eq!(starts, usize::from(is_read), "{file}: {text}");
        assert_eq!(home.starts(RENDER), 0, "{file}: {text}");
    }
    let output = String::from_utf8(home.run(RENDER).stdout).unwrap();
    assert!(
        output.contains("name: other\n") && output.contains("name: more\n"),
        "{output}"
    );
}

#[test]
fn the_same_is_not_rendered_again_wherever_and_whenever_it_was_written() {
    let home = Home::new();
    assert_eq!(home.starts(RENDER), 3);
    let file = home.path("repo/charts/a/values.yaml");
    fs::File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(home.starts(RENDER), 0);
    fs::rename(home.path("repo"), home.path("moved")).unwrap();
    let mut command = home.command(RENDER);
    assert_eq!(home.starts_of(command.current_dir(home.path("moved"))), 0);
    let mut command = home.command(RENDER);
    assert_eq!(
        home.starts_of(command.current_dir(home.path("moved")).env("TZ", "Asia/Tokyo")),
        3
    );
}

#[test]
fn another_helm_renders_everything_again() {
    let home = Home::new();
    assert_eq!(home.starts(RENDER), 3);
    let helm = fs::read_to_string(home.path("helm")).unwrap();
    home.write("helm", &helm.replace("cat templates", "cat  templates"));
    assert_eq!(home.starts(RENDER), 3);
    assert_eq!(home.starts(RENDER), 0);
    // It finds another helm each time.
    fs::create_dir(home.path("shims")).unwrap();
    fs::rename(home.path("helm"), home.path("shims/helm")).unwrap();
    for _ in 0..2 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command
            .args(RENDER.split_whitespace())
            .arg("--helm")
            .arg(home.path("shims/helm"));
        command
            .current_dir(home.path("repo"))
            .env("HOMELAB_CACHE_DIR", home.path("cache"));
        assert_eq!(home.starts_of(&mut command), 3);
    }
}

#[test]
fn failures_and_secrets_are_not_kept() {
    let home = Home::new();
    home.write("repo/charts/a/fails", "");
    home.write("repo/charts/b/templates/key.yaml", SECRET);
    for _ in 0..2 {
        let _ = fs::remove_file(home.path("count"));
        assert_eq!(home.run(RENDER).status.code(), Some(1));
        assert!(home.count() >= 2, "{}", home.count());
        assert_eq!(home.entries().len(), 1);
    }
    fs::remove_file(home.path("repo/charts/a/fails")).unwrap();
    assert_eq!(home.starts(RENDER), 2);
    assert_eq!(home.starts(RENDER), 1);
}

#[test]
fn dependencies_without_a_lock_are_asked_for_each_time() {
    let home = Home::new();
    home.write("repo/charts/a/wants-lib", "");
    let remote = chart(
        "a",
        "dependencies:\n- {name: lib, version: 1.x, repository: 'https://charts.example.org'}\n",
    );
    home.write("repo/charts/a/Chart.yaml", &remote);
    assert_eq!(home.starts("render --all"), 5);
    assert_eq!(home.starts("render --all"), 3);
    home.write(
        "repo/charts/a/Chart.lock",
        "dependencies:\n- {name: lib, version: 1.0.0, repository: 'https://charts.example.org'}\n",
    );
    assert_eq!(home.starts("render --all"), 3);
    assert_eq!(home.starts("render --all"), 0);
}

#[test]
fn a_value_file_from_the_network_is_read_each_time() {
    let home = Home::new();
    let options = "    helm:\n      valueFiles: ['https://values.example.org/a.yaml']\n";
    home.write("repo/applications/a.yaml", &app("a", "charts/a", options));
    assert_eq!(home.starts("render --all"), 3);
    assert_eq!(home.starts("render --all"), 1);
}

/// Returns the names that `list` prints, and what it says.
fn listed(output: &Output) -> (Vec<String>, String) {
    let names = String::from_utf8(output.stdout.clone()).unwrap();
    let names = names
        .lines()
        .map(|line| line.trim_start_matches("application.argoproj.io/").to_owned());
    (names.collect(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn a_chart_of_applications_is_rendered_once_and_without_renders_only_what_is_kept_is_known() {
    let home = Home::new();
    home.write("repo/applications/apps.yaml", &app("apps", "charts/apps", ""));
    home.write("repo/charts/apps/Chart.yaml", &chart("apps", ""));
    home.write("repo/charts/apps/templates/d.yaml", &app("d", "charts/c", ""));
    let all = ["a", "apps", "b", "c", "d", "root"];
    let (names, _) = listed(&home.run("list -o name --no-render"));
    assert!(!names.contains(&"d".to_owned()) && home.count() == 0, "{names:?}");
    assert_eq!(listed(&home.run("list -o name")).0, all);
    assert_eq!(home.count(), 1);
    for arguments in ["list -o name", "list -o name --no-render"] {
        assert_eq!(home.starts(arguments), 0, "{arguments}");
        assert_eq!(listed(&home.run(arguments)).0, all, "{arguments}");
    }
    assert_eq!(home.starts("list --no-cache"), 1);
    // One has the source of another.
    assert_eq!(home.starts("validate"), 4);
    for arguments in ["validate", "validate --no-render", RENDER] {
        assert_eq!(home.starts(arguments), 0, "{arguments}");
    }
    home.write("repo/charts/apps/templates/d.yaml", &app("e", "charts/c", ""));
    assert_eq!(home.starts("validate"), 2);
}

#[test]
fn convert_renders_everything_itself() {
    let home = Home::new();
    assert_eq!(home.starts("validate"), 3);
    let before = home.entries().len();
    let starts = home.starts("convert a --dry-run=client");
    assert!(starts >= 2, "{starts}");
    assert_eq!(home.starts("convert a --dry-run=client"), starts);
    assert_eq!(home.entries().len(), before);
}

#[test]
fn what_is_damaged_is_rendered_again() {
    let home = Home::new();
    assert_eq!(home.starts(RENDER), 3);
    let expected = home.run(RENDER).stdout;
    for entry in home.entries() {
        let mut bytes = fs::read(&entry).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        fs::write(&entry, bytes).unwrap();
    }
    assert_eq!(home.starts(RENDER), 3);
    assert_eq!(home.run(RENDER).stdout, expected);
    assert_eq!(home.starts(RENDER), 0);
}

#[test]
fn a_cache_that_cannot_be_written_stops_nobody() {
    let home = Home::new();
    home.write("cache/renders", "a file");
    assert_eq!(home.starts(RENDER), 3);
    assert_eq!(home.starts(RENDER), 3);
}

#[test]
fn commands_at_the_same_time_print_the_same() {
    let home = Home::new();
    let start = |_| {
        let mut command = home.command(RENDER);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..8).map(start).collect();
    let outputs: Vec<Output> = running
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    for output in &outputs {
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, outputs[0].stdout);
    }
    assert_eq!(home.starts(RENDER), 0);
    assert_eq!(home.entries().len(), 3);
    let is_whole = |path: &Path| !path.file_name().unwrap().to_str().unwrap().starts_with('.');
    assert!(home.entries().iter().all(|path| is_whole(path)));
}
