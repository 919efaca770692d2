//! The annotation `manifest-generate-paths`: the paths whose change makes Argo CD render an Application again, and, with our
//! set-up, all that it sends to the plugin
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/#manifest-paths-annotation)).

use std::collections::BTreeSet;

use super::{Manifest, Origin, Repo, RepoPath};
use crate::model::{Application, Source};

/// Returns the annotation of a new Application: `.` is the folder of its source, a leading `/` the repository's root.
pub fn of(source: &RepoPath, reads: &[RepoPath]) -> String {
    let own = ".".to_owned();
    extended(&own, std::slice::from_ref(source), reads).map_or(own, |extended| extended.value)
}

/// An annotation with more paths.
#[derive(Debug, PartialEq, Eq)]
pub struct Extended {
    /// The complete value.
    pub value: String,
    /// The added paths, as they are written in the value.
    pub added: String,
}

/// Returns the annotation with the paths that it does not cover yet; `None` where it covers all. Its own relative paths are
/// below the folder of each source, and every source has to get what is read.
pub fn extended(annotation: &str, sources: &[RepoPath], reads: &[RepoPath]) -> Option<Extended> {
    let lacks = |annotation: &str, read: &RepoPath| {
        let covers = |source: &RepoPath| is_watched(annotation, source, read) && is_sent(annotation, source, read);
        !sources.iter().all(covers)
    };
    let mut missing: Vec<&RepoPath> = reads.iter().filter(|read| lacks(annotation, read)).collect();
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return None;
    }
    let is_around = |path: &&RepoPath| sources.iter().any(|source| source.is_in(path));
    let (around, apart): (Vec<&RepoPath>, Vec<&RepoPath>) = missing.iter().copied().partition(is_around);
    let annotation = annotation.trim_end_matches(';');
    // Argo CD goes up to a folder around a source only before an entry that stands apart from the source.
    let forms = [
        [String::new(), written(&missing)],
        [written(&around), written(&apart)],
        ["/".to_owned(), String::new()],
    ];
    forms.into_iter().find_map(|[first, last]| {
        let parts = [first.as_str(), annotation, &last].into_iter();
        let value = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(";");
        let added = [first, last]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>();
        let is_whole = reads.iter().all(|read| !lacks(&value, read));
        is_whole.then(|| Extended {
            value,
            added: added.join(";"),
        })
    })
}

/// Returns paths as entries of the annotation.
fn written(paths: &[&RepoPath]) -> String {
    let paths = paths.iter().map(|path| format!("/{}", path.as_str()));
    paths.collect::<Vec<_>>().join(";")
}

/// Reports whether a change of a path makes Argo CD render the source
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/app/path/path.go), `AppFilesHaveChanged`). Globs are left
/// out: they do not count for what is sent.
fn is_watched(annotation: &str, source: &RepoPath, path: &RepoPath) -> bool {
    let entries = annotation.split(';').map(str::trim).filter(|entry| !entry.is_empty());
    entries.into_iter().any(|entry| {
        let watched = within(source, entry);
        // Of an absolute entry a file has to be written as it is; a folder need not.
        let is_itself = || !entry.starts_with('/') || entry.trim_matches('/') == path.as_str();
        path.is_in(&watched) && (watched != *path || is_itself())
    })
}

/// Reports whether Argo CD sends a path to the plugin: it sends the folder around the source and all entries, and takes
/// blanks for a part of a name
/// ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/utils.go), `getApplicationRootPath`).
fn is_sent(annotation: &str, source: &RepoPath, path: &RepoPath) -> bool {
    let entries: Vec<&str> = annotation.split(';').filter(|entry| !entry.is_empty()).collect();
    let mut folder: Vec<&str> = if entries.is_empty() {
        Vec::new()
    } else {
        source.parts().collect()
    };
    let mut stands_apart = false;
    for entry in entries {
        let entry = within(source, entry);
        let common = folder
            .iter()
            .zip(entry.parts())
            .take_while(|(one, other)| **one == *other)
            .count();
        let is_around = common == entry.parts().count();
        if common < folder.len() && !is_around {
            stands_apart = true;
            folder.truncate(common);
        } else if !stands_apart {
            folder.truncate(common);
        }
    }
    path.parts().take(folder.len()).eq(folder)
}

