//! What the policies refuse to delete, among the claims and Namespaces of a cluster: the same conditions as theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::Object;
use crate::model::claim::{OWNER_LABEL, RELEASE};
use crate::model::namespace::{OWNER_PREFIX, REGISTRY_LABEL};

/// What a release annotation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// There is none.
    None,
    /// It names the object itself: its deletion is let through.
    Open,
    /// It names something else, so that it does not count.
    Other(String),
}

/// A claim that has an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldClaim {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The Application that owns it.
    pub owner: String,
    /// Whether the registry of its Namespace has it; `None` where that could not be read.
    pub is_registered: Option<bool>,
    /// Whether its deletion is let through.
    pub release: Release,
    /// Whether it is being deleted.
    pub is_being_deleted: bool,
}

/// A Namespace with claims in its registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldNamespace {
    /// Its name.
    pub name: String,
    /// Its claims and their owners.
    pub claims: BTreeMap<String, String>,
    /// Whether it has the label of the registry, by which the policy on writes counts in it.
    pub has_registry_label: bool,
    /// Whether its deletion is let through.
    pub release: Release,
    /// Whether it is being deleted.
    pub is_being_deleted: bool,
}

impl HeldNamespace {
    /// Returns the Applications that own its claims, each once.
    pub fn owners(&self) -> Vec<String> {
        let owners: BTreeSet<&String> = self.claims.values().collect();
        owners.into_iter().cloned().collect()
    }
}

/// What is held in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The claims with an owner.
    pub claims: Vec<HeldClaim>,
    /// The Namespaces with claims in their registry.
    pub namespaces: Vec<HeldNamespace>,
    /// The Namespaces that hold claims with an owner and have no claim in their registry: their deletion is let through.
    pub open_namespaces: BTreeSet<String>,
}

/// Returns whether an object's deletion is let through.
pub fn release(object: &Object) -> Release {
    match object.annotation(RELEASE).unwrap_or_default() {
        "" => Release::None,
        name if name == object.name() => Release::Open,
        other => Release::Other(other.to_owned()),
    }
}

/// Reports whether an object is being deleted.
pub fn is_being_deleted(object: &Object) -> bool {
    object.at("/metadata/deletionTimestamp").is_some()
}

/// Returns the claims in the registry of a Namespace, and their owners.
pub fn registry(namespace: &Object) -> BTreeMap<String, String> {
    let labels = namespace.at("/metadata/labels").and_then(Value::as_object);
    let entries = labels.into_iter().flatten().filter_map(|(key, value)| {
        let owner = value.as_str().filter(|owner| !owner.is_empty())?;
        Some((key.strip_prefix(OWNER_PREFIX)?.to_owned(), owner.to_owned()))
    });
    entries.collect()
}

/// Returns the owner of a claim: by its label, else by the registry of its Namespace.
pub fn owner(claim: &Object, namespace: Option<&Object>) -> Option<String> {
    let label = claim.label(OWNER_LABEL).filter(|owner| !owner.is_empty());
    let entry = || registry(namespace?).remove(claim.name());
    label.map(str::to_owned).or_else(entry)
}

/// Returns what is held; `namespaces` is `None` where they could not be read.
pub fn survey(namespaces: Option<&[Object]>, claims: &[Object]) -> Survey {
    let by_name: BTreeMap<&str, &Object> = namespaces
        .unwrap_or_default()
        .iter()
        .map(|one| (one.name(), one))
        .collect();
    let mut survey = Survey::default();
    for claim in claims {
        let place = claim.namespace().unwrap_or_default();
        let namespace = by_name.get(place).copied();
        let Some(owner) = owner(claim, namespace) else { continue };
        survey.claims.push(HeldClaim {
            namespace: place.to_owned(),
            name: claim.name().to_owned(),
            owner,
            is_registered: namespace.map(|namespace| registry(namespace).contains_key(claim.name())),
            release: release(claim),
            is_being_deleted: is_being_deleted(claim),
        });
        if namespace.is_some_and(|namespace| registry(namespace).is_empty()) {
            survey.open_namespaces.insert(place.to_owned());
        }
    }
    for namespace in by_name.into_values() {
        let claims = registry(namespace);
        if claims.is_empty() {
            continue;
        }
        survey.namespaces.push(HeldNamespace {
            name: namespace.name().to_owned(),
            claims,
            has_registry_label: namespace.label(REGISTRY_LABEL).is_some(),
            release: release(namespace),
            is_being_deleted: is_being_deleted(namespace),
        });
    }
    survey
        .claims
        .sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    survey
}
