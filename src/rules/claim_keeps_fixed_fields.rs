//! HL118: what the API server lets nobody change in a claim fails every later sync.

use serde_json::Value;

use super::scope::Base;
use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::law::sync_options::{RECREATING, SYNC_OPTIONS, has};
use crate::model::claim::is_claim;
use crate::model::claim_spec::{ClaimSpec, claim_specs};
use crate::model::quantity::number;
use crate::model::{Application, ClaimRef, Object, PointerExt};

static META: Meta = Meta {
    id: "HL118",
    name: "claim-keeps-fixed-fields",
    severity: Severity::Error,
    summary: "a claim has the class, the modes and the volume that it had at the revision that --base names, and is not smaller",
    why: "The API server refuses to change `storageClassName`, `accessModes`, `volumeMode`, `volumeName`, `selector` and the data \
source of a claim, to make it smaller, and to make it larger where its class cannot grow. Such a commit does not only leave the claim as \
it is: the sync of the whole Application fails, at this commit and at every later one, until the old value is back. The \
`volumeClaimTemplates` of a StatefulSet cannot be changed at all.\n\n\
Put the old value back. For another class or a smaller size make a new claim, copy the data, and let the workload use that one. Where \
an Application ignores such a field (`ignoreDifferences` with the sync option `RespectIgnoreDifferences=true`, as `add-app` \
writes it), the claim stays as it is and nothing fails, so that nothing is found.\n\n\
The rule needs a revision to compare with, as `kubectl homelab validate --base main`; without one it finds nothing.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

/// The fields of a claim that stay as they were when it was made, each with the value of an absent one.
const FIXED: [(&str, Option<&str>); 7] = [
    ("accessModes", None),
    ("dataSource", None),
    ("dataSourceRef", None),
    ("selector", None),
    ("storageClassName", None),
    ("volumeMode", Some("Filesystem")),
    ("volumeName", None),
];

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(base) = scope.base() else { return Vec::new() };
    let mut findings = Vec::new();
    for item in &subject.items {
        let object = item.object();
        if is_claim(object) {
            findings.extend(of_claim(scope, base, (subject, item)));
        } else if object.is("apps", "StatefulSet") {
            findings.extend(of_stateful_set(base, (subject, item)));
        }
    }
    findings
}

fn of_claim(scope: &Scope<'_>, base: &Base<'_>, (subject, item): (&Subject<'_>, &Item<'_>)) -> Vec<Finding> {
    let object = item.object();
    let Some(reference) = subject.claim_beside(object, object.name()) else {
        return Vec::new();
    };
    let before = base.scope.claim_object(&reference).map(|(_, before)| before.object());
    let specs = (before.and_then(spec), spec(object));
    let (Some(before), Some(now)) = specs else {
        return Vec::new();
    };
    let is_other = |(field, default): &&(&str, Option<&str>)| {
        let value = |spec: &ClaimSpec<'_>| {
            let value = spec
                .field(field)
                .filter(|value| **value != Value::String(String::new()) || *field == "storageClassName");
            value.cloned().or(default.map(Value::from))
        };
        value(&before) != value(&now)
    };
    let changed = FIXED.iter().filter(is_other).map(|(field, _)| *field);
    let changed = changed.filter(|field| !is_as_live(scope, base, &reference, (field, &before, &now)));
    let mut found: Vec<(&str, String)> = changed
        .map(|field| {
            (
                field,
                format!(
                    "`{field}` was {} and is {}",
                    shown(before.field(field)),
                    shown(now.field(field))
                ),
            )
        })
        .collect();
    found.extend(size(scope, &reference, (&before, &now)).map(|what| ("resources", what)));
    found.retain(|(field, _)| !is_ignored(&subject.app, field));
    let finding = |(field, what): (&str, String)| {
        let message = format!(
            "claim `{reference}` cannot be changed so: {what} (compared with `{}`)",
            base.revision
        );
        let pointer = now.pointer.child(field);
        let finding = subject.finding_on(&META, message, item, &pointer);
        finding
            .hint("put the old value back, or make a new claim and copy the data: every sync of the Application fails")
    };
    found.into_iter().map(finding).collect()
}

