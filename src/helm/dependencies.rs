//! Fills a chart's folder `charts/` with what the chart depends on: from the cache, or built by helm as Argo CD has it built.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use base16ct::lower;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::digests;
use super::error::{SkippedDownload, Subject, skipped_download};
use super::repositories::{self, Repositories, is_remote};
use super::sandbox::{Invocation, Sandbox};
use super::staged::{self, Staged};
use crate::failure::HintExt;
use crate::masking::without_logins;
use crate::model::Unavailable;
use crate::render::HelmCall;
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// The version of the cache's content; it changes whenever entries are made differently.
const GENERATION: &str = "1";

/// The versions of dependencies that helm takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The versions in the lock file; without one as [`Mode::Update`].
    Build,
    /// The newest that `Chart.yaml` allows.
    Update,
}

/// The dependencies of a chart.
struct Dependencies {
    /// The list in the chart.
    list: Value,
    /// The list in the lock file, which helm uses.
    locked: Value,
    lock: Option<Vec<u8>>,
}

impl Dependencies {
    /// Reads them from `Chart.yaml` and `Chart.lock`, or an old chart's `requirements.yaml` and `requirements.lock`.
    fn of(files: &dyn Files, chart: &RepoPath) -> Result<Self> {
        let read = |name: &str| files.read(&chart.join(name)?);
        let tree = |name: &str, bytes: Option<&[u8]>| -> Result<Value> {
            let text =
                std::str::from_utf8(bytes.unwrap_or_default()).with_context(|| format!("`{name}` is not UTF-8"))?;
            let tree = yaml::value(text).map_err(|error| anyhow!("`{name}` cannot be read: {error}"))?;
            Ok(folded(tree.unwrap_or_default()))
        };
        let mut metadata = tree("Chart.yaml", read("Chart.yaml")?.as_deref())?;
        let old = if metadata["apiversion"] == "v2" {
            None
        } else {
            read("requirements.yaml")?
        };
        let lock = if let Some(old) = old {
            metadata = tree("requirements.yaml", Some(&old))?;
            "requirements.lock"
        } else {
            "Chart.lock"
        };
        let (name, lock) = (lock, read(lock)?);
        Ok(Self {
            list: metadata["dependencies"].clone(),
            locked: tree(name, lock.as_deref())?["dependencies"].clone(),
            lock,
        })
    }

    /// Returns the dependencies of the chart, and those of the lock file.
    fn all(&self) -> impl Iterator<Item = &Value> {
        let lists = [&self.list, &self.locked].into_iter();
        lists.filter_map(Value::as_array).flatten()
    }

    fn repositories(&self) -> Vec<&str> {
        self.all()
            .map(|dependency| dependency["repository"].as_str().unwrap_or_default())
            .collect()
    }

    /// Returns the folders of the checkout that the chart depends on. Helm itself would follow any `file://`.
    fn folders(&self, chart: &RepoPath) -> Result<Vec<RepoPath>> {
        let local = self
            .all()
            .filter_map(|dependency| Some((dependency, dependency["repository"].as_str()?.strip_prefix("file://")?)));
        let folders = local.map(|(dependency, path)| {
            let outside = || {
                let name = dependency["name"].as_str().unwrap_or_default();
                anyhow!("the dependency `{name}` in `file://{path}` is outside the repository")
                    .hint("write a path from the chart, as `file://../lib`")
            };
            if path.starts_with('/') {
                return Err(outside());
            }
            chart.join(path).map_err(|_| outside())
        });
        let mut folders = folders.collect::<Result<Vec<_>>>()?;
        folders.sort();
        folders.dedup();
        Ok(folders)
    }
}

