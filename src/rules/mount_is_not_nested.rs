//! HL122: a mount below another volume's mount hides files, or cannot be made.

use std::collections::{BTreeMap, HashMap};

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::PointerExt;
use crate::model::mount::Mount;
use crate::model::workload::{CONTAINER_LISTS, PodTemplate, mounts, pod_templates};

static META: Meta = Meta {
    id: "HL122",
    name: "mount-is-not-nested",
    severity: Severity::Warning,
    summary: "a claim is not mounted below another volume",
    why: "When a claim is mounted at `/media/audio` and another volume at `/media`, the container runtime makes the \
directory `audio` in that other volume: a stray folder in somebody's data, which hides what was there under that name. \
When the outer volume is read-only, the directory cannot be made and the container does not start at all. Mount the two \
beside each other. Files of other kinds below a writable claim (a ConfigMap in a configuration folder) are usual and are \
not reported.\n\n\
https://kubernetes.io/docs/concepts/storage/volumes/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(subject.items.iter().flat_map(|item| in_templates(subject, item)));
    if !subject.is_seen {
        findings.extend(in_parameters(subject));
    }
    findings
}

/// The mounts of one container by their paths: what a mount is below of.
#[derive(Default)]
struct Outside<'i> {
    /// Of each path, the first mounts of two volumes: of all, and of those that are protected.
    by_path: HashMap<&'i str, [Vec<(&'i str, usize)>; 2]>,
}

impl<'i> Outside<'i> {
    fn add(&mut self, path: &'i str, volume: &'i str, number: usize, is_protected: bool) {
        let lists = self.by_path.entry(path.trim_end_matches('/')).or_default();
        for list in &mut lists[..1 + usize::from(is_protected)] {
            if list.len() < 2 && list.iter().all(|(other, _)| *other != volume) {
                list.push((volume, number));
            }
        }
    }

    /// Returns the number of the first mount of another volume that a path is below of, of the protected ones where only
    /// they count.
    fn of(&self, path: &str, volume: &str, only_protected: bool) -> Option<usize> {
        let path = path.trim_end_matches('/');
        let above = path
            .match_indices('/')
            .map(|(slash, _)| path[..slash].trim_end_matches('/'));
        let mounts = above.filter_map(|above| self.by_path.get(above));
        let others = mounts.flat_map(|lists| &lists[usize::from(only_protected)]);
        others
            .filter(|(other, _)| *other != volume)
            .map(|(_, number)| *number)
            .min()
    }
}

/// One mount of a container.
struct Mounted<'i> {
    container: &'i str,
    volume: &'i str,
    path: &'i str,
    is_claim: bool,
    read_only: bool,
}

fn in_templates(subject: &Subject<'_>, item: &Item<'_>) -> Vec<Finding> {
    let object = item.object();
    let mut findings = Vec::new();
    let templates = pod_templates(object);
    let containers = templates
        .iter()
        .flat_map(|template| containers(template).into_iter().map(move |mounts| (template, mounts)));
    for (template, mounts) in containers {
        let mut outside = Outside::default();
        for (number, mount) in mounts.iter().enumerate() {
            outside.add(mount.path, mount.volume, number, mount.is_claim && mount.read_only);
        }
        for inner in &mounts {
            let Some(outer) = outside.of(inner.path, inner.volume, !inner.is_claim) else {
                continue;
            };
            let outer = &mounts[outer];
            let message = format!(
                "{} `{}`, container `{}`: volume `{}` at `{}` is below volume `{}` at `{}`",
                object.kind(),
                object.name(),
                inner.container,
                inner.volume,
                inner.path,
                outer.volume,
                outer.path
            );
            let finding = subject.finding_on(&META, message, item, &template.pointer);
            findings.push(finding.hint("mount the two beside each other"));
        }
    }
    findings
}

fn containers<'i>(template: &PodTemplate<'i>) -> Vec<Vec<Mounted<'i>>> {
    let claims = template.claim_volumes().into_iter();
    let claims: HashMap<&str, bool> = claims.map(|volume| (volume.name, volume.read_only)).collect();
    let lists = CONTAINER_LISTS.into_iter().flat_map(|list| template.containers(list));
    lists
        .map(|container| {
            let text =
                |tree: &'i serde_json::Value, key: &str| tree.get(key).and_then(|v| v.as_str()).unwrap_or_default();
            let mounted = mounts(container).iter().map(|mount| {
                let volume = text(mount, "name");
                let claim = claims.get(volume).copied();
                let read_only = mount.get("readOnly").and_then(|value| value.as_bool()) == Some(true);
                Mounted {
                    container: text(container, "name"),
                    volume,
                    path: text(mount, "mountPath"),
                    is_claim: claim.is_some(),
                    read_only: read_only || claim == Some(true),
                }
            });
            mounted.collect()
        })
        .collect()
}

