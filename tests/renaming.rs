//! `rename-app` that is killed in the middle: every file is old or new, and the same command ends what it began.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

#[path = "transcript/git.rs"]
mod git;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use git::git;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");
/// How many Applications say that a claim came from the one that is renamed: so many files change with it.
const FOLLOWERS: usize = 20;
/// How often it is killed, at moments all over a run.
const ROUNDS: u32 = 30;

fn application(name: &str, parameters: &str) -> String {
    format!(
        "# {name}\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  source:\n    repoURL: https://git.example.org/me/home\n    path: manifests\n    plugin:\n      name: homelab-v1\n      parameters: {parameters}\n  destination:\n    namespace: {name}\n"
    )
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "manifests/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\n",
    );
    let root = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root, namespace: argocd}\nspec:\n  source: {repoURL: 'https://git.example.org/me/home', path: applications}\n  destination: {namespace: argocd}\n";
    write("applications/root.yaml", root);
    write("applications/old.yaml", &application("old", "[]"));
    for index in 0..FOLLOWERS {
        let parameters = format!("[{{name: owns, array: [c-{index}]}}, {{name: moved-from, array: [old/c-{index}]}}]");
        let name = format!("app-{index}");
        write(&format!("applications/{name}.yaml"), &application(&name, &parameters));
    }
    folder
}

fn rename(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["rename-app", "old", "young"])
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// Returns every file below a folder with its text.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files.extend(tree(&entry.path()));
        } else if !entry.path().ends_with(".kubectl-homelab.lock") {
            files.insert(entry.path(), fs::read_to_string(entry.path()).unwrap());
        }
    }
    files
}

/// Returns the files of a repository with the folder left out of their paths.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let files = tree(folder).into_iter();
    files
        .map(|(path, text)| (path.strip_prefix(folder).unwrap().to_owned(), text))
        .collect()
}

#[test]
fn a_kill_leaves_every_file_old_or_new_and_the_next_run_finishes() {
    let whole = repository();
    let before = files(whole.path());
    let start = Instant::now();
    let output = rename(whole.path()).output().unwrap();
    let whole_run = start.elapsed();
    assert!(output.status.success(), "{output:?}");
    let after = files(whole.path());
    assert!(after.contains_key(Path::new("applications/young.yaml")));
    assert!(!after.contains_key(Path::new("applications/old.yaml")));
    let mut cut_short = 0;
    for round in 0..ROUNDS {
        let folder = repository();
        let mut child = rename(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole_run * round / ROUNDS);
        child.kill().unwrap();
        child.wait().unwrap();
        // What was only in the way of a change is removed by the next run.
        let mut now = files(folder.path());
        now.retain(|path, _| !path.to_string_lossy().ends_with(".tmp"));
        for (path, text) in &now {
            let known = [before.get(path), after.get(path)];
            assert!(
                known.contains(&Some(text)),
                "{} is neither old nor new:\n{text}",
                path.display()
            );
        }
        cut_short += usize::from(now != after);
        let output = rename(folder.path()).output().unwrap();
        // Nothing is left to do for a run that came to its end before it was killed.
        assert!(output.status.success() || now == after, "{output:?}");
        assert_eq!(files(folder.path()), after, "round {round}");
    }
    assert!(
        cut_short > 0,
        "no run was killed before its end: the test shows nothing"
    );
}

#[test]
fn a_file_that_cannot_be_written_changes_nothing() {
    let whole = repository();
    let applications = whole.path().join("applications");
    let mut names: Vec<PathBuf> = tree(&applications).into_keys().collect();
    names.retain(|path| !path.ends_with("root.yaml"));
    for name in names {
        let folder = repository();
        let before = files(folder.path());
        // A file that is another one by now refuses the change of all.
        let path = folder.path().join("applications").join(name.file_name().unwrap());
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        let output = rename(folder.path()).output().unwrap();
        let now = files(folder.path());
        let is_removed_only = name.ends_with("old.yaml");
        assert!(
            now == before && output.status.code() == Some(3) || is_removed_only && output.status.success(),
            "{}: {output:?}",
            name.display()
        );
    }
}

#[test]
fn a_step_waits_for_the_commit_of_the_one_before() {
    let folder = repository();
    let path = folder.path().join("applications/old.yaml");
    let finalizer = "  finalizers:\n  - resources-finalizer.argocd.argoproj.io # kept\nspec:";
    let text = fs::read_to_string(&path).unwrap().replacen("spec:", finalizer, 1);
    fs::write(&path, text).unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message=one"]);
    let run = |arguments: &[&str]| {
        let output = rename(folder.path()).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = run(&[]);
    assert!(
        code == Some(3) && message.contains("--phase 1") && message.contains("kubectl patch"),
        "{message}"
    );
    let (code, message) = run(&["--phase", "1"]);
    assert_eq!(code, Some(0), "{message}");
    let (code, message) = run(&[]);
    assert!(
        code == Some(3) && message.contains("is not committed in `applications/old.yaml`"),
        "{message}"
    );
    git(folder.path(), &["commit", "--quiet", "--all", "--message=two"]);
    let (code, message) = run(&["--commit"]);
    assert_eq!(code, Some(0), "{message}");
    let text = fs::read_to_string(folder.path().join("applications/young.yaml")).unwrap();
    assert!(
        text.contains("  - resources-finalizer.argocd.argoproj.io\n") && !text.contains("renaming"),
        "{text}"
    );
}
