//! This program in helm's place: what kustomize runs for `helmCharts`.
//!
//! Kustomize starts one program for all that it wants of helm: `version --short`, `pull` and `template`. It gets a link to this
//! program whose name decides what `main` does; beside the link lie the settings of the render, and the program puts there
//! what kustomize would not pass on: remarks, and why it failed. The sidecar has no shell that a script could run in.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

mod report;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use self::report::Reports;
use super::pulled::Pull;
use super::sandbox::{Invocation, Sandbox};
use super::{Helm, LazyHelm, MAX_VARIABLE, PLAIN_HTTP_VARIABLE, REMOTE_SCHEMAS_VARIABLE, repositories, schemas};
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::process::{Home, SignalGuard};
use crate::render::confidential::Confidential;
use crate::render::{HelmCall, Tree};
use crate::repo::RepoPath;
use crate::time::Deadline;

pub use self::report::Report;

/// The name of the link to this program.
const NAME: &str = "homelab-in-place-of-helm";
/// The settings of the render, beside the link.
const SETTINGS: &str = "in-place-of-helm.json";
/// The longest time that a render may take which has no deadline.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The variables that decide how helm runs, which kustomize passes on.
const OWN_VARIABLES: [&str; 4] = [MAX_VARIABLE, PLAIN_HTTP_VARIABLE, REMOTE_SCHEMAS_VARIABLE, "GOGC"];
/// What an older kustomize asks for, which takes helm 3 only; both are run in the same way.
const OLD_VERSION: &str = "-c";

/// A folder in which kustomize finds this program as its helm.
#[derive(Debug)]
pub struct Substitute {
    folder: PathBuf,
    program: PathBuf,
}

impl Substitute {
    /// Puts the program into a folder that lasts as long as kustomize runs, for renders with this helm: its checkout is what
    /// kustomize builds. Everything has to end at the deadline.
    ///
    /// # Errors
    /// When the system refuses, or a path is not UTF-8.
    pub fn in_folder(folder: &Path, helm: &LazyHelm, deadline: Deadline) -> Result<Self> {
        let until = SystemTime::now() + deadline.left(LONGEST);
        let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let settings = json!({
            "checkout": text(helm.checkouts.source.root())?,
            "program": helm.program.as_deref().map(text).transpose()?,
            "network": helm.network,
            "cache": helm.cache.as_deref().map(text).transpose()?,
            "boundedIn": helm.bounded_in.as_deref().map(text).transpose()?,
            "until": u64::try_from(until.as_millis()).unwrap_or(u64::MAX),
        });
        std::fs::write(folder.join(SETTINGS), settings.to_string()).context("cannot write a temporary file")?;
        Ok(Self {
            folder: folder.to_owned(),
            program: link(folder).context("cannot put this program into a temporary folder")?,
        })
    }

    /// Returns the program for `--helm-command`.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the variables with which it finds the user's logins, for the environment of kustomize.
    pub fn variables() -> impl Iterator<Item = (OsString, OsString)> {
        let own = OWN_VARIABLES.into_iter();
        let own = own.filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
        let repositories = [repositories::repository_variable()];
        repositories::registry_variables().chain(repositories).chain(own)
    }

    /// Refuses a chart, by its repository, name and version, for which kustomize would start it in vain: it has an exact version, is
    /// not kept, and the network may not be used.
    ///
    /// # Errors
    /// What it would report.
    pub fn check_kept(helm: &LazyHelm, (repository, name, version): (&str, &str, &str)) -> Result<()> {
        pull_of(repository, name, version).check_kept(&helm.found()?)
    }

    /// Returns the folder of a chart, as [`Self::check_kept`] gets it, in a cache.
    #[cfg(test)]
    pub fn kept_in(cache: &Path, (repository, name, version): (&str, &str, &str)) -> PathBuf {
        cache.join(super::CACHED).join(pull_of(repository, name, version).key())
    }

    /// Returns what was reported.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn report(&self) -> Result<Report> {
        Reports::of(&self.folder).read()
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the path of a temporary folder is not UTF-8")
}

#[cfg(unix)]
fn link(folder: &Path) -> std::io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // As long as this process lives its program can be had there, even where it was replaced meanwhile.
    let own = match own.exists() {
        true => own,
        false => PathBuf::from(format!("/proc/{}/exe", std::process::id())),
    };
    let link = folder.join(NAME);
    std::os::unix::fs::symlink(own, &link)?;
    Ok(link)
}

