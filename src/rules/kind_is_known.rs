//! HL312: an object that nearly is an Application is none.

use super::{Check, Declared, Finding, Fix, Meta, Rule, Severity, fixes};
use crate::model::application::GROUP;
use crate::model::argocd_schema::{API_VERSION, KINDS};
use crate::model::spelling::nearest;
use crate::model::{Object, Pointer};
use serde_json::json;

static META: Meta = Meta {
    id: "HL312",
    name: "kind-is-known",
    severity: Severity::Error,
    summary: "an Application, ApplicationSet or AppProject has Argo CD's kind and apiVersion",
    why: "An API server knows an object by its `apiVersion` and `kind`, letter by letter: of `kind: Aplication` or `apiVersion: \
argoproj.io/v1` it has never heard. `kubectl apply` refuses such a manifest, and when Argo CD applies it, the sync of the \
whole Application that contains it fails. Argo CD's kinds are Application, ApplicationSet and AppProject of \
`argoproj.io/v1alpha1`. The kinds of other programs in that group (Workflow, Rollout, Sensor, EventBus, ArgoCD and so on) \
are not checked.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

/// Groups that people write for Argo CD's.
const MISTAKEN: [&str; 5] = ["argocd.io", "argo-cd.io", "argo.io", "argoproj", "argocd.argoproj.io"];

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    of(declared).into_iter().collect()
}

fn of(declared: &Declared<'_>) -> Option<Finding> {
    let object = declared.object();
    let (field, right) = meant(object)?;
    let message = match field {
        "kind" => format!("there is no kind `{}` in `{API_VERSION}`", object.kind()),
        _ => format!(
            "{} of Argo CD are `{right}`, not `{}`",
            plural(object.kind()),
            object.api_version()
        ),
    };
    let pointer = Pointer::root().with_trailing_token(field);
    let changes = declared.patch(vec![fixes::replace(&pointer, json!(right))]);
    let fix = changes.map(|changes| Fix::safe(format!("write `{right}`"), changes));
    Some(
        declared
            .finding(&META, message, &pointer)
            .fix_or_hint(fix, format!("`{right}` seems to be meant")),
    )
}

fn plural(kind: &str) -> String {
    format!("{kind}s")
}

/// Returns the field that nearly is Argo CD's, and what is meant.
fn meant(object: &Object) -> Option<(&'static str, &'static str)> {
    let (kind, api_version) = (object.kind(), object.api_version());
    if !KINDS.contains(&kind) {
        let meant = nearest(kind, KINDS).filter(|_| object.group() == GROUP)?;
        return Some(("kind", meant));
    }
    if api_version == API_VERSION || api_version.is_empty() {
        return None;
    }
    // Without a slash it is Kubernetes' own group, which has none of these kinds.
    let group = api_version.split_once('/').map_or(GROUP, |(group, _)| group);
    let is_meant = group == GROUP || MISTAKEN.contains(&group) || nearest(group, [GROUP]).is_some();
    is_meant.then_some(("apiVersion", API_VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::Value;

    fn case(api_version: &str, kind: &str) -> Case {
        let object: Value = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
        Case::new().manifest("applications/x.yaml", object)
    }

    #[test]
    fn fires() {
        for (api_version, kind, place) in [
            (API_VERSION, "Aplication", "kind"),
            (API_VERSION, "application", "kind"),
            (API_VERSION, "ApplicationSets", "kind"),
            (API_VERSION, "Appproject", "kind"),
            ("argoproj.io/v1", "Application", "apiVersion"),
            ("argoproj.io", "Application", "apiVersion"),
            ("argoprj.io/v1alpha1", "AppProject", "apiVersion"),
            ("argocd.io/v1alpha1", "ApplicationSet", "apiVersion"),
            ("v1alpha1", "Application", "apiVersion"),
        ] {
            let case = case(api_version, kind);
            assert_eq!(case.messages(&RULE).len(), 1, "{api_version} {kind}");
            assert_eq!(case.place(&RULE), format!("applications/x.yaml /{place}"));
        }
        assert_eq!(
            case(API_VERSION, "Aplication").messages(&RULE),
            ["there is no kind `Aplication` in `argoproj.io/v1alpha1`"]
        );
        assert_eq!(
            case("argoproj.io/v1", "Application").messages(&RULE),
            ["Applications of Argo CD are `argoproj.io/v1alpha1`, not `argoproj.io/v1`"]
        );
    }

    #[test]
    fn stays_silent() {
        for kind in [
            "Workflow",
            "WorkflowTemplate",
            "ClusterWorkflowTemplate",
            "CronWorkflow",
            "WorkflowEventBinding",
            "WorkflowTaskSet",
            "Rollout",
            "AnalysisTemplate",
            "ClusterAnalysisTemplate",
            "AnalysisRun",
            "Experiment",
            "EventBus",
            "EventSource",
            "Sensor",
            "ArgoCD",
            "ArgoCDExport",
            "NotificationsConfiguration",
            "NamespaceManagement",
            "ImageUpdater",
            "Application",
            "ApplicationSet",
            "AppProject",
            "ApplicationList",
            "ApplicationSetList",
        ] {
            assert!(case(API_VERSION, kind).messages(&RULE).is_empty(), "{kind}");
        }
        for (api_version, kind) in [
            ("app.k8s.io/v1beta1", "Application"),
            ("core.oam.dev/v1beta1", "Application"),
            ("applications.argocd.crossplane.io/v1alpha1", "Application"),
            ("applicationsets.argocd.crossplane.io/v1alpha1", "ApplicationSet"),
            ("apps/v1", "Aplication"),
            ("", "Application"),
        ] {
            assert!(
                case(api_version, kind).messages(&RULE).is_empty(),
                "{api_version} {kind}"
            );
        }
    }

    #[test]
    fn fix_removes_it() {
        let fixed = |text: &str| Case::new().file("applications/x.yaml", text).fixed(&RULE);
        let set = "apiVersion: argoproj.io/v1alpha1\nkind: AplicationSet\nmetadata: {name: s}\nspec:\n  generators: []\n  template: {metadata: {}, spec: {project: p, destination: {name: in-cluster}, source: {repoURL: u, path: p}}}\n";
        assert_eq!(fixed(set), set.replace("Apl", "Appl"));
        let project = "# ours\napiVersion: argoproj.io/v1 # new?\nkind: AppProject\nmetadata: {name: p}\nspec: {}\n";
        assert_eq!(fixed(project), project.replace("/v1", "/v1alpha1"));
    }
}
