//! HL405: applying one file must bring everything.

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::repo::{Bringer, Repo};

static META: Meta = Meta {
    id: "HL405",
    name: "root-application-exists",
    severity: Severity::Warning,
    summary: "one Application syncs the folder of Applications",
    why: "Without a root Application somebody has to apply every Application by hand: on a new cluster from memory, and \
after each change to one of the files. What is removed from Git goes on running, because nobody prunes it. A root \
Application has the folder of Applications of this repository as its source; applying its one file brings the whole \
cluster back. `kubectl homelab init --force` adds it.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/cluster-bootstrapping/#app-of-apps-pattern-alternative",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let repo = scope.repo;
    // What is not known may be, or bring, the root.
    if repo.has_root() {
        return Vec::new();
    }
    let tree = repo.tree();
    // A set that somebody applies brings all that it generates.
    let mut by_hand = tree
        .iter()
        .filter(|branch| branch.bringer == Bringer::Hand && !branch.is_set());
    let Some(first) = by_hand.next().map(|branch| branch.manifest) else {
        return Vec::new();
    };
    let finding = Finding::new(
        &META,
        "no root Application syncs the Applications of this repository",
        Location::of(first, ""),
    );
    vec![finding.hint(format!("run `{}`", init_command(scope.repo)))]
}

/// Returns the command that adds what a repository lacks: the root Application, and the one for Namespaces.
pub fn init_command(repo: &Repo) -> &'static str {
    let needs_force = repo.applications().next().is_some() && !repo.has_root();
    match (needs_force, repo.own_urls.is_empty()) {
        (true, true) => "kubectl homelab init --force --repo-url URL",
        (true, false) => "kubectl homelab init --force",
        (false, true) => "kubectl homelab init --repo-url URL",
        (false, false) => "kubectl homelab init",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    fn case() -> Case {
        Case::new()
            .app("a", json!({"source": {"repoURL": "u"}}))
            .app("b", json!({"source": {"repoURL": "u"}}))
    }

    #[test]
    fn fires() {
        assert_eq!(
            case().messages(&RULE),
            ["no root Application syncs the Applications of this repository"]
        );
    }

    #[test]
    fn stays_silent() {
        let rooted = case().app("root", json!({"source": {"repoURL": HOME, "path": "applications"}}));
        assert!(rooted.messages(&RULE).is_empty());
        assert!(Case::new().messages(&RULE).is_empty(), "there is nothing to sync");
        let mut by_set = case().repo();
        by_set.unknown.push(crate::repo::Unknown {
            name: "apps".to_owned(),
            kind: "chart",
            place: (crate::repo::RepoPath::root(), 0),
            why: String::new(),
            hint: None,
        });
        let renders = crate::model::AppRenders::new();
        let scope = Scope::new(&by_set, &renders);
        assert!(check(&scope).is_empty(), "what is not rendered may be the root");
    }

    #[test]
    fn says_the_way_out() {
        assert_eq!(
            case().findings(&RULE)[0].hint.as_deref(),
            Some("run `kubectl homelab init --force`"),
        );
    }
}
