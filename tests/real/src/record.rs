//! What happened to pods and claims, event by event, so that nothing that was true for a moment only is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Deserializer, Value};

use crate::cluster::Cluster;
use crate::process::Process;

/// The events of a cluster from one moment on.
#[derive(Debug)]
pub struct Record {
    recorders: [Process; 2],
    pods: PathBuf,
    claims: PathBuf,
}

/// What was seen of one claim.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The largest set of pods that could write it at one moment.
    pub writers: BTreeSet<String>,
    /// The UIDs that it had, one after the other.
    pub uids: BTreeSet<String>,
    /// Whether somebody deleted it.
    pub is_deleted: bool,
    /// The number of events of pods that mount it.
    pub events: usize,
}

impl Record {
    /// Starts to record in a folder, below its `log`.
    pub(crate) fn start(cluster: &Cluster, folder: &Path) -> Result<Self> {
        let log = |kind: &str| folder.join("log").join(format!("events-{kind}.log"));
        Ok(Self {
            recorders: [cluster.record(folder, "pods")?, cluster.record(folder, "pvc")?],
            pods: log("pods"),
            claims: log("pvc"),
        })
    }

    /// Returns what was seen of a claim until now.
    pub fn seen(&self, namespace: &str, claim: &str) -> Result<Seen> {
        self.recorders.iter().try_for_each(Process::alive)?;
        let mut seen = Seen::default();
        let mut writers: BTreeMap<String, String> = BTreeMap::new();
        for (kind, pod) in events(&self.pods)? {
            if pod["metadata"]["namespace"] != namespace || !mounts(&pod, claim) {
                continue;
            }
            seen.events += 1;
            let uid = text(&pod["metadata"]["uid"]);
            let has_ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
            match kind == "DELETED" || has_ended || !writes(&pod, claim) {
                true => drop(writers.remove(&uid)),
                false => drop(writers.insert(uid, text(&pod["metadata"]["name"]))),
            }
            if writers.len() > seen.writers.len() {
                seen.writers = writers.values().cloned().collect();
            }
        }
        for (kind, object) in events(&self.claims)? {
            if object["metadata"]["namespace"] == namespace && object["metadata"]["name"] == claim {
                seen.uids.insert(text(&object["metadata"]["uid"]));
                seen.is_deleted |= kind == "DELETED" || object["metadata"]["deletionTimestamp"].is_string();
            }
        }
        Ok(seen)
    }
}

/// Reads recorded events: the kind of each, and the object.
fn events(path: &Path) -> Result<Vec<(String, Value)>> {
    let log = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut events = Vec::new();
    for event in Deserializer::from_str(&log).into_iter::<Value>() {
        let mut event = match event {
            Ok(event) => event,
            // The last one is being written.
            Err(error) if error.is_eof() => break,
            Err(error) => return Err(error).context("kubectl printed no event"),
        };
        let kind = text(&event["type"]);
        ensure!(kind != "ERROR", "kubectl cannot watch: {event}");
        events.push((kind, event["object"].take()));
    }
    Ok(events)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value[field].as_array().into_iter().flatten()
}

/// Returns the volumes of a pod that are a claim.
fn volumes<'p>(pod: &'p Value, claim: &'p str) -> impl Iterator<Item = &'p Value> {
    list(&pod["spec"], "volumes").filter(move |volume| volume["persistentVolumeClaim"]["claimName"] == claim)
}

fn mounts(pod: &Value, claim: &str) -> bool {
    volumes(pod, claim).next().is_some()
}

/// Reports whether a container of a pod can write a claim.
fn writes(pod: &Value, claim: &str) -> bool {
    let containers = || {
        ["containers", "initContainers"]
            .into_iter()
            .flat_map(|field| list(&pod["spec"], field))
    };
    volumes(pod, claim).any(|volume| {
        let mut mounts = containers().flat_map(|container| list(container, "volumeMounts"));
        volume["persistentVolumeClaim"]["readOnly"] != true
            && mounts.any(|mount| mount["name"] == volume["name"] && mount["readOnly"] != true)
    })
}
