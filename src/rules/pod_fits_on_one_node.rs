//! HL116: a pod whose claims are on two nodes can run on neither.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim_use::{PodUse, VolumeUse, claim_uses};
use crate::model::{ClaimRef, Object, PointerExt};

static META: Meta = Meta {
    id: "HL116",
    name: "pod-fits-on-one-node",
    severity: Severity::Error,
    summary: "one node has all volumes of a pod, and is one that the pod asks for",
    why: "A `local` volume, or a hostPath volume with a node affinity, is on one node. A pod that mounts two of them from two nodes, or \
that asks for another node by its `nodeSelector`, can run nowhere: it stays Pending (`had volume node affinity conflict`), and the \
Application stays Progressing.\n\n\
Put both volumes on one node, take the `nodeSelector` out (the volume decides), or read the other data over a network (NFS).\n\n\
The rule knows the PersistentVolumes that are in Git. Where a provisioner has put the volumes of a claim without one, only the cluster \
knows: `kubectl get pv -o wide`.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#node-affinity",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

/// The values that labels of a node may have, by label; any, where a label is missing.
type Allowed<'o> = BTreeMap<&'o str, BTreeSet<&'o str>>;

/// Something that says on which nodes a pod can run.
struct Demand<'o> {
    /// The claim whose volume says it; `None` for the pod itself.
    claim: Option<ClaimRef>,
    allowed: Allowed<'o>,
}

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in &subject.items {
        let uses = claim_uses(item.object());
        for pod in &uses.pods {
            findings.extend(of_pod(scope, (subject, item), pod, &uses.volumes));
        }
    }
    findings
}

fn of_pod(
    scope: &Scope<'_>,
    (subject, item): (&Subject<'_>, &Item<'_>),
    pod: &PodUse<'_>,
    volumes: &[VolumeUse<'_>],
) -> Option<Finding> {
    let mut demands = vec![Demand {
        claim: None,
        allowed: of_pod_itself(item.object().at(&pod.pointer)?),
    }];
    for volume in volumes
        .iter()
        .filter(|volume| volume.pointer.below(&pod.pointer).is_some())
    {
        let Some(claim) = subject.claim_of(&volume.manifest, volume.claim) else {
            continue;
        };
        let Some(of_volume) = scope.volume_of(&claim).and_then(|volume| of_volume(volume.object())) else {
            continue;
        };
        let conflict = demands
            .iter()
            .find_map(|demand| Some((demand, conflict(&demand.allowed, &of_volume)?)));
        let Some((other, (label, here, there))) = conflict else {
            demands.push(Demand {
                claim: Some(claim),
                allowed: of_volume,
            });
            continue;
        };
        let workload = item.title();
        let volume_is = format!("mounts claim `{claim}`, whose volume is on nodes with `{label}` {there}");
        let message = match &other.claim {
            Some(other) => format!("{workload} {volume_is}, and claim `{other}`, whose volume is on those with {here}"),
            None => format!("{workload} {volume_is}, and asks for a node with {here}"),
        };
        let hint = match &other.claim {
            Some(_) => "put both volumes on one node, or read one of them over a network",
            None => "take the demand out of the pod: its volume decides on which node it runs",
        };
        return Some(subject.finding_on(&META, message, item, &volume.pointer).hint(hint));
    }
    None
}

/// Returns the label for which two demands have no value in common, with the values of both.
fn conflict<'o>(one: &Allowed<'o>, other: &Allowed<'o>) -> Option<(&'o str, String, String)> {
    let shown = |values: &BTreeSet<&str>| {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        values.join(" or ")
    };
    one.iter().find_map(|(label, values)| {
        let others = other.get(label)?;
        values
            .is_disjoint(others)
            .then(|| (*label, shown(values), shown(others)))
    })
}

/// Returns the nodes that a volume can be mounted on.
fn of_volume(volume: &Object) -> Option<Allowed<'_>> {
    let terms = volume.at("/spec/nodeAffinity/required/nodeSelectorTerms")?;
    Some(of_terms(terms))
}

/// Returns the nodes that a pod asks for itself.
fn of_pod_itself(pod: &Value) -> Allowed<'_> {
    let selector = pod.get("nodeSelector").and_then(Value::as_object).into_iter().flatten();
    let selected = selector.filter_map(|(label, value)| Some((label.as_str(), BTreeSet::from([value.as_str()?]))));
    let required = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let mut allowed = pod.pointer(required).map(of_terms).unwrap_or_default();
    // Both have to hold; where they contradict each other, that is no matter of volumes.
    allowed.extend(selected);
    allowed
}

