//! `kubectl homelab move-owner`.

use anyhow::Result;

use super::connection::ConnectionArgs;
use super::edit_args::EditArgs;
use super::handover::{self, PhaseArg};
use super::helm::HelmArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use super::source_edit::planned;
use crate::edit::handover::MoveOwner;
use crate::failure::Exit;
use crate::model::ClaimPath;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # The three steps
  kubectl homelab move-owner pvc-audio --to recorder --phase plan

  # One after the other, each committed, pushed and synced before the next
  kubectl homelab move-owner pvc-audio --to recorder --commit

  # Look into the cluster before: no pod may write the claim
  kubectl homelab move-owner pvc-audio --to recorder --live --commit";

/// Give a claim to another Application, without a moment with two writers
///
/// Takes three commits, each of them synced before the next; every run makes the next one. First the workloads of the owner that write
/// the claim stand still, by the parameter `patches`. Then one commit takes the claim from it (`owns`, `moves`) and gives it to the other
/// (`owns`, `moved-from`, with its specification in `claims` where its chart has none). Last, the old owner runs again and only
/// reads the claim.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim
    #[arg(value_name = "CLAIM")]
    claim: ClaimPath,

    /// The Application that owns it from now on
    #[arg(long, value_name = "APP")]
    to: String,

    /// What is done; by default the next step
    #[arg(long, value_enum)]
    phase: Option<PhaseArg>,

    /// Check in the cluster that the step before is done
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    edit: EditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let step = planned(
        session,
        (&args.sources, &args.helm),
        &args.edit.write,
        |repo, sources, session| {
            let moving = MoveOwner::of(repo, &args.claim, &args.to, sources)?;
            let phase = match args.phase {
                Some(PhaseArg::Plan) => {
                    let again = format!("kubectl homelab move-owner {} --to {}", args.claim, args.to);
                    session.terminal.data(&moving.plan(&again)?)?;
                    return Ok(None);
                }
                Some(phase) => phase.step(),
                None => moving.next()?,
            };
            if phase.is_none() {
                session.terminal.say("nothing to change");
            }
            phase.map(|phase| moving.step(phase, sources)).transpose()
        },
    )?;
    let Some(step) = step else { return Ok(Exit::Done) };
    handover::check(&step, args.live.then_some(args.connection), session)?;
    session.finish(&args.edit, &step.edit, &step.gate)
}
