//! The commit that a change starts from: where its branch has left the remote's default one.

use anyhow::{Result, anyhow};

use super::{WorkingTree, git, revision};
use crate::failure::HintExt;

/// The usual names of default branches, where the clone does not know the remote's.
const USUAL: [&str; 2] = ["main", "master"];

impl WorkingTree {
    /// Returns the last commit that a revision shares with the default branch of the remote, and the name of that branch.
    ///
    /// # Errors
    /// When the clone is shallow, has no remote branch, or shares nothing with it.
    pub fn merge_base(&self, revision: &str) -> Result<(String, String)> {
        let is_shallow = git(&self.root, &["rev-parse", "--is-shallow-repository"])?;
        if is_shallow.trim() == "true" {
            return Err(anyhow!("the clone is shallow: where the change starts is not in it")
                .hint("complete it with `git fetch --unshallow`, or in a CI with `fetch-depth: 0`"));
        }
        let branch = self.default_branch().ok_or_else(|| {
            anyhow!("the default branch of the remote is not known here")
                .hint("name the revision to compare with: `--base REV`")
        })?;
        let found = git(&self.root, &["merge-base", "--end-of-options", &branch, revision]);
        let commit = found
            .map(|commit| commit.trim().to_owned())
            .ok()
            .filter(|commit| !commit.is_empty());
        let commit = commit.ok_or_else(|| {
            anyhow!("`{revision}` and `{branch}` share no commit")
                .hint("name the revision to compare with: `--base REV`")
        })?;
        Ok((commit, branch))
    }

    /// Returns the default branch of the remote, as `origin/main`.
    fn default_branch(&self) -> Option<String> {
        let remotes = git(&self.root, &["remote"]).ok()?;
        let mut remotes: Vec<&str> = remotes.lines().collect();
        remotes.sort_by_key(|remote| *remote != "origin");
        let is_there = |name: &str| {
            let name = format!("refs/remotes/{name}^{{commit}}");
            git(&self.root, &["rev-parse", "--verify", "--quiet", &name]).is_ok()
        };
        remotes.iter().find_map(|remote| {
            let head = git(
                &self.root,
                &[
                    "symbolic-ref",
                    "--quiet",
                    "--short",
                    &format!("refs/remotes/{remote}/HEAD"),
                ],
            );
            let named = head
                .ok()
                .map(|name| name.trim().to_owned())
                .filter(|name| is_there(name));
            let usual = || {
                USUAL
                    .iter()
                    .map(|name| format!("{remote}/{name}"))
                    .find(|name| is_there(name))
            };
            named.or_else(usual)
        })
    }

    /// Reports whether a commit is in what a revision means to Argo CD, here or at the remote; a revision that is not known here
    /// may have it.
    pub fn may_hold(&self, target: &str, commit: &str) -> bool {
        let head = revision::in_tree(&self.root, target);
        let remote = ["refs/remotes/origin/", "refs/remotes/upstream/"].map(|remote| format!("{remote}{target}"));
        let remote = remote.iter().filter_map(|name| {
            let name = format!("{name}^{{commit}}");
            git(&self.root, &["rev-parse", "--verify", "--quiet", &name]).ok()
        });
        let mut known = head
            .into_iter()
            .chain(remote.map(|commit| commit.trim().to_owned()))
            .peekable();
        if known.peek().is_none() {
            return true;
        }
        let holds = |tip: String| git(&self.root, &["merge-base", "--is-ancestor", commit, &tip]).is_ok();
        known.any(holds)
    }

    /// Returns a commit's short name.
    pub fn short(&self, commit: &str) -> String {
        let short = git(
            &self.root,
            &["rev-parse", "--short", "--verify", "--end-of-options", commit],
        );
        short.map_or_else(|_| commit.chars().take(7).collect(), |short| short.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    /// Returns a repository with the commits `one` and `two` on its branch `main`, and a clone of it.
    fn cloned(arguments: &[&str]) -> (tempfile::TempDir, WorkingTree) {
        let folder = tempfile::tempdir().unwrap();
        let origin = folder.path().join("origin");
        std::fs::create_dir(&origin).unwrap();
        let run = |arguments: &[&str]| git(&origin, arguments).unwrap();
        run(&["init", "--quiet", "--initial-branch=main"]);
        run(&["config", "user.name", "t"]);
        run(&["config", "user.email", "t@example.org"]);
        for message in ["one", "two"] {
            run(&["commit", "--quiet", "--allow-empty", "--message", message]);
        }
        let url = format!("file://{}", origin.display());
        let target = folder.path().join("clone");
        let target = target.to_str().unwrap();
        git(
            folder.path(),
            &[&["clone", "--quiet"][..], arguments, &[&url, target]].concat(),
        )
        .unwrap();
        let tree = WorkingTree::at(std::path::Path::new(target)).unwrap();
        for setting in [["user.name", "t"], ["user.email", "t@example.org"]] {
            git(&tree.root, &[&["config"][..], &setting].concat()).unwrap();
        }
        (folder, tree)
    }

    #[test]
    fn a_change_starts_where_its_branch_has_left_the_default_one() {
        let (_folder, tree) = cloned(&[]);
        let start = tree.head().unwrap();
        git(&tree.root, &["checkout", "--quiet", "-b", "topic"]).unwrap();
        git(
            &tree.root,
            &["commit", "--quiet", "--allow-empty", "--message", "three"],
        )
        .unwrap();
        let (base, branch) = tree.merge_base("HEAD").unwrap();
        assert_eq!((base.as_str(), branch.as_str()), (start.as_str(), "origin/main"));
        git(&tree.root, &["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]).unwrap();
        assert_eq!(tree.merge_base("HEAD").unwrap().0, start);
        assert!(tree.may_hold("main", &start) && tree.may_hold("HEAD", &start) && tree.may_hold("unknown", &start));
        assert!(!tree.may_hold("main", &tree.head().unwrap()));
        assert!(start.starts_with(&tree.short(&start)));
    }

    #[test]
    fn a_shallow_clone_and_one_without_a_remote_name_the_way_out() {
        let (_folder, shallow) = cloned(&["--depth=1"]);
        let failure = Failure::from(shallow.merge_base("HEAD").unwrap_err());
        assert!(failure.hints[0].contains("fetch-depth: 0"), "{:?}", failure.hints);
        let (_folder, alone) = cloned(&[]);
        git(&alone.root, &["remote", "remove", "origin"]).unwrap();
        let failure = Failure::from(alone.merge_base("HEAD").unwrap_err());
        assert!(failure.hints[0].contains("--base"), "{:?}", failure.hints);
    }
}
