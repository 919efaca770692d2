//! What is in the repository, whatever it is.

use super::{Repo, RepoPath};

impl Repo {
    /// Reports whether there is a file, whatever is in it.
    pub fn has_file(&self, file: &RepoPath) -> bool {
        self.listing.contains(file)
    }

    /// Reports whether there is a folder, whatever is in it.
    pub fn has_folder(&self, folder: &RepoPath) -> bool {
        self.listing.iter().any(|file| file != folder && file.is_in(folder))
    }

    /// Returns the files whose names end so.
    pub fn files_ending(&self, ending: &str) -> Vec<&RepoPath> {
        let mut files: Vec<_> = self
            .listing
            .iter()
            .filter(|file| file.as_str().ends_with(ending))
            .collect();
        files.sort();
        files
    }

    /// Returns the first file in a folder, whatever is in it.
    pub fn first_file_in(&self, folder: &RepoPath) -> Option<RepoPath> {
        let inside = self.listing.iter().filter(|file| *file != folder && file.is_in(folder));
        inside.min().cloned()
    }
}
