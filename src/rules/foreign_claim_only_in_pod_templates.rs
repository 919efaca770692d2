//! HL126: a claim of another Application is named only where it can be made read-only.

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::law::read_only::WAYS_OUT;
use crate::law::texts::{self, NamedClaim};
use crate::model::claim_use::{Access, Embedded, PlaceUse, TextUse, claim_uses};

static META: Meta = meta(Severity::Error);
/// The same where nobody knows whether a claim is written.
static WARNING: Meta = meta(Severity::Warning);

const fn meta(severity: Severity) -> Meta {
    Meta {
        id: "HL126",
        name: "foreign-claim-only-in-pod-templates",
        severity,
        summary: "a foreign claim is named only where it can be made read-only",
        why: "The plugin finds pod specs in every kind, a list `containers` beside `volumes`, and makes foreign claims \
read-only there. Some kinds name a claim elsewhere (`persistentVolumeClaim.claimName`, or `destinationPVC` of VolSync's \
ReplicationDestination), and their operator makes the pods. There nobody can force a claim to be read-only, so that this is \
an error, and the plugin refuses to render it. The same holds for texts that the cluster reads as a part of a manifest, such as \
`podSpecPatch` and `resource.manifest` of Argo Workflows.\n\n\
If the operator has to write the claim, declare that with the parameter `writes`. Else make it read-only in that kind's own way: \
`readOnly: true` beside `claimName`, or `readonly: true` at the disk of a virtual machine. The parameter `patches` can \
change the object.\n\n\
It is a warning where another key `claimName`, or a text that nobody may ever apply (a manifest in a ConfigMap), names a claim \
that an Application owns, since it may mean something else; and where a claim is read-only in a kind whose CRD nobody checked. A CRD without the field `readOnly` drops it: Argo CD \
shows the object as OutOfSync, and the pod writes.",
    }
}

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in &subject.items {
        let uses = claim_uses(item.object());
        let mut unchecked = uses.volumes.into_iter().map(|volume| PlaceUse {
            manifest: volume.manifest,
            pointer: volume.pointer,
            claim: volume.claim,
            access: Access::Reads,
        });
        let named = |place: PlaceUse<'_>| named(scope, subject, item, &place);
        findings.extend(uses.places.into_iter().filter_map(named));
        // One for each object is enough.
        findings.extend(unchecked.find_map(named));
        for text in &uses.texts {
            findings.extend(in_text(scope, subject, item, text));
        }
    }
    findings
}

/// Returns the findings about a text that holds a part of a manifest.
fn in_text(scope: &Scope<'_>, subject: &Subject<'_>, item: &Item<'_>, text: &TextUse<'_>) -> Vec<Finding> {
    let claims = texts::claims(text);
    let of_claim = |claim: &NamedClaim| {
        let place = PlaceUse {
            manifest: Embedded {
                namespace: claim.namespace.as_deref(),
                ..text.manifest
            },
            pointer: text.pointer.clone(),
            claim: &claim.claim,
            access: claim.access,
        };
        named(scope, subject, item, &place)
    };
    let mut findings: Vec<Finding> = claims.named.iter().filter_map(of_claim).collect();
    if claims.has_expression && text.is_applied {
        let message = format!(
            "{} names a claim by an expression at `{}`: nobody can check whose it is",
            item.title(),
            text.pointer
        );
        let finding = subject.finding_on(&WARNING, message, item, &text.pointer);
        findings.push(
            finding.hint("name the claim, or make it read-only in the text (`readOnly: true` beside `claimName`)"),
        );
    }
    findings
}