/// Entries of `mounts` for the same container, one below the other.
fn in_parameters(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let place = |mount: &Mount| {
            (
                mount.namespace_in(subject.namespace.as_ref()).cloned(),
                mount.workload.as_ref().map(ToString::to_string),
                mount.container.clone(),
            )
        };
        let mut outside: BTreeMap<_, Outside<'_>> = BTreeMap::new();
        for (number, mount) in parameters.mounts.iter().enumerate() {
            let outside = outside.entry(place(mount)).or_default();
            outside.add(&mount.path, mount.claim.as_str(), number, false);
        }
        let parameter = source.parameter("mounts").unwrap_or_default();
        for (number, inner) in parameters.mounts.iter().enumerate() {
            let outer = outside
                .get(&place(inner))
                .and_then(|outside| outside.of(&inner.path, inner.claim.as_str(), false));
            let Some(outer) = outer.map(|outer| &parameters.mounts[outer]) else {
                continue;
            };
            let pointer = parameter.child("array").child(number);
            let message = format!(
                "claim `{}` at `{}` is below claim `{}` at `{}`",
                inner.claim, inner.path, outer.claim, outer.path
            );
            findings.push(
                subject
                    .finding(&META, message, &pointer)
                    .hint("mount the two beside each other"),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, mounts};
    use serde_json::{Value, json};

    fn case(volumes: Value, mounts: Value) -> Case {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": volumes, "containers": [{"name": "main", "volumeMounts": mounts}]}});
        Case::new().helm("player").renders("player", [pod])
    }

    fn claim(name: &str) -> Value {
        json!({"name": name, "persistentVolumeClaim": {"claimName": name}})
    }

    #[test]
    fn fires() {
        let below = case(
            json!([claim("media"), claim("audio")]),
            json!([{"name": "media", "mountPath": "/media/"}, {"name": "audio", "mountPath": "/media/audio"}]),
        );
        assert_eq!(
            below.messages(&RULE),
            ["Pod `p`, container `main`: volume `audio` at `/media/audio` is below volume `media` at `/media/`"]
        );
        let in_read_only = case(
            json!([claim("media"), {"name": "config", "configMap": {"name": "c"}}]),
            json!([{"name": "media", "mountPath": "/m", "readOnly": true}, {"name": "config", "mountPath": "/m/app.yaml"}]),
        );
        assert_eq!(in_read_only.messages(&RULE).len(), 1);
        let job = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": {"name": "j"}, "spec": {"jobTargetRef": {"template": {"spec": {
            "volumes": [claim("media"), claim("audio")],
            "containers": [{"name": "main", "volumeMounts": [{"name": "media", "mountPath": "/"}, {"name": "audio", "mountPath": "/a/b"}]}]}}}}});
        let in_another_kind = Case::new().helm("player").renders("player", [job]);
        assert_eq!(
            in_another_kind.messages(&RULE),
            ["ScaledJob `j`, container `main`: volume `audio` at `/a/b` is below volume `media` at `/`"]
        );
        let by_parameters = Case::new().plugin("player", json!([mounts(["media:/m", "audio:/m/a", "audio:/n"])]));
        assert_eq!(
            by_parameters.messages(&RULE),
            ["claim `audio` at `/m/a` is below claim `media` at `/m`"]
        );
        assert_eq!(
            by_parameters.place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/0/array/1"
        );
    }

    #[test]
    fn stays_silent() {
        let beside = case(
            json!([claim("media"), claim("audio")]),
            json!([{"name": "media", "mountPath": "/media"}, {"name": "audio", "mountPath": "/media-audio"}]),
        );
        assert!(beside.messages(&RULE).is_empty());
        let config = case(
            json!([claim("media"), {"name": "config", "configMap": {"name": "c"}}]),
            json!([{"name": "media", "mountPath": "/m"}, {"name": "config", "mountPath": "/m/app.yaml"}]),
        );
        assert!(config.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::new().plugin("player", json!([mounts(["media:/m", "audio:/m/a"])]));
        assert_eq!(
            case.findings(&RULE)[0].hint.as_deref(),
            Some("mount the two beside each other")
        );
    }
}
