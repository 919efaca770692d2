//! Changes as data: what a command changes in the repository's files, and the repository that results.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use json_patch::Patch;

use super::overrides::{Override, is_override};
use super::{Repo, RepoPath, SourceFile};
use crate::failure::{HintExt, bug};
use crate::model::PointerBuf;
use crate::yaml::{self, ReplaceComment, ReplaceEntry, SpliceError};

/// A pending change of one file.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Creates a file with this text; the path must be free.
    Create {
        /// The file.
        path: RepoPath,
        /// Its complete text.
        text: String,
    },
    /// Applies a JSON Patch to one document of a file, by editing its text with [`yaml::splice`].
    Patch {
        /// The file.
        path: RepoPath,
        /// Index of the document.
        document: usize,
        /// The operations.
        patch: Patch,
    },
    /// Applies a JSON Patch to one document of a file that is none of the repository's manifests, as [`Change::Patch`] does.
    PatchFile {
        /// The file as it is.
        file: SourceFile,
        /// Index of the document.
        document: usize,
        /// The operations.
        patch: Patch,
    },
    /// Replaces one entry of a document by another one in the same place, with its comments, by
    /// [`yaml::replace_entry`].
    ReplaceEntry {
        /// The file.
        path: RepoPath,
        /// Index of the document.
        document: usize,
        /// The old and the new entry.
        replacement: ReplaceEntry,
    },
    /// Replaces a comment of a document, or takes it out, by [`yaml::replace_comment`].
    ReplaceComment {
        /// The file.
        path: RepoPath,
        /// Index of the document.
        document: usize,
        /// The old and the new comment.
        replacement: ReplaceComment,
    },
    /// Gives an entry of one document of a file another key, by [`yaml::rename_key`]; the file may be none of the repository's manifests.
    RenameKey {
        /// The file as it is.
        file: SourceFile,
        /// Index of the document.
        document: usize,
        /// The entry.
        pointer: PointerBuf,
        /// Its new key.
        key: String,
    },
    /// Removes a file with all that is in it; it may be none of the repository's manifests, and no text.
    RemoveFile {
        /// The file as it is.
        file: SourceFile,
    },
    /// Removes one document of a file, and the file with its last document.
    Remove {
        /// The file.
        path: RepoPath,
        /// Index of the document.
        document: usize,
    },
}

impl Change {
    /// Returns the file that it changes.
    pub fn path(&self) -> &RepoPath {
        match self {
            Change::Create { path, .. }
            | Change::Patch { path, .. }
            | Change::ReplaceEntry { path, .. }
            | Change::ReplaceComment { path, .. }
            | Change::Remove { path, .. } => path,
            Change::PatchFile { file, .. } | Change::RenameKey { file, .. } | Change::RemoveFile { file } => &file.path,
        }
    }

    /// Returns the file and the document that it changes; a new file has one.
    pub fn document(&self) -> (&RepoPath, usize) {
        match self {
            Change::Create { path, .. } => (path, 0),
            Change::RemoveFile { file } => (&file.path, 0),
            Change::Patch { path, document, .. }
            | Change::ReplaceEntry { path, document, .. }
            | Change::ReplaceComment { path, document, .. }
            | Change::Remove { path, document } => (path, *document),
            Change::PatchFile { file, document, .. } | Change::RenameKey { file, document, .. } => {
                (&file.path, *document)
            }
        }
    }
}

/// All changes of one command, in an order in which every prefix leaves a valid repository (a Namespace before an owner
/// before a consumer).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeSet {
    /// The changes.
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// Adds changes that are not there yet: several Applications may have one file, which is written once.
    ///
    /// # Errors
    /// When a new file would have two contents.
    pub fn join(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<()> {
        for change in changes {
            if self.changes.contains(&change) {
                continue;
            }
            let is_new = |other: &Change| matches!(other, Change::Create { .. });
            let is_taken = |other: &Change| is_new(other) && other.path() == change.path();
            if is_new(&change) && self.changes.iter().any(is_taken) {
                let why = anyhow!(
                    "`{}` would have two contents: it is for several Applications",
                    change.path()
                );
                return Err(why.hint("change one of them at a time"));
            }
            self.changes.push(change);
        }
        Ok(())
    }
}

/// One file before and after a [`ChangeSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The file.
    pub path: RepoPath,
    /// Its text before; `None` when it is new. Of a file that is removed and is no text, what can be read of it.
    pub before: Option<String>,
    /// Its text after; `None` when it is removed.
    pub after: Option<String>,
}

