//! What all commands that render share: which helm runs, and what charts see of the cluster. This is the one place in which
//! the command line and the repository's settings become [`HelmOptions`].

use std::path::PathBuf;

use crate::model::Settings;
use crate::model::kube_version::is_kube_version;
use crate::sources::{ChartRenders, HelmOptions};

/// Which helm, and for which cluster it renders.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct HelmArgs {
    /// The helm to run
    #[arg(long = "helm", value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// The Kubernetes version that charts see, as 1.34; that of `.homelab.yaml`, else helm's own by default
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    kube_version: Option<String>,

    /// API versions that charts see besides helm's own, as group/version[/Kind], instead of those in `.homelab.yaml`; may be
    /// repeated
    #[arg(long, value_name = "API", value_delimiter = ',')]
    api_versions: Vec<String>,
}

impl HelmArgs {
    /// Returns the options of a render: flags win over the repository's settings.
    pub(super) fn into_options(self, settings: &Settings) -> HelmOptions {
        let api_versions = match self.api_versions.is_empty() {
            true => settings.api_versions.clone(),
            false => self.api_versions,
        };
        HelmOptions {
            program: self.program,
            kube_version: self.kube_version.or_else(|| settings.kube_version.clone()),
            api_versions,
        }
    }
}

/// Whether renders are kept from one command to the next.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(super) struct CacheArgs {
    /// Render every chart again: take no renders from the user's cache, and keep none there
    #[arg(long)]
    no_cache: bool,
}

impl CacheArgs {
    /// Returns where renders of charts come from.
    pub(super) fn charts(self) -> ChartRenders {
        match self.no_cache {
            true => ChartRenders::Fresh,
            false => ChartRenders::Kept,
        }
    }

    /// Returns where renders of charts of Applications come from; without `is_rendered`, helm is not started for them either.
    pub(super) fn charts_of_applications(self, is_rendered: bool) -> ChartRenders {
        match is_rendered {
            true => self.charts(),
            false => ChartRenders::KeptAlone,
        }
    }
}

/// Reads a version of Kubernetes.
fn parse_version(text: &str) -> Result<String, String> {
    is_kube_version(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "not a version of Kubernetes, as `1.34`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_settings() {
        let settings = Settings {
            kube_version: Some("1.30".to_owned()),
            api_versions: vec!["a/v1".to_owned()],
            ..Settings::default()
        };
        let options = HelmArgs::default().into_options(&settings);
        assert_eq!(options.kube_version.as_deref(), Some("1.30"));
        assert_eq!(options.api_versions, ["a/v1"]);
        let flags = HelmArgs {
            kube_version: Some("1.34".to_owned()),
            api_versions: vec!["b/v1".to_owned()],
            ..HelmArgs::default()
        };
        let options = flags.into_options(&settings);
        assert_eq!(options.kube_version.as_deref(), Some("1.34"));
        assert_eq!(options.api_versions, ["b/v1"]);
    }
}
