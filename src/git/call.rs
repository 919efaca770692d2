//! A call of git: its settings and its environment by what it is for, and the line in which git says why it failed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::Refused;
use crate::failure::HintExt;
use crate::process::{self, Command, Environment, Running};
use crate::time::Deadline;

/// The variables that say where a repository is, as `git rev-parse --local-env-vars` lists them, without those that carry
/// settings. Git sets them for hooks, and they would lead a call to another repository than the one it is for.
const LOCATIONS: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];
/// The protocols that git may use: none that a program of another name (`git-remote-NAME`) serves.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// The purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading a repository, which stays as it is, or writing a clone of our own: no hooks run.
    Local,
    /// Asking another host: no hooks run, and nobody is asked for a password.
    Network,
    /// Writing the files of a revision into a folder of our own, with an index of our own: no hooks run, and nothing that
    /// only a server has is fetched.
    Export,
    /// Committing in the user's repository: the user's hooks run.
    Commit,
}

impl Purpose {
    /// Returns the time that a call may take. A commit runs hooks, which may be slow.
    fn deadline(self) -> Deadline {
        Deadline::after(Duration::from_secs(match self {
            Self::Local => 120,
            Self::Network | Self::Export => 600,
            Self::Commit => 1800,
        }))
    }

    /// Returns the settings of a call.
    fn settings(self) -> Vec<&'static str> {
        let quiet = [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "protocol.ext.allow=never",
            "protocol.fd.allow=never",
            "submodule.recurse=false",
        ];
        // All files, and no part of the index in the user's repository.
        let whole = [
            "core.sparseCheckout=false",
            "core.splitIndex=false",
            "index.sparse=false",
        ];
        match self {
            Self::Commit => Vec::new(),
            Self::Local | Self::Network => quiet.to_vec(),
            Self::Export => [&quiet[..], &whole].concat(),
        }
    }

    /// Returns the environment of a call in a folder.
    pub(super) fn environment(self, folder: &Path) -> Environment {
        let base = Environment::inherited()
            .without_names(&LOCATIONS)
            .with([("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C")]);
        if self == Self::Commit {
            return base;
        }
        let quiet = base
            .with([("GIT_OPTIONAL_LOCKS", "0"), ("GIT_ASKPASS", ""), ("SSH_ASKPASS", "")])
            .with([("SSH_ASKPASS_REQUIRE", "never")])
            .with_default("GIT_ALLOW_PROTOCOL", PROTOCOLS);
        let quiet = match self {
            // Pointers of LFS stay pointers.
            Self::Export => quiet.with([("GIT_ALLOW_PROTOCOL", "none"), ("GIT_LFS_SKIP_SMUDGE", "1")]),
            _ => quiet,
        };
        // A folder that is no repository must not lead to one around it.
        match std::path::absolute(folder).ok().as_deref().and_then(Path::parent) {
            Some(parent) => quiet.with([("GIT_CEILING_DIRECTORIES", parent)]),
            None => quiet,
        }
    }
}

/// Runs git for reading, or in a clone of our own, and returns its standard output.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    run(Purpose::Local, folder, arguments)
}

/// Runs git and returns its standard output.
pub(super) fn run(purpose: Purpose, folder: &Path, arguments: &[&str]) -> Result<String> {
    run_with(purpose, purpose.environment(folder), folder, arguments)
}

/// As [`run`], in an environment.
pub(super) fn run_with(
    purpose: Purpose,
    environment: Environment,
    folder: &Path,
    arguments: &[&str],
) -> Result<String> {
    Call::start(purpose, environment, folder, arguments)?.output()
}

/// A call of git that has begun.
#[derive(Debug)]
pub(super) struct Call {
    running: Running,
    /// Git's command.
    name: String,
    deadline: Deadline,
}

impl Call {
    pub(super) fn start(
        purpose: Purpose,
        mut environment: Environment,
        folder: &Path,
        arguments: &[&str],
    ) -> Result<Self> {
        let program = process::find("git").ok_or_else(|| anyhow!("`git` is not on PATH").hint("install git"))?;
        let mut full = vec!["-C".into(), folder.as_os_str().to_owned()];
        full.extend(
            purpose
                .settings()
                .into_iter()
                .flat_map(|setting| ["-c".into(), setting.into()]),
        );
        full.extend(arguments.iter().map(Into::into));
        if purpose == Purpose::Network && git(folder, &["config", "--get", "core.sshCommand"]).is_err() {
            environment = environment.with_ssh_in_batch_mode();
        }
        let deadline = purpose.deadline();
        let command = Command::new(program, full, environment);
        let command = match purpose {
            // Hooks are scripts of the user's.
            Purpose::Commit => command.with_pipes(),
            _ => command,
        };
        Ok(Self {
            running: command.start().context("cannot run git")?,
            name: arguments.first().copied().unwrap_or_default().to_owned(),
            deadline,
        })
    }

    /// Returns standard output when it has ended.
    pub(super) fn output(self) -> Result<String> {
        let output = self.running.end(self.deadline, None).context("cannot run git")?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let message = reason(&stderr);
            let failed = format!("git {} failed", self.name);
            return Err(match Refused::of(&stderr, &message) {
                Some(refused) => anyhow::Error::new(refused.clone()).context(failed).hint(refused.hint()),
                None => anyhow!("{failed}: {message}"),
            });
        }
        String::from_utf8(output.stdout).context("git printed something that is not UTF-8")
    }
}

/// Returns the line in which git says why it failed: its first `fatal:` line, else its last one that is not a hint.
pub(super) fn reason(stderr: &str) -> String {
    let fatal = stderr.lines().find_map(|line| line.strip_prefix("fatal: "));
    let mut others = stderr
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with("hint: "))
        .rev();
    let last = others.next().unwrap_or_default().trim();
    match (fatal, others.next()) {
        (Some(fatal), _) => fatal.to_owned(),
        // A list, and its heading.
        (None, Some(before)) if before.trim_end().ends_with(':') => format!("{} {last}", before.trim()),
        _ => last.to_owned(),
    }
}
