//! HL129: a claim that leaves `owns` has data that nobody answers for any more.

use std::cell::LazyCell;

use super::owned_claim_is_still_rendered::{Reason, place};
use super::scope::Base;
use super::unrendered::{Unrendered, exists, forgotten, origin, unrendered};
use super::{Check, Finding, Location, Meta, Rule, Scope, Severity, keeper};
use crate::model::{AppName, ClaimRef};
use crate::repo::layout::NAMESPACES;

static META: Meta = Meta {
    id: "HL129",
    name: "owned-claim-is-not-forgotten",
    severity: Severity::Error,
    summary: "a claim that was in owns at the revision that --base names is owned, kept or released",
    why: "The guards keep a claim in the cluster when its Application goes or its chart asks for another one. But what nobody owns is \
in no registry: the lock lets its deletion through, other Applications may write it, and in half a year nobody knows whose data \
it is. After a rename it is worse: everything is Healthy, and the data is elsewhere.\n\n\
So a claim that leaves `owns` says where it goes: into `owns` of another Application, or into the parameter `keeps` of the source of \
the Namespaces (`media/films=jellyfin`), which `kubectl homelab remove-app` writes. Data that is not wanted any more is released first, \
by the parameter `releases`, in a commit of its own.\n\n\
The rule needs a revision to compare with, as `kubectl homelab validate --base main`. It is about claims that were rendered there, \
or that a StatefulSet or an operator of there makes. What does not render at that revision is skipped, and counted.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let Some(base) = scope.base() else { return Vec::new() };
    let forgotten = forgotten(scope, base).into_iter();
    let was_there = forgotten.filter(|(claim, _)| exists(&base.scope.claim(claim)));
    let unrendered = LazyCell::new(|| unrendered(scope, base));
    was_there
        .map(|(claim, owner)| {
            let goes_on = unrendered.iter().find(|found| found.claim == claim);
            of_claim(scope, base, (&claim, &owner), goes_on)
        })
        .collect()
}

/// `goes_on` is the Application that owned it, where it is still there and does not render it.
fn of_claim(
    scope: &Scope<'_>,
    base: &Base<'_>,
    (claim, owner): (&ClaimRef, &AppName),
    goes_on: Option<&Unrendered<'_, '_>>,
) -> Finding {
    let message = format!(
        "`{owner}` owned claim `{claim}` at `{}`, and nobody owns or keeps it now",
        base.revision
    );
    // The change that lost it is known where the Application goes on.
    if let Some(found) = goes_on
        && let Some(before) = origin(base, found)
    {
        let reason = Reason::of(scope, base, found, before);
        let finding = found.subject.finding(
            &META,
            format!("{message}: {}", reason.what),
            place(found.subject, claim),
        );
        return finding.hint(reason.hint);
    }
    let entry = format!("{claim}={}", owner.without_root());
    let keeper = keeper(scope, &claim.cluster, claim.namespace.as_str());
    let hint = match keeper {
        Some(keeper) => format!(
            "give it another owner, or add `{entry}` to the parameter `keeps` of Application `{}`, as `kubectl homelab remove-app` does",
            keeper.name
        ),
        None => format!(
            "give it another owner, or let an Application of the plugin sync its Namespace (`{NAMESPACES}`) and add `{entry}` to the parameter `keeps` there"
        ),
    };
    let subject = scope.subject(owner).or(keeper);
    let finding = match subject {
        Some(subject) if subject.name == *owner => subject.finding(&META, message, place(subject, claim)),
        Some(keeper) => keeper.finding(&META, message, keeper.source_pointer()),
        None => nowhere(scope, message),
    };
    finding.hint(hint)
}

