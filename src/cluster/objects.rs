//! The objects of one kind in one namespace: lists and patches.

use anyhow::{Result, bail};
use kube::api::{Api, DynamicObject, ListParams, Patch as KubePatch, PatchParams};
use serde_json::Value;

use super::DryRun;
use super::connection::Cluster;
use super::error::{self, RequestError};
use super::kind::Kind;
use crate::model::NamespaceName;

/// The field manager of this program's patches.
const FIELD_MANAGER: &str = "kubectl-homelab";

/// The codes of a server that may answer later.
const BUSY: [u16; 3] = [429, 503, 504];

/// The objects of one kind in one namespace.
pub(super) struct Objects<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) kind: &'static Kind,
    pub(super) api: Api<DynamicObject>,
}

impl<'c> Objects<'c> {
    /// Returns the objects of a kind in a namespace.
    pub(super) fn new(cluster: &'c Cluster, kind: &'static Kind, namespace: &NamespaceName) -> Self {
        Self {
            cluster,
            kind,
            api: Api::namespaced_with(cluster.client(), namespace.as_str(), &kind.resource()),
        }
    }

    /// Returns the objects of a kind that has no namespaces, or those in all of them.
    pub(super) fn everywhere(cluster: &'c Cluster, kind: &'static Kind) -> Self {
        Self {
            cluster,
            kind,
            api: Api::all_with(cluster.client(), &kind.resource()),
        }
    }

    /// Returns all objects, or the one of this name.
    pub(super) fn list(&self, name: Option<&str>) -> Result<Vec<Value>> {
        self.answer(name).map_err(|error| self.explain(error))
    }

    /// As [`Objects::list`], with the error as the request has it.
    pub(super) fn answer(&self, name: Option<&str>) -> Result<Vec<Value>, RequestError> {
        let params = ListParams {
            field_selector: name.map(only),
            ..ListParams::default()
        };
        let request = self.cluster.request(&BUSY, || self.api.list(&params));
        let list = self.cluster.block_on(request)?;
        Ok(list.into_iter().map(tree).collect())
    }

    /// Sends a JSON Merge Patch, and returns the object with it; `None` when the object has changed since the patch's
    /// `resourceVersion`.
    pub(super) fn patch(&self, name: &str, body: &Value, dry_run: DryRun) -> Result<Option<Value>> {
        let params = PatchParams {
            dry_run: dry_run == DryRun::Server,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = KubePatch::Merge(body);
        // Only this code says that nothing was done.
        let request = self.cluster.request(&[429], || self.api.patch(name, &params, &patch));
        match self.cluster.block_on(request) {
            Ok(object) => Ok(Some(tree(object))),
            Err(RequestError::Permanent(kube::Error::Api(status))) if status.code == 409 => Ok(None),
            Err(RequestError::Permanent(kube::Error::Api(status))) if status.code == 404 => {
                bail!("the {} `{name}` was deleted meanwhile", self.kind.kind)
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Returns the error for the user.
    pub(super) fn explain(&self, error: RequestError) -> anyhow::Error {
        let server = self.cluster.server();
        match error {
            RequestError::Transient(error) | RequestError::Permanent(error) => {
                error::explained(error, server, self.kind)
            }
            RequestError::TimedOut => error::timed_out(server),
        }
    }
}

/// Returns the field selector for one name.
pub(super) fn only(name: &str) -> String {
    format!("metadata.name={name}")
}

/// Returns the tree of an object.
pub(super) fn tree(object: DynamicObject) -> Value {
    // A tree with texts as keys always has a JSON form.
    serde_json::to_value(object).unwrap_or_default()
}
