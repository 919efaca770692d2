//! The trees of files that one render reads: that of the source, that of a chart which is pulled, those of sources with a
//! `ref`; and where a name in the source leads.

use std::borrow::Cow;

use anyhow::{Result, anyhow};

use super::Request;
use crate::failure::HintExt;
use crate::model::chart_reference::OF_CHART;
use crate::repo::{Files, RepoPath};

/// One of the trees.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// The tree of the source.
    #[default]
    Source,
    /// The chart that the parameter `chart` names.
    Chart,
    /// The tree of another source, by its `ref`.
    Reference(String),
}

/// All trees of one render.
#[derive(Clone, Copy)]
pub struct Trees<'f> {
    /// The tree of the source.
    pub source: &'f dyn Files,
    /// The chart that the parameter `chart` names.
    pub chart: Option<&'f dyn Files>,
    /// The trees of the sources with a `ref`, by it; only Argo CD's own Helm gets them.
    pub references: &'f [(String, &'f dyn Files)],
}

impl<'f, F: Files> From<&'f F> for Trees<'f> {
    fn from(source: &'f F) -> Self {
        Self {
            source,
            chart: None,
            references: &[],
        }
    }
}

/// A tree, and the place in it that names are relative to.
pub(super) struct Root<'f> {
    pub(super) tree: Tree,
    pub(super) files: &'f dyn Files,
    /// The folder that a name without a leading `/` starts at, in the whole repository.
    pub(super) folder: RepoPath,
    /// The folder of the repository that the tree's root is.
    pub(super) prefix: RepoPath,
}

impl Root<'_> {
    /// Returns what the tree is, for a message.
    pub(super) fn name(&self) -> &'static str {
        match self.tree {
            Tree::Chart => "chart",
            _ => "repository",
        }
    }
}

impl<'f> Trees<'f> {
    /// Returns the tree that the chart of a request is in, and its folder there.
    pub(super) fn chart(&self, request: &Request) -> (Tree, RepoPath) {
        match self.chart {
            Some(_) => (Tree::Chart, RepoPath::root()),
            None => (Tree::Source, request.source_path.clone()),
        }
    }

    /// Returns the files of a tree; none for one that is not there.
    pub(super) fn files(&self, tree: &Tree) -> Option<&'f dyn Files> {
        match tree {
            Tree::Source => Some(self.source),
            Tree::Chart => self.chart,
            Tree::Reference(name) => {
                let mut references = self.references.iter();
                references
                    .find(|(reference, _)| reference == name)
                    .map(|(_, files)| *files)
            }
        }
    }

    /// Reads a file of a tree.
    pub(super) fn read(&self, tree: &Tree, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        self.files(tree).map_or(Ok(None), |files| files.read(path))
    }

    /// Returns where a name leads: into which tree, and the name in it, as it is written there. Variables are replaced
    /// afterwards: Argo CD finds the `ref` first.
    ///
    /// # Errors
    /// When it is a file of a chart, and there is none.
    pub(super) fn root<'n>(&self, request: &Request, name: &'n str) -> Result<(Root<'f>, Cow<'n, str>)> {
        let apart = |tree: Tree, files: &'f dyn Files| Root {
            tree,
            files,
            folder: RepoPath::root(),
            prefix: RepoPath::root(),
        };
        if let Some(inside) = name.strip_prefix(OF_CHART) {
            let files = self.chart.ok_or_else(|| {
                anyhow!("`{OF_CHART}` is for a file of the chart that the parameter `chart` names, and there is none")
                    .hint("write the path from the folder of the source, or add the parameter `chart`")
            })?;
            return Ok((apart(Tree::Chart, files), inside.into()));
        }
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        let reference = first.strip_prefix('$').map(|name| Tree::Reference(name.to_owned()));
        if let Some(tree) = reference
            && let Some(files) = self.files(&tree)
        {
            return Ok((apart(tree, files), format!("/{rest}").into()));
        }
        let root = Root {
            tree: Tree::Source,
            files: self.source,
            folder: request.chart()?,
            prefix: request.prefix.clone(),
        };
        Ok((root, name.into()))
    }
}
