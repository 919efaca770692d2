//! The whole of it, once for each way of installing Argo CD.

use anyhow::Result;
use serde_json::{Value, json};

use super::patches::{config_map, health_checks, parameters, repo_server};
use super::sidecar::{TOOLS_NAME, User, container, init_container, volumes};
use super::{Images, document, lua};
use crate::model::sidecar::{HEALTH_CHECKS, PARAMETERS, REPO_SERVER, REPO_SERVER_SETTINGS, SETTINGS};
use crate::yaml;

const KUSTOMIZE_HEAD: &str = "The plugin `homelab-v1` for an Argo CD that kustomize installs: a component.
Made by `kubectl homelab cmp manifest -o kustomize`.

Install: save it as homelab/kustomization.yaml beside the kustomization.yaml that installs Argo CD, write
`components: [homelab]` there, and apply that: kubectl apply -k . --server-side
Where you applied install.yaml without kustomize, that kustomization.yaml has `namespace: argocd` and
`resources: [install.yaml]`; apply it with --force-conflicts, too.
Check:   kubectl kustomize . | kubectl homelab doctor -f -
Upgrade: make it again with the new version of the plugin, apply, then let Argo CD render everything again:
kubectl homelab refresh --all --hard
Remove:  take `plugin:` out of every Application first: one that names a plugin which is gone keeps its objects, but is
synced no more. Then take `components: [homelab]` out and apply.
";

const HELM_VALUES_HEAD: &str = "The plugin `homelab-v1` for an Argo CD that the Helm chart `argo-cd` installs: values.
Made by `kubectl homelab cmp manifest -o helm-values`.

Install: save it as homelab.yaml, and give it to helm behind your own values:
helm upgrade argocd argo-cd --repo https://argoproj.github.io/argo-helm -n argocd -f values.yaml -f homelab.yaml
Lists replace each other: where your values have initContainers, extraContainers or volumes of the repo-server, merge
them by hand.
Check:   the same as `helm template`, into: kubectl homelab doctor -f -
Upgrade: make it again with the new version of the plugin, upgrade, then let Argo CD render everything again:
kubectl homelab refresh --all --hard
Remove:  take `plugin:` out of every Application first: one that names a plugin which is gone keeps its objects, but is
synced no more. Then upgrade without this file.
";

const OPERATOR_HEAD: &str =
    "The plugin `homelab-v1` for an Argo CD that the Argo CD operator installs: fields of the ArgoCD.
Made by `kubectl homelab cmp manifest -o operator`.

Install: put the name and the namespace of your ArgoCD in, and apply it: kubectl apply --server-side -f homelab.yaml
Where your ArgoCD has one of these lists already, the API server says so: merge them by hand.
The init container takes helm and kustomize from Argo CD's image: name the version that you run with --argocd-version.
Check:   kubectl get deployment,configmap -n argocd -o yaml | kubectl homelab doctor -f -
Upgrade: make it again with the new version of the plugin, apply, then let Argo CD render everything again:
kubectl homelab refresh --all --hard
Remove:  take `plugin:` out of every Application first: one that names a plugin which is gone keeps its objects, but is
synced no more. Then take all fields below `spec` out of this file and apply it again. Never delete it: it is your
whole Argo CD.
";

/// The repo-server's own image, as in the chart: its values are templates.
const IMAGE_OF_THE_CHART: &str = r#"{{ default .Values.global.image.repository .Values.repoServer.image.repository }}:{{ default (include "argo-cd.defaultTag" .) .Values.repoServer.image.tag }}"#;

/// Returns a kustomize component that adds the plugin. Unless a version of Argo CD is named, helm and kustomize come from the image
/// that the repo-server has, whatever it is.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn kustomize(images: &Images) -> Result<String> {
    let patch = |kind: &str, name: &str, tree: &Value| -> Result<Value> {
        Ok(json!({"target": {"kind": kind, "name": name}, "patch": yaml::emit(tree)?}))
    };
    let mut tree = json!({
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "patches": [
            patch("Deployment", REPO_SERVER, &repo_server(images))?,
            patch("ConfigMap", SETTINGS, &config_map(SETTINGS, health_checks()))?,
            patch("ConfigMap", PARAMETERS, &config_map(PARAMETERS, parameters()))?,
        ],
    });
    if images.argo_cd.is_none() {
        let image = |containers: &str, name: &str| format!("spec.template.spec.{containers}.[name={name}].image");
        let server = json!({"kind": "Deployment", "name": REPO_SERVER});
        let mut source = server.clone();
        source["fieldPath"] = json!(image("containers", REPO_SERVER));
        let target = json!({"select": server, "fieldPaths": [image("initContainers", TOOLS_NAME)]});
        tree["replacements"] = json!([{"source": source, "targets": [target]}]);
    }
    document(KUSTOMIZE_HEAD, &tree)
}

/// Returns values of the Helm chart `argo-cd` that add the plugin. Unless a version of Argo CD is named, helm and kustomize come from the image
/// that the chart gives the repo-server.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn helm_values(images: &Images) -> Result<String> {
    let argo_cd = match images.argo_cd {
        Some(_) => images.argo_cd(),
        None => IMAGE_OF_THE_CHART.to_owned(),
    };
    let tree = json!({
        "configs": {"cm": health_checks(), "params": parameters()},
        "repoServer": {
            "initContainers": [init_container(&argo_cd, User::ArgoCd)],
            "extraContainers": [container(&images.plugin, User::ArgoCd)],
            "volumes": volumes(&images.git_credentials),
        },
    });
    document(HELM_VALUES_HEAD, &tree)
}

/// Returns the fields of the operator's ArgoCD that add the plugin.
///
/// # Errors
/// When it cannot be printed, which is a bug.
pub fn operator(images: &Images) -> Result<String> {
    let checks = HEALTH_CHECKS.iter().map(|check| {
        let mut entry = json!({"kind": check.kind, "check": lua(check)});
        if !check.group.is_empty() {
            entry["group"] = json!(check.group);
        }
        entry
    });
    let settings = REPO_SERVER_SETTINGS.iter();
    let variables = settings.map(|setting| json!({"name": setting.variable, "value": setting.value}));
    let tree = json!({
        "apiVersion": "argoproj.io/v1beta1",
        "kind": "ArgoCD",
        "metadata": {"name": "argocd", "namespace": "argocd"},
        "spec": {
            "repo": {
                "env": variables.collect::<Vec<_>>(),
                "initContainers": [init_container(&images.argo_cd(), User::Image)],
                "sidecarContainers": [container(&images.plugin, User::Image)],
                "volumes": volumes(&images.git_credentials),
            },
            "resourceHealthChecks": checks.collect::<Vec<_>>(),
        },
    });
    document(OPERATOR_HEAD, &tree)
}
