//! What `move-owner` and `replace-app` have in common: the steps, and the look at the cluster before one.

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use serde_json::Value;

use super::branch;
use super::connection::ConnectionArgs;
use super::session::Session;
use crate::cluster::{Cluster, Resource};
use crate::edit::handover::{Live, Phase, Step};
use crate::failure::HintExt;
use crate::law::sync_options::{SYNC_OPTIONS, has};
use crate::model::claim::OWNER_LABEL;
use crate::model::claim_use::claim_uses;
use crate::model::{ClaimRef, Object};

/// Which step is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PhaseArg {
    /// Print the steps, and change nothing
    Plan,
    /// The old owner stops writing
    #[value(name = "1")]
    Stop,
    /// The claims change hands
    #[value(name = "2")]
    Move,
    /// The rest goes
    #[value(name = "3")]
    Finish,
}

impl PhaseArg {
    /// Returns the step; `None` for the plan.
    pub(super) fn step(self) -> Option<Phase> {
        match self {
            Self::Plan => None,
            Self::Stop => Some(Phase::Stop),
            Self::Move => Some(Phase::Move),
            Self::Finish => Some(Phase::Finish),
        }
    }
}

/// Refuses a step before the one before is in the branch that Argo CD reads, and in the cluster where that is asked for. `app` is the
/// Application that has to be synced.
pub(super) fn check(step: &Step, live: Option<ConnectionArgs>, session: &Session) -> Result<()> {
    for needed in &step.needed {
        branch::check(session, needed)?;
    }
    let Some(connection) = live else {
        for live in &step.live {
            if let Live::Still(claim) = live {
                session.terminal.say(&format!(
                    "before you push it, no pod may write claim `{claim}` any more: `--live` checks that"
                ));
            }
        }
        return Ok(());
    };
    let cluster = connection.connect()?;
    step.live.iter().try_for_each(|live| check_live(live, &cluster))
}

fn check_live(live: &Live, cluster: &Cluster) -> Result<()> {
    match live {
        Live::Still(claim) => {
            let found = find(claim, cluster)?;
            let options = found.annotation(SYNC_OPTIONS).unwrap_or_default();
            if !has(options, "Prune=false") || !has(options, "Delete=false") {
                return Err(
                    anyhow!("claim `{claim}` has no guards in the cluster: Argo CD would delete it")
                        .hint("sync its Application once with the plugin, and run the command again"),
                );
            }
            still(claim, cluster)
        }
        Live::Owned(claim, owner) => {
            let found = find(claim, cluster)?;
            match found.label(OWNER_LABEL) {
                Some(label) if label == owner => Ok(()),
                label => Err(anyhow!(
                    "claim `{claim}` is not owned by Application `{owner}` in the cluster, but by `{}`",
                    label.unwrap_or("nobody")
                )
                .hint(format!("wait with `kubectl homelab wait {owner} --for synced`"))),
            }
        }
    }
}

fn find(claim: &ClaimRef, cluster: &Cluster) -> Result<Object> {
    let found = cluster.one(Resource::Claims, Some(&claim.namespace), claim.name.as_str())?;
    found
        .ok_or_else(|| anyhow!("claim `{claim}` is not in the cluster").hint("choose another cluster with `--context`"))
}

/// Refuses a claim that a pod can write.
fn still(claim: &ClaimRef, cluster: &Cluster) -> Result<()> {
    let pods = cluster.all(Resource::Pods, Some(&claim.namespace))?;
    let pods = pods.map_err(|denied| anyhow!("whether a pod writes claim `{claim}` is not known: {denied}"))?;
    let writes = |pod: &&Object| {
        let phase = pod.at("/status/phase").and_then(Value::as_str).unwrap_or_default();
        let uses = claim_uses(pod);
        let mut volumes = uses.volumes.iter();
        !["Succeeded", "Failed"].contains(&phase)
            && volumes.any(|volume| volume.claim == claim.name.as_str() && volume.is_written())
    };
    let names: Vec<String> = pods
        .iter()
        .filter(writes)
        .map(|pod| format!("`{}`", pod.name()))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(anyhow!("claim `{claim}` is written by the pods {}", names.join(", "))
        .hint("wait until they have ended, then run the same command again"))
}
