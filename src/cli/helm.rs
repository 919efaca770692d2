//! What all commands that render share: which helm runs, and what charts see of the cluster. This is the one place in which
//! the command line becomes [`HelmOptions`].

use std::path::PathBuf;

use crate::sources::HelmOptions;

/// Which helm, and for which cluster it renders.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct HelmArgs {
    /// The helm to run
    #[arg(long = "helm", value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// The Kubernetes version that charts see, as 1.34; helm's own by default
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    kube_version: Option<String>,

    /// API versions that charts see besides helm's own, as group/version[/Kind]; may be repeated
    #[arg(long, value_name = "API", value_delimiter = ',')]
    api_versions: Vec<String>,
}

impl HelmArgs {
    /// Returns the options of a render.
    pub(super) fn into_options(self) -> HelmOptions {
        HelmOptions {
            program: self.program,
            kube_version: self.kube_version,
            api_versions: self.api_versions,
        }
    }
}

/// Reads a version of Kubernetes as clusters report it: `1.34`, `v1.34.1`, `1.34.1+k3s1`.
fn parse_version(text: &str) -> Result<String, String> {
    let number = text.strip_prefix('v').unwrap_or(text);
    let number = number.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = number.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    ((2..=3).contains(&parts.len()) && parts.iter().all(is_number))
        .then(|| text.to_owned())
        .ok_or_else(|| "not a version of Kubernetes, as `1.34`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_clusters() {
        for version in ["1.34", "v1.34.1", "1.34.1+k3s1", "v1.30.5-gke.100"] {
            assert_eq!(parse_version(version).as_deref(), Ok(version));
        }
        for text in ["", "v", "1", "1.", "one.two", "1.2.3.4", "latest"] {
            assert!(parse_version(text).is_err(), "{text}");
        }
    }
}
