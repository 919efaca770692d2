//! Charts of Helm repositories and OCI registries that a source names, or the parameter `chart`: pulled, and kept for the next
//! time. What is kept is the packed chart; a run unpacks it once.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use base16ct::lower;
use sha2::{Digest, Sha256};

use super::cache::Cache;
use super::pulled::Pull;
use super::sandbox::Sandbox;
use super::unpacked::unpack;
use super::{Helm, staged};
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::model::{ChartReference, Unavailable};
use crate::process::{Home, SignalGuard, Slots};
use crate::repo::{Files, RepoPath};
use crate::time::Deadline;
use crate::yaml;

/// The start of the names of folders with charts that are unpacked.
const UNPACKED: &str = "homelab-chart-";

/// How charts are pulled.
#[derive(Clone, Debug, Default)]
pub struct ChartOptions {
    /// The helm to run; `helm` on PATH by default.
    pub program: Option<PathBuf>,
    /// The cache in which they are kept.
    pub cache: Option<PathBuf>,
    /// Whether the network may be used.
    pub network: bool,
    /// Whether one without a digest is pulled even if it is kept: its version may mean another one by now.
    pub refresh: bool,
    /// The folder ([`crate::process::slots_folder`]) with which all processes like this one limit how many helms run at a time.
    pub bounded_in: Option<PathBuf>,
}

/// Pulls charts, each at most once for each value.
#[derive(Debug, Default)]
pub struct Charts {
    options: ChartOptions,
    pulled: Mutex<BTreeMap<ChartReference, Cell>>,
}

/// The place of one chart, which one thread at a time fills.
type Cell = Arc<Mutex<Option<Arc<PulledChart>>>>;

/// A chart that was pulled and unpacked. Its files go at the end of this value.
#[derive(Debug)]
pub struct PulledChart {
    /// The chart's folder.
    pub checkout: Checkout,
    /// Its version.
    pub version: String,
    _home: Home,
}

impl Charts {
    /// Returns charts that are pulled so.
    pub fn new(options: ChartOptions) -> Self {
        Self {
            options,
            pulled: Mutex::default(),
        }
    }

    /// Returns a chart. Before it is pulled, `is_worth_it` is asked.
    ///
    /// # Errors
    /// [`Unavailable`] when it is not kept and may not be pulled; any other error when helm fails, or what comes is not what
    /// was asked for.
    pub fn get(
        &self,
        chart: &ChartReference,
        deadline: Deadline,
        is_worth_it: &dyn Fn() -> Result<()>,
    ) -> Result<Arc<PulledChart>> {
        let mut all = self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = Arc::clone(all.entry(chart.clone()).or_default());
        drop(all);
        let mut pulled = cell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pulled) = pulled.as_ref() {
            return Ok(Arc::clone(pulled));
        }
        let new = Arc::new(self.kept_or_pulled(chart, deadline, is_worth_it)?);
        *pulled = Some(Arc::clone(&new));
        Ok(new)
    }

    /// Returns a chart in exactly the version that is asked for.
    ///
    /// # Errors
    /// Those of [`Charts::get`], and when the version is a range: the newest that fits is named.
    pub fn pinned(
        &self,
        chart: &ChartReference,
        deadline: Deadline,
        is_worth_it: &dyn Fn() -> Result<()>,
    ) -> Result<Arc<PulledChart>> {
        let pulled = self.get(chart, deadline, is_worth_it).map_err(|error| {
            let may_be_range = !chart.is_pinned() && crate::failure::find::<Unavailable>(&error).is_some();
            match may_be_range {
                true => error.context(format!(
                    "`chart-version` is `{}`, and one version is needed, as `1.2.3`",
                    chart.version
                )),
                false => error,
            }
        })?;
        if chart.is_version(&pulled.version) {
            return Ok(pulled);
        }
        let (version, newest) = (&chart.version, &pulled.version);
        Err(anyhow!(
            "`chart-version` is `{version}`, which is not one version of the chart `{}`: the newest that fits is `{newest}`",
            chart.name
        )
        .hint(format!("write `{newest}` as `chart-version`")))
    }

    fn kept_or_pulled(
        &self,
        chart: &ChartReference,
        deadline: Deadline,
        is_worth_it: &dyn Fn() -> Result<()>,
    ) -> Result<PulledChart> {
        let cache = self
            .options
            .cache
            .as_ref()
            .map(|cache| Cache::new(cache.join(super::CACHED)));
        let home = Home::temporary(UNPACKED)?;
        let folder = home.path().join("packed");
        let key = key(chart);
        let is_settled = !self.options.refresh || chart.digest.is_some();
        let is_kept = |cache: &Cache| cache.take(&key, &folder);
        if is_settled && cache.as_ref().is_some_and(is_kept) {
            return unpacked(chart, home, &folder);
        }
        if !self.options.network {
            let missing = Unavailable::ChartNotDownloaded {
                chart: chart.name.clone(),
                version: chart.version.clone(),
                url: chart.repository.clone(),
            };
            return Err(is_worth_it().err().unwrap_or_else(|| missing.into_error()));
        }
        is_worth_it()?;
        self.pull(chart, deadline, &folder)?;
        if let Some(cache) = cache {
            cache.replace(&key, &folder);
        }
        unpacked(chart, home, &folder)
    }

    /// Pulls a chart into a folder, packed.
    fn pull(&self, chart: &ChartReference, deadline: Deadline, into: &Path) -> Result<()> {
        // Dropped last, as in a render.
        let signals = SignalGuard::new()?;
        let home = match &self.options.bounded_in {
            Some(folder) => Home::in_slot(
                &Slots::shared_in(folder, "helm", super::MAX_VARIABLE)?,
                deadline,
                &signals,
            )?,
            None => Home::temporary("homelab-helm-run-")?,
        };
        fs::create_dir_all(into).context("cannot make a temporary folder")?;
        let helm = Helm::find(Checkout::open(into)?, self.options.program.as_deref())?;
        let sandbox = Sandbox {
            helm: &helm,
            home: home.path(),
            deadline,
            signals: &signals,
        };
        let printed = pull(chart).run(&sandbox, into)?;
        check_digest(chart, &packed(chart, into)?, &printed)
    }
}