/// Returns the finding about a place that names a claim, if the Application may not write it.
fn named(scope: &Scope<'_>, subject: &Subject<'_>, item: &Item<'_>, place: &PlaceUse<'_>) -> Option<Finding> {
    let reference = subject.claim_of(&place.manifest, place.claim)?;
    let claim = scope.claim(&reference);
    if claim.owners.contains(&subject.name) || claim.writers.contains(&subject.name) {
        return None;
    }
    let who = item.title();
    let (rule, message, hint) = match place.access {
        Access::Writes => (
            &META,
            format!(
                "{who} names claim `{reference}` at `{}`, which is neither of `{}` nor in its `writes`, where it cannot be \
                 made read-only",
                place.pointer, subject.name
            ),
            WAYS_OUT,
        ),
        Access::Reads if place.manifest.keeps_read_only() => return None,
        Access::Reads => (
            &WARNING,
            format!(
                "{who} mounts claim `{reference}`, which `{}` does not own, and nobody checked that its CRD keeps `readOnly`",
                subject.name
            ),
            "look whether Argo CD shows the object as OutOfSync: then its pods write the claim",
        ),
        Access::Unknown if !claim.is_held() => return None,
        Access::Unknown => (
            &WARNING,
            format!(
                "{who} has the name of claim `{reference}`, which `{}` does not own, at `{}`",
                subject.name, place.pointer
            ),
            WAYS_OUT,
        ),
    };
    Some(subject.finding_on(rule, message, item, &place.pointer).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, deployment, owns, writes};
    use serde_json::{Value, json};

    fn case(parameters: Value) -> Case {
        let custom = json!({"apiVersion": "example.org/v1", "kind": "Player", "metadata": {"name": "p"},
            "spec": {"media": [{"persistentVolumeClaim": {"claimName": "audio"}}], "claimName": {"not": "text"}}});
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .plugin("player", parameters)
            .renders("player", [custom, deployment("d", "audio", true, true)])
    }

    #[test]
    fn fires() {
        let case = case(json!([]));
        assert_eq!(
            case.messages(&RULE),
            [
                "Player `p` names claim `media/audio` at `/spec/media/0/persistentVolumeClaim/claimName`, which is neither of `player` nor in its `writes`, where it cannot be made read-only"
            ]
        );
        assert_eq!(case.findings(&RULE)[0].rule.severity, Severity::Error);
    }

    #[test]
    fn what_nobody_knows_is_a_warning() {
        let named = json!({"apiVersion": "example.org/v1", "kind": "Player", "metadata": {"name": "p"},
            "spec": {"claimName": "audio", "provider": {"claimName": "email"}}});
        let unchecked = json!({"apiVersion": "example.org/v1", "kind": "Player", "metadata": {"name": "p"},
            "spec": {"template": crate::rules::case::pod("audio", true, true)}});
        for object in [named, unchecked] {
            let case = Case::new()
                .plugin("fetcher", json!([owns(["audio"])]))
                .plugin("player", json!([]))
                .renders("player", [object]);
            let findings = case.findings(&RULE);
            assert_eq!(findings.len(), 1);
            assert_eq!(findings[0].rule.severity, Severity::Warning);
        }
    }

    #[test]
    fn a_text_is_an_error_only_where_it_is_applied() {
        let patch = "volumes: [{name: a, persistentVolumeClaim: {claimName: audio}}]";
        let object = |api_version: &str, kind: &str, key: &str, text: &str| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, key: {"podSpecPatch": text}});
        for (object, severity) in [
            (
                object("argoproj.io/v1alpha1", "Workflow", "spec", patch),
                Some(Severity::Error),
            ),
            (object("v1", "ConfigMap", "data", patch), Some(Severity::Warning)),
            (object("v1", "ConfigMap", "data", "claimName: email"), None),
            (
                object("v1", "ConfigMap", "data", "the claim audio: a claimName of it"),
                None,
            ),
            (
                object(
                    "argoproj.io/v1alpha1",
                    "Workflow",
                    "spec",
                    "volumes: [{persistentVolumeClaim: {claimName: '{{x}}'}}]",
                ),
                Some(Severity::Warning),
            ),
        ] {
            let case = Case::new()
                .plugin("fetcher", json!([owns(["audio"])]))
                .plugin("player", json!([]))
                .renders("player", [object]);
            let found: Vec<Severity> = case
                .findings(&RULE)
                .iter()
                .map(|finding| finding.rule.severity)
                .collect();
            assert_eq!(found, severity.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn writers_by_another_key_fire_and_readers_do_not() {
        let object = |kind: &str, spec: Value| json!({"apiVersion": "volsync.backube/v1alpha1", "kind": kind, "metadata": {"name": "r"}, "spec": spec});
        let case = Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .plugin("player", json!([]))
            .renders(
                "player",
                [
                    object("ReplicationDestination", json!({"restic": {"destinationPVC": "audio"}})),
                    object("ReplicationSource", json!({"sourcePVC": "audio"})),
                ],
            );
        assert_eq!(case.messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        assert!(case(json!([writes(["audio"])])).messages(&RULE).is_empty());
        assert!(case(json!([owns(["audio"])])).messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case(json!([])).findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("`writes`")
        );
    }
}
