//! A client of the cluster: objects as JSON values, by path.

use std::path::Path;

use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tokio::runtime::Runtime;

/// A blocking connection to the API server.
pub struct Api {
    runtime: Runtime,
    client: kube::Client,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api")
    }
}

/// The API path of each kind that stories read.
const KINDS: &[(&str, &str, &str)] = &[
    ("Application", "/apis/argoproj.io/v1alpha1", "applications"),
    ("ApplicationSet", "/apis/argoproj.io/v1alpha1", "applicationsets"),
    ("ConfigMap", "/api/v1", "configmaps"),
    ("CronJob", "/apis/batch/v1", "cronjobs"),
    (
        "CustomResourceDefinition",
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
    ),
    ("Deployment", "/apis/apps/v1", "deployments"),
    ("Event", "/api/v1", "events"),
    ("Job", "/apis/batch/v1", "jobs"),
    ("Namespace", "/api/v1", "namespaces"),
    ("Node", "/api/v1", "nodes"),
    ("PersistentVolume", "/api/v1", "persistentvolumes"),
    ("PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims"),
    ("Pod", "/api/v1", "pods"),
    ("ReplicaSet", "/apis/apps/v1", "replicasets"),
    ("RoleBinding", "/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    ("Rollout", "/apis/argoproj.io/v1alpha1", "rollouts"),
    ("Secret", "/api/v1", "secrets"),
    ("Service", "/api/v1", "services"),
    ("ServiceAccount", "/api/v1", "serviceaccounts"),
];

/// Returns the path of an object: `place` is `name` or `namespace/name`, or `namespace/` for all of one namespace.
pub fn path(kind: &str, place: &str) -> Result<String> {
    let (_, group, plural) = KINDS
        .iter()
        .find(|(known, _, _)| *known == kind)
        .with_context(|| format!("{kind} is not in the harness's table of kinds"))?;
    Ok(match place.split_once('/') {
        Some((namespace, "")) => format!("{group}/namespaces/{namespace}/{plural}"),
        Some((namespace, name)) => format!("{group}/namespaces/{namespace}/{plural}/{name}"),
        None if place.is_empty() => format!("{group}/{plural}"),
        None => format!("{group}/{plural}/{place}"),
    })
}

impl Api {
    /// Connects to the cluster of a kubeconfig.
    pub fn connect(kubeconfig: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let config = Kubeconfig::read_from(kubeconfig)?;
        let client = runtime.block_on(async {
            let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
            anyhow::Ok(kube::Client::try_from(config)?)
        })?;
        Ok(Self { runtime, client })
    }

    fn ask(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Result<Option<Value>> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", content_type)
            .body(body)?;
        match self.runtime.block_on(self.client.request::<Value>(request)) {
            Ok(value) => Ok(Some(value)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{method} {path}")),
        }
    }

    /// Returns an object; `None` if it does not exist.
    pub fn get(&self, kind: &str, place: &str) -> Result<Option<Value>> {
        self.ask("GET", &path(kind, place)?, "application/json", Vec::new())
    }

    /// Returns all objects of a kind, in one namespace (`namespace/`) or everywhere (empty).
    pub fn list(&self, kind: &str, place: &str) -> Result<Vec<Value>> {
        let list = self.get(kind, place)?.context("a list is always there")?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Merges a change into an object that exists.
    pub fn merge(&self, kind: &str, place: &str, change: &Value) -> Result<Value> {
        let body = serde_json::to_vec(change)?;
        self.ask("PATCH", &path(kind, place)?, "application/merge-patch+json", body)?
            .with_context(|| format!("{kind} {place} does not exist"))
    }

    /// Creates an object from a value.
    pub fn create(&self, kind: &str, place: &str, object: &Value) -> Result<Value> {
        self.ask(
            "POST",
            &path(kind, place)?,
            "application/json",
            serde_json::to_vec(object)?,
        )?
        .with_context(|| format!("there is no {kind} in this cluster"))
    }

    /// Deletes an object, and does not wait until it is gone.
    pub fn delete(&self, kind: &str, place: &str) -> Result<()> {
        self.ask("DELETE", &path(kind, place)?, "application/json", Vec::new())?;
        Ok(())
    }

    /// Reports whether the server is ready.
    pub fn ready(&self) -> bool {
        http::Request::get("/readyz").body(Vec::new()).is_ok_and(|request| {
            self.runtime
                .block_on(self.client.request_text(request))
                .is_ok_and(|text| text == "ok")
        })
    }
}
