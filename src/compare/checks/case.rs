//! What a check asks of a change.

use crate::compare::place::Place;
use crate::compare::prediction::{Action, Prediction};
use crate::compare::state::State;
use crate::model::application::{GROUP, is_application_set};
use crate::model::claim_use::claim_uses;
use crate::model::made_claims::claim_templates;
use crate::model::workload::claims_of_templates;
use crate::model::{Application, ClaimName, ClaimRef, NamespaceName, Object};

/// A change of one object, with all that is known.
pub struct Case<'c, 's> {
    /// The first state.
    pub base: &'c State<'s>,
    /// The second state.
    pub head: &'c State<'s>,
    /// What happens to all objects.
    pub all: &'c [Prediction<'s>],
    /// What happens to this one.
    pub prediction: &'c Prediction<'s>,
}

/// The claims of a workload, by the names of its volumes.
type Claims = Vec<(String, ClaimRef)>;

impl<'s> Case<'_, 's> {
    pub(super) fn action(&self) -> Action {
        self.prediction.action()
    }

    pub(super) fn word(&self) -> &'static str {
        self.prediction.outcome.reason.word
    }

    pub(super) fn sentence(&self) -> &str {
        &self.prediction.outcome.reason.sentence
    }

    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.prediction.place.is(group, kind)
    }

    pub(super) fn before(&self) -> Option<&'s Object> {
        self.prediction.before
    }

    pub(super) fn after(&self) -> Option<&'s Object> {
        self.prediction.after
    }

    pub(super) fn object(&self) -> Option<&'s Object> {
        self.prediction.object()
    }

    /// Returns the object as it was and as it is, where it is in both states.
    pub(super) fn both(&self) -> Option<(&'s Object, &'s Object)> {
        self.before().zip(self.after())
    }

    /// Returns the same of an object that may have been renamed.
    pub(super) fn pair(&self) -> Option<(&'s Object, &'s Object)> {
        let before = self.before().or_else(|| self.twin()?.before);
        before.zip(self.after())
    }

    fn twin(&self) -> Option<&Prediction<'s>> {
        let place = self.prediction.twin.as_ref()?;
        self.all.iter().find(|other| other.place == *place)
    }

    /// Returns what an object that is gone is called now.
    pub(super) fn twin_of_gone(&self) -> Option<&Place> {
        self.prediction.twin.as_ref().filter(|_| self.after().is_none())
    }

    /// Returns both sides of an Application.
    pub(super) fn applications(&self) -> Option<(Application<'s>, Application<'s>)> {
        let (old, new) = self.both().filter(|_| self.is(GROUP, "Application"))?;
        Application::new(old).zip(Application::new(new))
    }

    /// Returns both sides of an ApplicationSet.
    pub(super) fn sets(&self) -> Option<(&'s Object, &'s Object)> {
        self.both()
            .filter(|(old, new)| is_application_set(old) && is_application_set(new))
    }

    /// Returns the claims that a workload had.
    pub(super) fn claims_before(&self, old: &Object) -> Option<Claims> {
        let place = match self.before() {
            Some(_) => &self.prediction.place,
            None => self.prediction.twin.as_ref()?,
        };
        claims(place, old)
    }

    /// Returns the claims that a workload has.
    pub(super) fn claims_after(&self, new: &Object) -> Option<Claims> {
        claims(&self.prediction.place, new)
    }

    /// Reports whether a claim may have been there, as far as the repository tells: somebody rendered, owned or mounted it, or nobody
    /// in this repository makes it.
    pub(super) fn was_known(&self, claim: &ClaimRef) -> bool {
        let makes = |state: &State<'_>| !state.scope.claim(claim).owners.is_empty();
        let was_used = self.base.scope.ownership.get(claim).is_some();
        was_used || !makes(self.head)
    }

    /// Returns who else is hit, as a part of a sentence.
    pub(super) fn readers(&self) -> String {
        let names: Vec<String> = self.prediction.consumers.iter().map(|app| format!("`{app}`")).collect();
        let is_claim = self.prediction.place.claim().is_some();
        match (names.as_slice(), is_claim) {
            ([], _) => String::new(),
            ([one], true) => format!("; {one} uses it, too"),
            ([one], false) => format!("; {one} has objects in it"),
            (names, true) => format!("; {} use it, too", names.join(", ")),
            (names, false) => format!("; {} have objects in it", names.join(", ")),
        }
    }
}

/// Returns the claims that a workload at a place names, and those that a StatefulSet makes.
fn claims(place: &Place, object: &Object) -> Option<Claims> {
    let here = place.namespace();
    let claim = |namespace: Option<&str>, name: ClaimName| {
        Some(ClaimRef {
            cluster: place.cluster.clone(),
            namespace: NamespaceName::new(namespace.or(here)?).ok()?,
            name,
        })
    };
    let volumes = claim_uses(object).volumes.into_iter().filter_map(|volume| {
        let name = ClaimName::new(volume.claim).ok()?;
        Some((volume.name.to_owned(), claim(volume.manifest.namespace, name)?))
    });
    let templates: Vec<&str> = claim_templates(object.group(), object.kind(), object.tree()).collect();
    let made = claims_of_templates(object).into_iter().filter_map(|name| {
        let volume = templates.iter().find_map(|template| {
            let ordinal = name
                .as_str()
                .strip_prefix(template)?
                .strip_prefix('-')?
                .strip_prefix(object.name())?;
            Some(format!("{template}{ordinal}"))
        })?;
        Some((volume, claim(None, name)?))
    });
    let all: Claims = volumes.chain(made).collect();
    (!all.is_empty()).then_some(all)
}
