//! `grant` and `revoke`: who may write a claim besides its owner.

use anyhow::Result;

use super::mount::nothing;
use super::parameters::{Target, entries};
use super::{Edit, KnownClaim, RuleGate};
use crate::model::{ClaimPath, ClaimRef, NamespaceName, Source};

/// Lets an Application write a claim that another one owns: in each of its sources, since none sees the others.
///
/// # Errors
/// When there is no place for the parameter, or the Application does not render with it.
pub fn grant(target: &Target<'_>, known: &KnownClaim) -> Result<(Edit, RuleGate)> {
    let (name, claim) = (&target.name, &known.claim);
    let message = format!("Let {name} write claim {claim}");
    if known.owners.contains(name) {
        return Ok(nothing(
            message,
            format!("`{name}` owns claim `{claim}`, and writes it without a grant"),
        ));
    }
    let destination = target.app()?.namespace_name();
    let mut positions = Vec::new();
    for position in target.positions() {
        let writes = target.parameters(position)?.writes;
        if !writes.iter().any(|path| is_claim(path, destination.as_ref(), claim)) {
            positions.push(position);
        }
    }
    if positions.is_empty() {
        return Ok(nothing(message, format!("`{name}` may write claim `{claim}` already")));
    }
    let path = ClaimPath::of(claim, destination.as_ref());
    let edit = |_: usize, source: &Source<'_>| entries::add_to_parameter(source, "writes", std::slice::from_ref(&path));
    let changed = target.change(&positions, &edit)?;
    let (mut edit, gate) = target.finish(changed, message);
    edit.notes.extend(known.doubt.iter().cloned());
    if destination.as_ref() != Some(&claim.namespace) {
        edit.notes.push(format!(
            "it counts for what `{name}` renders for namespace `{}`: a pod mounts claims of its own namespace only",
            claim.namespace
        ));
    }
    if let Some(owner) = known.owners.first() {
        edit.notes.push(format!(
            "from its next sync on, `{name}` can change and delete the data of `{owner}` in claim `{claim}`: `validate` shows it as HL123"
        ));
    }
    Ok((edit, gate))
}

/// Takes the right to write a claim from an Application.
///
/// # Errors
/// When it has the claim where it cannot be made read-only, or there is no place for the change.
pub fn revoke(target: &Target<'_>, claim: &ClaimRef) -> Result<(Edit, RuleGate)> {
    let name = &target.name;
    let message = format!("Let {name} only read claim {claim}");
    let destination = target.app()?.namespace_name();
    let is_it = |path: &ClaimPath| is_claim(path, destination.as_ref(), claim);
    let mut positions = Vec::new();
    for position in target.positions() {
        if target.parameters(position)?.writes.iter().any(is_it) {
            positions.push(position);
        }
    }
    if positions.is_empty() {
        return Ok(nothing(
            message,
            format!("`{name}` has no grant for claim `{claim}`: it is not in `writes`"),
        ));
    }
    let is_entry = |entry: &str| entry.parse::<ClaimPath>().is_ok_and(|path| is_it(&path));
    let edit = |_: usize, source: &Source<'_>| entries::remove_from_parameter(source, "writes", is_entry);
    let changed = target.change(&positions, &edit)?;
    let (mut edit, gate) = target.finish(changed, message);
    edit.notes.push(format!(
        "from its next sync on, `{name}` only reads claim `{claim}`; its pods start again"
    ));
    Ok((edit, gate))
}

/// Reports whether an entry of a parameter means a claim.
pub(super) fn is_claim(path: &ClaimPath, destination: Option<&NamespaceName>, claim: &ClaimRef) -> bool {
    path.namespace_in(destination) == Some(&claim.namespace) && path.name == claim.name
}
