//! Two states of a repository, compared: what Argo CD does to each object that differs.

use std::collections::BTreeSet;

use super::affected::{hit, holds_data};
use super::applied::{changed, created, refused, unchanged, unsynced};
use super::circumstances::Circumstances;
use super::fate::{Fate, Fates};
use super::level::Level;
use super::place::Place;
use super::prediction::{Action, Guard, Outcome, Prediction};
use super::renders::Random;
use super::state::{AppState, Known, Placed, State};
use super::{changed_pointers, checks, consequences, likeness, locations, manifests, statements};
use crate::model::claim::is_claim;
use crate::model::{AppName, Object};

/// An Application whose objects are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The Application.
    pub app: AppName,
    /// On which side its objects are not known.
    pub side: Side,
    /// Why, in a sentence.
    pub why: String,
    /// The next step.
    pub hint: Option<String>,
}

/// The sides on which something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first one.
    Base,
    /// The second one.
    Head,
    /// Both.
    Both,
}

/// What Argo CD does to each object that differs.
#[derive(Debug, Default)]
pub struct Comparison<'s> {
    /// What happens, object by object.
    pub predictions: Vec<Prediction<'s>>,
    /// The Applications whose objects are not compared.
    pub withheld: Vec<Withheld>,
}

impl<'s> Comparison<'s> {
    /// Compares two states.
    pub fn of(base: &State<'s>, head: &State<'s>, circumstances: &Circumstances<'_>) -> Self {
        let withheld = withheld(base, head);
        let hidden = withheld.iter().map(|withheld| withheld.app.clone()).collect();
        let work = Work {
            fates: Fates::new(base, head, circumstances),
            hidden,
        };
        let places: BTreeSet<&Place> = base.placed().chain(head.placed()).map(|(place, _)| place).collect();
        let mut predictions = Vec::new();
        for place in places {
            work.at(place, &mut predictions);
        }
        manifests::predict(&work.fates, &mut predictions);
        likeness::pair(base, head, &mut predictions);
        locations::find(head, &mut predictions);
        consequences::follow(base, head, &mut predictions);
        checks::apply(base, head, &mut predictions);
        predictions
            .sort_by(|one, other| (other.level, &one.app, &one.place).cmp(&(one.level, &other.app, &other.place)));
        let mut comparison = Self { predictions, withheld };
        comparison.unknown_parents(&work);
        comparison
    }

    /// Returns the level of the object that matters most.
    pub fn level(&self) -> Level {
        self.predictions
            .iter()
            .map(|prediction| prediction.level)
            .max()
            .unwrap_or_default()
    }

    /// Returns the namespaces with claims of which something becomes: whoever mounts them is hit.
    pub fn namespaces_at_stake(&self) -> BTreeSet<String> {
        let is_harmless = |action: Action| matches!(action, Action::Create | Action::Ignored | Action::Hook);
        let at_stake = self.predictions.iter().filter(|one| !is_harmless(one.action()));
        let namespace = |one: &Prediction<'_>| match (one.place.claim(), one.place.is("", "Namespace")) {
            (Some(claim), _) => Some(claim.namespace.to_string()),
            (None, true) => Some(one.place.object.name.clone()),
            (None, false) => None,
        };
        at_stake.filter_map(namespace).collect()
    }

    /// Returns what happens to an object.
    pub fn at(&self, place: &Place) -> Option<&Prediction<'s>> {
        self.predictions.iter().find(|prediction| prediction.place == *place)
    }

    /// Adds the Applications of the base whose fate is not known, since what brings them is not.
    fn unknown_parents(&mut self, work: &Work<'_, 's>) {
        for (name, _) in work.fates.base.apps() {
            let is_listed = self.withheld.iter().any(|withheld| withheld.app == *name);
            if !is_listed && work.fates.of(name) == Fate::Unknown {
                self.withheld.push(Withheld {
                    app: name.clone(),
                    side: Side::Head,
                    why: "what brings it is not known any more".to_owned(),
                    hint: None,
                });
            }
        }
    }
}

/// Returns the Applications of which one side is not known, or both.
fn withheld(base: &State<'_>, head: &State<'_>) -> Vec<Withheld> {
    let names: BTreeSet<&AppName> = base.apps().chain(head.apps()).map(|(name, _)| name).collect();
    let unknown = |app: Option<&AppState<'_>>| match app.map(|app| &app.known) {
        Some(Known::Unknown(why, hint)) => Some((why.clone(), hint.clone())),
        _ => None,
    };
    let found = names.into_iter().filter_map(|name| {
        let (before, after) = (unknown(base.app(name)), unknown(head.app(name)));
        let side = match (&before, &after) {
            (None, None) => return None,
            // What is new, or gone, has one side only.
            (Some(_), None) if head.app(name).is_none() => Side::Both,
            (None, Some(_)) if base.app(name).is_none() => Side::Both,
            (Some(_), Some(_)) => Side::Both,
            (Some(_), None) => Side::Base,
            (None, Some(_)) => Side::Head,
        };
        let (why, hint) = after.or(before)?;
        Some(Withheld {
            app: name.clone(),
            side,
            why,
            hint,
        })
    });
    found.collect()
}

