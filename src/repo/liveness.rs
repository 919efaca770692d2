//! Which of the Applications that are written in a repository are alive: somebody applies them, or Argo CD does.

use std::collections::HashMap;

use super::{FolderSource, Inactive, Manifest, Repo, RepoPath};
use crate::model::application::is_application_set;
use crate::model::{Application, Object};
use crate::parallel;

/// Why an Application or an ApplicationSet is not alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dormant {
    /// A template would fill it in.
    Placeholder,
    /// The kustomization of this folder, its own, leaves it out.
    LeftOut(RepoPath),
    /// This Application syncs its folder, and its `include` or `exclude` leaves it out.
    Excluded(String),
}

impl std::fmt::Display for Dormant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Dormant::Placeholder => f.write_str("a template fills it in"),
            Dormant::LeftOut(folder) => write!(f, "the kustomization in `{folder}` leaves it out"),
            Dormant::Excluded(app) => write!(f, "`include` or `exclude` of Application `{app}` leaves it out"),
        }
    }
}

impl Repo {
    /// Sets the Applications and sets aside that are not alive, before what they sync is read.
    pub(super) fn set_inactive_aside(&mut self) {
        let mut readers: HashMap<RepoPath, Vec<(String, FolderSource)>> = HashMap::new();
        let apps: Vec<_> = self.applications().collect();
        let sources = parallel::each(&apps, |(manifest, app)| {
            match self.kustomizations.leaves_out(&manifest.file) {
                None => self.folder_sources(app),
                Some(_) => Vec::new(),
            }
        });
        for ((_, app), sources) in apps.iter().zip(sources) {
            for source in sources.into_iter().filter(|source| !source.is_build()) {
                let of_folder = readers.entry(source.folder().clone()).or_default();
                of_folder.push((app.name().to_owned(), source));
            }
        }
        let around = |file: &RepoPath| -> Vec<&(String, FolderSource)> {
            let of_folders = file.folder_texts().filter_map(|folder| readers.get(folder));
            of_folders.flatten().collect()
        };
        let is_synced = |file: &RepoPath| around(file).iter().any(|(_, source)| source.reads(file));
        let excludes = |file: &RepoPath| around(file).into_iter().find(|(_, source)| source.excludes(file));
        let why = |manifest: &Manifest| {
            let object = &manifest.object;
            let is_set = is_application_set(object);
            if !is_set && Application::new(object).is_none() {
                return None;
            }
            if !is_set && has_placeholder(object) {
                return Some(Dormant::Placeholder);
            }
            let left_out = self.kustomizations.leaves_out(&manifest.file).map(Dormant::LeftOut);
            let why = left_out.or_else(|| Some(Dormant::Excluded(excludes(&manifest.file)?.0.clone())))?;
            let leads = Application::new(object).is_some_and(|app| self.leads_to_applications(&app));
            (!leads && !is_synced(&manifest.file)).then_some(why)
        };
        let inactive = |manifest: &Manifest| {
            Some(Inactive {
                file: manifest.file.clone(),
                kind: manifest.object.kind().to_owned(),
                name: manifest.object.name().to_owned(),
                why: why(manifest)?,
            })
        };
        let found = parallel::each(&self.manifests, inactive);
        let items = parallel::each(&self.derived, inactive);
        let mut keep = found.iter().map(Option::is_none);
        self.manifests.retain(|_| keep.next().unwrap_or(true));
        let mut keep = items.iter().map(Option::is_none);
        self.derived.retain(|_| keep.next().unwrap_or(true));
        self.inactive.extend(found.into_iter().chain(items).flatten());
    }

    /// Reports whether a source of an Application leads to Applications of this repository.
    fn leads_to_applications(&self, app: &Application<'_>) -> bool {
        let holds = |file: &RepoPath| {
            let manifests = self.manifests.iter().chain(&self.derived);
            manifests
                .filter(|manifest| manifest.file == *file)
                .any(|manifest| Application::new(&manifest.object).is_some() || is_application_set(&manifest.object))
        };
        self.folder_sources(app).iter().any(|source| {
            let folder = source.folder();
            self.charts.may_render_applications(folder)
                || self.files.keys().any(|file| source.reads(file) && holds(file))
        })
    }
}

/// Reports whether a field that Argo CD needs is yet to be filled in by a template.
fn has_placeholder(object: &Object) -> bool {
    let is_open = |text: &str| text.contains("{{") || text.contains("${");
    let of_source = |source: &crate::model::Source<'_>| {
        [source.repo_url(), source.path().unwrap_or_default()]
            .into_iter()
            .any(is_open)
    };
    is_open(object.name()) || Application::new(object).is_some_and(|app| app.sources().iter().any(of_source))
}
