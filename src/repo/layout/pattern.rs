//! How the files of manifests are named in a folder: `one.yaml`, `app-one.yaml`, or `one/application.yaml`.

use std::fmt;

use anyhow::Result;

use crate::repo::RepoPath;

/// How files are named in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    /// The folder.
    pub(super) folder: RepoPath,
    /// Whether each name has a folder of its own below it.
    pub(super) has_own_folder: bool,
    file: FileName,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FileName {
    /// The name between two texts.
    Around(String, String),
    /// The same for every name.
    Fixed(String),
}

impl Pattern {
    /// Returns the pattern of plain files.
    pub(super) fn plain(folder: RepoPath, ending: &str) -> Self {
        Self {
            folder,
            has_own_folder: false,
            file: FileName::Around(String::new(), ending.to_owned()),
        }
    }

    /// Returns how the file of a manifest is named. `is_repeated` says that folders beside its own have such a file, too.
    pub(super) fn of(file: &RepoPath, name: &str, is_repeated: bool) -> Self {
        let parent = file.parent();
        let around = around(file.file_name(), name);
        let is_named_folder = parent.file_name() == name;
        if is_named_folder || around.is_none() && is_repeated && !parent.is_root() {
            let fixed = || FileName::Fixed(file.file_name().to_owned());
            return Self {
                folder: parent.parent(),
                has_own_folder: true,
                file: around.unwrap_or_else(fixed),
            };
        }
        let ending = if file.file_name().ends_with(".yml") {
            ".yml"
        } else {
            ".yaml"
        };
        match around {
            Some(file) => Self {
                folder: parent,
                has_own_folder: false,
                file,
            },
            None => Self::plain(parent, ending),
        }
    }

    /// Returns the file for a name.
    ///
    /// # Errors
    /// When the name leads out of the repository.
    pub(super) fn file(&self, name: &str) -> Result<RepoPath> {
        let folder = match self.has_own_folder {
            true => self.folder.join(name)?,
            false => self.folder.clone(),
        };
        folder.join(&match &self.file {
            FileName::Around(before, behind) => format!("{before}{name}{behind}"),
            FileName::Fixed(file) => file.clone(),
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file("NAME") {
            Ok(file) => file.fmt(f),
            Err(_) => self.folder.fmt(f),
        }
    }
}

/// Returns what is around a name in a file's name; `None` where the name is not in it, or only inside of a word.
fn around(file: &str, name: &str) -> Option<FileName> {
    let is_bound = |other: Option<char>| other.is_none_or(|other| !other.is_alphanumeric());
    let mut places = file.match_indices(name);
    places.find_map(|(start, _)| {
        let (before, behind) = (&file[..start], &file[start + name.len()..]);
        let stands_apart = is_bound(before.chars().next_back()) && is_bound(behind.chars().next());
        (stands_apart && behind.contains('.')).then(|| FileName::Around(before.to_owned(), behind.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_their_siblings() {
        for (file, name, is_repeated, expected) in [
            ("apps/one.yaml", "one", false, "apps/NAME.yaml"),
            ("apps/one.yml", "one", true, "apps/NAME.yml"),
            ("apps/one-app.yaml", "one", true, "apps/NAME-app.yaml"),
            ("apps/stone.yaml", "one", false, "apps/NAME.yaml"),
            ("apps/all.yml", "one", false, "apps/NAME.yml"),
            ("apps/one.json", "two", false, "apps/NAME.yaml"),
            ("apps/one/application.yaml", "one", false, "apps/NAME/application.yaml"),
            ("apps/one/one.yaml", "one", true, "apps/NAME/NAME.yaml"),
            ("apps/one/app.yml", "team-one", true, "apps/NAME/app.yml"),
            ("apps/one/app.yml", "team-one", false, "apps/one/NAME.yml"),
            ("root.yaml", "other", true, "NAME.yaml"),
        ] {
            let file = RepoPath::new(file).unwrap();
            assert_eq!(Pattern::of(&file, name, is_repeated).to_string(), expected, "{file}");
        }
    }
}
