//! Where an object is: its cluster, and its reference there.

use std::fmt;

use crate::model::{ClaimName, ClaimRef, Cluster, NamespaceName, Object, ObjectRef};
use crate::rules::Subject;

/// An object in a cluster, as Argo CD and Kubernetes identify it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The cluster.
    pub cluster: Cluster,
    /// The object, with the namespace that it gets where it names none.
    pub object: ObjectRef,
}

impl Place {
    /// Returns the place of an object that an Application renders; `None` for an incomplete one.
    pub fn of(subject: &Subject<'_>, object: &Object) -> Option<Self> {
        Some(Self {
            cluster: subject.cluster.clone(),
            object: subject.reference_of(object)?,
        })
    }

    /// Returns the place of a claim.
    pub fn of_claim(claim: &ClaimRef) -> Self {
        Self {
            cluster: claim.cluster.clone(),
            object: ObjectRef {
                group: String::new(),
                kind: "PersistentVolumeClaim".to_owned(),
                namespace: Some(claim.namespace.to_string()),
                name: claim.name.to_string(),
            },
        }
    }

    /// Returns the claim that the object is, if it is one.
    pub fn claim(&self) -> Option<ClaimRef> {
        let is_claim = self.is("", "PersistentVolumeClaim");
        Some(ClaimRef {
            cluster: self.cluster.clone(),
            namespace: NamespaceName::new(self.namespace().filter(|_| is_claim)?).ok()?,
            name: ClaimName::new(self.object.name.as_str()).ok()?,
        })
    }

    /// Returns the namespace that the object is in.
    pub fn namespace(&self) -> Option<&str> {
        self.object.namespace.as_deref()
    }

    /// Reports whether the object is of this kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.object.group == group && self.object.kind == kind
    }

    /// Reports whether two objects are of one kind.
    pub fn is_of_kind(&self, other: &Self) -> bool {
        self.is(&other.object.group, &other.object.kind)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObjectRef {
            kind, namespace, name, ..
        } = &self.object;
        match namespace {
            Some(namespace) => write!(f, "{kind}/{namespace}/{name}")?,
            None => write!(f, "{kind}/{name}")?,
        }
        match self.cluster.is_local() {
            true => Ok(()),
            false => write!(f, " in {}", self.cluster),
        }
    }
}
