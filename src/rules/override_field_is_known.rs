//! HL320: a file of overrides has only fields that Argo CD takes from it.

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::model::argocd_schema::{self, Fault, What};
use crate::repo::Override;
use crate::repo::overrides::PLACE;

static META: Meta = Meta {
    id: "HL320",
    name: "override-field-is-known",
    severity: Severity::Error,
    summary: "a file `.argocd-source.yaml` has only fields that Argo CD takes from it",
    why: "Argo CD reads `.argocd-source.yaml` and `.argocd-source-<application>.yaml` in a source's folder as parts of the source, \
and passes over every field that a source does not have: with `plugins:` or `parameters:` at the top the Application is \
rendered as if the file were not there, by Argo CD's own tools and without guards. It also ignores `repoURL`, `path`, `chart` \
and `targetRevision`, which only the Application can set. Nobody says so.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    scope.repo.overrides.values().flat_map(of_file).collect()
}

fn of_file(one: &Override) -> Vec<Finding> {
    let unknown = argocd_schema::unknown_in_source(&one.patch);
    let mut findings: Vec<Finding> = unknown.iter().map(|fault| of_unknown(one, fault)).collect();
    for field in PLACE.iter().filter(|field| one.patch.get(**field).is_some()) {
        let message = format!("Argo CD ignores `{field}` in this file: only the Application can set it");
        let pointer = crate::model::PointerBuf::from_tokens([*field]);
        let finding = Finding::new(&META, message, location(one, pointer));
        findings.push(finding.hint(format!("remove it, and set `{field}` in the Application")));
    }
    findings
}

fn of_unknown(one: &Override, fault: &Fault) -> Finding {
    let keys: Vec<_> = fault.pointer.tokens().map(|key| key.decoded().into_owned()).collect();
    let (field, above) = match keys.split_last() {
        Some((field, above)) => (field.as_str(), above.join(".")),
        None => ("", String::new()),
    };
    let has = if above.is_empty() {
        "a source has".to_owned()
    } else {
        format!("`{above}` has")
    };
    let version = argocd_schema::version();
    let message = format!("{has} no field `{field}` in Argo CD {version}: it is ignored");
    let finding = Finding::new(&META, message, location(one, fault.pointer.clone()));
    finding.hint(match &fault.what {
        What::Unknown {
            nearest: Some((right, _)),
        } => format!("`{right}` seems to be meant"),
        _ if field == "parameters" && above.is_empty() => "put it below `plugin` or `helm`".to_owned(),
        _ => "remove it, or look up the field that is meant".to_owned(),
    })
}

fn location(one: &Override, pointer: crate::model::PointerBuf) -> Location {
    Location {
        file: one.file.clone(),
        document: 0,
        pointer,
        bytes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    fn case(text: &str) -> Case {
        let app = |path: &str| json!({"source": {"repoURL": HOME, "path": path}});
        Case::new()
            .app("root", app("applications"))
            .app("player", app("apps/player"))
            .file("apps/player/.argocd-source.yaml", text)
    }

    #[test]
    fn fires() {
        let version = argocd_schema::version();
        let one = case("plugins: {name: homelab-v1}\n");
        assert_eq!(
            one.messages(&RULE),
            [format!(
                "a source has no field `plugins` in Argo CD {version}: it is ignored"
            )]
        );
        assert_eq!(one.place(&RULE), "apps/player/.argocd-source.yaml /plugins");
        let nested = case("plugin: {name: homelab-v1, parameters: [{name: owns, arrays: [a]}]}\npath: apps/other\n");
        assert_eq!(
            nested.messages(&RULE),
            [
                format!("`plugin.parameters.0` has no field `arrays` in Argo CD {version}: it is ignored"),
                "Argo CD ignores `path` in this file: only the Application can set it".to_owned()
            ]
        );
    }

    #[test]
    fn stays_silent() {
        // image-updater writes `forcestring`, and Argo CD takes it.
        for text in [
            "helm: {parameters: [{name: a, value: '1', forcestring: true}], valuesObject: {any: thing}}\n",
            "kustomize: {images: [a], commonLabels: {any: thing}}\n",
            "plugin: null\n",
        ] {
            assert!(case(text).messages(&RULE).is_empty(), "{text}");
        }
        let elsewhere = Case::new().file("apps/other/.argocd-source.yaml", "plugins: {}\n");
        assert!(elsewhere.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let hint = |text: &str| case(text).findings(&RULE)[0].hint.clone().unwrap();
        assert_eq!(hint("plugins: {}\n"), "`plugin` seems to be meant");
        assert_eq!(hint("parameters: []\n"), "put it below `plugin` or `helm`");
        assert_eq!(hint("chart: a\n"), "remove it, and set `chart` in the Application");
    }
}
