//! How to render: with which helm, for which cluster, with or without the network and the user's cache.

use std::path::PathBuf;

use anyhow::Result;

use crate::disk;
use crate::helm::KeptRenders;

/// The options of a render.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether the network is used for sources that are not available locally.
    pub network: Network,
    /// The helm to run, and what charts see of the cluster.
    pub helm: HelmOptions,
    /// A revision to use instead of `targetRevision`.
    pub revision: Option<String>,
    /// Additional value files.
    pub values: Vec<String>,
    /// Whether the storage rules are left out.
    pub without_storage_rules: bool,
    /// Where renders of charts come from.
    pub charts: ChartRenders,
    /// Whether Argo CD waits for the render: the number of helms is bounded, and only a cache that is named is used.
    pub for_plugin: bool,
}

impl Options {
    /// Returns the folder of the cache that helm's downloads are kept in.
    pub(super) fn cache(&self) -> Result<Option<PathBuf>> {
        match self.for_plugin {
            true => disk::named_cache(),
            false => Ok(disk::cache().ok()),
        }
    }
}

/// Where renders of charts come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChartRenders {
    /// Helm renders them: what compares two renders to find random values needs that.
    #[default]
    Fresh,
    /// They are taken from the user's cache; helm renders the others, and they are kept there.
    Kept,
    /// They are taken from the user's cache, and helm renders nothing.
    KeptAlone,
}

impl ChartRenders {
    /// Returns the renders that are kept, if any are wanted.
    pub(super) fn kept(self) -> Option<KeptRenders> {
        let kept = || KeptRenders::below(disk::cache().ok().as_deref());
        match self {
            Self::Fresh => None,
            Self::Kept => Some(kept()),
            Self::KeptAlone => Some(kept().alone()),
        }
    }
}

/// The options of helm: the program, and the cluster that charts are rendered for.
#[derive(Clone, Debug, Default)]
pub struct HelmOptions {
    /// The program; `helm` on PATH by default.
    pub program: Option<PathBuf>,
    /// The Kubernetes version that charts see.
    pub kube_version: Option<String>,
    /// The API versions that charts see, as `group/version[/Kind]`.
    pub api_versions: Vec<String>,
}

/// The use of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// The network is never used; a source that is not available locally is reported.
    #[default]
    Never,
    /// The network is used for sources that are neither available locally nor in the cache.
    WhenMissing,
    /// The network is also used for sources in the cache, to update them.
    Always,
}
