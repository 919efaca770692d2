//! The adapter to kustomize: the commands that Argo CD runs for a Kustomize folder, with folders of their own, nothing of the
//! user's environment, no standard input and a deadline. The checkout stays as it is.
//!
//! ```text
//! program    which kustomize                        workspace  the folder that is built, or a copy that may be changed
//! options    what the plugin's owner decides         prepare    what the copy needs besides: charts, remote resources
//! remote     what kustomizations name elsewhere
//! run        one run of the program                  error      its messages, as everybody may see them
//! version    what the program says that it is       kept       what was built before
//! first_chart  a chart without which no build can be
//! ```
#![expect(clippy::disallowed_methods, reason = "the adapter to kustomize")]

mod error;
mod first_chart;
mod kept;
mod options;
mod prepare;
mod program;
mod remote;
mod run;
mod version;
mod workspace;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use self::options::Options;
use self::prepare::Prepared;
use self::program::Program;
use self::run::{Invocation, Sandbox};
use self::workspace::Workspace;
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::helm::LazyHelm;
use crate::process::{self, Home, ProcessGroup, SignalGuard, Slots};
use crate::render::kustomize_call::{Edit, build_arguments, with_patches};
use crate::render::{KustomizeCall, Raw, Renderer};
use crate::repo::kustomization;
use crate::time::Deadline;

pub use self::kept::Kept;
pub use self::options::{BUILD_OPTIONS_VARIABLE, VERSIONS_VARIABLE};

/// Environment variable: the timeout of all that runs for one folder, as `50s` or `1m30s`; a bare number is seconds.
pub const TIMEOUT_VARIABLE: &str = "HOMELAB_KUSTOMIZE_TIMEOUT";
/// Environment variable: the number of builds that run at a time; as many as there are processors by default.
pub const MAX_VARIABLE: &str = "HOMELAB_MAX_KUSTOMIZE";
/// The timeout without that variable: below the 60 s after which Argo CD gives up on a plugin
/// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#timeouts-and-errors)).
const TIMEOUT: Duration = Duration::from_secs(50);

/// Kustomize, for folders of one checkout. The program is searched for only when a folder is built.
#[derive(Clone, Debug)]
pub struct Kustomize {
    /// The checkout with the folders.
    pub checkout: Checkout,
    /// The program; `kustomize` on PATH by default, else kubectl.
    pub program: Option<PathBuf>,
    /// The helm of charts; `helm` on PATH by default.
    pub helm: Option<PathBuf>,
    /// Lets charts and remote resources be fetched.
    pub network: bool,
    /// The folder in which what was fetched is cached.
    pub cache: Option<PathBuf>,
    /// The folder ([`process::slots_folder`]) with which all processes like this one limit how many builds run at a time.
    pub bounded_in: Option<PathBuf>,
    /// The build options that the repository's own `argocd-cm` sets, where it does.
    pub build_options: Option<String>,
}

impl Renderer<KustomizeCall> for Kustomize {
    fn render(&self, call: &KustomizeCall) -> Result<Raw> {
        let options = Options::of(self.build_options.as_deref())?;
        let program = Program::find(self.program.as_deref(), call, &options)?;
        first_chart::check(self, call, &options)?;
        let deadline = Deadline::after(process::timeout(TIMEOUT_VARIABLE, TIMEOUT)?);
        // Dropped last: a signal that arrived meanwhile ends the process then, when everything is cleaned up.
        let signals = SignalGuard::new()?;
        let home = match &self.bounded_in {
            Some(folder) => Home::in_slot(
                &Slots::shared_in(folder, "kustomize", MAX_VARIABLE)?,
                deadline,
                &signals,
            )?,
            None => Home::temporary("homelab-kustomize-run-")?,
        };
        let workspace = Workspace::of(&self.checkout, home.path(), call, options.runs_programs())?;
        let prepared = prepare::prepare(self, &workspace, call, home.path(), deadline)?;
        let sandbox = Sandbox {
            program: &program,
            options: &options,
            checkout: &self.checkout,
            workspace: &workspace,
            home: home.path(),
            deadline,
            signals: &signals,
        };
        for edit in &prepared.edits {
            apply(&sandbox, &prepared, call, edit)?;
        }
        let text = build(&sandbox, &prepared, call).map_err(|error| prepared.failure(error))?;
        let (notes, is_settled) = prepared.finished()?;
        Ok(Raw {
            text,
            notes: version::remark(&sandbox)?.into_iter().chain(notes).collect(),
            is_settled,
        })
    }
}