#[cfg(not(unix))]
fn link(folder: &Path) -> std::io::Result<PathBuf> {
    let copy = folder.join(format!("{NAME}.exe"));
    let own = std::env::current_exe()?;
    std::fs::hard_link(&own, &copy).or_else(|_| std::fs::copy(&own, &copy).map(drop))?;
    Ok(copy)
}

/// Runs in helm's place where this program was started as that; returns what goes to standard output.
pub fn run_in_place(program: &OsStr, arguments: impl IntoIterator<Item = OsString>) -> Option<Result<String>> {
    let program = Path::new(program);
    if program.file_stem() != Some(OsStr::new(NAME)) {
        return None;
    }
    let folder = program.parent().unwrap_or(Path::new(""));
    let reports = Reports::of(folder);
    let result = run(folder, &reports, arguments.into_iter().collect());
    if let Err(error) = &result {
        reports.failed(error);
    }
    Some(result)
}

fn run(folder: &Path, reports: &Reports, arguments: Vec<OsString>) -> Result<String> {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    if words.len() != arguments.len() {
        return Err(anyhow!("kustomize gives helm a path that is not UTF-8"));
    }
    match words.split_first() {
        // Kustomize reads the first number only.
        Some((&"version", rest)) if rest.contains(&OLD_VERSION) => Ok("v3.0.0\n".to_owned()),
        Some((&"version", _)) => Ok("v4.0.0\n".to_owned()),
        Some((&"pull", rest)) => pull(&InPlace::read(folder)?, reports, rest),
        Some((&"template", _)) => template(&InPlace::read(folder)?, reports, &words),
        _ => Err(anyhow!(
            "kustomize asks helm for `{}`, which is not known here",
            words.first().unwrap_or(&"")
        )),
    }
}

/// The settings of a render.
struct InPlace {
    folder: PathBuf,
    helm: LazyHelm,
    deadline: Deadline,
}

impl InPlace {
    fn read(folder: &Path) -> Result<Self> {
        let unreadable = "cannot read the settings beside this program; it is for kustomize alone";
        let bytes = std::fs::read(folder.join(SETTINGS)).context(unreadable)?;
        let settings: Value = serde_json::from_slice(&bytes).context(unreadable)?;
        let path = |name: &str| settings[name].as_str().map(PathBuf::from);
        let is = |name: &str| settings[name].as_bool().unwrap_or_default();
        let until = SystemTime::UNIX_EPOCH + Duration::from_millis(settings["until"].as_u64().unwrap_or_default());
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        Ok(Self {
            folder: folder.to_owned(),
            helm: LazyHelm {
                checkouts: Checkout::open(&path("checkout").context(unreadable)?)?.into(),
                program: path("program"),
                network: is("network"),
                cache: path("cache"),
                bounded_in: path("boundedIn"),
                deadline: None,
            },
            deadline: Deadline::after(left.max(Duration::from_millis(1))),
        })
    }

