//! Writing to the repository under bad conditions: a full disk, a read-only folder, a kill in the middle.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");
const APPLICATIONS: usize = 40;

fn application(name: &str, url: &str, path: &str) -> String {
    format!(
        "# {name}, with a comment that stays\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\nspec:\n  source:\n    repoURL: {url}\n    path: {path}\n    targetRevision: main\n  destination:\n    namespace: default\n"
    )
}

/// A repository without git, and a cache beside it, in which a command remembers its change.
struct Repository {
    folder: tempfile::TempDir,
    home: PathBuf,
}

impl Repository {
    fn path(&self) -> &Path {
        &self.home
    }

    fn has_record(&self) -> bool {
        let records = self.folder.path().join("cache/begun");
        fs::read_dir(records).is_ok_and(|mut entries| entries.next().is_some())
    }
}

/// Creates a repository of many files with the placeholder: `init` has to change all of them.
fn repository() -> Repository {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let home = folder.path().join("home");
    let applications = home.join("applications");
    fs::create_dir_all(&applications).unwrap();
    let root = application("root", "https://git.example.org/OWNER/home", "applications");
    fs::write(applications.join("root.yaml"), root).unwrap();
    for index in 0..APPLICATIONS {
        let url = format!("https://git.example.org/OWNER/app-{index}");
        let text = application(&format!("app-{index}"), &url, "helm");
        fs::write(applications.join(format!("app-{index}.yaml")), text).unwrap();
    }
    Repository { folder, home }
}

fn init(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["init", "--repo-url", "https://git.example.org/me/home"]);
    command.current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1");
    command.env("HOMELAB_CACHE_DIR", folder.parent().unwrap().join("cache"));
    command
}

/// Returns every file below a folder with its text.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files.extend(tree(&entry.path()));
        } else {
            files.insert(entry.path(), fs::read_to_string(entry.path()).unwrap());
        }
    }
    files
}

fn filled(text: &str) -> String {
    text.replace("/OWNER/", "/me/")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_kill_leaves_every_file_old_or_new_and_the_next_run_finishes() {
    let (mut cut_short, mut between) = (0, 0);
    for round in 0..40_u64 {
        let folder = repository();
        let before = tree(folder.path());
        let mut child = init(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Half of them at any moment, and half once a file is another one.
        if round % 2 == 0 {
            std::thread::sleep(Duration::from_micros(round * 700));
        } else {
            let is_old = |(path, old): (&PathBuf, &String)| fs::read_to_string(path).is_ok_and(|now| now == *old);
            while child.try_wait().unwrap().is_none() && before.iter().all(is_old) {
                std::thread::yield_now();
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let after = tree(folder.path());
        for (path, old) in &before {
            let now = &after[path];
            assert!(
                *now == *old || *now == filled(old),
                "{} is neither old nor new:\n{now}",
                path.display()
            );
        }
        cut_short += usize::from(before.iter().any(|(path, old)| after[path] == *old));
        let new = before.iter().filter(|(path, old)| after[*path] != **old).count();
        between += usize::from(new > 0 && new < before.len());
        // For a run that was killed behind its last file, the same command has something else to do.
        if new == before.len() {
            continue;
        }
        let output = init(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(!folder.has_record(), "{}", stderr(&output));
        let last = tree(folder.path());
        assert!(
            before.iter().all(|(path, old)| last[path] == filled(old)),
            "the next run did not finish the work"
        );
        assert_eq!(
            before.len(),
            last.len(),
            "something is left of the killed run: {:?}",
            last.keys()
        );
    }
    assert!(
        cut_short > 0,
        "no run was killed before its end: the test shows nothing"
    );
    assert!(
        between > 0,
        "no run was killed between two files: the test does not show that the next run completes it"
    );
}

#[test]
fn a_full_disk_changes_nothing_and_leaves_nothing() {
    let folder = repository();
    let before = tree(folder.path());
    // No file may grow: a write fails as it does on a full disk, only with another number.
    let output = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", PROGRAM])
        .args(["init", "--repo-url", "https://git.example.org/me/home"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("no files were changed"), "{}", stderr(&output));
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn a_read_only_folder_changes_nothing_and_is_reported() {
    let folder = repository();
    let applications = folder.path().join("applications");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&applications, fs::Permissions::from_mode(0o555)).unwrap();
    let before = tree(folder.path());
    // Permissions do not restrict root, which continuous integration often is: then another user runs the program.
    let is_root = fs::write(applications.join("probe"), "").is_ok();
    let mut command = if is_root {
        fs::remove_file(applications.join("probe")).unwrap();
        let program = folder.path().join("program");
        // Another process writes it: a child that this one starts meanwhile would have it open, and nobody could run it.
        let copied = Command::new("cp").arg(PROGRAM).arg(&program).status().unwrap();
        assert!(copied.success());
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program);
        command
    } else {
        Command::new(PROGRAM)
    };
    command
        .args(["init", "--repo-url", "https://git.example.org/me/home"])
        .current_dir(folder.path());
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("setpriv is there: install util-linux");
    let _ = fs::remove_file(folder.path().join("program"));
    fs::set_permissions(&applications, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("no files were changed"), "{}", stderr(&output));
    assert_eq!(tree(folder.path()), before);
}
