//! `move-owner`: one claim goes to another Application, and both stay.

use anyhow::{Result, anyhow};

use super::new::New;
use super::old::Old;
use super::stop::Stop;
use super::{Live, Phase, Step, next_hint};
use crate::edit::plugin_section::PluginSection;
use crate::edit::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::{AppName, AppRenders, ClaimPath, ClaimRef};
use crate::repo::{Manifest, Repo};
use crate::rules::Scope;

/// A claim that goes to another Application.
#[derive(Debug)]
pub struct MoveOwner<'r> {
    claim: ClaimRef,
    old: Old<'r>,
    new: New<'r>,
    /// Whether it owns the claim already.
    has_moved: bool,
}

impl<'r> MoveOwner<'r> {
    /// Finds the claim and both Applications.
    ///
    /// # Errors
    /// When one is not there, the claim has no owner that is known, or the plugin does not render one of them.
    pub fn of(repo: &'r Repo, claim: &ClaimPath, to: &str, renders: &dyn Renders) -> Result<Self> {
        let (manifest, app) = repo.named_application(to)?;
        let new = New::of(repo, manifest)?;
        let (claim, owners) = owned(repo, claim)?;
        let has_moved = owners == [new.name.clone()];
        let from = match owners.as_slice() {
            [owner] if !has_moved => owner.clone(),
            // A run that was killed has given it to the one and not yet taken it from the other.
            _ => came_from(repo, manifest, &claim, &owners)?,
        };
        let old = Old::of(repo, from.as_str(), renders)?;
        let cluster = repo.clusters().of(&app);
        if cluster != claim.cluster {
            return Err(anyhow!(
                "claim `{claim}` is in the cluster `{}`, and Application `{to}` deploys to `{cluster}`",
                claim.cluster
            )
            .hint("name an Application of the same cluster: a claim does not move between clusters"));
        }
        Ok(Self {
            claim,
            old,
            new,
            has_moved,
        })
    }

    /// Returns the next step; `None` where there is none.
    ///
    /// # Errors
    /// When a workload cannot be stopped.
    pub fn next(&self) -> Result<Option<Phase>> {
        if self.has_moved {
            let is_any_stopped = self.old.count_stopped(&self.stops(true)?)? > 0;
            return Ok(is_any_stopped.then_some(Phase::Finish));
        }
        Ok(Some(match self.old.is_stopped(&self.stops(false)?)? {
            true => Phase::Move,
            false => Phase::Stop,
        }))
    }

    /// Plans a step.
    ///
    /// # Errors
    /// When it cannot be made, or the one before was not.
    pub fn step(&self, phase: Phase, renders: &dyn Renders) -> Result<Step> {
        if let Some(next) = self.next()? {
            phase.check_next(next)?;
        }
        match phase {
            Phase::Stop => self.stop(renders),
            Phase::Move => self.change_hands(renders),
            Phase::Finish => self.finish(renders),
        }
    }

    fn stops(&self, all: bool) -> Result<Vec<Stop>> {
        self.old.stops(&[&self.claim], all)
    }

    /// Returns the steps in words.
    ///
    /// # Errors
    /// When a workload cannot be stopped.
    pub fn plan(&self, again: &str) -> Result<String> {
        let stops = self.stops(self.has_moved)?;
        let stops: Vec<String> = stops.iter().map(|stop| format!("   {}\n", stop.what)).collect();
        let (claim, old, new) = (&self.claim, &self.old.name, &self.new.name);
        Ok(format!(
            "1. Application `{old}` stands still where it writes claim `{claim}`\n{}   {again} --phase 1\n\
2. one commit takes the claim from `{old}` and gives it to `{new}`\n   {again} --phase 2\n\
3. Application `{old}` runs again, and only reads the claim\n   {again} --phase 3\n",
            stops.concat()
        ))
    }

    fn stop(&self, renders: &dyn Renders) -> Result<Step> {
        let message = format!("Stop {} for the move of claim {}", self.old.name, self.claim);
        self.old.stop(message, &self.stops(false)?, renders)
    }

