//! The steps of Applications that ApplicationSets generate: the guards go into the template of the set, the plugin into a file of
//! each Application's folder.

use anyhow::{Context, Result, bail};
use json_patch::PatchOperation;

use super::{Proposal, ProposedApp, Way};
use crate::compare::{self, Effects};
use crate::edit::Renders;
use crate::edit::convert::guard;
use crate::edit::convert::{Plan, Request, Stage, StepBefore, error, rendered_claims, to_plugin_by_file};
use crate::failure::HintExt;
use crate::model::{AppName, Application, Availability, Object, Pointer};
use crate::repo::{ChangeSet, Files, Manifest, Origin, Repo};
use crate::rules::fixes;

/// The template of a set in its manifest.
const TEMPLATE: &Pointer = Pointer::from_static("/spec/template");

/// A generated Application that a file of its folder gives to the plugin.
struct Moved {
    name: AppName,
    changes: ChangeSet,
    notes: Vec<String>,
    before: Vec<Object>,
    after: Vec<Object>,
    needs_guard: bool,
}

/// What the steps of sets are made of.
pub(super) struct Sets<'a> {
    pub(super) repo: &'a Repo,
    pub(super) files: &'a dyn Files,
    pub(super) renders: &'a dyn Renders,
}

impl Sets<'_> {
    /// Plans the next step of all sets.
    pub(super) fn plan(&self, proposal: &Proposal) -> Plan {
        let (mut guards, mut moves, mut releases) = (Plan::default(), Plan::default(), Plan::default());
        let mut stays = Vec::new();
        for manifest in &self.repo.manifests {
            let Some(template) = StepBefore::template(&manifest.object) else {
                continue;
            };
            let Some(view) = Application::new(&template) else {
                continue;
            };
            let mut moved = Vec::new();
            for app in proposal.applications.iter().filter(|app| is_of(app, manifest)) {
                match self.moved(app) {
                    Ok(app) => moved.push(app),
                    Err(error) => stays.push(error.context(format!("Application `{}` stays as it is", app.name))),
                }
            }
            if moved.is_empty() {
                self.release(manifest, &view, &mut releases);
                continue;
            }
            match self.guard(manifest, &view, &moved) {
                Ok(operations) if operations.is_empty() => self.add_moves(manifest, moved, &mut moves),
                Ok(operations) => {
                    add(&mut guards, Stage::Guard, manifest, operations);
                }
                Err(error) => stays.push(error),
            }
        }
        let mut plan = guards.joined(moves).joined(releases);
        plan.stays.extend(stays);
        plan
    }

    /// Returns what gives a generated Application to the plugin, proved by its renders.
    fn moved(&self, app: &ProposedApp) -> Result<Moved> {
        let (manifest, view) = self.repo.named_application(app.name.as_str())?;
        let sources = view.sources();
        let first = sources.iter().position(|source| !source.gives_files_only());
        let before = self.renders.render(&view)?;
        let mut request = Request::new(self.repo, app.name.clone());
        request
            .positions
            .insert(first.context("it has no source that is rendered")? + 1);
        request.owns = rendered_claims(&view, &before.raw);
        request.writes = app.writes.clone();
        let by_file = to_plugin_by_file(self.repo, self.files, manifest, &request)?;
        let by_file = by_file.context("the plugin renders it already")?;
        let after = self.renders.render_overridden(&view, &by_file.overrides())?;
        let again = || -> Result<Vec<Object>> { Ok(self.renders.render(&view)?.raw) };
        if let Some(first) = compare::differences(&before.raw, again, &after.raw)?.first() {
            bail!("the plugin renders `{}` in another way", first.object);
        }
        let effects = Effects::between(&before.finished, &after.finished);
        let is_asked = |claim: &&String| app.turns_read_only.iter().any(|path| path.name.as_str() == **claim);
        if let Some(claim) = effects.read_only.keys().find(|claim| !is_asked(claim)) {
            return Err(anyhow::anyhow!("claim `{claim}` would turn read-only")
                .hint("name it in `owns` of the Application that produces its data"));
        }
        let mut notes = vec![format!("`{}`: equal but for the storage rules", app.name)];
        notes.extend(effects.lines.iter().map(|line| format!("  {line}")));
        notes.extend(by_file.notes());
        Ok(Moved {
            name: app.name.clone(),
            changes: by_file.changes(),
            notes,
            needs_guard: guard::needs_guard(&before.raw),
            before: before.finished,
            after: after.finished,
        })
    }

    /// Returns the operations that guard what a set generates; none where it is guarded, or nothing needs it.
    fn guard(&self, manifest: &Manifest, view: &Application<'_>, moved: &[Moved]) -> Result<Vec<PatchOperation>> {
        if !moved.iter().any(|app| app.needs_guard) {
            return Ok(Vec::new());
        }
        let operations = guard::add(view).map_err(|unsupported| error(self.repo, manifest, &[unsupported]))?;
        if operations.is_empty() {
            // A patch of the template may have taken them away again.
            let is_guarded = |app: &Application<'_>| {
                let options = ["Prune", "Delete"];
                options.iter().all(|key| app.sync_option(key) == Some("false"))
            };
            for app in moved.iter().filter(|app| app.needs_guard) {
                let (_, generated) = self.repo.named_application(app.name.as_str())?;
                if !is_guarded(&generated) {
                    bail!(
                        "the template of ApplicationSet `{}` has `Prune=false` and `Delete=false`, and its Application `{}` has not",
                        manifest.object.name(),
                        app.name
                    );
                }
            }
        }
        Ok(fixes::below(TEMPLATE, operations))
    }

    fn add_moves(&self, manifest: &Manifest, moved: Vec<Moved>, plan: &mut Plan) {
        if moved.iter().any(|app| app.needs_guard) {
            plan.before.push(StepBefore::of_move(manifest));
        }
        plan.stage = Stage::Move;
        for app in moved {
            plan.edit.changes.changes.extend(app.changes.changes);
            plan.edit.notes.extend(app.notes);
            plan.gate
                .before
                .insert(app.name.clone(), Availability::Available(app.before));
            plan.gate.after.insert(app.name, Availability::Available(app.after));
        }
        add_message(plan, &format!("Move what {} generates to the plugin", named(manifest)));
        plan.edit.next = Some(NEXT.to_owned());
    }

    /// Takes the guards of the move from a set of which nothing is left to move.
    fn release(&self, manifest: &Manifest, view: &Application<'_>, plan: &mut Plan) {
        if !guard::is_moving(view) {
            return;
        }
        add(
            plan,
            Stage::Release,
            manifest,
            fixes::below(TEMPLATE, guard::remove(view)),
        );
        let controller = self.repo.controller_namespace();
        for (of, app) in self.repo.applications() {
            let is_generated =
                matches!(&of.origin, Origin::Generated(generated) if generated.set == manifest.object.name());
            if !is_generated || of.file != manifest.file {
                continue;
            }
            for source in app.sources() {
                let overrides = self.repo.overrides_of(&app, &source, controller);
                let with_plugin = overrides.iter().filter(|one| one.patch.get("plugin").is_some());
                plan.before
                    .extend(with_plugin.map(|one| StepBefore::of_override(one, app.name())));
            }
        }
    }
}

