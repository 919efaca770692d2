//! `kubectl homelab unmount`.

use anyhow::Result;

use super::parameter_edit;
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::mount::unmount;
use crate::failure::Exit;
use crate::model::ClaimPath;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab unmount pvc-audio --from jellyfin

  # One of several mounts of the claim
  kubectl homelab unmount media --from player --at /films";

/// Take a mount of a claim out of an Application
///
/// What goes is what `mount` or `add-app --mount` has added, an entry of the parameter `mounts`. The claim and its data stay.
/// What the chart mounts itself is changed in its values.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim, as `mount` names it
    #[arg(value_name = "CLAIM")]
    claim: ClaimPath,

    /// The Application that has it mounted
    #[arg(long, value_name = "APP")]
    from: String,

    /// The path of the one mount that goes; without it all mounts of the claim go
    #[arg(long, value_name = "PATH")]
    at: Option<String>,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        claim,
        from,
        at,
        common,
    } = args;
    parameter_edit::run(&common, session, (&from, None), &|target, _| {
        unmount(target, &claim, at.as_deref())
    })
}
