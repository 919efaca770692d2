//! `--clusters` and `--generators`: what ApplicationSets get from outside of the repository.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::target::TargetArgs;
use crate::disk;
use crate::model::Settings;
use crate::settings;

/// What the repository cannot tell of its ApplicationSets.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "For ApplicationSets")]
pub(super) struct OutsideArgs {
    /// Clusters that the repository does not declare: their Secrets, or a list as in `.homelab.yaml`; may be repeated
    #[arg(long, value_name = "FILE")]
    clusters: Vec<PathBuf>,

    /// What generators give that need a server, as `pullRequest`: a map from the names of ApplicationSets to lists of
    /// parameters; may be repeated
    #[arg(long, value_name = "FILE")]
    generators: Vec<PathBuf>,

    /// What a command says of the cluster besides.
    #[arg(skip)]
    target: TargetArgs,
}

impl OutsideArgs {
    /// Returns the same with what is said of the cluster.
    pub(super) fn for_target(&self, target: &TargetArgs) -> Self {
        Self {
            target: target.clone(),
            ..self.clone()
        }
    }

    /// Adds what the files say to the repository's settings, whose clusters of the same name or server they replace.
    ///
    /// # Errors
    /// When a file cannot be read, or says something else.
    pub(super) fn add_to(&self, settings: &mut Settings) -> Result<()> {
        let name = |file: &Path| file.display().to_string();
        for file in &self.clusters {
            settings.add_clusters(settings::clusters_of_file(&name(file), &disk::read_text(file)?)?);
        }
        for file in &self.generators {
            let outputs = settings::generators_of_file(&name(file), &disk::read_text(file)?)?;
            settings.generator_outputs.extend(outputs);
        }
        self.target.add_to(settings);
        Ok(())
    }
}