/// What comes after a step.
const NEXT: &str = "push it, wait until Argo CD has synced it, then run the same command again";

fn add(plan: &mut Plan, stage: Stage, manifest: &Manifest, operations: Vec<PatchOperation>) {
    let name = manifest.object.name();
    plan.stage = stage;
    let (message, note) = match stage {
        Stage::Release => (
            format!("Take the guards of the move from {}", named(manifest)),
            format!("step 3 of 3: the claims of what ApplicationSet `{name}` generates have guards of their own"),
        ),
        _ => (
            format!("Guard what {} generates for the move to the plugin", named(manifest)),
            format!("step 1 of 3: Argo CD prunes and deletes nothing of what ApplicationSet `{name}` generates"),
        ),
    };
    plan.edit
        .changes
        .changes
        .extend(fixes::patch(manifest, operations).changes);
    plan.edit.notes.push(note);
    add_message(plan, &message);
    plan.edit.next = Some(NEXT.to_owned());
}

fn named(set: &Manifest) -> String {
    format!("ApplicationSet {}", set.object.name())
}

/// Adds what a step does with one more set.
fn add_message(plan: &mut Plan, message: &str) {
    if !plan.edit.message.is_empty() {
        plan.edit.message.push_str("; ");
    }
    plan.edit.message.push_str(message);
}

/// Reports whether a set generates an Application that a file of its folder gives to the plugin.
fn is_of(app: &ProposedApp, manifest: &Manifest) -> bool {
    matches!(&app.way, Way::Override { set, file, .. } if set == manifest.object.name() && *file == manifest.file)
}
