//! What `render` and `convert` share: which helm runs, and what charts see of the cluster.

use std::path::PathBuf;

/// Which helm, and for which cluster it renders.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct HelmArgs {
    /// The helm to run
    #[arg(long = "helm", value_name = "PROGRAM")]
    pub(super) program: Option<PathBuf>,

    /// The Kubernetes version that charts see
    #[arg(long, value_name = "VERSION")]
    pub(super) kube_version: Option<String>,

    /// The API versions that charts see, as group/version[/Kind]; may be repeated
    #[arg(long, value_name = "API", value_delimiter = ',')]
    pub(super) api_versions: Vec<String>,
}
