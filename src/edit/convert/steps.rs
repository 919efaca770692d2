//! The first and the last of the three steps of a guarded move: the guards are written where the sync options of an Application
//! are, which for a generated one is the template of its set.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::moving::{Moving, counted};
use super::step_before::StepBefore;
use super::{error, guard, template};
use crate::edit::Edit;
use crate::model::Application;
use crate::model::application::is_application_set;
use crate::repo::{ChangeSet, Manifest, Origin, Repo};
use crate::rules::fixes;

/// Returns where the sync options of an Application or a set are written: its manifest, or the template of its set.
///
/// # Errors
/// When nobody writes it.
pub(in crate::edit) fn carrier(repo: &Repo, manifest: &Manifest) -> Result<Manifest> {
    let set = match &manifest.origin {
        Origin::Generated(_) => template::set_of(repo, manifest),
        _ => Some(manifest).filter(|manifest| is_application_set(&manifest.object)),
    };
    match set {
        Some(set) => {
            set.check_editable()?;
            template::of_set(set).with_context(|| format!("ApplicationSet `{}` has no template", set.object.name()))
        }
        None => {
            manifest.check_editable()?;
            Ok(manifest.clone())
        }
    }
}

/// Reports whether an Application, or what a set generates, is guarded for its move.
pub(in crate::edit) fn is_moving(repo: &Repo, manifest: &Manifest) -> bool {
    let carrier = carrier(repo, manifest).ok();
    let app = carrier.as_ref().and_then(|carrier| Application::new(&carrier.object));
    app.is_some_and(|app| guard::is_moving(&app))
}

/// Returns the change that guards Applications, where their sync options are written; none if they are guarded already.
///
/// # Errors
/// When it has one of the sync options with another value, or a patch of a set takes the guards away.
pub(in crate::edit) fn guarded(repo: &Repo, carrier: &Manifest, apps: &[String]) -> Result<ChangeSet> {
    let view = Application::new(&carrier.object).context("not an Application")?;
    let operations = guard::add(&view).map_err(|unsupported| error(repo, carrier, &[unsupported]))?;
    if !operations.is_empty() {
        return Ok(fixes::patch(carrier, operations));
    }
    for name in apps {
        let (_, app) = repo.named_application(name)?;
        if ["Prune", "Delete"]
            .iter()
            .any(|key| app.sync_option(key) != Some("false"))
        {
            bail!(
                "the template of ApplicationSet `{}` has `Prune=false` and `Delete=false`, and its Application `{name}` has not",
                carrier.object.name(),
            );
        }
    }
    Ok(ChangeSet::default())
}

/// Plans the first step, which guards everything that Applications with claims have; returns `None` if they are all
/// guarded already.
pub(super) fn guard_step(repo: &Repo, converted: &[Moving<'_>]) -> Result<Option<Edit>> {
    let (mut edit, mut guarded_ones, mut seen) = (Edit::default(), Vec::new(), BTreeSet::new());
    for moving in converted.iter().filter(|moving| moving.needs_guard()) {
        let carrier = carrier(repo, moving.manifest)?;
        let changes = guarded(repo, &carrier, &moving.names())?.changes;
        if changes.is_empty() {
            continue;
        }
        guarded_ones.push(moving.manifest);
        if seen.insert((carrier.file, carrier.document)) {
            edit.changes.changes.extend(changes);
        }
    }
    if guarded_ones.is_empty() {
        return Ok(None);
    }
    let what = counted(&guarded_ones);
    edit.message = format!("Guard {what} for the move to the plugin");
    edit.notes
        .push(format!("step 1 of 3: Argo CD prunes and deletes nothing of {what}"));
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
pub(super) fn release_step(repo: &Repo, manifests: &[&Manifest]) -> Result<Option<Edit>> {
    let (mut edit, mut released, mut seen) = (Edit::default(), Vec::new(), BTreeSet::new());
    for manifest in manifests.iter().filter(|manifest| is_moving(repo, manifest)) {
        let carrier = carrier(repo, manifest)?;
        let app = Application::new(&carrier.object).context("not an Application")?;
        released.push(*manifest);
        if seen.insert((carrier.file.clone(), carrier.document)) {
            let removed = fixes::patch(&carrier, guard::remove(&app));
            edit.changes.changes.extend(removed.changes);
        }
    }
    if released.is_empty() {
        return Ok(None);
    }
    let what = counted(&released);
    edit.message = format!("Take the guards of the move from {what}");
    edit.notes
        .push(format!("step 3 of 3: the claims of {what} have guards of their own"));
    edit.next = Some("push it; the move is done".to_owned());
    Ok(Some(edit))
}

/// Returns what has to be committed before the guards of an Application, or of what a set generates, are taken away.
pub(in crate::edit) fn before_release(repo: &Repo, manifest: &Manifest) -> Vec<StepBefore> {
    let files = |apps: &[&Manifest]| {
        let controller = repo.controller_namespace();
        let mut steps = Vec::new();
        for app in apps.iter().filter_map(|app| Application::new(&app.object)) {
            for source in app.sources() {
                let overrides = repo.overrides_of(&app, &source, controller);
                let with_plugin = overrides.iter().filter(|one| one.patch.get("plugin").is_some());
                steps.extend(with_plugin.map(|one| StepBefore::of_override(one, app.name())));
            }
        }
        steps
    };
    let of_carrier = || {
        carrier(repo, manifest)
            .ok()
            .map(|carrier| StepBefore::of_release(&carrier))
    };
    match &manifest.origin {
        Origin::Generated(_) => of_carrier().into_iter().chain(files(&[manifest])).collect(),
        _ if is_application_set(&manifest.object) => {
            let files = files(&template::generated_by(repo, manifest));
            of_carrier().into_iter().chain(files).collect()
        }
        _ => of_carrier().into_iter().collect(),
    }
}
