//! `.argocd-source.yaml` and `.argocd-source-<app>.yaml` in a source's folder: parts of the source that Argo CD merges
//! over the Application's own before anything else
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git)).

use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value};

use crate::failure::HintExt;
use crate::model::native::is_zero;
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// The fields that locate the source, which Argo CD does not allow to override.
const PLACE: [&str; 4] = ["chart", "path", "repoURL", "targetRevision"];
/// The fields that each name a tool; a source has one of them at most
/// ([source](https://github.com/argoproj/argo-cd/blob/master/pkg/apis/application/v1alpha1/types.go), `ExplicitType`).
const TOOLS: [&str; 4] = ["kustomize", "helm", "directory", "plugin"];

/// Argo CD does not render a source with several tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoTools(String);

impl TwoTools {
    /// The id of the rule that reports it.
    pub const RULE: &str = "HL304";
}

impl fmt::Display for TwoTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, and Argo CD takes only one tool ({})", self.0, Self::RULE)
    }
}

impl std::error::Error for TwoTools {}

/// A source with the overrides of its folder.
#[derive(Debug)]
pub struct Merged {
    /// The tree of the source.
    pub tree: Value,
    /// The sections of tools that files change, as `helm`, each with its file.
    pub changes: Vec<(RepoPath, &'static str)>,
}

/// Merges the overrides in its folder into the source; without any the source is unchanged. Argo CD passes the merged
/// source to a plugin itself: this is for `render` alone. `instance` is the Application's name as Argo CD has it
/// ([`crate::model::Application::instance`]).
///
/// # Errors
/// When a file of overrides cannot be read.
pub fn apply(source: &Value, instance: &str, files: &dyn Files, folder: &RepoPath) -> Result<Merged> {
    let mut merged = without_empty_tools(source);
    let mut changes = Vec::new();
    for name in [
        ".argocd-source.yaml".to_owned(),
        format!(".argocd-source-{instance}.yaml"),
    ] {
        let path = folder.join(&name)?;
        let Some(bytes) = files.read(&path)? else { continue };
        let text = String::from_utf8(bytes).with_context(|| format!("`{path}` is not UTF-8"))?;
        let patch = match yaml::value(&text).map_err(|error| anyhow!("{path}:{error}"))? {
            None => continue,
            Some(Value::Object(patch)) => patch,
            Some(_) => bail!("{path}: it is not a map of fields of a source"),
        };
        check(&patch).with_context(|| path.to_string())?;
        let before = merged.clone();
        json_patch::merge(&mut merged, &Value::Object(patch));
        let changed = TOOLS.into_iter().filter(|tool| merged.get(*tool) != before.get(*tool));
        changes.extend(changed.map(|tool| (path.clone(), tool)));
    }
    for field in PLACE {
        match source.get(field) {
            Some(value) => merged[field] = value.clone(),
            None => drop(merged.as_object_mut().and_then(|fields| fields.remove(field))),
        }
    }
    Ok(Merged { tree: merged, changes })
}

/// Returns the source without the sections that say nothing: Argo CD drops them from an Application, but not from a file.
fn without_empty_tools(source: &Value) -> Value {
    let mut source = source.clone();
    if let Some(fields) = source.as_object_mut() {
        fields.retain(|field, value| !(TOOLS.contains(&field.as_str()) && field != "plugin" && is_zero(value)));
    }
    source
}

/// Refuses what Argo CD would not take for a section of a tool, or would read under another name.
fn check(patch: &Map<String, Value>) -> Result<()> {
    for (field, value) in patch {
        let Some(tool) = TOOLS.into_iter().find(|tool| tool.eq_ignore_ascii_case(field)) else {
            continue;
        };
        if tool != field {
            return Err(anyhow!("Argo CD reads `{field}` as `{tool}`").hint(format!("write `{tool}`")));
        }
        if !value.is_object() && !value.is_null() {
            bail!("`{tool}` is not a map");
        }
    }
    Ok(())
}

impl Merged {
    /// Refuses a source with several tools, which Argo CD does not render.
    ///
    /// # Errors
    /// [`TwoTools`] when there are two, with the file that adds one of them.
    pub fn check_tools(&self) -> Result<()> {
        let mut tools = TOOLS
            .into_iter()
            .filter(|tool| self.tree.get(*tool).is_some_and(Value::is_object));
        let (Some(first), Some(second)) = (tools.next(), tools.next()) else {
            return Ok(());
        };
        let added = |tool: &&'static str| self.changes.iter().find(|(_, changed)| changed == tool);
        let error = match [first, second].iter().find_map(added) {
            Some((file, tool)) => {
                let other = if *tool == first { second } else { first };
                let what = format!("`{file}` adds `{tool}` to a source that has `{other}`");
                anyhow::Error::new(TwoTools(what)).hint(match [first, second].contains(&"plugin") {
                    true => format!("move what `{file}` sets into plugin parameters, and remove the file"),
                    false => format!("move what is in `{file}` into the Application, and remove the file"),
                })
            }
            None => anyhow::Error::new(TwoTools(format!("the source has `{first}` beside `{second}`"))),
        };
        Err(error.hint(format!("run `kubectl homelab explain {}`", TwoTools::RULE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use serde_json::json;

    #[test]
    fn the_applications_own_file_comes_last_and_none_moves_the_source() {
        let files = Memory::new([
            (
                "c/.argocd-source.yaml",
                "plugin: {name: homelab-v1}\nhelm: {releaseName: a}\nchart: no\n",
            ),
            (
                "c/.argocd-source-x.yaml",
                "helm: {releaseName: b}\npath: null\ntargetRevision: no\n",
            ),
        ]);
        let merged = apply(
            &json!({"repoURL": "u", "path": "c", "directory": {"recurse": false}}),
            "x",
            &files.unwrap(),
            &RepoPath::new("c").unwrap(),
        )
        .unwrap();
        assert_eq!(
            merged.tree,
            json!({"repoURL": "u", "path": "c", "plugin": {"name": "homelab-v1"}, "helm": {"releaseName": "b"}})
        );
        let changes: Vec<_> = merged
            .changes
            .iter()
            .map(|(file, tool)| format!("{file} {tool}"))
            .collect();
        assert_eq!(
            changes,
            [
                "c/.argocd-source.yaml helm",
                "c/.argocd-source.yaml plugin",
                "c/.argocd-source-x.yaml helm"
            ]
        );
    }

    fn tools(source: Value, file: &str, text: &str) -> Result<(), String> {
        let files = Memory::new([(file, text)]).unwrap();
        let merged = apply(&source, "x", &files, &RepoPath::new("c").unwrap());
        merged
            .and_then(|merged| merged.check_tools())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_source_has_one_tool() {
        let plugin = || json!({"plugin": {"name": "homelab-v1"}, "helm": {"releaseName": ""}});
        for right in ["{}", "helm: null", "plugin: {parameters: []}", "kustomize:"] {
            assert_eq!(tools(plugin(), "c/.argocd-source-x.yaml", right), Ok(()), "{right}");
        }
        assert_eq!(
            tools(plugin(), "c/.argocd-source-y.yaml", "helm: {}"),
            Ok(()),
            "another Application's"
        );
        for (text, message) in [
            (
                "helm: {}",
                "`c/.argocd-source-x.yaml` adds `helm` to a source that has `plugin`, and Argo CD takes only one tool (HL304)",
            ),
            (
                "kustomize: {images: [a]}",
                "`c/.argocd-source-x.yaml` adds `kustomize` to a source that has `plugin`, and Argo CD takes only one tool (HL304)",
            ),
            ("directory: 1", "c/.argocd-source-x.yaml: `directory` is not a map"),
            ("Helm: {}", "c/.argocd-source-x.yaml: Argo CD reads `Helm` as `helm`"),
        ] {
            assert_eq!(
                tools(plugin(), "c/.argocd-source-x.yaml", text),
                Err(message.to_owned())
            );
        }
        let both = json!({"helm": {"releaseName": "r"}, "directory": {"recurse": true}});
        assert_eq!(
            tools(both, "c/a.yaml", ""),
            Err("the source has `helm` beside `directory`, and Argo CD takes only one tool (HL304)".to_owned())
        );
    }
}
