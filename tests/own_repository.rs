//! The user's own repository stays as it is, whatever git's variables say: in a hook, a linked worktree, a submodule, a bare
//! clone and its worktree.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");

/// Commands that write nothing to the repository, and their exit codes in it and where there is none.
const READING: [(&str, i32, i32); 51] = [
    ("list", 0, 3),
    ("list namespaces", 0, 3),
    ("list volumes", 0, 3),
    ("validate", 0, 3),
    ("validate --fetch", 0, 3),
    ("validate --no-render", 0, 3),
    ("validate -o github", 0, 3),
    ("validate -o sarif", 0, 3),
    ("graph", 0, 3),
    ("baseline --dry-run=client", 0, 3),
    ("validate --base HEAD~1", 0, 3),
    ("validate --fix --unsafe-fixes --dry-run=client", 0, 3),
    ("diff --base HEAD~1 --fetch", 0, 3),
    ("diff --base HEAD~1 --head HEAD -o markdown", 0, 3),
    ("render a --offline", 0, 3),
    ("render a --fetch", 0, 3),
    ("convert a --dry-run=client", 0, 3),
    ("convert a --to native --fetch --dry-run=client", 0, 3),
    ("rename-app a b --phase plan", 0, 3),
    ("replace-app a b --phase plan", 3, 3),
    ("move-owner a --to a --phase plan", 3, 3),
    ("add-namespace media --dry-run", 0, 3),
    (
        "add-app b -n home --repo https://git.example.org/me/charts --path b --revision main --dry-run=client",
        0,
        3,
    ),
    (
        "add-app a -n home --repo https://git.example.org/me/home --path m --upsert --sync-wave 1 --dry-run",
        0,
        3,
    ),
    ("mount data --into a --at /data --dry-run=client", 3, 3),
    ("unmount data --from a --dry-run=client", 0, 3),
    ("grant data --to a --dry-run=client", 3, 3),
    ("revoke data --from a --dry-run=client", 0, 3),
    ("add-volume data --owner a --size 1Gi --dry-run=client", 0, 3),
    ("pause a --reason x --dry-run=client", 0, 3),
    ("resume a --dry-run=client", 3, 3),
    ("remove-app a --dry-run=client", 0, 3),
    ("remove-namespace home --dry-run=client", 3, 3),
    ("restore home/x --to a --dry-run=client", 3, 3),
    ("init --adopt", 0, 0),
    ("adopt --fetch", 0, 3),
    ("explain a", 0, 3),
    (
        "init --force --repo-url https://git.example.org/me/home --dry-run",
        0,
        0,
    ),
    ("explain HL101", 0, 0),
    ("filter --app a", 3, 3),
    ("doctor -f -", 3, 3),
    ("refresh a --kubeconfig /dev/null", 3, 3),
    ("sync a --kubeconfig /dev/null", 3, 3),
    ("wait a --kubeconfig /dev/null", 3, 3),
    ("lock status --kubeconfig /dev/null", 3, 3),
    ("release pvc/a -n home --confirm a --kubeconfig /dev/null", 3, 3),
    ("cmp manifest", 0, 0),
    ("cmp generate", 3, 3),
    ("completion bash", 0, 0),
    ("__complete render", 0, 0),
    ("version", 0, 0),
];

fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let settings = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "protocol.file.allow=always",
    ];
    let output = command(folder, "git", &[&settings[..], arguments].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository whose Application has its source in an older bare clone, in which two files are missing or differ.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Self { folder };
        let root = home.root();
        for name in ["applications", "namespaces", "m"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let application = |name: &str, url: &str, path: &str, namespace: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\nspec:\n  project: default\n  source: {{repoURL: \"{url}\", path: {path}, targetRevision: main, plugin: {{name: homelab-v1}}}}\n  destination: {{server: https://kubernetes.default.svc, namespace: {namespace}}}\n"
            )
        };
        let far = format!("file://{}", home.at("far/mirror").display());
        let own = "https://git.example.org/me/home";
        home.write("m/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
        home.write("applications/a.yaml", &application("a", &far, "m", "home"));
        home.write(
            "applications/root.yaml",
            &application("root", own, "applications", "argocd"),
        );
        home.write(
            "applications/spaces.yaml",
            &application("spaces", own, "namespaces", "argocd"),
        );
        let labels = "{pod-security.kubernetes.io/enforce: baseline}";
        home.write(
            "namespaces/home.yaml",
            &format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: home\n  labels: {labels}\n"),
        );
        home.write("notes.txt", "one\n");
        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message=one"]);
        git(
            &root,
            &[
                "clone",
                "--quiet",
                "--bare",
                ".",
                home.at("far/mirror").to_str().unwrap(),
            ],
        );
        home.write("notes.txt", "two\n");
        home.write("new.txt", "new\n");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message=two"]);
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.at("home")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).unwrap();
    }

    /// Returns its working trees: its own, a linked one, a submodule, one of a bare clone.
    fn trees(&self) -> Vec<PathBuf> {
        let path = |name: &str| self.at(name).to_str().unwrap().to_owned();
        git(&self.root(), &["worktree", "add", "--quiet", &path("linked")]);
        git(
            self.folder.path(),
            &["init", "--quiet", "--initial-branch=main", "outer"],
        );
        git(
            &self.at("outer"),
            &["submodule", "--quiet", "add", &path("home"), "sub"],
        );
        git(&self.at("outer"), &["commit", "--quiet", "--message=sub"]);
        git(&self.root(), &["clone", "--quiet", "--bare", ".", &path("bare.git")]);
        git(
            &self.at("bare.git"),
            &["worktree", "add", "--quiet", &path("of-bare"), "main"],
        );
        let trees = ["home", "linked", "outer/sub", "of-bare"].map(|name| self.at(name));
        for tree in &trees {
            git(tree, &["config", "user.name", "t"]);
            git(tree, &["config", "user.email", "t@example.org"]);
        }
        trees.to_vec()
    }

    fn run(&self, folder: &Path, arguments: &str, variables: &[(&str, PathBuf)]) -> Output {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let mut command = command(folder, PROGRAM, &arguments);
        command.env("HOMELAB_CACHE_DIR", self.at("cache")).env("NO_COLOR", "1");
        command.envs(variables.iter().cloned()).output().unwrap()
    }
}

/// Returns git's variables as a hook of a working tree has them, and as somebody has them who works in another one.
fn variables(tree: &Path, other: &Path) -> Vec<Vec<(&'static str, PathBuf)>> {
    let own = PathBuf::from(git(tree, &["rev-parse", "--absolute-git-dir"]).trim());
    let other_index = other.join("index");
    vec![
        vec![],
        vec![("GIT_DIR", own.clone()), ("GIT_INDEX_FILE", own.join("index"))],
        vec![
            ("GIT_DIR", own.clone()),
            ("GIT_WORK_TREE", tree.to_owned()),
            ("GIT_PREFIX", PathBuf::new()),
        ],
        vec![
            ("GIT_DIR", own.clone()),
            ("GIT_INDEX_FILE", own.join("next-index-1.lock")),
            ("GIT_EDITOR", ":".into()),
        ],
        vec![
            ("GIT_DIR", other.to_owned()),
            ("GIT_INDEX_FILE", other_index),
            ("GIT_WORK_TREE", "/nowhere".into()),
        ],
        vec![
            ("GIT_OBJECT_DIRECTORY", other.join("objects")),
            ("GIT_COMMON_DIR", other.to_owned()),
        ],
    ]
}

/// Returns what must stay in a working tree: HEAD, all branches, the index's bytes, the settings, the state of the files.
fn state(tree: &Path) -> (String, Vec<u8>, Vec<u8>, String) {
    let path = |name: &str| tree.join(git(tree, &["rev-parse", "--git-path", name]).trim());
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let (index, config) = (read("index"), read("config"));
    let head = git(tree, &["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"]) + &git(tree, &["for-each-ref"]);
    let files = git(tree, &["--no-optional-locks", "status", "--porcelain", "--ignored"]);
    (head, index, config, files)
}

/// Returns all files below a folder, with their sizes.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        match metadata.is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push((entry.path(), metadata.len())),
        }
    }
    found.sort();
    found
}

