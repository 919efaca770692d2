//! HL310: Argo CD's kinds have fixed fields, and what is spelled otherwise has no effect.

use super::declared::dotted;
use super::{Check, Declared, Finding, Fix, Meta, Rule, Severity};
use crate::model::Pointer;
use crate::model::argocd_schema::{self, Fault, What};
use crate::model::sync::{SYNC_OPTIONS, entries};

static META: Meta = Meta {
    id: "HL310",
    name: "field-is-known",
    severity: Severity::Error,
    summary: "an Application, ApplicationSet or AppProject has only fields that Argo CD knows",
    why: "The API server keeps only the fields of Argo CD's custom resource definitions. Of a field that is spelled otherwise \
(`selfheal`, `targetRevison`) or stands at the wrong place (`spec.syncOptions`) nothing is left: the Application runs without \
it. When Argo CD itself applies the manifest, nobody says so, and the Application that syncs it stays OutOfSync, since what \
is in Git never gets into the cluster; with server-side apply it is even Synced. `kubectl apply` refuses the manifest. The \
fields are those of the version of Argo CD that the message names. The fix spells the field right where only one is \
meant.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml\n\
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for fault in declared.faults() {
        // A patch of Kustomize may say what is to be done: `$patch: delete`.
        let is_directive = || fault.pointer.back().is_some_and(|key| key.encoded().starts_with('$'));
        if let What::Unknown { nearest } = &fault.what
            && !(declared.is_patch() && is_directive())
        {
            findings.push(of_field(declared, fault, *nearest));
        }
    }
    findings
}

fn of_field(declared: &Declared<'_>, fault: &Fault, nearest: Option<(&'static str, bool)>) -> Finding {
    let kind = declared.object().kind();
    let field = fault
        .pointer
        .back()
        .map(|key| key.decoded().into_owned())
        .unwrap_or_default();
    let above = dotted(fault.pointer.parent().unwrap_or(Pointer::root()));
    let message = format!(
        "{} no field `{field}` in Argo CD {}: {}",
        has(kind, &above),
        argocd_schema::version(),
        effect(declared)
    );
    let finding = declared.finding(&META, message, &fault.pointer);
    let Some((right, is_right)) = nearest else {
        return finding.hint(match argocd_schema::home_of(kind, &field) {
            Some(home) => format!("`{field}` is a field of `{home}`: move it there"),
            None => "remove it, or look up the field that is meant".to_owned(),
        });
    };
    let rename = is_right.then(|| declared.rename(&fault.pointer, right)).flatten();
    let fix = rename.map(|changes| Fix::safe(format!("write `{right}`"), changes));
    finding.fix_or_hint(fix, format!("`{right}` seems to be meant"))
}

fn has(kind: &str, path: &str) -> String {
    if path.is_empty() {
        format!("{kind} has")
    } else {
        format!("`{path}` has")
    }
}

