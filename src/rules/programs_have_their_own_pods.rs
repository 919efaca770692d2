//! HL136: a claim is shared by mounting it in several pods, not by putting all programs into one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::workload::{PodTemplate, mounts, pod_templates};
use crate::model::{Image, PointerExt};

static META: Meta = Meta {
    id: "HL136",
    name: "programs-have-their-own-pods",
    severity: Severity::Warning,
    summary: "fewer than four programs share a claim by being containers of one pod",
    why: "Several programs in one pod can share a claim, and that is no reason to put them there. They start, stop and are updated together: \
a new version of one restarts all of them, one that does not start keeps the pod from being ready, and none of them can be replaced \
without the others. All of them may write the whole claim, so that nobody can say whose the data is.\n\n\
A pod is for a program and its helpers: a VPN, an exporter, what copies files. Give each program a workload of its own, best an \
Application, in the same namespace: a ReadWriteOnce claim can be mounted by several pods of one node. The Application that produces the \
data owns the claim; the others mount it read-only (`kubectl homelab mount CLAIM --into APP --at PATH`), or write it where that is said \
(`kubectl homelab grant CLAIM --to APP`).\n\n\
Containers with four different images that mount one claim are a finding. Init containers and sidecars among them, containers of one image \
(a server with its workers), and claims that fewer containers mount are none.\n\n\
https://kubernetes.io/docs/concepts/workloads/pods/#how-pods-manage-multiple-containers",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

/// The number of programs in one pod that mount one claim from which it is a finding. A program, its VPN and an exporter are three.
const MANY: usize = 4;

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in &subject.items {
        for template in pod_templates(item.object()) {
            findings.extend(of_pod(subject, item, &template));
        }
    }
    findings
}

/// A program of a pod: its image, and the name of the first container with it.
type Program<'o> = (&'o str, &'o str);

/// Returns the finding on the claim of a pod that most of its programs mount, if they are many.
fn of_pod(subject: &Subject<'_>, item: &Item<'_>, template: &PodTemplate<'_>) -> Option<Finding> {
    let claims = programs(template).into_iter().rev();
    let (volume, programs) = claims.max_by_key(|(_, programs)| programs.len())?;
    if programs.len() < MANY {
        return None;
    }
    let claim = match volume {
        Volume::Claim(name) => subject.claim_of(&template.manifest, name),
        Volume::Template(_) => None,
    };
    let (what, name) = match (volume, claim) {
        (_, Some(claim)) => (format!("claim `{claim}`"), claim.to_string()),
        (Volume::Claim(name), None) => (format!("claim `{name}`"), name.to_owned()),
        (Volume::Template(name), None) => (format!("the claim of the template `{name}`"), "CLAIM".to_owned()),
    };
    let names: Vec<String> = programs.iter().map(|(_, name)| format!("`{name}`")).collect();
    let message = format!(
        "{} programs share {what} as containers of {}: {}",
        programs.len(),
        item.title(),
        names.join(", ")
    );
    let finding = subject.finding_on(&META, message, item, template.pointer.child("containers"));
    Some(finding.hint(format!(
        "give each a workload of its own; an Application that only reads gets the claim by `kubectl homelab mount {name} --into APP --at PATH`"
    )))
}