fn spec(object: &Object) -> Option<ClaimSpec<'_>> {
    claim_specs(object).into_iter().next()
}

/// Returns a value for a message.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    }
}

/// Reports whether a value that is new in the manifest is the one that the claim in the cluster has already: the
/// default class, or the volume that is made for it.
fn is_as_live(
    scope: &Scope<'_>,
    base: &Base<'_>,
    claim: &ClaimRef,
    (field, before, now): (&str, &ClaimSpec<'_>, &ClaimSpec<'_>),
) -> bool {
    if before.field(field).is_some() {
        return false;
    }
    match (field, now.text(field)) {
        ("storageClassName", Some(class)) => scope.classes(&claim.cluster).is_default(class),
        ("volumeName", Some(name)) => {
            let volume = base.scope.volume_of(claim);
            volume.is_some_and(|volume| volume.object().name() == name)
        }
        _ => false,
    }
}

/// Returns what is wrong with the size of a claim.
fn size(scope: &Scope<'_>, claim: &ClaimRef, (before, now): (&ClaimSpec<'_>, &ClaimSpec<'_>)) -> Option<String> {
    let bytes = |size: &Value| size.as_str().map_or_else(|| size.as_f64(), number);
    let (old, new) = (bytes(before.size()?)?, bytes(now.size()?)?);
    let sizes = format!("from {} to {}", shown(before.size()), shown(now.size()));
    if new < old {
        return Some(format!("it shrinks {sizes}"));
    }
    let class = now.text("storageClassName").filter(|_| new > old)?;
    let can_grow = scope.can_grow(&claim.cluster, class);
    (can_grow == Some(false)).then(|| format!("it grows {sizes}, and the class `{class}` cannot grow"))
}

/// Reports whether an Application leaves a field of its claims as it is in the cluster.
pub fn is_ignored(app: &Application<'_>, field: &str) -> bool {
    let list = app.object().at("/spec/ignoreDifferences").and_then(Value::as_array);
    let is_it = |entry: &Value| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let names = |key: &str, name: &str| {
            let names = entry.get(key).and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).any(|text| {
                text == name || text.starts_with(&format!("{name}/")) || text.starts_with(&format!("{name}."))
            })
        };
        matches!(text("kind"), "PersistentVolumeClaim" | "*")
            && matches!(text("group"), "" | "*")
            && (names("jsonPointers", &format!("/spec/{field}"))
                || names("jsonPointers", "/spec")
                || names("jqPathExpressions", &format!(".spec.{field}")))
    };
    app.sync_option("RespectIgnoreDifferences") == Some("true") && list.is_some_and(|list| list.iter().any(is_it))
}

fn of_stateful_set(base: &Base<'_>, (subject, item): (&Subject<'_>, &Item<'_>)) -> Option<Finding> {
    let object = item.object();
    let options = object.annotation(SYNC_OPTIONS).unwrap_or_default();
    if RECREATING.iter().any(|option| has(options, option)) {
        return None;
    }
    object.reference()?;
    let before = base.scope.subject(&subject.name)?;
    let before = before
        .items
        .iter()
        .map(Item::object)
        .find(|other| other.is_same_as(object))?;
    if templates(before) == templates(object) {
        return None;
    }
    let message = format!(
        "the `volumeClaimTemplates` of StatefulSet `{}` cannot be changed (compared with `{}`)",
        object.name(),
        base.revision
    );
    let finding = subject.finding_on(&META, message, item, "/spec/volumeClaimTemplates");
    Some(finding.hint(
        "put the old ones back, or delete the StatefulSet with `--cascade=orphan` before the sync: its pods and claims stay",
    ))
}

