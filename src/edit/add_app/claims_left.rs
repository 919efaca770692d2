//! The claims that an Application leaves behind when its destination changes: a claim does not move, and the Application
//! starts with an empty one where it goes.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::{Request, preview};
use crate::edit::Renders;
use crate::failure::HintExt;
use crate::model::ownership::Ownership;
use crate::model::{AppName, Application, ClaimRef, Object};
use crate::repo::Repo;

/// Refuses a change of the destination that leaves owned claims behind, unless that is accepted; then it returns a remark.
///
/// # Errors
/// Names the claims and what would become of them.
pub fn check(repo: &Repo, request: &Request, renders: &dyn Renders) -> Result<Option<String>> {
    let object = preview(repo, request);
    let (Some((_, app)), Some(moved)) = (repo.application(request.name.as_str()), Application::new(&object)) else {
        return Ok(None);
    };
    if !request.upsert || place(repo, &app) == place(repo, &moved) {
        return Ok(None);
    }
    let objects = |app: &Application<'_>| renders.render(app).ok().map(|rendered| rendered.finished);
    let before = objects(&app);
    let is_unknown = before.is_none() && !app.sources().iter().any(|source| source.uses_homelab_plugin());
    let kept = owned(repo, &request.name, &moved, objects(&moved).as_deref());
    let left: Vec<ClaimRef> = owned(repo, &request.name, &app, before.as_deref())
        .difference(&kept)
        .cloned()
        .collect();
    if left.is_empty() && !is_unknown {
        return Ok(None);
    }
    let (from, to) = (place(repo, &app), place(repo, &moved));
    let names: Vec<String> = left.iter().map(|claim| format!("`{}`", claim.name)).collect();
    let what = match names.as_slice() {
        [] => "its claims, which are not known without its source,".to_owned(),
        [one] => format!("its claim {one}"),
        many => format!("its claims {}", many.join(", ")),
    };
    let verb = if names.len() == 1 { "stays" } else { "stay" };
    if request.move_namespace {
        return Ok(Some(format!(
            "{what} {verb} in {from}, without an owner: copy the data to what it gets in {to}"
        )));
    }
    Err(anyhow!(
        "claims do not move: `{}` would start with new, empty ones in {to}, and {what} would stay in {from} without an owner",
        request.name
    )
    .hint("leave the destination as it is, or accept this with `--move-namespace` and copy the data yourself"))
}

/// Returns the destination in words.
fn place(repo: &Repo, app: &Application<'_>) -> String {
    let namespace = app.destination_namespace().unwrap_or("default");
    let clusters = repo.clusters();
    match clusters.of(app) {
        crate::model::Cluster::Local => format!("namespace `{namespace}`"),
        cluster => format!("namespace `{namespace}` of cluster `{cluster}`"),
    }
}

/// Returns the claims that an Application owns where it is deployed.
fn owned(repo: &Repo, name: &AppName, app: &Application<'_>, objects: Option<&[Object]>) -> BTreeSet<ClaimRef> {
    let mut ownership = Ownership::default();
    let (cluster, namespace) = (repo.clusters().of(app), app.namespace_name());
    let sources = app.sources();
    let plugins = sources.iter().filter(|source| source.uses_homelab_plugin());
    for parameters in plugins.filter_map(|source| source.parameters().ok()) {
        ownership.declare(name, (&cluster, namespace.as_ref()), &parameters);
    }
    ownership.render(
        name,
        (&cluster, namespace.as_ref()),
        objects.into_iter().flatten(),
        &|_| Vec::new(),
    );
    ownership.settle();
    let own = ownership.claims().filter(|(_, claim)| claim.owners.contains(name));
    own.map(|(reference, _)| reference.clone()).collect()
}
