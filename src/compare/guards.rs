//! What keeps an object that is not rendered any more: its annotations, at the base or in the cluster.

use super::circumstances::Circumstances;
use super::options;
use super::place::Place;
use super::prediction::{Action, Guard, Outcome};
use super::state::AppState;
use crate::model::Object;

/// What may keep an object that is not rendered any more.
pub(super) struct Guards<'g> {
    /// The object whose annotations count.
    pub(super) object: &'g Object,
    /// Whether it is the one in the cluster.
    is_live: bool,
    /// Whether the cluster does not have it.
    is_absent: bool,
    /// The Application that rendered it.
    app: &'g AppState<'g>,
    circumstances: &'g Circumstances<'g>,
}

impl<'g> Guards<'g> {
    /// Returns those of an object of an Application.
    pub(super) fn of(
        app: &'g AppState<'g>,
        object: &'g Object,
        place: &Place,
        circumstances: &'g Circumstances<'g>,
    ) -> Self {
        let live = circumstances.live(place);
        Self {
            object: live.unwrap_or(object),
            is_live: live.is_some(),
            is_absent: circumstances.is_absent(place),
            app,
            circumstances,
        }
    }

    /// Returns a sentence, or that of the other outcome where the base is in a branch that Argo CD does not read.
    pub(super) fn kept(&self, word: &'static str, what: &str) -> Outcome {
        if self.is_live {
            return Outcome::guarded(Action::Keep, Guard::Live, word, format!("{what} in the cluster: kept"));
        }
        if self.is_absent {
            let sentence = format!("{what}, and it is not in the cluster: nothing is deleted there");
            return Outcome::guarded(Action::Keep, Guard::Base, word, sentence);
        }
        let base = self.circumstances.base;
        if !self.is_read() {
            return Outcome::new(
                Action::Prune,
                "guard-in-another-branch",
                format!(
                    "{what} at `{base}`, which is not in the branch that `targetRevision` names: Argo CD has not synced it, and deletes the object"
                ),
            );
        }
        Outcome::guarded(
            Action::Keep,
            Guard::Base,
            word,
            format!("{what}: kept if Argo CD has synced `{base}`, else deleted"),
        )
    }

    /// Reports whether Argo CD reads the base at all.
    fn is_read(&self) -> bool {
        let sources = self.app.app().sources();
        sources.iter().all(|source| self.circumstances.is_read(source))
    }

    /// Reports whether they keep it when the Application is deleted.
    pub(super) fn keep_from_deletion(&self, app: &AppState<'_>) -> bool {
        let app = app.app();
        options::delete(&app, self.object) == Some("false") || options::is_kept_by_helm(self.object)
    }
}