    /// Runs helm, in a folder of its own and when its turn comes.
    fn with_helm<T>(&self, helm: &Helm, run: impl FnOnce(&Sandbox<'_>) -> Result<T>) -> Result<T> {
        let signals = SignalGuard::new()?;
        let home = match &helm.slots {
            Some(slots) => Home::in_slot(slots, self.deadline, &signals)?,
            None => Home::temporary("homelab-helm-run-")?,
        };
        run(&Sandbox {
            helm,
            home: home.path(),
            deadline: self.deadline,
            signals: &signals,
        })
    }
}

fn pull(in_place: &InPlace, reports: &Reports, words: &[&str]) -> Result<String> {
    let (pull, into) = read_pull(words)?;
    let helm = in_place.helm.found()?;
    let aside = tempfile::Builder::new().prefix("chart-").tempdir_in(&in_place.folder);
    let aside = aside.context("cannot make a temporary folder")?;
    let run = |into: &Path| in_place.with_helm(&helm, |sandbox| pull.run(sandbox, into).map(drop));
    pull.put_into(&helm, &into, aside.path(), run)?;
    if !pull.is_pinned() {
        reports.unsettled();
        let what = pull.shown();
        reports.note(&match helm.network {
            true => format!("the chart {what} has no exact version: it is fetched for every render"),
            false => format!("the chart {what} has no exact version: the one that was fetched last is taken"),
        });
    }
    Ok(String::new())
}

/// Returns the pull that kustomize asks for where a kustomization names this chart
/// ([source](https://github.com/kubernetes-sigs/kustomize/blob/master/api/internal/builtins/HelmChartInflationGenerator.go),
/// `pullCommand`).
fn pull_of(repository: &str, name: &str, version: &str) -> Pull {
    let of_registry = repository.starts_with("oci://");
    Pull {
        repository: (!of_registry).then(|| repository.to_owned()),
        chart: match of_registry {
            true => format!("{}/{name}", repository.strip_suffix('/').unwrap_or(repository)),
            false => name.to_owned(),
        },
        version: (!version.is_empty()).then(|| version.to_owned()),
        devel: false,
    }
}

/// Reads the arguments that kustomize gives to `pull`.
fn read_pull(words: &[&str]) -> Result<(Pull, PathBuf)> {
    let (mut pull, mut into) = (Pull::default(), None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--untar" => {}
            "--devel" => pull.devel = true,
            "--untardir" => into = words.next().map(PathBuf::from),
            "--repo" => pull.repository = words.next().map(|url| (*url).to_owned()),
            "--version" => pull.version = words.next().map(|version| (*version).to_owned()),
            option if option.starts_with('-') => {
                return Err(anyhow!(
                    "kustomize gives `helm pull` the option `{option}`, which is not known here"
                ));
            }
            chart => pull.chart = chart.to_owned(),
        }
    }
    let into = into.context("kustomize names no folder for a chart")?;
    Ok((pull, into))
}

fn template(in_place: &InPlace, reports: &Reports, words: &[&str]) -> Result<String> {
    let helm = in_place.helm.found()?;
    let call = call(&in_place.helm.checkouts.source, words)?;
    let notes = schemas::unchecked(&call, &helm.checkouts.source, helm.network, helm.remote_schemas)?;
    if schemas::are_fetched(&call, &helm.checkouts.source, helm.network)? {
        reports.unsettled();
    }
    let mut arguments: Vec<OsString> = words.iter().map(Into::into).collect();
    arguments.extend((!notes.is_empty()).then(|| "--skip-schema-validation".into()));
    notes.iter().for_each(|note| reports.note(note));
    // Kustomize names them, and a user may name others in `helmGlobals.configHome`. That of plugins is not taken from there:
    // a repository must not bring programs.
    let homes = ["HELM_CONFIG_HOME", "HELM_CACHE_HOME"];
    let variables = homes
        .into_iter()
        .filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    in_place.with_helm(&helm, |sandbox| {
        let text = sandbox.run(Invocation {
            verb: "template",
            arguments,
            folder: helm.checkouts.source.root(),
            confidential: &call.confidential,
            variables: variables.collect(),
        });
        text.map_err(|error| {
            let name = words.iter().find_map(|word| chart_folder(word)).unwrap_or_default();
            error
                .hinted_for(&call)
                .context(format!("the chart `{name}` of `helmCharts` does not render"))
        })
    })
}

/// Returns the name of a chart by the path of its folder.
fn chart_folder(word: &str) -> Option<&str> {
    let path = Path::new(word);
    path.join("Chart.yaml").exists().then(|| path.file_name()?.to_str())?
}

