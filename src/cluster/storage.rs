//! Claims, Namespaces, volumes, pods and workloads, and the policies of the lock: lists, annotations, and what is only tried.

use std::fmt;

use anyhow::{Result, anyhow, bail};
use http::Request;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use serde_json::{Value, json};

use super::DryRun;
use super::connection::Cluster;
use super::error::{self, RequestError};
use super::kind::Kind;
use super::objects::Objects;
use crate::failure::HintExt;
use crate::lock;
use crate::model::{NamespaceName, Object};

/// The number of tries while somebody else keeps changing an object.
const TRIES: usize = 20;

/// A kind of objects that the lock is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// PersistentVolumeClaims.
    Claims,
    /// Namespaces.
    Namespaces,
    /// PersistentVolumes.
    Volumes,
    /// Pods.
    Pods,
    /// Deployments.
    Deployments,
    /// StatefulSets.
    StatefulSets,
    /// DaemonSets.
    DaemonSets,
    /// ReplicaSets.
    ReplicaSets,
    /// Jobs.
    Jobs,
    /// CronJobs.
    CronJobs,
    /// Events.
    Events,
    /// ValidatingAdmissionPolicies.
    Policies,
    /// ValidatingAdmissionPolicyBindings.
    Bindings,
}

const fn kind(group: &'static str, kind: &'static str, plural: &'static str, title: &'static str) -> Kind {
    Kind {
        group,
        version: "v1",
        kind,
        plural,
        title,
        install_hint: "choose another cluster with --context; the lock needs Kubernetes 1.30 or newer",
        permission_hint: "use a kubeconfig whose user may do that, or ask for the right that is named",
    }
}

static CLAIMS: Kind = kind("", "PersistentVolumeClaim", "persistentvolumeclaims", "claims");
static NAMESPACES: Kind = kind("", "Namespace", "namespaces", "Namespaces");
static VOLUMES: Kind = kind("", "PersistentVolume", "persistentvolumes", "volumes");
static PODS: Kind = kind("", "Pod", "pods", "pods");
static DEPLOYMENTS: Kind = kind("apps", "Deployment", "deployments", "Deployments");
static STATEFUL_SETS: Kind = kind("apps", "StatefulSet", "statefulsets", "StatefulSets");
static DAEMON_SETS: Kind = kind("apps", "DaemonSet", "daemonsets", "DaemonSets");
static REPLICA_SETS: Kind = kind("apps", "ReplicaSet", "replicasets", "ReplicaSets");
static JOBS: Kind = kind("batch", "Job", "jobs", "Jobs");
static CRON_JOBS: Kind = kind("batch", "CronJob", "cronjobs", "CronJobs");
static EVENTS: Kind = kind("", "Event", "events", "events");
static POLICIES: Kind = kind(
    lock::GROUP,
    lock::POLICY,
    "validatingadmissionpolicies",
    "admission policies",
);
static BINDINGS: Kind = kind(
    lock::GROUP,
    lock::BINDING,
    "validatingadmissionpolicybindings",
    "bindings of admission policies",
);

impl Resource {
    /// The pods and workloads that the policy on writes is about.
    pub const WORKLOADS: [Self; 7] = [
        Self::Deployments,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::CronJobs,
        Self::Jobs,
        Self::ReplicaSets,
        Self::Pods,
    ];

    fn kind(self) -> &'static Kind {
        match self {
            Self::Claims => &CLAIMS,
            Self::Namespaces => &NAMESPACES,
            Self::Volumes => &VOLUMES,
            Self::Pods => &PODS,
            Self::Deployments => &DEPLOYMENTS,
            Self::StatefulSets => &STATEFUL_SETS,
            Self::DaemonSets => &DAEMON_SETS,
            Self::ReplicaSets => &REPLICA_SETS,
            Self::Jobs => &JOBS,
            Self::CronJobs => &CRON_JOBS,
            Self::Events => &EVENTS,
            Self::Policies => &POLICIES,
            Self::Bindings => &BINDINGS,
        }
    }
}

/// A right that the user does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What the user may not do, as `kubectl auth can-i` takes it: `list persistentvolumeclaims`.
    pub grant: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "your user may not `{}`", self.grant)
    }
}

/// What was read, or the right that is missing for it.
pub type Seen<T> = std::result::Result<T, Denied>;

/// The end of a deletion, or of a creation, that was only tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// A policy refuses it, with this message.
    Refused(String),
    /// It would have been done.
    LetThrough,
    /// The user may not do it anyway.
    Denied(Denied),
    /// It is gone.
    Gone,
}

