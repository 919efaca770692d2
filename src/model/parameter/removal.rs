//! What is said of claims whose Application goes: which are kept, and which are let go.

use super::spec::{Shape, Spec, spec};
use super::{Parameters, each};
use crate::model::claim_path::ClaimPath;
use crate::model::kept_claim::KeptClaim;

pub(super) const RELEASES: Spec = spec(
    "releases",
    Shape::Array,
    "Released claims",
    "Claims that are to be lost, each as `[NAMESPACE/]CLAIM`: they are rendered without guards, and the lock lets their deletion through. `kubectl homelab remove-app --delete-data` writes it.",
    |parameters, given| {
        parameters.releases = each(given.list(), str::parse::<ClaimPath>)?;
        Ok(())
    },
);

pub(super) const KEEPS: Spec = spec(
    "keeps",
    Shape::Array,
    "Kept claims",
    "For the source of the Namespaces: claims whose Application is gone and whose data is kept, each as `NAMESPACE/CLAIM=OLD-OWNER`. They stay in the ownership registry. `kubectl homelab remove-app` writes it, `restore` takes entries out.",
    |parameters, given| {
        parameters.keeps = each(given.list(), str::parse::<KeptClaim>)?;
        match twice(parameters) {
            Some(message) => Err(vec![message]),
            None => Ok(()),
        }
    },
);

/// Returns what is wrong where a claim is kept for two owners.
fn twice(parameters: &Parameters) -> Option<String> {
    let pairs = parameters.keeps.iter().zip(parameters.keeps.iter().skip(1));
    let claim = |kept: &KeptClaim| (kept.namespace.clone(), kept.name.clone());
    let (one, other) = pairs.into_iter().find(|(one, other)| claim(one) == claim(other))?;
    Some(format!(
        "claim `{}/{}` is kept for two owners: `{}` and `{}`",
        one.namespace, one.name, one.owner, other.owner
    ))
}
