//! What becomes of Applications, and of objects that are not rendered any more.
//!
//! ```text
//! set or Application that brings it → the Application → its object
//! ```
//!
//! Source: `shouldBeDeleted` and `autoSync` in
//! <https://github.com/argoproj/argo-cd/blob/v3.5.7/controller/appcontroller.go>, `deleteInCluster` in
//! <https://github.com/argoproj/argo-cd/blob/v3.5.7/applicationset/controllers/applicationset_controller.go>.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::affected::holds_data;
use super::circumstances::Circumstances;
use super::guards::Guards;
use super::options;
use super::place::Place;
use super::prediction::{Action, Outcome};
use super::state::{AppState, Known, State};
use crate::model::{AppName, Object};
use crate::repo::Bringer;

/// How many Applications and sets may stand above one.
const DEEPEST: usize = 12;

/// What becomes of an Application of the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there in both states.
    Stays,
    /// It is deleted, and made again where both states have it.
    Deleted {
        /// Whether that deletes its objects, too.
        cascades: bool,
        /// Whether its set would keep its objects, had that been said before.
        preserved_too_late: bool,
    },
    /// It stays in the cluster, though nothing in the repository makes it any more; with the reason.
    Left(&'static str, String),
    /// What brings it is not known.
    Unknown,
}

/// The fates of Applications.
pub(super) struct Fates<'c, 's> {
    pub(super) base: &'c State<'s>,
    pub(super) head: &'c State<'s>,
    pub(super) circumstances: &'c Circumstances<'c>,
    known: RefCell<BTreeMap<AppName, Fate>>,
}

impl<'c, 's> Fates<'c, 's> {
    pub(super) fn new(base: &'c State<'s>, head: &'c State<'s>, circumstances: &'c Circumstances<'c>) -> Self {
        Self {
            base,
            head,
            circumstances,
            known: RefCell::default(),
        }
    }

    /// Returns what becomes of an Application of the base.
    pub(super) fn of(&self, name: &AppName) -> Fate {
        self.at_depth(name, 0)
    }

    fn at_depth(&self, name: &AppName, depth: usize) -> Fate {
        if let Some(fate) = self.known.borrow().get(name) {
            return fate.clone();
        }
        let fate = self.find(name, depth);
        self.known.borrow_mut().insert(name.clone(), fate.clone());
        fate
    }

    fn find(&self, name: &AppName, depth: usize) -> Fate {
        let before = self.base.app(name).filter(|_| depth < DEEPEST);
        match (before, self.head.app(name)) {
            (None, Some(_)) => Fate::Stays,
            (None, None) => Fate::Unknown,
            (Some(app), None) => self.of_app(app, name, depth),
            (Some(app), Some(now)) if is_handed_over(&app.bringer, &now.bringer) => {
                match self.of_app(app, name, depth) {
                    deleted @ Fate::Deleted { .. } => deleted,
                    _ => Fate::Stays,
                }
            }
            (Some(_), Some(_)) => Fate::Stays,
        }
    }

    /// Returns what becomes of an Application of the base by what brought it.
    fn of_app(&self, app: &AppState<'s>, name: &AppName, depth: usize) -> Fate {
        match self.of_brought(&app.subject.manifest.object, &app.bringer, name, depth) {
            Brought::Deleted { preserved_too_late } => Fate::Deleted {
                cascades: options::cascades(&app.app()),
                preserved_too_late,
            },
            Brought::Left(word, why) => Fate::Left(word, why),
            Brought::Unknown => Fate::Unknown,
        }
    }

    /// Returns what becomes of an Application or a set, as an object, that is not in the head.
    fn of_brought(&self, object: &'s Object, bringer: &Bringer<'s>, near: &AppName, depth: usize) -> Brought {
        match bringer {
            Bringer::Hand | Bringer::Chart(_) => Brought::Left(
                "applied-by-hand",
                "nothing in the repository applies its manifest, and nothing deletes it".to_owned(),
            ),
            Bringer::Set(set) => self.of_generated(set, near, depth),
            Bringer::Application(parent) => {
                let Some(parent) = self.base.bringing(parent, near) else {
                    return Brought::Unknown;
                };
                let outcome = self.removal_at(parent, object, depth + 1);
                match outcome {
                    None => Brought::Unknown,
                    Some(outcome) if outcome.action.deletes() => Brought::Deleted {
                        preserved_too_late: false,
                    },
                    Some(outcome) => Brought::Left(outcome.reason.word, outcome.reason.sentence),
                }
            }
        }
    }

