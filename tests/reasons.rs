//! Why something is not checked or rendered: each reason has its own sentence, and a way out that works.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

#[path = "transcript/git.rs"]
mod git;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git::git;

const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}\nspec:\n  project: default\n  source: {repoURL: https://git.example.org/me/home, path: applications, targetRevision: main}\n  destination: {server: https://kubernetes.default.svc, namespace: argocd}\n  syncPolicy: {automated: {prune: true}, retry: {limit: 5, refresh: true}}\n";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: player}\ndata: {revision: REVISION}\n";

/// A folder with the repository `home`, and checkouts of the repository `charts` beside it.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        world.write("home/applications/root.yaml", ROOT);
        world.git("home", &["init", "--quiet"]);
        world
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, folder: &str, arguments: &[&str]) {
        git(&self.path(folder), arguments);
    }

    /// Makes a checkout of `charts` with the folder `player`; it is at this branch.
    fn charts(&self, folder: &str, branch: &str) {
        self.write(
            &format!("{folder}/player/config.yaml"),
            &CONFIG.replace("REVISION", branch),
        );
        self.git(folder, &["init", "--quiet", "--initial-branch", branch]);
        self.git(
            folder,
            &["remote", "add", "origin", "git@git.example.org:me/charts.git"],
        );
        self.git(folder, &["add", "--all"]);
        self.git(folder, &["commit", "--quiet", "--message", branch]);
    }

    /// Writes the Application `player` with this source.
    fn player(&self, source: &str) {
        let app = ROOT.replace("name: root", "name: player").replace(
            "{repoURL: https://git.example.org/me/home, path: applications, targetRevision: main}",
            source,
        );
        self.write("home/applications/player.yaml", &app);
    }

    /// Runs a command; returns its exit code, its standard output and its standard error.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(arguments)
            .current_dir(self.path("home"))
            .env("NO_COLOR", "1")
            .env("HOME", self.0.path())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

fn charts(revision: &str) -> String {
    format!("{{repoURL: https://git.example.org/me/charts, path: player, targetRevision: {revision}}}")
}

