//! What is applied to an existing Argo CD so that it has the plugin, in the form that each way of installing Argo CD
//! reads.
//!
//! | form | for an Argo CD that is installed with |
//! |---|---|
//! | [`kustomize`] | its own manifests: a component |
//! | [`helm_values`] | the Helm chart `argo-cd` |
//! | [`operator`] | the Argo CD operator |
//! | [`plugin()`] | something else: `plugin.yaml` alone, which is in the plugin's image, too |

mod forms;
mod patches;
mod plugin;
mod sidecar;

use anyhow::Result;
use serde_json::Value;

use crate::model::sidecar::HealthCheck;
use crate::yaml;

pub use forms::{helm_values, kustomize, operator};
pub use patches::{health_checks_patch, parameters_patch, sidecar_patch};
pub use plugin::plugin;

/// The Argo CD that the plugin is tested with: the default image that helm and kustomize come from.
pub const ARGO_CD: &str = "v3.5.7";

/// The Secret with the logins for git that is mounted where no other one is named.
pub const GIT_CREDENTIALS: &str = "homelab-git";

/// What the sidecar is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The plugin's image.
    pub plugin: String,
    /// The version of Argo CD whose image brings helm and kustomize; that of the repo-server by default.
    pub argo_cd: Option<String>,
    /// The Secret with the logins for git.
    pub git_credentials: String,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            plugin: format!("ghcr.io/OWNER/kubectl-homelab:v{}", env!("CARGO_PKG_VERSION")),
            argo_cd: None,
            git_credentials: GIT_CREDENTIALS.to_owned(),
        }
    }
}

impl Images {
    /// Returns the image of Argo CD by its version.
    fn argo_cd(&self) -> String {
        format!("quay.io/argoproj/argocd:{}", self.argo_cd.as_deref().unwrap_or(ARGO_CD))
    }
}

/// Returns the check of a kind's health, in Lua.
fn lua(check: &HealthCheck) -> &'static str {
    match check.kind {
        "PersistentVolumeClaim" => include_str!("claim.lua"),
        _ => include_str!("application.lua"),
    }
}

/// Renders a document below its head, which becomes a comment.
fn document(head: &str, tree: &Value) -> Result<String> {
    let comment = |line: &str| format!("# {line}").trim_end().to_owned() + "\n";
    let head: String = head.trim_end().lines().map(comment).collect();
    Ok(head + &yaml::emit(tree)?)
}

#[cfg(test)]
mod tests;
