//! The door to helm: `helm template` as Argo CD runs it, with folders of its own, no kubeconfig, no standard input and a
//! deadline; `helm pull` with the person's own login.
#![expect(clippy::disallowed_methods, reason = "the door to helm")]

mod complaint;
mod leftovers;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::render::helm_arguments::{file_value, list_entry};
use crate::render::{Argument, HelmCall, NeedsNetwork, Templater};
use crate::repo::RepoPath;

/// Environment variable: how long helm may take, in seconds or as `50s`, `2m`.
pub const TIMEOUT_VARIABLE: &str = "HOMELAB_HELM_TIMEOUT";
/// How long helm may take without that variable: below the 60 s after which Argo CD gives up on a plugin
/// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#timeouts-and-errors)).
const TIMEOUT: Duration = Duration::from_secs(50);
/// How far helm's heap may grow before Go collects garbage, in percent: a run is short, and a fifth of it goes into collecting
/// at Go's default of 100. An environment that says `GOGC` is asked first
/// ([source](https://go.dev/doc/gc-guide#GOGC)).
const COLLECT_LATE: &str = "400";
/// What helm says of a chart whose dependencies are not in `charts/`; Argo CD then builds them, once.
const MISSING_DEPENDENCIES: &str = ", but missing in charts/ directory";

/// Helm, for charts of one checkout.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    checkout: Checkout,
    timeout: Duration,
    network: bool,
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
}

impl Templater for LazyHelm {
    fn template(&self, call: &HelmCall) -> Result<String> {
        let helm = Helm::find(self.checkout.clone(), self.program.as_deref())?;
        if self.network { helm } else { helm.without_network() }.template(call)
    }
}

impl Templater for Helm {
    fn template(&self, call: &HelmCall) -> Result<String> {
        if let Some(url) = call.fetched_values().filter(|_| !self.network) {
            return Err(NeedsNetwork(format!("the value file `{url}` is not at hand")).into());
        }
        let home = tempfile::Builder::new()
            .prefix("homelab-helm-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let session = Session {
            helm: self,
            chart: self.checkout.absolute(&call.chart),
            home: home.path(),
            confidential: &call.confidential,
            deadline: Instant::now() + self.timeout,
        };
        let before = leftovers::Before::of(&self.checkout, &call.chart)?;
        let arguments = self.arguments(call, home.path())?;
        let result = session.run("template", arguments.clone()).or_else(|error| {
            if !format!("{error:#}").contains(MISSING_DEPENDENCIES) {
                return Err(error);
            }
            session.build_dependencies(call)?;
            session.run("template", arguments)
        });
        before.restore(&self.checkout, &call.chart)?;
        result
    }
}

/// Helm at work on one chart: its folders, and the time by which all its runs have to end.
struct Session<'h> {
    helm: &'h Helm,
    chart: PathBuf,
    home: &'h Path,
    confidential: &'h [String],
    deadline: Instant,
}

impl Session<'_> {
    /// Fills `charts/` as Argo CD does: helm has to know a repository before it takes what a lock file names from it.
    fn build_dependencies(&self, call: &HelmCall) -> Result<()> {
        let is_remote = |repository: &&String| !repository.starts_with("file://");
        if let Some(repository) = call.dependencies.iter().find(is_remote).filter(|_| !self.helm.network) {
            let why = format!("the chart's dependencies from `{repository}` are not in its folder `charts/`");
            return Err(NeedsNetwork(why).into());
        }
        let vendored = "the chart's dependencies are not vendored in its folder `charts/`";
        let is_http = |repository: &&String| repository.starts_with("https://") || repository.starts_with("http://");
        for (number, url) in call.dependencies.iter().filter(is_http).enumerate() {
            let name = format!("dependency-{number}");
            let arguments = ["repo", "add", &name, url].map(OsString::from);
            self.run("repo add", arguments.to_vec()).context(vendored)?;
        }
        let arguments = ["dependency", "build"].map(OsString::from);
        self.run("dependency build", arguments.to_vec()).context(vendored)?;
        Ok(())
    }

    /// Standard output of helm, which is called `verb` in messages.
    fn run(&self, verb: &str, arguments: Vec<OsString>) -> Result<String> {
        let command = self.clean(duct::cmd(&self.helm.program, arguments));
        #[cfg(unix)]
        let command = command.before_spawn(|command| {
            std::os::unix::process::CommandExt::process_group(command, 0);
            Ok(())
        });
        let handle = command.start().map_err(|error| anyhow!("cannot start helm: {error}"))?;
        let Some(output) = handle.wait_deadline(self.deadline)? else {
            kill_group(&handle);
            return Err(
                anyhow!("helm {verb} did not end within {} s", self.helm.timeout.as_secs_f64()).hint(format!(
                    "give it more time with `{TIMEOUT_VARIABLE}`, below Argo CD's own limit of 60 s"
                )),
            );
        };
        // Whatever helm left running goes with it.
        kill_group(&handle);
        if !output.status.success() {
            let private = [self.home, self.helm.checkout.root()].map(|path| path.display().to_string());
            let complaint = complaint::cleaned(&String::from_utf8_lossy(&output.stderr), &private, self.confidential);
            match output.status.code() {
                Some(_) => bail!("helm {verb} failed: {complaint}"),
                None => bail!("helm {verb} was killed before it ended"),
            }
        }
        String::from_utf8(output.stdout.clone()).map_err(|_| anyhow!("helm {verb} printed something that is not UTF-8"))
    }

    /// The command in the chart's folder, with folders of its own and nothing of the person's Helm and Kubernetes.
    fn clean(&self, command: duct::Expression) -> duct::Expression {
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
        let late = ("GOGC".into(), COLLECT_LATE.into());
        let environment: BTreeMap<OsString, OsString> = std::iter::once(late).chain(kept).chain(folders).collect();
        command
            .full_env(environment)
            .dir(&self.chart)
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
    }
}

fn find_program(program: Option<&Path>) -> Result<PathBuf> {
    match program {
        Some(program) => which::which(program).map_err(|_| anyhow!("`{}` is not a program", program.display())),
        None => which::which("helm").map_err(|_| {
            anyhow!("`helm` is not on PATH").hint("install helm 3 or 4: https://helm.sh/docs/intro/install/")
        }),
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