/// Returns the path that an entry stands for. One that leads out of the repository ends at its root.
fn within(source: &RepoPath, entry: &str) -> RepoPath {
    let start = if entry.starts_with('/') {
        RepoPath::root()
    } else {
        source.clone()
    };
    let join = |path: RepoPath, part: &str| match part {
        ".." => path.parent(),
        part => path.join(part).unwrap_or(path),
    };
    entry.split('/').fold(start, join)
}

impl Repo {
    /// Returns what the ownership registry on Namespaces is read from, by the folders at the top of the repository: Applications
    /// and sets, the folders that sets look at, charts that render Applications, overrides, and the settings.
    pub fn registry_reads(&self) -> Vec<RepoPath> {
        let mut found = BTreeSet::new();
        for (manifest, app) in self.applications() {
            found.extend(files(manifest));
            let sources = app.sources();
            let own = sources.iter().filter(|source| self.is_own(source.repo_url()));
            let folders = own.filter_map(|source| RepoPath::new(source.path()?).ok());
            // An override that is added later has to be seen, too.
            let is_derived = !manifest.is_written();
            found.extend(folders.filter(|folder| is_derived || self.charts.may_render_applications(folder)));
        }
        found.extend(self.unexpanded_sets().map(|set| set.file.clone()));
        found.extend(self.overrides.keys().cloned());
        found.extend(
            RepoPath::new(SETTINGS)
                .ok()
                .filter(|settings| self.listing.contains(settings)),
        );
        let tops: BTreeSet<RepoPath> = found.iter().map(top).collect();
        tops.into_iter().collect()
    }
}

/// The file of the settings, which says what is not scanned.
const SETTINGS: &str = ".homelab.yaml";

/// Returns the files and folders that an Application was made from.
fn files(manifest: &Manifest) -> Vec<RepoPath> {
    let mut files = vec![manifest.file.clone()];
    if let Origin::Generated(generated) = &manifest.origin {
        files.extend(generated.folders.iter().cloned());
    }
    files
}

/// Returns the folder at the top that a path is in; the path itself where it is at the top.
fn top(path: &RepoPath) -> RepoPath {
    let first = path.parts().next().unwrap_or_default();
    RepoPath::new(first).unwrap_or_default()
}

/// Returns the folders of an Application's sources.
pub fn folders(app: &Application<'_>) -> Vec<RepoPath> {
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
            (".;/charts", &["charts/web/values.yaml", "charts/db"][..], None),
            // Each source gets its own folder only.
            (
                ".",
                &["charts/web/values.yaml", "charts/db"],
                Some("/charts/db;/charts/web/values.yaml"),
            ),
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
            // A blank behind a `;` watches the folder, and does not send it.
            (".; /values", &["values/web.yaml"], Some("/values/web.yaml")),
            ("../../../values", &["values/web.yaml"], None),
            // A file that is written in another way is not watched.
            ("/values//web.yaml", &["values/web.yaml"], Some("/values/web.yaml")),
            ("/values//", &["values/web.yaml", "values"], None),
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
        // The root behind what stands apart is watched, and not sent.
        let behind = extended("../db;/", &sources[..1], &paths(&["root.yaml"])).unwrap();
        assert_eq!(
            (behind.value.as_str(), behind.added.as_str()),
            ("../db;/;/root.yaml", "/root.yaml")
        );
        let around = extended(".;/values/a.yaml", &sources, &paths(&["charts"])).unwrap();
        assert_eq!(around.value, ".;/values/a.yaml;/charts");
        let around = extended("../db", &sources[..1], &paths(&["", "charts/web/x"])).unwrap();
        assert_eq!(around.value, "/;../db;/charts/web/x");
        assert_eq!(of(&sources[0], &paths(&["charts/web/a", "shared"])), ".;/shared");
        assert_eq!(of(&sources[0], &[]), ".");
    }
}
