//! Argo CD's annotations of an object: sync options, compare options, hooks and waves.
//!
//! Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/>.

use super::object::Object;

/// Annotation: sync options, separated by commas.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Annotation: compare options, separated by commas.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// Annotation: Helm keeps the object when its release goes; Argo CD when its Application goes, but not on a prune.
pub const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// Annotation: the object is a hook of Argo CD.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// Annotation: the object is a hook of Helm, which Argo CD maps to its own.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Annotation: when Argo CD deletes the hook.
pub const HOOK_DELETE: &str = "argocd.argoproj.io/hook-delete-policy";
/// Annotation: the same, as Helm says it.
pub const HELM_HOOK_DELETE: &str = "helm.sh/hook-delete-policy";
/// Annotation: the wave in which the object is applied.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Annotation: Helm's order among hooks, which Argo CD takes for the wave where it has none.
pub const HOOK_WEIGHT: &str = "helm.sh/hook-weight";

/// Every annotation and label that Argo CD reads or writes itself, but for those of other programs around it
/// ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/annotations-and-labels/)).
pub const KNOWN_KEYS: &[&str] = &[
    "argocd.argoproj.io/application-set-name",
    "argocd.argoproj.io/application-set-refresh",
    "argocd.argoproj.io/auto-label-cluster-info",
    "argocd.argoproj.io/client-side-apply-migration-manager",
    COMPARE_OPTIONS,
    "argocd.argoproj.io/deletion-approved",
    HOOK,
    HOOK_DELETE,
    "argocd.argoproj.io/hook-finalizer",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/ignore-default-links",
    "argocd.argoproj.io/ignore-healthcheck",
    "argocd.argoproj.io/ignore-resource-updates",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/kubernetes-version",
    "argocd.argoproj.io/managed-by",
    "argocd.argoproj.io/managed-by-url",
    "argocd.argoproj.io/manifest-generate-paths",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/secret-type",
    "argocd.argoproj.io/skip-reconcile",
    SYNC_OPTIONS,
    SYNC_WAVE,
    "argocd.argoproj.io/tracking-id",
];

/// A sync option that Argo CD knows, and the values that it compares with; in both, case counts.
#[derive(Debug)]
pub struct SyncOption {
    /// The text before the `=`.
    pub key: &'static str,
    /// The texts that may follow it.
    pub values: &'static [&'static str],
}

const fn option(key: &'static str, values: &'static [&'static str]) -> SyncOption {
    SyncOption { key, values }
}

const SWITCH: &[&str] = &["true", "false"];
const GUARD: &[&str] = &["false", "confirm", "true"];

/// Every sync option, of Applications and of objects.
pub const KNOWN_OPTIONS: &[SyncOption] = &[
    option("ApplyOutOfSyncOnly", SWITCH),
    option("ClientSideApplyMigration", SWITCH),
    option("CreateNamespace", SWITCH),
    option("Delete", GUARD),
    option("FailOnSharedResource", SWITCH),
    option("Force", SWITCH),
    option("Prune", GUARD),
    option("PruneLast", SWITCH),
    option("PrunePropagationPolicy", &["foreground", "background", "orphan"]),
    option("Replace", SWITCH),
    option("RespectIgnoreDifferences", SWITCH),
    option("ServerSideApply", SWITCH),
    option("SkipDryRunOnMissingResource", SWITCH),
    option("Validate", SWITCH),
];

/// Returns the entries of an annotation that is a comma list, trimmed, empty ones left out.
pub fn entries<'o>(object: &'o Object, annotation: &str) -> impl Iterator<Item = &'o str> {
    let list = object.annotation(annotation).unwrap_or_default();
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// Returns the value of the first entry `key=…`, which is the one that counts.
pub fn value<'e>(entries: impl IntoIterator<Item = &'e str>, key: &str) -> Option<&'e str> {
    entries
        .into_iter()
        .find_map(|entry| entry.strip_prefix(key)?.strip_prefix('='))
}

/// Reports whether an object is a hook, which Argo CD deletes and creates again by its own rules.
pub fn is_hook(object: &Object) -> bool {
    object.annotation(HOOK).is_some() || object.annotation(HELM_HOOK).is_some()
}

/// Reports whether a hook that is there is used again: without a policy, and with `BeforeHookCreation`, it is deleted first.
pub fn is_kept_hook(object: &Object) -> bool {
    let policies = object
        .annotation(HOOK_DELETE)
        .or_else(|| object.annotation(HELM_HOOK_DELETE));
    let mut policies = policies
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|policy| !policy.is_empty());
    let first = policies.next();
    let is_deleted = |policy: &str| !matches!(policy, "HookFailed" | "hook-failed");
    first.is_some_and(|first| !is_deleted(first) && !policies.any(is_deleted))
}

/// Returns when an object is applied: first the phase (-1 before, 0 in, 1 after the sync), then the wave. `None` for hooks that
/// no ordinary sync runs.
pub fn order(object: &Object) -> Option<(i8, i64)> {
    let phase = match (object.annotation(HOOK), object.annotation(HELM_HOOK)) {
        (Some(hook), _) => argo_phase(hook)?,
        (None, Some(hook)) => helm_phase(hook)?,
        (None, None) => 0,
    };
    let wave = object.annotation(SYNC_WAVE).or_else(|| object.annotation(HOOK_WEIGHT));
    Some((phase, wave.and_then(|wave| wave.trim().parse().ok()).unwrap_or(0)))
}

fn argo_phase(hooks: &str) -> Option<i8> {
    let phase = |hook: &str| match hook.trim() {
        "PreSync" => Some(-1),
        "Sync" => Some(0),
        "PostSync" => Some(1),
        _ => None,
    };
    hooks.split(',').filter_map(phase).min()
}

fn helm_phase(hooks: &str) -> Option<i8> {
    let phase = |hook: &str| match hook.trim() {
        "pre-install" | "pre-upgrade" => Some(-1),
        "crd-install" => Some(0),
        "post-install" | "post-upgrade" => Some(1),
        _ => None,
    };
    hooks.split(',').filter_map(phase).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_entry_of_a_key_counts() {
        let object = Object::new(
            json!({"metadata": {"annotations": {SYNC_OPTIONS: " Prune=false , Delete=confirm,Prune=true"}}}),
        );
        assert_eq!(value(entries(&object, SYNC_OPTIONS), "Prune"), Some("false"));
        assert_eq!(value(entries(&object, SYNC_OPTIONS), "Delete"), Some("confirm"));
        assert_eq!(value(entries(&object, SYNC_OPTIONS), "PruneLast"), None);
    }

    #[test]
    fn phases_come_before_waves() {
        let at = |annotations| order(&Object::new(json!({"metadata": {"annotations": annotations}})));
        assert_eq!(at(json!({})), Some((0, 0)));
        assert_eq!(at(json!({SYNC_WAVE: "-5"})), Some((0, -5)));
        assert_eq!(
            at(json!({HELM_HOOK: "pre-install,post-upgrade", HOOK_WEIGHT: "3"})),
            Some((-1, 3))
        );
        assert_eq!(at(json!({HOOK: "PostSync", HELM_HOOK: "pre-install"})), Some((1, 0)));
        assert_eq!(at(json!({HELM_HOOK: "test"})), None);
    }
}
