//! HL105: a claim that nobody owns never comes to be.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Check, Finding, Item, Meta, Rule, Scope, Severity, Subject};
use crate::model::application::Entries;
use crate::model::claim_use::claim_uses;
use crate::model::mount::Mount;
use crate::model::parameter::Parameters;
use crate::model::{ClaimName, ClaimPath, ClaimRef, Source};

static META: Meta = meta(Severity::Error);
/// The same where an owner may be one that is not known.
static WARNING: Meta = meta(Severity::Warning);

const fn meta(severity: Severity) -> Meta {
    Meta {
        id: "HL105",
        name: "mounted-claim-has-owner",
        severity,
        summary: "every claim that is mounted or written has an owner",
        why: "A pod that mounts a claim which does not exist stays Pending, without a limit and without an error that Argo CD \
would show. In a repository that is nearly always a typing error, a claim that was renamed, or one that only ever existed \
because somebody made it by hand: then a rebuilt cluster comes up without it.\n\n\
Say whose the claim is: put it into `owns` of the Application that produces the data. That also takes care of claims that \
no chart renders.\n\n\
It is a warning as long as something that is not known may own the claim: an Application whose source is not available \
locally or whose parameters are wrong, an ApplicationSet, a repository or a chart that may contain Applications, a file that \
cannot be read. The warning names it.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes",
    }
}

/// The rule.
pub static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let (mut findings, mut seen) = (Vec::new(), BTreeSet::new());
    let mut verdict = |claim: ClaimRef| {
        let verdict = Verdict::of(scope, &claim)?;
        seen.insert(claim).then_some(verdict)
    };
    for (source, parameters) in subject.read_sources() {
        for (parameter, places, name) in named_claims(source, parameters) {
            let Some(verdict) = subject.claim(&name).and_then(&mut verdict) else {
                continue;
            };
            let pointer = places.at(&name.to_string());
            let message = verdict.message(&format!("`{parameter}` names"));
            findings.push(subject.finding(verdict.rule, message, &pointer).hint(hint(&name.name)));
        }
    }
    // Kustomize may give claims other names and namespaces.
    let is_known = |item: &&Item<'_>| item.is_final || subject.uses_homelab_plugin();
    for item in subject.items.iter().filter(is_known) {
        let object = item.object();
        for volume in claim_uses(object).volumes {
            let pointer = &volume.pointer;
            let workload = format!("{} `{}`", object.kind(), object.name());
            let name = match ClaimName::new(volume.claim) {
                Ok(name) => name,
                Err(_) if volume.manifest.fills_in(volume.claim) => continue,
                Err(error) => {
                    let message = format!("{workload}: volume `{}`: {error}", volume.name);
                    findings.push(subject.finding_on(&META, message, item, pointer).hint("name the claim"));
                    continue;
                }
            };
            let claim = subject.claim_of(&volume.manifest, volume.claim);
            if let Some(verdict) = claim.and_then(&mut verdict) {
                let message = verdict.message(&format!("{workload} mounts"));
                findings.push(
                    subject
                        .finding_on(verdict.rule, message, item, pointer)
                        .hint(hint(&name)),
                );
            }
        }
    }
    findings
}

/// The verdict on a claim that no known Application owns.
struct Verdict<'s> {
    rule: &'static Meta,
    claim: ClaimRef,
    /// What may own the claim nevertheless.
    doubts: Vec<Cow<'s, str>>,
}

impl<'s> Verdict<'s> {
    /// Returns `None` where a claim has an owner, or certainly is in another namespace or cluster, which HL109 says.
    fn of(scope: &'s Scope<'_>, claim: &ClaimRef) -> Option<Self> {
        let missing = scope.missing(claim)?;
        if missing.doubts.is_empty() && !missing.namesakes.is_empty() {
            return None;
        }
        Some(Self {
            rule: if missing.doubts.is_empty() { &META } else { &WARNING },
            claim: claim.clone(),
            doubts: missing.doubts,
        })
    }

