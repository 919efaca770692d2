//! `kubectl homelab mount`.

use anyhow::Result;

use super::parameter_edit;
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::KnownClaim;
use crate::edit::mount::{Request, mount};
use crate::failure::{Exit, as_usage};
use crate::model::ClaimPath;
use crate::model::mount::Mount;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab mount pvc-audio --into jellyfin --at /media/audio

  # One folder of the claim, for a group that may read its files
  kubectl homelab mount media --into player --at /films --sub-path films \\
    --gid 1000

  # Into one of several workloads
  kubectl homelab mount media --into immich --at /photos \\
    --workload Deployment/immich-server --container server

  # Into a workload that the chart puts into another namespace
  kubectl homelab mount audio/pvc-audio --into jellyfin --at /media/audio

  # Print the change instead of making it
  kubectl homelab mount media --into player --at /m --dry-run=client -o diff";

/// Mount a claim into an Application whose chart does not know it
///
/// A pod mounts claims of its own namespace: a claim of another namespace than the Application's destination goes into a workload
/// that the chart puts there. The claim is mounted read-only, unless the Application owns it or has it in `writes` (see `grant`). The entry goes into the
/// parameter `mounts`: of the manifest, of the file `.argocd-source.yaml` where an ApplicationSet makes the Application, or of
/// the value of the chart that renders it. The Application is rendered before anything is written.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim; with its namespace (`NAMESPACE/CLAIM`), a workload of that one is meant
    #[arg(value_name = "CLAIM")]
    claim: ClaimPath,

    /// The Application that gets it
    #[arg(long, value_name = "APP")]
    into: String,

    /// Where the container sees it, as `/media/audio`
    #[arg(long, value_name = "PATH")]
    at: String,

    /// A folder inside the claim
    #[arg(long, value_name = "DIR")]
    sub_path: Option<String>,

    /// The workload; needed where there are several
    #[arg(long, value_name = "[KIND/]NAME")]
    workload: Option<String>,

    /// The container; by default the workload's default container, else its first
    #[arg(long, value_name = "NAME")]
    container: Option<String>,

    /// The group that may read the files, which the pod gets as well
    #[arg(long, value_name = "N")]
    gid: Option<u32>,

    /// The source whose workload is meant, from 1; needed where several have one
    #[arg(long, value_name = "N")]
    source_position: Option<usize>,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        claim,
        into,
        at,
        sub_path,
        workload,
        container,
        gid,
        source_position,
        common,
    } = args;
    let folder = sub_path.map(|folder| format!("/{folder}")).unwrap_or_default();
    let options = [
        ("workload", workload),
        ("container", container),
        ("gid", gid.map(|gid| gid.to_string())),
    ];
    let mut text = format!("{}{folder}:{at}", claim.name);
    for (option, value) in options {
        text.extend(value.map(|value| format!(",{option}={value}")));
    }
    let request = Request {
        mount: text.parse::<Mount>().map_err(as_usage)?,
        position: source_position,
    };
    parameter_edit::run(&common, session, (&into, Some(&claim)), &|target, scope| {
        mount(target, &KnownClaim::find(scope, &target.name, &claim)?, &request)
    })
}
