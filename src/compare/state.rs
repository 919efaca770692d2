//! One state of a repository, as Argo CD would have it: the Applications with what brings them, their objects, and the sets.

use std::collections::BTreeMap;

use super::place::Place;
use crate::model::{AppName, Application, Availability, Object, PointerBuf};
use crate::repo::{Bringer, Manifest};
use crate::rules::{Scope, Subject};

/// One state of a repository.
#[derive(Debug)]
pub struct State<'s> {
    /// The Applications and what is known of them.
    pub scope: &'s Scope<'s>,
    apps: BTreeMap<&'s AppName, AppState<'s>>,
    sets: BTreeMap<&'s str, SetState<'s>>,
    placed: BTreeMap<Place, Vec<Placed<'s>>>,
}

/// An Application in a state.
#[derive(Clone, Debug)]
pub struct AppState<'s> {
    /// The Application.
    pub subject: &'s Subject<'s>,
    /// What brings it.
    pub bringer: Bringer<'s>,
    /// Whether its objects are known.
    pub known: Known,
}

/// Whether the objects of an Application are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// They are.
    Rendered,
    /// Nobody has asked for them: nothing of the Application has changed.
    NotAsked,
    /// They are not, with the reason and the next step.
    Unknown(String, Option<String>),
}

/// An ApplicationSet in a state.
#[derive(Clone, Debug)]
pub struct SetState<'s> {
    /// The set.
    pub object: &'s Object,
    /// What brings it.
    pub bringer: Bringer<'s>,
    /// Why its Applications are not known, where they are not.
    pub unknown: Option<String>,
}

/// An object of an Application.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'s> {
    /// The Application.
    pub subject: &'s Subject<'s>,
    /// The object.
    pub object: &'s Object,
    /// The manifest in the repository that has it, if there is one, and where in it.
    pub home: Option<&'s (&'s Manifest, PointerBuf)>,
}

impl<'s> State<'s> {
    /// Gathers a state. An Application without a render in it is one of which nothing has changed.
    pub fn of(scope: &'s Scope<'s>) -> Self {
        let (mut apps, mut sets) = (BTreeMap::new(), BTreeMap::new());
        for branch in scope.repo.tree() {
            if branch.is_set() {
                let object = &branch.manifest.object;
                sets.insert(
                    object.name(),
                    SetState {
                        object,
                        bringer: branch.bringer,
                        unknown: unknown_set(scope, object),
                    },
                );
                continue;
            }
            let name = scope.repo.app_name(branch.manifest);
            let Some(subject) = name.and_then(|name| scope.subject(&name)) else {
                continue;
            };
            apps.entry(&subject.name).or_insert(AppState {
                subject,
                bringer: branch.bringer,
                known: known(scope, subject),
            });
        }
        let mut placed: BTreeMap<Place, Vec<Placed<'s>>> = BTreeMap::new();
        for (subject, item) in scope.items() {
            if let Some(place) = Place::of(subject, item.object()) {
                let of_place = placed.entry(place).or_default();
                if !of_place.iter().any(|other| std::ptr::eq(other.subject, subject)) {
                    of_place.push(Placed {
                        subject,
                        object: item.object(),
                        home: item.home.as_ref(),
                    });
                }
            }
        }
        Self {
            scope,
            apps,
            sets,
            placed,
        }
    }

    /// Returns the Applications by name.
    pub fn apps(&self) -> impl Iterator<Item = (&'s AppName, &AppState<'s>)> {
        self.apps.iter().map(|(name, app)| (*name, app))
    }

    /// Returns the Application of a name.
    pub fn app(&self, name: &AppName) -> Option<&AppState<'s>> {
        self.apps.get(name)
    }

    /// Returns the Application that a bringer names: the one of that name below the same root where there are several.
    pub(super) fn bringing(&self, name: &str, of: &AppName) -> Option<&AppState<'s>> {
        let name = AppName::new(name).ok()?;
        let same_root = of.root().map(|root| name.of_root(root));
        same_root
            .and_then(|name| self.apps.get(&name))
            .or_else(|| self.apps.get(&name))
    }

    /// Returns the sets by name.
    pub fn sets(&self) -> impl Iterator<Item = (&'s str, &SetState<'s>)> {
        self.sets.iter().map(|(name, set)| (*name, set))
    }

    /// Returns the set of a name.
    pub fn set(&self, name: &str) -> Option<&SetState<'s>> {
        self.sets.get(name)
    }

    /// Returns every object with the Applications that render it.
    pub fn placed(&self) -> impl Iterator<Item = (&Place, &[Placed<'s>])> {
        self.placed.iter().map(|(place, placed)| (place, placed.as_slice()))
    }

    /// Returns what leads to the objects of an Application, from the outermost: `ApplicationSet/apps`, `Application/media`.
    pub fn chain(&self, app: &AppName) -> Vec<String> {
        const DEEPEST: usize = 12;
        let mut chain = vec![format!("Application/{app}")];
        let mut bringer = self.app(app).map(|app| &app.bringer);
        while let Some(above) = bringer.filter(|_| chain.len() < DEEPEST) {
            bringer = match above {
                Bringer::Hand => None,
                Bringer::Chart(chart) => {
                    chain.push(format!("chart {chart}"));
                    None
                }
                Bringer::Set(set) => {
                    chain.push(format!("ApplicationSet/{set}"));
                    self.set(set).map(|set| &set.bringer)
                }
                Bringer::Application(parent) => {
                    chain.push(format!("Application/{parent}"));
                    self.bringing(parent, app).map(|parent| &parent.bringer)
                }
            };
        }
        chain.reverse();
        chain
    }

    /// Returns the Applications that render an object.
    pub fn at(&self, place: &Place) -> &[Placed<'s>] {
        self.placed.get(place).map_or(&[], Vec::as_slice)
    }
}

impl<'s> AppState<'s> {
    /// Returns the view of the Application.
    pub fn app(&self) -> Application<'s> {
        self.subject.app
    }
}

fn known(scope: &Scope<'_>, subject: &Subject<'_>) -> Known {
    match scope.renders.get(&subject.name) {
        None => Known::NotAsked,
        Some(Availability::Available(_)) => Known::Rendered,
        Some(Availability::Unavailable(why)) => Known::Unknown(why.to_string(), Some(why.hint())),
        Some(Availability::Failed { message, hint, .. }) => Known::Unknown(message.clone(), hint.clone()),
    }
}

fn unknown_set(scope: &Scope<'_>, set: &Object) -> Option<String> {
    let mut unknown = scope.repo.unknown.iter();
    let found = unknown.find(|unknown| unknown.kind == set.kind() && unknown.name == set.name());
    found.map(|unknown| unknown.why.clone())
}
