//! `kubectl homelab cmp`: what the sidecar in Argo CD's repo-server runs.

use anyhow::Result;
use clap::Subcommand;

use super::session::Session;
use crate::cmp;
use crate::failure::{Exit, Failure};

/// What Argo CD calls in the plugin's sidecar
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Verb {
    /// Render the source in the working directory, as the `ARGOCD_*` variables say
    Generate,
    /// Announce the parameters for Argo CD's form
    Parameters,
    /// Print plugin.yaml
    Manifest,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    match args.verb {
        Verb::Generate => generate(session),
        Verb::Parameters => {
            let announcement = cmp::folder().map(|folder| cmp::announcement(&folder))?;
            session.terminal.data(&format!("{announcement}\n"))?;
            Ok(Exit::Done)
        }
        Verb::Manifest => {
            session.terminal.data(&cmp::plugin_yaml()?)?;
            Ok(Exit::Done)
        }
    }
}

/// All or nothing: one write at the end, or one line on standard error.
fn generate(session: &mut Session) -> Result<Exit> {
    let folder = cmp::folder()?;
    let output = match cmp::generate(&cmp::environment(), &folder) {
        Ok(output) => output,
        Err(error) => {
            let failure = Failure::from(error);
            session.terminal.say(&cmp::complaint(&failure, &folder));
            return Ok(failure.exit);
        }
    };
    // Argo CD that hears half of it must not take that for all: a closed pipe is a failure here.
    if let Err(error) = session.terminal.data_slices(output.pieces()) {
        session.terminal.say(&format!("cannot write the render: {error}"));
        return Ok(Exit::Failed);
    }
    output.notes.iter().for_each(|note| session.terminal.say(note));
    Ok(Exit::Done)
}
