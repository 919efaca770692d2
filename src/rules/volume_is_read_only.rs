//! HL108: read-only at the mount alone can be undone by the next container.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::PointerExt;
use serde_json::json;

static META: Meta = Meta {
    id: "HL108",
    name: "volume-is-read-only",
    severity: Severity::Warning,
    summary: "a consumer's volume is read-only, and not only its mounts",
    why: "`readOnly` on a mount binds that container only: a sidecar that is added later mounts the same volume read-write, \
and the kubelet still changes the group of the owner's files to the pod's `fsGroup`. `readOnly` under \
`persistentVolumeClaim` binds the whole pod and keeps the files' owners as they are. Set both; the plugin does.\n\n\
https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.finished() {
        let object = item.object();
        for (reference, volume) in subject.claim_volumes(item) {
            let claim = scope.claim(&reference);
            if !volume.is_read_only_at_mounts()
                || !claim.is_foreign_to(&subject.name)
                || claim.writers.contains(&subject.name)
            {
                continue;
            }
            let message = format!(
                "{} `{}` mounts claim `{reference}` read-only, but its volume is not",
                object.kind(),
                object.name()
            );
            let pointer = &volume.pointer;
            let finding = subject.finding_on(&META, message, item, pointer);
            let read_only = pointer.child("persistentVolumeClaim").child("readOnly");
            let operation = fixes::set(object.tree(), read_only, json!(true));
            let fix = item
                .patch(vec![operation])
                .map(|changes| Fix::safe("make the volume read-only", changes));
            findings.push(finding.fix_or_hint(fix, subject.convert_or_set("`persistentVolumeClaim.readOnly`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, deployment, owns};

    fn case(volume: bool, mount: bool) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/deployment.yaml", deployment("player", "audio", volume, mount))
    }

    #[test]
    fn fires() {
        let case = case(false, true);
        assert_eq!(
            case.messages(&RULE),
            ["Deployment `player` mounts claim `media/audio` read-only, but its volume is not"]
        );
        assert!(
            case.place(&RULE)
                .starts_with("player/deployment.yaml /spec/template/spec/volumes/0")
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(true, true).messages(&RULE).is_empty());
        assert!(case(false, false).messages(&RULE).is_empty(), "that is HL107's");
    }

    #[test]
    fn fix_removes_it() {
        assert_eq!(case(false, true).fixed(&RULE).matches("readOnly: true").count(), 2);
    }
}
