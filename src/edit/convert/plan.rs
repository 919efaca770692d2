//! Plans a run of `convert`: the move itself, or with `guard_first` the next of three steps.

use std::cmp::Ordering;

use anyhow::{Context, Result};

use super::application::{AppConversion, ConversionOutcome};
use super::choices::{Choices, Target, Which};
use super::moving::{Moving, counted, described};
use super::refusal::Refusal;
use super::set::SetConversion;
use super::step_before::StepBefore;
use super::{steps, taken_files, template};
use crate::edit::{Edit, Gate, Renders, RuleGate};
use crate::model::application::is_application_set;
use crate::repo::{ChangeSet, Manifest, Origin, Repo};
use crate::rules::{Rule, Scope, mounted_claim_has_owner, namespace_is_guarded, owned_claim_is_guarded};

/// What a run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It guards what moves.
    Guard,
    /// It moves.
    Move,
    /// It takes the guards away again.
    Release,
    /// There is nothing to do.
    #[default]
    Nothing,
}

/// The plan of a run.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is done.
    pub stage: Stage,
    /// The changes; they are written only if nothing was refused.
    pub edit: Edit,
    /// The gate that checks the changes with the renders before and after.
    pub gate: RuleGate,
    /// The Applications and sets that the target renders already, in words.
    pub unchanged: Vec<String>,
    /// Reasons why Applications are not moved; with one of them nothing is changed.
    pub refused: Vec<Refusal>,
    /// Errors of Applications that cannot be moved and stay as they are (with `--all`).
    pub stays: Vec<anyhow::Error>,
    /// Reasons why Applications stay as they are until the user decides (with `--all`).
    pub open: Vec<Refusal>,
    /// The steps that have to be committed before the changes are made.
    pub before: Vec<StepBefore>,
}

impl Plan {
    /// Returns both plans as one: the earlier of their stages, or what both do in it.
    #[must_use]
    pub fn joined(mut self, mut other: Self) -> Self {
        let (stays, open) = (std::mem::take(&mut other.stays), std::mem::take(&mut other.open));
        let unchanged = std::mem::take(&mut other.unchanged);
        match self.stage.cmp(&other.stage) {
            Ordering::Less => {}
            Ordering::Equal if self.stage == Stage::Nothing => {}
            Ordering::Equal => {
                let messages = [self.edit.message.as_str(), other.edit.message.as_str()];
                self.edit.message = messages.join("; ");
                self.edit.changes.changes.extend(other.edit.changes.changes);
                self.edit.notes.extend(other.edit.notes);
                self.edit.next = other.edit.next;
                self.gate.before.extend(other.gate.before);
                self.gate.after.extend(other.gate.after);
                self.before.extend(other.before);
            }
            Ordering::Greater => {
                self.stage = other.stage;
                self.edit = other.edit;
                self.before = other.before;
                let accepted = std::mem::take(&mut self.gate.accepted);
                self.gate = other.gate;
                self.gate.accepted.extend(accepted);
            }
        }
        self.stays.extend(stays);
        self.open.extend(open);
        self.unchanged.extend(unchanged);
        self
    }
}

