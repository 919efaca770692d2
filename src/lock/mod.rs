//! The lock: the storage rules inside the cluster, as policies of the API server itself
//! ([ValidatingAdmissionPolicy](https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/)).
//! They refuse what annotations cannot stop: that somebody deletes a claim, or a Namespace with claims in it, by hand or by
//! a forced replacement; and, where that is chosen, that a pod writes a claim of another Application. Nothing runs for that, so
//! that nothing can fail.
//!
//! | file | what it has |
//! |---|---|
//! | `deletions` | the policies: owned claims stay, and so do Namespaces with such claims |
//! | `writes` | the policy: foreign claims are read-only |
//! | `state` | whether objects, of a repository or of a cluster, are these policies |
//! | `loss` | what would be lost with a claim |
//! | `refusals` | what the API server counts of them |
//! | `held` | what the policies refuse to delete, among live objects |
//! | `foreign` | what the policy on writes refuses, among live objects |

mod deletions;
pub mod foreign;
pub mod held;
pub mod loss;
pub mod refusals;
pub mod state;
mod writes;

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::Object;
use crate::yaml;

pub use deletions::deletions;
pub use refusals::refusals;
pub use state::{PolicyState, state};
pub use writes::{WRITES, writes};

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

/// A part of the lock, which is enabled by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Claims and Namespaces with claims stay.
    Deletions,
    /// Claims of others are read-only.
    Writes,
}

impl Part {
    /// Both parts.
    pub const ALL: [Self; 2] = [Self::Deletions, Self::Writes];

    /// Returns its name, as `lock enable` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deletions => "deletions",
            Self::Writes => "writes",
        }
    }

    /// Returns its policies.
    pub fn policies(self) -> Vec<Policy> {
        match self {
            Self::Deletions => deletions().to_vec(),
            Self::Writes => vec![writes()],
        }
    }
}

/// Returns the policies of all parts.
pub fn policies() -> Vec<Policy> {
    Part::ALL.into_iter().flat_map(Part::policies).collect()
}

/// Returns the texts of all policies with their bindings, as they are written into a repository.
#[cfg(test)]
pub fn texts() -> Vec<String> {
    let policies = policies();
    let texts = policies.iter().map(|policy| policy.text(&policy.objects()).unwrap());
    texts.collect()
}

/// A policy and its binding, which have one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The part that it belongs to.
    pub part: Part,
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
    fn new(part: Part, name: &'static str, purpose: &'static str, spec: &Value) -> Self {
        let object = |kind: &str, spec: &Value| {
            Object::new(json!({
                "apiVersion": format!("{GROUP}/v1"),
                "kind": kind,
                "metadata": {"name": name, "annotations": {VERSION_ANNOTATION: VERSION.to_string()}},
                "spec": spec,
            }))
        };
        Self {
            part,
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
            "# {}.\n# Made by `kubectl homelab lock enable {}`, which also brings it up to date; do not edit it.\n",
            self.purpose,
            self.part.name()
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
