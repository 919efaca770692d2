//! What all runs of kustomize for one folder share: the folders, the environment, the deadline; and nothing is left of them.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use super::error::{Cause, KustomizeError};
use super::options::Options;
use super::program::Program;
use super::workspace::Workspace;
use crate::disk::Checkout;
use crate::process::{Command, Environment, ProcessGroup, RunError, SignalGuard};
use crate::time::Deadline;

/// The variables that kustomize gets from this process. A file of `envs` whose line is a name alone takes the value from the
/// environment, so that a repository could print any other one.
const VARIABLES: [&str; 12] = [
    "PATH",
    "GOGC",
    "SystemRoot",
    "PATHEXT",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// One run of kustomize.
pub(super) struct Invocation<'i> {
    /// The name in messages, as `edit set image`.
    pub(super) verb: String,
    pub(super) arguments: Vec<OsString>,
    pub(super) folder: &'i Path,
    /// Additional environment variables.
    pub(super) variables: Vec<(OsString, OsString)>,
    /// A group of its own where it may start other programs.
    pub(super) group: ProcessGroup,
}

/// The folders in which kustomize works, and the time by which all its runs have to end.
pub(super) struct Sandbox<'k> {
    pub(super) program: &'k Program,
    pub(super) options: &'k Options,
    pub(super) checkout: &'k Checkout,
    pub(super) workspace: &'k Workspace,
    pub(super) home: &'k Path,
    pub(super) deadline: Deadline,
    pub(super) signals: &'k SignalGuard,
}

impl Sandbox<'_> {
    /// Runs kustomize and returns its standard output.
    pub(super) fn run(&self, invocation: Invocation<'_>) -> Result<String> {
        let Invocation {
            verb,
            arguments,
            folder,
            variables,
            group,
        } = invocation;
        let failed = |cause| KustomizeError {
            program: self.program.name(),
            verb: verb.clone(),
            cause,
        };
        let environment = self.environment().with(variables);
        let output = Command::new(self.program.path.clone(), arguments, environment)
            .in_folder(folder)
            .in_group(group)
            .run(self.deadline, Some(self.signals))
            .map_err(|error| match error {
                RunError::TimedOut => failed(Cause::TimedOut(self.deadline.timeout())).hinted(),
                error => failed(Cause::NotRun(error)).hinted(),
            })?;
        if output.status.success() {
            return String::from_utf8(output.stdout).map_err(|_| failed(Cause::NotUtf8).hinted());
        }
        if output.status.code().is_none() {
            return Err(failed(Cause::Killed).hinted());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let private = [self.workspace.root(), self.checkout.root(), self.home].map(|path| path.display().to_string());
        Err(failed(Cause::failed(&stderr, &private)).hinted())
    }

    /// Returns an environment with folders of its own. Programs of the repository get all of it, where they may run.
    fn environment(&self) -> Environment {
        if self.options.runs_programs() {
            return Environment::inherited();
        }
        Environment::at_home(self.home).only(&VARIABLES, self.home)
    }
}
