//! What becomes of the claims of an Application that goes: those that are kept, and those that are lost by name.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::failure::HintExt;
use crate::law::sync_options::with_guards;
use crate::model::application::FINALIZER;
use crate::model::claim::is_claim;
use crate::model::finalizer::deleting;
use crate::model::ownership::Claim;
use crate::model::sync::SYNC_OPTIONS;
use crate::model::{AppName, Availability, ClaimPath, ClaimRef, Object};
use crate::rules::{Scope, Subject};

/// The claims of an Application that is removed.
#[derive(Debug, Default)]
pub struct Claims {
    /// Those that stay, without an owner.
    pub kept: Vec<ClaimRef>,
    /// Those that are to be lost.
    pub lost: Vec<Lost>,
    /// Those that others own, too.
    shared: Vec<(ClaimRef, BTreeSet<AppName>)>,
    /// The others that use each.
    users: BTreeMap<ClaimRef, BTreeSet<AppName>>,
    /// Those that would be deleted with the Application: nothing guards them.
    unguarded: Vec<ClaimRef>,
}

/// A claim whose data is to be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The claim.
    pub claim: ClaimRef,
    /// How it goes.
    pub way: Way,
    /// What it asks for, as `5Gi`, where it is rendered.
    pub size: Option<String>,
}

/// How a claim goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It has guards, and no release yet.
    Unreleased,
    /// It was released.
    Released,
    /// Nothing guards it: it goes with its Application.
    Unguarded,
    /// No Git has it, since a StatefulSet or an operator made it: it is deleted by hand.
    ByHand,
}

impl Claims {
    /// Finds what becomes of the claims of an Application, of which `lost` are to be lost.
    ///
    /// # Errors
    /// When it does not own one of these, or cannot let it go.
    pub fn of(scope: &Scope<'_>, subject: &Subject<'_>, lost: &[ClaimPath]) -> Result<Self> {
        let mut claims = Self::default();
        let all = scope.ownership.claims();
        let own: Vec<(&ClaimRef, Claim)> = all.filter(|(_, claim)| claim.owners.contains(&subject.name)).collect();
        let (wanted, released) = (claims.wanted(subject, lost, &own)?, subject.releases());
        for (reference, claim) in own {
            let others: BTreeSet<AppName> = claim
                .owners
                .iter()
                .filter(|app| **app != subject.name)
                .cloned()
                .collect();
            if !others.is_empty() {
                claims.shared.push((reference.clone(), others));
                continue;
            }
            let users = claim.consumers.iter().chain(&claim.users).chain(&claim.writers);
            let users: BTreeSet<AppName> = users.filter(|app| **app != subject.name).cloned().collect();
            if !users.is_empty() {
                claims.users.insert(reference.clone(), users);
            }
            let object = rendered(subject, reference);
            let is_guarded = object.is_none_or(|object| is_guarded(subject, object));
            if wanted.contains(reference) {
                claims.lost.push(Lost {
                    claim: reference.clone(),
                    way: way(scope, subject, reference, (object, is_guarded))?,
                    size: object.and_then(size),
                });
                continue;
            }
            if released.contains(reference) && object.is_some() {
                return Err(anyhow!("claim `{reference}` is released, and would be deleted with `{}`", subject.name).hint(
                    "name it with `--delete-data`, or take it out of the parameter `releases` in a commit of its own, and keep it",
                ));
            }
            if !is_guarded && deletes(subject) {
                claims.unguarded.push(reference.clone());
            }
            claims.kept.push(reference.clone());
        }
        Ok(claims)
    }

    fn wanted(
        &self,
        subject: &Subject<'_>,
        lost: &[ClaimPath],
        own: &[(&ClaimRef, Claim)],
    ) -> Result<BTreeSet<ClaimRef>> {
        let mut wanted = BTreeSet::new();
        for path in lost {
            let claim = subject.claim(path);
            let found = own.iter().find(|(reference, _)| Some(*reference) == claim.as_ref());
            let Some((reference, known)) = found else {
                let names: Vec<String> = own.iter().map(|(claim, _)| format!("`{claim}`")).collect();
                let error = anyhow!("Application `{}` does not own claim `{path}`", subject.name);
                return Err(match names.is_empty() {
                    true => error.hint("leave out `--delete-data`: it owns none"),
                    false => error.hint(format!("name one of its own: {}", names.join(", "))),
                });
            };
            if known.owners.len() > 1 {
                let names: Vec<String> = known.owners.iter().map(|app| format!("`{app}`")).collect();
                return Err(anyhow!("claim `{reference}` has several owners: {}", names.join(", "))
                    .hint("leave it to one of them first"));
            }
            wanted.insert((*reference).clone());
        }
        Ok(wanted)
    }

    /// Refuses a removal that would delete data which nobody has named, or may.
    ///
    /// # Errors
    /// Names the claims, or why they are not known.
    pub(super) fn check_kept(&self, scope: &Scope<'_>, subject: &Subject<'_>) -> Result<()> {
        check_known(scope, subject)?;
        let names: Vec<String> = self.unguarded.iter().map(|claim| format!("`{claim}`")).collect();
        if names.is_empty() {
            return Ok(());
        }
        let error = anyhow!(
            "nothing guards {} of `{}`: Argo CD would delete it with the Application, with all data",
            names.join(", "),
            subject.name
        );
        Err(error.hint(format!(
            "guard it first, in a commit of its own: `kubectl homelab convert {0}` or `kubectl homelab validate --fix`; or lose it by name with `--delete-data`",
            subject.name
        )))
    }

