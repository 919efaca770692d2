//! HL119: what renders a claim no more uses another one, and that one is empty.

use std::collections::BTreeSet;

use super::scope::Base;
use super::unrendered::{Unrendered, likeness, origin, unrendered};
use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim::is_claim;
use crate::model::{ClaimPath, ClaimRef, PointerBuf};

static META: Meta = Meta {
    id: "HL119",
    name: "owned-claim-is-still-rendered",
    severity: Severity::Warning,
    summary: "a claim in owns that was rendered at the revision that --base names is still rendered",
    why: "The guards keep a claim that is not rendered any more, with all its data. But the workload that used it starts on \
another one, which is empty, and everything is Healthy. Most charts name their claims after the release, and the release is \
named after the Application: after `jellyfin` was renamed to `jf`, its chart asks for `jf-config`. Adding the new name to \
`owns` alone does not bring the data back.\n\n\
The parameter `release-name` keeps the old name of the release, and with it the names of all objects. Another destination \
namespace has the same effect as another name: a claim stays where it is. Where a chart or its values have changed, let it use \
the old name (`existingClaim` in many charts), or copy the data first. Then take the claim out of `owns`, and put it into `keeps` of \
the source of the Namespaces, until the old data is not needed any more (HL129).\n\n\
The rule needs a revision to compare with, as `kubectl homelab validate --base main`; without one it finds nothing, since \
claims that StatefulSets and operators make may be in `owns`, too. What does not render at that revision is skipped, and \
counted.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-release-name",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let Some(base) = scope.base() else { return Vec::new() };
    let found = unrendered(scope, base).into_iter();
    // One that is not in `owns` any more is HL129's.
    let owned = found.filter(|found| found.is_owned);
    owned.filter_map(|found| of_claim(scope, base, &found)).collect()
}

fn of_claim(scope: &Scope<'_>, base: &Base<'_>, found: &Unrendered<'_, '_>) -> Option<Finding> {
    let before = origin(base, found)?;
    let (subject, claim) = (found.subject, &found.claim);
    let was_made = base.scope.claim(claim).rendered_by.is_empty();
    let was = match was_made {
        true => format!("a controller made claim `{claim}` at `{}`", base.revision),
        false => format!("claim `{claim}` was rendered at `{}`", base.revision),
    };
    let now = if was_made { "none does now" } else { "it is not now" };
    let reason = Reason::of(scope, base, found, before);
    let message = format!("{was}, and {now}: {}", reason.what);
    Some(subject.finding(&META, message, place(subject, claim)).hint(reason.hint))
}

/// Returns the place of a claim in `owns`, else that of the parameter or of the source.
pub(super) fn place(subject: &Subject<'_>, claim: &ClaimRef) -> PointerBuf {
    let is_it = |path: &&ClaimPath| subject.claim(path).as_ref() == Some(claim);
    let mut sources = subject.read_sources();
    let owner =
        sources.find_map(|(source, parameters)| Some((source, parameters.owns.iter().find(is_it)?.to_string())));
    let first = || Some((subject.read_sources().next()?.0, claim.name.to_string()));
    owner.or_else(first).map_or_else(
        || subject.source_pointer(),
        |(source, entry)| source.entries("owns", str::to_owned).at(&entry),
    )
}

/// The reason why a claim is not rendered any more, as far as it can be told.
pub(super) struct Reason {
    /// What has changed, in a sentence.
    pub(super) what: String,
    /// The next step.
    pub(super) hint: String,
}

impl Reason {
    pub(super) fn of(scope: &Scope<'_>, base: &Base<'_>, found: &Unrendered<'_, '_>, before: &Subject<'_>) -> Self {
        let new = new_claims(scope, base, found.subject);
        Self::destination(found, before)
            .or_else(|| Self::release(found, before, &new))
            .unwrap_or_else(|| Self::source(found, before, &new))
    }

    /// Returns the reason where the Application deploys to another place.
    fn destination(found: &Unrendered<'_, '_>, before: &Subject<'_>) -> Option<Self> {
        let (subject, claim) = (found.subject, &found.claim);
        let (namespace, other) = (before.namespace.as_ref()?, subject.namespace.as_ref()?);
        let what = match (namespace == other, before.cluster.may_be(&subject.cluster)) {
            (false, _) => format!("the destination namespace was `{namespace}` and is `{other}`"),
            (true, false) => format!(
                "the destination cluster was `{}` and is `{}`",
                before.cluster, subject.cluster
            ),
            (true, true) => return None,
        };
        let hint = format!(
            "set the destination back, or copy the data: a claim stays in its namespace, and `{other}/{}` starts empty",
            claim.name
        );
        Some(Self { what, hint })
    }

