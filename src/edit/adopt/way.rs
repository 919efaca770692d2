//! How an Application is changed, by where it comes from.

use crate::edit::convert::guard::is_moving;
use crate::edit::source_override;
use crate::model::Application;
use crate::repo::{Anchor, Generated, Origin, Rendered, Repo, RepoPath};
use crate::rules::Subject;

/// How an Application is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// `adopt` changes its manifest.
    Manifest(RepoPath),
    /// It has moved, and the guards of the move are to be taken away.
    Moving,
    /// The plugin renders it already.
    Done,
    /// It is an item of a `List`, which is not edited.
    List(RepoPath),
    /// A file in the folder of its source gives it to the plugin; its guards go into the set.
    Override {
        /// The set.
        set: String,
        /// The file of the set.
        file: RepoPath,
        /// The file that gives it to the plugin.
        overrides: RepoPath,
    },
    /// Its set has to be changed: its template names another tool, or no folder of this repository.
    Set {
        /// The set.
        set: String,
        /// The file of the set.
        file: RepoPath,
        /// Why a file in a folder does not do.
        why: String,
    },
    /// As [`Way::Override`], but its set is rendered, and `adopt` writes no guards there.
    RenderedSet {
        /// The set.
        set: String,
        /// The file with the source that renders the set, or of the chart.
        file: RepoPath,
        /// The file that gives it to the plugin.
        overrides: RepoPath,
    },
    /// What renders it has to be changed.
    Chart {
        /// The Application or the folder of the chart that renders it.
        by: String,
        /// The folder of the chart, where that is in this repository.
        chart: Option<String>,
        /// The file with the source, or of the chart.
        file: RepoPath,
    },
}

impl Way {
    /// Returns the way of an Application.
    pub(super) fn of(repo: &Repo, subject: &Subject<'_>) -> Self {
        let file = subject.manifest.file.clone();
        if subject.uses_homelab_plugin() {
            return match is_moving(&subject.app) {
                true => Self::Moving,
                false => Self::Done,
            };
        }
        match &subject.manifest.origin {
            Origin::Document => Self::Manifest(file),
            Origin::Item(_) => Self::List(file),
            Origin::Generated(generated) => Self::of_set(repo, generated, &subject.app, file),
            Origin::Rendered(rendered) => Self::Chart {
                by: rendered.by.clone(),
                chart: match rendered.is_chart {
                    true => Some(rendered.by.clone()),
                    false => chart(repo, rendered),
                },
                file,
            },
        }
    }

    /// Returns the way of an Application that a set generates.
    fn of_set(repo: &Repo, generated: &Generated, app: &Application<'_>, file: RepoPath) -> Self {
        let sources = app.sources();
        let mut rendered = (0..sources.len()).filter(|position| !sources[*position].gives_files_only());
        let overrides = match (rendered.next(), rendered.next()) {
            (Some(position), None) => source_override::file_of(repo, app, position).map_err(|error| error.to_string()),
            _ => Err("it has several sources".to_owned()),
        };
        let set = generated.set.clone();
        match (overrides, &generated.template) {
            (Ok(overrides), Anchor::Of(_)) => Self::Override { set, file, overrides },
            (Ok(overrides), Anchor::Whole(_)) => Self::RenderedSet { set, file, overrides },
            (Err(why), _) => Self::Set { set, file, why },
        }
    }

    /// Reports whether `adopt` changes it.
    pub fn is_converted(&self) -> bool {
        matches!(
            self,
            Self::Manifest(_) | Self::Override { .. } | Self::Moving | Self::Done
        )
    }
}

/// Returns the folder of the source that renders an Application.
fn chart(repo: &Repo, rendered: &Rendered) -> Option<String> {
    let (_, parent) = repo.application(&rendered.by)?;
    let sources = parent.sources();
    let source = sources.iter().find(|source| source.pointer == rendered.source)?;
    let path = source.path().filter(|_| repo.is_own(source.repo_url()))?;
    Some(path.to_owned())
}