    /// Returns what becomes of an Application that a set generated and does not any more.
    fn of_generated(&self, set: &str, near: &AppName, depth: usize) -> Brought {
        let before = self.base.set(set);
        if let Some(now) = self.head.set(set) {
            if now.unknown.is_some() {
                return Brought::Unknown;
            }
            if !options::deletes(now.object) {
                let policy = options::policy(now.object);
                let why = format!("the policy `{policy}` of ApplicationSet `{set}` deletes no Applications");
                return Brought::Left("set-policy", why);
            }
            let was_preserved = before.is_some_and(|before| options::preserves(before.object));
            return Brought::Deleted {
                preserved_too_late: options::preserves(now.object) && !was_preserved,
            };
        }
        let Some(before) = before else {
            return Brought::Unknown;
        };
        // The Applications belong to the set, and go with it.
        match self.of_brought(before.object, &before.bringer, near, depth + 1) {
            Brought::Deleted { .. } if options::lets_go(before.object) => {
                let policy = options::policy(before.object);
                let why =
                    format!("ApplicationSet `{set}` is deleted, and its policy `{policy}` leaves its Applications");
                Brought::Left("set-policy", why)
            }
            brought => brought,
        }
    }

    /// Returns what becomes of an object whose Application is deleted and made again, though both states have it; `None` where it
    /// stays as it is.
    pub(super) fn made_again(&self, app: &AppName, place: &Place, object: &Object) -> Option<Outcome> {
        let (before, now) = (self.base.app(app)?, self.head.app(app)?);
        if !matches!(self.of(app), Fate::Deleted { .. }) {
            return None;
        }
        let removal = self.removal(before, object)?;
        match removal.action {
            Action::Keep if holds_data(object) => Some(removal),
            action if !action.deletes() => None,
            Action::TooLate => Some(removal),
            _ => {
                let why = format!(
                    "{} deletes Application `{app}` with its objects before it is made again by {}",
                    named(&before.bringer),
                    named(&now.bringer)
                );
                let is_lost = holds_data(object) || self.head.at(place).is_empty();
                let action = if is_lost { Action::Prune } else { Action::Recreate };
                Some(Outcome::new(action, MADE_AGAIN, why))
            }
        }
    }

    /// Returns what becomes of an object that an Application of the base rendered and that is not rendered any more; `None` where
    /// that is not known.
    pub(super) fn removal(&self, app: &AppState<'s>, object: &Object) -> Option<Outcome> {
        self.removal_at(app, object, 0)
    }

    fn removal_at(&self, app: &AppState<'s>, object: &Object, depth: usize) -> Option<Outcome> {
        let place = Place::of(app.subject, object)?;
        let guards = Guards::of(app, object, &place, self.circumstances);
        let name = &app.subject.name;
        match self.at_depth(name, depth) {
            Fate::Unknown => None,
            Fate::Stays => {
                let now = self.head.app(name)?;
                match now.known {
                    Known::Unknown(..) => None,
                    _ if now.subject.cluster != app.subject.cluster => Some(Outcome::new(
                        Action::Orphan,
                        "cluster-changed",
                        format!(
                            "`{name}` deploys to cluster `{}` now: it stays in `{}`, and nothing manages it",
                            now.subject.cluster, app.subject.cluster
                        ),
                    )),
                    _ => Some(left_out(app, now, &guards)),
                }
            }
            Fate::Left(word, why) => Some(Outcome::new(
                Action::Left,
                "application-stays",
                format!("Application `{name}` stays in the cluster ({word}): {why}"),
            )),
            Fate::Deleted { cascades: false, .. } => Some(Outcome::new(
                Action::Orphan,
                "no-finalizer",
                format!("Application `{name}` is deleted without the finalizer: it stays, and nothing manages it"),
            )),
            Fate::Deleted {
                preserved_too_late: true,
                ..
            } if !guards.keep_from_deletion(app) => Some(Outcome::new(
                Action::TooLate,
                "preserve-in-same-change",
                format!(
                    "Application `{name}` is deleted with its objects: `preserveResourcesOnDeletion` comes with the same change, and has to be synced before"
                ),
            )),
            Fate::Deleted { .. } => Some(deleted_with(app, &guards)),
        }
    }
}

/// The word of the reason that an Application is deleted and made again.
pub(super) const MADE_AGAIN: &str = "application-made-again";

