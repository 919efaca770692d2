//! Applying the repository recreates the cluster.

use std::collections::BTreeMap;

use real_parts::{Options, World, state};
use serde_json::Value;

/// Returns the objects whose values differ, or that only one side has.
fn differences(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let names = before.keys().chain(after.keys());
    let mut different: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            let of = |side: &BTreeMap<String, Value>| side.get(name).map_or("nothing".to_owned(), Value::to_string);
            format!("{name}\n  before {}\n  after  {}", of(before), of(after))
        })
        .collect();
    different.sort();
    different.dedup();
    different
}

/// Given the shipped repository, when its root is applied to an empty cluster, then everything exists; when the cluster
/// is removed and a new one gets the same file, then it has the same objects.
///
/// Control: one more object, applied by hand, is a difference.
#[test]
fn one_file_makes_the_same_cluster_twice() {
    let options = Options::default();
    let mut world = World::running(&options).unwrap();
    let before = state::objects(&world.cluster).unwrap();
    for expected in [
        "Application argocd/root",
        "Application argocd/namespaces",
        "Application argocd/jellyfin",
        "Application argocd/pilotedge-audio-fetcher",
        "Namespace /jellyfin",
        "PersistentVolumeClaim jellyfin/pvc-pe-audio",
        "PersistentVolumeClaim jellyfin/jellyfin-config",
        "PersistentVolume /pvc-pe-audio",
        "Deployment jellyfin/jellyfin",
        "Service jellyfin/jellyfin",
        "CronJob jellyfin/pilotedge-audio-fetcher",
    ] {
        assert!(
            before.contains_key(expected),
            "{expected} is missing: {:?}",
            before.keys()
        );
    }

    world.throw_the_cluster_away(&options).unwrap();
    assert_eq!(world.uid("Namespace", "jellyfin"), None, "the new cluster is empty");
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    let after = state::objects(&world.cluster).unwrap();
    let different = differences(&before, &after);
    assert!(different.is_empty(), "{}", different.join("\n"));

    world
        .cluster
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: by-hand, namespace: jellyfin}}")
        .unwrap();
    let different = differences(&before, &state::objects(&world.cluster).unwrap());
    assert_eq!(different.len(), 1, "{}", different.join("\n"));
}
