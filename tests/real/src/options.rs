//! What can be different between two worlds.

use crate::cluster::Flavour;
use crate::sidecar::Sidecar;

/// What can be different between two worlds.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which distribution's default StorageClass there is.
    pub flavour: Flavour,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many repo-servers there are, each with the plugin beside it.
    pub repo_servers: usize,
    /// Whether `argocd-cm` has the health checks that the project ships.
    pub health_checks: bool,
    /// Whether the repo-server has the parameters that the project ships.
    pub shipped_parameters: bool,
    /// Variables of the sidecar.
    pub plugin_variables: Vec<(&'static str, &'static str)>,
    /// The image in which the plugin runs; without it, it runs as it was built.
    pub sidecar: Option<Sidecar>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            flavour: Flavour::default(),
            nodes: 1,
            repo_servers: 1,
            health_checks: true,
            shipped_parameters: true,
            plugin_variables: Vec::new(),
            sidecar: None,
        }
    }
}
