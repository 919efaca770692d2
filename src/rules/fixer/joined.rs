//! Fixes that are applied together: none touches what another one touches.

use std::collections::{BTreeMap, HashMap};

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::super::fixes::add;
use super::Fix;
use crate::model::{Pointer, PointerExt};
use crate::repo::{Change, Repo, RepoPath};

/// The documents that a batch of fixes touches.
pub(super) struct Joined<'s> {
    repo: &'s Repo,
    /// How many fixes of one document are taken.
    limit: usize,
    touched: BTreeMap<(RepoPath, usize), Touched>,
}

/// What is touched in one document.
#[derive(Default)]
struct Touched {
    fixes: usize,
    /// Whether nothing else may be touched.
    whole: bool,
    /// What is touched, and everything above it.
    paths: HashMap<String, How>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// Something inside of it is.
    Inside,
    /// It is the place behind the last item of a list: others can stand there, too.
    Behind,
    /// It is.
    Itself,
}

impl<'s> Joined<'s> {
    pub(super) fn new(repo: &'s Repo, limit: usize) -> Self {
        Self {
            repo,
            limit,
            touched: BTreeMap::new(),
        }
    }

    /// Takes a fix, or reports that it has to wait for those that were taken.
    pub(super) fn take(&mut self, fix: &Fix) -> bool {
        let fits = fix.changes.changes.iter().all(|change| self.fits(change));
        if fits {
            fix.changes.changes.iter().for_each(|change| self.touch(change));
        }
        fits
    }

    fn fits(&self, change: &Change) -> bool {
        let (path, index) = change.document();
        let Some(touched) = self.touched.get(&(path.clone(), index)) else {
            return true;
        };
        let Change::Patch { patch, .. } = change else {
            return false;
        };
        let is_free = |operation: &PatchOperation| {
            let place = place(self.repo, path, index, operation);
            place.is_some_and(|(place, how)| touched.is_free(&place, how))
        };
        !touched.whole && touched.fixes < self.limit && patch.0.iter().all(is_free)
    }

    fn touch(&mut self, change: &Change) {
        let (path, index) = change.document();
        let touched = self.touched.entry((path.clone(), index)).or_default();
        touched.fixes += 1;
        let Change::Patch { patch, .. } = change else {
            touched.whole = true;
            return;
        };
        for operation in &patch.0 {
            match place(self.repo, path, index, operation) {
                Some((place, how)) => touched.touch(&place, how),
                None => touched.whole = true,
            }
        }
    }
}

impl Touched {
    fn is_free(&self, place: &str, how: How) -> bool {
        let here = self.paths.get(place).copied();
        let mut above = place.rmatch_indices('/').map(|(slash, _)| &place[..slash]);
        let is_inside_another = above.any(|above| self.paths.get(above) == Some(&How::Itself));
        !is_inside_another && (here.is_none() || here == Some(How::Behind) && how == How::Behind)
    }

    fn touch(&mut self, place: &str, how: How) {
        for (slash, _) in place.rmatch_indices('/') {
            self.paths.entry(place[..slash].to_owned()).or_insert(How::Inside);
        }
        let known = self.paths.entry(place.to_owned()).or_insert(how);
        if how == How::Itself {
            *known = how;
        }
    }
}

/// Returns the place that an operation touches, and how; `None` where that is more than one. One that moves the items of a
/// list touches all of it. Two maps behind a list may mean the same thing, as two parameters of one name do; two texts do
/// not.
fn place(repo: &Repo, path: &RepoPath, document: usize, operation: &PatchOperation) -> Option<(String, How)> {
    let operation = behind(repo, path, document, operation);
    let at = operation.path();
    let list = at.parent().filter(|list| is_list(repo, path, document, list));
    match (&operation, list) {
        (PatchOperation::Move(_) | PatchOperation::Copy(_), _) => None,
        (PatchOperation::Add(op), Some(_)) if at.as_str().ends_with("/-") => {
            let how = if op.value.is_string() { How::Behind } else { How::Itself };
            Some((at.as_str().to_owned(), how))
        }
        (PatchOperation::Add(_) | PatchOperation::Remove(_), Some(list)) => {
            Some((list.as_str().to_owned(), How::Itself))
        }
        _ => Some((at.as_str().to_owned(), How::Itself)),
    }
}

fn is_list(repo: &Repo, path: &RepoPath, document: usize, pointer: &Pointer) -> bool {
    let tree = repo.manifest(path, document).map(|manifest| manifest.object.tree());
    tree.and_then(|tree| tree.pointer(pointer.as_str()))
        .is_some_and(Value::is_array)
}

/// Returns the operation with `-` for the index behind the last item of a list: it stays right when another one has added
/// to the list.
fn behind(repo: &Repo, path: &RepoPath, document: usize, operation: &PatchOperation) -> PatchOperation {
    let length = |list: &Pointer| {
        let tree = repo.manifest(path, document)?.object.tree();
        tree.pointer(list.as_str()).and_then(Value::as_array).map(Vec::len)
    };
    if let PatchOperation::Add(op) = operation
        && let Some((list, index)) = op.path.split_back()
        && let Ok(index) = index.decoded().parse::<usize>()
        && length(list).is_some_and(|length| index >= length)
    {
        return add(list.child("-"), op.value.clone());
    }
    operation.clone()
}

/// Returns the changes of fixes, those of one document as one patch.
pub(super) fn changes<'f>(repo: &Repo, fixes: impl IntoIterator<Item = &'f Fix>) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    let mut places = BTreeMap::new();
    for change in fixes.into_iter().flat_map(|fix| &fix.changes.changes) {
        let Change::Patch { path, document, patch } = change else {
            all.push(change.clone());
            continue;
        };
        let operations = patch.0.iter().map(|operation| behind(repo, path, *document, operation));
        let place = *places.entry((path, *document)).or_insert(all.len());
        match all.get_mut(place) {
            Some(Change::Patch { patch, .. }) => patch.0.extend(operations),
            _ => all.push(Change::Patch {
                path: path.clone(),
                document: *document,
                patch: Patch(operations.collect()),
            }),
        }
    }
    all
}
