//! What `add-app` plans: a manifest beside those of the others, or a folder of which a set makes the Application.

use anyhow::Result;

use crate::edit::add_app::Request;
use crate::edit::add_app::folder::NewFolder;
use crate::edit::{self, Edit, Renders, RuleGate};
use crate::model::{AppName, AppRenders, Availability, Object};
use crate::repo::Repo;
use crate::rules::Scope;
use crate::sources::Sources;

/// Plans a manifest of the Application.
pub(in crate::cli) fn beside_others(
    repo: &Repo,
    mut request: Request,
    sources: &Sources<'_>,
) -> Result<(Edit, RuleGate)> {
    let mut edit = edit_of(&request.name);
    if repo.application(request.name.as_str()).is_some() {
        edit.message = format!("Change Application {}", request.name);
    }
    let objects = edit::add_app::rendered::complete(repo, &mut request, sources, &mut edit)?;
    edit.notes.extend(remarks(repo, &request, sources, &objects)?);
    edit.changes = edit::add_app(repo, &request)?;
    let mut gate = RuleGate::default();
    gate.after.insert(request.name, objects);
    forget(repo, sources, &mut edit, &mut gate)?;
    Ok((edit, gate))
}

/// Takes claims out of `keeps` that have an owner with this edit.
fn forget(repo: &Repo, sources: &Sources<'_>, edit: &mut Edit, gate: &mut RuleGate) -> Result<()> {
    let after = repo.with(&edit.changes)?.regenerated(&gate.generated);
    let nothing = AppRenders::new();
    let scope = Scope::new(&after, &nothing);
    let forgotten = edit::keeps::forget(repo, sources, &|claim| !scope.claim(claim).owners.is_empty())?;
    edit.changes.changes.extend(forgotten.changes.changes);
    edit.notes.extend(forgotten.notes);
    gate.after.extend(forgotten.renders);
    Ok(())
}

/// Plans a folder of which a set makes the Application.
pub(super) fn in_folder(
    repo: &Repo,
    mut request: Request,
    sources: &Sources<'_>,
    folder: &NewFolder<'_>,
) -> Result<(Edit, RuleGate)> {
    edit::add_app::wrapper::check(repo, sources.files(), &request, folder)?;
    // The chart renders alone what it renders in the wrapper, under the name of the Application.
    let (name, file) = (request.name.clone(), &folder.set.file);
    request.name = AppName::new(folder.app.name())?;
    let mut edit = edit_of(&request.name);
    let objects = edit::add_app::rendered::complete(repo, &mut request, sources, &mut edit)?;
    let app = request.name.clone();
    edit.notes.push(format!(
        "ApplicationSet `{}` in `{file}` makes Application `{app}` of `{}`",
        folder.set.object.name(),
        folder.folder
    ));
    request.name = name;
    edit.changes = edit::add_app::wrapper::changes(repo, sources.files(), &request, folder)?;
    let mut gate = RuleGate {
        generated: folder.generated(repo),
        ..RuleGate::default()
    };
    gate.after.insert(app, objects);
    forget(repo, sources, &mut edit, &mut gate)?;
    Ok((edit, gate))
}

/// Plans a change of the parameters of an Application that nobody writes.
pub(super) fn unwritten(repo: &Repo, request: &Request, sources: &Sources<'_>) -> Result<(Edit, RuleGate)> {
    let mut edit = edit_of(&request.name);
    edit.message = format!("Change Application {}", request.name);
    let mut gate = RuleGate::default();
    let Some(manifest) = edit::add_app::unwritten::existing(repo, request) else {
        return Ok((edit, gate));
    };
    let changed = edit::add_app::unwritten::change(repo, manifest, request, sources, &mut edit)?;
    edit.notes.extend(changed.notes);
    edit.changes = changed.changes;
    gate.after.insert(request.name.clone(), changed.objects);
    gate.generated.extend(changed.rendered);
    forget(repo, sources, &mut edit, &mut gate)?;
    Ok((edit, gate))
}

fn edit_of(name: &AppName) -> Edit {
    Edit {
        message: format!("Add Application {name}"),
        next: Some(format!(
            "see what the cluster would get with `kubectl homelab render {name}`"
        )),
        ..Edit::default()
    }
}

/// Returns remarks on what the request leads to; refuses one that leaves claims behind.
fn remarks(
    repo: &Repo,
    request: &Request,
    sources: &Sources<'_>,
    objects: &Availability<Vec<Object>>,
) -> Result<Vec<String>> {
    let left = edit::add_app::claims_left::check(repo, request, sources)?;
    let namespace = edit::add_app::namespace::remark(repo, request);
    let unsynced = edit::add_app::unsynced(repo, request)?;
    let mut remarks: Vec<String> = left.into_iter().chain(namespace).chain(unsynced).collect();
    if matches!(objects, Availability::Unavailable(_)) {
        // The remarks of a render name them.
        remarks.extend(edit::add_app::unknown_variables(repo, request));
    }
    Ok(remarks)
}