#[test]
fn of_two_checkouts_the_one_at_the_revision_is_taken() {
    let world = World::new();
    world.charts("charts", "main");
    world.charts("charts-dev", "dev");
    for revision in ["main", "dev"] {
        world.player(&charts(revision));
        let (code, stdout, stderr) = world.run(&["render", "player", "--offline"]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{revision}");
        assert!(stdout.contains(&format!("revision: {revision}")), "{stdout}");
    }
    world.player(&charts("v1"));
    let (_, _, stderr) = world.run(&["render", "player", "--offline"]);
    assert!(
        stderr.contains("taken from the checkout `charts` as it is: it is not at `v1`"),
        "{stderr}"
    );
}

#[test]
fn a_checkout_that_git_refuses_is_not_called_missing() {
    let world = World::new();
    world.charts("charts", "main");
    world.player(&charts("main"));
    // Git's own tests make it refuse every repository in this way.
    let refused: &[_] = &[("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")];
    let (code, stdout, _) = world.run_with(&["validate"], refused);
    assert_eq!(code, Some(1), "{stdout}");
    for part in [
        "`player` cannot be checked: git refuses the checkout `charts` of `https://git.example.org/me/charts`: detected dubious ownership",
        "git config --global --add safe.directory",
    ] {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
    assert!(!stdout.contains("clone it") && !stdout.contains("--fetch"), "{stdout}");
    assert_eq!(
        last_line(&stdout),
        "checked 1 of 2 Applications; 1 failed; what Application `player` brings is not known, see `kubectl homelab list`"
    );
    for command in [&["render", "player"][..], &["convert", "player"]] {
        let (code, _, stderr) = world.run_with(command, refused);
        assert_eq!(code, Some(3), "{stderr}");
        assert!(
            stderr.contains("dubious ownership") && stderr.contains("safe.directory"),
            "{stderr}"
        );
    }
}

#[test]
fn a_checkout_at_another_revision_is_no_error_of_the_repository() {
    let world = World::new();
    world.charts("charts", "dev");
    world.player("{repoURL: https://git.example.org/me/charts, path: other, targetRevision: main}");
    let (code, stdout, _) = world.run(&["validate"]);
    assert_eq!(code, Some(0), "{stdout}");
    for part in [
        "`player` was skipped: the checkout `charts` is not at `main` and does not render",
        "check out `main` in `charts`",
    ] {
        assert!(stdout.contains(part), "{part} in {stdout}");
    }
    assert_eq!(
        last_line(&stdout),
        "checked 1 of 2 Applications; 1 skipped: 1 only there at another revision; what Application `player` brings is not known, see `kubectl homelab list`"
    );
}

#[test]
fn strict_fails_on_what_was_skipped() {
    let world = World::new();
    world.player(&charts("main"));
    let (code, stdout, _) = world.run(&["validate"]);
    assert_eq!(code, Some(0), "{stdout}");
    assert_eq!(
        last_line(&stdout),
        "checked 1 of 2 Applications; 1 skipped: 1 not cloned (--fetch); what Application `player` brings is not known, see `kubectl homelab list`"
    );
    let (code, stdout, _) = world.run(&["validate", "--strict", "-o", "json"]);
    assert_eq!(code, Some(1), "{stdout}");
    let list: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        list["summary"],
        serde_json::json!({"errors": 0, "warnings": 0, "ignored": 0, "levels": [], "applications": {"total": 2, "checked": 1, "failed": 0, "rendered": true, "mayBringOthers": ["player"]},
            "skipped": 1, "reasons": [{"reason": "not cloned (--fetch)", "count": 1}]})
    );
}

#[test]
fn what_is_refused_after_fetching_is_not_fetched() {
    let world = World::new();
    for (source, reason) in [
        (
            "{repoURL: https://git.example.org/me/charts, path: a, plugin: {name: other}}",
            "it is rendered by the plugin `other`",
        ),
        (
            "{repoURL: 'ext::sh -c true', path: a}",
            "asks git to run a program, `git-remote-ext`",
        ),
        (
            "{repoURL: git.example.org/me/charts, path: a}",
            "has no scheme, so that git takes it for a path",
        ),
        (
            "{repoURL: /srv/charts, path: a}",
            "is a path of a file system, which Argo CD does not have",
        ),
    ] {
        world.player(source);
        let (_, stdout, _) = world.run(&["validate"]);
        let (_, skipped) = stdout.split_once("info: ").unwrap();
        assert!(
            skipped.contains(reason) && !skipped.contains("fetch"),
            "{reason} in {stdout}"
        );
        let (code, _, stderr) = world.run(&["render", "player"]);
        assert_eq!(code, Some(3), "{stderr}");
        assert!(
            stderr.contains(reason) && !stderr.contains("fetch"),
            "{reason} in {stderr}"
        );
    }
}

#[test]
fn a_render_without_the_network_names_the_way_out_that_works() {
    let world = World::new();
    world.player(&charts("main"));
    let (code, _, stderr) = world.run(&["render", "player", "--offline"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("leave out `--offline`"), "{stderr}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_by_every_command() {
    let world = World::new();
    world.write("home/applications/broken.yaml", "kind: [\n");
    for command in [
        &["render", "broken"][..],
        &["convert", "broken"],
        &["render", "--all"],
        &["convert", "--all"],
    ] {
        let (code, stdout, stderr) = world.run(command);
        assert_ne!(code, Some(0), "{command:?}");
        assert!(
            stderr.contains("applications/broken.yaml:1:7: unclosed bracket"),
            "{stderr}"
        );
        assert_eq!(stdout, "", "{command:?}");
    }
}

#[test]
fn a_chart_without_a_version_is_refused_as_argo_cd_does() {
    let world = World::new();
    world.player("{repoURL: https://charts.example.org, chart: player, targetRevision: ''}");
    let (code, _, stderr) = world.run(&["render", "player"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("Argo CD requires `targetRevision` here"), "{stderr}");
}

#[test]
fn no_login_in_a_url_is_shown() {
    let world = World::new();
    let url = "https://me:hunter2@127.0.0.1:9/me/charts";
    world.player(&format!("{{repoURL: '{url}', path: player, targetRevision: main}}"));
    let add = ["add-app", "x", "-n", "media", "--repo", url, "--path", "player"];
    for command in [
        &["validate"][..],
        &["validate", "-o", "json"],
        &["validate", "-o", "table"],
        &["render", "player"],
        &["list", "-o", "wide"],
        &["list", "-o", "json"],
        &["convert", "player"],
        &["init", "--repo-url", url],
        &add,
    ] {
        let (_, stdout, stderr) = world.run(command);
        assert!(
            !(stdout.clone() + &stderr).contains("hunter2"),
            "{command:?}: {stdout}{stderr}"
        );
    }
    let (code, _, stderr) = world.run(&add);
    assert_ne!(code, Some(0));
    assert!(stderr.contains("contains a password or a token"), "{stderr}");
}

#[test]
fn every_command_takes_the_same_addresses() {
    let world = World::new();
    let fresh = Path::new("fresh");
    for (url, part) in [
        ("https://git.example.org/my home", "contains a blank"),
        ("git.example.org/me/home", "has no scheme"),
        ("ext::sh -c true", "asks git to run a program"),
        ("../home", "is a path of a file system"),
        ("https://git.example.org", "names a host and no repository"),
        ("htps://git.example.org/me/home", "has the scheme `htps`"),
    ] {
        let folder = fresh.to_str().unwrap();
        for command in [
            &["add-app", "x", "-n", "media", "--repo", url, "--path", "player"][..],
            &["init", folder, "--repo-url", url],
        ] {
            let (code, _, stderr) = world.run(command);
            assert_ne!(code, Some(0), "{command:?}");
            assert!(stderr.contains(part), "{part} in {stderr}");
        }
        world.player(&format!("{{repoURL: '{url}', path: player}}"));
        let (code, stdout, _) = world.run(&["validate"]);
        assert_eq!(code, Some(1), "{stdout}");
        assert!(stdout.contains("error[HL408]") && stdout.contains(part), "{stdout}");
    }
}