/// Plans a run: moves each Application in memory, renders it before and after, and compares. `progress` hears the name of
/// each Application that is begun.
///
/// # Errors
/// When an Application that was named is not there or cannot be moved, with every place in the way; a wrong choice.
pub fn plan(repo: &Repo, choices: &Choices, renders: &dyn Renders, progress: &mut dyn FnMut(&str)) -> Result<Plan> {
    let manifests = choices.manifests(repo)?;
    let names = names(repo, &manifests);
    choices.check_claims(&names)?;
    let nothing = Default::default();
    let ownership = Scope::new(repo, &nothing).ownership;
    let (mut plan, mut converted) = (Plan::default(), Vec::new());
    if choices.leaves_some() {
        plan.stays.extend(repo.check_all_read().err());
    }
    if choices.which == Which::All {
        let apps = repo.applications().map(|(manifest, _)| manifest);
        let unwritten = apps.filter(|manifest| matches!(manifest.origin, Origin::Item(_) | Origin::Rendered(_)));
        plan.stays
            .extend(unwritten.filter_map(|manifest| manifest.check_editable().err()));
    }
    let is_alone = names.len() == 1;
    for manifest in &manifests {
        progress(manifest.object.name());
        let of = |manifest| AppConversion {
            choices,
            repo,
            renders,
            ownership: &ownership,
            manifest,
            is_alone,
        };
        let outcome = match is_application_set(&manifest.object) {
            true => of_set(repo, renders, manifest, (choices.target, &of)),
            false => of(manifest).convert().map(|outcome| match outcome {
                ConversionOutcome::Converted(app) => Some(Ok(Moving::of_app(manifest, *app))),
                ConversionOutcome::Refused(refusals) => Some(Err(refusals)),
                ConversionOutcome::Unchanged => None,
            }),
        };
        match outcome {
            Ok(Some(Ok(moving))) => converted.push(moving),
            Ok(None) if steps::is_moving(repo, manifest) && choices.guard_first => {}
            Ok(None) => plan.unchanged.push(described(manifest)),
            Ok(Some(Err(refusals))) if choices.leaves_some() => plan.open.extend(refusals),
            Ok(Some(Err(refusals))) => plan.refused.extend(refusals),
            Err(error) if choices.leaves_some() => plan.stays.push(error),
            Err(error) => return Err(error),
        }
    }
    if plan.refused.is_empty() {
        step(choices, repo, &manifests, converted, &mut plan)?;
    }
    taken_files::check(repo, renders, &plan.edit.changes)?;
    Ok(plan)
}

/// Returns the names of the Applications, those of sets included.
fn names<'r>(repo: &'r Repo, manifests: &[&'r Manifest]) -> Vec<&'r str> {
    let names = |manifest: &&'r Manifest| match is_application_set(&manifest.object) {
        true => template::generated_by(repo, manifest)
            .iter()
            .map(|app| app.object.name())
            .collect(),
        false => vec![manifest.object.name()],
    };
    manifests.iter().flat_map(names).collect()
}

/// What moves, or why it stays as it is; nothing where the target renders it already.
type Outcome<'r> = Option<Result<Moving<'r>, Vec<Refusal>>>;

/// Converts a set with all that it generates.
fn of_set<'r>(
    repo: &'r Repo,
    renders: &dyn Renders,
    set: &'r Manifest,
    (target, of): (Target, &dyn Fn(&'r Manifest) -> AppConversion<'r>),
) -> Result<Outcome<'r>> {
    let apps = template::generated_by(repo, set);
    if apps.is_empty() {
        // Why they are not known is the reason.
        set.check_editable()?;
        let name = set.object.name();
        renders
            .generate(&set.object, &[])
            .with_context(|| format!("what ApplicationSet `{name}` generates is not known"))?;
    }
    let conversion = SetConversion {
        set,
        apps: apps.into_iter().map(of).collect(),
        target,
    };
    Ok(match conversion.convert()? {
        ConversionOutcome::Converted(done) => Some(Ok(Moving::of_set(set, *done))),
        ConversionOutcome::Refused(refusals) => Some(Err(refusals)),
        ConversionOutcome::Unchanged => None,
    })
}

/// Decides what is done in this run: everything, or with `guard_first` the next of three steps.
fn step(
    choices: &Choices,
    repo: &Repo,
    manifests: &[&Manifest],
    converted: Vec<Moving<'_>>,
    plan: &mut Plan,
) -> Result<()> {
    // One that cannot move must not keep the others in the middle of their steps.
    let converted = match choices.leaves_some() {
        true => {
            let guardable = guardable(choices, repo, converted, plan);
            movable(choices, repo, guardable, plan)?
        }
        false => converted,
    };
    if choices.guard_first {
        if let Some(edit) = steps::guard_step(repo, &converted)? {
            plan.edit = edit;
            plan.stage = Stage::Guard;
            return Ok(());
        }
        if converted.is_empty() {
            let moving = manifests.iter().filter(|manifest| steps::is_moving(repo, manifest));
            plan.before = moving
                .flat_map(|manifest| steps::before_release(repo, manifest))
                .collect();
            if let Some(edit) = steps::release_step(repo, manifests)? {
                plan.edit = edit;
                plan.stage = Stage::Release;
            }
            return Ok(());
        }
        for moving in converted.iter().filter(|moving| moving.needs_guard()) {
            let step = StepBefore::of_move(&steps::carrier(repo, moving.manifest)?);
            if !plan.before.contains(&step) {
                plan.before.push(step);
            }
        }
    }
    if !converted.is_empty() {
        plan.stage = Stage::Move;
    }
    move_step(choices, repo, converted, plan)
}

