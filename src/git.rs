//! The adapter to git: remotes, state and commits of working trees, shallow clones of sources. The user's own git runs, with
//! the user's own credentials.
#![expect(clippy::disallowed_methods, reason = "the adapter to git")]

mod base;
mod call;
mod export;
mod refusal;
mod revision;
mod state;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::failure::HintExt;
use crate::masking::without_logins;
use crate::model::repo_url::remote_helper;
use crate::parallel;
use crate::repo::RepoPath;
use crate::repo::listed::{Kind, Listed};
use crate::time::Deadline;
use call::{Call, Purpose, git, run, run_with};
pub use export::Export;
pub use refusal::Refused;
pub use revision::references;
pub use state::State;

/// What is in git's message when another git is committing: it keeps the index, or has moved the branch.
const BUSY: [&str; 2] = ["index.lock': File exists.", "cannot lock ref 'HEAD'"];
/// The time to wait for that other git, and the interval of new tries.
const INDEX_PATIENCE: Duration = Duration::from_secs(10);
const INDEX_INTERVAL: Duration = Duration::from_millis(100);

/// The files of a working tree, being listed.
#[derive(Debug)]
pub struct Listing<'t> {
    root: &'t Path,
    call: Call,
}

impl Listing<'_> {
    /// Returns the files that are committed or would be: tracked ones that are there, and others that are not ignored.
    ///
    /// # Errors
    /// When git fails, or a name is not a path inside the tree.
    pub fn files(self) -> Result<Listed> {
        let listed = self.call.output()?;
        let paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        // With `--deleted`, git looks for them one after the other.
        let kind = |path: &&str| {
            let kind = self.root.join(path).symlink_metadata().ok()?.file_type();
            Some(match (kind.is_symlink(), kind.is_dir()) {
                (true, _) => Kind::Link,
                (_, true) => Kind::Folder,
                _ => Kind::File,
            })
        };
        let kinds = parallel::each(&paths, kind);
        let there = paths.into_iter().zip(kinds).filter_map(|(path, kind)| {
            let kind = kind?;
            Some(RepoPath::new(path).map(|path| (path, kind)))
        });
        Ok(Listed::new(there.collect::<Result<Vec<_>>>()?))
    }
}

/// A working tree of git.
#[derive(Clone, Debug)]
pub struct WorkingTree {
    root: PathBuf,
}

impl WorkingTree {
    /// Returns the working tree whose top is this folder, if it is one.
    pub fn at(root: &Path) -> Option<Self> {
        root.join(".git").exists().then(|| Self { root: root.to_owned() })
    }

    /// Returns its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reports whether it is none: its repository is bare.
    pub fn is_bare(&self) -> bool {
        git(&self.root, &["rev-parse", "--is-inside-work-tree"]).is_ok_and(|answer| answer.trim() == "false")
    }

    /// Returns the URLs of its remotes.
    pub fn remotes(&self) -> Vec<String> {
        const PATTERN: &str = r"^remote\..*\.url$";
        let listed = git(&self.root, &["config", "--get-regexp", PATTERN]).ok();
        // In a repository that git refuses, it finds no settings and does not say why.
        let listed = listed.or_else(|| settings(&self.root, PATTERN)).unwrap_or_default();
        listed
            .lines()
            .filter_map(|line| Some(line.split_once(' ')?.1.to_owned()))
            .collect()
    }