impl Repo {
    /// Returns the repository with the changes applied. The documents of a file keep their indices until all changes
    /// are done, so that several changes can name documents of one file.
    ///
    /// # Errors
    /// When a new file is already there, a file or document is not, or a patch cannot be put into the text.
    pub fn with(&self, changes: &ChangeSet) -> Result<Repo> {
        let unchanged = self.files.iter().map(|(path, file)| (path, file.text.as_str()));
        let mut texts: BTreeMap<&RepoPath, &str> = unchanged.collect();
        let changed = self.file_changes(changes)?;
        for file in &changed {
            match &file.after {
                Some(text) => texts.insert(&file.path, text),
                None => texts.remove(&file.path),
            };
        }
        let mut repo = self.with_texts(texts);
        repo.overrides.clone_from(&self.overrides);
        for file in &changed {
            let text = file.after.clone().filter(|text| is_override(&file.path, text));
            match text.map(|text| Override::parse(file.path.clone(), text)).transpose()? {
                Some(one) => repo.overrides.insert(file.path.clone(), one),
                None => repo.overrides.remove(&file.path),
            };
        }
        // A file that could not be decoded has no text; it stays malformed.
        let lost = self
            .malformed
            .iter()
            .filter(|malformed| !self.files.contains_key(&malformed.file));
        repo.malformed.extend(lost.cloned());
        Ok(repo)
    }

    /// Returns the files that the changes modify, before and after, in the order of the changes; unmodified files are
    /// left out.
    ///
    /// # Errors
    /// Those of [`Repo::with`].
    pub fn file_changes(&self, changes: &ChangeSet) -> Result<Vec<FileChange>> {
        let mut of_files: Vec<(&RepoPath, Vec<&Change>)> = Vec::new();
        let mut places = BTreeMap::new();
        for change in &changes.changes {
            let place = *places.entry(change.path()).or_insert(of_files.len());
            match of_files.get_mut(place) {
                Some((_, of_file)) => of_file.push(change),
                None => of_files.push((change.path(), vec![change])),
            }
        }
        let mut out = Vec::new();
        for (path, of_file) in of_files {
            let change = self
                .file_change(path, of_file.into_iter())
                .with_context(|| format!("cannot change `{path}`"))?;
            if change.before != change.after {
                out.push(change);
            }
        }
        Ok(out)
    }

    fn file_change<'c>(&self, path: &RepoPath, changes: impl Iterator<Item = &'c Change>) -> Result<FileChange> {
        let mut before = self.files.get(path);
        let mut created = None;
        let mut documents: BTreeMap<usize, Option<String>> = BTreeMap::new();
        let mut is_gone = false;
        for change in changes {
            if let Change::PatchFile { file, .. } | Change::RenameKey { file, .. } | Change::RemoveFile { file } =
                change
            {
                before = before.or(Some(file));
            }
            match change {
                Change::Create { text, .. } if !self.listing.contains(path) && created.is_none() => {
                    created = Some(text.clone());
                }
                Change::Create { .. } => bail!("the file is already there"),
                Change::Patch { document, .. }
                | Change::PatchFile { document, .. }
                | Change::RenameKey { document, .. }
                | Change::ReplaceEntry { document, .. }
                | Change::ReplaceComment { document, .. } => {
                    let file = before
                        .filter(|file| *document < file.documents.len())
                        .context("there is no such document")?;
                    let Some(text) = documents
                        .entry(*document)
                        .or_insert_with(|| Some(file.document(*document).to_owned()))
                    else {
                        bail!("document {} is removed and patched", document + 1);
                    };
                    *text = patched(text, change).with_context(|| format!("document {}", document + 1))?;
                }
                Change::RemoveFile { .. } => is_gone = true,
                Change::Remove { document, .. } => {
                    before
                        .filter(|file| *document < file.documents.len())
                        .context("there is no such document")?;
                    documents.insert(*document, None);
                }
            }
        }
        let after = match (before, created) {
            (_, Some(text)) => Some(text),
            (Some(_), None) if is_gone => None,
            (Some(file), None) => assemble(file, &documents),
            (None, None) => bail!("there is no such file"),
        };
        Ok(FileChange {
            path: path.clone(),
            before: before.map(|file| file.text.clone()),
            after,
        })
    }
}

/// Returns the text of a document after a change. A text that can only be changed by printing it again is refused,
/// because comments and anchors would be lost.
fn patched(text: &str, change: &Change) -> Result<String> {
    Ok(match change {
        Change::Patch { patch, .. } | Change::PatchFile { patch, .. } => {
            let spliced = yaml::splice(text, patch).map_err(SpliceError::into_error)?;
            if spliced.disproved {
                return Err(bug("an edit of it did not prove to be right, and was not made"));
            }
            if spliced.reprinted {
                return Err(
                    anyhow!("it cannot be edited in place, and printed again it would lose its comments")
                        .hint("write it without anchors, aliases and merge keys first, or make the change by hand"),
                );
            }
            spliced.text
        }
        Change::ReplaceEntry { replacement, .. } => {
            yaml::replace_entry(text, replacement)
                .map_err(SpliceError::into_error)?
                .text
        }
        Change::RenameKey { pointer, key, .. } => {
            yaml::rename_key(text, pointer, key).with_context(|| format!("`{pointer}` cannot get the key `{key}`"))?
        }
        Change::ReplaceComment { replacement, .. } => {
            yaml::replace_comment(text, replacement).context("there is no such comment")?
        }
        Change::Create { .. } | Change::Remove { .. } | Change::RemoveFile { .. } => text.to_owned(),
    })
}

