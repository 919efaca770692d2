//! The policies on deletions: the claims of Applications stay, and so do Namespaces with such claims in them.
//!
//! Every field is written, those with the API server's defaults, too, so that Argo CD finds no difference.

use serde_json::{Value, json};

use super::{Part, Policy};
use crate::model::claim::{OWNER_LABEL, RELEASE};
use crate::model::namespace::OWNER_PREFIX;
use crate::model::sync::SYNC_OPTIONS;

/// The name of the policy on claims.
const CLAIMS: &str = "owned-claims-stay";
/// The name of the policy on Namespaces.
const NAMESPACES: &str = "namespaces-with-claims-stay";

/// What keeps an object from Argo CD, in a command.
const KEEP: &str = "Prune=false,Delete=false";

/// Returns the policies that refuse deletions.
pub fn deletions() -> [Policy; 2] {
    [
        Policy::new(
            Part::Deletions,
            CLAIMS,
            "The claims of Applications stay: no deletion of one is let through unless it was released",
            &claims(),
        ),
        Policy::new(
            Part::Deletions,
            NAMESPACES,
            "Namespaces with claims of Applications stay: no deletion of one is let through unless it was released",
            &namespaces(),
        ),
    ]
}

/// Returns the policy on claims. A claim's owner is in its label, else in the registry of its Namespace: so a claim is
/// held that a StatefulSet has made, or whose label was removed.
fn claims() -> Value {
    let release = format!("oldObject.metadata.?annotations[?'{RELEASE}'].orValue('')");
    let label = format!("oldObject.metadata.?labels[?'{OWNER_LABEL}'].orValue('')");
    let entry = format!("namespaceObject.metadata.?labels[?('{OWNER_PREFIX}' + oldObject.metadata.name)].orValue('')");
    let message = format!(
        "'claim ' + oldObject.metadata.namespace + '/' + oldObject.metadata.name + ' belongs to ' + variables.owner \
         + (variables.release == '' ? '' : ', and its annotation {RELEASE} names ' + variables.release) \
         + '. Keep it: put it back in Git, or run `kubectl annotate pvc ' + oldObject.metadata.name + ' -n ' \
         + oldObject.metadata.namespace + ' --overwrite {SYNC_OPTIONS}={KEEP}`. Lose it: run `kubectl homelab release pvc/' \
         + oldObject.metadata.name + ' -n ' + oldObject.metadata.namespace + '`'"
    );
    spec(
        ("persistentvolumeclaims", "Namespaced"),
        &json!([
            {"name": "label", "expression": label},
            {"name": "entry", "expression": entry},
            {"name": "owner", "expression": "variables.label != '' ? variables.label : variables.entry"},
            {"name": "release", "expression": release},
        ]),
        "variables.owner == '' || variables.release == oldObject.metadata.name",
        (
            "an Application owns this claim: release it with `kubectl homelab release pvc/NAME -n NAMESPACE`",
            &message,
        ),
    )
}

/// Returns the policy on Namespaces, by the registry in their labels. Their claims are counted, and one is named: all of them
/// would be more than a message may have.
fn namespaces() -> Value {
    let release = format!("oldObject.metadata.?annotations[?'{RELEASE}'].orValue('')");
    let claims = format!(
        "variables.labels.filter(k, k.startsWith('{OWNER_PREFIX}') && variables.labels[k] != '').map(k, k.substring({}))",
        OWNER_PREFIX.len()
    );
    let message = format!(
        "'namespace ' + oldObject.metadata.name + ' holds ' + (variables.claims.size() == 1 ? 'the claim ' : \
         string(variables.claims.size()) + ' claims of Applications, the first is ') + variables.claims.min() + ' of ' \
         + variables.labels['{OWNER_PREFIX}' + variables.claims.min()] \
         + (variables.release == '' ? '' : ', and its annotation {RELEASE} names ' + variables.release) \
         + '. Keep it: put it back in Git, or run `kubectl annotate namespace ' + oldObject.metadata.name \
         + ' --overwrite {SYNC_OPTIONS}={KEEP}`. Lose it with everything in it: run `kubectl homelab release namespace/' \
         + oldObject.metadata.name + '`'"
    );
    spec(
        ("namespaces", "Cluster"),
        &json!([
            {"name": "labels", "expression": "oldObject.metadata.?labels.orValue({})"},
            {"name": "claims", "expression": claims},
            {"name": "release", "expression": release},
        ]),
        "variables.claims.size() == 0 || variables.release == oldObject.metadata.name",
        (
            "claims of Applications are in this namespace: release it with `kubectl homelab release namespace/NAME`",
            &message,
        ),
    )
}

/// Returns the spec of a policy on deletions; its message is the fallback where the other one fails.
fn spec(
    (resource, scope): (&str, &str),
    variables: &Value,
    expression: &str,
    (fallback, message): (&str, &str),
) -> Value {
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "resourceRules": [{
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["DELETE"],
                "resources": [resource],
                "scope": scope,
            }],
        },
        "variables": variables,
        "validations": [{
            "expression": expression,
            "message": fallback,
            "messageExpression": message,
            "reason": "Forbidden",
        }],
    })
}
