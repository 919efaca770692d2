//! The kustomizations that a build reads: that of the source, and those that they name, as far as they are in the checkout.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::Request;
use crate::failure::HintExt;
use crate::model::Pointer;
use crate::model::application::GENERATE_PATHS;
use crate::repo::kustomization::references::{HelmChart, Reference, Role, helm_charts, references};
use crate::repo::kustomization::{self, is_remote, without_nested};
use crate::repo::{Files, RepoPath};
use crate::yaml::{self, Locator, Tree};

/// The kustomizations of one build.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The kustomizations, that of the source first.
    pub kustomizations: Vec<Kustomization>,
    /// What they read in the checkout: files, and the folders of other kustomizations.
    pub reads: BTreeSet<RepoPath>,
}

/// One kustomization in the checkout.
#[derive(Clone, Debug, PartialEq)]
pub struct Kustomization {
    /// Its folder.
    pub folder: RepoPath,
    /// The file.
    pub file: RepoPath,
    /// Its text.
    pub text: String,
    /// What it names.
    pub references: Vec<Reference>,
    /// The charts that it inflates.
    pub charts: Vec<HelmChart>,
}

impl Kustomization {
    /// Returns what it names that is fetched from elsewhere.
    pub fn remotes(&self) -> impl Iterator<Item = &Reference> {
        let is_fetched = |one: &&Reference| match one.role {
            Role::Resource | Role::Component | Role::Plugin => is_remote(&one.path),
            Role::File | Role::ValueFile => is_url(&one.path),
        };
        self.references.iter().filter(is_fetched)
    }

    /// Returns `FILE:LINE:COLUMN` of a place in it.
    pub fn place(&self, pointer: &Pointer) -> String {
        let start = Tree::parse(&self.text).ok().and_then(|tree| {
            let span = Locator::new(&tree).locate(pointer)?;
            Some(yaml::position(&self.text, span.value.start))
        });
        match start {
            Some(start) => format!("{}:{}:{}", self.file, start.line, start.column),
            None => self.file.to_string(),
        }
    }
}

impl Graph {
    /// Reads the kustomizations below some folders. One that is not YAML names nothing: kustomize says what is wrong.
    ///
    /// # Errors
    /// When something is named that is not in the checkout, or a file cannot be read.
    pub(super) fn of(request: &Request, files: &dyn Files, folders: Vec<RepoPath>) -> Result<Self> {
        let (mut graph, mut seen) = (Self::default(), BTreeSet::new());
        let mut open = folders;
        open.reverse();
        while let Some(folder) = open.pop() {
            if !seen.insert(folder.clone()) {
                continue;
            }
            let Some(one) = read(files, &folder)? else { continue };
            graph.reads.insert(folder.clone());
            let mut below = Vec::new();
            for reference in &one.references {
                let Some(path) = local(request, &one, reference, files)? else {
                    continue;
                };
                let place = || one.place(&reference.pointer);
                if files.list(&path).with_context(place)?.is_some() {
                    if !has_kustomization(files, &path)? {
                        return Err(anyhow!("{}: there is no kustomization in `{path}`", place())
                            .hint("name its files, or write a `kustomization.yaml` there that names them"));
                    }
                    below.push(path.clone());
                }
                graph.reads.insert(path);
            }
            for chart in one.charts.iter().filter_map(|chart| folder.join(&chart.folder()).ok()) {
                if files.list(&chart)?.is_some() {
                    graph.reads.insert(chart);
                }
            }
            open.extend(below.into_iter().rev());
            graph.kustomizations.push(one);
        }
        Ok(graph)
    }

    /// Reports whether helm may be asked for a chart: it is named here, by something remote, or in the configuration of a
    /// generator.
    pub fn may_inflate_charts(&self) -> bool {
        let may = |one: &Kustomization| {
            let is_plugin = |one: &Reference| one.role == Role::Plugin;
            !one.charts.is_empty() || one.remotes().next().is_some() || one.references.iter().any(is_plugin)
        };
        self.kustomizations.iter().any(may) || self.kustomizations.iter().any(|one| one.text.contains("HelmChart"))
    }

    /// Returns what the build reads outside of a folder, without what is below another folder of these.
    pub fn outside(&self, folder: &RepoPath) -> Vec<RepoPath> {
        let outside = self.reads.iter().filter(|path| !path.is_in(folder));
        without_nested(outside.cloned().collect()).into_iter().collect()
    }
}

fn has_kustomization(files: &dyn Files, folder: &RepoPath) -> Result<bool> {
    let entries = files.list(folder)?.unwrap_or_default();
    Ok(entries
        .iter()
        .any(|entry| kustomization::NAMES.contains(&entry.name.as_str())))
}

/// Reads the kustomization of a folder: the first of the three names.
fn read(files: &dyn Files, folder: &RepoPath) -> Result<Option<Kustomization>> {
    for name in kustomization::NAMES {
        let file = folder.join(name)?;
        let Some(bytes) = files.read(&file)? else { continue };
        let text =
            String::from_utf8(bytes).map_err(|_| anyhow!("`{file}` is not UTF-8").hint("convert it to UTF-8"))?;
        let tree = yaml::value(&text).ok().flatten().unwrap_or(Value::Null);
        return Ok(Some(Kustomization {
            folder: folder.clone(),
            references: references(&tree),
            charts: helm_charts(&tree),
            file,
            text,
        }));
    }
    Ok(None)
}

/// Returns what a name stands for in the checkout; `None` for what is fetched from elsewhere.
fn local(request: &Request, one: &Kustomization, reference: &Reference, files: &dyn Files) -> Result<Option<RepoPath>> {
    let Reference { role, pointer, path } = reference;
    if is_url(path) {
        return Ok(None);
    }
    let may_be_remote = matches!(role, Role::Resource | Role::Component | Role::Plugin) && is_remote(path);
    let place = || one.place(pointer);
    if path.starts_with('/') {
        return Err(anyhow!("{}: `{path}` is absolute", place()).hint("write the path relative to the kustomization"));
    }
    // Argo CD may have sent a part of the repository.
    let whole = request.prefix.join(one.folder.as_str())?.join(path);
    let sent = match one.folder.join(path) {
        Ok(sent) => is_there(files, &sent, may_be_remote)
            .with_context(place)?
            .then_some(sent),
        Err(_) => None,
    };
    match (sent, whole) {
        (Some(sent), _) if files.is_ignored(&sent) => {
            Err(super::ignored(&format!("{}: `{path}`", place()), &sent))
        }
        (Some(sent), _) => Ok(Some(sent)),
        (None, _) if may_be_remote => Ok(None),
        (None, Err(_)) => Err(anyhow!("{}: `{path}` leads out of the repository", place())
            .hint("name something in the repository, or a URL")),
        (None, Ok(whole)) => Err(anyhow!("{}: `{path}` does not exist", place()).hint(match request.storage_rules {
            true => format!(
                "correct the path, or add `/{whole}` to the annotation `{GENERATE_PATHS}` if that keeps it from the plugin"
            ),
            // Argo CD's own tool gets the whole repository.
            false => "correct the path, or add the file".to_owned(),
        })),
    }
}

/// Reports whether there is a file, or a folder where one counts.
fn is_there(files: &dyn Files, path: &RepoPath, only_file: bool) -> Result<bool> {
    match files.list(path)?.is_some() {
        true => Ok(!only_file),
        false => Ok(files.read(path)?.is_some()),
    }
}

/// Reports whether a name is fetched by HTTP.
fn is_url(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}
