//! HL125: a directory outside of Kubernetes has no owner that anything could guard.

use std::collections::BTreeMap;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::directory::{Directory, written};

static META: Meta = Meta {
    id: "HL125",
    name: "shared-directory-has-one-writer",
    severity: Severity::Warning,
    summary: "one Application writes an NFS or hostPath directory",
    why: "Two claims over one NFS export, or two hostPath volumes over one folder, are the same files, and they bypass the \
rules for claims (one owner, read-only consumers, the registry). Give the directory to one Application \
as a claim with a static PersistentVolume, and let the others mount that claim; or make the volume `readOnly` where it is \
only read. hostPath folders of two nodes can be two directories: then the finding means nothing. System folders and \
devices are left out.\n\n\
https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut writers: BTreeMap<Directory, BTreeMap<&str, (&Subject<'_>, &Item<'_>)>> = BTreeMap::new();
    for (subject, item) in scope.items() {
        for directory in written(item.object()) {
            let apps = writers.entry(directory).or_default();
            apps.entry(subject.name.as_str()).or_insert((subject, item));
        }
    }
    let shared = writers.into_iter().filter(|(_, apps)| apps.len() > 1);
    shared
        .filter_map(|(directory, apps)| of_directory(&directory, &apps))
        .collect()
}

fn of_directory(directory: &Directory, apps: &BTreeMap<&str, (&Subject<'_>, &Item<'_>)>) -> Option<Finding> {
    let names: Vec<String> = apps.keys().map(|app| format!("`{app}`")).collect();
    let (subject, item) = apps.values().next_back()?;
    let message = format!("`{directory}` is written by {}", names.join(", "));
    let finding = subject.finding_on(&META, message, item, "/spec");
    Some(finding.hint("let one Application own it as a claim, and mount it read-only in the others"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn pod(volume: Value, read_only: bool) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": [volume],
            "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/m", "readOnly": read_only}]}]}})
    }

    fn case(read_only: bool) -> Case {
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"},
            "spec": {"accessModes": ["ReadWriteMany"], "nfs": {"server": "nas.lan", "path": "/media"}}});
        let nfs = json!({"name": "v", "nfs": {"server": "NAS.lan", "path": "/media/"}});
        Case::new()
            .helm("a")
            .helm("b")
            .renders("a", [volume])
            .renders("b", [pod(nfs, read_only)])
    }

    #[test]
    fn fires() {
        assert_eq!(case(false).messages(&RULE), ["`nas.lan:/media` is written by `a`, `b`"]);
    }

    #[test]
    fn stays_silent() {
        assert!(case(true).messages(&RULE).is_empty());
        let device = || pod(json!({"name": "v", "hostPath": {"path": "/dev/dri"}}), false);
        let devices = Case::new()
            .helm("a")
            .helm("b")
            .renders("a", [device()])
            .renders("b", [device()]);
        assert!(devices.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case(false).findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("as a claim")
        );
    }
}