/// Returns the file's text with some documents replaced or removed; `None` when no document with content is left.
fn assemble(file: &SourceFile, documents: &BTreeMap<usize, Option<String>>) -> Option<String> {
    let blank = |text: &str| {
        text.lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    };
    let kept = |index: usize| match documents.get(&index) {
        Some(replaced) => replaced.as_deref(),
        None => Some(file.document(index)),
    };
    let removed_any = documents.values().any(Option::is_none);
    if removed_any && (0..file.documents.len()).all(|index| kept(index).is_none_or(blank)) {
        return None;
    }
    let (mut text, mut end) = (String::new(), 0);
    for (index, document) in file.documents.iter().enumerate() {
        let separator = &file.text[end..document.range.start];
        end = document.range.end;
        match kept(index) {
            // The first remaining document needs no separator if those before it are removed.
            Some(content) if text.is_empty() && index > 0 => text.push_str(content),
            Some(content) => {
                text.push_str(separator);
                text.push_str(content);
            }
            None => {}
        }
    }
    text.push_str(&file.text[end..]);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use serde_json::json;

    const THREE: &str = "# about\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: b\n--- # last\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: c\n";

    fn repo() -> Repo {
        let files = Memory::new([("applications/n.yaml", THREE)]).unwrap();
        Repo::read(&files, &[]).unwrap()
    }

    fn path() -> RepoPath {
        RepoPath::new("applications/n.yaml").unwrap()
    }

    #[test]
    fn what_two_write_alike_is_written_once() {
        let create = |text: &str| Change::Create {
            path: RepoPath::new("a/.argocd-source.yaml").unwrap(),
            text: text.to_owned(),
        };
        let mut changes = ChangeSet::default();
        changes.join([create("a: b\n"), create("a: b\n")]).unwrap();
        assert_eq!(changes.changes, [create("a: b\n")]);
        let error = changes.join([create("a: c\n")]).unwrap_err().to_string();
        assert!(
            error.starts_with("`a/.argocd-source.yaml` would have two contents"),
            "{error}"
        );
    }

    #[test]
    fn a_document_goes_without_a_trace() {
        let remove = |document| Change::Remove { path: path(), document };
        let after = |changes: Vec<Change>| repo().file_changes(&ChangeSet { changes }).unwrap().remove(0).after;
        let middle = THREE.replace("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: b\n", "");
        assert_eq!(after(vec![remove(1)]).as_deref(), Some(middle.as_str()));
        let first = after(vec![remove(0)]).unwrap();
        assert!(
            first.starts_with("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: b\n--- # last\n"),
            "{first}"
        );
        assert_eq!(after(vec![remove(0), remove(1), remove(2)]), None);
    }

    #[test]
    fn a_patch_touches_its_document_only() {
        let patch: Patch =
            serde_json::from_value(json!([{"op": "add", "path": "/metadata/labels", "value": {"x": "y"}}])).unwrap();
        let changes = ChangeSet {
            changes: vec![Change::Patch {
                path: path(),
                document: 1,
                patch,
            }],
        };
        let changed = repo().with(&changes).unwrap();
        let labels: Vec<_> = changed.manifests.iter().map(|m| m.object.label("x")).collect();
        assert_eq!(labels, [None, Some("y"), None]);
        assert!(changed.files[&path()].text.starts_with("# about\n"));
    }

    #[test]
    fn a_document_is_never_reprinted() {
        let text =
            "kind: Namespace\nmetadata:\n  name: a\n  # kept\n  labels: {zeta: &z '1'}\n  annotations: {x: *z}\n";
        let files = Memory::new([("applications/n.yaml", text)]).unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let patch = json!([{"op": "replace", "path": "/metadata/labels/zeta", "value": "2"}]);
        let change = Change::Patch {
            path: path(),
            document: 0,
            patch: serde_json::from_value(patch).unwrap(),
        };
        let error = repo.with(&ChangeSet { changes: vec![change] }).unwrap_err();
        assert!(format!("{error:#}").contains("cannot be edited in place"), "{error:#}");
    }

    #[test]
    fn a_file_goes_whatever_is_in_it() {
        for text in ["", "a: [", "no\n---\nyaml: \u{fffd}\n"] {
            let file = SourceFile {
                path: RepoPath::new("apps/x/chart.tgz").unwrap(),
                text: text.to_owned(),
                documents: Vec::new(),
            };
            let changes = ChangeSet {
                changes: vec![Change::RemoveFile { file }],
            };
            let changed = repo().file_changes(&changes).unwrap().remove(0);
            assert_eq!((changed.before.as_deref(), changed.after), (Some(text), None));
        }
    }

    #[test]
    fn a_file_is_never_overwritten() {
        let create = Change::Create {
            path: path(),
            text: String::new(),
        };
        let error = repo().with(&ChangeSet { changes: vec![create] }).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "cannot change `applications/n.yaml`: the file is already there"
        );
    }
}
