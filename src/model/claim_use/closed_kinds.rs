//! Kinds that have neither a pod spec nor a claim's name in any place: the API server drops what would be one, or refuses it.

/// The kinds, by group. The groups are Kubernetes' own, or belong to one project.
const CLOSED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    (
        "monitoring.coreos.com",
        &["PodMonitor", "PrometheusRule", "ServiceMonitor"],
    ),
    ("networking.k8s.io", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("policy", &["PodDisruptionBudget"]),
    (
        "rbac.authorization.k8s.io",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "StorageClass"]),
];

/// Reports whether no object of a kind mounts a claim, or names one to write it.
pub fn is_closed(group: &str, kind: &str) -> bool {
    CLOSED.iter().any(|(of, kinds)| *of == group && kinds.contains(&kind))
}
