//! The repository that a source belongs to, with all its Applications, for the ownership registry on Namespaces.

use std::borrow::Cow;

use anyhow::{Context, Result};

use super::desired::complete_part;
use super::sent::Sent;
use super::{Options, SourceDirs, complete};
use crate::disk::Checkout;
use crate::render::Owners;
use crate::repo::{Repo, RepoPath};
use crate::settings;

/// The repository of a source, which is read when somebody asks for it.
pub struct OwnersOf<'s> {
    /// The repository if it is known already.
    known: Option<&'s Repo>,
    checkout: &'s Checkout,
    /// The folder of the repository that the checkout is.
    folder: RepoPath,
    /// The URL of the source.
    url: &'s str,
    options: &'s Options,
}

impl<'s> OwnersOf<'s> {
    /// Returns the repository in a checkout, which a URL means.
    pub fn new(checkout: &'s Checkout, url: &'s str, options: &'s Options) -> Self {
        Self {
            known: None,
            checkout,
            folder: RepoPath::root(),
            url,
            options,
        }
    }

    /// Says that the checkout is one folder of the repository.
    #[must_use]
    pub fn in_folder(self, folder: RepoPath) -> Self {
        Self { folder, ..self }
    }

    /// Takes a repository that is known for the one in the checkout.
    pub(super) fn or_known(self, known: Option<&'s Repo>) -> Self {
        Self { known, ..self }
    }
}

impl Owners for OwnersOf<'_> {
    fn repository(&self) -> Result<Cow<'_, Repo>> {
        if let Some(repo) = self.known {
            return Ok(Cow::Borrowed(repo));
        }
        let read = || {
            if !self.folder.is_root() {
                let sent = Sent {
                    files: self.checkout,
                    folder: self.folder.clone(),
                };
                let mut repo = Repo::read_with(&sent, &[self.url.to_owned()], settings::scan(&sent)?)?;
                complete_part(&mut repo, &sent)?;
                return Ok(repo);
            }
            let settings = settings::scan(self.checkout)?;
            let mut repo = Repo::read_with(self.checkout, &[self.url.to_owned()], settings)?;
            let parents = (&SourceDirs::default(), self.options);
            complete(&mut repo, self.checkout, parents, &mut |_| {})?;
            Ok(repo)
        };
        let repo: Result<Repo> = read();
        repo.context("cannot read the owners of claims").map(Cow::Owned)
    }
}
