//! HL406: two files that mean one object overwrite each other.

use std::cell::LazyCell;
use std::collections::HashMap;

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::repo::{Bringers, Manifest};

static META: Meta = Meta {
    id: "HL406",
    name: "application-name-is-unique",
    severity: Severity::Error,
    summary: "no two Applications in the repository have the same name",
    why: "Two manifests of one Application are one object in the cluster: the last one that is applied wins, and Argo CD \
warns of a repeated resource. When the two differ, the objects of the one are pruned to make way for those of the other, \
claims included. Names have to differ even between namespaces of Argo CD: the owner of a claim is written as the \
Application's name without its namespace.\n\n\
Two roots or two ApplicationSets of one name are for two Argo CDs, such as one for production and one for a sandbox: what the \
one brings may have the names of what the other brings.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let bringers = LazyCell::new(|| Bringers::of(scope.repo));
    let mut seen: HashMap<&str, Vec<&Manifest>> = HashMap::new();
    let mut findings = Vec::new();
    for (manifest, app) in scope.repo.applications().filter(|(_, app)| !app.name().is_empty()) {
        let others = seen.entry(app.name()).or_default();
        let first = others
            .iter()
            .find(|other| !bringers.are_apart(other, manifest))
            .copied();
        others.push(manifest);
        let Some(first) = first else { continue };
        let place = if first.file == manifest.file {
            "the same file".to_owned()
        } else {
            format!("`{}`", first.file)
        };
        let name = scope.repo.app_name(manifest);
        let shown = name.as_ref().map_or(app.name(), |name| name.as_str());
        let message = format!("Application `{shown}` is also in {place}");
        let finding = Finding::new(&META, message, Location::of(manifest, "/metadata/name")).app(name);
        findings.push(finding.hint("rename one of the two, or remove it"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    fn application(case: Case, path: &str, name: &str) -> Case {
        case.manifest(path, json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}, "spec": {}}))
    }

    #[test]
    fn fires() {
        let case = application(
            application(Case::new(), "applications/a.yaml", "player"),
            "applications/b.yaml",
            "player",
        );
        assert_eq!(
            case.messages(&RULE),
            ["Application `player` is also in `applications/a.yaml`"]
        );
        assert_eq!(case.place(&RULE), "applications/b.yaml /metadata/name");
    }

    #[test]
    fn stays_silent() {
        let case = application(
            application(Case::new(), "applications/a.yaml", "a"),
            "applications/b.yaml",
            "b",
        );
        assert!(case.messages(&RULE).is_empty());
    }

    #[test]
    fn two_roots_of_one_name_are_two_instances() {
        let root = |case: Case, folder: &str, name: &str| {
            let app = |name: &str, path: &str| {
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name},
                    "spec": {"source": {"repoURL": HOME, "path": path}}})
            };
            case.manifest(&format!("{folder}/root.yaml"), app(name, &format!("{folder}/apps")))
                .manifest(&format!("{folder}/apps/player.yaml"), app("player", "charts/player"))
        };
        let apart = root(root(Case::new(), "production", "root"), "sandbox", "root");
        assert!(apart.messages(&RULE).is_empty(), "{:?}", apart.messages(&RULE));
        // Roots of two names are for one Argo CD.
        let one = root(root(Case::new(), "production", "root"), "sandbox", "other");
        assert_eq!(
            one.messages(&RULE),
            ["Application `player` is also in `production/apps/player.yaml`"]
        );
        // Within one of them it is one object.
        let within = application(apart, "sandbox/apps/copy.yaml", "player");
        assert_eq!(within.messages(&RULE).len(), 1);
        // What brings nothing is no root.
        let copy = application(application(Case::new(), "a/root.yaml", "root"), "b/root.yaml", "root");
        assert_eq!(copy.messages(&RULE).len(), 1);
    }

    #[test]
    fn says_the_way_out() {
        let case = application(
            application(Case::new(), "applications/a.yaml", "x"),
            "applications/b.yaml",
            "x",
        );
        assert_eq!(
            case.findings(&RULE)[0].hint.as_deref(),
            Some("rename one of the two, or remove it")
        );
    }
}
