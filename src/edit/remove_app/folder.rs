//! The folder that goes with an Application: all its files, unless somebody else reads one of them.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};

use crate::edit::Renders;
use crate::failure::HintExt;
use crate::repo::{Files, Manifest, Repo, RepoPath, SourceFile};

/// Returns the files below a folder, in the order in which they go. A run that is killed in between leaves a folder of which the rest
/// can still be read: what makes a chart of it goes late, and the file of overrides, which names the plugin and what it owns, last.
///
/// # Errors
/// When they cannot be listed or read.
pub(super) fn files(files: &dyn Files, folder: &RepoPath) -> Result<Vec<SourceFile>> {
    let mut below: Vec<RepoPath> = files.all()?.into_iter().filter(|path| path.is_in(folder)).collect();
    below.sort_by_key(|path| match path.file_name() {
        name if name.starts_with(".argocd-source") => 2,
        "Chart.yaml" => 1,
        _ => 0,
    });
    below.iter().map(|path| file(files, path)).collect()
}

/// Returns a file that is removed as a whole: what is no text in it does not matter.
///
/// # Errors
/// When it cannot be read.
pub(super) fn file(files: &dyn Files, path: &RepoPath) -> Result<SourceFile> {
    let bytes = files.read(path)?.with_context(|| format!("there is no `{path}`"))?;
    Ok(SourceFile {
        path: path.clone(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        documents: Vec::new(),
    })
}

/// Refuses to remove a folder of which others read something.
///
/// # Errors
/// Names them.
pub(super) fn check_alone(repo: &Repo, renders: &dyn Renders, app: &Manifest, folder: &RepoPath) -> Result<()> {
    let mut readers = BTreeSet::new();
    for (manifest, other) in repo.applications() {
        let is_it = other.object().tree() == app.object.tree();
        let sources = other.sources();
        let own = sources.iter().filter(|source| repo.is_own(source.repo_url()));
        let paths = own.filter_map(|source| RepoPath::new(source.path()?).ok());
        let reads = renders.reads(&other).unwrap_or_default();
        let is_written_there = manifest.is_written() && manifest.file.is_in(folder);
        let reads_it = is_written_there || paths.chain(reads).any(|path| path.is_in(folder));
        if reads_it && !is_it {
            readers.insert(format!("Application `{}`", other.name()));
        }
    }
    for (file, path) in repo.kustomizations.named_paths() {
        if path.is_in(folder) && !file.is_in(folder) {
            readers.insert(format!("`{file}`"));
        }
    }
    if readers.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = readers.into_iter().collect();
    Err(anyhow!(
        "the folder `{folder}` would go with Application `{}`, and others read it: {}",
        app.object.name(),
        names.join(", ")
    )
    .hint("move what they read to another folder first"))
}
