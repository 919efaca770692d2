//! Completion without krew: the link that kubectl completes through, the folders in which it cannot be created, and the
//! scripts of the shells.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");

/// Folders for a PATH; the first one has a link to the program.
struct Folders(tempfile::TempDir);

impl Folders {
    fn new() -> Self {
        let folders = Self(tempfile::tempdir().unwrap());
        for name in ["bin", "other", "away"] {
            fs::create_dir(folders.at(name)).unwrap();
        }
        symlink(PROGRAM, folders.at("bin/kubectl-homelab")).unwrap();
        folders
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with a PATH of two folders.
    fn completion(&self, arguments: &[&str]) -> Output {
        let path = std::env::join_paths([self.at("bin"), self.at("other")]).unwrap();
        run(&[&["completion"], arguments].concat(), &path)
    }
}

fn run(arguments: &[&str], path: impl AsRef<std::ffi::OsStr>) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Asserts the exit code, the standard output, and a part of the standard error.
fn assert_output(output: &Output, code: i32, data: &str, part: &str) {
    let message = text(&output.stderr);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(code), data),
        "{message}"
    );
    assert!(message.contains(part), "{part} in {message}");
}

#[test]
fn the_link_is_made_beside_the_program_and_leads_to_its_name() {
    let folders = Folders::new();
    let link = folders.at("bin/kubectl_complete-homelab");
    let line = |verb: &str| format!("{} {verb}\n", link.display());
    assert_output(&folders.completion(&["uninstall"]), 0, "", "nothing to remove");
    assert_output(
        &folders.completion(&["install"]),
        0,
        &line("created"),
        "kubectl completion --help",
    );
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("kubectl-homelab"));
    assert_output(&folders.completion(&["install"]), 0, &line("unchanged"), "");
    // A link to another file, as after a move, is replaced.
    fs::remove_file(&link).unwrap();
    symlink("/nowhere/kubectl-homelab", &link).unwrap();
    assert_output(&folders.completion(&["install"]), 0, &line("created"), "");
    assert_output(&folders.completion(&["uninstall"]), 0, &line("removed"), "");
    assert!(fs::symlink_metadata(&link).is_err());
}

#[test]
fn in_another_folder_it_leads_to_the_program() {
    let folders = Folders::new();
    let other = folders.at("other");
    let arguments = ["install", "--bin-dir", other.to_str().unwrap()];
    let link = other.join("kubectl_complete-homelab");
    assert_output(
        &folders.completion(&arguments),
        0,
        &format!("{} created\n", link.display()),
        "",
    );
    assert_eq!(fs::read_link(&link).unwrap(), folders.at("bin/kubectl-homelab"));
    let asked = Command::new(&link).arg("rend").output().unwrap();
    assert!(text(&asked.stdout).starts_with("render\t"), "{}", text(&asked.stdout));
    assert_eq!(text(&asked.stderr), "");
}

#[test]
fn where_kubectl_would_not_find_it_no_link_is_made() {
    let folders = Folders::new();
    let away = folders.at("away");
    let output = folders.completion(&["install", "--bin-dir", away.to_str().unwrap()]);
    assert_output(&output, 3, "", "is not on PATH: kubectl would not find the link");
    assert!(fs::read_dir(away).unwrap().next().is_none());
    let output = run(&["completion", "install"], folders.at("other"));
    assert_output(&output, 3, "", "`kubectl-homelab` is not on PATH");
    assert!(text(&output.stderr).contains("hint: add its folder to PATH"));
}

#[test]
fn a_foreign_file_is_kept() {
    let folders = Folders::new();
    let link = folders.at("bin/kubectl_complete-homelab");
    fs::write(&link, "#!/bin/sh\n").unwrap();
    for verb in ["install", "uninstall"] {
        assert_output(
            &folders.completion(&[verb]),
            3,
            "",
            "exists, and this program did not make it",
        );
    }
    assert_eq!(fs::read_to_string(&link).unwrap(), "#!/bin/sh\n");
}

#[test]
fn bash_completes_with_the_script() {
    let folders = Folders::new();
    let script = folders.completion(&["bash"]);
    assert!(script.status.success());
    let file = folders.at("script");
    fs::write(&file, &script.stdout).unwrap();
    let typed = "COMP_WORDS=(kubectl-homelab list -o j); COMP_CWORD=3; COMP_TYPE=9
        name=$(complete -p kubectl-homelab | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        $name kubectl-homelab j -o; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let path = format!("{}:/usr/bin:/bin", folders.at("bin").display());
    let output = Command::new("bash")
        .args(["--norc", "-c", &format!("source {}; {typed}", file.display())])
        .env("PATH", path)
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "json\n", "{}", text(&output.stderr));
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    let folders = Folders::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = folders.completion(&[shell]);
        let script = text(&output.stdout);
        assert!(output.status.success() && script.contains("kubectl-homelab"), "{shell}");
        assert!(script.contains("KUBECTL_HOMELAB_COMPLETE"), "{shell}");
        assert!(!script.contains("/target/"), "{shell}: no path of the machine");
    }
}