/// What a claim of a pod comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Volume<'o> {
    /// A volume names it.
    Claim(&'o str),
    /// A StatefulSet makes it of a template.
    Template(&'o str),
}

/// Returns the programs of a pod that mount each of its claims, in their order.
fn programs<'o>(template: &PodTemplate<'o>) -> BTreeMap<Volume<'o>, Vec<Program<'o>>> {
    let named = template.claim_volumes().into_iter();
    let named = named.map(|volume| (volume.name, Volume::Claim(volume.claim)));
    let made = template
        .claim_templates
        .iter()
        .map(|name| (*name, Volume::Template(name)));
    let volumes: BTreeMap<&str, Volume<'_>> = named.chain(made).collect();
    let mut found: BTreeMap<Volume<'_>, Vec<Program<'_>>> = BTreeMap::new();
    for container in template.containers("containers") {
        let text = |key: &str| container.get(key).and_then(Value::as_str).unwrap_or_default();
        let names = mounts(container).iter().filter_map(|mount| mount.get("name")?.as_str());
        let image = Image::new(text("image")).name;
        for volume in names.filter_map(|name| volumes.get(name)) {
            let programs = found.entry(*volume).or_default();
            if programs.iter().all(|(other, _)| *other != image) {
                programs.push((image, text("name")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    /// Returns a case with a pod of these containers: the image, and the volumes that it mounts.
    fn case(containers: &[(&str, &[&str])], init: &[(&str, &[&str])]) -> Case {
        let list = |containers: &[(&str, &[&str])]| {
            let list = containers.iter().enumerate().map(|(index, (image, volumes))| {
                let mounts = volumes.iter().map(|name| json!({"name": name, "mountPath": format!("/{name}")}));
                json!({"name": format!("c{index}"), "image": image, "restartPolicy": "Always", "volumeMounts": mounts.collect::<Vec<_>>()})
            });
            list.collect::<Vec<_>>()
        };
        let volumes =
            ["media", "config"].map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
        let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "servarr"}, "spec": {"template": {"spec": {
            "volumes": volumes, "containers": list(containers), "initContainers": list(init)}}}});
        Case::new()
            .app(
                "servarr",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "servarr"}}),
            )
            .manifest("servarr/servarr.yaml", workload)
    }

    const SIX: [(&str, &[&str]); 6] = [
        ("sonarr:4", &["media"]),
        ("radarr:5", &["media", "config"]),
        ("lidarr:2", &["media"]),
        ("nas.lan:5000/jellyfin:10", &["media"]),
        ("qbittorrent", &["media"]),
        ("bazarr@sha256:01", &["media"]),
    ];

    #[test]
    fn fires() {
        assert_eq!(
            case(&SIX, &[]).messages(&RULE),
            [
                "6 programs share claim `media/media` as containers of Deployment `servarr`: `c0`, `c1`, `c2`, `c3`, `c4`, `c5`"
            ]
        );
        assert_eq!(
            case(&SIX, &[]).place(&RULE),
            "servarr/servarr.yaml /spec/template/spec/containers"
        );
        assert_eq!(case(&SIX[..4], &[]).messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        assert!(case(&SIX[..3], &[]).messages(&RULE).is_empty());
        let vpn: [(&str, &[&str]); 5] = [
            ("gluetun:3", &["config"]),
            ("qbittorrent:5", &["config", "media"]),
            ("exporter:1", &[]),
            ("port-manager:1", &["config"]),
            ("filebrowser:2", &["media"]),
        ];
        assert!(
            case(&vpn, &[]).messages(&RULE).is_empty(),
            "a program with a VPN and an exporter"
        );
        let workers: [(&str, &[&str]); 5] = [
            ("paperless:2.1", &["media"]),
            ("paperless:2.1", &["media"]),
            ("paperless:2.2", &["media"]),
            ("paperless", &["media"]),
            ("nginx:1", &["media"]),
        ];
        assert!(
            case(&workers, &[]).messages(&RULE).is_empty(),
            "one program with its workers"
        );
        assert!(
            case(&SIX[..2], &SIX[2..]).messages(&RULE).is_empty(),
            "what starts before is no program"
        );
        let apart: [(&str, &[&str]); 4] = [
            ("a", &["media"]),
            ("b", &["media"]),
            ("c", &["config"]),
            ("d", &["config"]),
        ];
        assert!(case(&apart, &[]).messages(&RULE).is_empty(), "they share no claim");
    }

    #[test]
    fn says_the_way_out() {
        let hint = case(&SIX, &[]).findings(&RULE)[0].hint.clone().unwrap();
        assert!(
            hint.contains("kubectl homelab mount media/media --into APP --at PATH"),
            "{hint}"
        );
    }
}
