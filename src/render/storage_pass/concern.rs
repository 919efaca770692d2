//! Which documents the law could have anything to do with; the others are looked at and never parsed.

use serde_json::Value;

use crate::model::parameter::PatchTarget;
use crate::render::look::Look;
use crate::yaml;

/// Kinds whose group is theirs alone and that neither have a pod template nor are touched by the law.
const PASSED_BY: &[(&str, &[&str])] = &[
    (
        "v1",
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
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io/v1", &["APIService"]),
    (
        "admissionregistration.k8s.io/v1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    ("autoscaling/v2", &["HorizontalPodAutoscaler"]),
    ("networking.k8s.io/v1", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("policy/v1", &["PodDisruptionBudget"]),
    (
        "rbac.authorization.k8s.io/v1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io/v1", &["PriorityClass"]),
    ("storage.k8s.io/v1", &["CSIDriver", "StorageClass"]),
    (
        "monitoring.coreos.com/v1",
        &["PodMonitor", "PrometheusRule", "ServiceMonitor"],
    ),
];

/// Whether the law could have anything to do with a document; on doubt it has.
pub(super) fn concerns(patches: &[(PatchTarget, Value)], look: &Look<'_>) -> bool {
    let (Some(kind), Some(api_version)) = (look.kind(), look.api_version()) else {
        return true;
    };
    if look.has_items() || patches.iter().any(|(target, _)| target.kind == kind) {
        return true;
    }
    if api_version == "v1" && matches!(kind, "PersistentVolumeClaim" | "PersistentVolume" | "Namespace") {
        return true;
    }
    let is_passed_by = |(group, kinds): &(&str, &[&str])| *group == api_version && kinds.contains(&kind);
    !PASSED_BY.iter().any(is_passed_by) && yaml::may_hide(look.text(), &["containers", "persistentVolumeClaim"])
}
