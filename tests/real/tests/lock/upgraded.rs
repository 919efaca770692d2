//! An older version of the policies, as somebody has applied it: `lock status` says so, and the new one takes its place.

use serde_json::Value;

use crate::Locked;

/// Policies of the same names without a version: with shorter sentences, and for the label alone.
const OLDER: &str = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: owned-claims-stay}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [DELETE], resources: [persistentvolumeclaims]}]
  variables: [{name: owner, expression: \"oldObject.metadata.?labels[?'storage.home.arpa/owner'].orValue('')\"}]
  validations:
  - {expression: \"variables.owner == ''\", message: it has an owner, reason: Forbidden}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: owned-claims-stay}
spec: {policyName: owned-claims-stay, validationActions: [Deny]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: namespaces-with-claims-stay}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [DELETE], resources: [namespaces]}]
  matchConditions: [{name: has-claims, expression: \"oldObject.metadata.labels.exists(k, k.startsWith('owner.storage.home.arpa/'))\"}]
  validations:
  - {expression: \"false\", message: it holds claims, reason: Forbidden}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: namespaces-with-claims-stay}
spec: {policyName: namespaces-with-claims-stay, validationActions: [Deny]}
";

pub(crate) fn older_policies_are_replaced(locked: &Locked) {
    let states = |code: i32| -> Vec<String> {
        let text = locked.runs(code, &["lock", "status", "-o", "json"]);
        let end = text.rfind('}').unwrap_or_default();
        let status: Value = serde_json::from_str(&text[..=end]).unwrap();
        let policies = status["policies"].as_array().unwrap();
        policies
            .iter()
            .map(|row| row["live"]["state"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(states(0), ["missing", "missing"]);
    locked.cluster.apply(OLDER).unwrap();
    locked.until("they are in force", || {
        ["pvc films -n media", "namespace media"]
            .iter()
            .all(|object| locked.kubectl(&format!("delete {object} --dry-run=server")).is_err())
    });
    // The claim of a StatefulSet is not held by them.
    locked
        .kubectl("delete pvc data-db-0 -n media --dry-run=server")
        .unwrap();
    assert_eq!(states(1), ["older", "older"]);
}
