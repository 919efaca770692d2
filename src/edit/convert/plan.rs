//! Plans a run of `convert`: the move itself, or with `guard_first` the next of three steps.

use std::cmp::Ordering;

use anyhow::Result;

use super::application::{AppConversion, ConversionOutcome, Converted};
use super::choices::{Choices, Target, Which};
use super::refusal::Refusal;
use super::step_before::StepBefore;
use super::{error, guard};
use crate::edit::{Edit, Gate, Renders, RuleGate};
use crate::model::Application;
use crate::repo::{ChangeSet, Manifest, Origin, Repo};
use crate::rules::{Rule, Scope, fixes, mounted_claim_has_owner, namespace_is_guarded, owned_claim_is_guarded};

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
    /// The names of Applications that the target renders already.
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
    let names: Vec<&str> = manifests.iter().map(|manifest| manifest.object.name()).collect();
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
    for manifest in &manifests {
        let name = manifest.object.name();
        progress(name);
        let conversion = AppConversion {
            choices,
            repo,
            renders,
            ownership: &ownership,
            manifest,
        };
        match conversion.convert() {
            Ok(ConversionOutcome::Converted(app)) => converted.push(*app),
            Ok(ConversionOutcome::Unchanged) if guard::is_moving_manifest(manifest) && choices.guard_first => {}
            Ok(ConversionOutcome::Unchanged) => plan.unchanged.push(name.to_owned()),
            Ok(ConversionOutcome::Refused(refusals)) if choices.leaves_some() => plan.open.extend(refusals),
            Ok(ConversionOutcome::Refused(refusals)) => plan.refused.extend(refusals),
            Err(error) if choices.leaves_some() => plan.stays.push(error),
            Err(error) => return Err(error),
        }
    }
    if plan.refused.is_empty() {
        step(choices, repo, &manifests, converted, &mut plan)?;
    }
    Ok(plan)
}

/// Decides what is done in this run: everything, or with `guard_first` the next of three steps.
fn step(
    choices: &Choices,
    repo: &Repo,
    manifests: &[&Manifest],
    converted: Vec<Converted>,
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
        if let Some(edit) = guard_step(repo, &converted)? {
            plan.edit = edit;
            plan.stage = Stage::Guard;
            return Ok(());
        }
        if converted.is_empty() {
            let moving = manifests.iter().filter(|manifest| guard::is_moving_manifest(manifest));
            plan.before = moving.map(|manifest| StepBefore::of_release(manifest)).collect();
            if let Some(edit) = release_step(manifests) {
                plan.edit = edit;
                plan.stage = Stage::Release;
            }
            return Ok(());
        }
        let guarded = converted.iter().filter(|app| app.needs_guard);
        let guarded = guarded.filter_map(|app| repo.application(app.name.as_str()));
        plan.before = guarded.map(|(manifest, _)| StepBefore::of_move(manifest)).collect();
    }
    if !converted.is_empty() {
        plan.stage = Stage::Move;
    }
    move_step(choices, repo, converted, plan);
    Ok(())
}

/// Returns the Applications that can have the guards of a move where they need them; of the others it notes why not.
fn guardable(choices: &Choices, repo: &Repo, converted: Vec<Converted>, plan: &mut Plan) -> Vec<Converted> {
    let mut can_be = |app: &Converted| {
        let found = repo.application(app.name.as_str());
        let Some((manifest, view)) = found.filter(|_| choices.guard_first && app.needs_guard) else {
            return true;
        };
        let refused = guard::add(&view).err();
        let refused = refused.map(|unsupported| error(repo, manifest, &[unsupported]));
        let is_refused = refused.is_some();
        plan.stays.extend(refused);
        !is_refused
    };
    converted.into_iter().filter(|app| can_be(app)).collect()
}

