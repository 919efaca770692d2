//! `.argocd-source.yaml` and `.argocd-source-<app>.yaml` in a source's folder: parts of the source that Argo CD merges
//! over the Application's own before anything else
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git)).

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::repo::{Files, RepoPath};
use crate::yaml;

/// The fields that locate the source, which Argo CD does not allow to override.
const PLACE: [&str; 4] = ["chart", "path", "repoURL", "targetRevision"];

/// Merges the overrides in its folder into the source; without any the source is unchanged. Argo CD passes the merged
/// source to a plugin itself: this is for `render` alone.
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
    for field in PLACE {
        match source.get(field) {
            Some(value) => merged[field] = value.clone(),
            None => drop(merged.as_object_mut().and_then(|fields| fields.remove(field))),
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
            &json!({"repoURL": "u", "path": "c"}),
            "x",
            &files.unwrap(),
            &RepoPath::new("c").unwrap(),
        );
        assert_eq!(
            merged.unwrap(),
            json!({"repoURL": "u", "path": "c", "plugin": {"name": "homelab-v1"}, "helm": {"releaseName": "b"}})
        );
    }
}
