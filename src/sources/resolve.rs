//! Where the files of a source are: this working tree, a directory that was named, a checkout beside the repository, the
//! user's cache, the network.

mod charts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Result, anyhow, bail};

use super::source_dirs::NAMED;
use super::{Network, Options, Snapshot, SourceDirs};
use crate::disk::{self, Checkout};
use crate::failure::{self, HintExt};
use crate::git::{self, Refused, State, WorkingTree};
use crate::helm::Charts;
use crate::masking::without_logins;
use crate::model::repo_url::Fault;
use crate::model::{Application, Source, Unavailable, repo_url};
use crate::repo::{Repo, RepoPath};

/// A source with its files.
pub(super) struct ResolvedSource {
    pub(super) checkout: Checkout,
    /// The source's folder in the checkout.
    pub(super) path: RepoPath,
    /// The commit that is checked out, or the version of a chart.
    pub(super) revision: Option<String>,
    /// Set for a user's checkout that is not at the revision of the source.
    pub(super) differs: Option<OtherRevision>,
}

/// A user's checkout that is not at the revision of the source.
pub(super) struct OtherRevision {
    /// The name of its folder.
    pub(super) checkout: String,
    /// The revision of the source.
    pub(super) revision: String,
}

/// Finds the files of sources; git's answers are cached.
pub(super) struct Resolver<'s> {
    repo: &'s Repo,
    checkout: &'s Checkout,
    /// Set where the repository is not a working tree but one of its revisions.
    snapshot: Option<&'s Snapshot>,
    pub(super) dirs: &'s SourceDirs,
    options: &'s Options,
    /// The checkouts beside the repository, with the URLs of their remotes.
    siblings: OnceLock<Vec<(WorkingTree, Vec<String>)>>,
    states: Memo<(PathBuf, String), TreeState>,
    heads: Memo<PathBuf, Option<String>>,
    fetched: Fetched,
    charts: OnceLock<Charts>,
}

/// The state of a working tree compared to the source's revision.
#[derive(Clone)]
struct TreeState {
    /// `None` where there is no commit.
    state: Option<State>,
    is_at_revision: bool,
    /// Set where git refuses to say.
    refused: Option<Refused>,
}

impl<'s> Resolver<'s> {
    pub(super) fn new(repo: &'s Repo, checkout: &'s Checkout, dirs: &'s SourceDirs, options: &'s Options) -> Self {
        Self {
            repo,
            checkout,
            snapshot: None,
            dirs,
            options,
            siblings: OnceLock::new(),
            states: Memo::default(),
            heads: Memo::default(),
            fetched: Fetched::default(),
            charts: OnceLock::new(),
        }
    }

