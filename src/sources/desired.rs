//! The Applications that Argo CD would have.

use crate::model::Application;
use crate::repo::{Manifest, Repo};

/// An Application that Argo CD would have.
#[derive(Clone, Copy, Debug)]
pub struct Desired<'r> {
    /// The Application.
    pub app: Application<'r>,
    /// Its origin.
    pub origin: Origin<'r>,
}

/// The origin of an Application.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'r> {
    /// A manifest of the repository.
    Manifest(&'r Manifest),
}

/// Returns all Applications that Argo CD would create from a repository, with their origin, in the order of files.
pub fn desired(repo: &Repo) -> Vec<Desired<'_>> {
    let manifests = repo.applications().map(|(manifest, app)| Desired {
        app,
        origin: Origin::Manifest(manifest),
    });
    manifests.collect()
}
