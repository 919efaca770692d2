//! The adapter to what a repository names elsewhere: files by HTTP, and folders of git repositories. What was fetched once is
//! kept, so that the next render needs no network where nothing can have changed.
//!
//! ```text
//! client  one request, through the proxy of the environment     logins  what the user gave for hosts
//! files   files by URL, with their validators               git     folders of repositories
//! ```

mod client;
mod files;
mod git;
mod logins;

use std::path::Path;

use crate::disk::Store;
use crate::time::Deadline;

pub use self::client::NotFetched;
pub use self::files::File;
pub use self::git::Fetched;
pub use self::logins::CREDENTIALS_VARIABLE;

/// The folder of the cache.
const FOLDER: &str = "remote";
/// Limit for everything together, in bytes.
const LARGEST: u64 = 256 << 20;

/// Fetches for one render.
#[derive(Debug)]
pub struct Downloads {
    /// What was fetched before; `None` where there is no cache.
    store: Option<Store>,
    /// Whether the network may be used.
    network: bool,
    deadline: Deadline,
}

impl Downloads {
    /// Returns downloads that end at a deadline, and are kept in a folder of the cache.
    pub fn new(cache: Option<&Path>, network: bool, deadline: Deadline) -> Self {
        Self {
            store: cache.map(|cache| Store::new(cache.join(FOLDER), LARGEST)),
            network,
            deadline,
        }
    }

    fn taken(&self, key: &str) -> Option<Vec<u8>> {
        self.store.as_ref()?.take(key)
    }

    fn keep(&self, key: &str, bytes: &[u8]) {
        if let Some(store) = &self.store {
            store.keep(key, bytes);
        }
    }
}
