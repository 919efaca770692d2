//! Patches of the objects that Argo CD's own manifests have, for kustomize and for `kubectl patch`.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::sidecar::{User, container, init_container, volumes};
use super::{Images, document, lua};
use crate::model::sidecar::{HEALTH_CHECKS, PARAMETERS, REPO_SERVER, REPO_SERVER_SETTINGS, SETTINGS};

const SIDECAR_HEAD: &str =
    "Adds the plugin to Argo CD's repo-server, as a kustomize patch. Made from the same source as
`kubectl homelab cmp manifest -o kustomize`, which has the whole of it and takes helm and kustomize from the repo-server's own image.
";

const HEALTH_CHECKS_HEAD: &str = "Health checks for Argo CD, as a kustomize patch or with
`kubectl patch configmap argocd-cm -n argocd --patch-file argocd-cm-patch.yaml`. A part of what
`kubectl homelab cmp manifest` prints; made from the same source.

Argo CD has two gaps that matter to a home:

- A claim whose class has `volumeBindingMode: WaitForFirstConsumer` (local-path in k3s and kind) is Pending until a pod
  uses it. Argo CD calls that Progressing, so the Application of a CronJob is Progressing until its first run, and
  what waits for it in a later sync wave waits as long. https://github.com/argoproj/argo-cd/issues/12840
- An Application has no health for its parent, so the root is Healthy whatever becomes of the others.
  https://argo-cd.readthedocs.io/en/stable/operator-manual/health/#argocd-app
";

const PARAMETERS_HEAD: &str = "Parameters of Argo CD's repo-server, as a kustomize patch or with
`kubectl patch configmap argocd-cmd-params-cm -n argocd --patch-file argocd-cmd-params-cm-patch.yaml`; the repo-server
reads them when it starts. A part of what `kubectl homelab cmp manifest` prints; made from the same source.

The repo-server packs the whole repository for the plugin at every render. With these it leaves out `.git`, which this
plugin does not read (take that one off when another plugin does), and packs what the Application names in its annotation
`argocd.argoproj.io/manifest-generate-paths`, or everything when it has none. 200 Applications of one repository were
synced in less than half the time.
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#plugin-tar-stream-exclusions
";

/// The namespace of Argo CD's own manifests; kustomize takes none, since there another one may be set.
const NAMESPACE: &str = "argocd";

/// Returns the Deployment of the repo-server with the plugin added.
pub(super) fn repo_server(images: &Images) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": REPO_SERVER},
        "spec": {"template": {
            // kustomize puts the sidecar first; `kubectl logs` should still show the repo-server.
            "metadata": {"annotations": {"kubectl.kubernetes.io/default-container": REPO_SERVER}},
            "spec": {
                "initContainers": [init_container(&images.argo_cd(), User::ArgoCd)],
                "containers": [container(&images.plugin, User::ArgoCd)],
                "volumes": volumes(&images.git_credentials),
            },
        }},
    })
}

/// Returns a ConfigMap with entries added.
pub(super) fn config_map(name: &str, data: Map<String, Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// Returns the entries of Argo CD's settings.
pub(super) fn health_checks() -> Map<String, Value> {
    HEALTH_CHECKS
        .iter()
        .map(|check| (check.key(), json!(lua(check))))
        .collect()
}

/// Returns the entries of Argo CD's parameters.
pub(super) fn parameters() -> Map<String, Value> {
    REPO_SERVER_SETTINGS
        .iter()
        .map(|setting| (setting.key.to_owned(), json!(setting.value)))
        .collect()
}

fn in_argo_cd(mut config_map: Value) -> Value {
    config_map["metadata"]["namespace"] = json!(NAMESPACE);
    config_map
}

/// Returns the text of `plugin/argocd-repo-server-patch.yaml`.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn sidecar_patch(images: &Images) -> Result<String> {
    document(SIDECAR_HEAD, &repo_server(images))
}

/// Returns the text of `plugin/argocd-cm-patch.yaml`.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn health_checks_patch() -> Result<String> {
    document(HEALTH_CHECKS_HEAD, &in_argo_cd(config_map(SETTINGS, health_checks())))
}

/// Returns the text of `plugin/argocd-cmd-params-cm-patch.yaml`.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn parameters_patch() -> Result<String> {
    document(PARAMETERS_HEAD, &in_argo_cd(config_map(PARAMETERS, parameters())))
}
