//! Moves an Application that an ApplicationSet generates: its set stays as it is, and a file in the folder of its source
//! (`.argocd-source.yaml`) gives it the plugin ([`source_override`]).

use anyhow::{Context, Result};

use super::to_plugin::to_plugin_in;
use super::{Conversion, Request, error, to_native};
use crate::edit::source_override::{self, Written};
use crate::model::native::Unsupported;
use crate::model::{Application, Object};
use crate::repo::{ChangeSet, Files, Manifest, Override, Repo, RepoPath};
use crate::yaml;

/// An Application as it is after the move, with the files that make it so.
pub(in crate::edit) struct ByFile {
    /// The Application, as if its manifest was written.
    pub(super) moved: Object,
    /// The files, one for each source that moves.
    written: Vec<Written>,
    /// Notes on what is left out.
    left_out: Vec<String>,
}

impl ByFile {
    /// Returns the changes of all files.
    pub(in crate::edit) fn changes(&self) -> ChangeSet {
        let changes = self.written.iter().flat_map(|one| one.changes.changes.clone());
        ChangeSet {
            changes: changes.collect(),
        }
    }

    /// Returns the overrides after the changes, to render with.
    pub(in crate::edit) fn overrides(&self) -> Vec<Override> {
        self.written.iter().flat_map(|one| one.overrides.clone()).collect()
    }

    /// Returns what the user has to know.
    pub(in crate::edit) fn notes(&self) -> Vec<String> {
        let of_files = self.written.iter().flat_map(|one| one.notes.clone());
        self.left_out.iter().cloned().chain(of_files).collect()
    }
}

/// Returns the move of a generated Application; `None` where the plugin renders it already.
///
/// # Errors
/// When its options have no parameters, or no file can make it so: its template names a tool, as `helm`.
pub(in crate::edit) fn to_plugin_by_file(
    repo: &Repo,
    files: &dyn Files,
    manifest: &Manifest,
    request: &Request,
) -> Result<Option<ByFile>> {
    // No file takes a source away.
    let request = &Request {
        keeps_references: true,
        ..request.clone()
    };
    let Some((moved, left_out)) = moved_alone(repo, manifest, request)? else {
        return Ok(None);
    };
    let (before_app, after_app) = (view(&manifest.object)?, view(&moved)?);
    let mut files_written = Vec::new();
    for (position, source) in after_app.sources().iter().enumerate() {
        let Some(plugin) = source.plugin() else { continue };
        if before_app
            .sources()
            .get(position)
            .is_some_and(|before| before.plugin() == Some(plugin))
        {
            continue;
        }
        files_written.push(source_override::write(repo, files, &before_app, position, plugin)?);
    }
    Ok(Some(ByFile {
        moved,
        written: files_written,
        left_out,
    }))
}

/// Returns an Application that nobody writes as it is after the move, with notes on what is left out; `None` where the plugin
/// renders it already.
///
/// # Errors
/// When its options have no parameters.
pub(super) fn moved_alone(
    repo: &Repo,
    manifest: &Manifest,
    request: &Request,
) -> Result<Option<(Object, Vec<String>)>> {
    alone(repo, manifest, |alone, written| {
        to_plugin_in(repo, alone, written, request)
    })
}

/// Returns an Application that nobody writes as a conversion makes it; `None` where it has nothing to do.
///
/// # Errors
/// What cannot be converted.
pub(super) fn alone(
    repo: &Repo,
    manifest: &Manifest,
    convert: impl Fn(&Repo, &Manifest) -> Result<Option<Conversion>, Vec<Unsupported>>,
) -> Result<Option<(Object, Vec<String>)>> {
    // The move is made in a manifest of the Application.
    let place = RepoPath::new("generated.yaml")?;
    let mut alone = Repo::of_text(place, yaml::emit(manifest.object.tree())?);
    alone.own_urls.clone_from(&repo.own_urls);
    let written = alone.manifests.first().context("the Application is no manifest")?;
    let conversion = convert(&alone, written).map_err(|unsupported| error(repo, manifest, &unsupported))?;
    let Some(conversion) = conversion else { return Ok(None) };
    let after = alone.with(&conversion.changes)?;
    let moved = after.manifests.first().context("the Application is gone")?;
    Ok(Some((moved.object.clone(), conversion.notes)))
}

/// Returns an Application that nobody writes as it is for Argo CD's own tools; `None` where they render it already.
///
/// # Errors
/// When its parameters have no options.
pub(super) fn returned_alone(repo: &Repo, manifest: &Manifest, request: &Request) -> Result<Option<Object>> {
    let returned = alone(repo, manifest, |repo, written| to_native(repo, written, request))?;
    Ok(returned.map(|(object, _)| object))
}

pub(super) fn view(object: &Object) -> Result<Application<'_>> {
    Application::new(object).context("not an Application")
}