/// Reports whether what brought an Application deletes it, though something else brings it now: a set owns what it generates, and no
/// other can take it over; the sync of a parent prunes what a set makes instead.
fn is_handed_over(before: &Bringer<'_>, now: &Bringer<'_>) -> bool {
    match (before, now) {
        (Bringer::Set(one), Bringer::Set(other)) => one != other,
        (Bringer::Set(_), _) | (Bringer::Application(_), Bringer::Set(_)) => true,
        _ => false,
    }
}

/// Returns what brings an Application, in words.
pub(super) fn named(bringer: &Bringer<'_>) -> String {
    match bringer {
        Bringer::Set(set) => format!("ApplicationSet `{set}`"),
        Bringer::Application(app) => format!("Application `{app}`"),
        Bringer::Chart(chart) => format!("the chart `{chart}`"),
        Bringer::Hand => "hand".to_owned(),
    }
}

/// What becomes of an Application or a set that is not in the head.
enum Brought {
    Deleted { preserved_too_late: bool },
    Left(&'static str, String),
    Unknown,
}

/// Returns what becomes of an object of an Application that goes on without it. Argo CD may sync the Application before its new
/// settings are there: what they alone would keep, comes too late, unless they come with another source.
fn left_out(before: &AppState<'_>, now: &AppState<'_>, guards: &Guards<'_>) -> Outcome {
    let (outcome, name) = (pruned(now, guards), &now.subject.name);
    let same = |pointer: &'static str| before.app().object().at(pointer) == now.app().object().at(pointer);
    let has_same_source = || same("/spec/source") && same("/spec/sources");
    if outcome.action.deletes() || !has_same_source() || pruned(before, guards).action != Action::Prune {
        return outcome;
    }
    let why = format!(
        "the settings of `{name}` that keep it come with the same change: Argo CD deletes it if it syncs `{name}` before they are there"
    );
    Outcome::new(Action::TooLate, "settings-in-same-change", why)
}

/// Returns what becomes of an object of an Application that goes on without it, with these settings.
fn pruned(app: &AppState<'_>, guards: &Guards<'_>) -> Outcome {
    let (name, view) = (&app.subject.name, app.app());
    if view.automated().is_none() {
        let why = format!("automated sync of `{name}` is off: it stays until somebody syncs with prune");
        return Outcome::new(Action::Unsynced, "not-automated", why);
    }
    let option = options::prune(&view, guards.object);
    if option == Some("false") {
        return guards.kept("prune-guard", "`Prune=false`");
    }
    if !options::prunes(&view) {
        let why = format!("automated prune of `{name}` is off: it stays until somebody prunes");
        return Outcome::new(Action::Left, "prune-off", why);
    }
    if option == Some("confirm") {
        return Outcome::new(
            Action::Blocked,
            "prune-confirm",
            format!("`Prune=confirm`: the sync of `{name}` waits until somebody confirms, and holds its other changes"),
        );
    }
    if options::ignores_extraneous(guards.object) {
        return Outcome::new(
            Action::PruneLater,
            "extraneous-without-guard",
            format!("IgnoreExtraneous without `Prune=false`: kept now, and deleted by the next sync of `{name}`"),
        );
    }
    Outcome::new(
        Action::Prune,
        "not-rendered",
        format!("`{name}` does not render it any more, and prune is on"),
    )
}

/// Returns what becomes of an object whose Application is deleted with all its objects.
fn deleted_with(app: &AppState<'_>, guards: &Guards<'_>) -> Outcome {
    let (name, view) = (&app.subject.name, app.app());
    if guards.object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        let why = format!("Argo CD deletes no CustomResourceDefinition with an Application: it outlives `{name}`");
        return Outcome::new(Action::Keep, "definition-stays", why);
    }
    match options::delete(&view, guards.object) {
        Some("false") => return guards.kept("delete-guard", "`Delete=false`"),
        _ if options::is_kept_by_helm(guards.object) => {
            return guards.kept("resource-policy", "`helm.sh/resource-policy: keep`");
        }
        Some("confirm") => {
            return Outcome::new(
                Action::Blocked,
                "delete-confirm",
                format!("`Delete=confirm`: the deletion of `{name}` waits until somebody confirms"),
            );
        }
        _ => {}
    }
    Outcome::new(
        Action::Prune,
        "application-deleted",
        format!("Application `{name}` is deleted, and its finalizer deletes its objects"),
    )
}