/// Returns the call with what decides how its schemas are read, and what no message may show.
fn call(checkout: &Checkout, words: &[&str]) -> Result<HelmCall> {
    let chart = words.iter().find(|word| chart_folder(word).is_some());
    let chart = chart.ok_or_else(|| {
        anyhow!("kustomize names a chart that is no chart: it has no `Chart.yaml`")
            .hint("correct `name` and `helmGlobals.chartHome`")
    })?;
    let mut confidential = Confidential::default();
    let mut after = words.iter().skip_while(|word| **word != "template");
    while let Some(word) = after.next() {
        let file = match word.strip_prefix("--values=") {
            Some(file) => Some(file),
            None if ["-f", "--values"].contains(word) => after.next().copied(),
            None => None,
        };
        if let Some(text) = file.and_then(|file| std::fs::read_to_string(file).ok()) {
            confidential.add_secrets(text);
        }
    }
    Ok(HelmCall {
        tree: Tree::Source,
        chart: checkout.relative(Path::new(chart)).unwrap_or_else(|_| RepoPath::root()),
        arguments: Vec::new(),
        confidential,
        dependency_update: false,
        skip_schema_validation: words.contains(&"--skip-schema-validation"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_a_pull_are_read() {
        let read = |words: &str| read_pull(&words.split(' ').collect::<Vec<_>>());
        let (pull, into) =
            read("--untar --untardir /a/charts/lib-1.2.3 --repo https://c.example lib --version 1.2.3").unwrap();
        assert_eq!(into, Path::new("/a/charts/lib-1.2.3"));
        assert_eq!(pull.shown(), "`lib` 1.2.3 of `https://c.example`");
        let (pull, _) = read("--untar --untardir /a oci://r.example/lib --devel").unwrap();
        assert!(pull.devel && pull.repository.is_none());
        assert!(read("--untar lib").is_err());
        assert!(read("--untardir /a lib --unknown").is_err());
    }

    #[test]
    fn a_chart_is_pulled_as_kustomize_asks_for_it() {
        for (repository, words) in [
            (
                "https://c.example",
                "--untardir /a --repo https://c.example lib --version 1.2.3",
            ),
            (
                "oci://r.example/charts",
                "--untardir /a oci://r.example/charts/lib --version 1.2.3",
            ),
            (
                "oci://r.example/charts/",
                "--untardir /a oci://r.example/charts/lib --version 1.2.3",
            ),
        ] {
            let (asked, _) = read_pull(&words.split(' ').collect::<Vec<_>>()).unwrap();
            assert_eq!(pull_of(repository, "lib", "1.2.3"), asked, "{repository}");
        }
    }

    #[test]
    fn a_chart_that_is_not_kept_is_refused_as_its_pull_is() {
        let folder = tempfile::tempdir().unwrap();
        let helm = |network: bool| LazyHelm {
            checkouts: Checkout::open(folder.path()).unwrap().into(),
            program: Some(std::env::current_exe().unwrap()),
            network,
            cache: Some(folder.path().join("cache")),
            bounded_in: None,
            deadline: None,
        };
        let chart = ("oci://r.example/charts", "lib", "1.2.3");
        let refused = |version: &'static str, network: bool| {
            Substitute::check_kept(&helm(network), (chart.0, chart.1, version)).err()
        };
        let pulled = pull_of(chart.0, chart.1, chart.2).put_into(
            &helm(false).found().unwrap(),
            folder.path(),
            &folder.path().join("aside"),
            |_| unreachable!("the network may not be used"),
        );
        let [refused_early, pulled] =
            [refused("1.2.3", false), pulled.err()].map(|error| crate::failure::Failure::from(error.unwrap()));
        assert_eq!(refused_early.one_line(), pulled.one_line());
        assert_eq!(refused_early.hints, pulled.hints);
        assert!(refused("1.2.3", true).is_none() && refused("^1.2.3", false).is_none() && refused("", false).is_none());
        std::fs::create_dir_all(Substitute::kept_in(&folder.path().join("cache"), chart)).unwrap();
        assert!(refused("1.2.3", false).is_none());
    }

    #[test]
    fn kustomize_hears_a_version_that_it_takes() {
        let (folder, words) = (tempfile::tempdir().unwrap(), |words: &str| {
            words.split(' ').map(OsString::from).collect()
        });
        let reports = Reports::of(folder.path());
        let run = |line: &str| run(folder.path(), &reports, words(line));
        assert_eq!(run("version --short").unwrap(), "v4.0.0\n");
        assert_eq!(run("version -c --short").unwrap(), "v3.0.0\n");
        assert!(run("push a").unwrap_err().to_string().contains("`push`"));
        assert!(
            run("pull --untar")
                .unwrap_err()
                .to_string()
                .contains("for kustomize alone")
        );
    }

    #[test]
    fn only_the_link_runs_in_helms_place() {
        assert!(run_in_place(OsStr::new("/usr/bin/kubectl-homelab"), []).is_none());
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join(NAME);
        let failed = run_in_place(link.as_os_str(), ["x".into()]).unwrap().unwrap_err();
        let reported = Reports::of(folder.path()).read().unwrap().failure.unwrap();
        assert_eq!(reported.to_string(), failed.to_string());
    }
}
