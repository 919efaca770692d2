//! The lock: the storage rules inside the cluster, as policies of the API server itself
//! ([ValidatingAdmissionPolicy](https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/)).
//! They refuse what annotations cannot stop: that somebody deletes a claim, or a Namespace with claims in it, by hand or by
//! a forced replacement. Nothing runs for that, so that nothing can fail.
//!
//! | file | what it has |
//! |---|---|
//! | `deletions` | the policies: owned claims stay, and so do Namespaces with such claims |
//! | `state` | whether objects, of a repository or of a cluster, are these policies |
//! | `loss` | what would be lost with a claim |
//! | `refusals` | what the API server counts of them |
//! | `held` | what the policies refuse to delete, among live objects |

mod deletions;
pub mod held;
pub mod loss;
pub mod refusals;
pub mod state;

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::Object;
use crate::yaml;

pub use deletions::deletions;
pub use refusals::refusals;
pub use state::{PolicyState, state};

/// The version of the policies: one more with each change of their texts.
pub const VERSION: u32 = 1;
/// Annotation of a policy and its binding: their version.
pub const VERSION_ANNOTATION: &str = "storage.home.arpa/lock-version";
/// The API group of policies and bindings.
pub const GROUP: &str = "admissionregistration.k8s.io";
/// The kind of a policy.
pub const POLICY: &str = "ValidatingAdmissionPolicy";
/// The kind of what puts a policy into force.
pub const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// A policy and its binding, which have one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The name of both.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// The policy.
    pub policy: Object,
    /// The binding.
    pub binding: Object,
}

impl Policy {
    fn new(name: &'static str, purpose: &'static str, spec: &Value) -> Self {
        let object = |kind: &str, spec: &Value| {
            Object::new(json!({
                "apiVersion": format!("{GROUP}/v1"),
                "kind": kind,
                "metadata": {"name": name, "annotations": {VERSION_ANNOTATION: VERSION.to_string()}},
                "spec": spec,
            }))
        };
        Self {
            name,
            purpose,
            policy: object(POLICY, spec),
            binding: object(BINDING, &json!({"policyName": name, "validationActions": ["Deny"]})),
        }
    }

    /// Returns both objects.
    pub fn objects(&self) -> [&Object; 2] {
        [&self.policy, &self.binding]
    }

    /// Returns some of its objects as the text of a new file.
    ///
    /// # Errors
    /// When they cannot be printed, which is a bug.
    pub fn text(&self, objects: &[&Object]) -> Result<String> {
        let head = format!(
            "# {}.\n# Made by `kubectl homelab lock enable deletions`, which also brings it up to date; do not edit it.\n",
            self.purpose
        );
        let texts = objects.iter().map(|object| yaml::emit(object.tree()));
        let texts: Vec<String> = texts.collect::<Result<_>>()?;
        Ok(head + &texts.join("---\n"))
    }
}

/// Something that is wrong with the lock in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What, as a sentence.
    pub message: String,
    /// Whether the lock lets something through that it should hold.
    pub is_error: bool,
}

#[cfg(test)]
mod tests;
