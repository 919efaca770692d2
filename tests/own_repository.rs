//! The user's own repository stays as it is, whatever git's variables say: in a hook, a linked worktree, beside a bare clone.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository whose Application has its chart in an older bare clone, in which two files are missing or differ.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Self { folder };
        let root = home.root();
        std::fs::create_dir_all(root.join("applications")).unwrap();
        std::fs::create_dir_all(root.join("chart/templates")).unwrap();
        home.write("chart/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n");
        home.write(
            "chart/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
        );
        let mirror = home.folder.path().join("far/mirror");
        let application = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: \"file://{}\", path: chart, targetRevision: main, plugin: {{name: homelab-v1}}}}\n  destination: {{server: https://kubernetes.default.svc, namespace: home}}\n",
            mirror.display()
        );
        home.write("applications/a.yaml", &application);
        home.write("notes.txt", "one\n");
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message=one"]);
        git(&root, &["clone", "--quiet", "--bare", ".", mirror.to_str().unwrap()]);
        home.write("notes.txt", "two\n");
        home.write("new.txt", "new\n");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message=two"]);
        home
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).unwrap();
    }

    fn run(&self, folder: &Path, arguments: &[&str], variables: &[(&str, PathBuf)]) -> String {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(folder)
            .env("HOMELAB_CACHE_DIR", self.folder.path().join("cache"))
            .envs(variables.iter().cloned())
            .output()
            .unwrap();
        format!("{arguments:?}: {output:?}")
    }
}

/// Returns what must stay in a working tree: HEAD, the index's bytes, the settings, the state of the files.
fn state(tree: &Path) -> (String, Vec<u8>, Vec<u8>, String) {
    let path = |name: &str| tree.join(git(tree, &["rev-parse", "--git-path", name]).trim());
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let (index, config) = (read("index"), read("config"));
    let head = git(tree, &["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"]);
    let files = git(tree, &["--no-optional-locks", "status", "--porcelain"]);
    (head, index, config, files)
}

#[test]
fn a_hook_that_fetches_leaves_the_commit_as_it_is() {
    let home = Home::new();
    let hook = home.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let cache = home.folder.path().join("cache");
    let text = format!(
        "#!/bin/sh\nHOMELAB_CACHE_DIR='{}' '{PROGRAM}' validate --fetch >/dev/null 2>&1 || true\n",
        cache.display()
    );
    std::fs::write(&hook, text).unwrap();
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    home.write("notes.txt", "three\n");
    git(&home.root(), &["commit", "--quiet", "--all", "--message=mine"]);
    let changed = git(&home.root(), &["show", "--name-only", "--format=", "HEAD"]);
    assert_eq!(changed, "notes.txt\n");
    assert_eq!(git(&home.root(), &["status", "--porcelain"]), "");
}

#[test]
fn every_reading_command_leaves_the_repository_as_it_is() {
    let home = Home::new();
    let linked = home.folder.path().join("linked");
    git(&home.root(), &["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    for tree in [home.root(), linked] {
        let git_dir = PathBuf::from(git(&tree, &["rev-parse", "--absolute-git-dir"]).trim());
        // Times that differ from those of the index, which git would refresh.
        std::fs::write(tree.join("notes.txt"), "two\n").unwrap();
        let before = state(&tree);
        for variables in [
            vec![],
            vec![("GIT_DIR", git_dir.clone()), ("GIT_INDEX_FILE", git_dir.join("index"))],
            vec![
                ("GIT_DIR", git_dir.clone()),
                ("GIT_WORK_TREE", tree.clone()),
                ("GIT_PREFIX", PathBuf::new()),
            ],
        ] {
            for arguments in [
                &["list"][..],
                &["validate"],
                &["validate", "--fetch"],
                &["render", "a"],
                &["convert", "a", "--dry-run=client"],
                &["add-namespace", "media", "--dry-run=client"],
            ] {
                let printed = home.run(&tree, arguments, &variables);
                assert!(state(&tree) == before, "{variables:?} {printed}");
            }
        }
    }
}

#[test]
fn a_commit_runs_the_hooks_of_its_own_repository() {
    let home = Home::new();
    let hook = home.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho ran >> hook.log\n").unwrap();
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    git(&home.root(), &["config", "user.name", "t"]);
    git(&home.root(), &["config", "user.email", "t@example.org"]);
    let other = home.folder.path().join("far/mirror");
    let before = git(&other, &["rev-parse", "main"]);
    let printed = home.run(
        &home.root(),
        &["add-namespace", "media", "--commit"],
        &[("GIT_DIR", other.clone())],
    );
    assert_eq!(git(&home.root(), &["rev-list", "--count", "HEAD"]), "3\n", "{printed}");
    assert_eq!(
        std::fs::read_to_string(home.root().join("hook.log")).unwrap(),
        "ran\n",
        "{printed}"
    );
    assert_eq!(git(&other, &["rev-parse", "main"]), before);
}
