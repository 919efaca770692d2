//! Runs of helm for one render: one environment, one deadline, and nothing left of them.
#![expect(clippy::disallowed_methods, reason = "the door to helm")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::signals::Held;
use super::slots::NOTICE;
use super::{Helm, TIMEOUT_VARIABLE, complaint};
use crate::failure::HintExt;
use crate::render::confidential::Confidential;

/// How far helm's heap may grow before Go collects garbage, in percent: a run is short, and a fifth of it goes into collecting
/// at Go's default of 100. An environment that says `GOGC` is asked first
/// ([source](https://go.dev/doc/gc-guide#GOGC)).
pub(super) const COLLECT_LATE: &str = "400";
/// How long a killed helm may take to be gone.
const GRACE: Duration = Duration::from_millis(500);

/// Whose process group helm runs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// One of its own, which is ended with all that is in it.
    Own,
    /// The plugin's, which Argo CD ends: it kills the plugin alone at once, and reaches helm by the group.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no process groups"))]
    Plugins,
}

impl Group {
    #[cfg(unix)]
    pub(super) fn of(helm: &Helm) -> Self {
        let leads = || rustix::process::getpgrp() == rustix::process::getpid();
        if helm.slots.is_some() && leads() {
            Self::Plugins
        } else {
            Self::Own
        }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Helm) -> Self {
        Self::Own
    }
}

/// One run of helm.
pub(super) struct Run<'r> {
    /// What it is called in messages.
    pub(super) verb: &'r str,
    pub(super) arguments: Vec<OsString>,
    /// The chart's folder, or a copy of it.
    pub(super) folder: &'r Path,
    /// Texts that no message may show.
    pub(super) confidential: &'r Confidential,
    /// Variables besides the usual ones.
    pub(super) variables: Vec<(OsString, OsString)>,
}

/// Helm at work on one chart: its folders, and the time by which all its runs have to end.
pub(super) struct Session<'h> {
    pub(super) helm: &'h Helm,
    pub(super) home: &'h Path,
    pub(super) deadline: Instant,
    pub(super) held: &'h Held,
    pub(super) group: Group,
}

impl Session<'_> {
    /// Where a copy of the checkout lies, or a part of one.
    pub(super) fn checkout_copy(&self) -> PathBuf {
        self.home.join("checkout")
    }

    /// Where helm looks for its repositories.
    pub(super) fn repository_configuration(&self) -> PathBuf {
        self.home.join("config").join("repositories.yaml")
    }

    /// Where helm keeps the repositories' indexes.
    pub(super) fn indexes(&self) -> PathBuf {
        self.home.join("cache").join("repository")
    }

    /// Standard output of helm.
    pub(super) fn run(&self, run: Run<'_>) -> Result<String> {
        let Run { verb, folder, .. } = run;
        let command = self
            .clean(duct::cmd(&self.helm.program, run.arguments), run.variables)
            .dir(folder);
        #[cfg(unix)]
        let command = match self.group {
            Group::Plugins => command,
            Group::Own => command.before_spawn(|command| {
                std::os::unix::process::CommandExt::process_group(command, 0);
                Ok(())
            }),
        };
        let handle = command.start().map_err(|error| anyhow!("cannot start helm: {error}"))?;
        let output = loop {
            if let Some(output) = handle.wait_deadline(self.deadline.min(Instant::now() + NOTICE))? {
                break output;
            }
            let told = self.held.check();
            if told.is_err() || Instant::now() >= self.deadline {
                self.kill(&handle);
                // Its files cannot be removed while it writes them.
                let _ = handle.wait_deadline(Instant::now() + GRACE);
                told?;
                return Err(
                    anyhow!("helm {verb} did not end within {} s", self.helm.timeout.as_secs_f64()).hint(format!(
                        "give it more time with `{TIMEOUT_VARIABLE}`, below Argo CD's own limit of 60 s"
                    )),
                );
            }
        };
        // Whatever helm left running goes with it.
        self.kill(&handle);
        if !output.status.success() {
            let copy = self.checkout_copy();
            let private = [copy.as_path(), self.home, self.helm.checkout.root()].map(|path| path.display().to_string());
            let said = String::from_utf8_lossy(&output.stderr);
            let unreachable = complaint::unreachable(&String::from_utf8_lossy(&output.stdout));
            let said = unreachable
                .filter(|_| verb != "template")
                .unwrap_or_else(|| said.into_owned());
            let complaint = complaint::cleaned(&said, &private, &run.confidential.texts());
            match output.status.code() {
                Some(_) => bail!("helm {verb} failed: {complaint}"),
                None => bail!("helm {verb} was killed before it ended"),
            }
        }
        String::from_utf8(output.stdout.clone()).map_err(|_| anyhow!("helm {verb} printed something that is not UTF-8"))
    }

    /// Ends helm, and everything that it started where that has a group of its own: a grandchild would hold our pipes open.
    fn kill(&self, handle: &duct::Handle) {
        match self.group {
            Group::Own => kill_group(handle),
            Group::Plugins => drop(handle.kill()),
        }
    }

    /// The command with folders of its own and nothing of the person's Helm and Kubernetes.
    fn clean(&self, command: duct::Expression, variables: Vec<(OsString, OsString)>) -> duct::Expression {
        let is_persons = |name: &OsString| {
            let name = name.to_string_lossy();
            ["HELM_", "XDG_", "KUBE"].iter().any(|start| name.starts_with(start))
        };
        let folders = [
            ("HOME", ""),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
        ];
        let folders = folders.map(|(name, folder)| (name.into(), self.home.join(folder).into_os_string()));
        let kept = std::env::vars_os().filter(|(name, _)| !is_persons(name));
        let late = std::iter::once(("GOGC".into(), COLLECT_LATE.into()));
        let environment: BTreeMap<OsString, OsString> = late.chain(kept).chain(folders).chain(variables).collect();
        command
            .full_env(environment)
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
    }
}

/// Ends helm and everything that it started: a grandchild would hold our pipes open.
#[cfg(unix)]
fn kill_group(handle: &duct::Handle) {
    for group in handle.pids() {
        if let Some(group) = i32::try_from(group).ok().and_then(rustix::process::Pid::from_raw) {
            // It is an error when nobody is left, which is what we want.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
fn kill_group(handle: &duct::Handle) {
    let _ = handle.kill();
}