impl Cluster {
    fn of(&self, resource: Resource, namespace: Option<&NamespaceName>) -> Objects<'_> {
        match namespace {
            Some(namespace) => Objects::new(self, resource.kind(), namespace),
            None => Objects::everywhere(self, resource.kind()),
        }
    }

    /// Returns the objects of a kind in a namespace, or everywhere.
    ///
    /// # Errors
    /// When the cluster does not answer, or has no such kind.
    pub fn all(&self, resource: Resource, namespace: Option<&NamespaceName>) -> Result<Seen<Vec<Object>>> {
        let kind = resource.kind();
        let objects = self.of(resource, namespace);
        match objects.answer(None) {
            Ok(list) => Ok(Ok(list.into_iter().map(|tree| object(kind, tree)).collect())),
            Err(error) if code(&error) == Some(403) => Ok(Err(Denied {
                grant: format!("list {}", kind.plural),
            })),
            Err(error) => Err(objects.explain(error)),
        }
    }

    /// Returns one object; `None` where it does not exist.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub fn one(&self, resource: Resource, namespace: Option<&NamespaceName>, name: &str) -> Result<Option<Object>> {
        let objects = self.of(resource, namespace);
        let request = self.request(&[429, 503, 504], || objects.api.get_opt(name));
        let answer = self.block_on(request).map_err(|error| objects.explain(error))?;
        Ok(answer.map(|found| object(resource.kind(), super::objects::tree(found))))
    }

    /// Merges a change into an object.
    ///
    /// # Errors
    /// When it is gone, or the cluster does not answer or refuses.
    pub fn merge(
        &self,
        resource: Resource,
        namespace: Option<&NamespaceName>,
        name: &str,
        body: &Value,
    ) -> Result<Object> {
        let objects = self.of(resource, namespace);
        for _ in 0..TRIES {
            if let Some(tree) = objects.patch(name, body, DryRun::None)? {
                return Ok(object(resource.kind(), tree));
            }
        }
        bail!("the {} `{name}` keeps changing", resource.kind().kind)
    }

    /// Tries to delete an object: the API server checks it, and nothing is deleted.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn try_delete(&self, resource: Resource, namespace: Option<&NamespaceName>, name: &str) -> Result<Attempt> {
        let objects = self.of(resource, namespace);
        let params = DeleteParams {
            dry_run: true,
            ..DeleteParams::default()
        };
        let request = self.request(&[429, 503, 504], || objects.api.delete(name, &params));
        attempt(&objects, self.block_on(request).map(drop), "delete")
    }

    /// Tries to create an object: the API server checks it, and nothing is created.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn try_create(&self, resource: Resource, namespace: &NamespaceName, object: &Object) -> Result<Attempt> {
        let objects = self.of(resource, Some(namespace));
        let params = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let object: DynamicObject = serde_json::from_value(object.tree().clone())?;
        let request = self.request(&[429, 503, 504], || objects.api.create(&params, &object));
        attempt(&objects, self.block_on(request).map(drop), "create")
    }

    /// Returns the metrics of the API server, as text.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn metrics(&self) -> Result<Seen<String>> {
        let request = || Request::get("/metrics").body(Vec::new());
        request()?;
        let client = self.client();
        let answer = self.request(&[429, 503, 504], || {
            let (client, request) = (client.clone(), request());
            async move { client.request_text(request.map_err(kube::Error::HttpError)?).await }
        });
        match self.block_on(answer) {
            Ok(text) => Ok(Ok(text)),
            Err(error) if matches!(code(&error), Some(403 | 404)) => Ok(Err(Denied {
                grant: "get /metrics".to_owned(),
            })),
            Err(RequestError::Transient(error) | RequestError::Permanent(error)) => {
                Err(anyhow!(error::unreachable(&error, self.server())))
            }
            Err(RequestError::TimedOut) => Err(error::timed_out(self.server())),
        }
    }

    /// Sets the reclaim policy of a volume to Retain, so that its data outlives its claim.
    ///
    /// # Errors
    /// When it is gone, or the cluster does not answer or refuses.
    pub fn retain(&self, volume: &str) -> Result<()> {
        let body = json!({"spec": {"persistentVolumeReclaimPolicy": "Retain"}});
        self.merge(Resource::Volumes, None, volume, &body)
            .hint("its user needs the right to `patch persistentvolumes`")
            .map(drop)
    }
}

/// Returns the end of what was only tried.
fn attempt(objects: &Objects<'_>, answer: std::result::Result<(), RequestError>, verb: &str) -> Result<Attempt> {
    match answer {
        Ok(()) => Ok(Attempt::LetThrough),
        Err(RequestError::Permanent(kube::Error::Api(status))) if status.code == 404 => Ok(Attempt::Gone),
        Err(RequestError::Permanent(kube::Error::Api(status))) if status.message.contains(lock::POLICY) => {
            Ok(Attempt::Refused(status.message.clone()))
        }
        Err(error) if code(&error) == Some(403) => Ok(Attempt::Denied(Denied {
            grant: format!("{verb} {}", objects.kind.plural),
        })),
        Err(error) => Err(objects.explain(error)),
    }
}

fn code(error: &RequestError) -> Option<u16> {
    match error {
        RequestError::Transient(error) | RequestError::Permanent(error) => error::code(error),
        RequestError::TimedOut => None,
    }
}

/// Returns an object of a list, which does not say itself what it is.
fn object(kind: &Kind, mut tree: Value) -> Object {
    tree["apiVersion"] = json!(kind.resource().api_version);
    tree["kind"] = json!(kind.kind);
    if let Some(metadata) = tree["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    Object::new(tree)
}
