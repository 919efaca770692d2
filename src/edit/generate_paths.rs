//! The annotation `manifest-generate-paths`: the paths whose change makes Argo CD render an Application again, and, with our
//! set-up, all that it sends to the plugin
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/#manifest-paths-annotation)).

use crate::model::{Application, Source};
use crate::repo::RepoPath;

/// Returns the annotation of a new Application: `.` is the folder of its source, a leading `/` the repository's root.
pub(super) fn of(source: &RepoPath, reads: &[RepoPath]) -> String {
    let own = ".".to_owned();
    extended(&own, std::slice::from_ref(source), reads).map_or(own, |extended| extended.value)
}

/// An annotation with more paths.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extended {
    /// The complete value.
    pub(super) value: String,
    /// The added paths, as they are written in the value.
    pub(super) added: String,
}

/// Returns the annotation with the paths that it does not cover yet; `None` where it covers all. Its own relative paths are
/// below the folder of each source.
pub(super) fn extended(annotation: &str, sources: &[RepoPath], reads: &[RepoPath]) -> Option<Extended> {
    let entries = annotation.split(';').map(str::trim);
    let covered: Vec<RepoPath> = entries
        .flat_map(|entry| match entry.strip_prefix('/') {
            Some(from_root) => vec![RepoPath::new(from_root)],
            None => sources.iter().map(|source| source.join(entry)).collect(),
        })
        .flatten()
        .collect();
    let is_missing = |read: &&RepoPath| !covered.iter().any(|path| read.is_in(path));
    let mut missing: Vec<&RepoPath> = reads.iter().filter(is_missing).collect();
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return None;
    }
    let added: Vec<String> = missing.iter().map(|path| format!("/{}", path.as_str())).collect();
    let added = added.join(";");
    Some(Extended {
        value: format!("{};{added}", annotation.trim_end_matches(';')),
        added,
    })
}

/// Returns the folders of an Application's sources.
pub(super) fn folders(app: &Application<'_>) -> Vec<RepoPath> {
    let folder = |source: &Source<'_>| RepoPath::new(source.path()?).ok();
    app.sources().iter().filter_map(folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &[&str]) -> Vec<RepoPath> {
        list.iter().map(|path| RepoPath::new(path).unwrap()).collect()
    }

    #[test]
    fn only_what_is_not_covered_is_added() {
        let sources = paths(&["charts/web", "charts/db"]);
        for (annotation, reads, added) in [
            (".", &["charts/web/values.yaml", "charts/db"][..], None),
            (
                ".",
                &["values/web.yaml", "values/a.yaml", "values/web.yaml"],
                Some("/values/a.yaml;/values/web.yaml"),
            ),
            (".;/values;", &["values/web.yaml", "shared"], Some("/shared")),
            (
                "../../values",
                &["values/web.yaml", "charts/web/x"],
                Some("/charts/web/x"),
            ),
            ("/", &["anything"], None),
        ] {
            let extended = extended(annotation, &sources, &paths(reads));
            let value = added.map(|added| format!("{};{added}", annotation.trim_end_matches(';')));
            assert_eq!(
                extended.as_ref().map(|extended| extended.added.as_str()),
                added,
                "{annotation}"
            );
            assert_eq!(extended.map(|extended| extended.value), value);
        }
        assert_eq!(of(&sources[0], &paths(&["charts/web/a", "shared"])), ".;/shared");
        assert_eq!(of(&sources[0], &[]), ".");
    }
}
