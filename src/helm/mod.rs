//! The adapter to helm: `helm template` as Argo CD runs it, with folders of its own, no kubeconfig, no standard input and a
//! deadline; charts and their dependencies, pulled with the user's own login.

mod cache;
mod charts;
mod checkouts;
mod dependencies;
mod digests;
mod entries;
mod error;
mod fingerprint;
mod kept;
mod pulled;
mod redact;
mod repositories;
mod sandbox;
mod schemas;
mod staged;
mod substitute;
mod unpacked;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use self::cache::Cache;
use self::dependencies::Mode;
use self::error::{HelmError, Subject};
use self::sandbox::{Invocation, Sandbox};
use self::schemas::RemoteSchemas;
use crate::disk::Checkout;
use crate::model::Unavailable;
use crate::process::{self, Home, SignalGuard, Slots};
use crate::render::helm_arguments::{file_value, list_entry};
use crate::render::{Argument, HelmCall, Raw, Renderer, Tree};
use crate::repo::RepoPath;
use crate::time::Deadline;

pub use self::charts::{ChartOptions, Charts, PulledChart};
pub use self::checkouts::Checkouts;
pub use self::kept::{KEEP_VARIABLE, Kept, KeptRenders};
pub use self::repositories::PLAIN_HTTP_VARIABLE;
pub use self::schemas::REMOTE_SCHEMAS_VARIABLE;
pub use self::substitute::{Report, Substitute, run_in_place};

/// Environment variable: the timeout of helm, as `50s` or `1m30s`; a bare number is seconds.
pub const TIMEOUT_VARIABLE: &str = "HOMELAB_HELM_TIMEOUT";
/// Environment variable: the number of helms that run at a time; as many as there are processors by default.
pub const MAX_VARIABLE: &str = "HOMELAB_MAX_HELM";
/// The timeout without that variable: below the 60 s after which Argo CD gives up on a plugin
/// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#timeouts-and-errors)).
const TIMEOUT: Duration = Duration::from_secs(50);
/// The folder of the cache for the dependencies of charts.
const CACHED: &str = "dependencies";

/// Helm, for charts of one checkout.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    checkouts: Checkouts,
    timeout: Duration,
    deadline: Option<Deadline>,
    network: bool,
    remote_schemas: RemoteSchemas,
    cache: Option<Cache>,
    slots: Option<Slots>,
}

impl Helm {
    /// Finds helm: the named program, else `helm` on PATH.
    ///
    /// # Errors
    /// When there is none, or the environment holds an invalid duration.
    pub fn find(checkouts: impl Into<Checkouts>, program: Option<&Path>) -> Result<Self> {
        let timeout = timeout()?;
        Ok(Self {
            program: find_program(program)?,
            checkouts: checkouts.into(),
            timeout,
            deadline: None,
            network: true,
            remote_schemas: RemoteSchemas::configured()?,
            cache: None,
            slots: None,
        })
    }

    /// Uses no network: only the checkout and the cache.
    #[must_use]
    pub fn without_network(self) -> Self {
        Self { network: false, ..self }
    }

    /// Caches the dependencies of charts in a folder.
    #[must_use]
    fn cached_in(self, folder: &Path) -> Self {
        Self {
            cache: Some(Cache::new(folder.join(CACHED))),
            ..self
        }
    }

    /// Limits how many helms run at a time to the value of [`MAX_VARIABLE`], over all processes that use the same
    /// folder.
    fn bounded_in(self, folder: &Path) -> Result<Self> {
        Ok(Self {
            slots: Some(Slots::shared_in(folder, "helm", MAX_VARIABLE)?),
            ..self
        })
    }

    fn arguments(&self, call: &HelmCall, home: &Path) -> Result<Vec<OsString>> {
        let mut arguments: Vec<OsString> = vec!["template".into(), ".".into()];
        for argument in &call.arguments {
            arguments.push(match argument {
                Argument::Text(text) => text.into(),
                Argument::File(tree, path) => list_entry(self.absolute(tree, path)?.as_str()).into(),
                Argument::SetFile(name, tree, path) => file_value(name, self.absolute(tree, path)?.as_str()).into(),
                Argument::Temporary(text) => {
                    // Helm names the file when its text is not YAML; the user knows the parameter.
                    let path = home.join("parameter values");
                    let mut file = std::fs::File::create_new(&path).context("cannot write a temporary file")?;
                    file.write_all(text.as_bytes())
                        .context("cannot write a temporary file")?;
                    list_entry(path.to_str().context("the path of the temporary folder is not UTF-8")?).into()
                }
            });
        }
        Ok(arguments)
    }

