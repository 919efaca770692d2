//! The Namespace of an Application that is about to be added: it has a manifest, or it is added with the Application.

use anyhow::{Result, anyhow};

use super::{Request, preview};
use crate::edit::add_namespace::{self, add_namespace};
use crate::failure::HintExt;
use crate::model::{Application, NamespaceName, spelling};
use crate::repo::{ChangeSet, Repo};
use crate::rules::Scope;

/// Refuses a Namespace that nothing declares, unless it is added.
///
/// # Errors
/// Names the nearest Namespace that has a manifest.
pub fn check(repo: &Repo, request: &Request) -> Result<()> {
    let existing = repo.application(request.name.as_str()).map(|(_, app)| app);
    let is_there = |name: &NamespaceName| existing.and_then(|app| app.destination_namespace()) == Some(name.as_str());
    let is_made = || existing.is_none() && makes_namespace(repo, request);
    let undeclared = missing(repo, request).filter(|name| !request.create_namespace && !is_there(name) && !is_made());
    let Some(name) = undeclared else { return Ok(()) };
    let declared = repo.namespaces().map(|manifest| manifest.object.name());
    let nearest = spelling::nearest(name.as_str(), declared);
    Err(anyhow!("Namespace `{name}` has no manifest in this repository").hint(match nearest {
        Some(nearest) => format!("use `-n {nearest}`, if that is meant, or add `{name}` with `--create-namespace`"),
        None => format!(
            "add it with `--create-namespace`, or first with `kubectl homelab add-namespace {name} --pod-security LEVEL`"
        ),
    }))
}

/// Reports whether Argo CD makes the Namespace of a new Application because it makes those of the others: no manifest declares
/// one.
pub(super) fn makes_namespace(repo: &Repo, request: &Request) -> bool {
    let mut apps = repo.applications().map(|(_, app)| app);
    !request.create_namespace
        && repo.namespaces().next().is_none()
        && apps.any(|app| app.sync_option("CreateNamespace") == Some("true"))
}

/// Returns the changes that add the Namespace, where it is missing.
///
/// # Errors
/// Those of [`add_namespace()`].
pub(super) fn added(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    match missing(repo, request).filter(|_| request.create_namespace) {
        Some(name) => {
            repo.check_namespaces_are_synced()?;
            add_namespace(repo, &add_namespace::Request::new(name.clone()))
        }
        None => Ok(ChangeSet::default()),
    }
}

/// Returns a remark on the Namespace that is added.
pub fn remark(repo: &Repo, request: &Request) -> Option<String> {
    if repo.application(request.name.as_str()).is_none() && makes_namespace(repo, request) {
        let name = request.namespace.as_ref()?;
        return Some(format!(
            "Argo CD makes Namespace `{name}`, as for the other Applications: sync option `CreateNamespace=true`"
        ));
    }
    let name = missing(repo, request).filter(|_| request.create_namespace)?;
    Some(format!(
        "Namespace `{name}` is added; {}",
        add_namespace::default_remark(name)
    ))
}

/// Returns the Namespace that is asked for, if nothing declares it: no manifest, no Application that creates it, not the
/// cluster itself. Only those of the cluster are known to which the Namespaces of this repository go.
fn missing<'r>(repo: &Repo, request: &'r Request) -> Option<&'r NamespaceName> {
    let name = request.namespace.as_ref()?;
    let clusters = repo.clusters();
    let of_namespaces = repo
        .namespaces_application()
        .map(|app| clusters.of(&app))
        .unwrap_or_default();
    let preview = preview(repo, request);
    let cluster = Application::new(&preview)
        .map(|app| clusters.of(&app))
        .unwrap_or_default();
    let renders = Default::default();
    let scope = Scope::new(repo, &renders);
    let is_created = || {
        let mut others = repo.applications().map(|(_, app)| app);
        others.any(|app| {
            let is_there = app.destination_namespace() == Some(name.as_str()) && clusters.of(&app) == cluster;
            is_there && app.sync_option("CreateNamespace") == Some("true")
        })
    };
    let is_known = cluster != of_namespaces
        || repo.namespace(name.as_str()).is_some()
        || scope.declares(&cluster, name.as_str())
        || scope.is_built_in(&cluster, name.as_str())
        || name.as_str() == repo.controller_namespace()
        || is_created();
    (!is_known).then_some(name)
}
