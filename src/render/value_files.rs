//! Resolves `values-files` and `helm-file-parameters` to files as Argo CD does
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/io/path/resolved.go) for one name,
//! [source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go),
//! `getResolvedValueFiles`, for the list).

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, bail};

use super::Request;
use super::glob;
use crate::failure::HintExt;
use crate::model::substitute::substitute;
use crate::repo::{Files, RepoPath};

/// The number of symbolic links that Argo CD follows from one name.
const MOST_LINKS: usize = 10;

/// The place that a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A URL that helm fetches.
    Url(String),
    /// A file of the checkout, with symbolic links resolved.
    File(RepoPath),
}

/// The files of `values-files`.
#[derive(Debug, Default)]
pub(super) struct ValueFiles {
    /// The files in the order in which helm merges them, without duplicates.
    pub(super) places: Vec<Place>,
    /// The paths of the checkout that affect the list: the files, the folders that globs search, and missing files.
    pub(super) watched: Vec<RepoPath>,
}

/// An entry of `values-files`: a place or a glob.
enum Entry {
    Place(Place, Vec<RepoPath>),
    Glob(RepoPath),
}

/// Resolves `values-files`. A glob is replaced by its matches in doublestar's order, without those that are named by
/// themselves: these keep their own place.
///
/// # Errors
/// When a name leads out of the checkout or has a scheme that is not allowed; when a file is not there or a glob matches
/// none, unless that is to be ignored.
pub(super) fn of(request: &Request, files: &dyn Files) -> Result<ValueFiles> {
    let names: Vec<String> = request
        .parameters
        .values_files
        .iter()
        .map(|name| substitute(name, &request.variables))
        .collect();
    let entries = names
        .iter()
        .map(|name| entry(request, files, name))
        .collect::<Result<Vec<_>>>()?;
    let explicit: BTreeSet<&Place> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Place(place, _) => Some(place),
            Entry::Glob(_) => None,
        })
        .collect();
    let ignore_missing = request.parameters.ignore_missing_values_files;
    let mut found = ValueFiles::default();
    for (name, entry) in names.iter().zip(&entries) {
        match entry {
            Entry::Place(place, watched) => {
                found.watched.extend(watched.iter().cloned());
                if let Place::File(path) = place
                    && !is_file(files, path).with_context(|| format!("value file `{name}`"))?
                {
                    if ignore_missing {
                        continue;
                    }
                    bail!("value file `{name}` does not exist");
                }
                found.add(place.clone());
            }
            Entry::Glob(pattern) => {
                found.watched.push(glob::base(pattern));
                let matches = glob::expand(files, pattern).with_context(|| format!("value file glob `{name}`"))?;
                if matches.is_empty() && !ignore_missing {
                    return Err(anyhow!("value file glob `{name}` matched no files")
                        .hint("let it pass with the parameter `ignore-missing-values-files`"));
                }
                for path in matches {
                    let place = Place::File(path);
                    if let Place::File(path) = &place
                        && !explicit.contains(&place)
                    {
                        is_file(files, path).with_context(|| format!("value file glob `{name}`"))?;
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
    files: &dyn Files,
    key: &str,
    name: &str,
) -> Result<(Place, Vec<RepoPath>)> {
    let name = substitute(name, &request.variables);
    let file = || format!("the file `{name}` of `{key}`");
    let (place, watched) = place(request, files, &name).with_context(file)?;
    if let Place::File(path) = &place
        && !is_file(files, path).with_context(file)?
    {
        bail!("{} does not exist", file());
    }
    Ok((place, watched))
}

fn entry(request: &Request, files: &dyn Files, name: &str) -> Result<Entry> {
    let what = || format!("value file `{name}`");
    if scheme(name).is_none() {
        let pattern = whole(request, name).with_context(what)?;
        if glob::is_glob(pattern.as_str()) {
            let pattern = in_checkout(request, &pattern, &glob::base(&pattern)).with_context(what)?;
            return Ok(Entry::Glob(pattern));
        }
    }
    let (place, watched) = place(request, files, name).with_context(what)?;
    Ok(Entry::Place(place, watched))
}

/// Returns the place of a name, and the paths of the checkout that it depends on: the file and every link on the way to
/// it.
fn place(request: &Request, files: &dyn Files, name: &str) -> Result<(Place, Vec<RepoPath>)> {
    if let Some(scheme) = scheme(name) {
        if !["http", "https"]
            .iter()
            .any(|allowed| scheme.eq_ignore_ascii_case(allowed))
        {
            bail!("the scheme `{scheme}` is not allowed; http and https are");
        }
        return Ok((Place::Url(name.to_owned()), Vec::new()));
    }
    let whole = whole(request, name)?;
    let mut path = in_checkout(request, &whole, &whole)?;
    let mut watched = vec![path.clone()];
    while let Some(target) = files.link(&path)? {
        if watched.len() > MOST_LINKS {
            bail!("more than {MOST_LINKS} symbolic links lead to it");
        }
        path = target;
        watched.push(path.clone());
    }
    if path.is_root() {
        bail!("it is the root of the repository");
    }
    Ok((Place::File(path), watched))
}

/// Resolves a name to a path of the whole repository: relative to the chart, or with a leading `/` to the repository's
/// root.
fn whole(request: &Request, name: &str) -> Result<RepoPath> {
    let whole = match name.strip_prefix('/') {
        Some(from_root) => RepoPath::new(from_root),
        None => request.chart().and_then(|chart| chart.join(name)),
    };
    whole.map_err(|_| anyhow!("it is outside the repository"))
}

/// Converts a path of the repository to one of the checkout, which may be a part of the repository. All files that it
/// stands for have to be in that part; `top` is the folder that a glob searches, or the path itself.
///
/// # Errors
/// When they are not.
pub(super) fn in_checkout(request: &Request, whole: &RepoPath, top: &RepoPath) -> Result<RepoPath> {
    if top.is_in(&request.prefix) {
        return RepoPath::new(&whole.as_str()[request.prefix.as_str().len()..]);
    }
    Err(anyhow!("it is not in what Argo CD sent to the plugin").hint(format!(
        "add `/{}` to the annotation `{}`",
        top.as_str(),
        crate::model::application::GENERATE_PATHS
    )))
}

/// Reports whether a file exists.
///
/// # Errors
/// When it is a folder, leads out of the checkout, or cannot be read.
fn is_file(files: &dyn Files, path: &RepoPath) -> Result<bool> {
    if files.list(path)?.is_some() {
        bail!("`{path}` is a folder");
    }
    Ok(files.read(path)?.is_some())
}

/// Returns the scheme of a URL as Go parses it: everything before a colon, whatever follows.
fn scheme(name: &str) -> Option<&str> {
    let (scheme, _) = name.split_once(':')?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_part)).then_some(scheme)
}
