//! Pulls a chart of a Helm repository or an OCI registry, and keeps it packed for the next render: what has an exact
//! version is pulled once.

use std::path::Path;

use anyhow::{Result, anyhow};
use base16ct::lower;
use sha2::{Digest, Sha256};

use super::Helm;
use super::digests;
use super::error::HelmError;
use super::repositories::{self, Repositories};
use super::sandbox::{Invocation, Sandbox};
use super::staged::packed;
use super::unpacked::unpack;
use crate::failure::HintExt;
use crate::masking::without_logins;
use crate::model::{Unavailable, version};
use crate::render::confidential::Confidential;

/// The version of the cache's content; it changes whenever entries are made differently.
const GENERATION: &str = "chart 1";

/// A chart to pull.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pull {
    /// The URL of the chart repository; `None` where the chart is an `oci://` URL.
    pub(super) repository: Option<String>,
    /// The chart's name, or its `oci://` URL.
    pub(super) chart: String,
    /// The version, or a constraint on it.
    pub(super) version: Option<String>,
    /// Whether versions in development count as well.
    pub(super) devel: bool,
}

impl Pull {
    /// Reports whether the next pull gives the same chart.
    pub(super) fn is_pinned(&self) -> bool {
        self.version.as_deref().is_some_and(version::is_exact)
    }

    /// Returns the name of the chart without its registry, and where it comes from.
    fn name_and_place(&self) -> (&str, &str) {
        let place = self.repository.as_deref();
        match (place, self.chart.rsplit_once('/')) {
            (Some(place), _) => (&self.chart, place),
            (None, Some((place, name))) => (name, place),
            (None, None) => (&self.chart, ""),
        }
    }

    /// Returns the chart as a message names it.
    pub(super) fn shown(&self) -> String {
        let (name, place) = self.name_and_place();
        let version = self.version.as_deref().map(|version| format!(" {version}"));
        let place = without_logins(place);
        format!("`{name}`{} of `{place}`", version.unwrap_or_default())
    }

    /// Returns the name of what is pulled in the cache.
    pub(super) fn key(&self) -> String {
        let mut digest = Sha256::new();
        let [repository, version] = [&self.repository, &self.version].map(|text| text.as_deref().unwrap_or_default());
        for part in [
            GENERATION,
            repository,
            &self.chart,
            version,
            if self.devel { "devel" } else { "" },
        ] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        lower::encode_string(&digest.finalize())
    }

    /// Refuses a chart whose pull is certain to fail: of an exact version, not in the cache, and without the network.
    ///
    /// # Errors
    /// That of the pull.
    pub(super) fn check_kept(&self, helm: &Helm) -> Result<()> {
        let is_kept = || helm.cache.as_ref().is_some_and(|cache| cache.has(&self.key()));
        match helm.network || !self.is_pinned() || is_kept() {
            true => Ok(()),
            false => Err(self.missing().into_error()),
        }
    }

    /// Returns that the chart is not in the cache.
    fn missing(&self) -> Unavailable {
        let (chart, url) = self.name_and_place();
        Unavailable::ChartNotDownloaded {
            chart: chart.to_owned(),
            version: self.version.clone().unwrap_or_default(),
            url: url.to_owned(),
        }
    }

    /// Unpacks the chart below a folder: from the cache, or pulled into `aside` first.
    ///
    /// # Errors
    /// [`Unavailable`] when the network is needed and may not be used; any other when helm fails, or what it brings is no
    /// chart.
    pub(super) fn put_into(
        &self,
        helm: &Helm,
        below: &Path,
        aside: &Path,
        run: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let (key, network, cache) = (self.key(), helm.network, helm.cache.as_ref());
        let is_fetched = network && !self.is_pinned();
        let is_there = !is_fetched && cache.is_some_and(|cache| cache.take(&key, aside));
        if !is_there {
            if !network {
                return Err(self.missing().into_error());
            }
            run(aside)?;
        }
        let packed = packed(aside)?;
        let [chart] = packed.as_slice() else {
            return Err(anyhow!("helm brought no chart {}", self.shown()));
        };
        unpack(chart, below)?;
        if let Some(cache) = cache.filter(|_| !is_there) {
            cache.replace(&key, aside);
        }
        Ok(())
    }

    /// Pulls the chart into a folder, packed; returns what helm printed.
    pub(super) fn run(&self, sandbox: &Sandbox<'_>, into: &Path) -> Result<String> {
        let place = self.repository.as_deref().unwrap_or(&self.chart);
        let repositories = Repositories::of(&[place])?;
        repositories.write(&sandbox.repository_configuration())?;
        let mut confidential = Confidential::default();
        confidential.add(repositories.logins());
        let helm = |verb: &str, arguments: Vec<&str>| {
            sandbox.run_with_messages(Invocation {
                verb,
                arguments: arguments.into_iter().map(Into::into).collect(),
                folder: into,
                confidential: &confidential,
                variables: repositories::registry_variables().collect(),
            })
        };
        let failed = |error: HelmError| self.not_pulled(error);
        let mut chart = self.chart.clone();
        if let Some(name) = self.repository.as_deref().and_then(|_| repositories.only_name()) {
            // By its name a repository has a login, and its index stays for the digests.
            helm("repo update", vec!["repo", "update", name]).map_err(failed)?;
            chart = format!("{name}/{chart}");
        }
        let mut arguments = vec!["pull", &chart];
        if let Some(version) = &self.version {
            arguments.extend(["--version", version]);
        }
        arguments.extend(self.devel.then_some("--devel"));
        arguments.extend(repositories.is_plain_http.then_some("--plain-http"));
        let printed = helm("pull", arguments).map_err(failed)?;
        digests::check(into, &sandbox.indexes())?;
        Ok(printed.join("\n"))
    }

    fn not_pulled(&self, error: HelmError) -> anyhow::Error {
        error
            .hinted()
            .context(format!("cannot pull the chart {}", self.shown()))
            .hint("check its repository, name and version; for a login see \"Private charts\" in the README")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pull(version: Option<&str>) -> Pull {
        Pull {
            repository: Some("https://u:p@c.example".to_owned()),
            chart: "lib".to_owned(),
            version: version.map(str::to_owned),
            devel: false,
        }
    }

    #[test]
    fn only_an_exact_version_is_pinned() {
        for (version, is_pinned) in [
            (Some("1.2.3"), true),
            (Some("v1.2.3-rc.1+b"), true),
            (Some("1.2"), false),
            (Some("1.x"), false),
            (Some("^1.2.3"), false),
            (Some("latest"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(pull(version).is_pinned(), is_pinned, "{version:?}");
        }
    }

    #[test]
    fn a_chart_is_named_without_a_login() {
        assert_eq!(pull(Some("1.2.3")).shown(), "`lib` 1.2.3 of `https://c.example`");
        let of_registry = Pull {
            chart: "oci://r.example/charts/lib".to_owned(),
            ..Pull::default()
        };
        assert_eq!(of_registry.shown(), "`lib` of `oci://r.example/charts`");
    }

    #[test]
    fn what_is_pulled_differs_by_each_of_its_parts() {
        let of = |change: fn(&mut Pull)| {
            let mut pull = pull(Some("1.2.3"));
            change(&mut pull);
            pull.key()
        };
        let mut keys = vec![
            of(|_| {}),
            of(|pull| pull.devel = true),
            of(|pull| pull.version = None),
            of(|pull| pull.repository = None),
            of(|pull| pull.chart = "lib2".to_owned()),
        ];
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 5);
    }
}
