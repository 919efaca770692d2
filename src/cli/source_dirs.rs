//! `--source-dir` and `--fetch`: the checkouts of sources that a user names, and whether others are fetched.

use super::helm::HelmArgs;
use super::pairs;
use crate::model::Settings;
use crate::sources::{Network, Options, SourceDirs};

/// Where sources may come from.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct SourceDirArgs {
    /// A checkout of a source, as REPO=DIR: REPO is its URL or the last part of it; may be repeated
    #[arg(long = "source-dir", value_name = "REPO=DIR", value_parser = parse)]
    source_dirs: Vec<pairs::Pair>,

    /// Fetch sources that have no checkout here; those in the cache are updated
    #[arg(long)]
    fetch: bool,
}

fn parse(text: &str) -> Result<pairs::Pair, String> {
    pairs::parse(text).map_err(|_| "it is not REPO=DIR".to_owned())
}

impl SourceDirArgs {
    /// Returns the use of the network, which without `--fetch` is the command's own.
    pub(super) fn network(&self, otherwise: Network) -> Network {
        if self.fetch { Network::Always } else { otherwise }
    }

    /// Returns the options of a render that uses the network with `--fetch` only.
    pub(super) fn options(&self, helm: &HelmArgs, settings: &Settings) -> Options {
        Options {
            network: self.network(Network::Never),
            helm: helm.clone().into_options(settings),
            ..Options::default()
        }
    }

    /// Returns the directories.
    pub(super) fn into_dirs(self) -> SourceDirs {
        SourceDirs(self.source_dirs)
    }
}
