//! StatefulSets: their `volumeClaimTemplates` stay untouched (the API server refuses changes), the claims that
//! they make are their Application's own, and a retention policy that deletes an owned one is refused.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::StorageRules;
pub use crate::model::made_claims::claim_patterns;
use crate::model::made_claims::fitting;
use crate::model::namespace::Registry;
use crate::model::workload::deletes_its_claims;
use crate::model::{AppName, ClaimName, ClaimPath, Object};

/// Refuses a policy that deletes a claim named in `owns`.
///
/// # Errors
/// When there is one.
pub fn check(rules: &StorageRules, object: &Object) -> Result<()> {
    let patterns = claim_patterns(object);
    let deletes = deletes_its_claims(object);
    let Some(field) = deletes.first().filter(|_| !patterns.is_empty()) else {
        return Ok(());
    };
    let owns = named_in(rules, &rules.owns, object);
    let owned = patterns.iter().flat_map(|pattern| of_set(&owns, pattern)).min();
    if let Some(claim) = owned {
        bail!(
            "`persistentVolumeClaimRetentionPolicy.{field}: Delete` deletes the owned claim `{claim}`; set it to Retain"
        );
    }
    Ok(())
}

/// Returns notes about claims that a StatefulSet makes and that belong to another Application, as far as the parameters and
/// the registry tell.
pub fn notes(rules: &StorageRules, object: &Object) -> Vec<String> {
    let patterns = claim_patterns(object);
    if patterns.is_empty() {
        return Vec::new();
    }
    let namespace = object.namespace().unwrap_or(rules.destination.as_str());
    let note = |claim: &ClaimName, who: &str| {
        format!(
            "{} `{}` makes claim `{namespace}/{claim}`, which {who}: rename one of them",
            object.kind(),
            object.name()
        )
    };
    let registry = rules
        .registries
        .as_ref()
        .and_then(|registries| registries.get(namespace));
    let made = |registry| patterns.iter().flat_map(move |pattern| of_registry(registry, pattern));
    let others = registry
        .into_iter()
        .flat_map(made)
        .filter(|(_, owner)| **owner != rules.app);
    let mut notes: Vec<String> = others
        .map(|(claim, owner)| note(claim, &format!("Application `{owner}` owns")))
        .collect();
    let writes = named_in(rules, &rules.writes, object);
    let written = patterns.iter().flat_map(|pattern| of_set(&writes, pattern));
    notes.extend(written.map(|claim| note(claim, "the parameter `writes` names as another Application's")));
    notes
}

/// Returns the claims of a parameter that are in the namespace of an object.
fn named_in(rules: &StorageRules, parameter: &BTreeSet<ClaimPath>, object: &Object) -> BTreeSet<ClaimName> {
    let destination = rules.destination.as_str();
    let namespace = object.namespace().unwrap_or(destination);
    let here = parameter.iter().filter_map(|path| path.name_in(namespace, destination));
    here.cloned().collect()
}

/// Returns the claims of a set that a StatefulSet could make.
fn of_set<'c>(claims: &'c BTreeSet<ClaimName>, pattern: &str) -> impl Iterator<Item = &'c ClaimName> + use<'c> {
    let made = fitting(pattern, |range| claims.range::<str, _>(range).map(|claim| (claim, ())));
    made.into_iter().map(|(claim, ())| claim)
}

/// Returns the owned claims of a namespace that a StatefulSet could make, each with its owner.
fn of_registry<'r>(registry: &'r Registry, pattern: &str) -> Vec<(&'r ClaimName, &'r AppName)> {
    fitting(pattern, |range| registry.owners.range::<str, _>(range))
}
