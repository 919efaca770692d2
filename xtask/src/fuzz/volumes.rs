//! Generated pod specs: volumes that name claims, and their mounts.

use serde_json::{Map, Value, json};

use super::numbers::Numbers;

/// Names of claims: of others, owned, written by parameter, rendered, made by a StatefulSet or an operator, and none.
pub(super) fn claim(numbers: &mut Numbers) -> Value {
    let names = [
        "foreign",
        "foreign",
        "foreign",
        "films",
        "films",
        "own",
        "shared",
        "data",
        "data",
        "data-db-0",
        "data-db-x",
        "disk",
        "g-pvc",
        "a.b",
        "homelab-x",
    ];
    if numbers.one_in(60) {
        let odd = [
            json!(""),
            json!("{{ .claim }}"),
            json!("Bad_Name"),
            json!("foreign "),
            json!(7),
            json!(null),
            json!(["x"]),
        ];
        return odd[numbers.below(odd.len())].clone();
    }
    json!(numbers.pick(&names))
}

/// Returns a flag as it should be, and rarely as it should not be; `None` leaves it out.
pub(super) fn flag(numbers: &mut Numbers) -> Option<Value> {
    match numbers.below(24) {
        0..3 => Some(json!(true)),
        3 => Some(json!(false)),
        4 => Some(json!(null)),
        5 if numbers.one_in(3) => Some(json!("true")),
        _ => None,
    }
}

/// Returns a source of a claim, as it stands in a volume.
pub(super) fn source(numbers: &mut Numbers) -> Value {
    let mut source = Map::new();
    if !numbers.one_in(80) {
        source.insert("claimName".to_owned(), claim(numbers));
    }
    if let Some(flag) = flag(numbers) {
        source.insert("readOnly".to_owned(), flag);
    }
    if numbers.one_in(80) {
        return if numbers.one_in(2) { Value::Null } else { json!(true) };
    }
    Value::Object(source)
}

const VOLUME_NAMES: [&str; 6] = ["v", "w", "media", "tmp", "data", "homelab-foreign"];

fn volume(numbers: &mut Numbers, name: &str) -> Value {
    let mut volume = Map::new();
    if !numbers.one_in(80) {
        volume.insert("name".to_owned(), json!(name));
    }
    let (key, value) = match numbers.below(12) {
        0..7 => ("persistentVolumeClaim", source(numbers)),
        7 => ("emptyDir", json!({})),
        8 => ("configMap", json!({"name": "settings", "defaultMode": 420})),
        9 => ("hostPath", json!({"path": "/srv"})),
        10 => (
            "ephemeral",
            json!({"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}}),
        ),
        _ => ("projected", json!({"sources": [{"secret": {"name": "s"}}]})),
    };
    volume.insert(key.to_owned(), value);
    if numbers.one_in(60) {
        let key = numbers.pick(&["PersistentVolumeClaim", "other", "ephemeral"]);
        volume.insert(key.to_owned(), json!({"persistentVolumeClaim": source(numbers)}));
    }
    Value::Object(volume)
}

/// Returns a list of volumes, each with its own name.
pub(super) fn volumes(numbers: &mut Numbers) -> Value {
    let count = numbers.pick(&[1, 1, 1, 2, 2, 3, 0]);
    let first = numbers.below(VOLUME_NAMES.len());
    let names = (0..count).map(|number| VOLUME_NAMES[(first + number) % VOLUME_NAMES.len()]);
    let names: Vec<&str> = names.collect();
    names.into_iter().map(|name| volume(numbers, name)).collect()
}

/// Returns a list of mounts.
pub(super) fn mounts(numbers: &mut Numbers) -> Value {
    let count = numbers.below(4);
    (0..count)
        .map(|number| {
            let mut mount = Map::new();
            mount.insert("name".to_owned(), json!(numbers.pick(&VOLUME_NAMES)));
            let path = numbers.pick(&["/media", "/data", "/data/", "/m"]);
            mount.insert("mountPath".to_owned(), json!(format!("{path}{number}")));
            if let Some(flag) = flag(numbers) {
                mount.insert("readOnly".to_owned(), flag);
            }
            if numbers.one_in(12) {
                mount.insert("subPath".to_owned(), json!("new"));
            }
            Value::Object(mount)
        })
        .collect()
}

/// Returns a container; some have no name, as those that a pod's own are merged with.
pub(super) fn container(numbers: &mut Numbers) -> Value {
    let mut container = Map::new();
    if !numbers.one_in(10) {
        container.insert("name".to_owned(), json!(numbers.pick(&["main", "app", "side"])));
    }
    container.insert("image".to_owned(), json!("example.org/image:1"));
    match numbers.below(40) {
        0 => {
            container.insert("volumeMounts".to_owned(), Value::Null);
        }
        1..30 => {
            container.insert("volumeMounts".to_owned(), mounts(numbers));
        }
        _ => {}
    }
    if numbers.one_in(4) {
        container.insert("args".to_owned(), json!(["--on=yes", "no", "0644", "a: b # c"]));
    }
    Value::Object(container)
}

/// Returns a list of containers.
pub(super) fn containers(numbers: &mut Numbers) -> Value {
    let count = numbers.pick(&[1, 1, 1, 2, 0]);
    (0..count).map(|_| container(numbers)).collect()
}

/// Returns a pod spec, with its keys in any order.
pub(super) fn pod_spec(numbers: &mut Numbers) -> Value {
    let mut entries = vec![("containers", containers(numbers))];
    if !numbers.one_in(12) {
        entries.push(("volumes", volumes(numbers)));
    }
    if numbers.one_in(4) {
        entries.push(("initContainers", containers(numbers)));
    }
    if numbers.one_in(12) {
        entries.push(("ephemeralContainers", containers(numbers)));
    }
    if numbers.one_in(8) {
        entries.push(("securityContext", json!({"fsGroup": 1000})));
    }
    if numbers.one_in(60) {
        let odd = [Value::Null, json!({}), json!("x"), json!([null]), json!([["x"]])];
        let place = numbers.below(entries.len());
        entries[place].1 = odd[numbers.below(odd.len())].clone();
    }
    if numbers.one_in(3) {
        entries.reverse();
    }
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// Returns a pod template.
pub(super) fn template(numbers: &mut Numbers) -> Value {
    let mut template = json!({"metadata": {"labels": {"app": "x"}}, "spec": pod_spec(numbers)});
    if numbers.one_in(10) {
        template["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/default-container": "app"});
    }
    if numbers.one_in(20) {
        template["metadata"] = Value::Null;
    }
    template
}
