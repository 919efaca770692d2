//! The trees of one render on disk.

use anyhow::{Context, Result};

use crate::disk::Checkout;
use crate::render::{Tree, Trees};
use crate::repo::Files;

/// The trees of one render on disk.
#[derive(Clone, Debug)]
pub struct Checkouts {
    /// The tree of the source.
    pub source: Checkout,
    /// The chart that the parameter `chart` names.
    pub chart: Option<Checkout>,
    /// The trees of the sources with a `ref`, by it.
    pub references: Vec<(String, Checkout)>,
}

impl From<Checkout> for Checkouts {
    fn from(source: Checkout) -> Self {
        Self {
            source,
            chart: None,
            references: Vec::new(),
        }
    }
}

impl Checkouts {
    /// Returns a tree.
    pub(super) fn get(&self, tree: &Tree) -> Result<&Checkout> {
        let reference = |name: &String| self.references.iter().find(|(reference, _)| reference == name);
        let found = match tree {
            Tree::Source => Some(&self.source),
            Tree::Chart => self.chart.as_ref(),
            Tree::Reference(name) => reference(name).map(|(_, checkout)| checkout),
        };
        found.context("a tree of the render is not there")
    }

    /// Returns all trees.
    pub(super) fn all(&self) -> impl Iterator<Item = &Checkout> {
        let references = self.references.iter().map(|(_, checkout)| checkout);
        std::iter::once(&self.source).chain(&self.chart).chain(references)
    }

    /// Calls a function with the trees as a render gets them.
    pub fn with_trees<T>(&self, with: impl FnOnce(Trees<'_>) -> T) -> T {
        let references = self.references.iter();
        let references: Vec<(String, &dyn Files)> = references
            .map(|(name, checkout)| (name.clone(), checkout as &dyn Files))
            .collect();
        with(Trees {
            source: &self.source,
            chart: self.chart.as_ref().map(|chart| chart as &dyn Files),
            references: &references,
        })
    }
}