    /// Returns the reason where the release has another name, and the chart names its objects after it.
    fn release(found: &Unrendered<'_, '_>, before: &Subject<'_>, new: &BTreeSet<ClaimRef>) -> Option<Self> {
        let subject = found.subject;
        let (old, now) = (releases(before), releases(subject));
        let in_name = old
            .difference(&now)
            .filter(|release| found.claim.name.as_str().contains(**release));
        let release = in_name.max_by_key(|release| release.len())?;
        let new_release = now.difference(&old).find(|release| is_in_names(subject, release))?;
        let starts_empty = match closest(&found.claim, new) {
            Some(claim) => format!("; `{claim}` starts empty"),
            None => String::new(),
        };
        Some(Self {
            what: format!("the release was named `{release}` and is named `{new_release}`"),
            hint: format!(
                "set the parameter `release-name: {release}`, so that the chart names its objects as before{starts_empty}"
            ),
        })
    }

    /// Returns the reason where the source renders something else.
    fn source(found: &Unrendered<'_, '_>, before: &Subject<'_>, new: &BTreeSet<ClaimRef>) -> Self {
        let subject = found.subject;
        let revisions = |subject: &Subject<'_>| -> Vec<String> {
            let sources = subject.sources.iter();
            sources.map(|(source, _)| source.target_revision().to_owned()).collect()
        };
        let (old, now) = (revisions(before), revisions(subject));
        let changed = old.iter().zip(&now).find(|(old, now)| old != now);
        let instead =
            closest(&found.claim, new).map(|claim| format!(", and `{claim}` is rendered, which starts empty"));
        let what = match changed {
            Some((old, now)) => format!("the source was at `{old}` and is at `{now}`"),
            None => format!("Application `{}` renders other objects", subject.name),
        };
        Self {
            what: what + &instead.unwrap_or_default(),
            hint: "let the chart use the claim again, or copy its data to the one that replaces it".to_owned(),
        }
    }
}

/// Returns the names of the Helm releases.
fn releases<'s>(subject: &'s Subject<'_>) -> BTreeSet<&'s str> {
    let sources = subject.read_sources();
    let names = sources.map(|(_, parameters)| parameters.release_name.as_deref());
    names.map(|name| name.unwrap_or(subject.name.as_str())).collect()
}

fn is_in_names(subject: &Subject<'_>, release: &str) -> bool {
    let mut objects = subject.items.iter().map(|item| item.object());
    objects.any(|object| object.name().contains(release))
}

/// Returns the claims that an Application renders now and nothing rendered at the base.
fn new_claims(scope: &Scope<'_>, base: &Base<'_>, subject: &Subject<'_>) -> BTreeSet<ClaimRef> {
    let objects = subject.items.iter().map(|item| item.object());
    let claims = objects.filter(|object| is_claim(object));
    let claims = claims.filter_map(|object| subject.claim_beside(object, object.name()));
    let is_new = |claim: &ClaimRef| base.scope.claim(claim).rendered_by.is_empty();
    let is_known = |claim: &ClaimRef| scope.claim(claim).rendered_by.contains(&subject.name);
    claims.filter(|claim| is_new(claim) && is_known(claim)).collect()
}

