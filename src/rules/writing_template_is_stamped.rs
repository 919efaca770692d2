//! HL134: once the lock on writes is there, a pod template that writes a claim has to say whose it is.

use super::lock_is_current::is_on;
use super::{Check, Finding, Fix, Item, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::lock::Part;
use crate::model::ClaimRef;
use crate::model::parameter::{STAMP_APP, Stamp};
use crate::model::workload::{claims_of_templates, pod_templates};
use crate::model::writer::{APP_LABEL, Writer};
use serde_json::Value;

static META: Meta = meta(Severity::Error);
/// The same where nobody knows whether the kind hands the label on.
static WARNING: Meta = meta(Severity::Warning);

const fn meta(severity: Severity) -> Meta {
    Meta {
        id: "HL134",
        name: "writing-template-is-stamped",
        severity,
        summary: "a template that writes a claim is stamped, once the lock on writes is there",
        why: "The lock on writes (`kubectl homelab lock enable writes`) refuses pods that write a claim of the registry, unless their label \
`storage.home.arpa/app` names the Application that owns the claim, or one that may write it. The plugin gives pod templates that label, where the \
parameter `stamp-app` is set. A template without it would be refused at its next sync, the owner's own as well. The pods of a stamped \
template restart once.\n\n\
Kinds of custom resources whose controller may not hand the label on are a warning: name the service account of their pods in the parameter \
`writers` of the source of the Namespaces.\n\n\
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",
    }
}

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    if !is_on(scope.repo, Part::Writes) {
        return Vec::new();
    }
    let of_subject = |subject: &Subject<'_>| {
        let mut unstamped = subject.finished().filter_map(|item| unstamped(scope, subject, item));
        // The parameter is one for the whole Application.
        let (item, claim, keeps_label) = unstamped.next()?;
        let mut sources = subject.read_sources();
        let is_stamped =
            subject.uses_homelab_plugin() && sources.all(|(_, parameters)| parameters.stamp_app != Stamp::None);
        (!(keeps_label && is_stamped)).then(|| finding(subject, item, &claim, keeps_label))
    };
    scope.subjects.iter().filter_map(of_subject).collect()
}

/// Returns an object whose pods would write a claim and be refused for want of a label, and whether its kind is known to hand it on.
fn unstamped<'i, 'a>(
    scope: &Scope<'_>,
    subject: &Subject<'_>,
    item: &'i Item<'a>,
) -> Option<(&'i Item<'a>, ClaimRef, bool)> {
    let object = item.object();
    let templates = pod_templates(object);
    let template = templates.iter().find(|template| template.label(APP_LABEL).is_none())?;
    let account = template.spec.get("serviceAccountName").and_then(Value::as_str);
    let account = account.map(|name| Writer::ServiceAccount(name.to_owned()));
    let is_refused = |claim: &ClaimRef| {
        let is_declared = |account: &Writer| scope.claim(claim).other_writers.contains(account);
        scope.is_registered(claim) && !account.as_ref().is_some_and(is_declared)
    };
    let volumes = subject.claim_volumes(item).into_iter();
    let written = volumes
        .filter(|(_, volume)| volume.is_written())
        .map(|(claim, _)| claim);
    let made = claims_of_templates(object).into_iter();
    let made = made.filter_map(|name| subject.claim_beside(object, name.as_str()));
    let claim = written.chain(made).find(is_refused)?;
    Some((item, claim, template.manifest.keeps_labels()))
}

