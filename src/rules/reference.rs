//! How Argo CD and Kubernetes identify what an Application renders.

use super::subject::Subject;
use crate::model::cluster_scoped::is_cluster_scoped;
use crate::model::{Object, ObjectRef};

impl Subject<'_> {
    /// Returns the reference of an object, with the namespace that it gets where it names none; `None` for an incomplete one.
    pub fn reference_of(&self, object: &Object) -> Option<ObjectRef> {
        let mut reference = object.reference()?;
        reference.namespace = match is_cluster_scoped(object) {
            true => None,
            false => self.namespace_of(object).map(|namespace| namespace.to_string()),
        };
        Some(reference)
    }
}