/// Returns the Applications that can be moved together; of the others it notes which rule their move would break.
fn movable(choices: &Choices, repo: &Repo, converted: Vec<Converted>, plan: &mut Plan) -> Result<Vec<Converted>> {
    if broken(choices, repo, &converted)?.is_none() {
        return Ok(converted);
    }
    let mut movable = Vec::new();
    for app in converted {
        movable.push(app);
        let Some(message) = broken(choices, repo, &movable)? else {
            continue;
        };
        if let Some(Converted { name, .. }) = movable.pop() {
            plan.open.push(Refusal {
                message: format!("Application `{name}` stays as it is: {message}"),
                hint: Some(format!("see the place with `kubectl homelab convert {name}`")),
            });
        }
    }
    Ok(movable)
}

/// Returns the first error that a move would introduce.
fn broken(choices: &Choices, repo: &Repo, converted: &[Converted]) -> Result<Option<String>> {
    let mut changes = ChangeSet::default();
    let mut gate = gate(choices);
    for app in converted {
        changes.changes.extend(app.changes.changes.iter().cloned());
        gate.before.insert(app.name.clone(), app.before.clone());
        gate.after.insert(app.name.clone(), app.after.clone());
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
fn move_step(choices: &Choices, repo: &Repo, converted: Vec<Converted>, plan: &mut Plan) {
    let names: Vec<String> = converted.iter().map(|app| app.name.to_string()).collect();
    let target = match choices.target {
        Target::Plugin => "to the plugin",
        Target::Native => "back to Argo CD's own tools",
    };
    plan.edit.message = format!("Convert {} {target}", counted(&names));
    plan.gate = gate(choices);
    for app in converted {
        plan.edit.notes.extend(app.notes);
        plan.edit.changes.changes.extend(app.changes.changes);
        plan.gate.before.insert(app.name.clone(), app.before);
        plan.gate.after.insert(app.name, app.after);
    }
    let is_moving = |name: &String| repo.application(name).is_some_and(|(_, app)| guard::is_moving(&app));
    let again = if names.iter().any(is_moving) {
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
}

/// Plans the first step, which guards everything that Applications with claims have; returns `None` if they are all
/// guarded already.
fn guard_step(repo: &Repo, converted: &[Converted]) -> Result<Option<Edit>> {
    let (mut edit, mut names) = (Edit::default(), Vec::new());
    for app in converted.iter().filter(|app| app.needs_guard) {
        let Some((manifest, view)) = repo.application(app.name.as_str()) else {
            continue;
        };
        let operations = guard::add(&view).map_err(|unsupported| error(repo, manifest, &[unsupported]))?;
        if !operations.is_empty() {
            names.push(app.name.to_string());
            edit.changes.changes.extend(fixes::patch(manifest, operations).changes);
        }
    }
    if names.is_empty() {
        return Ok(None);
    }
    edit.message = format!("Guard {} for the move to the plugin", counted(&names));
    edit.notes.push(format!(
        "step 1 of 3: Argo CD prunes and deletes nothing of {}",
        counted(&names)
    ));
    edit.next = Some(match repo.root_application() {
        Some((_, root)) => format!(
            "push it, wait with `kubectl homelab wait {} --for synced`, then run the same command again: it makes the move",
            root.name()
        ),
        None => "apply the Application, then run the same command again: it makes the move".to_owned(),
    });
    Ok(Some(edit))
}

/// Plans the last step, which removes the guards of the move, because the claims have their own by now; returns `None`
/// if there are none.
fn release_step(manifests: &[&Manifest]) -> Option<Edit> {
    let (mut edit, mut names) = (Edit::default(), Vec::new());
    for manifest in manifests {
        let Some(app) = Application::new(&manifest.object).filter(guard::is_moving) else {
            continue;
        };
        names.push(app.name().to_owned());
        let removed = fixes::patch(manifest, guard::remove(&app));
        edit.changes.changes.extend(removed.changes);
    }
    if names.is_empty() {
        return None;
    }
    edit.message = format!("Take the guards of the move from {}", counted(&names));
    edit.notes.push(format!(
        "step 3 of 3: the claims of {} have guards of their own",
        counted(&names)
    ));
    edit.next = Some("push it; the move is done".to_owned());
    Some(edit)
}

fn counted(names: &[String]) -> String {
    match names {
        [one] => format!("Application {one}"),
        [] => "no Application".to_owned(),
        many => format!("{} Applications", many.len()),
    }
}
