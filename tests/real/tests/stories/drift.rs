//! Manual changes are reverted.

use std::time::Instant;

use real_parts::measure::{figure, seconds};
use real_parts::{Options, World};
use serde_json::{Value, json};

const DEPLOYMENT: &str = "jellyfin/jellyfin";

fn deployment(world: &World) -> Value {
    world.api().get("Deployment", DEPLOYMENT).unwrap().unwrap()
}

/// A manual change, and the check that it is reverted.
struct Change {
    name: &'static str,
    patch: Value,
    healed: fn(&Value) -> bool,
}

fn volume(deployment: &Value) -> &Value {
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    let mut volumes = volumes.iter();
    volumes
        .find(|volume| volume["persistentVolumeClaim"]["claimName"] == "pvc-pe-audio")
        .unwrap()
}

fn changes(world: &World) -> [Change; 3] {
    let deployment = deployment(world);
    let mut template = deployment["spec"]["template"]["spec"].clone();
    for volume in template["volumes"].as_array_mut().unwrap() {
        if let Some(claim) = volume["persistentVolumeClaim"].as_object_mut() {
            claim.remove("readOnly");
        }
    }
    for mount in template["containers"][0]["volumeMounts"].as_array_mut().unwrap() {
        mount.as_object_mut().unwrap().remove("readOnly");
    }
    [
        Change {
            name: "readOnly removed",
            patch: json!({"spec": {"template": {"spec": {
                "volumes": template["volumes"], "containers": template["containers"],
            }}}}),
            healed: |deployment| {
                let mounts = deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
                    .as_array()
                    .unwrap();
                volume(deployment)["persistentVolumeClaim"]["readOnly"] == true
                    && mounts
                        .iter()
                        .any(|mount| mount["mountPath"] == "/media/pe-audio" && mount["readOnly"] == true)
            },
        },
        Change {
            name: "scaled",
            patch: json!({"spec": {"replicas": 3}}),
            healed: |deployment| deployment["spec"]["replicas"] == 1,
        },
        Change {
            name: "label edited",
            patch: json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}}),
            healed: |deployment| deployment["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm",
        },
    ]
}

/// Given everything runs, when a user removes `readOnly`, scales the Deployment or edits a label, then it is as in Git
/// again within seconds.
///
/// Control: without `selfHeal` each change stays.
#[test]
fn what_is_changed_by_hand_is_healed() {
    let world = World::running(&Options::default()).unwrap();
    for change in changes(&world) {
        let start = Instant::now();
        world.api().merge("Deployment", DEPLOYMENT, &change.patch).unwrap();
        world.until(change.name, || (change.healed)(&deployment(&world)));
        figure(&format!("healed: {}", change.name), &seconds(start));
        world.until("Synced again", || {
            world.application("jellyfin")["status"]["sync"]["status"] == "Synced"
        });
    }

    world
        .home
        .replace("applications/jellyfin.yaml", "selfHeal: true", "selfHeal: false")
        .unwrap();
    world.push(&world.home, "No selfHeal").unwrap();
    world.until("selfHeal is off", || {
        world.application("jellyfin")["spec"]["syncPolicy"]["automated"]["selfHeal"] == false
    });
    let changes = changes(&world);
    for change in &changes {
        world.api().merge("Deployment", DEPLOYMENT, &change.patch).unwrap();
    }
    world.until("the drift is seen", || {
        world.application("jellyfin")["status"]["sync"]["status"] == "OutOfSync"
    });
    world.stays("changed", 5, || {
        let deployment = deployment(&world);
        changes.iter().all(|change| !(change.healed)(&deployment))
    });
}