    fn message(&self, what: &str) -> String {
        let claim = &self.claim;
        let others = match self.doubts.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        match self.doubts.first() {
            None => format!("{what} claim `{claim}`, which nobody owns"),
            Some(doubt) => {
                format!("{what} claim `{claim}`, which no known Application owns; it may belong to {doubt}{others}")
            }
        }
    }
}

/// Returns the claims that a source names in `mounts` and `writes`: the parameter, where its entries stand, and the claim.
pub(super) fn named_claims<'s, 'o>(
    source: &'s Source<'o>,
    parameters: &'s Parameters,
) -> impl Iterator<Item = (&'static str, Rc<Entries<'s, 'o>>, ClaimPath)> {
    let mounts_at = Rc::new(source.entries("mounts", claim_of));
    let writes_at = Rc::new(source.entries("writes", str::to_owned));
    let mounts = parameters.mounts.iter();
    let mounts = mounts.map(move |mount| ("mounts", Rc::clone(&mounts_at), mount.claim_path()));
    let writes = parameters.writes.iter();
    mounts.chain(writes.map(move |claim| ("writes", Rc::clone(&writes_at), claim.clone())))
}

/// Returns the claim that an entry of `mounts` is about, as `writes` would name it.
fn claim_of(entry: &str) -> String {
    let mount = entry.parse::<Mount>();
    mount.map_or_else(|_| entry.to_owned(), |mount| mount.claim_path().to_string())
}

