//! HL103: `helm.sh/resource-policy: keep` does not keep a claim from being pruned.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::sync::{RESOURCE_POLICY, SYNC_OPTIONS, entries, value};

static META: Meta = Meta {
    id: "HL103",
    name: "resource-policy-is-not-sole-guard",
    severity: Severity::Warning,
    summary: "an owned claim does not rely on helm.sh/resource-policy alone",
    why: "Many charts put `helm.sh/resource-policy: keep` on their claims, and their documentation promises that the data \
stays. Under Argo CD that holds only when the whole Application is deleted: on a prune the annotation is not read, and a \
claim that the next version of the chart renames is deleted with its data. Such a claim looks protected and is not, which \
is why it is pointed out beside HL101. Let the plugin render the source, or add `Prune=false,Delete=false`.\n\n\
https://github.com/argoproj/argo-cd/issues/17819",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.kept_storage() {
        let object = item.object();
        let prune = value(entries(object, SYNC_OPTIONS), "Prune").or_else(|| subject.app.sync_option("Prune"));
        if object.annotation(RESOURCE_POLICY) != Some("keep") || prune == Some("false") {
            continue;
        }
        let message = format!(
            "`{}/{}` relies on `helm.sh/resource-policy: keep`, which a prune does not read",
            object.kind(),
            object.name()
        );
        let finding = subject.finding_on(&META, message, item, "/metadata/annotations");
        let fix = item
            .patch(vec![fixes::guard(object)])
            .map(|changes| Fix::safe("add Prune=false and Delete=false to its sync options", changes));
        findings.push(finding.fix_or_hint(fix, subject.convert_or_set("`argocd.argoproj.io/sync-options`")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim};
    use serde_json::json;

    #[test]
    fn fires() {
        let case = Case::new()
            .helm("fetcher")
            .renders("fetcher", [claim("audio", json!({RESOURCE_POLICY: "keep"}))]);
        assert_eq!(
            case.messages(&RULE),
            ["`PersistentVolumeClaim/audio` relies on `helm.sh/resource-policy: keep`, which a prune does not read"]
        );
    }

    #[test]
    fn stays_silent() {
        let both = json!({RESOURCE_POLICY: "keep", SYNC_OPTIONS: "Prune=false,Delete=false"});
        let case = Case::new()
            .helm("fetcher")
            .renders("fetcher", [claim("audio", both), claim("films", json!({}))]);
        assert!(case.messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .app(
                "storage",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "storage"}}),
            )
            .manifest("storage/audio.yaml", claim("audio", json!({RESOURCE_POLICY: "keep"})));
        let text = case.fixed(&RULE);
        assert!(text.contains("Prune=false,Delete=false"), "{text}");
    }
}