    /// Starts to list its files, which takes longer than most other questions.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn start_listing(&self) -> Result<Listing<'_>> {
        let arguments = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ];
        let environment = Purpose::Local.environment(&self.root);
        let call = Call::start(Purpose::Local, environment, &self.root, &arguments)?;
        Ok(Listing { root: &self.root, call })
    }

    /// Reports whether a revision, as Argo CD resolves it, means the commit that is checked out.
    pub fn is_at(&self, revision: &str) -> bool {
        let head = git(&self.root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).ok();
        head.is_some_and(|head| revision::in_tree(&self.root, revision).as_deref() == Some(head.trim()))
    }

    /// Returns those of the files that differ from the last commit.
    ///
    /// # Errors
    /// When git fails.
    pub fn dirty(&self, files: &[&RepoPath]) -> Result<Vec<String>> {
        let mut arguments = vec!["status", "--porcelain", "--untracked-files=all", "--"];
        arguments.extend(files.iter().map(|path| path.as_str()));
        let listed = git(&self.root, &arguments)?;
        Ok(listed
            .lines()
            .filter_map(|line| line.get(3..))
            .map(str::to_owned)
            .collect())
    }

    /// Returns the text of a file in a commit, such as `HEAD`; nothing where there is no such commit or file in it.
    ///
    /// # Errors
    /// When git fails, or the text is not UTF-8.
    pub fn committed(&self, commit: &str, file: &RepoPath) -> Result<Option<String>> {
        let is_there = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let object = format!("{commit}:{}", file.as_str());
        // A folder that git refuses is not one without commits.
        git(&self.root, &["rev-parse", "--git-dir"])?;
        if git(&self.root, &[&is_there[..], &[&object]].concat()).is_err() {
            return Ok(None);
        }
        git(&self.root, &["cat-file", "blob", &object]).map(Some)
    }

    /// Returns the branch that the current one is pushed to, as `origin/main`, where that is known.
    pub fn upstream(&self) -> Option<String> {
        let name = git(
            &self.root,
            &["rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}"],
        )
        .ok()?;
        Some(name.trim().to_owned())
    }

    /// Commits these files and nothing else.
    ///
    /// # Errors
    /// When git fails, for example without an author.
    pub fn commit(&self, files: &[&RepoPath], message: &str) -> Result<String> {
        let paths = files.iter().map(|path| path.as_str());
        let with_paths = |start: &[&'static str]| -> Vec<String> {
            start
                .iter()
                .map(|part| (*part).to_owned())
                .chain(paths.clone().map(str::to_owned))
                .collect()
        };
        let commit = |arguments: Vec<String>| {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            self.run_when_free(&arguments)
        };
        let written = "the files are written; commit them with git";
        commit(with_paths(&["add", "--all", "--"])).hint(written)?;
        let mut arguments = vec![
            "commit".to_owned(),
            "--quiet".to_owned(),
            "--message".to_owned(),
            message.to_owned(),
        ];
        arguments.extend(with_paths(&["--only", "--"]));
        commit(arguments).hint(written)?;
        Ok(git(&self.root, &["rev-parse", "--short", "HEAD"])?.trim().to_owned())
    }
}

impl WorkingTree {
    /// Runs git as the user does, again while another git keeps the index: two commands may commit at the same time.
    fn run_when_free(&self, arguments: &[&str]) -> Result<String> {
        let deadline = Deadline::after(INDEX_PATIENCE);
        loop {
            let result = run(Purpose::Commit, &self.root, arguments);
            let is_busy = |error: &anyhow::Error| BUSY.iter().any(|part| error.to_string().contains(part));
            if deadline.is_over() || !result.as_ref().is_err_and(is_busy) {
                return result;
            }
            std::thread::sleep(deadline.left(INDEX_INTERVAL));
        }
    }
}

/// Removes the locks of a git that was killed; it would not run again.
fn remove_locks(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_locks(&entry.path());
        } else if entry.path().extension().is_some_and(|ending| ending == "lock") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Fetches one revision of a repository into a folder that is a shallow clone of it, or becomes one. Nobody else may fetch
/// into it meanwhile: what a killed git left there is removed.
///
/// # Errors
/// When git fails: no network, no such repository or revision, no permission.
pub fn fetch(url: &str, revision: &str, folder: &Path) -> Result<WorkingTree> {
    if url.starts_with('-') || revision.starts_with('-') {
        return Err(anyhow!("`{url}` at `{revision}` is not a repository and revision"));
    }
    if let Some(helper) = remote_helper(url) {
        return Err(anyhow!("`{url}` asks git to run a program, `git-remote-{helper}`").hint(
            "name the repository by an `https`, `ssh` or `file` URL, or name a checkout with `--source-dir REPO=DIR`",
        ));
    }
    if folder.join(".git").exists() {
        remove_locks(&folder.join(".git"));
    }
    // Both may be done, or not, when an earlier one was killed.
    git(folder, &["init", "--quiet", "--template="])?;
    git(folder, &["config", "remote.origin.url", url])?;
    revision::fetch(folder, revision)
        .with_context(|| format!("cannot fetch `{revision}` of `{}`", without_logins(url)))
        .hint(
            "check the URL, the revision and your git credentials, or name a checkout with `--source-dir REPO=DIR`",
        )?;
    git(folder, &["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"])?;
    git(folder, &["clean", "--quiet", "-ffdx"])?;
    Ok(WorkingTree {
        root: folder.to_owned(),
    })
}

