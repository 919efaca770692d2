//! HL115: local-path makes folders of one node, and refuses to say otherwise.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::PointerExt;
use crate::model::claim_spec::claim_specs;

static META: Meta = Meta {
    id: "HL115",
    name: "local-path-is-of-one-node",
    severity: Severity::Error,
    summary: "a claim of the class local-path is neither ReadWriteMany nor ReadOnlyMany",
    why: "Rancher's local-path provisioner, the storage of k3s and kind, makes a volume that is a folder of one node. It makes \
none for ReadWriteMany or ReadOnlyMany: the claim stays Pending, and with it every pod that mounts it. Access modes of a claim cannot \
be changed afterwards, so that the claim has to be deleted and made again.\n\n\
Use ReadWriteOnce: all pods of the node can mount the claim, and consumers mount it read-only whatever the mode is. For pods of \
several nodes use a class over a network, such as NFS. A provisioner with `sharedFileSystemPath` in its ConfigMap, a class that the \
repository declares with another provisioner, and a claim that names its volume are no finding. `flavour: kind` in `.homelab.yaml` \
says that `standard` is this class, too.\n\n\
https://github.com/rancher/local-path-provisioner#usage",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in &subject.items {
        for spec in claim_specs(item.object()) {
            let Some(class) = spec.text("storageClassName").filter(|_| !spec.is_static()) else {
                continue;
            };
            let modes = spec.access_modes();
            let many = modes.iter().find(|mode| mode.ends_with("Many"));
            let Some(mode) = many.filter(|_| scope.classes(&subject.cluster).is_local_path(class)) else {
                continue;
            };
            let message = format!(
                "claim `{}` is {mode}, and the class `{class}` makes no volume for that",
                spec.name
            );
            let finding = subject.finding_on(&META, message, item, spec.pointer.child("accessModes"));
            findings.push(
                finding.hint(
                    "set ReadWriteOnce, or take a class over a network; a claim that is there has to be made again",
                ),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Settings;
    use crate::model::settings::Flavour;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn claim(class: &str, mode: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "media"},
            "spec": {"storageClassName": class, "accessModes": [mode]}})
    }

    fn case(claim: Value) -> Case {
        Case::new().helm("player").renders("player", [claim])
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(claim("local-path", "ReadWriteMany")).messages(&RULE),
            ["claim `media` is ReadWriteMany, and the class `local-path` makes no volume for that"]
        );
        assert_eq!(case(claim("local-path", "ReadOnlyMany")).messages(&RULE).len(), 1);
        let kind = Settings {
            flavour: Some(Flavour::Kind),
            ..Settings::default()
        };
        let case_of_kind = case(claim("standard", "ReadWriteMany"));
        assert!(case_of_kind.messages(&RULE).is_empty(), "a class of any name");
        assert_eq!(case_of_kind.settings(kind).messages(&RULE).len(), 1);
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim("local-path", "ReadWriteMany")["spec"]}]}});
        assert_eq!(case(set).messages(&RULE).len(), 1);
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}, "provisioner": "rancher.io/local-path"});
        let own = case(claim("fast", "ReadWriteMany"))
            .helm("storage")
            .renders("storage", [class]);
        assert_eq!(own.messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        assert!(case(claim("local-path", "ReadWriteOnce")).messages(&RULE).is_empty());
        assert!(case(claim("nfs", "ReadWriteMany")).messages(&RULE).is_empty());
        let mut named = claim("local-path", "ReadWriteMany");
        named["spec"]["volumeName"] = json!("pv");
        assert!(case(named).messages(&RULE).is_empty(), "the volume is there");
        let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "local-path-config"},
            "data": {"config.json": "{\"sharedFileSystemPath\": \"/mnt/nas\"}"}});
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"storageClassName": "local-path"}});
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local-path"}, "provisioner": "nfs"});
        for other in [settings, volume, class] {
            let case = case(claim("local-path", "ReadWriteMany"))
                .helm("storage")
                .renders("storage", [other]);
            assert!(case.messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        let finding = &case(claim("local-path", "ReadWriteMany")).findings(&RULE)[0];
        assert!(finding.hint.as_deref().unwrap().contains("ReadWriteOnce"));
    }
}
