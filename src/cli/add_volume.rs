//! `kubectl homelab add-volume`.

use anyhow::Result;

use super::parameter_edit;
use super::session::Session;
use super::source_edit::SourceEditArgs;
use crate::edit::add_volume::{Request, add_volume};
use crate::edit::known_claim::reference;
use crate::failure::{Exit, as_usage};
use crate::model::ClaimPath;
use crate::model::parameter::claims::ACCESS_MODES;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab add-volume scanner-cache --owner scanner --size 5Gi
  kubectl homelab mount scanner-cache --into scanner --at /cache

  # On a class of its own, for pods on several nodes
  kubectl homelab add-volume media --owner scanner --size 2Ti \\
    --storage-class nfs --access-mode ReadWriteMany";

/// Add a claim to an Application whose chart has none for it
///
/// The claim goes into the parameter `claims` of its owner. The plugin renders it with everything else and guards it, and it
/// counts as one in `owns`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim, with its namespace before it where that is not the owner's
    #[arg(value_name = "CLAIM")]
    claim: ClaimPath,

    /// The Application that produces its data
    #[arg(long, value_name = "APP")]
    owner: String,

    /// Its size, as `5Gi`
    #[arg(long, value_name = "SIZE")]
    size: String,

    /// Its storage class; by default the cluster's own
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,

    /// Its access mode, ReadWriteOnce by default; may be repeated
    #[arg(long = "access-mode", value_name = "MODE", value_parser = ACCESS_MODES)]
    access_modes: Vec<String>,

    #[command(flatten)]
    common: SourceEditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        claim,
        owner,
        size,
        storage_class,
        access_modes,
        common,
    } = args;
    let request = Request {
        size,
        // kubectl shows the default class by this word.
        storage_class: storage_class.filter(|class| class != "default"),
        access_modes,
    };
    request.spec(&claim).map_err(as_usage)?;
    parameter_edit::run(&common, session, (&owner, Some(&claim)), &|target, scope| {
        let claim = reference(scope, &target.name, &claim)?;
        add_volume(target, scope, (&claim, &request))
    })
}
