//! The files of a repository at a revision, in a folder of their own. Working tree, index, references and settings of the user
//! stay as they are: git works with an index of its own, and asks nobody for what is missing.
#![expect(clippy::disallowed_methods, reason = "the adapter to git")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::{Purpose, Refused, WorkingTree, git, run_with};
use crate::failure::{self, HintExt};
use crate::process::Home;

/// How the names of the folders start; those of killed runs go by it.
const PREFIX: &str = "homelab-git-revision-";
/// The folder of the files, beside the index.
const FILES: &str = "files";
/// The files of a repository at a revision; they go at the end of this value.
#[derive(Debug)]
pub struct Export {
    home: Home,
    /// The commit, in full.
    pub commit: String,
    /// The submodules whose files are not available locally, as paths; they have no folder.
    pub missing: Vec<String>,
}

impl Export {
    /// Returns the folder of the files.
    pub fn root(&self) -> PathBuf {
        self.home.path().join(FILES)
    }
}

impl WorkingTree {
    /// Writes the files of a revision, and of its submodules, into a temporary folder. The revision is what git understands:
    /// a branch, a tag, a commit, `main~1`.
    ///
    /// # Errors
    /// When git knows no such revision, or lacks a part of it.
    pub fn export(&self, revision: &str) -> Result<Export> {
        let commit = self.commit_of(revision)?;
        let home = Home::temporary(PREFIX)?;
        let target = home.path().join(FILES);
        let mut indexes = (0..).map(|number: u32| home.path().join(format!("index-{number}")));
        let mut missing = Vec::new();
        // A submodule has its own objects, and submodules of its own.
        let mut waiting = vec![(self.root.clone(), commit.clone(), String::new())];
        while let (Some((root, commit, path)), Some(index)) = (waiting.pop(), indexes.next()) {
            let to = target.join(&path);
            let written = write(&root, &commit, &index, &to);
            match written {
                Err(error) if path.is_empty() => {
                    return Err(error)
                        .with_context(|| format!("cannot read the files of `{revision}`"))
                        .hint("fetch what is missing with `git fetch`");
                }
                Err(_) => {
                    let _ = fs::remove_dir_all(&to);
                    missing.push(path);
                }
                Ok(()) => waiting.extend(submodules(&root, &commit, &to)?.into_iter().map(|(below, commit)| {
                    let path = if path.is_empty() {
                        below.clone()
                    } else {
                        format!("{path}/{below}")
                    };
                    (root.join(below), commit, path)
                })),
            }
        }
        missing.sort();
        Ok(Export { home, commit, missing })
    }

    /// Returns the commit that a revision means to git.
    fn commit_of(&self, revision: &str) -> Result<String> {
        let name = format!("{revision}^{{commit}}");
        let answer = match revision {
            "" => Err(anyhow!("it is empty")),
            option if option.starts_with('-') => Err(anyhow!("it is an option")),
            _ => git(&self.root, &["rev-parse", "--verify", "--quiet", &name]),
        };
        let commit = match answer {
            Err(error) if failure::find::<Refused>(&error).is_some() => return Err(error),
            answer => answer.unwrap_or_default(),
        };
        let commit = commit.trim();
        if !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(commit.to_owned());
        }
        let is_shallow = git(&self.root, &["rev-parse", "--is-shallow-repository"]);
        let hint = match is_shallow.is_ok_and(|answer| answer.trim() == "true") {
            true => "the clone is shallow: complete it with `git fetch --unshallow`, or in a CI with `fetch-depth: 0`",
            false => "name a branch, a tag or a commit that is available locally; `git fetch` brings new ones",
        };
        Err(anyhow!("git knows no revision `{revision}` here").hint(hint))
    }

    /// Returns the names of the branches and tags, those of remotes included.
    pub fn references(&self) -> Vec<String> {
        let arguments = [
            "for-each-ref",
            "--format=%(refname:short)",
            "refs/heads",
            "refs/tags",
            "refs/remotes",
        ];
        let listed = git(&self.root, &arguments).unwrap_or_default();
        listed.lines().map(str::to_owned).collect()
    }
}