/// Returns what can have the guards of a move where it needs them; of the others it notes why not.
fn guardable<'r>(choices: &Choices, repo: &Repo, converted: Vec<Moving<'r>>, plan: &mut Plan) -> Vec<Moving<'r>> {
    let mut can_be = |moving: &Moving<'_>| {
        if !choices.guard_first || !moving.needs_guard() {
            return true;
        }
        let carrier = steps::carrier(repo, moving.manifest);
        let refused = carrier
            .and_then(|carrier| steps::guarded(repo, &carrier, &moving.names()))
            .err();
        let is_refused = refused.is_some();
        plan.stays.extend(refused);
        !is_refused
    };
    converted.into_iter().filter(|moving| can_be(moving)).collect()
}

/// Returns what can be moved together; of the others it notes which rule their move would break.
fn movable<'r>(choices: &Choices, repo: &Repo, converted: Vec<Moving<'r>>, plan: &mut Plan) -> Result<Vec<Moving<'r>>> {
    if broken(choices, repo, &converted)?.is_none() {
        return Ok(converted);
    }
    let mut movable = Vec::new();
    for moving in converted {
        movable.push(moving);
        let Some(message) = broken(choices, repo, &movable)? else {
            continue;
        };
        if let Some(Moving { manifest, .. }) = movable.pop() {
            plan.open.push(Refusal {
                message: format!("{} stays as it is: {message}", described(manifest)),
                hint: Some(format!(
                    "see the place with `kubectl homelab convert {}`",
                    manifest.object.name()
                )),
            });
        }
    }
    Ok(movable)
}

/// Returns the first error that a move would introduce.
fn broken(choices: &Choices, repo: &Repo, converted: &[Moving<'_>]) -> Result<Option<String>> {
    let mut gate = gate(choices);
    let mut changes = ChangeSet::default();
    for moving in converted {
        if let Err(error) = changes.join(moving.all_changes()) {
            return Ok(Some(error.to_string()));
        }
        moving.add_to(&mut gate);
    }
    let verdict = gate.check(repo, &repo.with(&changes)?);
    let first = verdict.introduced.into_iter().next();
    Ok(first.map(|finding| format!("{} {}", finding.rule.id, finding.message)))
}

/// Returns the gate of a move, without the renders.
fn gate(choices: &Choices) -> RuleGate {
    let mut gate = RuleGate::default();
    if choices.target == Target::Native && choices.drop_owns {
        let accepted: [&'static Rule; 2] = [&owned_claim_is_guarded::RULE, &namespace_is_guarded::RULE];
        gate.accepted = accepted.to_vec();
    }
    if choices.unowned {
        gate.accepted.push(&mounted_claim_has_owner::RULE);
    }
    gate
}

/// Plans the move itself.
fn move_step(choices: &Choices, repo: &Repo, converted: Vec<Moving<'_>>, plan: &mut Plan) -> Result<()> {
    let target = match choices.target {
        Target::Plugin => "to the plugin",
        Target::Native => "back to Argo CD's own tools",
    };
    let manifests: Vec<&Manifest> = converted.iter().map(|moving| moving.manifest).collect();
    plan.edit.message = format!("Convert {} {target}", counted(&manifests));
    plan.gate = gate(choices);
    let names: Vec<String> = converted.iter().flat_map(Moving::names).collect();
    for moving in converted {
        moving.add_to(&mut plan.gate);
        plan.edit.changes.join(moving.all_changes())?;
        plan.edit.notes.extend(moving.into_notes());
    }
    let again = if manifests.iter().any(|manifest| steps::is_moving(repo, manifest)) {
        plan.edit.notes.push("step 2 of 3: the move itself".to_owned());
        ", then run the same command again: it takes the guards of the move away"
    } else {
        ""
    };
    let which = match choices.which {
        Which::All => "--all".to_owned(),
        Which::Named(_) | Which::Among(_) => names.join(" "),
    };
    plan.edit.next = Some(format!(
        "push it, wait with `kubectl homelab wait {which} --for synced`{again}"
    ));
    Ok(())
}
