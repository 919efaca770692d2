//! The claims of Applications that nothing renders, held against an earlier state of the repository.

use std::collections::BTreeSet;

use super::scope::Base;
use super::{Scope, Subject};
use crate::model::ownership::Claim;
use crate::model::{AppName, ClaimRef, repo_url};

/// A claim in `owns`, now or at the base, that no known Application renders now and no controller makes.
#[derive(Debug)]
pub(super) struct Unrendered<'s, 'a> {
    /// The Application that has it in `owns`, or what has become of the one that had it there at the base.
    pub(super) subject: &'s Subject<'a>,
    /// The claim.
    pub(super) claim: ClaimRef,
    /// Whether it is in `owns` now.
    pub(super) is_owned: bool,
}

/// Returns the claims that nothing renders now, of the Applications whose objects are known.
pub(super) fn unrendered<'s, 'a>(scope: &'s Scope<'a>, base: &'s Base<'a>) -> Vec<Unrendered<'s, 'a>> {
    let mut found = Vec::new();
    for subject in scope.subjects.iter().filter(|subject| subject.is_seen) {
        let owned = subject.owns().into_iter();
        found.extend(
            owned
                .filter(|claim| !exists(&scope.claim(claim)))
                .map(|claim| Unrendered {
                    subject,
                    claim,
                    is_owned: true,
                }),
        );
    }
    for before in &base.scope.subjects {
        let Some(subject) = successor(scope, base, before).filter(|subject| subject.is_seen) else {
            continue;
        };
        let owned = before.owns().into_iter();
        let is_gone = |claim: &ClaimRef| {
            let known = scope.claim(claim);
            !known.is_held() && !exists(&known)
        };
        found.extend(owned.filter(is_gone).map(|claim| Unrendered {
            subject,
            claim,
            is_owned: false,
        }));
    }
    found
}

/// Returns the claims that Applications had in `owns` at the base, each with the first of them, and that nobody owns or keeps now;
/// those that were released at the base are let go.
pub(super) fn forgotten(scope: &Scope<'_>, base: &Base<'_>) -> Vec<(ClaimRef, AppName)> {
    let claims = base.scope.ownership.claims();
    let declared = claims.filter(|(claim, known)| known.released_by.is_empty() && !scope.is_held(claim));
    let with_owner = declared.filter_map(|(claim, known)| Some((claim.clone(), known.declared_by.first()?.clone())));
    with_owner.collect()
}

/// Reports whether an Application renders a claim, or a controller makes it for one.
pub(super) fn exists(claim: &Claim) -> bool {
    !claim.rendered_by.is_empty() || !claim.made_for.is_empty()
}

/// Returns how much of two names is the same, at their start and their end.
pub(super) fn likeness(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let equal = |(one, other): &(&u8, &u8)| one == other;
    let start = one.iter().zip(other).take_while(equal).count();
    let end = one.iter().rev().zip(other.iter().rev()).take_while(equal).count();
    start + end
}

/// Returns the Application of the base that brought a claim: the one of the same name, else the first.
pub(super) fn origin<'s, 'a>(base: &'s Base<'a>, found: &Unrendered<'_, '_>) -> Option<&'s Subject<'a>> {
    let known = base.scope.claim(&found.claim);
    let apps: BTreeSet<_> = known.rendered_by.union(&known.made_for).collect();
    let same = apps.iter().find(|app| ***app == found.subject.name);
    base.scope.subject(same.or(apps.first())?)
}

/// Returns the Applications of the base that may have brought a claim, and whose objects are not known: the one that has it
/// now, and those that are gone.
pub(super) fn unknown_origins<'s, 'a>(
    scope: &'s Scope<'_>,
    base: &'s Base<'a>,
    found: &'s Unrendered<'_, '_>,
) -> impl Iterator<Item = &'s Subject<'a>> {
    let is_open = !exists(&base.scope.claim(&found.claim));
    let subjects = base.scope.subjects.iter().filter(move |_| is_open);
    subjects.filter(move |before| {
        let may_be = before.name == found.subject.name || scope.subject(&before.name).is_none();
        let (claim, namespace) = (&found.claim, before.namespace.as_ref());
        let is_there = before.cluster.may_be(&claim.cluster) && namespace.is_none_or(|name| *name == claim.namespace);
        !before.is_seen && may_be && is_there
    })
}

/// Returns what has become of an Application of the base: the one of its name, else the only new one with a source of it.
fn successor<'s, 'a>(scope: &'s Scope<'a>, base: &Base<'a>, before: &Subject<'_>) -> Option<&'s Subject<'a>> {
    let same = scope.subject(&before.name);
    let renamed = || {
        let is_new = |subject: &&Subject<'_>| base.scope.subject(&subject.name).is_none();
        let mut new = scope.subjects.iter().filter(is_new);
        let first = new.find(|subject| share_a_source(subject, before));
        first.filter(|_| !new.any(|subject| share_a_source(subject, before)))
    };
    same.or_else(renamed)
}

fn share_a_source(one: &Subject<'_>, other: &Subject<'_>) -> bool {
    one.sources.iter().any(|(source, _)| {
        other.sources.iter().any(|(of_other, _)| {
            repo_url::same(source.repo_url(), of_other.repo_url())
                && (source.path(), source.pulled_chart()) == (of_other.path(), of_other.pulled_chart())
        })
    })
}
