//! As whom the containers of a pod work: their user, and the groups whose files they may read.

use std::collections::BTreeSet;

use serde_json::Value;

/// The user and the groups of a container, as far as its manifest says them; an image may say others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodIdentity {
    /// `runAsUser`.
    pub user: Option<i64>,
    /// `runAsGroup`.
    pub group: Option<i64>,
    /// `fsGroup`, which the kubelet gives the files of volumes that it may write.
    pub fs_group: Option<i64>,
    /// `supplementalGroups`.
    pub others: BTreeSet<i64>,
}

impl PodIdentity {
    /// Reads that of a container of a pod spec.
    pub fn of(pod: &Value, container: &Value) -> Self {
        let number = |tree: &Value, key: &str| tree.pointer("/securityContext")?.get(key)?.as_i64();
        let own = |key: &str| number(container, key).or_else(|| number(pod, key));
        let others = pod.pointer("/securityContext/supplementalGroups");
        let others = others.and_then(Value::as_array).into_iter().flatten();
        Self {
            user: own("runAsUser"),
            group: own("runAsGroup"),
            fs_group: number(pod, "fsGroup"),
            others: others.filter_map(Value::as_i64).collect(),
        }
    }

    /// Returns all groups that it is known to have.
    pub fn groups(&self) -> BTreeSet<i64> {
        let mut groups = self.others.clone();
        groups.extend(self.group.into_iter().chain(self.fs_group));
        groups
    }

    /// Returns the group that the files get which it writes.
    pub fn of_files(&self) -> Option<i64> {
        self.fs_group.or(self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_container_wins_over_its_pod() {
        let pod =
            json!({"securityContext": {"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3, "supplementalGroups": [4]}});
        let container = json!({"securityContext": {"runAsUser": 7}});
        let identity = PodIdentity::of(&pod, &container);
        assert_eq!(
            (identity.user, identity.group, identity.of_files()),
            (Some(7), Some(2), Some(3))
        );
        assert_eq!(identity.groups(), BTreeSet::from([2, 3, 4]));
        assert_eq!(PodIdentity::of(&json!({}), &json!({})), PodIdentity::default());
    }
}
