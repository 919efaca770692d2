//! The files that a repository leaves out of scans, by patterns in the form of `.gitignore`
//! ([source](https://git-scm.com/docs/gitignore#_pattern_format)).
//!
//! `*`, `?` and `[…]` stay within a name, `**` is any number of folders, `{a,b}` are alternatives. A pattern with a `/` before
//! its end starts at the repository's top, another one matches in every folder; what matches a folder leaves out all below.

use anyhow::{Result, anyhow};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::RepoPath;
use crate::failure::HintExt;

/// Patterns of paths.
#[derive(Clone, Debug, Default)]
pub struct Excluded {
    globs: GlobSet,
    /// Those of a pattern that ends in a `/`, which a file does not match.
    folders: GlobSet,
}

impl Excluded {
    /// Reads patterns.
    ///
    /// # Errors
    /// When one is malformed, or matches everything.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self> {
        let (mut globs, mut folders) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            check(pattern)?;
            let is_anchored = pattern.trim_end_matches('/').contains('/');
            let path = pattern.trim_matches('/');
            let everywhere = if is_anchored { "" } else { "**/" };
            let glob = GlobBuilder::new(&format!("{everywhere}{path}"))
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| malformed(pattern, &error))?;
            match pattern.ends_with('/') {
                true => folders.add(glob),
                false => globs.add(glob),
            };
        }
        let built = |builder: &GlobSetBuilder| builder.build().map_err(|error| anyhow!("{error}"));
        Ok(Self {
            globs: built(&globs)?,
            folders: built(&folders)?,
        })
    }

    /// Reports whether a file is left out, or a folder that it is in.
    pub fn matches(&self, file: &RepoPath) -> bool {
        let is_empty = self.globs.is_empty() && self.folders.is_empty();
        !is_empty && (self.globs.is_match(file.as_str()) || self.has_folder(&file.parent()))
    }

    /// Reports whether a folder is left out, with all files below.
    pub fn has_folder(&self, folder: &RepoPath) -> bool {
        let folders = std::iter::once(folder.clone()).chain(folder.folders());
        let mut folders = folders.filter(|folder| !folder.is_root());
        folders.any(|folder| self.globs.is_match(folder.as_str()) || self.folders.is_match(folder.as_str()))
    }
}

fn check(pattern: &str) -> Result<()> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    if pattern.starts_with('!') {
        return Err(anyhow!("`{pattern}` would take files in again").hint("list only what is left out"));
    }
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(
            anyhow!("`{pattern}` has a part `.` or `..`").hint("write it from the repository's top, as `tests/**`")
        );
    }
    match parts.iter().all(|part| matches!(*part, "*" | "**")) {
        true => Err(anyhow!("`{pattern}` leaves out everything").hint("name a folder, as `tests/**`")),
        false => Ok(()),
    }
}

fn malformed(pattern: &str, error: &globset::Error) -> anyhow::Error {
    anyhow!("`{pattern}` is not a pattern: {}", error.kind()).hint("write it as in `.gitignore`, as `tests/**`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let excluded = Excluded::new([pattern]).unwrap();
        excluded.matches(&RepoPath::new(path).unwrap())
    }

    #[test]
    fn patterns_match_as_in_gitignore() {
        for (pattern, paths) in [
            ("tests/**", ["tests/a.yaml", "tests/a/b/c.yaml", "tests/.hidden/a.yaml"]),
            ("tests/", ["tests/a.yaml", "apps/tests/a.yaml", "tests/a/b.yaml"]),
            ("tests", ["tests", "apps/tests/a.yaml", "apps/tests"]),
            ("/tests", ["tests", "tests/a.yaml", "tests/a/b.yaml"]),
            ("*.bak.yaml", ["a.bak.yaml", "apps/a.bak.yaml", ".bak.yaml"]),
            ("apps/*/old", ["apps/a/old/b.yaml", "apps/b/old", "apps/a/old/c/d.yaml"]),
            ("**/old/*.yaml", ["old/a.yaml", "a/old/b.yaml", "a/b/old/c.yaml"]),
            ("apps/**/old", ["apps/old/a.yaml", "apps/a/b/old/c.yaml", "apps/a/old"]),
            ("{a,b}/c", ["a/c", "b/c/d.yaml", "a/c/e.yaml"]),
            ("a/[xy]?.yaml", ["a/x1.yaml", "a/yy.yaml", "a/y-.yaml"]),
            ("a/\\*", ["a/*", "a/*/b", "a/*/c/d"]),
        ] {
            for path in paths {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn others_are_scanned() {
        for (pattern, paths) in [
            ("tests/**", ["tests", "apps/tests/a.yaml", "tests2/a.yaml"]),
            ("tests/", ["tests", "apps/tests", "tests.yaml"]),
            ("/tests", ["apps/tests/a.yaml", "tests2/a.yaml", "a"]),
            ("apps/*.yaml", ["apps/a/b.yaml", "b.yaml", "x/apps/b.yaml"]),
            ("apps/*/old", ["apps/old", "apps/a/b/old", "apps/a/older"]),
        ] {
            for path in paths {
                assert!(!matches(pattern, path), "{pattern} {path}");
            }
        }
        assert!(!Excluded::default().matches(&RepoPath::new("a").unwrap()));
    }

    #[test]
    fn folders_are_left_out_whole() {
        let excluded = Excluded::new(["tests", "apps/*/"]).unwrap();
        let has = |folder: &str| excluded.has_folder(&RepoPath::new(folder).unwrap());
        assert!(has("tests") && has("tests/a") && has("apps/a") && has("apps/a/b"));
        assert!(!has("") && !has("apps") && !has("b"));
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in ["", "/", "**", "*/**", "!a", "../a", "a/./b", "[a", "a/{b", "a}"] {
            assert!(Excluded::new([pattern]).is_err(), "{pattern}");
        }
    }
}
