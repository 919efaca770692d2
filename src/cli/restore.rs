//! `kubectl homelab restore`.

use anyhow::Result;

use super::helm::HelmArgs;
use super::session::{EditArgs, Session};
use super::source_dirs::SourceDirArgs;
use crate::edit::restore::{Request, restore};
use crate::failure::Exit;
use crate::model::ClaimPath;
use crate::sources::Sources;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # The claims that are kept
  kubectl homelab list volumes

  # A new player takes over the films of the old one
  kubectl homelab restore media/films --to player";

/// Give a kept claim its next owner
///
/// The claim goes into `owns` of the Application, and out of `keeps`, in one commit: there is no moment without an owner in the
/// registry. The data stays as it is.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim
    #[arg(value_name = "[NAMESPACE/]CLAIM")]
    claim: ClaimPath,

    /// The Application that owns it from now on
    #[arg(long, value_name = "APP")]
    to: String,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    edit: EditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.sources, &args.helm);
    session.edit(&args.edit.write)?;
    let (edit, gate) = {
        let repo = session.repo()?;
        let options = args.sources.options(&args.helm, &repo.settings);
        let dirs = args.sources.into_dirs();
        dirs.check(repo, repo.applications().map(|(_, app)| app))?;
        let sources = Sources::new(repo, session.checkout()?, &dirs, &options);
        let request = Request {
            claim: args.claim,
            to: args.to,
        };
        restore(repo, &sources, &request)?
    };
    session.finish(&args.edit, &edit, &gate)
}