/// Returns the templates of a StatefulSet without what the API server does not compare.
fn templates(object: &Object) -> Vec<Value> {
    let list = object.at("/spec/volumeClaimTemplates").and_then(Value::as_array);
    let mut templates = list.cloned().unwrap_or_default();
    for template in &mut templates {
        if let Some(map) = template.as_object_mut() {
            map.retain(|key, value| !matches!(key.as_str(), "apiVersion" | "kind" | "status") && !value.is_null());
        }
        if let Some(map) = template.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            map.retain(|key, value| key != "creationTimestamp" && !value.is_null());
        }
    }
    templates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::json;

    fn claim(spec: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "films"}, "spec": spec})
    }

    fn spec(class: &str, size: &str) -> Value {
        json!({"storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}})
    }

    fn messages(before: &Case, now: &Case) -> Vec<String> {
        let findings = now.findings_since(before, &RULE).into_iter();
        findings.map(|finding| finding.message).collect()
    }

    fn of(before: Value, now: Value) -> Vec<String> {
        let case = |object| Case::new().helm("player").renders("player", [object]);
        messages(&case(before), &case(now))
    }

    #[test]
    fn fires() {
        assert_eq!(
            of(claim(spec("standard", "5Gi")), claim(spec("nfs", "5Gi"))),
            [
                "claim `media/films` cannot be changed so: `storageClassName` was `standard` and is `nfs` (compared with `main`)"
            ]
        );
        assert_eq!(
            of(claim(spec("nfs", "5Gi")), claim(spec("nfs", "4096Mi"))),
            ["claim `media/films` cannot be changed so: it shrinks from `5Gi` to `4096Mi` (compared with `main`)"]
        );
        assert!(of(claim(spec("local-path", "5Gi")), claim(spec("local-path", "6Gi")))[0].contains("cannot grow"));
        let mut without = spec("standard", "5Gi");
        without.as_object_mut().unwrap().remove("storageClassName");
        assert!(of(claim(spec("standard", "5Gi")), claim(without))[0].contains("and is absent"));
        let mut many = spec("nfs", "5Gi");
        many["accessModes"] = json!(["ReadWriteMany"]);
        assert_eq!(of(claim(spec("nfs", "5Gi")), claim(many)).len(), 1);
        let set = |size: &str| {
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": spec("nfs", size)}]}})
        };
        assert_eq!(
            of(set("5Gi"), set("6Gi")),
            ["the `volumeClaimTemplates` of StatefulSet `db` cannot be changed (compared with `main`)"]
        );
        assert!(of(set("5Gi"), set("5Gi")).is_empty());
    }

    #[test]
    fn stays_silent() {
        let mut said = spec("nfs", "10Gi");
        said["volumeMode"] = json!("Filesystem");
        assert!(
            of(claim(spec("nfs", "5Gi")), claim(said)).is_empty(),
            "it grows, and says the default"
        );
        assert!(of(claim(spec("nfs", "1Gi")), claim(spec("nfs", "1024Mi"))).is_empty());
        let ignored = |object: Value| {
            let mut app = json!({"destination": {"namespace": "media"}, "source": {"repoURL": "https://git.example.org/charts", "path": "c"}});
            app["ignoreDifferences"] =
                json!([{"kind": "PersistentVolumeClaim", "jsonPointers": ["/spec/storageClassName"]}]);
            app["syncPolicy"] = json!({"syncOptions": ["RespectIgnoreDifferences=true"]});
            Case::new().app("player", app).renders("player", [object])
        };
        let (before, now) = (
            ignored(claim(spec("standard", "5Gi"))),
            ignored(claim(spec("nfs", "5Gi"))),
        );
        assert!(messages(&before, &now).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(META.why.contains("Put the old value back"));
        let case = |class: &str| {
            Case::new()
                .helm("player")
                .renders("player", [claim(spec(class, "5Gi"))])
        };
        let hint = case("b").findings_since(&case("a"), &RULE)[0].hint.clone().unwrap();
        assert!(hint.starts_with("put the old value back"));
    }
}
