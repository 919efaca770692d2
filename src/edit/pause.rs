//! `pause` and `resume`: the automated sync of an Application, off and on again in Git.

mod in_set;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::mount::nothing;
use super::{Edit, Renders, RuleGate, leading_value};
use crate::failure::HintExt;
use crate::model::pause::{Pause, SyncMode, resumed};
use crate::model::{AppName, Object};
use crate::repo::{ChangeSet, Manifest, Origin, Repo};
use crate::rules::fixes;

/// Where an Application says how it is synced.
const POLICY: &str = "/spec/syncPolicy";

/// Switches the automated sync of an Application off.
///
/// # Errors
/// When it has none, or nothing in Git keeps it off.
pub fn pause(repo: &Repo, renders: &dyn Renders, app: &str, pause: &Pause) -> Result<(Edit, RuleGate)> {
    let (manifest, name) = named(repo, app)?;
    let message = format!("Pause {name}: {}", pause.reason);
    match SyncMode::of(&manifest.object) {
        SyncMode::Manual => {
            let remark = format!("`{name}` is not synced automatically, so that there is nothing to pause");
            return Ok(nothing(message, remark));
        }
        SyncMode::Paused if pause.begun(manifest.object.tree()) == *manifest.object.tree() => {
            return Ok(nothing(message, format!("`{name}` is paused already, for this reason")));
        }
        SyncMode::Automated | SyncMode::Paused => {}
    }
    let begun = |tree: &Value| pause.begun(tree);
    let (mut edit, gate) = changed(repo, renders, manifest, &begun)?;
    edit.message = message;
    edit.notes.push(format!(
        "once this is in the cluster, Argo CD leaves `{name}` as it is, until `kubectl homelab resume {name}`"
    ));
    edit.next = Some("push it; until it is synced, Argo CD undoes what is changed in the cluster by hand".to_owned());
    Ok((edit, gate))
}

/// Switches the automated sync of an Application on again, as it was.
///
/// # Errors
/// When something else than `pause` has switched it off, or there is no place for the change.
pub fn resume(repo: &Repo, renders: &dyn Renders, app: &str) -> Result<(Edit, RuleGate)> {
    let (manifest, name) = named(repo, app)?;
    let message = format!("Resume {name}");
    match SyncMode::of(&manifest.object) {
        SyncMode::Automated => return Ok(nothing(message, format!("`{name}` is synced automatically already"))),
        SyncMode::Manual if manifest.object.at("/spec/syncPolicy/automated/enabled").is_none() => {
            return Err(
                anyhow!("`{name}` has no automated sync that could be switched on again").hint(format!(
                    "set `spec.syncPolicy.automated` where it is written, in `{}`",
                    manifest.file
                )),
            );
        }
        SyncMode::Manual | SyncMode::Paused => {}
    }
    let (mut edit, gate) = changed(repo, renders, manifest, &resumed)?;
    edit.message = message;
    edit.next = Some(format!(
        "push it, and wait with `kubectl homelab wait {name} --for synced`: what differs from Git is undone then"
    ));
    Ok((edit, gate))
}

fn named<'r>(repo: &'r Repo, app: &str) -> Result<(&'r Manifest, AppName)> {
    let (manifest, found) = repo.named_application(app)?;
    let name = repo.app_name(manifest).map_or_else(|| AppName::new(found.name()), Ok)?;
    Ok((manifest, name))
}

/// Makes a change of the tree of an Application, where it is written.
type Change<'f> = dyn Fn(&Value) -> Value + 'f;

fn changed(repo: &Repo, renders: &dyn Renders, manifest: &Manifest, change: &Change<'_>) -> Result<(Edit, RuleGate)> {
    match &manifest.origin {
        Origin::Document | Origin::Item(_) => {
            let edit = Edit {
                changes: difference(manifest, change),
                ..Edit::default()
            };
            Ok((edit, RuleGate::default()))
        }
        Origin::Generated(_) => in_set::changed(repo, renders, manifest, change),
        Origin::Rendered(_) => by_value(repo, renders, manifest, change),
    }
}

/// Returns the operations that make the change in a manifest.
fn difference(manifest: &Manifest, change: &Change<'_>) -> ChangeSet {
    let tree = manifest.object.tree();
    fixes::patch(manifest, json_patch::diff(tree, &change(tree)).0)
}

/// Changes the value that leads to an Application which a chart renders. Where no value leads to annotations as well, the reason is
/// not kept.
fn by_value(repo: &Repo, renders: &dyn Renders, manifest: &Manifest, change: &Change<'_>) -> Result<(Edit, RuleGate)> {
    let tree = manifest.object.tree();
    let whole = change(tree);
    let mut sync_alone = tree.clone();
    if let (Some(policy), Some(wanted)) = (sync_alone.pointer_mut(POLICY), whole.pointer(POLICY)) {
        policy.clone_from(wanted);
    }
    let (whole, sync_alone) = (Object::new(whole), Object::new(sync_alone));
    let mut notes = Vec::new();
    let led = match leading_value::find(repo, renders, manifest, &whole) {
        Ok(led) => led,
        Err(error) => {
            let found = leading_value::find(repo, renders, manifest, &sync_alone);
            let led = found.map_err(|_| {
                error.hint("let its chart set `syncPolicy.automated.enabled` by a value, or switch `automated` off there by hand")
            })?;
            notes.push(format!(
                "no value leads to the annotations of `{}` as well, so that a reason and a time are not kept",
                manifest.object.name()
            ));
            led
        }
    };
    notes.extend(led.notes);
    let gate = RuleGate {
        generated: vec![led.rendered],
        ..RuleGate::default()
    };
    let edit = Edit {
        changes: led.changes,
        notes,
        ..Edit::default()
    };
    Ok((edit, gate))
}