#[test]
fn every_command_is_tried() {
    let output = command(Path::new("."), PROGRAM, &["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let names = commands.lines().map_while(|line| line.strip_prefix("  "));
    let names = names
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty());
    for name in names.filter(|name| *name != "help") {
        let is_tried = READING
            .iter()
            .any(|(arguments, ..)| arguments.split(' ').next() == Some(name));
        assert!(is_tried, "`{name}` is not tried");
    }
}

#[test]
fn every_reading_command_leaves_the_repository_as_it_is() {
    let home = Home::new();
    for tree in home.trees() {
        // Times that differ from those of the index, which git would refresh.
        std::fs::write(tree.join("notes.txt"), "two\n").unwrap();
        let (before, files_before) = (state(&tree), files(&tree));
        for variables in variables(&tree, &home.at("far/mirror")) {
            for (arguments, exit, _) in READING {
                let output = home.run(&tree, arguments, &variables);
                assert_eq!(
                    output.status.code(),
                    Some(exit),
                    "{arguments} {variables:?} {tree:?}: {output:?}"
                );
                assert!(state(&tree) == before, "{arguments} {variables:?} {tree:?}: {output:?}");
            }
        }
        assert!(files(&tree) == files_before, "{tree:?}");
    }
}

#[test]
fn a_bare_repository_stays_as_it_is() {
    let home = Home::new();
    home.trees();
    let bare = home.at("bare.git");
    let before = files(&bare);
    let writing = [
        "init --repo-url https://git.example.org/me/home",
        "add-namespace media",
        "convert --all",
        "validate --fix",
        "add-app b -n home --repo https://git.example.org/me/charts --path b --revision main --commit",
    ];
    for variables in [
        vec![],
        vec![("GIT_DIR", PathBuf::from("."))],
        vec![("GIT_DIR", bare.clone()), ("GIT_QUARANTINE_PATH", bare.join("objects"))],
    ] {
        for (arguments, _, exit) in READING.into_iter().chain(writing.map(|arguments| (arguments, 3, 3))) {
            let output = home.run(&bare, arguments, &variables);
            assert_eq!(
                output.status.code(),
                Some(exit),
                "{arguments} {variables:?}: {output:?}"
            );
            assert!(files(&bare) == before, "{arguments} {variables:?}: {output:?}");
        }
    }
    // The folder of a bare repository that says of itself that it is elsewhere.
    std::fs::create_dir(home.at("project")).unwrap();
    std::fs::write(home.at("project/.git"), "gitdir: ../bare.git\n").unwrap();
    let output = home.run(&home.at("project"), "add-namespace media", &[]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("is a bare repository")
    );
    assert!(files(&bare) == before);
}

#[test]
fn every_writing_command_writes_its_files_and_nothing_else() {
    let home = Home::new();
    let trees = home.trees();
    for (index, tree) in trees.iter().enumerate() {
        let others: Vec<_> = trees.iter().filter(|other| *other != tree).collect();
        let (head, index_bytes, config, _) = state(tree);
        for (number, variables) in variables(tree, &home.at("far/mirror")).into_iter().enumerate() {
            let before: Vec<_> = others.iter().map(|other| (state(other), files(other))).collect();
            for (arguments, expected) in [
                (
                    format!("add-namespace n{number}"),
                    format!("?? namespaces/n{number}.yaml\n"),
                ),
                (
                    format!(
                        "add-app p{number} -n home --repo https://git.example.org/me/charts --path b --revision main"
                    ),
                    format!("?? applications/p{number}.yaml\n"),
                ),
                (
                    "convert a --to native --fetch".to_owned(),
                    " M applications/a.yaml\n".to_owned(),
                ),
                ("validate --fix --unsafe-fixes --no-render".to_owned(), String::new()),
            ] {
                let output = home.run(tree, &arguments, &variables);
                assert_eq!(
                    output.status.code(),
                    Some(0),
                    "{arguments} {variables:?} {tree:?}: {output:?}"
                );
                let (head_now, index_now, config_now, changed) = state(tree);
                assert!(
                    head_now == head && index_now == index_bytes && config_now == config,
                    "{arguments} {variables:?}: {output:?}"
                );
                assert!(
                    arguments.starts_with("validate") || changed == expected,
                    "{arguments}: {changed}"
                );
                restore(tree);
            }
            let after: Vec<_> = others.iter().map(|other| (state(other), files(other))).collect();
            assert!(before == after, "{index} {variables:?}");
        }
    }
}

#[test]
fn a_commit_is_made_in_the_working_tree_and_runs_its_hooks() {
    let home = Home::new();
    for tree in home.trees() {
        let hook = PathBuf::from(
            git(
                &tree,
                &["rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-commit"],
            )
            .trim(),
        );
        script(&hook, "echo ran >> hook.log");
        let other = home.at("far/mirror");
        let before = files(&other);
        let mut count: usize = git(&tree, &["rev-list", "--count", "HEAD"]).trim().parse().unwrap();
        let all = variables(&tree, &other);
        for (number, variables) in all.iter().enumerate() {
            let output = home.run(&tree, &format!("add-namespace n{number} --commit"), variables);
            assert_eq!(output.status.code(), Some(0), "{variables:?} {tree:?}: {output:?}");
            count += 1;
            assert_eq!(
                git(&tree, &["rev-list", "--count", "HEAD"]).trim(),
                count.to_string(),
                "{variables:?}: {output:?}"
            );
            assert_eq!(
                git(&tree, &["show", "--format=", "--name-only", "HEAD"]),
                format!("namespaces/n{number}.yaml\n")
            );
            assert_eq!(git(&tree, &["status", "--porcelain"]), "?? hook.log\n");
        }
        assert_eq!(
            std::fs::read_to_string(tree.join("hook.log")).unwrap(),
            "ran\n".repeat(all.len())
        );
        assert!(files(&other) == before, "{tree:?}");
        std::fs::remove_file(tree.join("hook.log")).unwrap();
        std::fs::remove_file(hook).unwrap();
    }
}

/// Gives the files the texts of the index, without git, which would write to the index.
fn restore(tree: &Path) {
    git(tree, &["clean", "--quiet", "--force"]);
    for file in git(tree, &["ls-files", "applications", "namespaces"]).lines() {
        std::fs::write(tree.join(file), git(tree, &["show", &format!(":{file}")])).unwrap();
    }
}

fn script(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn hooks_that_run_every_command_leave_the_commit_as_it_is() {
    let home = Home::new();
    for tree in home.trees() {
        let cache = home.at("cache");
        let run = READING.map(|(arguments, exit, _)| {
            format!(
                "'{PROGRAM}' {arguments} </dev/null >/dev/null 2>&1; [ $? = {exit} ] || echo '{arguments}' >> '{}'",
                home.at("wrong").display()
            )
        });
        let text = format!(
            "export HOMELAB_CACHE_DIR='{}'\n{}\nexit 0",
            cache.display(),
            run.join("\n")
        );
        let hooks = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"];
        let path = |name: &str| {
            PathBuf::from(
                git(
                    &tree,
                    &[
                        "rev-parse",
                        "--path-format=absolute",
                        "--git-path",
                        &format!("hooks/{name}"),
                    ],
                )
                .trim(),
            )
        };
        hooks.iter().for_each(|name| script(&path(name), &text));
        std::fs::write(tree.join("notes.txt"), "three\n").unwrap();
        // Staged, and not in a commit of other files.
        std::fs::write(tree.join("staged.txt"), "staged\n").unwrap();
        git(&tree, &["add", "staged.txt"]);
        git(&tree, &["commit", "--quiet", "--message=mine", "notes.txt"]);
        assert_eq!(
            git(&tree, &["show", "--name-only", "--format=", "HEAD"]),
            "notes.txt\n",
            "{tree:?}"
        );
        assert_eq!(git(&tree, &["status", "--porcelain"]), "A  staged.txt\n", "{tree:?}");
        git(&tree, &["commit", "--quiet", "--all", "--message=all"]);
        assert_eq!(
            git(&tree, &["show", "--name-only", "--format=", "HEAD"]),
            "staged.txt\n",
            "{tree:?}"
        );
        assert_eq!(git(&tree, &["status", "--porcelain"]), "", "{tree:?}");
        let wrong = std::fs::read_to_string(home.at("wrong")).unwrap_or_default();
        assert_eq!(wrong, "", "{tree:?}");
        hooks.iter().for_each(|name| std::fs::remove_file(path(name)).unwrap());
    }
}
