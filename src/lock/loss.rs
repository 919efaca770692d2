//! What would be lost with a claim: its size, its volume and what becomes of that, and who mounts it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::Object;
use crate::model::workload::pod_templates;

/// The phases of a pod that mounts nothing any more.
pub(super) const OVER: [&str; 2] = ["Succeeded", "Failed"];

/// What is known of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Its size, as `5Gi`.
    pub size: Option<String>,
    /// The name of its volume.
    pub volume: Option<String>,
    /// What becomes of the volume: `Delete` or `Retain`; `None` where it is not known.
    pub reclaim_policy: Option<String>,
    /// The pods that mount it; `None` where they are not known.
    pub pods: Option<BTreeSet<String>>,
}

impl Loss {
    /// Returns what is known of a claim, by its volume and the pods of its namespace, as far as they could be read.
    pub fn new(claim: &Object, volume: Option<&Object>, pods: Option<&[Object]>) -> Self {
        let text =
            |object: &Object, pointer: &'static str| object.at(pointer).and_then(Value::as_str).map(str::to_owned);
        let mounting = |pods: &[Object]| pods.iter().filter(|pod| mounts(pod, claim.name())).map(name).collect();
        Self {
            size: text(claim, "/status/capacity/storage").or_else(|| text(claim, "/spec/resources/requests/storage")),
            volume: volume_of(claim),
            reclaim_policy: volume.and_then(|volume| text(volume, "/spec/persistentVolumeReclaimPolicy")),
            pods: pods.map(mounting),
        }
    }

    /// Returns a sentence.
    pub fn sentence(&self) -> String {
        let size = self.size.as_deref().unwrap_or("an unknown size");
        let volume = match (&self.volume, self.reclaim_policy.as_deref()) {
            (None, _) => "no volume yet".to_owned(),
            (Some(volume), Some("Delete")) => {
                format!("volume `{volume}`, which is deleted with it (reclaim policy Delete)")
            }
            (Some(volume), Some(policy)) => format!("volume `{volume}`, which stays (reclaim policy {policy})"),
            (Some(volume), None) => format!("volume `{volume}`, whose reclaim policy is not known"),
        };
        let pods = match &self.pods {
            None => "who mounts it is not known".to_owned(),
            Some(pods) if pods.is_empty() => "no pod mounts it".to_owned(),
            Some(pods) => {
                let names: Vec<String> = pods.iter().map(|pod| format!("`{pod}`")).collect();
                format!("mounted by {}", names.join(", "))
            }
        };
        format!("{size}, {volume}; {pods}")
    }
}

/// Returns the name of a claim's volume.
pub fn volume_of(claim: &Object) -> Option<String> {
    let name = claim.at("/spec/volumeName").and_then(Value::as_str);
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

fn name(pod: &Object) -> String {
    pod.name().to_owned()
}

fn mounts(pod: &Object, claim: &str) -> bool {
    let phase = pod.at("/status/phase").and_then(Value::as_str).unwrap_or_default();
    let volumes = || {
        let templates = pod_templates(pod);
        let volumes: Vec<Value> = templates
            .iter()
            .flat_map(|template| template.volumes().to_vec())
            .collect();
        volumes
    };
    let names = |volume: &Value| {
        let of = |pointer: &str| volume.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let ephemeral = volume.get("ephemeral").is_some().then(|| {
            let volume = volume.get("name").and_then(Value::as_str).unwrap_or_default();
            format!("{}-{volume}", pod.name())
        });
        of("/persistentVolumeClaim/claimName").or(ephemeral)
    };
    !OVER.contains(&phase) && volumes().iter().any(|volume| names(volume).as_deref() == Some(claim))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_that_is_known_is_said() {
        let claim = Object::new(
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "films"},
            "spec": {"volumeName": "pvc-1", "resources": {"requests": {"storage": "1Gi"}}}, "status": {"capacity": {"storage": "5Gi"}}}),
        );
        let volume = |policy: &str| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pvc-1"},
                "spec": {"persistentVolumeReclaimPolicy": policy}}),
            )
        };
        let pod = |name: &str, phase: &str| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "status": {"phase": phase},
                "spec": {"containers": [{"name": "a"}], "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "films"}}]}}),
            )
        };
        let pods = [pod("player-1", "Running"), pod("old", "Succeeded")];
        assert_eq!(
            Loss::new(&claim, Some(&volume("Delete")), Some(&pods)).sentence(),
            "5Gi, volume `pvc-1`, which is deleted with it (reclaim policy Delete); mounted by `player-1`"
        );
        assert_eq!(
            Loss::new(&claim, Some(&volume("Retain")), Some(&[])).sentence(),
            "5Gi, volume `pvc-1`, which stays (reclaim policy Retain); no pod mounts it"
        );
        assert_eq!(
            Loss::new(&claim, None, None).sentence(),
            "5Gi, volume `pvc-1`, whose reclaim policy is not known; who mounts it is not known"
        );
    }
}
