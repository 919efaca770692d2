//! `kubectl homelab add-namespace`.

use std::path::PathBuf;

use anyhow::Result;

use super::edit_args::EditArgs;
use super::pairs;
use super::session::Session;
use crate::disk;
use crate::edit::add_namespace::{PodSecurity, Request};
use crate::edit::{self, Edit, RuleGate};
use crate::failure::Exit;
use crate::model::NamespaceName;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab add-namespace radio --pod-security restricted
  kubectl homelab add-namespace radio --upsert --pod-security baseline
  kubectl homelab add-namespace radio --dry-run=client -o yaml
  kubectl homelab add-namespace radio --commit='Add the radio'";

/// Add a Namespace to the repository
///
/// The plugin adds the guards that keep Argo CD from pruning it and the labels that say who owns its claims; where no
/// plugin renders the Namespaces, the guards are written into the manifest.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Its name
    name: NamespaceName,

    /// Pod Security Standard: privileged, baseline or restricted, pinned with `:v1.30` or `:latest`; `baseline` for a new
    /// Namespace
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pod_security: Option<PodSecurity>,

    /// A label; may be repeated
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = pairs::parse_label)]
    labels: Vec<pairs::Pair>,

    /// An annotation; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pairs::parse_annotation)]
    annotations: Vec<pairs::Pair>,

    /// A ResourceQuota manifest that goes into the same file
    #[arg(long, value_name = "FILE")]
    quota: Option<PathBuf>,

    /// Argo CD's sync wave
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    sync_wave: Option<i64>,

    /// Change the Namespace if it is already there
    #[arg(long)]
    upsert: bool,

    #[command(flatten)]
    edit: EditArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        name,
        pod_security,
        labels,
        annotations,
        quota,
        sync_wave,
        upsert,
        edit,
    } = args;
    let request = Request {
        name: name.clone(),
        pod_security,
        labels: pairs::map(labels),
        annotations: pairs::map(annotations),
        sync_wave,
        quota: quota.as_deref().map(disk::read_text).transpose()?,
        upsert,
    };
    session.edit(&edit.write)?;
    let is_new = session.repo()?.namespace(name.as_str()).is_none();
    let takes_default = is_new && !edit::add_namespace::has_level(&request);
    let remark = takes_default.then(|| edit::add_namespace::default_remark(&name));
    let outcome = Edit {
        changes: edit::add_namespace(session.repo()?, &request)?,
        message: format!("Add Namespace {name}"),
        next: Some(format!(
            "add what produces data with `kubectl homelab add-app NAME --repo URL --path DIR -n {name}`"
        )),
        notes: remark.into_iter().collect(),
        ..Edit::default()
    };
    session.finish(&edit, &outcome, &RuleGate::default())
}
