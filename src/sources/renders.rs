//! The renders and files that commands that edit ask for.

use anyhow::{Context, Error, Result};

use super::changed::Changed;
use super::{AppRender, How, Sources, complete, flat, request};
use crate::disk::Copied;
use crate::edit::{Rendered, Renders};
use crate::failure::{self, HintExt};
use crate::helm::Checkouts;
use crate::model::chart_reference::OF_CHART;
use crate::model::namespace::is_namespace;
use crate::model::{Application, Object, Source, Unavailable};
use crate::render::{self, Output};
use crate::repo::change::FileChange;
use crate::repo::overrides::Override;
use crate::repo::{Files, Manifest, Repo, RepoPath, SourceType};
use crate::sets::{RepoContents, Set};

impl Renders for Sources<'_> {
    fn files(&self) -> &dyn Files {
        self.resolver.checkout()
    }

    fn render(&self, app: &Application<'_>) -> Result<Rendered> {
        flattened(self.render(app)?)
    }

    fn render_overridden(&self, app: &Application<'_>, overrides: &[Override]) -> Result<Rendered> {
        let how = How {
            overrides,
            ..How::default()
        };
        flattened(self.rendered(app, how)?)
    }

    fn generate(&self, set: &Object, changed: &[FileChange]) -> Result<Vec<Object>> {
        let files = Changed {
            files: self.resolver.checkout(),
            changed,
        };
        let contents = RepoContents::new(self.resolver.repo(), &files).with_checkouts(self.resolver.dirs);
        let expanded = Set::new(set).context("it is no ApplicationSet")?.expand(&contents);
        let generated = expanded.map_err(|reason| {
            let hint = reason.hint();
            let error = Error::new(reason);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })?;
        Ok(generated.into_iter().map(|one| one.application).collect())
    }

    fn desired(&self, changed: &[FileChange]) -> Result<Vec<Manifest>> {
        let (repo, dirs) = (self.resolver.repo(), self.resolver.dirs);
        let copied = Copied::of(self.resolver.checkout(), changed)?;
        let mut after = Repo::read_with(copied.checkout(), &repo.own_urls, repo.settings.clone())?;
        complete(&mut after, copied.checkout(), (dirs, self.options), &mut |_| {})?;
        Ok(after.derived)
    }

    fn reads(&self, app: &Application<'_>) -> Result<Vec<RepoPath>> {
        let mut reads = Vec::new();
        for source in app
            .sources()
            .iter()
            .filter(|source| !source.is_versioned() && !source.gives_files_only())
        {
            let Some(resolved) = optional(self.resolver.resolve(source, &mut Vec::new(), &|| Ok(())))? else {
                continue;
            };
            if let Ok(mut wanted) = request::request(app, source) {
                wanted.source_path.clone_from(&resolved.path);
                reads.extend(self.registry_reads(app, source));
                // What is in the chart is not read from the repository.
                let files = &mut wanted.parameters.values_files;
                files.retain(|file| !file.starts_with(OF_CHART));
                wanted
                    .parameters
                    .helm_file_parameters
                    .retain(|_, file| !file.starts_with(OF_CHART));
                let checkouts = match wanted.parameters.chart {
                    Some(_) => Some(Checkouts::from(resolved.checkout.clone())),
                    None => optional(self.checkouts(app, source, &wanted, &resolved))?,
                };
                let Some(checkouts) = checkouts else { continue };
                reads.extend(checkouts.with_trees(|trees| render::reads(&wanted, trees))?);
            }
        }
        Ok(reads)
    }

    fn chart_version(&self, source: &Source<'_>) -> Result<Option<String>> {
        let resolved = optional(self.resolver.resolve(source, &mut Vec::new(), &|| Ok(())))?;
        Ok(resolved.and_then(|resolved| resolved.revision))
    }

    fn source_type(&self, source: &Source<'_>) -> Result<Option<SourceType>> {
        let resolved = optional(self.resolver.resolve(source, &mut Vec::new(), &|| Ok(())))?;
        let of = resolved.map(|resolved| SourceType::of(&resolved.checkout, &resolved.path));
        Ok(of.transpose()?.flatten())
    }

    fn overridden(&self, app: &Application<'_>, source: &Source<'_>) -> Result<Option<(RepoPath, &'static str)>> {
        let Some(resolved) = optional(self.resolver.resolve(source, &mut Vec::new(), &|| Ok(())))? else {
            return Ok(None);
        };
        let merged = self.merged(app, source, How::default(), &resolved)?;
        Ok(merged.changes.into_iter().next())
    }
}

impl Sources<'_> {
    /// Returns what the ownership registry is read from, for a source that syncs Namespaces of this repository. Argo CD's own tools
    /// write no registry.
    fn registry_reads(&self, app: &Application<'_>, source: &Source<'_>) -> Vec<RepoPath> {
        let repo = self.resolver.repo();
        // An override may give it the plugin.
        let is_overridden = || !repo.overrides_of(app, source, repo.controller_namespace()).is_empty();
        if !source.uses_homelab_plugin() && !is_overridden() {
            return Vec::new();
        }
        let manifests = repo.synced_manifests(source).unwrap_or_default();
        match manifests.iter().any(|manifest| is_namespace(&manifest.object)) {
            true => repo.registry_reads(),
            false => Vec::new(),
        }
    }
}

fn flattened(render: AppRender) -> Result<Rendered> {
    Ok(Rendered {
        raw: flat(&render.outputs, Output::raw_objects)?,
        finished: flat(&render.outputs, Output::objects)?,
        notes: render.notes,
    })
}

/// Returns the value, or `None` where it is not available.
fn optional<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if failure::find::<Unavailable>(&error).is_some() => Ok(None),
        result => result.map(Some),
    }
}