/// Writes the files of a commit into a new folder.
fn write(root: &Path, commit: &str, index: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).context("cannot make a temporary folder")?;
    if !root.join(".git").exists() {
        return Err(anyhow!("it is not checked out"));
    }
    let environment = Purpose::Export.environment(root).with([("GIT_INDEX_FILE", index)]);
    let in_index = |arguments: &[&str]| run_with(Purpose::Export, environment.clone(), root, arguments);
    in_index(&["read-tree", commit])?;
    let prefix = format!(
        "--prefix={}/",
        to.to_str().context("the temporary folder is not UTF-8")?
    );
    in_index(&["checkout-index", "--all", "--force", "--quiet", &prefix])?;
    Ok(())
}

/// Returns the paths and commits of the submodules of a commit whose files were written.
fn submodules(root: &Path, commit: &str, written: &Path) -> Result<Vec<(String, String)>> {
    if !written.join(".gitmodules").exists() {
        return Ok(Vec::new());
    }
    let listed = git(root, &["ls-tree", "-r", "-z", "--full-tree", commit])?;
    let entries = listed.split('\0').filter_map(|line| line.split_once('\t'));
    let submodule =
        |(entry, path): (&str, &str)| Some((path.to_owned(), entry.strip_prefix("160000 commit ")?.to_owned()));
    Ok(entries.filter_map(submodule).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a repository with two commits, of which the first has `a/x` and `b`, and the second `a/y`.
    fn repository() -> (tempfile::TempDir, WorkingTree) {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| git(folder.path(), arguments).unwrap();
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["config", "user.name", "t"]);
        git(&["config", "user.email", "t@example.org"]);
        git(&["config", "core.splitIndex", "true"]);
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/x"), "1").unwrap();
        fs::write(folder.path().join("b"), "1").unwrap();
        std::os::unix::fs::symlink("a/x", folder.path().join("link")).unwrap();
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=one"]);
        git(&["tag", "v1"]);
        fs::remove_file(folder.path().join("b")).unwrap();
        fs::rename(folder.path().join("a/x"), folder.path().join("a/y")).unwrap();
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=two"]);
        let tree = WorkingTree::at(folder.path()).unwrap();
        (folder, tree)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            match entry.file_type().unwrap().is_dir() {
                true => found.extend(names(&path)),
                false => found.push(path.to_str().unwrap().to_owned()),
            }
        }
        found.sort();
        found
    }

    fn exported(tree: &WorkingTree, revision: &str) -> Vec<String> {
        let export = tree.export(revision).unwrap();
        let root = export.root();
        let found = names(&root).into_iter();
        let below = found.map(|name| {
            Path::new(&name)
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        });
        below.collect()
    }

    #[test]
    fn the_files_of_a_revision_are_written_elsewhere_and_nothing_else_changes() {
        let (folder, tree) = repository();
        fs::write(folder.path().join("new"), "not committed").unwrap();
        let before = names(folder.path());
        for revision in ["v1", "main~1", "HEAD^"] {
            assert_eq!(exported(&tree, revision), ["a/x", "b", "link"], "{revision}");
        }
        assert_eq!(exported(&tree, "main"), ["a/y", "link"]);
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn the_folder_goes_with_the_value() {
        let (_folder, tree) = repository();
        let export = tree.export("v1").unwrap();
        let root = export.root();
        assert!(root.join("b").exists());
        drop(export);
        assert!(!root.parent().unwrap().exists());
    }

    #[test]
    fn a_revision_that_git_does_not_know_is_refused() {
        let (_folder, tree) = repository();
        for revision in ["", "nope", "-v", "^main", "main..v1", "main:b", "0000000"] {
            let error = tree.export(revision).unwrap_err();
            assert!(error.to_string().contains("knows no revision"), "{revision}: {error:#}");
        }
    }

    #[test]
    fn submodules_are_written_where_they_are_available() {
        let (inner, _) = repository();
        let (outer, tree) = repository();
        let git = |arguments: &[&str]| git(outer.path(), arguments).unwrap();
        let url = inner.path().to_str().unwrap();
        git(&[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            url,
            "sub/one",
        ]);
        git(&["commit", "--quiet", "--message=three"]);
        assert!(exported(&tree, "main").contains(&"sub/one/a/y".to_owned()));
        git(&["submodule", "--quiet", "deinit", "--force", "--all"]);
        let export = tree.export("main").unwrap();
        assert_eq!(export.missing, ["sub/one"]);
        assert!(!export.root().join("sub/one").exists());
    }
}
