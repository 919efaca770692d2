//! HL127: a StatefulSet can be configured to delete its claims.

use super::lock_is_current::is_on;
use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::law::stateful_sets::claim_patterns;
use crate::lock::Part;
use crate::model::workload::deletes_its_claims;
use crate::model::{Pointer, PointerExt};
use serde_json::json;

static META: Meta = Meta {
    id: "HL127",
    name: "stateful-set-retains-claims",
    severity: Severity::Warning,
    summary: "a StatefulSet keeps the claims of its templates",
    why: "The claims that a StatefulSet makes of its `volumeClaimTemplates` are not in Git: Argo CD does not track them, and \
no annotation in the chart guards them. With `persistentVolumeClaimRetentionPolicy` set to Delete the controller deletes \
them when the set goes (`whenDeleted`) or loses a replica (`whenScaled`), and with them the data. Retain is the default. A \
claim that is in `owns` and would be deleted so is an error of HL101.\n\n\
Once the lock is on (`kubectl homelab lock enable deletions`), `whenDeleted: Delete` is an error: the policy refuses to delete the \
claims that are registered, and a foreground deletion of the set, as Argo CD's, waits for that forever.\n\n\
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut locked = None;
    let owned = subject.numbered_owns();
    for item in &subject.items {
        let object = item.object();
        let deletes = deletes_its_claims(object);
        let patterns = claim_patterns(object);
        let namespace = subject.namespace_of(object);
        let owns = |pattern: &String| Some(owned.contains_key(&(namespace.clone()?, pattern.clone())));
        let owns_one = patterns.iter().any(|pattern| owns(pattern) == Some(true));
        if deletes.is_empty() || patterns.is_empty() || owns_one {
            continue;
        }
        let policy = Pointer::from_static("/spec/persistentVolumeClaimRetentionPolicy");
        let hangs =
            deletes.contains(&"whenDeleted") && *locked.get_or_insert_with(|| is_on(scope.repo, Part::Deletions));
        let message = format!(
            "StatefulSet `{}` deletes its claims: {} is Delete{}",
            object.name(),
            deletes.join(" and "),
            if hangs {
                ", so that its deletion waits for what the lock refuses"
            } else {
                ""
            }
        );
        let mut finding = subject.finding_on(&META, message, item, policy);
        if hangs {
            finding.severity = Severity::Error;
        }
        let retain = deletes
            .iter()
            .map(|when| fixes::replace(policy.child(*when), json!("Retain")))
            .collect();
        let fix = item
            .patch(retain)
            .map(|changes| Fix::safe("retain the claims", changes));
        findings.push(finding.fix_or_hint(fix, "set the retention policy to Retain in the chart's values"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, owns};

    fn set(policy: serde_json::Value) -> serde_json::Value {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}], "persistentVolumeClaimRetentionPolicy": policy}})
    }

    #[test]
    fn fires() {
        let both = set(json!({"whenDeleted": "Delete", "whenScaled": "Delete"}));
        let case = Case::new().helm("db").renders("db", [both]);
        assert_eq!(
            case.messages(&RULE),
            ["StatefulSet `db` deletes its claims: whenDeleted and whenScaled is Delete"]
        );
    }

    #[test]
    fn is_an_error_once_the_lock_is_on() {
        let spec = json!({"destination": {}, "source": {"repoURL": HOME, "path": "lock"}});
        let mut case = Case::new().helm("db").app("lock", spec);
        for (number, object) in crate::lock::deletions()
            .iter()
            .flat_map(crate::lock::Policy::objects)
            .enumerate()
        {
            case = case.manifest(&format!("lock/{number}.yaml"), object.tree().clone());
        }
        let scaled = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "scaled"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}], "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}});
        let case = case.renders("db", [set(json!({"whenDeleted": "Delete"})), scaled]);
        let severities: Vec<Severity> = case.findings(&RULE).iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Error, Severity::Warning]);
    }

    #[test]
    fn stays_silent() {
        let retained = Case::new()
            .helm("db")
            .renders("db", [set(json!({"whenScaled": "Retain"}))]);
        assert!(retained.messages(&RULE).is_empty());
        let owned = Case::new()
            .plugin("db", json!([owns(["data-db-0"])]))
            .renders("db", [set(json!({"whenScaled": "Delete"}))]);
        assert!(owned.messages(&RULE).is_empty(), "that is HL101's");
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .app(
                "db",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "db"}}),
            )
            .manifest("db/set.yaml", set(json!({"whenScaled": "Delete"})));
        assert!(case.fixed(&RULE).contains("whenScaled: Retain"));
    }
}
