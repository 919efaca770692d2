//! The GitOps repository as one value: its files, their documents, and the manifests in them, found by kind and name
//! and never by file name.

pub mod change;
pub mod files;
mod include;
pub mod layout;
pub mod own_file;
mod parse;
mod place;
mod read;
pub mod synced;

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::namespace::is_namespace;
use crate::model::{Application, Clusters, Object, Settings};
use crate::yaml::{Document, Position};

pub use change::{Change, ChangeSet};
pub use files::{Entry, Files, Memory, NotPlain, RepoPath};
pub use place::Place;
pub use synced::{FolderSource, SyncedFolders};

/// One file of the repository, split into documents.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path.
    pub path: RepoPath,
    /// Its unmodified text, with byte order mark and line ends.
    pub text: String,
    /// Its documents, empty ones included.
    pub documents: Vec<Document>,
}

impl SourceFile {
    /// Returns the text of one document.
    pub fn document(&self, index: usize) -> &str {
        &self.text[self.documents[index].range.clone()]
    }
}

/// A document of a file that contains an object.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file.
    pub file: RepoPath,
    /// Index of the document in [`SourceFile::documents`].
    pub document: usize,
    /// The object as Argo CD reads it; a `List` is one manifest here.
    pub object: Object,
}

/// A file or a document that is not a manifest. The others are checked nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The file.
    pub file: RepoPath,
    /// The position of the fault, if it has one.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column }) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// The repository, as it was read or with changes applied.
#[derive(Clone, Debug, Default)]
pub struct Repo {
    /// The files by path.
    pub files: BTreeMap<RepoPath, SourceFile>,
    /// The manifests, sorted by file and document.
    pub manifests: Vec<Manifest>,
    /// The files and documents that could not be read.
    pub malformed: Vec<Malformed>,
    /// The files that were skipped: nobody commits them.
    pub skipped: Vec<NotPlain>,
    /// Every file of the folders that were read, manifest or not: a new file must not overwrite one.
    listing: HashSet<RepoPath>,
    /// The manifests by the folder of their file, as indices of `manifests`.
    by_folder: BTreeMap<RepoPath, Vec<usize>>,
    /// URLs that mean this repository: the root Application's `repoURL` and the working tree's remotes.
    pub own_urls: Vec<String>,
    /// What the repository says about itself; who reads it puts it here.
    pub settings: Settings,
}

impl Repo {
    /// Returns the Applications with their manifests.
    pub fn applications(&self) -> impl Iterator<Item = (&Manifest, Application<'_>)> {
        self.manifests
            .iter()
            .filter_map(|manifest| Some((manifest, Application::new(&manifest.object)?)))
    }

    /// Returns the manifest in a document of a file.
    pub fn manifest(&self, file: &RepoPath, document: usize) -> Option<&Manifest> {
        let order = |manifest: &Manifest| (&manifest.file, manifest.document).cmp(&(file, document));
        let place = self.manifests.binary_search_by(order).ok()?;
        self.manifests.get(place)
    }

    /// Returns the Application of this name; the first in file order if there are two.
    pub fn application(&self, name: &str) -> Option<(&Manifest, Application<'_>)> {
        self.applications().find(|(_, app)| app.name() == name)
    }

    /// Returns the Application of this name.
    ///
    /// # Errors
    /// When there is none; names the files that cannot be read, one of which may hold it.
    pub fn named_application(&self, name: &str) -> Result<(&Manifest, Application<'_>)> {
        self.application(name).ok_or_else(|| self.no_application(name))
    }

    /// Returns the error of an Application that is not there.
    pub fn no_application(&self, name: &str) -> anyhow::Error {
        let missing = format!("there is no Application `{name}`");
        if !self.malformed.is_empty() {
            let unread: Vec<String> = self.malformed.iter().map(ToString::to_string).collect();
            return anyhow!(
                "{missing} in the files that can be read; not read: {}",
                unread.join("; ")
            )
            .hint("correct the files that cannot be read");
        }
        let known: Vec<&str> = self.applications().map(|(_, app)| app.name()).collect();
        anyhow!(missing).hint(match known.as_slice() {
            [] => "add one with `kubectl homelab add-app`".to_owned(),
            known => format!("choose one of {}", known.join(", ")),
        })
    }

