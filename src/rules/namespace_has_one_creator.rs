//! HL202: a namespace is made by its manifest, or by Argo CD, not by both and not by nobody.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::model::application::SYNC_OPTIONS;
use crate::model::{Cluster, PointerExt};

static META: Meta = Meta {
    id: "HL202",
    name: "namespace-has-one-creator",
    severity: Severity::Warning,
    summary: "a destination namespace has either a manifest or CreateNamespace=true",
    why: "`CreateNamespace=true` makes the destination namespace without labels, without guards and without the ownership \
registry, and Argo CD does not track it. Beside a manifest of the same Namespace it only hides that the manifest is \
missing or synced too late, and `managedNamespaceMetadata` fights with the manifest's labels. With neither, the first sync \
on a new cluster fails: the namespace is not there.\n\n\
Keep the manifest (`kubectl homelab add-namespace`) and drop the option. Namespaces that every cluster has, and the one \
that the Applications are in, need neither. A missing Namespace that holds claims is HL204's.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#create-namespace",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    of_subject(scope, subject).into_iter().collect()
}

fn of_subject(scope: &Scope<'_>, subject: &Subject<'_>) -> Option<Finding> {
    let namespace = subject.app.destination_namespace()?;
    let creates = subject.app.sync_option("CreateNamespace") == Some("true");
    let declared = scope.declares(&subject.cluster, namespace);
    if creates && declared {
        if scope.needs_creation_for_others(subject) {
            return None;
        }
        let options = subject.app.sync_options();
        let index = options.iter().position(|option| *option == "CreateNamespace=true")?;
        let pointer = SYNC_OPTIONS.child(index);
        let message = format!("namespace `{namespace}` has a manifest and CreateNamespace=true");
        return Some(subject.finding(&META, message, &pointer).fix(Fix::safe(
            "drop CreateNamespace=true",
            fixes::patch(subject.manifest, vec![fixes::remove(&pointer)]),
        )));
    }
    if creates
        || declared
        || scope.is_built_in(&subject.cluster, namespace)
        || scope.loses_claims(&subject.cluster, namespace)
    {
        return None;
    }
    let of_cluster = match &subject.cluster {
        Cluster::Local => String::new(),
        cluster => format!(" of cluster `{cluster}`"),
    };
    let message = format!("namespace `{namespace}`{of_cluster} has neither a manifest nor CreateNamespace=true");
    let finding = subject.finding(&META, message, "/spec/destination/namespace");
    Some(finding.hint(match &subject.cluster {
        cluster if cluster.is_local() => format!("run `kubectl homelab add-namespace {namespace}`"),
        _ => "let an Application with that destination sync its Namespace".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppRenders, Object, PointerBuf};
    use crate::repo::{Anchor, Generated, Manifest, Origin, RepoPath};
    use crate::rules::case::{Case, findings};
    use serde_json::{Value, json};

    fn case(options: Value) -> Case {
        Case::new().namespaces().app(
            "player",
            json!({"destination": {"namespace": "media"}, "source": {"repoURL": "u"}, "syncPolicy": {"syncOptions": options}}),
        )
    }

    fn with_manifest(case: Case) -> Case {
        case.manifest(
            "namespaces/media.yaml",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "media"}}),
        )
    }

    #[test]
    fn fires() {
        assert_eq!(
            with_manifest(case(json!(["PruneLast=true", "CreateNamespace=true"]))).messages(&RULE),
            ["namespace `media` has a manifest and CreateNamespace=true"]
        );
        let neither = case(json!(["createNamespace=true"]));
        assert_eq!(
            neither.messages(&RULE),
            ["namespace `media` has neither a manifest nor CreateNamespace=true"]
        );
        assert_eq!(
            neither.findings(&RULE)[0].hint.as_deref(),
            Some("run `kubectl homelab add-namespace media`")
        );
    }

    #[test]
    fn stays_silent() {
        assert!(with_manifest(case(json!([]))).messages(&RULE).is_empty());
        assert!(case(json!(["CreateNamespace=true"])).messages(&RULE).is_empty());
        for built_in in ["kube-system", "argocd"] {
            let case = Case::new().app(
                "a",
                json!({"destination": {"namespace": built_in}, "source": {"repoURL": "u"}}),
            );
            assert!(case.messages(&RULE).is_empty(), "{built_in}");
        }
    }

    #[test]
    fn the_template_of_a_set_keeps_the_option_that_others_need() {
        let of_set = |namespaces: &[&str]| {
            let mut repo = with_manifest(Case::new().namespaces()).repo();
            repo.add_derived(namespaces.iter().map(|namespace| generated(namespace)));
            let renders = AppRenders::new();
            let messages = findings(&RULE, &Scope::new(&repo, &renders)).into_iter();
            messages.map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert_eq!(
            of_set(&["media"]),
            ["namespace `media` has a manifest and CreateNamespace=true"]
        );
        assert!(of_set(&["media", "web"]).is_empty());
    }

    /// Returns what a set generates for a namespace.
    fn generated(namespace: &str) -> Manifest {
        Manifest {
            file: RepoPath::new("sets.yaml").unwrap(),
            document: 0,
            object: Object::new(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": namespace},
                "spec": {
                    "destination": {"namespace": namespace}, "source": {"repoURL": "u"},
                    "syncPolicy": {"syncOptions": ["CreateNamespace=true"]},
                },
            })),
            origin: Origin::Generated(Generated {
                set: "apps".to_owned(),
                template: Anchor::Of(PointerBuf::new()),
                folders: Vec::new(),
            }),
        }
    }

    #[test]
    fn fix_removes_it() {
        let text = with_manifest(case(json!(["CreateNamespace=true", "PruneLast=true"]))).fixed(&RULE);
        assert!(
            !text.contains("CreateNamespace") && text.contains("PruneLast"),
            "{text}"
        );
    }
}
