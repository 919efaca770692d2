//! The files of this program in a repository, which are no manifests: `.homelab.yaml` and others whose name begins so.

use super::RepoPath;

/// Fields that every manifest has. Argo CD passes by a file that is none, unless it contains all of them
/// ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go), `getObjsFromYAMLOrJSON`).
const FIELDS: [&str; 3] = ["apiVersion:", "kind:", "metadata:"];

/// Reports whether Argo CD takes a text that it cannot read for a manifest.
pub fn resembles_manifest(text: &str) -> bool {
    FIELDS.iter().all(|field| text.contains(field))
}

/// Reports whether a file is one of this program's own, which Argo CD passes by in a folder of manifests. A manifest that
/// has such a name stays one.
pub fn is_own_file(path: &RepoPath, text: &str) -> bool {
    let name = path.file_name();
    let is_named = name.starts_with(".homelab") && (name.ends_with(".yaml") || name.ends_with(".yml"));
    is_named && !resembles_manifest(text)
}