    /// Refuses to go on where every Application is asked for and one may be in a file that cannot be read.
    ///
    /// # Errors
    /// Names the files.
    pub fn check_all_read(&self) -> Result<()> {
        if self.malformed.is_empty() {
            return Ok(());
        }
        let unread: Vec<String> = self.malformed.iter().map(ToString::to_string).collect();
        Err(anyhow!("not all Applications can be read: {}", unread.join("; "))
            .hint("correct these files, or name the Applications"))
    }

    /// Returns the Namespaces.
    pub fn namespaces(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().filter(|manifest| is_namespace(&manifest.object))
    }

    /// Returns the Namespace of this name.
    pub fn namespace(&self, name: &str) -> Option<&Manifest> {
        self.namespaces().find(|manifest| manifest.object.name() == name)
    }

    /// Returns the clusters whose Secrets are in the repository.
    pub fn clusters(&self) -> Clusters {
        Clusters::of_secrets(self.manifests.iter().map(|manifest| &manifest.object))
    }

    /// Reports whether a URL points to this repository.
    pub fn is_own(&self, url: &str) -> bool {
        self.own_urls.iter().any(|own| crate::model::repo_url::same(own, url))
    }

    /// Reports whether Kustomize reads a file: there is a kustomization in its folder, or above it. Such a manifest can be
    /// a patch, which has only some of the fields.
    pub fn is_kustomize_input(&self, file: &RepoPath) -> bool {
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let has_one = |folder: &RepoPath| {
            let paths = names.iter().filter_map(|name| folder.join(name).ok());
            paths.into_iter().any(|path| self.listing.contains(&path))
        };
        file.folders().any(|folder| has_one(&folder))
    }

    /// Returns the namespace of Argo CD itself, as far as manifests tell: that of the projects, which count nowhere else,
    /// of the root Application, or of all Applications, where they agree.
    pub fn controller_namespace(&self) -> &str {
        let projects = self.manifests.iter().map(|manifest| &manifest.object);
        let mut projects = projects.filter(|object| object.is(crate::model::application::GROUP, "AppProject"));
        let of_project = projects.find_map(Object::namespace);
        let of_root = || self.root_application()?.1.object().namespace();
        let of_all = || {
            let mut all = self.applications().filter_map(|(_, app)| app.object().namespace());
            let first = all.next()?;
            all.all(|namespace| namespace == first).then_some(first)
        };
        of_project.or_else(of_root).or_else(of_all).unwrap_or("argocd")
    }

    /// Returns the root Application: the one whose source is the folder that contains it, or every other Application.
    pub fn root_application(&self) -> Option<(&Manifest, Application<'_>)> {
        let mut folders: BTreeMap<RepoPath, usize> = BTreeMap::new();
        for (manifest, _) in self.applications() {
            *folders.entry(manifest.file.parent()).or_default() += 1;
        }
        let holds_applications = |path: &RepoPath| {
            let below = folders.range(path.clone()..);
            let below = below.take_while(|(folder, _)| folder.as_str().starts_with(path.as_str()));
            let inside = below.filter(|(folder, _)| folder.is_in(path)).map(|(_, count)| count);
            inside.sum::<usize>() > 1 || folders.len() == 1 && folders.contains_key(path)
        };
        let points_at_applications = |app: &Application<'_>| {
            app.sources().iter().any(|source| {
                let path = source.path().and_then(|path| RepoPath::new(path).ok());
                path.is_some_and(|path| holds_applications(&path)) && self.is_own(source.repo_url())
            })
        };
        self.applications().find(|(_, app)| points_at_applications(app))
    }
}
