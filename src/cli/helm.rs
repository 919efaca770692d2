//! What `render` and `convert` share: which helm runs, and what charts see of the cluster.

use std::path::PathBuf;

use crate::sources::HelmOptions;

/// Which helm, and for which cluster it renders.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct HelmArgs {
    /// The helm to run
    #[arg(long = "helm", value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// The Kubernetes version that charts see
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,

    /// The API versions that charts see, as group/version[/Kind]; may be repeated
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
