//! Resolves `values-files` and `helm-file-parameters` to files as Argo CD does
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/io/path/resolved.go) for one name,
//! [source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go),
//! `getResolvedValueFiles`, for the list).

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, bail};

use super::Request;
use super::glob;
use super::trees::{Root, Tree, Trees};
use crate::failure::HintExt;
use crate::model::spelling::nearest;
use crate::model::substitute::substitute;
use crate::repo::RepoPath;

/// The number of symbolic links that Argo CD follows from one name.
const MOST_LINKS: usize = 10;

/// The place that a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A URL that helm fetches.
    Url(String),
    /// A file of a tree, with symbolic links resolved.
    File(Tree, RepoPath),
}

/// The files of `values-files`.
#[derive(Debug, Default)]
pub(super) struct ValueFiles {
    /// The files in the order in which helm merges them, without duplicates.
    pub(super) places: Vec<Place>,
    /// The paths of the checkout that affect the list: the files, the folders that globs search, and missing files.
    pub(super) watched: Vec<RepoPath>,
}

/// An entry of `values-files`: a place or a glob, with the root that it was resolved from.
enum Entry<'f> {
    Place(Place, Vec<RepoPath>),
    Glob(Root<'f>, RepoPath),
}

/// Resolves `values-files`. A glob is replaced by its matches in doublestar's order, without those that are named by
/// themselves: these keep their own place.
///
/// # Errors
/// When a name leads out of the checkout or has a scheme that is not allowed; when a file is not there or a glob matches
/// none, unless that is to be ignored.
pub(super) fn of(request: &Request, trees: Trees<'_>) -> Result<ValueFiles> {
    let names = &request.parameters.values_files;
    let entries = names
        .iter()
        .map(|name| entry(request, trees, name))
        .collect::<Result<Vec<_>>>()?;
    let explicit: BTreeSet<&Place> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Place(place, _) => Some(place),
            Entry::Glob(..) => None,
        })
        .collect();
    let ignore_missing = request.parameters.ignore_missing_values_files;
    let mut found = ValueFiles::default();
    for (name, entry) in names.iter().zip(&entries) {
        let name = substitute(name, &request.variables);
        match entry {
            Entry::Place(place, watched) => {
                found.watched.extend(watched.iter().cloned());
                if !is_there(trees, place).with_context(|| format!("value file `{name}`"))? {
                    if ignore_missing {
                        continue;
                    }
                    return Err(missing(trees, place, &name));
                }
                found.add(place.clone());
            }
            Entry::Glob(root, pattern) => {
                if root.tree == Tree::Source {
                    found.watched.push(glob::base(pattern));
                }
                let matches = glob::expand(root.files, pattern).with_context(|| format!("value file glob `{name}`"))?;
                if matches.is_empty() && !ignore_missing {
                    return Err(anyhow!("value file glob `{name}` matched no files")
                        .hint("let it pass with the parameter `ignore-missing-values-files`"));
                }
                for path in matches {
                    let place = Place::File(root.tree.clone(), path);
                    if !explicit.contains(&place) {
                        is_there(trees, &place).with_context(|| format!("value file glob `{name}`"))?;
                        found.add(place);
                    }
                }
            }
        }
    }
    Ok(found)
}

impl ValueFiles {
    fn add(&mut self, place: Place) {
        if !self.places.contains(&place) {
            self.places.push(place);
        }
    }
}

/// Resolves the file of a parameter: as a value file, but never as a glob, and it has to be there.
///
/// # Errors
/// Those of [`of`].
pub(super) fn file_parameter(
    request: &Request,
    trees: Trees<'_>,
    key: &str,
    name: &str,
) -> Result<(Place, Vec<RepoPath>)> {
    let file = || format!("the file `{}` of `{key}`", substitute(name, &request.variables));
    let (root, name) = trees.root(request, name).with_context(file)?;
    let name = substitute(&name, &request.variables);
    let (place, watched) = place(&root, &name).with_context(file)?;
    if !is_there(trees, &place).with_context(file)? {
        return Err(match ignored(trees, &place) {
            Some(path) => super::ignored(&file(), path),
            None => anyhow!("{} does not exist", file()),
        });
    }
    Ok((place, watched))
}

fn entry<'f>(request: &Request, trees: Trees<'f>, name: &str) -> Result<Entry<'f>> {
    let what = || format!("value file `{}`", substitute(name, &request.variables));
    let (root, name) = trees.root(request, name).with_context(what)?;
    let name = substitute(&name, &request.variables);
    if scheme(&name).is_none() {
        let pattern = whole(&root, &name).with_context(what)?;
        if glob::is_glob(pattern.as_str()) {
            let pattern = in_checkout(&root.prefix, &pattern, &glob::base(&pattern)).with_context(what)?;
            return Ok(Entry::Glob(root, pattern));
        }
    }
    let (place, watched) = place(&root, &name).with_context(what)?;
    Ok(Entry::Place(place, watched))
}

