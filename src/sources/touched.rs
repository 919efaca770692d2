//! Which Applications a change can make render something else: those whose manifest differs, and those that read a file that does.
//! In doubt, all of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::{Sources, build_options, is_meant};
use crate::disk::Checkout;
use crate::edit::Renders;
use crate::model::{AppName, Application, Source};
use crate::parallel;
use crate::repo::{Files, Manifest, Origin, Repo, RepoPath};
use crate::settings::FILE;

/// The Applications that a change can make render something else.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// The names of those that are rendered, in either state.
    pub apps: BTreeSet<AppName>,
    /// Those of which the manifest differs, or a file that they read.
    pub changed: BTreeSet<AppName>,
    /// How many there are in both states together.
    pub total: usize,
    /// Whether a file of the repository differs.
    pub differs: bool,
    /// Why all Applications count, where they do.
    pub doubt: Option<String>,
}

impl Touched {
    /// Compares two states of a repository. `others` are repositories of sources that differ, by a URL or the last part of one.
    ///
    /// # Errors
    /// When the files of a state cannot be listed.
    pub fn between(base: &Sources<'_>, head: &Sources<'_>, others: &[String]) -> Result<Self> {
        let (old, new) = (Side::of(base), Side::of(head));
        let names: BTreeSet<&AppName> = old.apps.keys().chain(new.apps.keys()).collect();
        let total = names.len();
        let files = differing(base.resolver.checkout(), head.resolver.checkout())?;
        let names: Vec<&AppName> = names.into_iter().collect();
        let is_touched = |name: &&AppName| match (old.apps.get(*name), new.apps.get(*name)) {
            (Some((before, _)), Some((after, app))) => {
                before.object != after.object || set_of(before) != set_of(after) || head.reads_any(app, &files, others)
            }
            _ => true,
        };
        let touched = parallel::each(&names, is_touched);
        let changed = names.iter().zip(touched).filter(|(_, is_touched)| *is_touched);
        let changed: BTreeSet<AppName> = changed.map(|(name, _)| (*name).clone()).collect();
        let doubt = doubt(&files, (base.resolver.repo(), head.resolver.repo()));
        Ok(Self {
            apps: match doubt {
                None => changed.clone(),
                Some(_) => names.into_iter().cloned().collect(),
            },
            changed,
            total,
            differs: !files.is_empty(),
            doubt,
        })
    }
}

/// Returns the set that generates an Application: another one cannot take it over.
fn set_of(manifest: &Manifest) -> Option<&str> {
    match &manifest.origin {
        Origin::Generated(generated) => Some(&generated.set),
        _ => None,
    }
}

/// The Applications of a state, by name.
struct Side<'r> {
    apps: BTreeMap<AppName, (&'r Manifest, Application<'r>)>,
}

impl<'r> Side<'r> {
    fn of(sources: &Sources<'r>) -> Self {
        let repo = sources.resolver.repo();
        let mut apps = BTreeMap::new();
        for (manifest, app) in repo.applications() {
            if let Some(name) = repo.app_name(manifest) {
                apps.entry(name).or_insert((manifest, app));
            }
        }
        Self { apps }
    }
}

/// Returns why every Application may render something else, if that is so.
fn doubt(files: &BTreeSet<RepoPath>, (base, head): (&Repo, &Repo)) -> Option<String> {
    if files.iter().any(|file| file.as_str() == FILE) {
        return Some(format!("`{FILE}` differs"));
    }
    if build_options(base) != build_options(head) {
        return Some("Argo CD's options of `kustomize build` differ".to_owned());
    }
    (base.own_urls != head.own_urls).then(|| "the URLs that mean this repository differ".to_owned())
}

/// Returns the files that are not the same in two folders.
fn differing(base: &Checkout, head: &Checkout) -> Result<BTreeSet<RepoPath>> {
    let all: BTreeSet<RepoPath> = base.all()?.into_iter().chain(head.all()?).collect();
    let all: Vec<RepoPath> = all.into_iter().collect();
    let is_same = |path: &RepoPath| {
        let content = |files: &Checkout| (files.link(path).ok(), files.read(path).ok());
        let (old, new) = (content(base), content(head));
        // What cannot be read, or is a folder, as a submodule, may be another one.
        old == new && old.1.is_some()
    };
    let same = parallel::each(&all, is_same);
    Ok(all
        .into_iter()
        .zip(same)
        .filter(|(_, is_same)| !is_same)
        .map(|(path, _)| path)
        .collect())
}

impl Sources<'_> {
    /// Reports whether an Application reads one of these files of the repository, or a repository that differs; if it cannot be told, it
    /// does.
    fn reads_any(&self, app: &Application<'_>, files: &BTreeSet<RepoPath>, others: &[String]) -> bool {
        let repo = self.resolver.repo();
        let sources = app.sources();
        if sources
            .iter()
            .any(|source| others.iter().any(|other| is_meant(other, source.repo_url())))
        {
            return true;
        }
        let own = sources.iter().filter(|source| repo.is_own(source.repo_url()));
        let own: Vec<_> = own.collect();
        if own.is_empty() || files.is_empty() {
            return false;
        }
        if own.iter().any(|source| source.reference().is_some())
            && sources.iter().any(|source| takes_any(source, files))
        {
            return true;
        }
        let folders = own.iter().filter_map(|source| RepoPath::new(source.path()?).ok());
        let (folders, read) = match self.reads(app) {
            Ok(read) => (folders.collect::<Vec<_>>(), read),
            Err(_) => return true,
        };
        let is_read = |file: &RepoPath| folders.iter().chain(&read).any(|folder| file.is_in(folder));
        files.iter().any(is_read)
    }
}

/// Reports whether a source takes one of these files from another one, by `$NAME/FILE`; a pattern may be any file.
fn takes_any(source: &Source<'_>, files: &BTreeSet<RepoPath>) -> bool {
    let list = |key: &str| {
        source
            .helm()
            .and_then(|helm| helm.get(key)?.as_array())
            .into_iter()
            .flatten()
    };
    let values = list("valueFiles").filter_map(Value::as_str);
    let parameters = list("fileParameters").filter_map(|parameter| parameter.get("path")?.as_str());
    let named = values
        .chain(parameters)
        .filter_map(|file| file.strip_prefix('$')?.split_once('/'));
    named.into_iter().any(|(_, path)| {
        let is_pattern = path.contains(['*', '?', '[', '{', '$']);
        is_pattern || RepoPath::new(path).is_ok_and(|path| files.contains(&path))
    })
}