fn hint(claim: &ClaimName) -> String {
    format!("add `{claim}` to the parameter `owns` of the Application that produces the data, or correct the name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, deployment, mounts, owns, writes};
    use serde_json::json;

    #[test]
    fn fires() {
        let case = Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .plugin("player", json!([mounts(["audio:/a", "adio:/b"]), writes(["films"])]))
            .renders(
                "player",
                [
                    deployment("player", "books", false, false),
                    deployment("bad", "{{ x }}", false, false),
                ],
            );
        let messages = case.messages(&RULE);
        assert_eq!(
            messages[..3],
            [
                "`mounts` names claim `media/adio`, which nobody owns",
                "`writes` names claim `media/films`, which nobody owns",
                "Deployment `player` mounts claim `media/books`, which nobody owns",
            ]
        );
        assert!(
            messages[3].starts_with("Deployment `bad`: volume `data`: claim name `{{ x }}`"),
            "{messages:?}"
        );
        assert_eq!(
            case.place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/0/array/1"
        );
    }

    #[test]
    fn stays_silent() {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}});
        let case = Case::new()
            .helm("db")
            .renders("db", [set, claim("dumps", json!({}))])
            .plugin("backup", json!([mounts(["data-db-0:/db", "dumps:/dumps"])]));
        assert!(case.messages(&RULE).is_empty());
        let elsewhere = Case::new()
            .app("db", json!({"destination": {"namespace": "other"}, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": [owns(["data"])]}}}))
            .plugin("backup", json!([mounts(["data:/db"])]));
        assert!(elsewhere.messages(&RULE).is_empty(), "that is HL109's");
    }

    /// Returns the finding, which has to be a warning.
    fn warning(case: &Case) -> String {
        let findings = case.findings(&RULE);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].rule.severity, Severity::Warning, "{}", findings[0].message);
        findings[0].message.clone()
    }

    #[test]
    fn an_owner_that_may_be_there_makes_it_a_warning() {
        let backup = || Case::new().plugin("backup", json!([mounts(["data:/db"])]));
        let says = |case: Case, who: &str| {
            let message = warning(&case);
            let whole =
                format!("`mounts` names claim `media/data`, which no known Application owns; it may belong to {who}");
            assert_eq!(message, whole);
        };
        says(backup().helm("db"), "Application `db`: it was not rendered");
        says(
            backup().plugin("db", json!([{"name": "own", "array": ["data"]}])),
            "Application `db`, whose parameters are wrong",
        );
        let set = |destination: serde_json::Value| {
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "set"},
                "spec": {"template": {"spec": {"destination": destination}}}})
        };
        let made = "ApplicationSet `set`: its Applications are generated in the cluster";
        for destination in [
            json!({"server": "https://kubernetes.default.svc", "namespace": "media"}),
            json!({"namespace": "{{.namespace}}"}),
            json!(null),
        ] {
            says(backup().manifest("applications/set.yaml", set(destination)), made);
        }
        for destination in [
            json!({"namespace": "other"}),
            json!({"name": "nas", "namespace": "media"}),
        ] {
            let case = backup().manifest("applications/set.yaml", set(destination));
            assert_eq!(case.findings(&RULE)[0].rule.severity, Severity::Error);
        }
        // Where Applications are, an Application may bring others.
        let app_of_apps = backup().app(
            "apps",
            json!({"destination": {"namespace": "argocd"}, "source": {"repoURL": "https://git.example.org/apps", "path": "."}}),
        );
        says(app_of_apps, "Application `apps`: it was not rendered");
    }

    #[test]
    fn an_application_that_another_one_renders_is_known_by_its_parameters() {
        let child = |plugin: serde_json::Value| {
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "db"},
                "spec": {"destination": {"namespace": "media"}, "source": {"repoURL": "https://git.example.org/db", "path": ".", "plugin": plugin}}})
        };
        let case = |child: serde_json::Value| {
            Case::new()
                .plugin("backup", json!([mounts(["data:/db"])]))
                .app(
                    "apps",
                    json!({"destination": {"namespace": "argocd"}, "source": {"repoURL": "https://git.example.org/apps", "path": "."}}),
                )
                .renders("apps", [child])
        };
        let plugin = |claim: &str| json!({"name": "homelab-v1", "parameters": [owns([claim])]});
        assert!(case(child(plugin("data"))).findings(&RULE).is_empty());
        assert_eq!(
            case(child(plugin("other"))).findings(&RULE)[0].rule.severity,
            Severity::Error
        );
        assert!(warning(&case(child(json!(null)))).ends_with("Application `db`, which `apps` renders"));
    }

    #[test]
    fn what_kustomize_builds_may_have_other_names() {
        let case = Case::new()
            .app(
                "player",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "player"}}),
            )
            .file(
                "player/kustomization.yaml",
                "namespace: films\nresources: [deployment.yaml, claim.yaml]\n",
            )
            .manifest("player/deployment.yaml", deployment("player", "films", false, false))
            .manifest("player/claim.yaml", claim("data", json!({})));
        assert!(case.messages(&RULE).is_empty(), "{:?}", case.messages(&RULE));
    }

    #[test]
    fn a_cluster_that_may_be_the_same_makes_it_a_warning() {
        let owner = |destination: serde_json::Value| {
            json!({"destination": destination, "source": {"repoURL": "https://git.example.org/db", "path": ".",
                "plugin": {"name": "homelab-v1", "parameters": [owns(["data"])]}}})
        };
        let backup = json!({"destination": {"name": "nas", "namespace": "media"}, "source": {"repoURL": "https://git.example.org/db",
            "path": ".", "plugin": {"name": "homelab-v1", "parameters": [mounts(["data:/db"])]}}});
        let case =
            |destination: serde_json::Value| Case::new().app("backup", backup.clone()).app("db", owner(destination));
        let by_server = case(json!({"server": "https://nas.lan:6443", "namespace": "media"}));
        assert!(warning(&by_server).contains("the owner in cluster `https://nas.lan:6443`, if that is `nas`"));
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nas", "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
            "stringData": {"name": "nas", "server": "https://nas.lan:6443"}});
        assert!(
            by_server
                .manifest("applications/nas.yaml", secret)
                .findings(&RULE)
                .is_empty()
        );
        assert!(
            case(json!({"name": "nas", "namespace": "media"}))
                .findings(&RULE)
                .is_empty()
        );
        let local = case(json!({"server": "https://kubernetes.default.svc", "namespace": "media"}));
        assert!(local.findings(&RULE).is_empty(), "that is HL109's");
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::new().plugin("player", json!([mounts(["adio:/b"])]));
        let hint = case.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint.starts_with("add `adio` to the parameter `owns`"), "{hint}");
    }
}
