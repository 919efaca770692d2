//! Opens a working tree: which of its files count, and which URLs mean it.

use anyhow::Error;

use crate::disk::Checkout;
use crate::git::{Listing, WorkingTree};

/// A working tree, opened.
#[derive(Debug)]
pub struct Opened {
    /// Its files: those that git has or would add, all where nobody knows; and its commit.
    pub checkout: Checkout,
    /// The URLs of its remotes.
    pub remotes: Vec<String>,
    /// Why git does not list its files, where there is a git folder.
    pub unlisted: Option<Error>,
}

impl Opened {
    /// Asks git about a checkout.
    pub fn of(checkout: Checkout) -> Self {
        let Some(tree) = WorkingTree::at(checkout.root()) else {
            return Self {
                checkout,
                remotes: Vec::new(),
                unlisted: None,
            };
        };
        // Each takes a start of git. To list the files takes longest: the others are asked meanwhile.
        let listing = tree.start_listing();
        let (remotes, commit) = (tree.remotes(), tree.head().ok());
        let files = listing.and_then(Listing::files);
        let checkout = checkout.at_commit(commit);
        let (checkout, unlisted) = match files {
            Ok(files) => (checkout.with_files(files), None),
            Err(error) => (checkout, Some(error)),
        };
        Self {
            checkout,
            remotes,
            unlisted,
        }
    }
}
