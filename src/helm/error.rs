//! Why helm failed, as a type. Helm reports it as text only, and this file alone matches that text.

use std::fmt;
use std::time::Duration;

use super::TIMEOUT_VARIABLE;
use crate::failure::HintExt;
use crate::process::RunError;
use crate::render::HelmCall;

/// Helm's message for a chart whose dependencies are not in `charts/`.
const MISSING_DEPENDENCIES: &str = ", but missing in charts/ directory";
/// Helm's message for a chart that is not for the cluster's version of Kubernetes, which it ends with.
const OTHER_VERSION: &str = " which is incompatible with Kubernetes ";
/// Helm's message for a lock file that does not match the chart's current dependencies.
const LOCK_OUT_OF_SYNC: &str = "is out of sync with the dependencies file";

/// The subject of helm's message, as far as it decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The chart's dependencies are not in its folder `charts/`.
    MissingDependencies,
    /// The lock file does not match the dependencies in `Chart.yaml`.
    LockOutOfSync,
    /// The chart is not for the version of Kubernetes.
    KubernetesVersion,
    /// Anything else.
    Other,
}

impl Subject {
    /// Returns what standard error is about.
    pub(super) fn of(stderr: &str) -> Self {
        if stderr.contains(MISSING_DEPENDENCIES) {
            Self::MissingDependencies
        } else if stderr.contains(LOCK_OUT_OF_SYNC) {
            Self::LockOutOfSync
        } else if stderr.contains(OTHER_VERSION) {
            Self::KubernetesVersion
        } else {
            Self::Other
        }
    }
}

/// A failed invocation of helm.
#[derive(Debug)]
pub(super) struct HelmError {
    /// The task of helm, as `dependency build`.
    pub(super) verb: String,
    pub(super) cause: Cause,
}

/// The reason why an invocation of helm failed.
#[derive(Debug)]
pub(super) enum Cause {
    /// Helm failed: its message in one line that everybody may see, and what it is about.
    Failed { subject: Subject, message: String },
    /// Helm was killed.
    Killed,
    /// Helm did not end in time.
    TimedOut(Duration),
    /// Helm printed something that is not UTF-8.
    NotUtf8,
    /// Helm did not run, or was stopped.
    NotRun(RunError),
}

impl HelmError {
    /// Returns what helm's message is about.
    pub(super) fn subject(&self) -> Subject {
        match &self.cause {
            Cause::Failed { subject, .. } => *subject,
            _ => Subject::Other,
        }
    }

    /// Returns the version of Kubernetes that the chart is not for.
    fn kubernetes_version(&self) -> Option<&str> {
        match &self.cause {
            Cause::Failed {
                subject: Subject::KubernetesVersion,
                message,
            } => message.split(OTHER_VERSION).nth(1),
            _ => None,
        }
    }