    /// Returns the repository's files.
    pub(super) fn checkout(&self) -> &'s Checkout {
        self.checkout
    }

    pub(super) fn repo(&self) -> &'s Repo {
        self.repo
    }

    /// Takes the repository for a revision of another one.
    pub(super) fn with_snapshot(mut self, snapshot: &'s Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Refuses a directory for a repository that no Application of the working tree has as a source.
    pub(super) fn check_dirs(&self, apps: &[Application<'_>]) -> Result<()> {
        match self.snapshot {
            Some(_) => Ok(()),
            None => self.dirs.check(self.repo, apps.iter().copied()),
        }
    }

    /// Finds the files of a source; remarks about them go to `notes`. Before they are fetched, `is_worth_it` is asked.
    ///
    /// # Errors
    /// [`Unavailable`] when they are not available locally and the network is not used; any other error when they are
    /// there and cannot be read, or the network fails.
    pub(super) fn resolve(
        &self,
        source: &Source<'_>,
        notes: &mut Vec<String>,
        is_worth_it: &dyn Fn() -> Result<()>,
    ) -> Result<ResolvedSource> {
        let url = source.repo_url();
        self.check_address(source)?;
        if source.is_versioned() {
            return self.chart(source, is_worth_it);
        }
        let Some(path) = source.path() else {
            bail!("the source `{url}` has neither `path` nor `chart`");
        };
        let path = relative(path)?;
        let revision = self.options.revision.as_deref().unwrap_or(source.target_revision());
        if let Some(folder) = self.dirs.folder(url) {
            let checkout = Checkout::open(Path::new(folder)).hint(NAMED)?;
            return Ok(self.as_it_is(checkout, path));
        }
        if self.repo.is_own(url) {
            let own = self.as_it_is(self.checkout.clone(), path);
            let commit = self.snapshot.and_then(|snapshot| snapshot.commit().map(str::to_owned));
            let revision = commit.or(own.revision);
            return Ok(ResolvedSource { revision, ..own });
        }
        if let Some(tree) = self.sibling(url, revision) {
            let (sibling, remark) = self.in_sibling(tree, url, revision, path)?;
            notes.extend(remark);
            return Ok(sibling);
        }
        self.in_cache((url, revision), path, is_worth_it)
    }

    /// Refuses an address that Argo CD cannot read. A placeholder is right where the repository is there in another way.
    fn check_address(&self, source: &Source<'_>) -> Result<()> {
        let url = source.repo_url();
        let is_here =
            || self.repo.is_own(url) || self.dirs.folder(url).is_some() || self.siblings(url).next().is_some();
        let fault = match repo_url::check(url, source.is_versioned()) {
            Err(Fault::Placeholder(_)) if is_here() => return Ok(()),
            Err(fault) if fault.keeps_from_reading() => fault,
            _ => return Ok(()),
        };
        let url = url.to_owned();
        Err(Unavailable::Address { url, fault }.into_error())
    }

    /// Returns a checkout that is used as it is, uncommitted changes included.
    fn as_it_is(&self, checkout: Checkout, path: RepoPath) -> ResolvedSource {
        let head = |tree: WorkingTree| self.heads.get(tree.root().to_owned(), || tree.head().ok());
        let asked = || WorkingTree::at(checkout.root()).and_then(head);
        ResolvedSource {
            revision: checkout.commit().map(str::to_owned).or_else(asked),
            checkout,
            path,
            differs: None,
        }
    }

    /// Returns the checkouts beside the repository that have this URL as a remote.
    fn siblings(&self, url: &str) -> impl Iterator<Item = &WorkingTree> {
        let siblings = self.siblings.get_or_init(|| {
            let root = self.snapshot.map_or(self.checkout.root(), Snapshot::home);
            let folders = disk::siblings(root).into_iter().filter(|folder| folder != root);
            let trees = folders.filter_map(|folder| WorkingTree::at(&folder));
            trees.map(|tree| (tree.clone(), tree.remotes())).collect()
        });
        let is_it = move |remotes: &[String]| repo_url::is_among(url, remotes);
        siblings
            .iter()
            .filter(move |(_, remotes)| is_it(remotes))
            .map(|(tree, _)| tree)
    }

    /// Returns the checkout beside the repository that has this URL as a remote: the first that is at the revision, else the
    /// first that git reads, else the first.
    fn sibling(&self, url: &str, revision: &str) -> Option<&WorkingTree> {
        let rank = |tree: &&WorkingTree| {
            let state = self.state(tree, revision);
            (!state.is_at_revision, state.refused.is_some())
        };
        self.siblings(url).min_by_key(rank)
    }

    fn state(&self, tree: &WorkingTree, revision: &str) -> TreeState {
        let key = (tree.root().to_owned(), revision.to_owned());
        self.states.get(key, || match tree.state() {
            Ok(state) => TreeState {
                state: Some(state),
                is_at_revision: tree.is_at(revision),
                refused: None,
            },
            Err(error) => TreeState {
                state: None,
                is_at_revision: false,
                refused: failure::find::<Refused>(&error).cloned(),
            },
        })
    }

    /// Returns a user's checkout, and a remark on what differs from what Argo CD sees.
    fn in_sibling(
        &self,
        tree: &WorkingTree,
        url: &str,
        revision: &str,
        path: RepoPath,
    ) -> Result<(ResolvedSource, Option<String>)> {
        let TreeState {
            state,
            is_at_revision,
            refused,
        } = self.state(tree, revision);
        let checkout = tree
            .root()
            .file_name()
            .map_or_else(|| "checkout".to_owned(), |name| name.to_string_lossy().into_owned());
        if let Some(refused) = refused {
            return Err(Unavailable::RefusedByGit {
                url: url.to_owned(),
                checkout,
                hint: refused.hint(),
                message: refused.message,
            }
            .into_error());
        }
        let mut differs = Vec::new();
        if state.as_ref().is_some_and(|state| state.dirty) {
            differs.push("it has uncommitted changes".to_owned());
        }
        match &state {
            None => differs.push("it has no commit".to_owned()),
            Some(_) if !is_at_revision => differs.push(format!("it is not at `{revision}`")),
            Some(_) => {}
        }
        let differs = differs.join(" and ");
        let remark = (!differs.is_empty()).then(|| {
            let url = without_logins(url);
            format!("`{url}` is taken from the checkout `{checkout}` as it is: {differs}")
        });
        let resolved = ResolvedSource {
            checkout: Checkout::open(tree.root())?,
            path,
            revision: state.map(|state| state.commit),
            differs: (!is_at_revision).then(|| OtherRevision {
                checkout,
                revision: revision.to_owned(),
            }),
        };
        Ok((resolved, remark))
    }

    fn in_cache(
        &self,
        (url, revision): (&str, &str),
        path: RepoPath,
        is_worth_it: &dyn Fn() -> Result<()>,
    ) -> Result<ResolvedSource> {
        let folder = disk::cache_folder("sources", &[url, revision])?;
        let cached = || WorkingTree::at(&folder).and_then(|tree| Some((tree.state().ok()?.commit, tree)));
        let (commit, tree) = self
            .fetched
            .once(&folder, self.options.network, cached, || {
                is_worth_it()?;
                disk::make_folder(&folder)?;
                let _lock = disk::Lock::of_cached(&folder)?;
                let tree = git::fetch(url, revision, &folder)?;
                Ok((tree.state()?.commit, tree))
            })?
            .ok_or_else(|| {
                let missing = Unavailable::NotCloned { url: url.to_owned() };
                is_worth_it().err().unwrap_or_else(|| missing.into_error())
            })?;
        Ok(ResolvedSource {
            checkout: Checkout::open(tree.root())?,
            path,
            revision: Some(commit),
            differs: None,
        })
    }
}

/// Returns the path of a source as Argo CD takes it: from the root of the repository, and below it.
fn relative(path: &str) -> Result<RepoPath> {
    let relative = RepoPath::new(path)?;
    if path.starts_with('/') {
        return Err(
            anyhow!("the path `{path}` of the source is absolute, and Argo CD refuses to render it")
                .hint(format!("write `path: {relative}`")),
        );
    }
    Ok(relative)
}

/// Values that are computed once for each key, even if several threads ask.
struct Memo<K, V>(Mutex<BTreeMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord, V: Clone> Memo<K, V> {
    fn get(&self, key: K, compute: impl FnOnce() -> V) -> V {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = Arc::clone(cells.entry(key).or_default());
        drop(cells);
        cell.get_or_init(compute).clone()
    }
}

/// The folders of the cache that this run has filled: each is filled by one thread at a time, and at most once.
#[derive(Default)]
struct Fetched {
    folders: Memo<PathBuf, Arc<Mutex<()>>>,
    done: Mutex<BTreeSet<PathBuf>>,
}

impl Fetched {
    /// Returns the contents of a folder of the cache, fetched first if the network may be used for it; `None` if it
    /// does not exist and may not be fetched.
    fn once<T>(
        &self,
        folder: &Path,
        network: Network,
        cached: impl Fn() -> Option<T>,
        fetch: impl FnOnce() -> Result<T>,
    ) -> Result<Option<T>> {
        let lock = self.folders.get(folder.to_owned(), Arc::default);
        let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let done = || self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = network != Network::Always || done().contains(folder);
        if let Some(value) = cached().filter(|_| is_fresh) {
            return Ok(Some(value));
        }
        if network == Network::Never {
            return Ok(None);
        }
        let value = fetch()?;
        done().insert(folder.to_owned());
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_fetched_at_most_once() {
        let once = |network: Network, cached: Option<u8>, fetched: &Fetched| {
            fetched.once(Path::new("a"), network, || cached, || Ok(2)).unwrap()
        };
        assert_eq!(once(Network::Never, None, &Fetched::default()), None);
        assert_eq!(once(Network::Never, Some(1), &Fetched::default()), Some(1));
        assert_eq!(once(Network::WhenMissing, Some(1), &Fetched::default()), Some(1));
        assert_eq!(once(Network::WhenMissing, None, &Fetched::default()), Some(2));
        let fetched = Fetched::default();
        assert_eq!(once(Network::Always, Some(1), &fetched), Some(2));
        assert_eq!(once(Network::Always, Some(1), &fetched), Some(1));
        let failed = fetched.once(
            Path::new("b"),
            Network::Always,
            || Some(1),
            || Err::<u8, _>(anyhow!("no network")),
        );
        assert!(failed.is_err());
    }
}
