//! What holds for a part of an object's tree: its manifest, and the volumes that mounts below it can name.

use std::collections::HashMap;

use super::Embedded;
use super::tables::Layout;
use crate::model::pointer::PointerBuf;

/// What holds for a part of the tree.
#[derive(Default)]
pub(super) struct Context<'o, 'c> {
    pub(super) manifest: Embedded<'o>,
    /// The names of the manifest's own `volumeClaimTemplates`, whose volumes the controller replaces.
    pub(super) claim_templates: Vec<&'o str>,
    /// Where volumes stand apart from their containers: the layout, and how deep in the path that part begins.
    pub(super) apart: Option<(Layout, PointerBuf)>,
    /// The volumes of the nearest list `volumes`.
    pub(super) volumes: HashMap<&'o str, Noted>,
    pub(super) outer: Option<&'c Context<'o, 'c>>,
}

/// Where a volume is noted.
#[derive(Clone, Copy)]
pub(super) enum Noted {
    /// The index among the volumes that name a claim.
    Claim(usize),
    /// The index among those that are a directory.
    Directory(usize),
    /// Nowhere.
    No,
}

impl<'o> Context<'o, '_> {
    /// Returns where the volume of this name is noted.
    pub(super) fn volume(&self, name: &str) -> Noted {
        match (self.volumes.get(name), self.outer) {
            (Some(noted), _) => *noted,
            (None, Some(outer)) => outer.volume(name),
            (None, None) => Noted::No,
        }
    }
}