/// Returns what becomes of an unknown field.
fn effect(declared: &Declared<'_>) -> String {
    let Some(subject) = declared.synced_by() else {
        return "the API server drops it, and `kubectl apply` refuses it".to_owned();
    };
    let is_on = |option: &str| option == "ServerSideApply=true";
    let of_object = entries(declared.object(), SYNC_OPTIONS).find(|option| option.starts_with("ServerSideApply="));
    let of_app = || subject.app.sync_option("ServerSideApply") == Some("true");
    if of_object.map_or_else(of_app, is_on) {
        return format!("it is dropped silently, and `{}` is Synced nevertheless", subject.name);
    }
    format!("it is dropped silently, and `{}` stays OutOfSync", subject.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::{Value, json};

    fn spec() -> Value {
        json!({"project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": "media"},
            "source": {"repoURL": "u", "path": "p", "targetRevision": "main"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}}})
    }

    fn root() -> Value {
        let mut root = spec();
        root["source"] = json!({"repoURL": HOME, "path": "applications"});
        root
    }

    fn with(pointer: &str, key: &str, value: Value) -> Value {
        let mut spec = spec();
        spec.pointer_mut(pointer).unwrap()[key] = value;
        spec
    }

    #[test]
    fn fires() {
        let version = argocd_schema::version();
        let case = Case::new().app("player", with("/syncPolicy/automated", "allowempty", json!(true)));
        assert_eq!(
            case.messages(&RULE),
            [format!(
                "`spec.syncPolicy.automated` has no field `allowempty` in Argo CD {version}: the API server drops it, and `kubectl apply` refuses it"
            )]
        );
        assert_eq!(
            case.place(&RULE),
            "applications/player.yaml /spec/syncPolicy/automated/allowempty"
        );
        let synced = case.app("root", root());
        assert!(synced.messages(&RULE)[0].ends_with(": it is dropped silently, and `root` stays OutOfSync"));
        let mut server_side = root();
        server_side["syncPolicy"]["syncOptions"] = json!(["ServerSideApply=true"]);
        let server_side = Case::new()
            .app("player", with("", "syncOptions", json!([])))
            .app("root", server_side);
        let findings = server_side.findings(&RULE);
        assert!(
            findings[0]
                .message
                .ends_with("dropped silently, and `root` is Synced nevertheless"),
            "{}",
            findings[0].message
        );
        assert_eq!(
            findings[0].hint.as_deref(),
            Some("`syncOptions` is a field of `spec.syncPolicy`: move it there")
        );
    }

    #[test]
    fn stays_silent() {
        let whole = with("", "revisionHistoryLimit", json!(3));
        let workflow = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": {"entrypoint": "x"}});
        let patch = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "p"}, "$patch": "delete"});
        let case = Case::new()
            .app("player", whole)
            .manifest("applications/workflow.yaml", workflow)
            .app("overlay", json!({"project": "default", "destination": {"name": "in-cluster"}, "source": {"repoURL": HOME, "path": "overlay"}}))
            .manifest("overlay/kustomization.yaml", json!({"patches": [{"path": "patch.yaml"}]}))
            .manifest("overlay/patch.yaml", patch);
        assert_eq!(case.messages(&RULE), Vec::<String>::new());
    }

    #[test]
    fn what_is_only_rendered_is_checked_too() {
        let child = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "child"}, "spec": with("/source", "paths", json!("x"))});
        let case = Case::new().helm("apps").renders("apps", [child]);
        assert_eq!(case.place(&RULE), "applications/apps.yaml /spec/source");
        let finding = &case.findings(&RULE)[0];
        assert_eq!(
            finding.object.as_ref().unwrap().to_string(),
            "argoproj.io/Application/child"
        );
        assert_eq!(finding.hint.as_deref(), Some("`path` seems to be meant"));
    }

    #[test]
    fn an_object_in_a_list_has_its_place() {
        let project = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "p"}, "spec": {"sourceRepo": ["*"]}});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [project]});
        let case = Case::new().manifest("applications/list.yaml", list);
        assert_eq!(case.place(&RULE), "applications/list.yaml /items/0/spec/sourceRepo");
    }

    #[test]
    fn fix_removes_it() {
        let text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: player, namespace: argocd}\nspec:\n  \
projct: default  # the only one\n  destination: {server: https://kubernetes.default.svc}\n  source:\n    repoURL: u\n    # where\n    \
\"pahts\": x\n    path: p\n    targetRevison:   v1\n";
        let case = Case::new().file("applications/player.yaml", text);
        let fixed = text
            .replace("projct", "project")
            .replace("targetRevison", "targetRevision");
        assert_eq!(case.fixed(&RULE), fixed);
        let both = with("/syncPolicy/automated", "selfheal", json!(false));
        assert!(
            Case::new().app("player", both).findings(&RULE)[0].fix.is_none(),
            "which one is meant?"
        );
    }
}