    fn change_hands(&self, renders: &dyn Renders) -> Result<Step> {
        let (claim, to) = (&self.claim, &self.new.name);
        let stops = self.stops(false)?;
        self.new.check_shared_resources(claim)?;
        let given = self.old.without(&[claim], to, renders)?;
        let taken = self.new.taken(&self.old, &[claim], renders)?;
        let mut edit = Edit {
            message: format!("Move claim {claim} from {} to {to}", self.old.name),
            next: Some(next_hint(to)),
            notes: vec![format!(
                "step 2 of 3: claim `{claim}` goes from Application `{}` to `{to}`",
                self.old.name
            )],
            ..Edit::default()
        };
        let mut gate = RuleGate::default();
        // A run that is killed in between leaves two owners, from which the same command goes on: the old one loses it last.
        let objects = self.new.changed(&taken, renders, &mut edit, &mut gate)?;
        self.new.ignores_as(&self.old, renders, &mut edit);
        self.old.followed((claim, to), renders, &mut edit, &mut gate)?;
        let rest = self.old.changed(&given, renders, &mut edit, &mut gate)?;
        self.old
            .check_shared(&rest, (to, &objects, self.new.app.namespace_name().as_ref()))?;
        Ok(Step {
            edit,
            gate,
            needed: self.old.needed(&stops, &[claim]).into_iter().collect(),
            live: vec![Live::Still(claim.clone())],
        })
    }

    fn finish(&self, renders: &dyn Renders) -> Result<Step> {
        let stops = self.stops(true)?;
        let written = self.old.started(&stops, renders)?;
        let mut edit = Edit {
            message: format!(
                "Let {} run again, after the move of claim {}",
                self.old.name, self.claim
            ),
            next: Some("push it; the move is done".to_owned()),
            notes: vec![format!(
                "step 3 of 3: Application `{}` runs again, and only reads claim `{}`",
                self.old.name, self.claim
            )],
            ..Edit::default()
        };
        let mut gate = RuleGate::default();
        self.old.changed(&written, renders, &mut edit, &mut gate)?;
        Ok(Step {
            edit,
            gate,
            needed: self.new.needed(&[&self.claim]).into_iter().collect(),
            live: vec![Live::Owned(self.claim.clone(), self.new.name.to_string())],
        })
    }
}

/// Returns a claim with its owners.
fn owned(repo: &Repo, path: &ClaimPath) -> Result<(ClaimRef, Vec<AppName>)> {
    let nothing = AppRenders::default();
    let scope = Scope::new(repo, &nothing);
    let is_it = |claim: &ClaimRef| {
        claim.name == path.name
            && path
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == claim.namespace)
    };
    let mut found: Vec<(ClaimRef, Vec<AppName>)> = scope
        .ownership
        .claims()
        .filter(|(reference, claim)| is_it(reference) && !claim.owners.is_empty())
        .map(|(reference, claim)| (reference.clone(), claim.owners.into_iter().collect()))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(anyhow!("no Application has claim `{path}` in `owns`")
            .hint("see the claims and their owners with `kubectl homelab list volumes`")),
        (Some(last), false) => {
            found.push(last);
            let names: Vec<String> = found.iter().map(|(claim, _)| format!("`{claim}`")).collect();
            Err(anyhow!("several claims are called `{path}`: {}", names.join(", "))
                .hint("name the namespace, as NAMESPACE/CLAIM"))
        }
    }
}

/// Returns the Application that a claim came from, by `moved-from` of the new owner; it may still be among the owners.
fn came_from(repo: &Repo, manifest: &Manifest, claim: &ClaimRef, owners: &[AppName]) -> Result<AppName> {
    let parameters = PluginSection::of(repo, manifest)?.parameters()?.into_iter();
    let mut moved = parameters.flat_map(|parameters| parameters.moved_from);
    let from = moved.find(|moved| moved.claim.name == claim.name);
    let name = manifest.object.name();
    if let Some(from) = from.map(|moved| moved.from)
        && owners.iter().all(|owner| *owner == from || owner.as_str() == name)
    {
        return Ok(from);
    }
    Err(match owners {
        [_] => {
            anyhow!("Application `{name}` owns claim `{claim}` already").hint("name another Application with `--to`")
        }
        owners => {
            let names: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
            anyhow!("claim `{claim}` has {} owners: {}", names.len(), names.join(", "))
                .hint("leave it to one of them first: `kubectl homelab explain HL104`")
        }
    })
}
