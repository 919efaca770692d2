//! StatefulSets: their `volumeClaimTemplates` stay untouched (the API server refuses changes), the claims that
//! they make are their Application's own, and a retention policy that deletes an owned one is refused.

use anyhow::{Result, bail};

use super::StorageRules;
pub use crate::model::made_claims::{claim_prefixes, is_numbered};
use crate::model::workload::deletes_its_claims;
use crate::model::{ClaimName, Object};

/// Refuses a policy that deletes a claim named in `owns`.
///
/// # Errors
/// When there is one.
pub fn check(rules: &StorageRules, object: &Object) -> Result<()> {
    if object
        .namespace()
        .is_some_and(|namespace| namespace != rules.destination.as_str())
    {
        return Ok(());
    }
    let prefixes = claim_prefixes(object);
    let deletes = deletes_its_claims(object);
    let Some(field) = deletes.first().filter(|_| !prefixes.is_empty()) else {
        return Ok(());
    };
    let owned = rules
        .owns
        .iter()
        .find(|claim| prefixes.iter().any(|prefix| is_numbered(prefix, claim.as_str())));
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
    let prefixes = claim_prefixes(object);
    if prefixes.is_empty() {
        return Vec::new();
    }
    let is_made = |claim: &&ClaimName| prefixes.iter().any(|prefix| is_numbered(prefix, claim.as_str()));
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
    let owners = registry.map(|registry| &registry.owners).into_iter().flatten();
    let others = owners.filter(|(claim, owner)| **owner != rules.app && is_made(claim));
    let mut notes: Vec<String> = others
        .map(|(claim, owner)| note(claim, &format!("Application `{owner}` owns")))
        .collect();
    if namespace == rules.destination.as_str() {
        let written = rules.writes.iter().filter(is_made);
        notes.extend(written.map(|claim| note(claim, "the parameter `writes` names as another Application's")));
    }
    notes
}