/// Returns what terms allow, one of which has to hold: for a label, what those terms name that all of them restrict by `In`.
fn of_terms(terms: &Value) -> Allowed<'_> {
    let mut terms = terms.as_array().into_iter().flatten().map(of_term);
    let mut allowed = terms.next().unwrap_or_default();
    for term in terms {
        allowed.retain(|label, values| {
            let others = term.get(label);
            values.extend(others.into_iter().flatten());
            others.is_some()
        });
    }
    allowed
}

fn of_term(term: &Value) -> Allowed<'_> {
    let expressions = term
        .get("matchExpressions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let restricting = expressions.filter(|one| one.get("operator").and_then(Value::as_str) == Some("In"));
    let allowed = restricting.filter_map(|one| {
        let values = one.get("values")?.as_array()?.iter().filter_map(Value::as_str);
        Some((one.get("key")?.as_str()?, values.collect()))
    });
    allowed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, deployment};
    use serde_json::json;

    /// Returns what a volume says of its nodes: a name for one, `!` and a name for all others.
    fn on(hosts: &[&str]) -> Value {
        let terms = hosts.iter().map(|host| {
            let operator = if host.starts_with('!') { "NotIn" } else { "In" };
            let values = [host.trim_start_matches('!')];
            json!({"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": operator, "values": values}]})
        });
        json!({"required": {"nodeSelectorTerms": terms.collect::<Vec<_>>()}})
    }

    fn volume(claim: &str, affinity: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": format!("pv-{claim}")}, "spec": {
            "local": {"path": "/srv"}, "claimRef": {"namespace": "media", "name": claim}, "nodeAffinity": affinity}})
    }

    /// Returns a case with a pod that mounts two claims, whose volumes are on these nodes, and that is to run on some node.
    fn case(films: &[&str], music: &[&str], selector: Value) -> Case {
        let mut player = deployment("player", "films", false, false);
        let pod = &mut player["spec"]["template"]["spec"];
        pod["volumes"] = json!([pod["volumes"][0], {"name": "music", "persistentVolumeClaim": {"claimName": "music"}}]);
        pod["nodeSelector"] = selector;
        Case::new()
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/player.yaml", player)
            .manifest("player/films.yaml", claim("films", json!({})))
            .manifest("player/music.yaml", claim("music", json!({})))
            .manifest("player/pv-films.yaml", volume("films", on(films)))
            .manifest("player/pv-music.yaml", volume("music", on(music)))
    }

    #[test]
    fn fires() {
        let two = case(&["a"], &["b", "c"], Value::Null);
        assert_eq!(
            two.messages(&RULE),
            [
                "Deployment `player` mounts claim `media/music`, whose volume is on nodes with `kubernetes.io/hostname` `b` or `c`, and claim `media/films`, whose volume is on those with `a`"
            ]
        );
        assert_eq!(two.place(&RULE), "player/player.yaml /spec/template/spec/volumes/1");
        let elsewhere = case(&["a"], &["a"], json!({"kubernetes.io/hostname": "b"}));
        assert_eq!(
            elsewhere.messages(&RULE),
            [
                "Deployment `player` mounts claim `media/films`, whose volume is on nodes with `kubernetes.io/hostname` `a`, and asks for a node with `b`"
            ]
        );
    }

    #[test]
    fn stays_silent() {
        for (films, music, selector) in [
            (&["a"][..], &["a"][..], Value::Null),
            (&["a"], &["a", "b"], Value::Null),
            (&["a"], &["a"], json!({"kubernetes.io/hostname": "a"})),
            (&["a"], &["a"], json!({"kubernetes.io/os": "linux"})),
            (&[], &["a"], Value::Null),
            (&["a"], &["!a"], Value::Null),
            (&["a"], &["b", "!b"], Value::Null),
        ] {
            assert!(
                case(films, music, selector.clone()).messages(&RULE).is_empty(),
                "{films:?} {music:?} {selector}"
            );
        }
    }

    #[test]
    fn says_the_way_out() {
        let hint = |case: Case| case.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint(case(&["a"], &["b"], Value::Null)).starts_with("put both volumes on one node"));
        assert!(hint(case(&["a"], &["a"], json!({"kubernetes.io/hostname": "b"}))).starts_with("take the demand out"));
    }
}
