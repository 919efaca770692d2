//! Helm names what it renders after the release, and the release after the Application, unless it has a name of its own.

use anyhow::{Result, anyhow};
use json_patch::PatchOperation;
use serde_json::{Value, json};

use crate::edit::Renders;
use crate::failure::HintExt;
use crate::model::{Application, PointerExt, Source};
use crate::repo::{Repo, SourceType};
use crate::rules::fixes;

/// What keeps the names of releases.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The operations on the Application.
    pub(super) operations: Vec<PatchOperation>,
    /// Remarks.
    pub(super) notes: Vec<String>,
}

/// Returns what keeps the name of the release of each source that Helm renders.
///
/// # Errors
/// When it is not known what renders a source, or a file beside it has its parameters.
pub(super) fn kept(repo: &Repo, app: &Application<'_>, renders: &dyn Renders) -> Result<Kept> {
    let mut kept = Kept::default();
    let merged = repo.merged_sources(app);
    for (source, (_, merged)) in app.sources().iter().zip(&merged) {
        let effective = Source::new(source.pointer.clone(), merged);
        if source.gives_files_only() || has_name(&effective) {
            continue;
        }
        match tool(&effective, renders)? {
            Tool::Helm => {}
            Tool::Other => continue,
            Tool::Unknown if effective.uses_homelab_plugin() => kept.notes.push(format!(
                "whether `{}` is a chart is not known here: the parameter `release-name` has no effect on a folder of manifests, and a Kustomize folder would refuse it",
                source.path().unwrap_or_default()
            )),
            Tool::Unknown => {
                return Err(anyhow!(
                    "what renders the source of Application `{}` is not known here, so that its release cannot keep its name",
                    app.name()
                )
                .hint("fetch it with `--fetch`, or name a checkout with `--source-dir REPO=DIR`"));
            }
        }
        if source.tree().get("plugin") != effective.tree().get("plugin") || source.helm() != effective.helm() {
            return Err(anyhow!(
                "a file `.argocd-source.yaml` beside the source of Application `{}` has its parameters",
                app.name()
            )
            .hint(format!("add `release-name: {}` to them there first", app.name())));
        }
        kept.operations.push(named(app, source));
    }
    Ok(kept)
}

/// Returns the operation that names the release after the Application.
fn named(app: &Application<'_>, source: &Source<'_>) -> PatchOperation {
    let name = app.name();
    if !source.uses_homelab_plugin() {
        return fixes::set(app.object().tree(), source.at(&["helm", "releaseName"]), json!(name));
    }
    if let Some(parameter) = source.parameter("release-name") {
        return fixes::set(app.object().tree(), parameter.child("string"), json!(name));
    }
    let parameter = json!({"name": "release-name", "string": name});
    let list = source.at(&["plugin", "parameters"]);
    match source.value(&list) {
        Some(Value::Array(there)) => fixes::add(list.child(there.len()), parameter),
        Some(_) => fixes::replace(&list, json!([parameter])),
        None => fixes::add(&list, json!([parameter])),
    }
}

/// Reports whether Helm names what it renders after the Application, as far as that is known.
///
/// # Errors
/// Those of [`kept`].
pub(super) fn is_named_after_application(effective: &Source<'_>, renders: &dyn Renders) -> Result<bool> {
    Ok(!has_name(effective) && !matches!(tool(effective, renders)?, Tool::Other))
}

/// Returns the section `plugin` of a source with the name of its release.
pub(super) fn with_name(effective: &Source<'_>, name: &str) -> Value {
    let mut plugin = effective.plugin().cloned().unwrap_or_default();
    let parameter = json!({"name": "release-name", "string": name});
    match plugin.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(list) => list.push(parameter),
        None => plugin["parameters"] = json!([parameter]),
    }
    plugin
}

/// Reports whether a source names its release itself.
fn has_name(source: &Source<'_>) -> bool {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let of_plugin = || {
        let parameter = source.parameter("release-name")?;
        source.value(&parameter.child("string"))
    };
    match source.uses_homelab_plugin() {
        true => text(of_plugin()),
        false => text(source.helm().and_then(|helm| helm.get("releaseName"))),
    }
}

/// What renders a source.
enum Tool {
    Helm,
    Other,
    Unknown,
}

fn tool(source: &Source<'_>, renders: &dyn Renders) -> Result<Tool> {
    if source.pulled_chart().is_some() || source.helm().is_some() {
        return Ok(Tool::Helm);
    }
    if source.kustomize().is_some() || source.directory().is_some() {
        return Ok(Tool::Other);
    }
    if source.plugin().is_some() && !source.uses_homelab_plugin() {
        return Err(
            anyhow!("another plugin renders a source of the Application, and it may name objects after it")
                .hint("rename the Application by hand, if the plugin does not use its name"),
        );
    }
    if let Ok(parameters) = source.parameters().map_err(drop)
        && source.uses_homelab_plugin()
    {
        let is_folder = parameters.recurse || parameters.include.is_some() || parameters.exclude.is_some();
        if parameters.first_of_helm().is_some() {
            return Ok(Tool::Helm);
        }
        if is_folder || parameters.kustomize.first_given().is_some() {
            return Ok(Tool::Other);
        }
    }
    Ok(match renders.source_type(source)? {
        Some(SourceType::Helm) => Tool::Helm,
        Some(SourceType::Kustomize | SourceType::Directory) => Tool::Other,
        None => Tool::Unknown,
    })
}
