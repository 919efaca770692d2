//! The Applications of a repository whose names Kubernetes takes, and which of several of one name is rendered.

use std::collections::HashSet;

use crate::model::{AppName, Application};
use crate::parallel;
use crate::repo::{Manifest, Repo};

/// An Application whose name Kubernetes takes.
pub(super) struct Named<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) app: Application<'a>,
    pub(super) name: AppName,
    /// Whether it is the one that was rendered, of those of this name below one root.
    pub(super) is_first: bool,
}

impl<'a> Named<'a> {
    /// Returns all of a repository, in the order of their files.
    pub(super) fn all(repo: &'a Repo) -> Vec<Self> {
        let applications: Vec<_> = repo.applications().collect();
        let named = parallel::each(&applications, |(manifest, app)| {
            Some(Self {
                manifest,
                app: *app,
                name: repo.app_name(manifest)?,
                is_first: false,
            })
        });
        let mut named: Vec<Self> = named.into_iter().flatten().collect();
        let mut seen = HashSet::new();
        let firsts: Vec<bool> = named.iter().map(|one| seen.insert(&one.name)).collect();
        named
            .iter_mut()
            .zip(firsts)
            .for_each(|(one, is_first)| one.is_first = is_first);
        named
    }
}