/// Returns the place of a name, and the paths of the source's tree that it depends on: the file and every link on the way
/// to it.
fn place(root: &Root<'_>, name: &str) -> Result<(Place, Vec<RepoPath>)> {
    if let Some(scheme) = scheme(name) {
        if !["http", "https"]
            .iter()
            .any(|allowed| scheme.eq_ignore_ascii_case(allowed))
        {
            bail!("the scheme `{scheme}` is not allowed; http and https are");
        }
        return Ok((Place::Url(name.to_owned()), Vec::new()));
    }
    let whole = whole(root, name)?;
    let mut path = in_checkout(&root.prefix, &whole, &whole)?;
    let mut watched = vec![path.clone()];
    while let Some(target) = root.files.link(&path)? {
        if watched.len() > MOST_LINKS {
            bail!("more than {MOST_LINKS} symbolic links lead to it");
        }
        path = target;
        watched.push(path.clone());
    }
    if path.is_root() {
        bail!("it is the root of the {}", root.name());
    }
    if root.tree != Tree::Source {
        watched.clear();
    }
    Ok((Place::File(root.tree.clone(), path), watched))
}

/// Resolves a name to a path of the whole tree: relative to the folder of the source, or with a leading `/` to the root.
fn whole(root: &Root<'_>, name: &str) -> Result<RepoPath> {
    let whole = match name.strip_prefix('/') {
        Some(from_root) => RepoPath::new(from_root),
        None => root.folder.join(name),
    };
    whole.map_err(|_| anyhow!("it is outside the {}", root.name()))
}

/// Converts a path of the repository to one of the checkout, which may be a part of the repository. All files that it
/// stands for have to be in that part; `top` is the folder that a glob searches, or the path itself.
///
/// # Errors
/// When they are not.
pub(super) fn in_checkout(prefix: &RepoPath, whole: &RepoPath, top: &RepoPath) -> Result<RepoPath> {
    if top.is_in(prefix) {
        return RepoPath::new(&whole.as_str()[prefix.as_str().len()..]);
    }
    Err(anyhow!("it is not in what Argo CD sent to the plugin").hint(format!(
        "add `/{}` to the annotation `{}`",
        top.as_str(),
        crate::model::application::GENERATE_PATHS
    )))
}

/// Reports whether the file of a place exists; what helm fetches counts as there, and what git leaves out does not.
///
/// # Errors
/// When it is a folder, leads out of its tree, or cannot be read.
fn is_there(trees: Trees<'_>, place: &Place) -> Result<bool> {
    let Place::File(tree, path) = place else {
        return Ok(true);
    };
    let Some(files) = trees.files(tree) else {
        return Ok(false);
    };
    if files.list(path)?.is_some() {
        bail!("`{path}` is a folder");
    }
    Ok(files.read(path)?.is_some() && !files.is_ignored(path))
}

/// Returns the path of a file that is there, and git leaves out.
fn ignored<'p>(trees: Trees<'_>, place: &'p Place) -> Option<&'p RepoPath> {
    let Place::File(tree, path) = place else { return None };
    let files = trees.files(tree).filter(|files| files.is_ignored(path))?;
    files.read(path).ok()?.map(|_| path)
}

/// Returns the error of a value file that is not there, with the name that is probably meant.
fn missing(trees: Trees<'_>, place: &Place, name: &str) -> anyhow::Error {
    if let Some(path) = ignored(trees, place) {
        return super::ignored(&format!("value file `{name}`"), path);
    }
    let near = || {
        let Place::File(tree, path) = place else { return None };
        let (folder, file) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let files = trees.files(tree)?.listed(&RepoPath::new(folder).ok()?).ok()??;
        let files = files.iter().filter(|entry| !entry.is_folder);
        let files = files.map(|entry| entry.name.as_str());
        let near = nearest(file, files)?;
        Some(format!("{}{near}", name.strip_suffix(file)?))
    };
    anyhow!("value file `{name}` does not exist").hint(match near() {
        Some(near) => format!("name `{near}`, which is there"),
        None => "add the file, correct its name, or let it pass with the parameter `ignore-missing-values-files` \
            (`ignoreMissingValueFiles` of Argo CD's own Helm)"
            .to_owned(),
    })
}

/// Returns the scheme of a URL as Go parses it: everything before a colon, whatever follows.
fn scheme(name: &str) -> Option<&str> {
    let (scheme, _) = name.split_once(':')?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_part)).then_some(scheme)
}
