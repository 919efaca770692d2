//! What the plugin's sidecar and Argo CD's repo-server agree on: names, folders and settings. It is printed for an
//! installation (`install`) and looked for in one (`rules::installation`).
//!
//! The contract: <https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/>.

/// The sidecar's name in the pod of the repo-server.
pub const SIDECAR: &str = "homelab";
/// The user of Argo CD's image and of the plugin's: the socket belongs to it.
pub const USER: u64 = 999;

/// Argo CD's server, by the last part of its path.
pub const REPO_SERVER: &str = "argocd-repo-server";
/// Argo CD's server of plugins, by the last part of its path: what the sidecar runs.
pub const PLUGIN_SERVER: &str = "argocd-cmp-server";

/// Where Argo CD's own init container puts its server of plugins.
pub const SERVERS: &str = "/var/run/argocd";
/// The folder of the sockets of plugins, in the repo-server and in the sidecar.
pub const SOCKETS: &str = "/home/argocd/cmp-server/plugins";
/// The folder from which the server of plugins reads `plugin.yaml`.
pub const CONFIG: &str = "/home/argocd/cmp-server/config";
/// Where the sidecar unpacks what it renders.
pub const TEMPORARY: &str = "/tmp";
/// Where the sidecar finds helm, kustomize and the certificates of Argo CD's image.
pub const TOOLS: &str = "/homelab-tools";
/// What the sidecar may keep between two renders.
pub const CACHE: &str = "/homelab-cache";

/// The ConfigMap of Argo CD's settings.
pub const SETTINGS: &str = "argocd-cm";
/// The ConfigMap of the parameters of Argo CD's servers.
pub const PARAMETERS: &str = "argocd-cmd-params-cm";

/// A parameter of the repo-server that has to be set for the plugin.
#[derive(Debug, PartialEq, Eq)]
pub struct RepoServerSetting {
    /// Its key in the ConfigMap of parameters.
    pub key: &'static str,
    /// The variable of the repo-server.
    pub variable: &'static str,
    /// The flag of the repo-server.
    pub flag: &'static str,
    /// The value.
    pub value: &'static str,
}

/// What the repo-server leaves out when it packs a repository for the plugin: names, separated by `;`.
pub const TAR_EXCLUSIONS: RepoServerSetting = RepoServerSetting {
    key: "reposerver.plugin.tar.exclusions",
    variable: "ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS",
    flag: "--plugin-tar-exclude",
    value: ".git",
};

/// Whether the repo-server packs only what an Application names in its annotation `manifest-generate-paths`.
pub const USE_GENERATE_PATHS: RepoServerSetting = RepoServerSetting {
    key: "reposerver.plugin.use.manifest.generate.paths",
    variable: "ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS",
    flag: "--plugin-use-manifest-generate-paths",
    value: "true",
};

/// Both.
pub const REPO_SERVER_SETTINGS: [RepoServerSetting; 2] = [TAR_EXCLUSIONS, USE_GENERATE_PATHS];

/// A kind for which Argo CD needs a health check.
#[derive(Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The API group; empty for the core's.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
}

/// The kinds for which Argo CD needs a health check.
pub const HEALTH_CHECKS: [HealthCheck; 2] = [
    HealthCheck {
        group: "",
        kind: "PersistentVolumeClaim",
    },
    HealthCheck {
        group: super::application::GROUP,
        kind: "Application",
    },
];

impl HealthCheck {
    /// Returns the key of the check in Argo CD's settings.
    pub fn key(&self) -> String {
        let prefix = "resource.customizations.health.";
        match self.group {
            "" => format!("{prefix}{}", self.kind),
            group => format!("{prefix}{group}_{}", self.kind),
        }
    }

    /// Returns the kind as the older form of the settings names it.
    pub fn slashed(&self) -> String {
        match self.group {
            "" => self.kind.to_owned(),
            group => format!("{group}/{}", self.kind),
        }
    }
}
