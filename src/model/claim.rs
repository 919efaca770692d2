//! PersistentVolumeClaims: references to them.

use std::fmt;

use super::cluster::Cluster;
use super::name::{ClaimName, NamespaceName};
use super::object::Object;

/// Label: the Application that owns a claim.
pub const OWNER_LABEL: &str = "storage.home.arpa/owner";
/// Annotation of a claim or a Namespace, with its own name as the value: the lock lets its deletion through.
pub const RELEASE: &str = "storage.home.arpa/release";

/// Names a claim: claims of one name in two clusters or in two namespaces are two claims.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimRef {
    /// The cluster.
    pub cluster: Cluster,
    /// The namespace whose pods can mount it.
    pub namespace: NamespaceName,
    /// `metadata.name`.
    pub name: ClaimName,
}

impl fmt::Display for ClaimRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Reports whether an object is a PersistentVolumeClaim.
pub fn is_claim(object: &Object) -> bool {
    object.is("", "PersistentVolumeClaim")
}
