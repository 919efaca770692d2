//! HL406: two files that mean one object overwrite each other.

use std::collections::BTreeMap;

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::repo::Manifest;

static META: Meta = Meta {
    id: "HL406",
    name: "application-name-is-unique",
    severity: Severity::Error,
    summary: "no two Applications in the repository have the same name",
    why: "Two manifests of one Application are one object in the cluster: the last one that is applied wins, and Argo CD \
warns of a repeated resource. When the two differ, the objects of the one are pruned to make way for those of the other, \
claims included. Names have to differ even between namespaces of Argo CD: the owner of a claim is written as the \
Application's name without its namespace.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut seen: BTreeMap<&str, &Manifest> = BTreeMap::new();
    let mut findings = Vec::new();
    for (manifest, app) in scope.repo.applications().filter(|(_, app)| !app.name().is_empty()) {
        let Some(first) = seen.get(app.name()) else {
            seen.insert(app.name(), manifest);
            continue;
        };
        let place = if first.file == manifest.file {
            "the same file".to_owned()
        } else {
            format!("`{}`", first.file)
        };
        let message = format!("Application `{}` is also in {place}", app.name());
        let finding = Finding::new(&META, message, Location::of(manifest, "/metadata/name")).app(app.app_name());
        findings.push(finding.hint("rename one of the two, or remove it"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
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
