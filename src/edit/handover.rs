//! `move-owner` and `replace-app`: claims go from one Application to another in three steps, each a commit that Argo CD has
//! synced before the next.
//!
//! ```text
//! 1  stop      the workloads of the old owner that write them stand still
//! 2  old, new  one commit takes them from the one and gives them to the other, with their specifications (specification);
//!              no other object may be rendered by both (shared); of several sources, the one that renders it (parts)
//! 3            the old owner runs again and reads them, or goes
//! ```

mod move_owner;
mod new;
mod old;
mod parts;
mod replace_app;
mod shared;
mod specification;
mod stop;

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::edit::needed::Needed;
use crate::edit::{Edit, RuleGate};
use crate::failure::HintExt;
use crate::model::{AppName, Application, ClaimPath, ClaimRef, PointerExt};
use crate::repo::Repo;

pub use move_owner::MoveOwner;
pub use replace_app::ReplaceApp;

/// A step of a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The old owner stops writing.
    Stop,
    /// The claims change hands.
    Move,
    /// The rest goes.
    Finish,
}

impl Phase {
    /// Returns its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Stop => 1,
            Self::Move => 2,
            Self::Finish => 3,
        }
    }

    /// Refuses a step while an earlier one is next.
    fn check_next(self, next: Self) -> Result<()> {
        if self <= next {
            return Ok(());
        }
        let next = next.number();
        Err(anyhow!("step {next} is not made yet")
            .hint(format!("make it first, with `--phase {next}`, and wait for its sync")))
    }
}

/// Returns what to do before the next step, once an Application is changed.
fn next_hint(app: &AppName) -> String {
    format!(
        "push it, wait with `kubectl homelab wait {app} --for synced`, then run the same command again: it makes the next step"
    )
}

/// Returns the claim that a parameter of an Application names; `None` where neither it nor the destination says a namespace.
fn claim_of(repo: &Repo, app: &Application<'_>, path: &ClaimPath) -> Option<ClaimRef> {
    Some(ClaimRef {
        cluster: repo.clusters().of(app),
        namespace: path.namespace_in(app.namespace_name().as_ref())?.clone(),
        name: path.name.clone(),
    })
}

/// Reports whether `owns` of the sources of an Application has claims.
fn owns(app: &Application<'_>, claims: &[ClaimRef]) -> bool {
    let destination = app.namespace_name();
    let sources = app.sources();
    let arrays = sources
        .iter()
        .filter(|source| source.uses_homelab_plugin())
        .filter_map(|source| {
            let array = source.parameter("owns")?.child("array");
            source.value(&array)?.as_array()
        });
    let entries = arrays.flatten().filter_map(Value::as_str);
    let paths: Vec<ClaimPath> = entries.filter_map(|entry| entry.parse().ok()).collect();
    let is_owned = |claim: &ClaimRef| paths.iter().any(|path| path.is(claim, destination.as_ref()));
    claims.iter().all(is_owned)
}

/// What a step does, and what has to be true before.
#[derive(Debug)]
pub struct Step {
    /// The changes.
    pub edit: Edit,
    /// What checks them.
    pub gate: RuleGate,
    /// What has to be in the branch that Argo CD reads.
    pub needed: Vec<Needed>,
    /// What has to be so in the cluster.
    pub live: Vec<Live>,
}

/// What has to be so in the cluster before a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// No pod writes the claim, and it has its guards.
    Still(ClaimRef),
    /// The claim has this owner.
    Owned(ClaimRef, String),
}
