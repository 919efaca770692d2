//! HL403: `latest` is whatever a node pulled once.

use serde_json::{Value, json};

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::workload::USUAL_PLACES;
use crate::model::{AsPointer, Image, Object, PointerBuf, PointerExt};

static META: Meta = Meta {
    id: "HL403",
    name: "latest-image-is-pulled",
    severity: Severity::Warning,
    summary: "an image without a version is not pulled IfNotPresent",
    why: "An image with the tag `latest`, or without any tag, is the newest one at the time of the pull. With `IfNotPresent` a node pulls \
it once and keeps it: two nodes run two versions, a restart updates nothing, and a new node gets a version that the data of the claim \
was never opened with. Nothing in Git says which version wrote the data.\n\n\
Name a version, best with its digest, and let Renovate raise it. `imagePullPolicy: Always`, the default for `latest`, at least pulls \
the same one everywhere at each start.\n\n\
https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in &subject.items {
        let object = item.object();
        for (pointer, image) in containers(object) {
            let message = format!(
                "image `{image}` of {} `{}` has no version, and a node keeps the one that it has",
                object.kind(),
                object.name()
            );
            let policy = pointer.child("imagePullPolicy");
            let finding = subject.finding_on(&META, message, item, &policy);
            let fix = item
                .patch(vec![fixes::replace(&policy, json!("Always"))])
                .map(|changes| Fix::needs_review("pull it at each start", changes));
            findings.push(finding.fix_or_hint(fix, "name a version of the image in the chart's values"));
        }
    }
    findings
}

/// Returns the containers whose image has no version and is kept, with their images.
fn containers(object: &Object) -> Vec<(PointerBuf, &str)> {
    let mut found = Vec::new();
    for pod in USUAL_PLACES.iter().map(|pod| pod.as_pointer()) {
        let Some(spec) = object.at(pod) else { continue };
        for list in ["containers", "initContainers"] {
            let containers = spec.get(list).and_then(Value::as_array);
            for (index, container) in containers.into_iter().flatten().enumerate() {
                let text = |key: &str| container.get(key).and_then(Value::as_str);
                let is_kept = text("imagePullPolicy") == Some("IfNotPresent");
                if let Some(image) = text("image").filter(|image| is_kept && has_no_version(image)) {
                    found.push((pod.child(list).child(index), image));
                }
            }
        }
    }
    found
}

/// Reports whether an image has neither a digest nor a tag besides `latest`.
fn has_no_version(image: &str) -> bool {
    let Image { tag, digest, .. } = Image::new(image);
    !image.is_empty() && digest.is_none() && tag.is_none_or(|tag| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};

    fn case(image: &str, policy: Value) -> Case {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "player"}, "spec": {
            "containers": [{"name": "c", "image": image, "imagePullPolicy": policy}]}});
        Case::new()
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .manifest("player/pod.yaml", pod)
    }

    #[test]
    fn fires() {
        assert_eq!(
            case("ghcr.io/me/player:latest", json!("IfNotPresent")).messages(&RULE),
            ["image `ghcr.io/me/player:latest` of Pod `player` has no version, and a node keeps the one that it has"]
        );
        assert_eq!(
            case("nas.lan:5000/player", json!("IfNotPresent")).messages(&RULE).len(),
            1
        );
    }

    #[test]
    fn stays_silent() {
        for (image, policy) in [
            ("player:latest", json!("Always")),
            ("player:latest", Value::Null),
            ("player:1.2", json!("IfNotPresent")),
            ("player:latest@sha256:0123", json!("IfNotPresent")),
            ("nas.lan:5000/player:2", json!("IfNotPresent")),
        ] {
            assert!(case(image, policy).messages(&RULE).is_empty(), "{image}");
        }
    }

    #[test]
    fn fix_removes_it() {
        assert!(
            case("player:latest", json!("IfNotPresent"))
                .fixed(&RULE)
                .contains("imagePullPolicy: Always")
        );
    }
}
