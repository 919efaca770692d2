//! `.argocd-source.yaml` and `.argocd-source-<app>.yaml` in a source's folder: parts of the source that Argo CD merges
//! over what the Application says, before anything else
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git)).

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::repo::{Files, RepoPath};
use crate::yaml;

/// The source with the overrides of its folder merged in; unchanged where there are none. Argo CD hands the Application's
/// merged source to a plugin itself: this is for `render` alone.
///
/// # Errors
/// When a file of overrides cannot be read.
pub fn apply(source: &Value, app: &str, files: &dyn Files, folder: &RepoPath) -> Result<Value> {
    let mut merged = source.clone();
    for name in [".argocd-source.yaml".to_owned(), format!(".argocd-source-{app}.yaml")] {
        let path = folder.join(&name)?;
        let Some(bytes) = files.read(&path)? else { continue };
        let text = String::from_utf8(bytes).with_context(|| format!("`{path}` is not UTF-8"))?;
        match yaml::value(&text).map_err(|error| anyhow!("{path}:{error}"))? {
            None => {}
            Some(patch) if patch.is_object() => json_patch::merge(&mut merged, &patch),
            Some(_) => bail!("{path}: it is not a map of fields of a source"),
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use serde_json::json;

    #[test]
    fn the_applications_own_file_comes_last() {
        let files = Memory::new([
            (
                "c/.argocd-source.yaml",
                "plugin: {name: homelab-v1}\ntargetRevision: a\n",
            ),
            ("c/.argocd-source-x.yaml", "targetRevision: b\npath: null\n"),
        ]);
        let merged = apply(
            &json!({"repoURL": "u", "path": "c"}),
            "x",
            &files.unwrap(),
            &RepoPath::new("c").unwrap(),
        );
        assert_eq!(
            merged.unwrap(),
            json!({"repoURL": "u", "plugin": {"name": "homelab-v1"}, "targetRevision": "b"})
        );
    }
}
