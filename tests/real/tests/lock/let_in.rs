//! What goes on as ever.

use serde_json::json;

use crate::{Locked, objects};

pub(crate) fn all(locked: &Locked) {
    // Without an owner.
    locked.kubectl("delete pvc scratch -n media --wait=false").unwrap();
    jobs_end(locked);
    deployments_scale(locked);
    finalizers_go(locked);
    pods_are_evicted_and_debugged(locked);
    other_namespaces_go(locked);
}

fn jobs_end(locked: &Locked) {
    locked
        .kubectl("create job once -n media --image=example.org/x")
        .unwrap();
    locked.until("the job ends", || {
        locked.field("job once -n media", ".status.succeeded") == "1"
    });
    locked.kubectl("delete job once -n media").unwrap();
}

fn deployments_scale(locked: &Locked) {
    for replicas in ["0", "2"] {
        locked
            .kubectl(&format!("scale deployment reader -n media --replicas={replicas}"))
            .unwrap();
        let expected = if replicas == "0" { "" } else { replicas };
        locked.until("it is scaled", || {
            locked.field("deployment reader -n media", ".status.readyReplicas") == expected
        });
    }
    // Its claim stays when a set loses its replica, and when the set goes.
    locked.kubectl("scale statefulset db -n media --replicas=0").unwrap();
    locked.until("its pod is gone", || {
        locked.field("pod db-0 -n media", ".metadata.uid").is_empty()
    });
    locked.kubectl("delete statefulset db -n media").unwrap();
    assert_eq!(locked.field("pvc data-db-0 -n media", ".status.phase"), "Bound");
}

/// A claim without an owner that a pod mounts is Terminating until the pod is gone.
fn finalizers_go(locked: &Locked) {
    let all = objects::claim("media", "spare", "") + &objects::pod("media", "holder", "spare");
    locked.cluster.apply(&all).unwrap();
    locked.until("it runs", || {
        locked.field("pod holder -n media", ".status.phase") == "Running"
    });
    locked.kubectl("delete pvc spare -n media --wait=false").unwrap();
    assert!(
        !locked
            .field("pvc spare -n media", ".metadata.deletionTimestamp")
            .is_empty()
    );
    locked.kubectl("delete pod holder -n media").unwrap();
    locked.until("the claim is gone", || {
        locked.field("pvc spare -n media", ".metadata.uid").is_empty()
    });
}

fn pods_are_evicted_and_debugged(locked: &Locked) {
    locked
        .kubectl("debug player -n media --image=example.org/debug --attach=false --quiet")
        .unwrap();
    let containers = locked.field("pod player -n media", ".spec.ephemeralContainers[*].image");
    assert_eq!(containers, "example.org/debug");
    let metadata = json!({"name": "player", "namespace": "media"});
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}).to_string();
    let path = "/api/v1/namespaces/media/pods/player/eviction";
    locked
        .cluster
        .kubectl(&["create", "--raw", path, "-f", "-"], Some(&eviction))
        .unwrap();
    locked.until("it is gone", || {
        locked.field("pod player -n media", ".metadata.uid").is_empty()
    });
}

/// Namespaces without claims of Applications are deleted with everything in them, and those of Kubernetes and Argo CD are as
/// ever.
fn other_namespaces_go(locked: &Locked) {
    for namespace in ["kube-system", "argocd"] {
        locked
            .cluster
            .apply(&(objects::claim(namespace, "cache", "") + &objects::pod(namespace, "one", "cache")))
            .unwrap();
        for object in ["pod one", "pvc cache"] {
            locked.kubectl(&format!("delete {object} -n {namespace}")).unwrap();
        }
    }
    for namespace in ["plain", "argocd"] {
        locked
            .kubectl(&format!("delete namespace {namespace} --wait=false"))
            .unwrap();
        locked.until("it is gone", || {
            locked
                .field(&format!("namespace {namespace}"), ".metadata.uid")
                .is_empty()
        });
    }
}