    /// Returns the error with its hint, for a call of helm.
    pub(super) fn hinted_for(self, call: &HelmCall) -> anyhow::Error {
        let version = self.kubernetes_version().filter(|_| !call.has_kubernetes_version());
        let hint = version.map(|version| {
            format!(
                "Kubernetes {version} is the default of helm: name the version of your cluster as `kubeVersion` in `.homelab.yaml`, with `--kube-version`, as `--kube-version 1.34`, or in the Application's source"
            )
        });
        let error = self.hinted();
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Returns the error with its hint.
    pub(super) fn hinted(self) -> anyhow::Error {
        let is_timeout = matches!(self.cause, Cause::TimedOut(_));
        let error = anyhow::Error::new(self);
        if is_timeout {
            return error.hint(format!(
                "give it more time with `{TIMEOUT_VARIABLE}`, below Argo CD's own limit of 60 s"
            ));
        }
        error
    }
}

impl fmt::Display for HelmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = &self.verb;
        match &self.cause {
            Cause::Failed { message, .. } => write!(f, "helm {verb} failed: {message}"),
            Cause::Killed => write!(f, "helm {verb} was killed before it ended"),
            Cause::TimedOut(timeout) => {
                write!(f, "helm {verb} did not end within {} s", timeout.as_secs_f64())
            }
            Cause::NotUtf8 => write!(f, "helm {verb} printed something that is not UTF-8"),
            Cause::NotRun(RunError::System(error)) => write!(f, "cannot run helm: {error}"),
            Cause::NotRun(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HelmError {}

/// Returns which chart repository helm could not reach, and why: it prints that on standard output, and then fails for
/// another reason.
pub(super) fn unreachable_repository(stdout: &str) -> Option<String> {
    let (_, rest) = stdout.split_once("...Unable to get an update from the ")?;
    let (repository, rest) = rest.split_once(":\n")?;
    let named = repository.split('"').nth(1)?;
    let url = repository
        .rsplit_once('(')
        .map_or(named, |(_, url)| url.trim_end_matches(')'));
    let reason = rest.lines().next().unwrap_or_default().trim();
    Some(format!("the chart repository {url} cannot be reached: {reason}"))
}

/// A file that helm downloaded and left out since it is not a chart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SkippedDownload<'h> {
    pub(super) file: &'h str,
    pub(super) reason: &'h str,
}

/// Returns the download that helm left out: it prints that on standard output, and ends as if all were well.
pub(super) fn skipped_download(stdout: &str) -> Option<SkippedDownload<'_>> {
    let (rest, _) = stdout.split_once(" (Skipping)")?;
    let (_, rest) = rest
        .rsplit_once("Could not verify ")
        .or_else(|| rest.rsplit_once("Unable to move "))?;
    let (path, reason) = rest
        .split_once(" for moving: ")
        .or_else(|| rest.split_once(" to charts dir "))?;
    let file = path.rsplit(['/', '\\']).next()?;
    Some(SkippedDownload { file, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helms_words_become_a_type() {
        for (stderr, subject) in [
            (
                "Error: found in Chart.yaml, but missing in charts/ directory: lib",
                Subject::MissingDependencies,
            ),
            (
                "Error: the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies",
                Subject::LockOutOfSync,
            ),
            (
                "Error: chart requires kubeVersion: <1.33.0-0 which is incompatible with Kubernetes v1.36.0",
                Subject::KubernetesVersion,
            ),
            ("Error: no such chart", Subject::Other),
            ("", Subject::Other),
        ] {
            assert_eq!(Subject::of(stderr), subject, "{stderr}");
        }
    }

    #[test]
    fn a_download_that_is_not_a_chart_is_found() {
        for (printed, expected) in [
            (
                "Saving 1 charts\nCould not verify /tmp/x/tmpcharts-1/lib-1.0.0.tgz for moving: unexpected EOF (Skipping)Deleting outdated charts\n",
                Some(("lib-1.0.0.tgz", "unexpected EOF")),
            ),
            (
                "Unable to move /tmp/x/tmpcharts-1/lib-1.0.0.tgz to charts dir no space left on device (Skipping)",
                Some(("lib-1.0.0.tgz", "no space left on device")),
            ),
            ("Could not verify charts/old.tgz for deletion: EOF (Skipping)\n", None),
            ("Saving 1 charts\nDeleting outdated charts\n", None),
        ] {
            let skipped = skipped_download(printed).map(|skipped| (skipped.file, skipped.reason));
            assert_eq!(skipped, expected);
        }
    }

    #[test]
    fn a_repository_that_cannot_be_reached_is_named() {
        let printed = |line: &str| {
            format!(
                "Hang tight\n...Unable to get an update from the {line}:\n\tfailed : 401 Unauthorized\nUpdate Complete.\n"
            )
        };
        for line in [
            "\"own\" chart repository (https://x.example)",
            "\"https://x.example\" chart repository",
        ] {
            assert_eq!(
                unreachable_repository(&printed(line)).unwrap(),
                "the chart repository https://x.example cannot be reached: failed : 401 Unauthorized"
            );
        }
        assert_eq!(unreachable_repository("Saving 1 charts"), None);
    }
}
