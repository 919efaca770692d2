//! The GitOps repository as one value: its files, their documents, and the manifests in them, found by kind and name
//! and never by file name.

pub mod change;
mod charts;
pub mod files;
mod include;
pub mod kustomization;
pub mod layout;
mod liveness;
pub mod origin;
pub mod own_file;
mod parse;
mod place;
mod read;
mod scan;
pub mod synced;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::namespace::is_namespace;
use crate::model::{Application, Clusters, Object, Pointer, PointerBuf, Settings};
use crate::yaml::{Document, Position};

pub use change::{Change, ChangeSet};
pub use charts::Charts;
pub use files::{Entry, Files, Memory, NotPlain, RepoPath};
pub use kustomization::Kustomizations;
pub use liveness::Dormant;
pub use origin::{Anchor, Generated, Origin, Rendered};
pub use place::Place;
pub use scan::is_looked_for;
pub use synced::{FolderSource, SyncedFolders};
pub use tree::{Branch, Bringer};

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
    /// How it came out of the document.
    pub origin: Origin,
}

impl Manifest {
    /// Returns where one of its fields is in its document.
    pub fn in_document(&self, pointer: &Pointer) -> PointerBuf {
        self.origin.in_document(pointer)
    }

    /// Reports whether it is the document itself, or an item of the list in it: text that can be edited.
    pub fn is_written(&self) -> bool {
        self.origin.base().is_some()
    }
}

/// An Application or an ApplicationSet in the repository that is not alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inactive {
    /// The file.
    pub file: RepoPath,
    /// Its kind.
    pub kind: String,
    /// Its name, as far as it is known.
    pub name: String,
    /// Why it is not alive.
    pub why: Dormant,
}

/// An ApplicationSet, or an Application that renders others, of which it is not known what it brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// The set or the Application; it is the folder of a chart where somebody applies that.
    pub name: String,
    /// Its kind: `ApplicationSet`, `Application` or `chart`.
    pub kind: &'static str,
    /// Where it is: the file, and the document in it.
    pub place: (RepoPath, usize),
    /// Why, in a sentence.
    pub why: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
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
    /// Argo CD's objects and Namespaces that are no document: items of lists, and what sets generate and Applications render.
    pub derived: Vec<Manifest>,
    /// What is written in the repository and not alive.
    pub inactive: Vec<Inactive>,
    /// What brings Applications that are not known.
    pub unknown: Vec<Unknown>,
    /// The kustomizations.
    pub kustomizations: Kustomizations,
    /// The charts.
    pub charts: Charts,
    /// The files and documents that could not be read.
    pub malformed: Vec<Malformed>,
    /// The files that were skipped: nobody commits them.
    pub skipped: Vec<NotPlain>,
    /// Every file of the folders that were read, manifest or not: a new file must not overwrite one.
    listing: HashSet<RepoPath>,
    /// The manifests by the folder of their file, as indices of `manifests`.
    by_folder: BTreeMap<RepoPath, Vec<usize>>,
    /// The sets whose Applications are known: file, document and name.
    expanded: BTreeSet<(RepoPath, usize, String)>,
    /// The folders that Applications sync and that were read.
    followed: BTreeSet<synced::Key>,
    /// URLs that mean this repository: the root Application's `repoURL` and the working tree's remotes.
    pub own_urls: Vec<String>,
    /// What the repository says about itself; who reads it puts it here.
    pub settings: Settings,
}

impl Repo {
    /// Returns every manifest: the documents, and what was derived from them.
    pub fn all_manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().chain(&self.derived)
    }

    /// Returns the Applications with their manifests, those that others generate and render included.
    pub fn applications(&self) -> impl Iterator<Item = (&Manifest, Application<'_>)> {
        self.all_manifests()
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
        self.all_manifests().filter(|manifest| is_namespace(&manifest.object))
    }

    /// Returns the Namespace of this name.
    pub fn namespace(&self, name: &str) -> Option<&Manifest> {
        self.namespaces().find(|manifest| manifest.object.name() == name)
    }

    /// Returns the clusters whose Secrets are in the repository.
    pub fn clusters(&self) -> Clusters {
        Clusters::of_secrets(self.all_manifests().map(|manifest| &manifest.object))
    }

    /// Reports whether a URL points to this repository.
    pub fn is_own(&self, url: &str) -> bool {
        self.own_urls.iter().any(|own| crate::model::repo_url::same(own, url))
    }

    /// Reports whether Kustomize may read a file as something else than a manifest: there is a kustomization in its folder, or above
    /// it, and none that has it as a resource. Such a manifest can be a patch, which has only some of the fields.
    pub fn is_kustomize_input(&self, file: &RepoPath) -> bool {
        file.folders().any(|folder| self.kustomizations.is_at(&folder)) && !self.kustomizations.takes_in(file)
    }

    /// Returns the namespace of Argo CD itself, as far as manifests tell: that of the projects, which count nowhere else,
    /// of the root Application, or of all Applications, where they agree.
    pub fn controller_namespace(&self) -> &str {
        let projects = self.all_manifests().map(|manifest| &manifest.object);
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

    /// Notes that the Applications of a set are known.
    pub fn set_expanded(&mut self, set: &Manifest) {
        self.expanded.insert(expanded_key(set));
    }

    /// Returns the sets whose Applications are not known.
    pub fn unexpanded_sets(&self) -> impl Iterator<Item = &Manifest> {
        let sets = self
            .all_manifests()
            .filter(|manifest| manifest.object.is(crate::model::application::GROUP, "ApplicationSet"));
        sets.filter(|set| !self.expanded.contains(&expanded_key(set)))
    }
}

fn expanded_key(set: &Manifest) -> (RepoPath, usize, String) {
    (set.file.clone(), set.document, set.object.name().to_owned())
}
