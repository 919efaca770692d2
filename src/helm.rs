//! The door to helm: `helm template` as Argo CD runs it, with folders of its own, no kubeconfig, no standard input and a
//! deadline; `helm pull` with the person's own login.
#![expect(clippy::disallowed_methods, reason = "the door to helm")]

mod cache;
mod complaint;
mod dependencies;
mod digests;
mod repositories;
mod session;
mod signals;
mod slots;
mod staged;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use self::cache::Cache;
use self::dependencies::Verb;
use self::session::{Group, Run, Session};
use self::signals::Held;
use self::slots::{Slot, Slots};
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::model::Unavailable;
use crate::render::helm_arguments::{file_value, list_entry};
use crate::render::{Argument, HelmCall, Templater};
use crate::repo::RepoPath;

pub use self::repositories::PLAIN_HTTP_VARIABLE;
pub use self::slots::MAX_VARIABLE;

/// Environment variable: how long helm may take, in seconds or as `50s`, `2m`.
pub const TIMEOUT_VARIABLE: &str = "HOMELAB_HELM_TIMEOUT";
/// How long helm may take without that variable: below the 60 s after which Argo CD gives up on a plugin
/// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#timeouts-and-errors)).
const TIMEOUT: Duration = Duration::from_secs(50);
/// What helm says of a chart whose dependencies are not in `charts/`; Argo CD then builds them, once.
const MISSING_DEPENDENCIES: &str = ", but missing in charts/ directory";
/// The folder of the cache for what charts depend on.
const CACHED: &str = "dependencies";

/// Helm, for charts of one checkout.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    checkout: Checkout,
    timeout: Duration,
    network: bool,
    cache: Option<Cache>,
    slots: Option<Slots>,
}

impl Helm {
    /// Finds helm: the named program, else `helm` on PATH.
    ///
    /// # Errors
    /// When there is none, or the time in the environment is none.
    pub fn find(checkout: Checkout, program: Option<&Path>) -> Result<Self> {
        let timeout = match std::env::var(TIMEOUT_VARIABLE) {
            Ok(text) => parse_timeout(&text)?,
            Err(_) => TIMEOUT,
        };
        Ok(Self {
            program: find_program(program)?,
            checkout,
            timeout,
            network: true,
            cache: None,
            slots: None,
        })
    }

    /// Pulls a chart of a Helm repository or an OCI registry into a folder; gives the chart's own folder.
    ///
    /// # Errors
    /// When helm fails: no network, no such chart or version, no permission.
    pub fn pull(repo_url: &str, chart: &str, version: &str, into: &Path) -> Result<PathBuf> {
        let program = find_program(None)?;
        let oci = repo_url.starts_with("oci://") || !repo_url.contains("://");
        let reference = if oci {
            format!(
                "oci://{}/{chart}",
                repo_url.trim_start_matches("oci://").trim_end_matches('/')
            )
        } else {
            chart.to_owned()
        };
        let mut arguments: Vec<OsString> = ["pull", &reference, "--version", version, "--untar", "--untardir"]
            .map(Into::into)
            .to_vec();
        arguments.push(into.into());
        if !oci {
            arguments.extend(["--repo".into(), repo_url.into()]);
        }
        let output = duct::cmd(program, arguments)
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()?;
        if !output.status.success() {
            let complaint = complaint::cleaned(&String::from_utf8_lossy(&output.stderr), &[], &[]);
            return Err(
                anyhow!("cannot pull the chart `{chart}` {version} of `{repo_url}`: {complaint}")
                    .hint("check name and version; log in with `helm registry login` or `helm repo add`"),
            );
        }
        let name = chart.rsplit('/').next().unwrap_or(chart);
        Ok(into.join(name))
    }

    /// The same, but what is not in the checkout is not fetched.
    #[must_use]
    pub fn without_network(self) -> Self {
        Self { network: false, ..self }
    }

    /// The same, but what charts depend on is kept in a folder.
    #[must_use]
    fn cached_in(self, folder: &Path) -> Self {
        Self {
            cache: Some(Cache::new(folder.join(CACHED))),
            ..self
        }
    }

    /// The same, but at most so many at a time as [`MAX_VARIABLE`] says, over all processes that are bounded so.
    fn bounded(self) -> Result<Self> {
        Ok(Self {
            slots: Some(Slots::shared()?),
            ..self
        })
    }