struct Work<'c, 's> {
    fates: Fates<'c, 's>,
    hidden: BTreeSet<AppName>,
}

impl<'s> Work<'_, 's> {
    /// Predicts what happens to one object.
    fn at(&self, place: &Place, predictions: &mut Vec<Prediction<'s>>) {
        let (base, head) = (self.fates.base, self.fates.head);
        let is_shown = |placed: &&Placed<'s>| !self.hidden.contains(&placed.subject.name);
        let old = base.at(place);
        let new: Vec<&Placed<'s>> = head.at(place).iter().filter(is_shown).collect();
        for placed in &new {
            let same = old.iter().find(|old| old.subject.name == placed.subject.name);
            let outcome = match same {
                Some(before) => self.rendered_twice(place, before, placed),
                None => Some((self.appeared(place, old, placed), Vec::new())),
            };
            if let Some((outcome, pointers)) = outcome {
                let before = same.or(old.first()).map(|old| old.object);
                predictions.push(self.prediction(place, placed, (before, Some(placed.object)), (outcome, pointers)));
            }
        }
        if !head.at(place).is_empty() {
            return;
        }
        for placed in old.iter().filter(is_shown) {
            if let Some(outcome) = self.disappeared(place, placed) {
                predictions.push(self.prediction(place, placed, (Some(placed.object), None), (outcome, Vec::new())));
            }
        }
    }

    /// Returns what happens to an object that an Application renders in both states, and where it differs.
    fn rendered_twice(&self, place: &Place, old: &Placed<'s>, new: &Placed<'s>) -> Option<(Outcome, Vec<String>)> {
        let pointers = self.differing(old, new);
        if let Some(outcome) = self.fates.made_again(&old.subject.name, place, old.object) {
            return Some((outcome, pointers));
        }
        if pointers.is_empty() {
            return Some((unchanged(new.subject, new.object)?, pointers));
        }
        let sides = [old.object, new.object];
        let outcome = changed(self.fates.head, (new.subject, place), sides, &pointers);
        Some((outcome, pointers))
    }

    /// Returns the places at which two renders of an object differ, random values left out.
    fn differing(&self, old: &Placed<'s>, new: &Placed<'s>) -> Vec<String> {
        if old.object == new.object {
            return Vec::new();
        }
        let again = self.fates.circumstances.again(&old.subject.name);
        let again = again.and_then(|objects| objects.iter().find(|object| object.is_same_as(old.object)));
        let random = again.map(|again| Random::between(old.object, again));
        let pointers = changed_pointers(old.object, new.object).into_iter();
        let is_random = |pointer: &String| random.as_ref().is_some_and(|random| random.covers(pointer));
        pointers.filter(|pointer| !is_random(pointer)).collect()
    }

    /// Returns what happens to an object that the Application did not render before.
    fn appeared(&self, place: &Place, old: &[Placed<'s>], new: &Placed<'s>) -> Outcome {
        let head = self.fates.head;
        if let Some(from) = old.first() {
            return self.moved(place, from, new);
        }
        let base = self.fates.circumstances.base;
        let outcome = created(head, (new.subject, place), new.object, base);
        let was_kept = || {
            let claim = place.claim()?;
            let known = self.fates.base.scope.claim(&claim);
            Some(!known.owners.is_empty())
        };
        let is_new = matches!(outcome.action, Action::Create | Action::Wait);
        if is_new && is_claim(new.object) && was_kept() == Some(true) {
            let why = format!(
                "it had an owner at `{base}` that did not render it: where it is still there, it is used again"
            );
            return Outcome::new(Action::Adopt, "kept-before", why);
        }
        outcome
    }

    /// Returns what happens to an object that another Application rendered before.
    fn moved(&self, place: &Place, from: &Placed<'s>, new: &Placed<'s>) -> Outcome {
        let (from_name, name) = (&from.subject.name, &new.subject.name);
        let adopt = |guard: Guard, word: &'static str, why: String| Outcome::guarded(Action::Adopt, guard, word, why);
        let is_shared = new.subject.app.sync_option("FailOnSharedResource") == Some("true");
        let claim = place.claim();
        let stated = claim.and_then(|claim| statements::moves(self.fates.head, &claim, [from_name, name]));
        if self
            .fates
            .head
            .at(place)
            .iter()
            .any(|placed| placed.subject.name == *from_name)
        {
            let why = format!("`{from_name}` still renders it: both take it from each other with every sync");
            return match is_shared {
                true => Outcome::new(Action::Fail, "shared-resource", why),
                false => adopt(Guard::None, "rendered-by-two", why),
            };
        }
        let removal = self
            .fates
            .base
            .app(from_name)
            .and_then(|app| self.fates.removal(app, from.object));
        let Some(removal) = removal else {
            let why = format!("`{from_name}` rendered it before, and what becomes of that is not known");
            return adopt(Guard::None, "moved-from-unknown", why);
        };
        if removal.action.deletes() {
            let stated = stated
                .map(|said| format!(", and `{said}` guards nothing"))
                .unwrap_or_default();
            let why = format!(
                "`{from_name}` deletes it if it goes before `{name}` takes it over: nothing guards it at the base{stated}"
            );
            return match (holds_data(from.object), self.is_guarded_now(new)) {
                (false, _) => adopt(Guard::None, "moves-without-guard", why),
                (true, false) => Outcome::new(Action::Prune, "moves-without-guard", why),
                (true, true) => too_late(&why),
            };
        }
        if let Some(outcome) = unsynced(&new.subject.app) {
            return outcome;
        }
        let pointers: Vec<String> = changed_pointers(from.object, new.object).into_iter().collect();
        let sides = [from.object, new.object];
        if let Some(refusal) = refused(self.fates.head, new.subject, sides, &pointers) {
            return refusal;
        }
        if is_shared && removal.action != Action::Orphan {
            let why = format!("`FailOnSharedResource=true`: the sync fails while it carries the name of `{from_name}`");
            return Outcome::new(Action::Fail, "shared-resource", why);
        }
        match (removal.action, stated) {
            (_, Some(said)) => {
                let why = format!(
                    "`{name}` takes it over from `{from_name}`, as `{said}` says; {}",
                    removal.reason.sentence
                );
                adopt(removal.guard, statements::MOVED, why)
            }
            (Action::Keep, None) => {
                let why = format!("`{name}` takes it over from `{from_name}`; {}", removal.reason.sentence);
                adopt(removal.guard, "moved-from-application", why)
            }
            _ => {
                let why = format!("`{name}` takes over what `{from_name}` leaves behind");
                adopt(Guard::None, "left-by-application", why)
            }
        }
    }

    /// Returns what happens to an object that nothing renders any more; `None` where that is not known.
    fn disappeared(&self, place: &Place, old: &Placed<'s>) -> Option<Outcome> {
        if crate::model::sync::is_hook(old.object) {
            return Some(super::applied::hook());
        }
        let app = self.fates.base.app(&old.subject.name)?;
        let outcome = self.fates.removal(app, old.object)?;
        let Some(claim) = place.claim() else {
            return Some(outcome);
        };
        let (base, head) = (self.fates.base, self.fates.head);
        let outcome = statements::explained((base, head), (&old.subject.name, &claim), outcome);
        let is_declared = || !head.scope.claim(&claim).declared_by.is_empty();
        match outcome.action {
            Action::Prune if outcome.reason.word != statements::RELEASED && is_declared() => {
                let why = format!(
                    "{}: `owns` guards only what is rendered, and has to be synced before",
                    outcome.reason.sentence
                );
                Some(too_late(&why))
            }
            _ => Some(outcome),
        }
    }

    /// Reports whether an object has guards in the second state.
    fn is_guarded_now(&self, new: &Placed<'s>) -> bool {
        let app = &new.subject.app;
        super::options::prune(app, new.object) == Some("false")
            || super::options::delete(app, new.object) == Some("false")
    }

    fn prediction(
        &self,
        place: &Place,
        placed: &Placed<'s>,
        (before, after): (Option<&'s Object>, Option<&'s Object>),
        (outcome, pointers): (Outcome, Vec<String>),
    ) -> Prediction<'s> {
        let app = placed.subject.name.clone();
        let state = if after.is_some() {
            self.fates.head
        } else {
            self.fates.base
        };
        let (owner, consumers) = hit(self.fates.base, self.fates.head, place);
        Prediction {
            via: state.chain(&app),
            owner: owner.or_else(|| (!is_claim(placed.object)).then(|| app.clone())),
            consumers,
            before,
            after,
            pointers,
            ..Prediction::new(place.clone(), app, outcome)
        }
    }
}

fn too_late(why: &str) -> Outcome {
    let why = format!(
        "{why}; the guard comes with this change, and Argo CD reads it from the live object: let the guard be synced first"
    );
    Outcome::new(Action::TooLate, "guard-in-same-change", why)
}
