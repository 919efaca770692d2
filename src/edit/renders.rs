//! The interface through which commands render Applications; `sources` implements it.

use anyhow::Result;

use crate::model::{Application, Object, Source};
use crate::repo::change::FileChange;
use crate::repo::overrides::Override;
use crate::repo::{Files, Manifest, RepoPath, SourceType};

/// The objects of one Application, lists flattened.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The objects as Helm or the folder returns them.
    pub raw: Vec<Object>,
    /// The objects as the cluster gets them, with the storage rules applied where the plugin renders the source.
    pub finished: Vec<Object>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// Renders Applications, also ones that are not written yet.
pub trait Renders {
    /// Returns the files of the repository.
    fn files(&self) -> &dyn Files;

    /// Renders all sources of an Application.
    ///
    /// # Errors
    /// [`crate::model::Unavailable`] when a source is not available locally, any other error when it does not render.
    fn render(&self, app: &Application<'_>) -> Result<Rendered>;

    /// Renders all sources of an Application with these overrides of one of them, which are not written yet, in the place of those
    /// in its folder ([`crate::edit::source_override::Written::overrides`]).
    ///
    /// # Errors
    /// Those of [`Renders::render`].
    fn render_overridden(&self, app: &Application<'_>, overrides: &[Override]) -> Result<Rendered>;

    /// Returns the Applications that an ApplicationSet generates from the repository with changed files.
    ///
    /// # Errors
    /// Why they are not known.
    fn generate(&self, set: &Object, changed: &[FileChange]) -> Result<Vec<Object>>;

    /// Returns what Argo CD would have of a repository with changed files: what sets generate and charts render.
    ///
    /// # Errors
    /// When the files cannot be read or copied.
    fn desired(&self, changed: &[FileChange]) -> Result<Vec<Manifest>>;

    /// Returns the paths besides its sources' own that the render of an Application reads, from the repository's root.
    ///
    /// # Errors
    /// When a source that is available locally cannot be read.
    fn reads(&self, app: &Application<'_>) -> Result<Vec<RepoPath>>;

    /// Returns the version of the chart that a source names by a range, as it is rendered now; `None` where it is not available.
    ///
    /// # Errors
    /// When it cannot be pulled.
    fn chart_version(&self, _source: &Source<'_>) -> Result<Option<String>> {
        Ok(None)
    }

    /// Returns what Argo CD takes the folder of a source for, where the source does not say it; `None` where it is not available.
    ///
    /// # Errors
    /// When its folder cannot be listed.
    fn source_type(&self, _source: &Source<'_>) -> Result<Option<SourceType>> {
        Ok(None)
    }

    /// Returns the first section of a source, as `helm`, that a file in its folder changes (`.argocd-source.yaml`, or that of
    /// the Application), and the file.
    ///
    /// # Errors
    /// When such a file cannot be read.
    fn overridden(&self, app: &Application<'_>, source: &Source<'_>) -> Result<Option<(RepoPath, &'static str)>>;
}