    fn absolute(&self, tree: &Tree, path: &RepoPath) -> Result<String> {
        let absolute = self.checkouts.get(tree)?.absolute(path).into_os_string().into_string();
        absolute.map_err(|_| anyhow!("the path of the checkout is not UTF-8"))
    }
}

/// Helm that is searched for only when a chart is rendered: a folder of manifests needs none.
#[derive(Debug)]
pub struct LazyHelm {
    /// The trees of the render.
    pub checkouts: Checkouts,
    /// The program; `helm` on PATH by default.
    pub program: Option<PathBuf>,
    /// Lets helm fetch dependencies.
    pub network: bool,
    /// The folder in which the dependencies of charts are cached.
    pub cache: Option<PathBuf>,
    /// The folder ([`crate::process::slots_folder`]) with which all processes like this one limit how many helms run at a time.
    pub bounded_in: Option<PathBuf>,
    /// The time by which it has to end, where something came before it; else it has all of its own.
    pub deadline: Option<Deadline>,
}

impl LazyHelm {
    /// Finds helm.
    fn found(&self) -> Result<Helm> {
        let mut helm = Helm::find(self.checkouts.clone(), self.program.as_deref())?;
        helm.deadline = self.deadline;
        if !self.network {
            helm = helm.without_network();
        }
        if let Some(folder) = &self.cache {
            helm = helm.cached_in(folder);
        }
        if let Some(folder) = &self.bounded_in {
            helm = helm.bounded_in(folder)?;
        }
        Ok(helm)
    }
}

impl Renderer<HelmCall> for LazyHelm {
    fn render(&self, call: &HelmCall) -> Result<Raw> {
        self.found()?.render(call)
    }
}

impl Renderer<HelmCall> for Helm {
    fn render(&self, call: &HelmCall) -> Result<Raw> {
        if let Some(url) = call.fetched_values().filter(|_| !self.network) {
            let what = format!("the value file `{url}` is not available locally");
            return Err(Unavailable::NeedsNetwork { what }.into_error());
        }
        let deadline = self.deadline.unwrap_or_else(|| Deadline::after(self.timeout));
        // Dropped last: a signal that arrived meanwhile ends the process then, when everything is cleaned up.
        let signals = SignalGuard::new()?;
        let home = match &self.slots {
            Some(slots) => Home::in_slot(slots, deadline, &signals)?,
            None => Home::temporary("homelab-helm-run-")?,
        };
        let sandbox = Sandbox {
            helm: self,
            home: home.path(),
            deadline,
            signals: &signals,
        };
        let arguments = self.arguments(call, home.path())?;
        let template = |files: &Checkout, folder: &Path| -> Result<Result<Raw, HelmError>> {
            let notes = schemas::unchecked(call, files, self.network, self.remote_schemas)?;
            let is_settled = call.fetched_values().is_none() && !schemas::are_fetched(call, files, self.network)?;
            let skip = (!notes.is_empty()).then(|| "--skip-schema-validation".into());
            let text = sandbox.run(Invocation {
                verb: "template",
                arguments: arguments.iter().cloned().chain(skip).collect(),
                folder,
                confidential: &call.confidential,
                variables: Vec::new(),
            });
            Ok(text.map(|text| Raw {
                text,
                notes,
                is_settled,
            }))
        };
        // Argo CD builds missing dependencies as well, once.
        let mode = if call.dependency_update {
            Mode::Update
        } else {
            let checkout = self.checkouts.get(&call.tree)?;
            match template(checkout, &checkout.absolute(&call.chart))? {
                Err(error) if error.subject() == Subject::MissingDependencies => Mode::Build,
                result => return result.map_err(|error| error.hinted_for(call)),
            }
        };
        let filled = dependencies::filled(&sandbox, call, mode)?;
        let copy = Checkout::open(&sandbox.checkout_copy())?;
        let mut raw = template(&copy, &filled.chart)?.map_err(|error| error.hinted_for(call))?;
        raw.is_settled &= filled.is_settled;
        Ok(raw)
    }
}

fn find_program(program: Option<&Path>) -> Result<PathBuf> {
    match program {
        Some(program) => process::find(program).ok_or_else(|| anyhow!("`{}` is not a program", program.display())),
        None => process::find("helm").ok_or_else(|| {
            let missing = Unavailable::ProgramMissing {
                message: "`helm` is not on PATH".to_owned(),
                hint: "install helm 3 or 4: https://helm.sh/docs/intro/install/".to_owned(),
            };
            missing.into_error()
        }),
    }
}

/// Returns the time that a render may take, downloads included.
///
/// # Errors
/// When the environment holds an invalid duration.
pub fn timeout() -> Result<Duration> {
    process::timeout(TIMEOUT_VARIABLE, TIMEOUT)
}

#[cfg(test)]
mod tests;