/// Returns the tree with its keys in lower case: helm takes them in any case.
fn folded(tree: Value) -> Value {
    match tree {
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(key, value)| (key.to_lowercase(), folded(value)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.into_iter().map(folded).collect(),
        other => other,
    }
}

/// Returns the addresses that the names of repositories stand for in the user's configuration.
pub(super) fn places(files: &dyn Files, chart: &RepoPath) -> Result<Vec<String>> {
    let dependencies = Dependencies::of(files, chart)?;
    let named = dependencies.repositories();
    if !named.iter().any(|named| is_remote(named)) {
        return Ok(Vec::new());
    }
    let repositories = Repositories::of(&named)?;
    Ok(named.iter().map(|named| repositories.url(named).to_owned()).collect())
}

/// Returns the folders of the checkout that a chart depends on.
pub(super) fn folders(files: &dyn Files, chart: &RepoPath) -> Result<Vec<RepoPath>> {
    Dependencies::of(files, chart)?.folders(chart)
}

/// A copy of a chart with all that it depends on.
pub(super) struct Filled {
    /// Its folder.
    pub(super) chart: PathBuf,
    /// Whether the same versions are taken the next time.
    pub(super) is_settled: bool,
}

/// Makes a copy of the chart with all that it depends on.
///
/// # Errors
/// When helm fails, the network is needed and may not be used, or a dependency is outside the checkout.
pub(super) fn filled(sandbox: &Sandbox<'_>, call: &HelmCall, mode: Mode) -> Result<Filled> {
    let checkout = sandbox.helm.checkouts.get(&call.tree)?;
    let dependencies = Dependencies::of(checkout, &call.chart)?;
    let named = dependencies.repositories();
    let repositories = Repositories::of(&named)?;

    let mut copy = Staged::new(checkout, sandbox.checkout_copy());
    let mut local = Sha256::new();
    copy.copy(&call.chart, &mut Sha256::new())?;
    for folder in dependencies.folders(&call.chart)? {
        copy.copy(&folder, &mut local)
            .hint("the dependency's `repository` is a path from the chart")?;
    }
    let chart = copy.path(&call.chart);
    let charts = chart.join("charts");
    let is_remote_at_all = named.iter().any(|named| is_remote(named));
    let filled = Filled {
        is_settled: !is_remote_at_all || mode == Mode::Build && dependencies.lock.is_some(),
        chart: chart.clone(),
    };
    // Charts in the folder itself stay: helm only compares their versions.
    let has_own = named.contains(&"");
    if !has_own {
        staged::remove_packed(&charts)?;
    }

    let cache = sandbox.helm.cache.as_ref().filter(|_| mode == Mode::Build && !has_own);
    let entry = cache.zip(key(&dependencies, &repositories, local));
    if entry.as_ref().is_some_and(|(cache, key)| cache.take(key, &charts)) {
        return Ok(filled);
    }
    if let Some(repository) = named
        .iter()
        .find(|named| is_remote(named))
        .filter(|_| !sandbox.helm.network)
    {
        let repository = without_logins(repository);
        let why = match mode {
            Mode::Build => format!("the chart's dependencies from `{repository}` are not in its folder `charts/`"),
            Mode::Update => format!("`dependency-update` asks `{repository}` for the newest dependencies"),
        };
        return Err(Unavailable::NeedsNetwork { what: why }.into_error());
    }
    build(sandbox, call, mode, &chart, &repositories)?;
    digests::check(&charts, &sandbox.indexes())?;
    if let Some((cache, key)) = entry {
        cache.keep(&key, &charts);
    }
    Ok(filled)
}

/// Returns the name of what helm would build, when that is settled: by a lock file, and by the content of all that is in
/// the checkout.
fn key(dependencies: &Dependencies, repositories: &Repositories, local: Sha256) -> Option<String> {
    let lock = dependencies.lock.as_deref()?;
    let urls: Vec<&str> = dependencies
        .repositories()
        .into_iter()
        .map(|named| repositories.url(named))
        .collect();
    let (list, urls, local) = (
        dependencies.list.to_string(),
        urls.join("\n"),
        lower::encode_string(&local.finalize()),
    );
    let mut digest = Sha256::new();
    for part in [
        GENERATION.as_bytes(),
        lock,
        list.as_bytes(),
        urls.as_bytes(),
        local.as_bytes(),
    ] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    Some(lower::encode_string(&digest.finalize()))
}

fn build(sandbox: &Sandbox<'_>, call: &HelmCall, mode: Mode, chart: &Path, repositories: &Repositories) -> Result<()> {
    repositories.write(&sandbox.repository_configuration())?;
    let (words, why) = match mode {
        Mode::Build => (
            "build",
            "the chart's dependencies are not vendored in its folder `charts/`",
        ),
        Mode::Update => ("update", "the chart's dependencies cannot be updated"),
    };
    let mut arguments = vec!["dependency".into(), words.into()];
    if repositories.is_plain_http {
        arguments.push("--plain-http".into());
    }
    let mut confidential = call.confidential.clone();
    confidential.add(repositories.logins());
    let built = sandbox.run(Invocation {
        verb: &format!("dependency {words}"),
        arguments,
        folder: chart,
        confidential: &confidential,
        variables: repositories::registry_variables().collect(),
    });
    let printed = built.map_err(|error| match error.subject() {
        Subject::LockOutOfSync => anyhow!("the chart's lock file is out of sync with the dependencies in `Chart.yaml`")
            .hint("run `helm dependency update` in the chart and commit the lock file"),
        _ => not_built(error.hinted(), why),
    })?;
    match skipped_download(&printed) {
        Some(SkippedDownload { file, reason }) => Err(not_built(
            anyhow!("what was downloaded as `{file}` is not a chart: {reason}"),
            why,
        )),
        None => Ok(()),
    }
}

fn not_built(error: anyhow::Error, why: &'static str) -> anyhow::Error {
    error.context(why).hint(
        "vendor them with `helm dependency build`, or let the plugin reach them: see \"Private charts\" in the README",
    )
}
