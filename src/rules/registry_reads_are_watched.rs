//! HL206: what the ownership registry is read from makes Argo CD render the Namespaces again.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::application::GENERATE_PATHS;
use crate::model::namespace::is_namespace;
use crate::model::object::annotation_pointer;
use crate::repo::{ChangeSet, RepoPath, generate_paths};

static META: Meta = Meta {
    id: "HL206",
    name: "registry-reads-are-watched",
    severity: Severity::Warning,
    summary: "the annotation `manifest-generate-paths` of the Namespaces covers every Application",
    why: "The plugin writes on each Namespace which Application owns which claim, and reads that from all Applications of the \
repository: their files, the folders that ApplicationSets look at, `.argocd-source.yaml`, `.homelab.yaml`. With the annotation \
`argocd.argoproj.io/manifest-generate-paths` Argo CD renders the Namespaces again only after a change of the paths in it: a \
new owner would not be written, and where Argo CD sends only these paths to the plugin it would not be seen at all. After the \
annotation was corrected a hard refresh is needed once: `kubectl homelab refresh APP --hard`.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/#manifest-paths-annotation",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(annotation) = subject.app.object().annotation(GENERATE_PATHS) else {
        return Vec::new();
    };
    let syncs_namespaces = subject.items.iter().any(|item| is_namespace(item.object()));
    if !syncs_namespaces || !subject.uses_homelab_plugin() {
        return Vec::new();
    }
    let reads = scope.repo.registry_reads();
    let found = unwatched(
        subject,
        &META,
        annotation,
        &reads,
        "what the owners of claims are read from",
    );
    let with_fix = |found: Unwatched| {
        let title = format!(
            "write `{}`; then run `kubectl homelab refresh {} --hard` once",
            found.value, subject.name
        );
        found.finding.fix(Fix::safe(title, found.changes))
    };
    found.map(with_fix).into_iter().collect()
}

/// What the annotation of an Application does not cover.
pub(super) struct Unwatched {
    /// The finding, without its fix.
    pub(super) finding: Finding,
    /// The annotation that covers all.
    pub(super) value: String,
    /// The changes that write it.
    pub(super) changes: ChangeSet,
}

/// Finds what the annotation does not cover of what is read; `what` names that in the message.
pub(super) fn unwatched(
    subject: &Subject<'_>,
    meta: &'static Meta,
    annotation: &str,
    reads: &[RepoPath],
    what: &str,
) -> Option<Unwatched> {
    let folders = generate_paths::folders(&subject.app);
    let extended = generate_paths::extended(annotation, &folders, reads)?;
    let message = format!(
        "`{GENERATE_PATHS}` of `{}` does not cover {what}: {}",
        subject.name, extended.added
    );
    let annotated = fixes::annotate(subject.app.object(), GENERATE_PATHS, &extended.value);
    Some(Unwatched {
        finding: subject.finding(meta, message, annotation_pointer(GENERATE_PATHS)),
        changes: fixes::patch(subject.manifest, vec![annotated]),
        value: extended.value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::{Value, json};

    fn case(annotation: &str) -> Case {
        let app = |name: &str, spec: Value| {
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": name, "annotations": {GENERATE_PATHS: annotation}}, "spec": spec,
            })
        };
        let source = json!({"repoURL": HOME, "path": "namespaces", "plugin": {"name": "homelab-v1"}});
        Case::new()
            .manifest(
                "bootstrap/namespaces.yaml",
                app("namespaces", json!({"source": source})),
            )
            .manifest(
                "apps/deep/web.yaml",
                app("web", json!({"source": {"repoURL": "u", "chart": "web"}})),
            )
            .manifest(
                "namespaces/media.yaml",
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media"}}),
            )
    }

    #[test]
    fn fires() {
        let message = "`argocd.argoproj.io/manifest-generate-paths` of `namespaces` does not cover what the owners of claims are read from: /apps;/bootstrap";
        assert_eq!(case(".").messages(&RULE), [message]);
        assert_eq!(
            case(".").place(&RULE),
            "bootstrap/namespaces.yaml /metadata/annotations/argocd.argoproj.io~1manifest-generate-paths"
        );
    }

    #[test]
    fn stays_silent() {
        for annotation in [".;/apps;/bootstrap", "/"] {
            assert!(case(annotation).messages(&RULE).is_empty(), "{annotation}");
        }
    }

    #[test]
    fn fix_removes_it() {
        let fixed = case(".;/apps").fixed(&RULE);
        assert!(
            fixed.contains("manifest-generate-paths: \".;/apps;/bootstrap\"\n"),
            "{fixed}"
        );
    }
}
