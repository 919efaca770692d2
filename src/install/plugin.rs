//! `plugin.yaml`: what Argo CD's server of plugins reads.

use anyhow::{Context, Result};
use serde_json::json;

use super::document;
use crate::model::application::PLUGIN_NAME;

const HEAD: &str =
    "Made by `kubectl homelab cmp manifest -o plugin`; a test keeps it current. No `discover`: an Application names the
plugin `homelab-v1` itself, and no other Application is slowed down or taken over.";

/// Returns the text of `plugin.yaml`.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn plugin() -> Result<String> {
    let (name, version) = PLUGIN_NAME
        .rsplit_once('-')
        .context("the plugin's name has no version")?;
    let command = |verb: &str| json!({"command": ["kubectl-homelab", "cmp", verb]});
    let tree = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ConfigManagementPlugin",
        "metadata": {"name": name},
        "spec": {"version": version, "generate": command("generate"), "parameters": {"dynamic": command("parameters")}},
    });
    document(HEAD, &tree)
}
