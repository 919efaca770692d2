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
    ("networking.k8s.io", &["IngressClass"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "StorageClass", "VolumeAttachment"]),
];

/// Reports whether an object is of a kind that is in no namespace; of custom kinds that is not known.
pub fn is_cluster_scoped(object: &Object) -> bool {
    let mut groups = CLUSTER_SCOPED.iter();
    groups.any(|(group, kinds)| kinds.iter().any(|kind| object.is(group, kind)))
}
