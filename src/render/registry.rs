//! The ownership registry on Namespaces: which Application owns and writes which claim, from every Application of the repository
//! that a source belongs to.

use std::borrow::Cow;

use anyhow::{Context, Result, anyhow, bail};

use super::{Request, source_type};
use crate::failure::HintExt;
use crate::model::application::GENERATE_PATHS;
use crate::model::namespace::Registries;
use crate::model::ownership::Ownership;
use crate::model::{Application, Object};
use crate::repo::layout::APPLICATIONS;
use crate::repo::{Files, Repo, RepoPath, SourceType, overrides};

/// Reads the repository that a source belongs to.
pub trait Owners: Sync {
    /// Returns the repository with all its Applications, those that sets generate and charts render included.
    ///
    /// # Errors
    /// When it cannot be read.
    fn repository(&self) -> Result<Cow<'_, Repo>>;
}

/// Returns the ownership registries if the checkout is the GitOps repository. A chart of another repository that
/// renders a Namespace gets only its guards: an empty registry would open every claim.
pub(super) fn registries(request: &Request, files: &dyn Files, owners: &dyn Owners) -> Result<Option<Registries>> {
    let folders = folders(request)?;
    for (folder, named) in &folders {
        if files.list(folder)?.is_none() {
            return Err(missing(named, request));
        }
    }
    let repo = owners.repository()?;
    if folders.is_empty() && repo.application(request.app.as_str()).is_none() {
        // The folder alone says that this is the repository of Applications.
        if files.list(&RepoPath::new(APPLICATIONS)?)?.is_none() {
            return match source_type(request, files)? {
                SourceType::Helm => Ok(None),
                SourceType::Kustomize | SourceType::Directory => Err(no_applications(request)),
            };
        }
    }
    check_known(&repo)?;
    let controller = repo.controller_namespace();
    let clusters = repo.clusters();
    let own = repo
        .application(request.app.as_str())
        .map(|(_, itself)| clusters.of(&itself));
    // Claims in another cluster have their owners there.
    let of_this_cluster = repo
        .applications()
        .map(|(_, app)| app)
        .filter(|app| own.as_ref().is_none_or(|own| own.may_be(&clusters.of(app))));
    let merged: Result<Vec<Object>> = of_this_cluster
        .map(|app| with_overrides(&repo, &app, controller))
        .collect();
    let merged = merged.context("cannot read the owners of claims")?;
    // An Application that nothing in the repository declares keeps claims, and names who writes them, by its own parameters alone.
    let registries = Ownership::registries(merged.iter().filter_map(Application::new), &request.parameters);
    registries.context("cannot read the owners of claims").map(Some)
}

/// Returns the folders that have to be among what Argo CD sent, in the checkout and as they are named.
fn folders(request: &Request) -> Result<Vec<(RepoPath, RepoPath)>> {
    let mut named = request.parameters.applications.clone();
    if named.is_empty() && !request.prefix.is_root() {
        // Only a part was sent: nobody knows what is missing.
        named.push(APPLICATIONS.to_owned());
    }
    let below = |name: &String| {
        let named = RepoPath::new(name)?;
        if request.prefix.is_root() {
            return Ok((named.clone(), named));
        }
        let prefix = request.prefix.as_str();
        let below = named
            .as_str()
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('/'));
        let below = below.ok_or_else(|| {
            anyhow!("the folder of Applications `{named}` is not in what Argo CD sent to the plugin")
                .hint(format!("add `/{named}` to the annotation `{GENERATE_PATHS}`"))
        })?;
        Ok((RepoPath::new(below)?, named))
    };
    named.iter().map(below).collect()
}

/// Returns the error of a folder that is not there.
fn missing(folder: &RepoPath, request: &Request) -> anyhow::Error {
    let error =
        anyhow!("there is no folder of Applications `{folder}`, and without it nobody knows who owns which claim");
    let error = error.hint(match request.parameters.applications.is_empty() {
        true => "name it with the parameter `applications`",
        false => "correct the parameter `applications`",
    });
    error.hint(format!("add it to the annotation `{GENERATE_PATHS}`, if there is one"))
}

fn no_applications(request: &Request) -> anyhow::Error {
    anyhow!(
        "Application `{}` is not in this repository, and without its Applications nobody knows who owns which claim",
        request.app
    )
    .hint("sync Namespaces from the repository of the Applications, or name their folder with the parameter `applications`")
}

/// Refuses a repository of which not every Application is known: a registry that leaves out an owner would open its claims.
fn check_known(repo: &Repo) -> Result<()> {
    if let Some(malformed) = repo.malformed.first() {
        bail!("cannot read the owners of claims: {malformed}");
    }
    if let Some(skipped) = repo.skipped.first() {
        bail!("cannot read the owners of claims: {skipped}");
    }
    let Some(unknown) = repo.unknown.first() else {
        return Ok(());
    };
    let error = anyhow!(
        "cannot read the owners of claims: what {} `{}` brings is not known: {}",
        unknown.kind,
        unknown.name,
        unknown.why
    );
    Err(match &unknown.hint {
        Some(hint) => error.hint(hint),
        None => error.hint("say in `.homelab.yaml` what it needs (`clusters`), or what is not scanned (`exclude`)"),
    })
}

/// Returns an Application with the overrides of its folders, as Argo CD renders it.
fn with_overrides(repo: &Repo, app: &Application<'_>, controller: &str) -> Result<Object> {
    let mut tree = app.object().tree().clone();
    for source in app.sources() {
        let found = repo.overrides_of(app, &source, controller);
        if found.is_empty() {
            continue;
        }
        let merged =
            overrides::merge(source.tree(), &found).with_context(|| format!("Application `{}`", app.name()))?;
        if let Some(place) = tree.pointer_mut(source.pointer.as_str()) {
            *place = merged.tree;
        }
    }
    Ok(Object::new(tree))
}
