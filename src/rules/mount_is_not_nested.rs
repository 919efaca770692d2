//! HL122: a mount below another volume's mount hides files, or cannot be made.

use std::collections::HashMap;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim::Mount;
use crate::model::workload::{CONTAINER_LISTS, PodTemplate, pod_templates};

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

/// Reports whether a path is below another one.
fn is_below(inner: &str, outer: &str) -> bool {
    let (inner, outer) = (inner.trim_end_matches('/'), outer.trim_end_matches('/'));
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Returns the paths above a path, the nearest first; the root is the empty one.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path.trim_end_matches('/');
    std::iter::from_fn(move || {
        rest = &rest[..rest.rfind('/')?];
        Some(rest)
    })
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
        let mut by_path: HashMap<&str, Vec<&Mounted<'_>>> = HashMap::new();
        for mounted in &mounts {
            by_path
                .entry(mounted.path.trim_end_matches('/'))
                .or_default()
                .push(mounted);
        }
        for inner in &mounts {
            let nested = |outer: &&Mounted<'_>| {
                outer.volume != inner.volume && (inner.is_claim || (outer.is_claim && outer.read_only))
            };
            let mut above = parents(inner.path).filter_map(|path| by_path.get(path)).flatten();
            let Some(outer) = above.find(|outer| nested(outer)) else {
                continue;
            };
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
            let mounts = container.get("volumeMounts").and_then(|mounts| mounts.as_array());
            let mounted = mounts.into_iter().flatten().map(|mount| {
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
        for inner in &parameters.mounts {
            let same_place = |outer: &&Mount| outer.workload == inner.workload && outer.container == inner.container;
            let mut others = parameters.mounts.iter().filter(same_place);
            let Some(outer) = others.find(|outer| outer.claim != inner.claim && is_below(&inner.path, &outer.path))
            else {
                continue;
            };
            let pointer = source.entry("mounts", |entry| entry == inner.to_string());
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
