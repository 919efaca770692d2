//! Takes an Application out of the repository, wherever it is written. What the repository brings afterwards has to be what it
//! brought before, without this Application.

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::removal::Removal;
use super::set;
use crate::edit::{Renders, leading_value};
use crate::failure::HintExt;
use crate::model::Pointer;
use crate::repo::{Change, ChangeSet, Manifest, Origin, Repo};
use crate::rules::fixes;

/// Takes an Application out.
///
/// # Errors
/// When there is no change that takes out this Application alone; the message names the place where it is made.
pub fn removal(repo: &Repo, renders: &dyn Renders, manifest: &Manifest) -> Result<Removal> {
    let mut removal = match &manifest.origin {
        Origin::Document | Origin::Item(_) => Removal {
            changes: taken_out(repo, manifest)?,
            ..Removal::default()
        },
        Origin::Generated(generated) => set::removal(repo, renders, manifest, generated)?,
        Origin::Rendered(_) => {
            let (changes, note) = leading_value::without(repo, renders, manifest)?;
            Removal {
                changes,
                notes: vec![note],
                derived: Vec::new(),
            }
        }
    };
    let files = repo.file_changes(&removal.changes)?;
    removal.derived = renders
        .desired(&files)
        .context("what the repository brings without it is not known")?;
    prove(repo, manifest, &removal)?;
    Ok(removal)
}

/// Returns the changes that take a manifest out that is written.
///
/// # Errors
/// When it is generated or rendered.
pub(in crate::edit) fn taken_out(repo: &Repo, manifest: &Manifest) -> Result<ChangeSet> {
    match &manifest.origin {
        Origin::Item(item) => of_list(repo, manifest, item),
        _ => {
            manifest.check_editable()?;
            document(repo, manifest)
        }
    }
}

/// Returns the changes that remove a document, and its file from kustomizations where that goes with it.
fn document(repo: &Repo, manifest: &Manifest) -> Result<ChangeSet> {
    let mut changes = ChangeSet {
        changes: vec![Change::Remove {
            path: manifest.file.clone(),
            document: manifest.document,
        }],
    };
    let files = repo.file_changes(&changes)?;
    if files.iter().any(|file| file.after.is_none()) {
        let of_kustomizations = repo.kustomizations.without_resource(&manifest.file)?;
        changes.changes.extend(of_kustomizations);
    }
    Ok(changes)
}

/// Returns the changes that remove an item of a List, and the List with its last item.
fn of_list(repo: &Repo, manifest: &Manifest, item: &Pointer) -> Result<ChangeSet> {
    let list = repo.manifest(&manifest.file, manifest.document);
    let list = list.context("the List is gone")?;
    let items = item.parent().and_then(|items| list.object.at(items)?.as_array());
    let is_top = item.parent() == Some(Pointer::from_static("/items"));
    if is_top && items.map(Vec::len) == Some(1) {
        return document(repo, list);
    }
    Ok(fixes::patch(list, vec![fixes::remove(item)]))
}

/// Refuses changes after which something else is brought than before, or the Application still is.
fn prove(repo: &Repo, manifest: &Manifest, removal: &Removal) -> Result<()> {
    let written = repo.with(&removal.changes)?.with_derived(&removal.derived);
    let brought = |repo: &Repo| -> Vec<(String, Option<String>, Value)> {
        let apps = repo.applications();
        let apps = apps.map(|(manifest, app)| {
            let name = repo.app_name(manifest).map(|name| name.to_string());
            (app.name().to_owned(), name, app.object().tree().clone())
        });
        let mut apps: Vec<_> = apps.collect();
        apps.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
        apps
    };
    let (mut before, after) = (brought(repo), brought(&written));
    let is_it = |(_, _, tree): &(_, _, Value)| tree == manifest.object.tree();
    if let Some(place) = before.iter().position(is_it) {
        before.remove(place);
    }
    let trees = |all: Vec<(String, Option<String>, Value)>| -> Vec<Value> {
        all.into_iter().map(|(_, _, tree)| tree).collect()
    };
    if trees(before) == trees(after) {
        return Ok(());
    }
    let name = manifest.object.name();
    Err(
        anyhow!("without `{name}`, the repository would bring other Applications than now, and not only without it")
            .hint(format!(
                "take `{name}` out by hand, and see the difference with `kubectl homelab list -o tree`"
            )),
    )
}