    /// Refuses to remove an Application whose claims others use.
    ///
    /// # Errors
    /// Names them, and which claims.
    pub fn check_users(&self, accepted: bool) -> Result<()> {
        let of = |claim: &ClaimRef, users: &BTreeSet<AppName>| {
            let users: Vec<String> = users.iter().map(|app| format!("`{app}`")).collect();
            format!("`{claim}` by {}", users.join(", "))
        };
        let is_lost = |claim: &ClaimRef| self.lost.iter().any(|lost| lost.claim == *claim);
        if let Some((claim, users)) = self.users.iter().find(|(claim, _)| is_lost(claim)) {
            return Err(
                anyhow!("claim `{claim}` is to be deleted and is used: {}", of(claim, users)).hint(
                    "let these go first: their pods could not start, and while one mounts the claim it is not deleted",
                ),
            );
        }
        if accepted || self.users.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = self.users.iter().map(|(claim, users)| of(claim, users)).collect();
        Err(anyhow!("others use its claims: {}", all.join("; ")).hint(
            "let another Application own the claims, or let these go on with claims that nobody fills any more: `--orphan-consumers`",
        ))
    }

    /// Returns the claims that have to be released first.
    pub fn unreleased(&self) -> Vec<ClaimRef> {
        let unreleased = self.lost.iter().filter(|lost| lost.way == Way::Unreleased);
        unreleased.map(|lost| lost.claim.clone()).collect()
    }

    /// Returns the claims that were released before, and that go in this run.
    pub fn released(&self) -> impl Iterator<Item = &ClaimRef> {
        let released = self.lost.iter().filter(|lost| lost.way == Way::Released);
        released.map(|lost| &lost.claim)
    }

    /// Returns what the user has to know of them.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (claim, others) in &self.shared {
            let others: Vec<String> = others.iter().map(|app| format!("`{app}`")).collect();
            notes.push(format!("claim `{claim}` stays with {}", others.join(", ")));
        }
        for lost in self.lost.iter().filter(|lost| lost.way == Way::ByHand) {
            let claim = &lost.claim;
            notes.push(format!(
                "claim `{claim}` is in no Git, since a controller made it: once the Application is gone, delete it with `kubectl delete pvc {0} -n {1}`; where the lock holds it, first `kubectl homelab release pvc/{0} -n {1}`",
                claim.name, claim.namespace
            ));
        }
        notes
    }
}

/// Refuses to remove an Application that may render claims which nothing guards. The plugin guards all of its claims.
fn check_known(scope: &Scope<'_>, subject: &Subject<'_>) -> Result<()> {
    if subject.is_seen || subject.uses_homelab_plugin() || !deletes(subject) {
        return Ok(());
    }
    let (why, hint) = unknown(scope, subject);
    Err(anyhow!(
        "what `{}` renders is not known, and what it has of claims would be deleted with it: {why}",
        subject.name
    )
    .hint(hint)
    .hint(format!(
        "or let it go without its objects: take the finalizer `{FINALIZER}` off it first, in a commit of its own"
    )))
}

/// Returns why it is not known what an Application renders, and the next step.
fn unknown(scope: &Scope<'_>, subject: &Subject<'_>) -> (String, String) {
    match scope.renders.get(&subject.name) {
        Some(Availability::Unavailable(why)) => (why.to_string(), why.hint()),
        Some(Availability::Failed { message, hint, .. }) => (
            message.clone(),
            hint.clone().unwrap_or_else(|| "correct its source first".to_owned()),
        ),
        _ => ("it was not rendered".to_owned(), "render it first".to_owned()),
    }
}

/// Returns how a claim goes that is to be lost.
fn way(
    scope: &Scope<'_>,
    subject: &Subject<'_>,
    claim: &ClaimRef,
    (object, is_guarded): (Option<&Object>, bool),
) -> Result<Way> {
    if object.is_none() && !subject.is_seen {
        let (why, hint) = unknown(scope, subject);
        return Err(anyhow!("whether `{}` renders claim `{claim}` is not known: {why}", subject.name).hint(hint));
    }
    if object.is_none() {
        return Ok(Way::ByHand);
    }
    if subject.releases().contains(claim) {
        return Ok(Way::Released);
    }
    if subject.read_sources().next().is_some() {
        return Ok(Way::Unreleased);
    }
    if is_guarded {
        return Err(anyhow!("claim `{claim}` is guarded where it is written, and would stay").hint(format!(
            "take its guards off first, in a commit of its own, or move `{0}` to the plugin with `kubectl homelab convert {0}`",
            subject.name
        )));
    }
    Ok(Way::Unguarded)
}

/// Returns a claim as its Application renders it.
fn rendered<'s>(subject: &'s Subject<'_>, claim: &ClaimRef) -> Option<&'s Object> {
    let objects = subject.items.iter().map(|item| item.object());
    let mut claims = objects.filter(|object| is_claim(object));
    claims.find(|object| subject.claim_beside(object, object.name()).as_ref() == Some(claim))
}

/// Reports whether neither a prune nor the deletion of its Application deletes an object; what the plugin renders, it guards.
fn is_guarded(subject: &Subject<'_>, object: &Object) -> bool {
    let options = object.annotation(SYNC_OPTIONS).unwrap_or_default();
    let of_app = |key: &str| subject.app.sync_option(key) == Some("false");
    with_guards(options) == options || subject.uses_homelab_plugin() || of_app("Delete") && of_app("Prune")
}

/// Reports whether the deletion of an Application deletes its objects.
fn deletes(subject: &Subject<'_>) -> bool {
    !deleting(&subject.app).is_empty()
}

fn size(claim: &Object) -> Option<String> {
    claim
        .at("/spec/resources/requests/storage")
        .and_then(Value::as_str)
        .map(str::to_owned)
}