/// Returns the claim whose name has most in common with that of a claim, at its start and its end.
fn closest<'c>(claim: &ClaimRef, others: &'c BTreeSet<ClaimRef>) -> Option<&'c ClaimRef> {
    let common = |other: &ClaimRef| likeness(claim.name.as_str(), other.name.as_str());
    let best = others.iter().max_by_key(|other| common(other));
    best.filter(|other| common(other) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppName, Availability, Unavailable};
    use crate::rules::case::{self, Case, claim, deployment, owns};
    use crate::rules::{CheckReport, Finding};
    use serde_json::{Value, json};

    /// Returns the findings of a repository compared with an earlier state of it.
    fn compared(before: &Case, now: &Case) -> Vec<Finding> {
        now.findings_since(before, &RULE)
    }

    fn messages(before: &Case, now: &Case) -> Vec<String> {
        compared(before, now).into_iter().map(|found| found.message).collect()
    }

    /// Returns an Application that owns `jellyfin-config` and renders a claim and a Deployment after its release.
    fn jellyfin(name: &str, release: &str, owned: [&str; 1]) -> Case {
        let mut parameters = vec![owns(owned)];
        if release != name {
            parameters.push(json!({"name": "release-name", "string": release}));
        }
        let config = format!("{release}-config");
        let objects = [claim(&config, json!({})), deployment(release, &config, false, false)];
        Case::new()
            .plugin(name, Value::Array(parameters))
            .renders(name, objects)
    }

    #[test]
    fn fires() {
        let before = jellyfin("jellyfin", "jellyfin", ["jellyfin-config"]);
        let renamed = jellyfin("jf", "jf", ["jellyfin-config"]);
        assert_eq!(
            messages(&before, &renamed),
            [
                "claim `media/jellyfin-config` was rendered at `main`, and it is not now: the release was named `jellyfin` and is named `jf`"
            ]
        );
        let place = compared(&before, &renamed)[0].location.clone().unwrap();
        assert_eq!(place.pointer.to_string(), "/spec/source/plugin/parameters/0/array/0");
        let only_new_name = jellyfin("jf", "jf", ["jf-config"]);
        assert!(messages(&before, &only_new_name).is_empty(), "that is HL129's");
        let other_release = jellyfin("jellyfin", "tv", ["jellyfin-config"]);
        assert!(messages(&before, &other_release)[0].ends_with("the release was named `jellyfin` and is named `tv`"));
        let other_claim = Case::new()
            .plugin("jellyfin", json!([owns(["jellyfin-config"])]))
            .renders("jellyfin", [claim("jellyfin-data", json!({}))]);
        assert!(messages(&before, &other_claim)[0].ends_with(
            "Application `jellyfin` renders other objects, and `media/jellyfin-data` is rendered, which starts empty"
        ));
    }

    #[test]
    fn a_claim_of_a_stateful_set_counts() {
        let set = |name: &str| {
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
                "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}})
        };
        let with = |name: &str| {
            Case::new()
                .plugin(name, json!([owns(["data-db-0"])]))
                .renders(name, [set(name)])
        };
        assert!(messages(&with("db"), &with("db")).is_empty());
        assert!(
            messages(&with("db"), &with("sql"))[0].starts_with("a controller made claim `media/data-db-0` at `main`")
        );
    }

    #[test]
    fn stays_silent() {
        let before = jellyfin("jellyfin", "jellyfin", ["jellyfin-config"]);
        let kept = jellyfin("jf", "jellyfin", ["jellyfin-config"]);
        assert!(messages(&before, &before).is_empty() && messages(&before, &kept).is_empty());
        let renamed = jellyfin("jf", "jf", ["jellyfin-config"]);
        assert!(renamed.messages(&RULE).is_empty(), "there is no base");
        let never_rendered = Case::new()
            .plugin("db", json!([owns(["of-an-operator"])]))
            .renders("db", []);
        assert!(messages(&never_rendered, &never_rendered).is_empty());
        let moved = Case::new()
            .plugin("other", json!([owns(["jellyfin-config"])]))
            .renders("other", [claim("jellyfin-config", json!({}))]);
        assert!(messages(&before, &moved).is_empty(), "another one renders it");
        let unknown = Case::new().plugin("jf", json!([owns(["jellyfin-config"])]));
        assert!(messages(&before, &unknown).is_empty(), "nobody knows what it renders");
    }

    #[test]
    fn says_the_way_out() {
        let before = jellyfin("jellyfin", "jellyfin", ["jellyfin-config"]);
        let found = compared(&before, &jellyfin("jf", "jf", ["jellyfin-config"]));
        assert_eq!(
            found[0].hint.as_deref(),
            Some(
                "set the parameter `release-name: jellyfin`, so that the chart names its objects as before; `media/jf-config` starts empty"
            )
        );
    }

    #[test]
    fn what_the_base_does_not_render_is_skipped_where_it_matters() {
        let before = Case::new().plugin("jellyfin", json!([owns(["jellyfin-config"])]));
        let skipped = |now: &Case| {
            let (old, repo) = (before.repo(), now.repo());
            let missing = Unavailable::NotCloned {
                url: case::HOME.to_owned(),
            };
            let renders = [(AppName::new("jellyfin").unwrap(), Availability::Unavailable(missing))];
            let renders = renders.into_iter().collect();
            let base = Base {
                revision: "main",
                scope: Scope::new(&old, &renders),
            };
            let report = CheckReport::of(&Scope::new(&repo, now.app_renders()).since(base));
            let skipped = report
                .left_out()
                .map(|skipped| format!("{} {}", skipped.kind, skipped.name));
            skipped.collect::<Vec<_>>()
        };
        assert_eq!(
            skipped(&jellyfin("jf", "jf", ["jellyfin-config"])),
            ["base Application jellyfin"]
        );
        assert_eq!(
            skipped(&jellyfin("jf", "jf", ["jf-config"])),
            ["base Application jellyfin"]
        );
        assert!(skipped(&jellyfin("jellyfin", "jellyfin", ["jellyfin-config"])).is_empty());
    }
}