/// Returns the values of a setting in the configuration of a working tree, read as a file: git does not need the repository
/// for that.
fn settings(root: &Path, pattern: &str) -> Option<String> {
    let file = common_folder(root)?.join("config");
    git(root, &["config", "--file", file.to_str()?, "--get-regexp", pattern]).ok()
}

/// Returns the folder of git that all working trees of a repository share.
fn common_folder(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    let own = root.join(text.strip_prefix("gitdir:")?.trim());
    let common = fs::read_to_string(own.join("commondir")).ok();
    Some(common.map_or_else(|| own.clone(), |common| own.join(common.trim())))
}

#[cfg(test)]
mod tests {
    use super::call::reason;
    use super::*;

    #[test]
    fn the_reason_of_a_failure_is_found() {
        let refused = "warning: x\nfatal: '/a' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n";
        assert_eq!(reason(refused), "'/a' does not appear to be a git repository");
        assert_eq!(reason("hint: x\nerror: y\n"), "error: y");
        assert_eq!(reason(""), "");
    }

    #[test]
    fn a_commit_waits_for_another_git() {
        let (folder, tree) = tree();
        write(folder.path(), "a", "1");
        let lock = folder.path().join(".git/index.lock");
        std::fs::write(&lock, "").unwrap();
        std::thread::scope(|scope| {
            let commit = scope.spawn(|| tree.commit(&[&RepoPath::new("a").unwrap()], "one"));
            std::thread::sleep(3 * INDEX_INTERVAL);
            std::fs::remove_file(&lock).unwrap();
            commit.join().unwrap().unwrap();
        });
    }

    #[test]
    fn remote_helpers_are_told_from_repositories() {
        assert_eq!(remote_helper("ext::sh -c true"), Some("ext"));
        assert_eq!(remote_helper("fd::3"), Some("fd"));
        assert_eq!(remote_helper("https://[::1]/a"), None);
        assert_eq!(remote_helper("git@[::1]:a"), None);
        let folder = tempfile::tempdir().unwrap();
        let error = fetch("ext::sh -c true", "main", folder.path()).unwrap_err();
        assert!(error.to_string().contains("git-remote-ext"), "{error:#}");
        assert!(!folder.path().join(".git").exists());
    }

