//! A repository in which a verb runs, and what it looks like.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::folder::copy;
use crate::table::{LIST, Row};

/// The repositories: as the commands write one, and one by hand with many documents in a file, comments, Windows line ends, flow
/// style, lists and sets.
pub(crate) const REPOSITORIES: [Layout; 2] = [
    Layout {
        name: "tidy",
        apps: "applications",
        namespaces: "applications/namespaces.yaml",
    },
    Layout {
        name: "hand-made",
        apps: "home",
        namespaces: "spaces",
    },
];

/// Where a command remembers what it is about to write.
pub(crate) const RECORD: &str = ".git/.kubectl-homelab.begun";

/// A repository, and what is where.
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    /// The folder of the Applications.
    apps: &'static str,
    /// What `init` makes, and so is removed before.
    namespaces: &'static str,
}

/// The files of a repository with their contents; those that a killed command left for the next one to remove are not among them.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A repository with a history.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// Makes the repository of a row, in which the command may run.
    pub(crate) fn of(layout: &Layout, row: &Row) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/every-verb");
        copy(&from.join(layout.name), &home.work());
        home.git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
        home.git(&["remote", "add", "origin", "https://git.example.org/me/home"]);
        home.commit();
        for command in row.before {
            if *command == LIST {
                home.list(layout);
            } else if let Some(what) = command.strip_prefix("rm ") {
                let what = if what == "namespaces" { layout.namespaces } else { what };
                home.git(&["rm", "--quiet", "-r", what]);
            } else {
                let output = home.run(Path::new(env!("CARGO_BIN_EXE_kubectl-homelab")), layout, command);
                assert!(
                    output.status.success(),
                    "{command} in {}: {}",
                    layout.name,
                    messages(&output)
                );
            }
            home.commit();
        }
        home
    }

    /// Lists the Applications in a kustomization.
    fn list(&self, layout: &Layout) {
        let folder = self.work().join(layout.apps);
        let mut names: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let text = format!("resources:\n- {}\n", names.join("\n- "));
        fs::write(folder.join("kustomization.yaml"), text).unwrap();
    }

    /// Makes a copy of it.
    pub(crate) fn twin(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Self { folder }
    }

    /// Returns the folder of it, in which nothing else is but a home for the user.
    pub(crate) fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// Returns its working tree.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=step"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let identity = [
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.org",
            "-c",
            "core.autocrlf=false",
        ];
        let mut command = Command::new("git");
        command.args(identity).args(arguments).current_dir(self.work());
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", messages(&output));
        messages(&output)
    }

    /// Returns a command in it, ready to run.
    pub(crate) fn command(&self, program: &Path, layout: &Layout, command: &str) -> Command {
        let mut prepared = Command::new(program);
        self.prepare(&mut prepared);
        prepared.args(words(layout, command));
        prepared
    }

    /// Gives a program the environment of a user.
    pub(crate) fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.outside().join("user"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "test")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "test@example.org")))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
    }

    pub(crate) fn run(&self, program: &Path, layout: &Layout, command: &str) -> Output {
        self.command(program, layout, command).output().unwrap()
    }

    /// Sets what git runs before it commits.
    pub(crate) fn hook(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let hooks = self.work().join(".git/hooks");
        fs::create_dir_all(&hooks).unwrap();
        fs::write(hooks.join("pre-commit"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(hooks.join("pre-commit"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns its files.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::new();
        let work = self.work();
        read(&work, &work, &mut files);
        files
    }
}

/// Returns the arguments of a command: words in capitals are the repository's own.
pub(crate) fn words(layout: &Layout, command: &str) -> Vec<String> {
    command
        .split(' ')
        .map(|word| word.replace("APPS", layout.apps))
        .collect()
}

pub(crate) fn messages(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Reports whether a file is one that a command has not put into its place, or no longer needs.
pub(crate) fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "tmp")
}

fn read(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != ".git") {
                read(root, &path, files);
            }
        } else if !is_temporary(&path) {
            files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}
