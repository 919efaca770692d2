//! The kinds of Kubernetes that are in no namespace.

use super::object::Object;

/// Kinds that are in no namespace, by their group.
const CLUSTER_SCOPED: [(&str, &[&str]); 12] = [
    ("", &["Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["CertificateSigningRequest"]),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "StorageClass", "VolumeAttachment"]),
];

/// Groups whose other kinds are all in a namespace.
const NAMESPACED: [&str; 10] = [
    "",
    "apps",
    "argoproj.io",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
];

/// Reports whether an object is of a kind that is in a namespace; `None` for custom kinds.
pub fn is_namespaced(object: &Object) -> Option<bool> {
    match is_cluster_scoped(object) {
        true => Some(false),
        // As a ClusterWorkflowTemplate.
        false if object.kind().starts_with("Cluster") => None,
        false => NAMESPACED.contains(&object.group()).then_some(true),
    }
}

/// Reports whether an object is of a kind that is in no namespace; of custom kinds that is not known.
pub fn is_cluster_scoped(object: &Object) -> bool {
    let mut groups = CLUSTER_SCOPED.iter();
    groups.any(|(group, kinds)| kinds.iter().any(|kind| object.is(group, kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_of_kubernetes_and_argo_cd_are_known() {
        let is = |api_version: &str, kind: &str| {
            is_namespaced(&Object::new(json!({"apiVersion": api_version, "kind": kind})))
        };
        let rbac = "rbac.authorization.k8s.io/v1";
        for (api_version, kind) in [("v1", "Secret"), ("apps/v1", "Deployment"), (rbac, "RoleBinding")] {
            assert_eq!(is(api_version, kind), Some(true), "{kind}");
        }
        for (api_version, kind) in [
            ("v1", "Namespace"),
            (rbac, "ClusterRole"),
            ("storage.k8s.io/v1", "StorageClass"),
        ] {
            assert_eq!(is(api_version, kind), Some(false), "{kind}");
        }
        assert_eq!(is("argoproj.io/v1alpha1", "Application"), Some(true));
        assert_eq!(is("argoproj.io/v1alpha1", "ClusterWorkflowTemplate"), None);
        assert_eq!(is("example.org/v1", "Thing"), None);
    }
}