/// Returns a finding where nothing in the repository is about the claim any more: at the root Application, or without a place.
fn nowhere(scope: &Scope<'_>, message: String) -> Finding {
    match scope.repo.root_application() {
        Some((root, _)) => Finding::new(&META, message, Location::of(root, "/spec")),
        None => Finding::placeless(&META, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{self, Case, claim, deployment, owns};
    use serde_json::{Value, json};

    fn compared(before: &Case, now: &Case) -> Vec<Finding> {
        now.findings_since(before, &RULE)
    }

    fn messages(before: &Case, now: &Case) -> Vec<String> {
        compared(before, now).into_iter().map(|found| found.message).collect()
    }

    fn set() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
            "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}})
    }

    /// Returns an Application that renders a claim and a StatefulSet, and owns their claims, beside the source of the Namespaces.
    fn before() -> Case {
        now(json!([]))
            .plugin("player", json!([owns(["films", "data-db-0", "of-an-operator"])]))
            .renders("player", [claim("films", json!({})), set()])
    }

    fn now(parameters: Value) -> Case {
        let mut spec = case::plugin_spec(parameters);
        spec["source"]["repoURL"] = json!(case::HOME);
        spec["source"]["path"] = json!("namespaces");
        Case::new().app("namespaces", spec).manifest(
            "namespaces/media.yaml",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media"}}),
        )
    }

    #[test]
    fn fires() {
        let found = compared(&before(), &now(json!([])));
        let lost =
            |claim: &str| format!("`player` owned claim `media/{claim}` at `main`, and nobody owns or keeps it now");
        let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, [lost("data-db-0"), lost("films")]);
        assert_eq!(
            found[0].location.as_ref().unwrap().file.as_str(),
            "applications/namespaces.yaml"
        );
        let only_entry = now(json!([])).plugin("player", json!([owns(["data-db-0"])]));
        let found = compared(&before(), &only_entry);
        assert_eq!(found.len(), 1, "{found:?}");
        let place = found[0].location.clone().unwrap();
        assert_eq!(
            format!("{} {}", place.file, place.pointer),
            "applications/player.yaml /spec/source/plugin/parameters/0"
        );
        let nowhere = Case::new().plugin("other", json!([]));
        assert_eq!(compared(&before(), &nowhere).len(), 2);
    }

    #[test]
    fn a_renamed_release_is_told() {
        let of = |name: &str| {
            let config = format!("{name}-config");
            let objects = [claim(&config, json!({})), deployment(name, &config, false, false)];
            let owned = json!([{"name": "owns", "array": [config]}]);
            Case::new().plugin(name, owned).renders(name, objects)
        };
        let found = compared(&of("jellyfin"), &of("jf"));
        assert_eq!(
            found[0].message,
            "`jellyfin` owned claim `media/jellyfin-config` at `main`, and nobody owns or keeps it now: the release was named `jellyfin` and is named `jf`"
        );
        let hint = found[0].hint.as_deref().unwrap();
        assert!(hint.starts_with("set the parameter `release-name: jellyfin`"), "{hint}");
    }

    #[test]
    fn a_changed_destination_is_told() {
        let with = |namespace: &str| {
            let mut spec = case::plugin_spec(json!([owns(["config"])]));
            spec["destination"]["namespace"] = json!(namespace);
            Case::new()
                .app("player", spec)
                .renders("player", [claim("config", json!({}))])
        };
        let found = compared(&with("media"), &with("films"));
        assert!(
            found[0]
                .message
                .ends_with("the destination namespace was `media` and is `films`")
        );
        assert!(found[0].hint.as_ref().unwrap().contains("`films/config` starts empty"));
        let place = found[0].location.clone().unwrap();
        assert_eq!(place.pointer.to_string(), "/spec/source/plugin/parameters/0/array/0");
    }

    #[test]
    fn stays_silent() {
        assert!(messages(&before(), &before()).is_empty());
        let kept = now(json!([{"name": "keeps", "array": ["media/films=player", "media/data-db-0=player"]}]));
        assert!(messages(&before(), &kept).is_empty());
        let owner = now(json!([])).plugin("other", json!([owns(["films", "data-db-0"])]));
        assert!(messages(&before(), &owner).is_empty());
        let released = now(json!([]))
            .plugin(
                "player",
                json!([owns(["films"]), {"name": "releases", "array": ["films"]}]),
            )
            .renders("player", [claim("films", json!({}))]);
        assert!(messages(&released, &now(json!([]))).is_empty(), "it was released");
        assert!(before().messages(&RULE).is_empty(), "there is no base");
        let unknown = now(json!([])).plugin("player", json!([owns(["films"])]));
        assert!(
            messages(&unknown, &now(json!([]))).is_empty(),
            "nobody knows whether there was a claim"
        );
    }

    #[test]
    fn says_the_way_out() {
        let hint = |now: &Case| compared(&before(), now)[1].hint.clone().unwrap();
        let with_keeper = hint(&now(json!([])));
        assert!(
            with_keeper.contains("add `media/films=player` to the parameter `keeps` of Application `namespaces`"),
            "{with_keeper}"
        );
        let without = hint(&Case::new().plugin("other", json!([])));
        assert!(
            without.contains("let an Application of the plugin sync its Namespace"),
            "{without}"
        );
    }
}
