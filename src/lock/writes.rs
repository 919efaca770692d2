//! The policy on writes: claims of other Applications are read-only for every pod and workload that the registry does not give
//! them to.
//!
//! Workloads are held besides their pods so that a sync says it at once; kinds of custom resources are held at what their
//! controllers make. A label is no identity: it guards against mistakes.

use serde_json::{Value, json};

use super::{Part, Policy};
use crate::model::namespace::{OWNER_PREFIX, REGISTRY_LABEL, WRITERS_PREFIX};
use crate::model::writer::{APP_LABEL, DEFAULT_ACCOUNT, SERVICE_ACCOUNT};

/// The name of the policy.
pub const WRITES: &str = "foreign-claims-read-only";

/// Returns the policy that refuses writes.
pub fn writes() -> Policy {
    Policy::new(
        Part::Writes,
        WRITES,
        "The claims of Applications are read-only for all others: no pod that would write one is let through unless the registry lets it",
        &spec(),
    )
}

/// Returns the condition under which an update counts: controllers have to be able to take finalizers off, and to scale, what is
/// older than the policy. Neither variables nor the Namespace are known in it.
fn is_about_mounts() -> String {
    let app = |object: &str| format!("dyn({object}).metadata.?labels[?'{APP_LABEL}']");
    let differs = |at: &str| format!("dyn(object).{at} != dyn(oldObject).{at}");
    format!(
        "request.operation == 'CREATE' || has(request.subResource) || (request.kind.kind == 'Pod' ? {} != {} : \
         request.kind.kind == 'CronJob' ? {} : {})",
        app("object"),
        app("oldObject"),
        differs("spec.jobTemplate.spec.template"),
        differs("spec.template"),
    )
}

/// Returns the variables. Each container's names of what it can write are gathered once: many claims in many containers
/// would cost more than the API server allows.
fn variables() -> Value {
    let template = "request.kind.kind == 'CronJob' ? dyn(object).spec.jobTemplate.spec.template : \
        request.kind.kind == 'Pod' ? dyn(object) : dyn(object).spec.template";
    let app = format!("variables.template.?metadata.?labels[?'{APP_LABEL}'].orValue('')");
    let account = format!("variables.template.spec.?serviceAccountName.orValue('{DEFAULT_ACCOUNT}')");
    // A debugged pod may be older than the policy: of the ephemeral containers, the new ones count.
    let containers = "has(request.subResource) ? dyn(object).spec.?ephemeralContainers.orValue([])\
        .filter(c, !dyn(oldObject).spec.?ephemeralContainers.orValue([]).exists(o, o.name == c.name)) : \
        variables.template.spec.containers + variables.template.spec.?initContainers.orValue([]) \
        + variables.template.spec.?ephemeralContainers.orValue([])";
    let writable = "variables.containers.map(c, \
        c.?volumeMounts.orValue([]).filter(m, !m.?readOnly.orValue(false)).map(m, m.name) \
        + c.?volumeDevices.orValue([]).map(d, d.name))";
    // A StatefulSet's controller puts claims of its own in the place of volumes with the names of its templates.
    let written = format!(
        "variables.template.spec.?volumes.orValue([]).filter(v, has(v.persistentVolumeClaim) \
         && !v.persistentVolumeClaim.?readOnly.orValue(false) \
         && variables.registry[?('{OWNER_PREFIX}' + v.persistentVolumeClaim.claimName)].orValue('') != '' \
         && !dyn(object).spec.?volumeClaimTemplates.orValue([]).exists(t, t.metadata.name == v.name) \
         && variables.writable.exists(names, v.name in names)).map(v, v.persistentVolumeClaim.claimName)"
    );
    // A text without commas, the empty one too, splits into itself: an empty name of an Application is no writer.
    let foreign = format!(
        "variables.written.filter(c, variables.registry['{OWNER_PREFIX}' + c] != variables.app \
         && !namespaceObject.metadata.?annotations[?('{WRITERS_PREFIX}' + c)].orValue('').split(',')\
         .exists(w, w == '{SERVICE_ACCOUNT}' + variables.account || (variables.app != '' && w == variables.app)))"
    );
    json!([
        {"name": "registry", "expression": "namespaceObject.metadata.?labels.orValue({})"},
        {"name": "template", "expression": template},
        {"name": "app", "expression": app},
        {"name": "account", "expression": account},
        {"name": "containers", "expression": containers},
        {"name": "writable", "expression": writable},
        {"name": "written", "expression": written},
        {"name": "foreign", "expression": foreign},
    ])
}

/// Returns the sentence of a refusal: what reads goes on first. One claim is named: all of them would be more than a message may
/// have.
fn message() -> String {
    let name = "dyn(object).metadata.?name.orValue(dyn(object).metadata.?generateName.orValue(''))";
    format!(
        "request.kind.kind + ' ' + request.namespace + '/' + {name} \
         + (variables.app == '' ? ', whose pods have no label {APP_LABEL},' : ' of ' + variables.app) + ' would write ' \
         + (variables.foreign.size() == 1 ? 'the claim ' : string(variables.foreign.size()) \
         + ' claims of other Applications, the first is ') + variables.foreign[0] + ' of ' \
         + variables.registry['{OWNER_PREFIX}' + variables.foreign[0]] \
         + '. Read it: set `readOnly: true` at the volume, or at each of its mounts. Write it: ' \
         + (variables.app == '' ? 'set the parameter `stamp-app` of its Application to \"true\", or add `' + request.namespace + '/' \
         + variables.foreign[0] + '={SERVICE_ACCOUNT}' + (variables.account == '{DEFAULT_ACCOUNT}' ? 'NAME' : variables.account) + '` to the parameter `writers` of the source of the Namespaces' : \
         'run `kubectl homelab grant ' + request.namespace + '/' + variables.foreign[0] + ' --to ' + variables.app + '`')"
    )
}

fn spec() -> Value {
    let rule = |group: &str, resources: &[&str]| {
        json!({
            "apiGroups": [group],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": resources,
            "scope": "Namespaced",
        })
    };
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {"matchExpressions": [{"key": REGISTRY_LABEL, "operator": "Exists"}]},
            "objectSelector": {},
            "resourceRules": [
                rule("", &["pods", "pods/ephemeralcontainers"]),
                rule("apps", &["deployments", "statefulsets", "daemonsets", "replicasets"]),
                rule("batch", &["jobs", "cronjobs"]),
            ],
        },
        "matchConditions": [{"name": "is-about-mounts", "expression": is_about_mounts()}],
        "variables": variables(),
        "validations": [{
            "expression": "variables.foreign.size() == 0",
            "message": "a claim of another Application would be written: mount it with `readOnly: true`",
            "messageExpression": message(),
            "reason": "Forbidden",
        }],
    })
}
