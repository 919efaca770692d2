//! The renders and files that commands that edit ask for.

use anyhow::Result;

use super::{AppRender, How, Sources, flat, request};
use crate::edit::{Rendered, Renders};
use crate::failure;
use crate::model::namespace::is_namespace;
use crate::model::{Application, Source, Unavailable};
use crate::render::{self, Output};
use crate::repo::overrides::Override;
use crate::repo::{Files, RepoPath};

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
                wanted.source_path = resolved.path;
                reads.extend(self.registry_reads(source));
                reads.extend(render::helm_arguments::reads(&wanted, &resolved.checkout)?);
            }
        }
        Ok(reads)
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
    /// Returns what the ownership registry is read from, for a source that syncs Namespaces of this repository.
    fn registry_reads(&self, source: &Source<'_>) -> Vec<RepoPath> {
        let repo = self.resolver.repo();
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
