//! The kinds of Kubernetes that are in no namespace.

use super::object::Object;

/// Kinds that are in no namespace, by their group.
const CLUSTER_SCOPED: [(&str, &[&str]); 11] = [
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
        // Argo Workflows has this one.
        false if object.kind().starts_with("Cluster") => None,
        false => NAMESPACED.contains(&object.group()).then_some(true),
    }
}

/// Reports whether an object is of a kind that is in no namespace; of custom kinds that is not known.
pub fn is_cluster_scoped(object: &Object) -> bool {
    let mut groups = CLUSTER_SCOPED.iter();
    groups.any(|(group, kinds)| kinds.iter().any(|kind| object.is(group, kind)))
}