impl Kustomize {
    /// Returns the helm of charts, for a copy of the checkout.
    fn helm(&self, checkout: Checkout) -> LazyHelm {
        LazyHelm {
            checkouts: checkout.into(),
            program: self.helm.clone(),
            network: self.network,
            cache: self.cache.clone(),
            bounded_in: self.bounded_in.clone(),
            deadline: None,
        }
    }
}

/// Changes the kustomization of the folder.
fn apply(sandbox: &Sandbox<'_>, prepared: &Prepared, call: &KustomizeCall, edit: &Edit) -> Result<()> {
    let folder = sandbox.workspace.path(&call.folder);
    match edit {
        Edit::Command { arguments, parameter } => {
            // One command may fetch something, and Argo CD gives it alone the Application's variables. The others start nothing, and
            // are over in a moment: a supervisor would take as long as they do.
            let (variables, group) = match *parameter {
                "components" => (prepared.variables(call), ProcessGroup::Own),
                _ => (Vec::new(), ProcessGroup::Inherited),
            };
            let invocation = Invocation {
                verb: format!("edit {}", arguments[..2].join(" ")),
                arguments: std::iter::once("edit".to_owned())
                    .chain(arguments.iter().cloned())
                    .map(Into::into)
                    .collect(),
                folder: &folder,
                variables,
                group,
            };
            sandbox
                .run(invocation)
                .map(drop)
                .with_context(|| format!("`{parameter}` cannot be set in the kustomization of `{}`", call.folder))
        }
        Edit::Patches(patches) => {
            let files = kustomization::NAMES.map(|name| folder.join(name));
            let file = files.iter().find(|file| file.exists());
            let file = file.ok_or_else(|| anyhow!("there is no kustomization in `{}`", call.folder))?;
            let text = std::fs::read_to_string(file).context("cannot read the copy of the kustomization")?;
            let text = with_patches(&text, patches).with_context(|| format!("`{}`", call.folder))?;
            std::fs::write(file, text).context("cannot write the copy of the kustomization")
        }
    }
}

/// Builds the folder, from the root of the repository.
fn build(sandbox: &Sandbox<'_>, prepared: &Prepared, call: &KustomizeCall) -> Result<String> {
    let folder = sandbox.workspace.path(&call.folder);
    let text = folder.to_str().ok_or_else(|| {
        anyhow!("the path of the checkout is not UTF-8").hint("move the repository to a folder whose path is UTF-8")
    })?;
    let passes_cluster = call.graph.may_inflate_charts() && version::passes_cluster(sandbox)?;
    let mut arguments = build_arguments(call, text, &sandbox.options.build, passes_cluster);
    arguments.extend(prepared.arguments.iter().cloned());
    sandbox.run(Invocation {
        verb: "build".to_owned(),
        arguments: sandbox.program.build_words(arguments),
        folder: sandbox.workspace.root(),
        variables: prepared.variables(call),
        group: group_of_build(sandbox.options, call),
    })
}

/// Returns the group of a build. One that starts nothing needs no supervisor, which would take as long as a twentieth of it: what ends
/// this process's group, as Argo CD does at its deadline, ends it, too.
fn group_of_build(options: &Options, call: &KustomizeCall) -> ProcessGroup {
    match options.runs_programs() || call.graph.may_inflate_charts() {
        true => ProcessGroup::Own,
        false => ProcessGroup::Inherited,
    }
}

#[cfg(test)]
mod tests;
