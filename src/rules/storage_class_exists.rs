//! HL120: a claim of a class that the cluster does not have waits for ever.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::PointerExt;
use crate::model::claim_spec::claim_specs;
use crate::model::settings::Flavour;
use crate::model::spelling::nearest;

static META: Meta = Meta {
    id: "HL120",
    name: "storage-class-exists",
    severity: Severity::Warning,
    summary: "a claim names a storage class that the target cluster has",
    why: "A claim whose class does not exist stays Pending, and with it its pods; no event says more than `storageclass not found`. It \
comes from manifests that were written for another distribution: `standard` is the class of kind and minikube, `local-path` that of \
k3s. The class of a claim cannot be changed afterwards: a commit that corrects it fails every later sync of the Application, unless \
the claim is made again (HL118).\n\n\
Leave `storageClassName` out to get the cluster's default, or name a class that it has. `flavour: k3s` in `.homelab.yaml`, or \
`--flavour k3s`, says which distribution it is; without that the rule finds nothing. A class that the repository declares, or that a \
PersistentVolume of the repository names, is there. Other classes may be made by somebody else: only those are found that \
belong to another distribution, and, where every Application is rendered, those that nearly spell one that is there.\n\n\
https://kubernetes.io/docs/concepts/storage/storage-classes/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    // Another cluster may be of another distribution.
    let Some(flavour) = scope.repo.settings.flavour.filter(|_| subject.cluster.is_local()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for item in &subject.items {
        for spec in claim_specs(item.object()) {
            let class = spec.text("storageClassName").filter(|_| !spec.is_static());
            let Some((class, why)) = class.and_then(|class| Some((class, reason(scope, subject, flavour, class)?)))
            else {
                continue;
            };
            let message = format!("claim `{}` asks for the class `{class}`, {why}", spec.name);
            let finding = subject.finding_on(&META, message, item, spec.pointer.child("storageClassName"));
            let hint = match flavour.own_class() {
                Some(own) => format!("leave it out, or name `{own}`; a claim that is there has to be made again"),
                None => "leave it out, or name a class of the cluster; a claim that is there has to be made again"
                    .to_owned(),
            };
            findings.push(finding.hint(hint));
        }
    }
    findings
}

/// Returns why a cluster does not have a class; `None` where it may have it.
fn reason(scope: &Scope<'_>, subject: &Subject<'_>, flavour: Flavour, class: &str) -> Option<String> {
    let classes = scope.classes(&subject.cluster);
    if classes.is_declared(class) || flavour.own_class() == Some(class) {
        return None;
    }
    let name = flavour.name();
    let others = Flavour::NAMES
        .iter()
        .filter(|(other, _)| other.own_class() == Some(class));
    let others: Vec<&str> = others.map(|(_, name)| *name).collect();
    // Where a distribution has no class of its own, somebody has to bring one, and any name will do.
    if !others.is_empty() && (flavour.own_class().is_some() || scope.is_whole()) {
        return Some(format!(
            "which is that of {}, and the cluster is {name}",
            others.join(" and ")
        ));
    }
    let known = classes.names().chain(flavour.own_class());
    let meant = nearest(class, known).filter(|_| scope.is_whole())?;
    Some(format!("and `{meant}` is the one that is there"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Settings;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn case(flavour: Option<Flavour>, class: &str) -> Case {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "config"}, "spec": {"storageClassName": class}});
        let settings = Settings {
            flavour,
            ..Settings::default()
        };
        Case::new().settings(settings).helm("player").renders("player", [claim])
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(Some(Flavour::K3s), "standard").messages(&RULE),
            [
                "claim `config` asks for the class `standard`, which is that of kind and minikube, and the cluster is k3s"
            ]
        );
        assert_eq!(case(Some(Flavour::Kind), "local-path").messages(&RULE).len(), 1);
        assert_eq!(case(Some(Flavour::Talos), "standard").messages(&RULE).len(), 1);
        assert_eq!(
            case(Some(Flavour::K3s), "localpath").messages(&RULE),
            ["claim `config` asks for the class `localpath`, and `local-path` is the one that is there"]
        );
    }

    fn class() -> Value {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "standard"}, "provisioner": "p"})
    }

    #[test]
    fn stays_silent() {
        assert!(
            case(None, "standard").messages(&RULE).is_empty(),
            "nobody knows the cluster"
        );
        for class in ["local-path", "longhorn", ""] {
            assert!(case(Some(Flavour::K3s), class).messages(&RULE).is_empty(), "{class}");
        }
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {"storageClassName": "standard"}});
        for declared in [class(), volume] {
            let case = case(Some(Flavour::K3s), "standard")
                .helm("storage")
                .renders("storage", [declared]);
            assert!(case.messages(&RULE).is_empty());
        }
        let unseen = case(Some(Flavour::Talos), "standard").helm("storage");
        assert!(unseen.messages(&RULE).is_empty(), "something else may bring it");
    }

    #[test]
    fn says_the_way_out() {
        let finding = &case(Some(Flavour::K3s), "standard").findings(&RULE)[0];
        assert!(finding.hint.as_deref().unwrap().contains("`local-path`"));
    }
}