/// Returns what helm has to pull.
fn pull(chart: &ChartReference) -> Pull {
    let version = Some(chart.version.clone());
    match chart.is_in_registry() {
        true => Pull {
            chart: format!("{}/{}", chart.repository.trim_end_matches('/'), chart.name),
            version,
            ..Pull::default()
        },
        false => Pull {
            repository: Some(chart.repository.clone()),
            chart: chart.name.clone(),
            version,
            devel: false,
        },
    }
}

/// Returns the one packed chart in a folder.
fn packed(chart: &ChartReference, folder: &Path) -> Result<PathBuf> {
    let files = staged::packed(folder)?;
    match files.as_slice() {
        [file] => Ok(file.clone()),
        _ => bail!("helm brought no chart {}", pull(chart).shown()),
    }
}

/// Returns the name of what is pulled in the cache.
fn key(chart: &ChartReference) -> String {
    let key = pull(chart).key();
    match &chart.digest {
        Some(digest) => format!("{key}-{digest}"),
        None => key,
    }
}

/// Refuses a chart that has another digest than the one that is asked for. That of a registry's manifest is what helm printed;
/// helm has checked what is below it.
fn check_digest(chart: &ChartReference, packed: &Path, printed: &str) -> Result<()> {
    let Some(wanted) = &chart.digest else { return Ok(()) };
    let own = lower::encode_string(&Sha256::digest(
        fs::read(packed).context("cannot read a temporary file")?,
    ));
    let mut lines = printed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Digest: sha256:"));
    let manifest = lines.next_back().filter(|_| chart.is_in_registry());
    if own == *wanted || manifest == Some(wanted) {
        return Ok(());
    }
    let found = manifest.unwrap_or(&own);
    Err(anyhow!(
        "the chart {} has the digest `sha256:{found}`, and `chart-digest` is another",
        pull(chart).shown()
    )
    .hint("find out who changed the chart; if its new content is wanted, write its digest as `chart-digest`"))
}

/// Unpacks a chart in its home.
fn unpacked(chart: &ChartReference, home: Home, folder: &Path) -> Result<PulledChart> {
    let shown = || format!("the chart {}", pull(chart).shown());
    let folder = unpack(&packed(chart, folder)?, &home.path().join("unpacked")).with_context(shown)?;
    let checkout = Checkout::open(&folder)?;
    let version = version(&checkout).with_context(|| format!("{} has no version in its `Chart.yaml`", shown()))?;
    Ok(PulledChart {
        checkout,
        version,
        _home: home,
    })
}

/// Returns the version in a chart's `Chart.yaml`.
fn version(chart: &Checkout) -> Option<String> {
    let bytes = chart.read(&RepoPath::new("Chart.yaml").ok()?).ok()??;
    let metadata = yaml::value(std::str::from_utf8(&bytes).ok()?).ok()??;
    Some(metadata.get("version")?.as_str()?.to_owned())
}
