//! The connection: single requests to the cluster.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch as KubePatch, PatchParams};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{DryRun, Options, Patience, complaint, options};
use crate::failure::HintExt;
use crate::model::{LiveApplication, NamespaceName};

/// Who changes what this program changes, in the API server's books.
const FIELD_MANAGER: &str = "kubectl-homelab";

/// A cluster with an Argo CD.
pub struct Cluster {
    runtime: Runtime,
    pub(super) api: Api<DynamicObject>,
    server: String,
    namespace: NamespaceName,
    request_timeout: Duration,
    pub(super) patience: Patience,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Why a request has no answer.
pub(super) enum Unanswered {
    /// It may be worth another try.
    Passing(kube::Error),
    /// It is not.
    Lasting(kube::Error),
    /// It took too long.
    Silent,
}

impl Cluster {
    /// The cluster that is meant. Nothing is sent to it yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or it says no cluster that can be asked.
    pub fn connect(options: &Options) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start what talks to the cluster")?;
        let mut config = runtime.block_on(options::config(options))?;
        let agent = concat!("kubectl-homelab/", env!("CARGO_PKG_VERSION"));
        config.headers.push(("user-agent".parse()?, agent.parse()?));
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        // Its services are spawned on the runtime.
        let client = runtime
            .block_on(async { kube::Client::try_from(config) })
            .map_err(|error| complaint::explained(error, &server))?;
        let api = Api::namespaced_with(client, options.argocd_namespace.as_str(), &applications());
        Ok(Self {
            runtime,
            api,
            server,
            namespace: options.argocd_namespace.clone(),
            request_timeout: options.request_timeout,
            patience: options.patience,
        })
    }

    /// Where the Applications are.
    pub fn namespace(&self) -> &NamespaceName {
        &self.namespace
    }

    /// Waits for the end of something.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Waits for an answer, as long as a request and all together may take.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, Unanswered> {
        let most = if self.request_timeout.is_zero() {
            Duration::MAX
        } else {
            self.request_timeout
        };
        match tokio::time::timeout(self.patience.left(most), request).await {
            Err(_) => Err(Unanswered::Silent),
            Ok(Err(error)) if complaint::is_passing(&error) => Err(Unanswered::Passing(error)),
            Ok(answer) => answer.map_err(Unanswered::Lasting),
        }
    }

    /// Says why there is no answer.
    pub(super) fn explain(&self, unanswered: Unanswered) -> anyhow::Error {
        match unanswered {
            Unanswered::Passing(error) | Unanswered::Lasting(error) => complaint::explained(error, &self.server),
            Unanswered::Silent => anyhow!("the cluster at `{}` does not answer in time", self.server).hint(
                "start it, choose another one with --context, or wait longer with --request-timeout or --timeout",
            ),
        }
    }

    /// All Applications, or one by its name.
    pub(super) fn list(&self, name: Option<&str>) -> Result<Vec<LiveApplication>> {
        let list = self.block_on(self.ask(self.api.list(&list_params(name))));
        Ok(list
            .map_err(|error| self.explain(error))?
            .into_iter()
            .map(live)
            .collect())
    }

    /// Sends a JSON Merge Patch. `None` when the object has changed since the patch's `resourceVersion`.
    pub(super) fn patch(&self, name: &str, body: &Value, dry_run: DryRun) -> Result<Option<LiveApplication>> {
        let params = PatchParams {
            dry_run: dry_run == DryRun::Server,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        match self.block_on(self.ask(self.api.patch(name, &params, &KubePatch::Merge(body)))) {
            Ok(object) => Ok(Some(live(object))),
            Err(Unanswered::Lasting(kube::Error::Api(status))) if status.code == 409 => Ok(None),
            Err(Unanswered::Lasting(kube::Error::Api(status))) if status.code == 404 => {
                bail!("the Application `{name}` was deleted meanwhile")
            }
            Err(error) => Err(self.explain(error)),
        }
    }
}

/// Argo CD's Applications; there is one version of them.
fn applications() -> ApiResource {
    ApiResource {
        group: crate::model::application::GROUP.to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "argoproj.io/v1alpha1".to_owned(),
        kind: "Application".to_owned(),
        plural: "applications".to_owned(),
    }
}

pub(super) fn list_params(name: Option<&str>) -> ListParams {
    name.map_or_else(ListParams::default, |name| {
        ListParams::default().fields(&format!("metadata.name={name}"))
    })
}

pub(super) fn live(object: DynamicObject) -> LiveApplication {
    // A tree of strings as keys: it always has a JSON form.
    LiveApplication::new(serde_json::to_value(object).unwrap_or_default())
}