    fn arguments(&self, call: &HelmCall, home: &Path) -> Result<Vec<OsString>> {
        let mut arguments: Vec<OsString> = vec!["template".into(), ".".into()];
        for argument in &call.arguments {
            arguments.push(match argument {
                Argument::Text(text) => text.into(),
                Argument::File(path) => list_entry(self.absolute(path)?.as_str()).into(),
                Argument::SetFile(name, path) => file_value(name, self.absolute(path)?.as_str()).into(),
                Argument::Temporary(text) => {
                    // Helm names the file when its text is no YAML; the person knows the parameter.
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

    fn absolute(&self, path: &RepoPath) -> Result<String> {
        let absolute = self.checkout.absolute(path).into_os_string().into_string();
        absolute.map_err(|_| anyhow!("the path of the checkout is not UTF-8"))
    }
}

/// Helm that is looked for only when a chart is rendered: a folder of manifests needs none.
#[derive(Debug)]
pub struct LazyHelm {
    /// The checkout with the charts.
    pub checkout: Checkout,
    /// The program; `helm` on PATH by default.
    pub program: Option<PathBuf>,
    /// Whether dependencies may be fetched.
    pub network: bool,
    /// The folder in which what charts depend on is kept.
    pub cache: Option<PathBuf>,
    /// Whether there are many processes like this one, which shall not run helm all at once.
    pub bounded: bool,
}

impl Templater for LazyHelm {
    fn template(&self, call: &HelmCall) -> Result<String> {
        let mut helm = Helm::find(self.checkout.clone(), self.program.as_deref())?;
        if !self.network {
            helm = helm.without_network();
        }
        if let Some(folder) = &self.cache {
            helm = helm.cached_in(folder);
        }
        if self.bounded {
            helm = helm.bounded()?;
        }
        helm.template(call)
    }
}

impl Templater for Helm {
    fn template(&self, call: &HelmCall) -> Result<String> {
        if let Some(url) = call.fetched_values().filter(|_| !self.network) {
            let what = format!("the value file `{url}` is not available locally");
            return Err(Unavailable::NeedsNetwork { what }.into_error());
        }
        let deadline = Instant::now() + self.timeout;
        // Ends last: a signal that came meanwhile ends the process then, when nothing is left behind.
        let held = Held::new()?;
        let home = Home::new(self, deadline, &held)?;
        let session = Session {
            helm: self,
            home: home.path(),
            deadline,
            held: &held,
            group: Group::of(self),
        };
        let arguments = self.arguments(call, home.path())?;
        let template = |folder: &Path| {
            session.run(Run {
                verb: "template",
                arguments: arguments.clone(),
                folder,
                confidential: &call.confidential,
                variables: Vec::new(),
            })
        };
        if call.dependency_update {
            return template(&dependencies::filled(&session, call, Verb::Update)?);
        }
        template(&self.checkout.absolute(&call.chart)).or_else(|error| {
            if !format!("{error:#}").contains(MISSING_DEPENDENCIES) {
                return Err(error);
            }
            template(&dependencies::filled(&session, call, Verb::Build)?)
        })
    }
}

/// A folder for helm's own files; it goes at the end of this value.
enum Home {
    Own(tempfile::TempDir),
    Slot(Slot),
}

impl Home {
    fn new(helm: &Helm, deadline: Instant, held: &Held) -> Result<Self> {
        let Some(slots) = &helm.slots else {
            let folder = tempfile::Builder::new().prefix("homelab-helm-").tempdir();
            return folder.map(Self::Own).context("cannot make a temporary folder");
        };
        slots.take(deadline, held)?.map(Self::Slot).ok_or_else(|| {
            let (count, seconds) = (slots.count(), helm.timeout.as_secs_f64());
            anyhow!("helm could not be started within {seconds} s: {count} at a time may run, and others came first")
                .hint(format!(
                    "allow more of them with `{MAX_VARIABLE}`, or give the plugin more processors"
                ))
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Slot(slot) => slot.home(),
        }
    }
}

fn find_program(program: Option<&Path>) -> Result<PathBuf> {
    match program {
        Some(program) => which::which(program).map_err(|_| anyhow!("`{}` is not a program", program.display())),
        None => which::which("helm").map_err(|_| {
            let missing = Unavailable::ProgramMissing {
                message: "`helm` is not on PATH".to_owned(),
                hint: "install helm 3 or 4: https://helm.sh/docs/intro/install/".to_owned(),
            };
            missing.into_error()
        }),
    }
}

fn parse_timeout(text: &str) -> Result<Duration> {
    let (number, factor) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60.0),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let seconds = number
        .parse::<f64>()
        .ok()
        .map(|number| number * factor)
        .filter(|seconds| *seconds > 0.0);
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    timeout.ok_or_else(|| {
        anyhow!("`{TIMEOUT_VARIABLE}` is `{text}`, which is no time").hint("write seconds, as `50` or `50s`")
    })
}

#[cfg(test)]
mod tests;
