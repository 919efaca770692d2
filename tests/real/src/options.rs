//! The settings of a world.

use crate::cluster::Flavour;
use crate::sidecar::Sidecar;

/// The settings of a world.
#[derive(Debug, Clone)]
pub struct Options {
    /// The distribution whose default StorageClass the cluster has.
    pub flavour: Flavour,
    /// The number of nodes.
    pub nodes: usize,
    /// The number of repo-servers, each with the plugin beside it.
    pub repo_servers: usize,
    /// Whether `argocd-cm` has the health checks that the project ships.
    pub health_checks: bool,
    /// Whether the controller of ApplicationSets runs, too.
    pub application_sets: bool,
    /// After how many seconds Argo CD looks at an Application by itself.
    pub resync_seconds: u32,
    /// Whether the source hydrator is on, with its commit server.
    pub hydrator: bool,
    /// Whether the repo-server has the parameters that the project ships.
    pub shipped_parameters: bool,
    /// Additional variables of the sidecar.
    pub plugin_variables: Vec<(&'static str, String)>,
    /// The image in which the plugin runs; without one, the built program runs directly.
    pub sidecar: Option<Sidecar>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flavour: Flavour::default(),
            nodes: 1,
            repo_servers: 1,
            health_checks: true,
            application_sets: false,
            resync_seconds: 60,
            hydrator: false,
            shipped_parameters: true,
            plugin_variables: Vec::new(),
            sidecar: None,
        }
    }
}

/// Reports whether stories run the sequences that repeat others with another renderer or other names, as `cargo xtask stories` asks.
pub fn all_sequences() -> bool {
    std::env::var_os("HOMELAB_STORIES").is_some_and(|which| which == "all")
}