fn finding(subject: &Subject<'_>, item: &Item<'_>, claim: &ClaimRef, keeps_label: bool) -> Finding {
    let (kind, name) = (item.object().kind(), item.object().name());
    let meta = if keeps_label { &META } else { &WARNING };
    let message = format!(
        "the lock would refuse the pods of {kind} `{name}`: they write claim `{claim}` and have no label `{APP_LABEL}`"
    );
    let finding = subject.finding(meta, message, subject.source_pointer());
    let open = subject
        .read_sources()
        .filter(|(_, parameters)| parameters.stamp_app == Stamp::None);
    let operations = open.flat_map(|(source, _)| fixes::set_text(source, STAMP_APP, Some("true")));
    let operations: Vec<_> = operations.collect();
    match (keeps_label, operations.is_empty()) {
        (true, false) => finding.fix(Fix::safe(
            "set the parameter `stamp-app`",
            fixes::patch(subject.manifest, operations),
        )),
        (true, true) => finding.hint(format!(
            "let the plugin render it: `kubectl homelab convert {}`",
            subject.name
        )),
        (false, _) => finding
            .hint("name the service account of its pods in the parameter `writers` of the source of the Namespaces"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Policy, policies};
    use crate::rules::case::{Case, HOME, claim, deployment, owns};
    use serde_json::json;

    fn with_the_lock() -> Case {
        let spec = json!({"destination": {}, "source": {"repoURL": HOME, "path": "lock"}});
        let mut case = Case::new().app("lock", spec);
        for (number, object) in policies().iter().flat_map(Policy::objects).enumerate() {
            case = case.manifest(&format!("lock/{number}.yaml"), object.tree().clone());
        }
        case
    }

    fn case() -> Case {
        with_the_lock()
            .plugin("fetcher", json!([owns(["films"])]))
            .renders("fetcher", [deployment("fetcher", "films", false, false)])
    }

    #[test]
    fn fires() {
        assert_eq!(
            case().messages(&RULE),
            [
                "the lock would refuse the pods of Deployment `fetcher`: they write claim `media/films` and have no label `storage.home.arpa/app`"
            ]
        );
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "data"}}], "template": {"spec": {"containers": [{"name": "c"}]}}}});
        let db = with_the_lock()
            .plugin("db", json!([owns(["data-db-0"])]))
            .renders("db", [set]);
        assert_eq!(db.messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        let unlocked = Case::new()
            .plugin("fetcher", json!([owns(["films"])]))
            .renders("fetcher", [deployment("fetcher", "films", false, false)]);
        assert!(unlocked.messages(&RULE).is_empty());
        let reads = with_the_lock()
            .plugin("fetcher", json!([owns(["films"])]))
            .plugin("player", json!([]))
            .renders("player", [deployment("player", "films", true, true)]);
        assert!(reads.messages(&RULE).is_empty());
        let mut stamped = deployment("fetcher", "films", false, false);
        stamped["spec"]["template"]["metadata"]["labels"] = json!({"storage.home.arpa/app": "fetcher"});
        let stamped = with_the_lock()
            .plugin("fetcher", json!([owns(["films"])]))
            .renders("fetcher", [stamped]);
        assert!(stamped.messages(&RULE).is_empty());
        let mut mover = deployment("fetcher", "films", false, false);
        mover["spec"]["template"]["spec"]["serviceAccountName"] = json!("mover");
        let mover = with_the_lock()
            .plugin("fetcher", json!([owns(["films"])]))
            .renders("fetcher", [mover])
            .plugin(
                "namespaces",
                json!([{"name": "writers", "array": ["media/films=serviceaccount:mover"]}]),
            );
        assert!(mover.messages(&RULE).is_empty());
        // What no `owns` names is in no registry: the lock lets everybody write it.
        let native = with_the_lock().helm("web").renders(
            "web",
            [claim("site", json!({})), deployment("web", "site", false, false)],
        );
        assert!(native.messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        assert!(case().fixed(&RULE).contains("stamp-app"));
    }

    #[test]
    fn says_the_way_out() {
        let native = with_the_lock()
            .plugin("fetcher", json!([owns(["films"])]))
            .helm("player")
            .renders("player", [deployment("player", "films", false, false)]);
        assert!(
            native.findings(&RULE)[0]
                .hint
                .as_ref()
                .unwrap()
                .contains("convert player")
        );
    }
}
