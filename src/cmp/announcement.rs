//! What the plugin says of itself: its parameters, and `plugin.yaml`. Both come from [`TABLE`].

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::disk::Checkout;
use crate::model::parameter::{Shape, Spec, TABLE};
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// The announcement of the parameters, for Argo CD's form: the table, with the value files that lie in the folder. It
/// never fails, since Argo CD would then take the source for something else.
pub fn announcement(folder: &Path) -> Value {
    let found = Checkout::open(folder)
        .ok()
        .and_then(|folder| folder.list(&RepoPath::root()).ok().flatten())
        .unwrap_or_default();
    let is_values = |name: &str| name.contains("values") && (name.ends_with(".yaml") || name.ends_with(".yml"));
    let files: Vec<&str> = found
        .iter()
        .filter(|entry| !entry.is_folder)
        .map(|entry| entry.name.as_str())
        .collect();
    let values: Vec<&str> = files.into_iter().filter(|name| is_values(name)).collect();
    Value::Array(TABLE.iter().map(|spec| announced(spec, &values)).collect())
}

fn announced(spec: &Spec, values: &[&str]) -> Value {
    let mut entry = Map::new();
    let mut set = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    set("name", json!(spec.name));
    set("title", json!(spec.title));
    set("tooltip", json!(spec.doc));
    set("collectionType", json!(spec.shape.field()));
    match spec.shape {
        Shape::Array if spec.name == "values-files" => set("array", json!(values)),
        Shape::Array => set("array", json!([])),
        Shape::Map => set("map", json!({})),
        Shape::Boolean => set("string", json!("false")),
        Shape::String => set("string", json!("")),
    };
    Value::Object(entry)
}

/// The text of `plugin/plugin.yaml`.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn plugin_yaml() -> Result<String> {
    let (name, version) = crate::model::application::PLUGIN_NAME
        .rsplit_once('-')
        .context("the plugin's name has no version")?;
    let command = |verb: &str| json!({"command": ["kubectl-homelab", "cmp", verb]});
    let tree = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ConfigManagementPlugin",
        "metadata": {"name": name},
        "spec": {"version": version, "generate": command("generate"), "parameters": {"dynamic": command("parameters")}},
    });
    let head = "# Made by `kubectl homelab cmp manifest`; a test keeps it current. No `discover`: an Application names the\n\
                # plugin `homelab-v1` itself, and no other Application is slowed down or taken over.\n";
    Ok(format!("{head}{}", yaml::emit(&tree)?))
}