    fn tree() -> (tempfile::TempDir, WorkingTree) {
        let folder = tempfile::tempdir().unwrap();
        for arguments in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["config", "user.name", "t"],
            &["config", "user.email", "t@example.org"],
        ] {
            git(folder.path(), arguments).unwrap();
        }
        let tree = WorkingTree::at(folder.path()).unwrap();
        (folder, tree)
    }

    #[test]
    fn what_is_committed_is_told_from_what_is_written() {
        let (folder, tree) = tree();
        let file = RepoPath::new("a").unwrap();
        write(folder.path(), "a", "1");
        assert_eq!(tree.committed("HEAD", &file).unwrap(), None, "there is no commit");
        assert!(tree.state().is_err());
        tree.commit(&[&file], "one").unwrap();
        write(folder.path(), "a", "2");
        assert_eq!(tree.committed("HEAD", &file).unwrap().as_deref(), Some("1"));
        assert_eq!(tree.committed("HEAD", &RepoPath::new("b").unwrap()).unwrap(), None);
        assert_eq!(tree.upstream(), None);
    }

    fn write(folder: &Path, name: &str, text: &str) {
        std::fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn files_are_those_that_are_there_and_that_git_would_take() {
        let (folder, tree) = tree();
        let listed = |tree: &WorkingTree| -> Vec<String> {
            let files = tree.start_listing().unwrap().files().unwrap();
            files.paths().iter().map(|path| path.as_str().to_owned()).collect()
        };
        for name in ["a", "both ways", "left-out", "removed", "skipped"] {
            write(folder.path(), name, "1");
        }
        write(folder.path(), ".gitignore", "ignored\n");
        git(folder.path(), &["add", "."]).unwrap();
        git(folder.path(), &["commit", "--quiet", "--message=one"]).unwrap();
        git(folder.path(), &["checkout", "--quiet", "-b", "other"]).unwrap();
        write(folder.path(), "both ways", "2");
        git(folder.path(), &["commit", "--quiet", "--all", "--message=two"]).unwrap();
        git(folder.path(), &["checkout", "--quiet", "main"]).unwrap();
        write(folder.path(), "both ways", "3");
        git(folder.path(), &["commit", "--quiet", "--all", "--message=three"]).unwrap();
        git(folder.path(), &["merge", "--quiet", "other"]).unwrap_err();
        for name in ["left-out", "skipped"] {
            git(folder.path(), &["update-index", "--skip-worktree", name]).unwrap();
        }
        for name in ["left-out", "removed"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        for name in ["ignored", "new"] {
            write(folder.path(), name, "1");
        }
        assert_eq!(listed(&tree), [".gitignore", "a", "both ways", "new", "skipped"]);
    }

    #[test]
    fn commits_what_was_touched_and_nothing_else() {
        let (folder, tree) = tree();
        write(folder.path(), "a", "1");
        write(folder.path(), "b", "1");
        let a = RepoPath::new("a").unwrap();
        assert_eq!(tree.dirty(&[&a]).unwrap(), ["a"]);
        tree.commit(&[&a], "add a").unwrap();
        assert!(tree.dirty(&[&a]).unwrap().is_empty());
        let state = tree.state().unwrap();
        assert_eq!((state.branch.as_deref(), state.dirty), (Some("main"), true));
        assert!(tree.is_at("main") && tree.is_at("HEAD") && tree.is_at(&state.commit) && !tree.is_at("v1"));
        tree.commit(&[&RepoPath::new("b").unwrap()], "add b").unwrap();
        git(folder.path(), &["checkout", "--quiet", "--detach"]).unwrap();
        let state = tree.state().unwrap();
        assert_eq!((state.branch, state.dirty, state.commit.len()), (None, false, 40));
    }

    /// Returns a repository with three commits: the first has the tags `v1.0.0` (annotated) and `v1.1.0`, the second
    /// `v2.0.0-rc.1`, and `main` is at the third; their names.
    fn tagged() -> (tempfile::TempDir, WorkingTree, Vec<String>) {
        let (folder, tree) = tree();
        let a = RepoPath::new("a").unwrap();
        let commits = ["1", "2", "3"].map(|text| {
            write(folder.path(), "a", text);
            tree.commit(&[&a], text).unwrap();
            tree.state().unwrap().commit
        });
        let tag = |arguments: &[&str]| git(folder.path(), &[&["tag"], arguments].concat()).unwrap();
        tag(&["--annotate", "--message", "one", "v1.0.0", &commits[0]]);
        tag(&["v1.1.0", &commits[0]]);
        tag(&["v2.0.0-rc.1", &commits[1]]);
        git(folder.path(), &["branch", "1.x", &commits[1]]).unwrap();
        (folder, tree, commits.into())
    }

    #[test]
    fn a_revision_is_what_argo_cd_resolves() {
        let (source, tree, commits) = tagged();
        let clone = tempfile::tempdir().unwrap();
        let short = &commits[1][..7];
        for (revision, commit) in [
            ("", 2),
            ("HEAD", 2),
            ("main", 2),
            ("refs/heads/main", 2),
            ("v1.0.0", 0),
            ("refs/tags/v1.0.0", 0),
            ("^1.0.0", 0),
            ("1.*", 0),
            (">=1.0.0 <2.0.0", 0),
            (">=2.0.0-0", 1),
            (short, 1),
            (&commits[1][..], 1),
        ] {
            let fetched = fetch(source.path().to_str().unwrap(), revision, clone.path()).unwrap();
            assert_eq!(fetched.state().unwrap().commit, commits[commit], "{revision}");
            git(source.path(), &["checkout", "--quiet", "--detach", &commits[commit]]).unwrap();
            assert!(tree.is_at(revision) || matches!(revision, "" | "HEAD"), "{revision}");
            git(source.path(), &["checkout", "--quiet", "main"]).unwrap();
            assert_eq!(tree.is_at(revision), commit == 2, "{revision}");
        }
        for (revision, part) in [
            ("^3", "no tag fits"),
            ("main~1", "not the name of a branch"),
            ("0000000", "there is no commit"),
        ] {
            let error = fetch(source.path().to_str().unwrap(), revision, clone.path()).unwrap_err();
            assert!(format!("{error:#}").contains(part), "{error:#}");
            assert!(!tree.is_at(revision), "{revision}");
        }
    }

    #[test]
    fn a_branch_may_have_the_name_of_a_constraint_that_no_tag_fits() {
        let (source, tree, commits) = tagged();
        git(source.path(), &["tag", "--delete", "v1.0.0", "v1.1.0"]).unwrap();
        let clone = tempfile::tempdir().unwrap();
        let fetched = fetch(source.path().to_str().unwrap(), "1.x", clone.path()).unwrap();
        assert_eq!(fetched.state().unwrap().commit, commits[1]);
        git(source.path(), &["checkout", "--quiet", "1.x"]).unwrap();
        assert!(tree.is_at("1.x"));
    }

    #[test]
    fn a_repository_that_git_refuses_is_told_from_others() {
        let stderr = "fatal: detected dubious ownership in repository at '/srv/charts'\nTo add an exception for this directory, call:\n\n\tgit config --global --add safe.directory /srv/charts\n";
        let refused = Refused::of(stderr, &reason(stderr)).unwrap();
        assert_eq!(
            refused.message,
            "detected dubious ownership in repository at '/srv/charts'"
        );
        assert_eq!(
            refused.hint(),
            "run `git config --global --add safe.directory /srv/charts` if you trust what is in it"
        );
        assert_eq!(
            Refused::of("fatal: not a git repository\n", "not a git repository"),
            None
        );
    }

    #[test]
    fn remotes_are_known_without_git() {
        let (folder, tree) = tree();
        git(folder.path(), &["remote", "add", "origin", "https://git.example.org/a"]).unwrap();
        write(folder.path(), "a", "1");
        tree.commit(&[&RepoPath::new("a").unwrap()], "one").unwrap();
        let linked = tempfile::tempdir().unwrap();
        let worktree = linked.path().join("linked");
        git(
            folder.path(),
            &["worktree", "add", "--quiet", worktree.to_str().unwrap(), "-b", "b"],
        )
        .unwrap();
        for root in [folder.path(), &worktree] {
            let settings = settings(root, r"^remote\..*\.url$").unwrap();
            assert_eq!(settings, "remote.origin.url https://git.example.org/a\n");
        }
    }

    #[test]
    fn fetches_one_revision_again_and_again() {
        let (source, tree) = tree();
        write(source.path(), "a", "1");
        tree.commit(&[&RepoPath::new("a").unwrap()], "one").unwrap();
        let clone = tempfile::tempdir().unwrap();
        let url = source.path().to_str().unwrap();
        fetch(url, "main", clone.path()).unwrap();
        write(source.path(), "a", "2");
        tree.commit(&[&RepoPath::new("a").unwrap()], "two").unwrap();
        let fetched = fetch(url, "main", clone.path()).unwrap();
        assert_eq!(std::fs::read_to_string(clone.path().join("a")).unwrap(), "2");
        assert_eq!(fetched.remotes(), [url]);
        for half in [
            "index.lock",
            "shallow.lock",
            "config.lock",
            "HEAD.lock",
            "refs/heads/main.lock",
        ] {
            write(&clone.path().join(".git"), half, "");
        }
        fetch(url, "main", clone.path()).unwrap();
        let empty = tempfile::tempdir().unwrap();
        git(empty.path(), &["init", "--quiet"]).unwrap();
        fetch(url, "main", empty.path()).unwrap();
        let error = fetch(url, "nope", clone.path()).unwrap_err();
        assert!(error.to_string().contains("cannot fetch `nope`"), "{error:#}");
    }
}
