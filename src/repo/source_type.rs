//! What Argo CD takes the folder of a source for, where the source does not say it.

use anyhow::Result;

use super::kustomization;
use super::{Files, RepoPath};

/// The tool that renders a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// A chart.
    Helm,
    /// A folder with a kustomization.
    Kustomize,
    /// A folder of manifests.
    Directory,
}

impl SourceType {
    /// Detects the type of a folder from the names of the files in it. Argo CD walks through them in the order of their
    /// bytes, and the last one that says something counts
    /// ([source](https://github.com/argoproj/argo-cd/blob/master/util/app/discovery/discovery.go), `Discover`).
    pub fn of_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let says = |name: &'n str| {
            let is_kustomization = kustomization::NAMES.contains(&name);
            let of_chart = name.ends_with("Chart.yaml").then_some(Self::Helm);
            Some((name, is_kustomization.then_some(Self::Kustomize).or(of_chart)?))
        };
        let last = names.into_iter().filter_map(says).max_by_key(|(name, _)| *name);
        last.map_or(Self::Directory, |(_, found)| found)
    }

    /// Detects the type of a folder; `None` where there is none.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn of(files: &dyn Files, folder: &RepoPath) -> Result<Option<Self>> {
        let entries = files.listed(folder)?;
        // A symbolic link is no folder to Argo CD, wherever it leads.
        let names = |entries: Vec<super::Entry>| {
            let files = entries.iter().filter(|entry| !entry.is_folder || entry.is_link);
            Self::of_names(files.map(|entry| entry.name.as_str()))
        };
        Ok(entries.map(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    #[test]
    fn the_last_name_in_the_order_of_bytes_counts() {
        for (names, expected) in [
            (&["a.yaml", "values.yaml"][..], SourceType::Directory),
            (&["Chart.yaml"], SourceType::Helm),
            (&["Kustomization", "Chart.yaml"], SourceType::Kustomize),
            (&["kustomization.yml", "Chart.yaml"], SourceType::Kustomize),
            (&["kustomization.yaml", "Chart.yaml"], SourceType::Kustomize),
            (&["kustomization.yaml", "myChart.yaml"], SourceType::Helm),
            (&["MyChart.yaml", "kustomization.yaml"], SourceType::Kustomize),
            (&["Kustomization.yaml", "kustomize.yaml"], SourceType::Directory),
            (&["chart.yaml"], SourceType::Directory),
        ] {
            assert_eq!(SourceType::of_names(names.iter().copied()), expected, "{names:?}");
        }
    }

    #[test]
    fn only_the_folder_itself_counts() {
        let files = Memory::new([("a/b/Chart.yaml", ""), ("a/kustomization.yaml/x", "")]).unwrap();
        let of = |path: &str| SourceType::of(&files, &RepoPath::new(path).unwrap()).unwrap();
        assert_eq!(of("a"), Some(SourceType::Directory));
        assert_eq!(of("a/b"), Some(SourceType::Helm));
        assert_eq!(of("c"), None);
    }
}
