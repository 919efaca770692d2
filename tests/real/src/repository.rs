//! Git repositories that Argo CD reads: a bare one with a `file://` URL, and a working tree that pushes to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::folder::copy;

/// A repository with its working tree.
#[derive(Debug)]
pub struct Repository {
    bare: PathBuf,
    work: PathBuf,
}

impl Repository {
    /// Creates a repository below `folder` that starts with the files of `from`.
    pub fn create(folder: &Path, name: &str, from: Option<&Path>) -> Result<Self> {
        let repository = Self {
            bare: folder.join(format!("{name}.git")),
            work: folder.join(name),
        };
        fs::create_dir_all(&repository.work)?;
        if let Some(from) = from {
            copy(from, &repository.work)?;
        }
        let bare = repository
            .bare
            .to_str()
            .context("the temporary folder's path is not UTF-8")?;
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", bare])?;
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        repository.git(&["remote", "add", "origin", bare])?;
        if from.is_some() {
            repository.commit("Start")?;
        }
        Ok(repository)
    }

    /// Returns its URL for an Application.
    pub fn url(&self) -> String {
        format!("file://{}", self.bare.display())
    }

    /// Copies the bare repository as it is now, and returns the URL of the copy.
    pub fn twin(&self, name: &str) -> Result<String> {
        let twin = self.bare.with_file_name(format!("{name}.git"));
        copy(&self.bare, &twin)?;
        Ok(format!("file://{}", twin.display()))
    }

    /// Returns its working tree.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Returns the text of a file.
    pub fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.work.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// Writes a file, with its parent folders.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.work.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(fs::write(path, text)?)
    }

    /// Replaces every occurrence of a text in a file; fails if there is none.
    pub fn replace(&self, path: &str, from: &str, to: &str) -> Result<()> {
        let text = self.read(path)?;
        ensure!(text.contains(from), "{path} does not hold `{from}`");
        self.write(path, &text.replace(from, to))
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) -> Result<()> {
        fs::remove_file(self.work.join(path)).with_context(|| format!("cannot remove {path}"))
    }

    /// Commits and pushes all changes; returns the revision.
    pub fn commit(&self, message: &str) -> Result<String> {
        // Files that the user's git settings ignore are needed here, as a chart's packed dependencies.
        self.git(&["add", "--all", "--force"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        self.publish()
    }

    /// Pushes what is committed; returns the revision.
    pub fn publish(&self) -> Result<String> {
        self.git(&["push", "--quiet", "origin", "HEAD:main"])?;
        self.head()
    }

    /// Returns the subjects of all commits, the first one first.
    pub fn subjects(&self) -> Result<Vec<String>> {
        let log = self.git(&["log", "--reverse", "--format=%s"])?;
        Ok(log.lines().map(str::to_owned).collect())
    }

    /// Reverts the last commit and pushes the new one; returns the revision.
    pub fn revert(&self) -> Result<String> {
        self.git(&["revert", "--no-edit", "HEAD"])?;
        self.publish()
    }

    /// Returns the revision of the newest commit.
    pub fn head(&self) -> Result<String> {
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    /// Returns the revision that was pushed to a branch.
    pub fn branch(&self, name: &str) -> Result<String> {
        let revision = self.pushed(&["rev-parse", "--verify", &format!("refs/heads/{name}")])?;
        Ok(revision.trim().to_owned())
    }

    /// Returns the text of a file of a pushed revision.
    pub fn read_at(&self, revision: &str, path: &str) -> Result<String> {
        self.pushed(&["show", &format!("{revision}:{path}")])
    }

    /// Returns the files of a pushed revision, sorted.
    pub fn files_at(&self, revision: &str) -> Result<Vec<String>> {
        let files = self.pushed(&["ls-tree", "-r", "--name-only", revision])?;
        Ok(files.lines().map(str::to_owned).collect())
    }

    /// Asks git about what was pushed, by anybody.
    fn pushed(&self, arguments: &[&str]) -> Result<String> {
        let bare = format!("--git-dir={}", self.bare.display());
        self.git(&[&[bare.as_str()], arguments].concat())
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("git")
            .args(["-c", "user.name=story", "-c", "user.email=story@example.org"])
            .args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .current_dir(&self.work)
            .stdin(Stdio::null())
            .output()
            .context("cannot run git")?;
        if !output.status.success() {
            bail!(
                "git {} failed: {}",
                arguments.first().unwrap_or(&""),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
