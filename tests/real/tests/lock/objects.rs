//! The objects of these tests.

use crate::Locked;

/// Returns a claim with an owner, or without one.
pub(crate) fn claim(namespace: &str, name: &str, owner: &str) -> String {
    let labels = match owner {
        "" => String::new(),
        owner => format!(", labels: {{storage.home.arpa/owner: {owner}}}"),
    };
    format!(
        "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}, namespace: {namespace}{labels}}}\n\
         spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
    )
}

/// Returns a pod that mounts a claim.
pub(crate) fn pod(namespace: &str, name: &str, claim: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  terminationGracePeriodSeconds: 0\n  \
         containers: [{{name: main, image: example.org/x, volumeMounts: [{{name: data, mountPath: /data}}]}}]\n  \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]\n"
    )
}

/// Returns a StatefulSet that makes the claim `data-NAME-0`.
fn stateful_set(name: &str, policy: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}, namespace: media}}\nspec:\n  serviceName: {name}\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  persistentVolumeClaimRetentionPolicy: {{whenDeleted: {policy}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}}}\n    spec:\n      terminationGracePeriodSeconds: 0\n      \
         containers: [{{name: main, image: example.org/x, volumeMounts: [{{name: data, mountPath: /data}}]}}]\n  \
         volumeClaimTemplates:\n  - metadata: {{name: data}}\n    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
    )
}

/// Returns a Deployment that mounts a claim, read-only.
pub(crate) fn deployment(name: &str, claim: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: media}}\nspec:\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      \
         terminationGracePeriodSeconds: 0\n      containers: [{{name: main, image: example.org/x}}]\n      \
         volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}, readOnly: true}}}}]\n"
    )
}

/// Creates the namespaces `media`, with claims of Applications, and `plain`, without.
pub(crate) fn furnish(locked: &Locked) {
    let registry = "storage.home.arpa/registry: v1, owner.storage.home.arpa/films: fetcher, owner.storage.home.arpa/data-db-0: db, \
         owner.storage.home.arpa/data-gone-0: gone";
    let mut all = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: media, labels: {{{registry}}}}}\n\
         ---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: plain}}\n\
         ---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: argocd}}\n"
    );
    all.push_str(&claim("media", "films", "fetcher"));
    all.push_str(&claim("media", "books", "reader"));
    all.push_str(&claim("media", "scratch", ""));
    all.push_str(&claim("plain", "notes", ""));
    all.push_str(&pod("plain", "writer", "notes"));
    all.push_str(&pod("media", "player", "films"));
    all.push_str(&stateful_set("db", "Retain"));
    all.push_str(&stateful_set("gone", "Delete"));
    all.push_str(&deployment("reader", "films"));
    locked.cluster.apply(&all).unwrap();
    for pod in ["player", "db-0", "gone-0"] {
        locked.until("the pods run", || {
            locked.field(&format!("pod {pod} -n media"), ".status.phase") == "Running"
        });
    }
}
