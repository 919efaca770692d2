//! The Helm charts in a working tree, and which of them may render Applications.

use std::collections::BTreeSet;

use super::RepoPath;

/// The charts of a repository.
#[derive(Clone, Debug, Default)]
pub struct Charts {
    folders: BTreeSet<RepoPath>,
    /// Files that are input of a chart, and in which Argo CD's objects are: templates, values, a dependency on argocd-apps.
    inputs: BTreeSet<RepoPath>,
}

impl Charts {
    pub(super) fn of(paths: &[RepoPath]) -> Self {
        let of_charts = paths.iter().filter(|path| path.file_name() == "Chart.yaml");
        Self {
            folders: of_charts.map(RepoPath::parent).collect(),
            inputs: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, folder: RepoPath) {
        self.folders.insert(folder);
    }

    pub(super) fn add_input(&mut self, path: &RepoPath) {
        self.inputs.insert(path.clone());
    }

    /// Reports whether a folder is a chart.
    pub fn is_at(&self, folder: &RepoPath) -> bool {
        self.folders.contains(folder)
    }

    /// Returns the chart whose templates a file belongs to.
    pub(super) fn of_template(&self, path: &RepoPath) -> Option<RepoPath> {
        let templates = path.folders().filter(|folder| folder.file_name() == "templates");
        templates.map(|folder| folder.parent()).find(|chart| self.is_at(chart))
    }

    pub(super) fn is_template(&self, path: &RepoPath) -> bool {
        self.of_template(path).is_some()
    }

    /// Reports whether a file is a chart's own file of values.
    pub(super) fn is_values(&self, path: &RepoPath) -> bool {
        path.file_name().starts_with("values") && self.is_at(&path.parent())
    }

    pub(super) fn is_metadata(&self, path: &RepoPath) -> bool {
        path.file_name() == "Chart.yaml"
    }

    /// Reports whether a chart may render Applications: they are in its templates or values, those of charts inside it
    /// included, or it depends on the chart argocd-apps.
    pub fn may_render_applications(&self, folder: &RepoPath) -> bool {
        self.is_at(folder) && self.inputs.iter().any(|input| self.is_input_of(input, folder))
    }

    fn is_input_of(&self, input: &RepoPath, folder: &RepoPath) -> bool {
        let chart = self.of_template(input).unwrap_or_else(|| input.parent());
        let is_subchart = || {
            let below = chart.as_str().strip_prefix(folder.as_str()).unwrap_or_default();
            chart.is_in(folder) && below.trim_start_matches('/').starts_with("charts/")
        };
        self.is_at(&chart) && (chart == *folder || is_subchart())
    }

    /// Reports whether a file is values with Argo CD's objects in them.
    pub fn is_input(&self, file: &RepoPath) -> bool {
        self.inputs.contains(file)
    }

    /// Returns the charts that may render Applications and are not inside of another one.
    pub fn of_applications(&self) -> impl Iterator<Item = &RepoPath> {
        let is_inside = |folder: &RepoPath| folder.folders().any(|above| above != *folder && self.is_at(&above));
        let charts = self
            .folders
            .iter()
            .filter(move |folder| !is_inside(folder) || folder.is_root());
        charts.filter(|folder| self.may_render_applications(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_with_applications_in_its_templates_or_values_may_render_them() {
        let path = |text: &str| RepoPath::new(text).unwrap();
        let paths = [
            "apps/Chart.yaml",
            "apps/templates/a.yaml",
            "apps/charts/sub/Chart.yaml",
            "web/Chart.yaml",
            "web/templates/deep/b.yaml",
            "web/application.yaml",
        ];
        let mut charts = Charts::of(&paths.map(path));
        assert_eq!(
            charts.of_template(&path("web/templates/deep/b.yaml")),
            Some(path("web"))
        );
        assert!(!charts.is_template(&path("web/application.yaml")));
        charts.add_input(&path("apps/charts/sub/templates/a.yaml"));
        charts.add_input(&path("elsewhere/values.yaml"));
        assert!(charts.may_render_applications(&path("apps")));
        assert!(!charts.may_render_applications(&path("web")));
        assert!(!charts.may_render_applications(&path("elsewhere")));
        let all: Vec<&RepoPath> = charts.of_applications().collect();
        assert_eq!(all, [&path("apps")]);
        charts.add_input(&path("web/values-prod.yaml"));
        assert!(charts.may_render_applications(&path("web")));
    }
}
