//! The shipped repository, rendered with the real helm against its two source repositories.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use similar::{ChangeTag, TextDiff};

/// Returns the path of a pinned program that `cargo xtask test` builds.
fn tool(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    PathBuf::from(path.unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`")))
}

fn helm() -> PathBuf {
    tool("HOMELAB_TEST_HELM")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `kubectl homelab render APP`, with the sources of the tests.
fn render(app: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
    command.current_dir(root()).env_clear().env("HOME", home.path());
    command.args(["render", app, "--offline", "--helm"]).arg(helm());
    for repository in ["home-media", "pilotedge-audio-fetcher"] {
        let folder = root().join("tests/sources").join(repository);
        command.args(["--source-dir", &format!("{repository}={}", folder.display())]);
    }
    stdout(&mut command)
}

/// Returns the lines that the program added to helm's output; asserts that no line is changed or missing.
fn added(app: &str, chart: &str) -> String {
    let mut command = Command::new(helm());
    command
        .args([
            "template",
            ".",
            "--name-template",
            app,
            "--namespace",
            "jellyfin",
            "--include-crds",
        ])
        .current_dir(root().join("tests/sources").join(chart));
    let (before, after) = (stdout(&mut command), render(app));
    let diff = TextDiff::from_lines(&before, &after);
    let mut added = String::new();
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {}
            ChangeTag::Insert => added.push_str(change.value()),
            ChangeTag::Delete => panic!("helm's line is gone: {}", change.value()),
        }
    }
    added
}

#[test]
fn the_consumer_reads_the_producers_claim_and_its_own_are_guarded() {
    let guards = |app: &str| {
        format!(
            "    kor/used: \"true\"\n    storage.home.arpa/owner: {app}\n  annotations:\n    \
             argocd.argoproj.io/compare-options: IgnoreExtraneous\n    \
             argocd.argoproj.io/sync-options: Prune=false,Delete=false\n    helm.sh/resource-policy: keep\n"
        )
    };
    let mount = "            - name: homelab-pvc-pe-audio\n              mountPath: /media/pe-audio\n              \
                 readOnly: true\n        - name: homelab-pvc-pe-audio\n          persistentVolumeClaim:\n            \
                 claimName: pvc-pe-audio\n            readOnly: true\n";
    let three = guards("jellyfin").repeat(3);
    assert_eq!(added("jellyfin", "home-media/helm/jellyfin"), format!("{three}{mount}"));
    assert_eq!(
        added(
            "pilotedge-audio-fetcher",
            "pilotedge-audio-fetcher/helm/pilotedge-audio-fetcher"
        ),
        guards("pilotedge-audio-fetcher")
    );
}

#[test]
fn the_repositorys_own_sources_are_its_working_tree_even_before_init() {
    let namespaces = render("namespaces");
    for line in [
        "    argocd.argoproj.io/sync-options: Prune=false,Delete=false\n",
        "    owner.storage.home.arpa/jellyfin-media: jellyfin\n",
        "    owner.storage.home.arpa/pvc-pe-audio: pilotedge-audio-fetcher\n",
    ] {
        assert!(namespaces.contains(line), "{line} in {namespaces}");
    }
    let kinds = |text: &str| text.lines().filter(|line| *line == "kind: Application").count();
    assert_eq!(kinds(&render("root")), 4);
}
