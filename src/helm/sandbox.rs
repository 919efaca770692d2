//! What all invocations of helm for one render share: the folders, the environment, the deadline; and nothing is left of
//! them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Helm;
use super::error::{self, Cause, HelmError, Subject};
use super::redact::redacted;
use crate::disk::Checkout;
use crate::process::{Command, Environment, ProcessGroup, RunError, SignalGuard};
use crate::render::confidential::Confidential;
use crate::time::Deadline;

/// One invocation of helm.
pub(super) struct Invocation<'i> {
    /// The name in messages, as `dependency build`.
    pub(super) verb: &'i str,
    pub(super) arguments: Vec<OsString>,
    /// The chart's folder, or a copy of it.
    pub(super) folder: &'i Path,
    /// Texts that no message may show.
    pub(super) confidential: &'i Confidential,
    /// Additional environment variables.
    pub(super) variables: Vec<(OsString, OsString)>,
}

/// The folders in which helm works on one chart, and the time by which all its invocations have to end.
pub(super) struct Sandbox<'h> {
    pub(super) helm: &'h Helm,
    pub(super) home: &'h Path,
    pub(super) deadline: Deadline,
    pub(super) signals: &'h SignalGuard,
}

impl Sandbox<'_> {
    /// Returns the folder for a copy of the checkout, or of a part of it.
    pub(super) fn checkout_copy(&self) -> PathBuf {
        self.home.join("checkout")
    }

    /// Returns the file in which helm finds its repositories.
    pub(super) fn repository_configuration(&self) -> PathBuf {
        self.home.join("config").join("repositories.yaml")
    }

    /// Returns the folder in which helm keeps the repositories' indexes.
    pub(super) fn indexes(&self) -> PathBuf {
        self.home.join("cache").join("repository")
    }

    /// Runs helm and returns its standard output.
    pub(super) fn run(&self, invocation: Invocation<'_>) -> Result<String, HelmError> {
        self.run_with_messages(invocation).map(|[printed, _]| printed)
    }

    /// Runs helm and returns its standard output, and what it wrote to standard error.
    pub(super) fn run_with_messages(&self, invocation: Invocation<'_>) -> Result<[String; 2], HelmError> {
        let Invocation {
            verb,
            arguments,
            folder,
            confidential,
            variables,
        } = invocation;
        let failed = |cause| HelmError {
            verb: verb.to_owned(),
            cause,
        };
        let command = Command::new(self.helm.program.clone(), arguments, self.environment().with(variables));
        let output = command
            .in_folder(folder)
            .in_group(ProcessGroup::Own)
            .run(self.deadline, Some(self.signals))
            .map_err(|error| match error {
                RunError::TimedOut => failed(Cause::TimedOut(self.deadline.timeout())),
                error => failed(Cause::NotRun(error)),
            })?;
        if output.status.success() {
            let messages = String::from_utf8_lossy(&output.stderr).into_owned();
            let printed = String::from_utf8(output.stdout).map_err(|_| failed(Cause::NotUtf8))?;
            return Ok([printed, messages]);
        }
        if output.status.code().is_none() {
            return Err(failed(Cause::Killed));
        }
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        // A chart may print anything.
        let unreachable = error::unreachable_repository(&stdout).filter(|_| verb != "template");
        let copy = self.checkout_copy();
        let trees = self.helm.checkouts.all().map(Checkout::root);
        let private = [copy.as_path(), self.home].into_iter().chain(trees);
        let private: Vec<String> = private.map(|path| path.display().to_string()).collect();
        Err(failed(Cause::Failed {
            subject: Subject::of(&stderr),
            message: redacted(unreachable.as_deref().unwrap_or(&stderr), &private, confidential),
        }))
    }

    /// Returns an environment with folders of its own and nothing of the user's Helm and Kubernetes.
    fn environment(&self) -> Environment {
        let folders = [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
        ];
        Environment::at_home(self.home)
            .without(&["HELM_"])
            .with(folders.map(|(name, folder)| (name, self.home.join(folder))))
    }
}
