//! HL105: a claim that nobody owns never comes to be.

use std::collections::BTreeSet;

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::claim_use::claim_uses;
use crate::model::{ClaimName, ClaimRef};

static META: Meta = Meta {
    id: "HL105",
    name: "mounted-claim-has-owner",
    severity: Severity::Error,
    summary: "every claim that is mounted or written has an owner",
    why: "A pod that mounts a claim which does not exist stays Pending, without a limit and without an error that Argo CD \
would show. In a repository that is nearly always a typing error, a claim that was renamed, or one that only ever existed \
because somebody made it by hand: then a rebuilt cluster comes up without it.\n\n\
Say whose the claim is: put it into `owns` of the Application that produces the data. That also takes care of claims that \
no chart renders. As long as an Application of the same namespace is rendered natively and its source is not available locally, or \
its parameters are wrong, it could be the owner, and this rule stays silent.\n\n\
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let (mut findings, mut seen) = (Vec::new(), BTreeSet::new());
    let mut is_new =
        |claim: &ClaimRef| scope.is_missing(claim) && scope.namesakes(claim).is_empty() && seen.insert(claim.clone());
    for (source, parameters) in subject.read_sources() {
        let mounts = parameters.mounts.iter().map(|mount| ("mounts", &mount.claim));
        for (parameter, name) in mounts.chain(parameters.writes.iter().map(|claim| ("writes", claim))) {
            let Some(claim) = subject.claim(name).filter(&mut is_new) else {
                continue;
            };
            let pointer = source.entry(parameter, |entry| is_of(entry, name));
            let message = format!("`{parameter}` names claim `{claim}`, which nobody owns");
            findings.push(subject.finding(&META, message, &pointer).hint(hint(name)));
        }
    }
    for item in &subject.items {
        let object = item.object();
        for volume in claim_uses(object).volumes {
            let pointer = &volume.pointer;
            let workload = format!("{} `{}`", object.kind(), object.name());
            let name = match ClaimName::new(volume.claim) {
                Ok(name) => name,
                Err(_) if volume.manifest.has_expressions() && volume.claim.contains("{{") => continue,
                Err(error) => {
                    let message = format!("{workload}: volume `{}`: {error}", volume.name);
                    findings.push(subject.finding_on(&META, message, item, pointer).hint("name the claim"));
                    continue;
                }
            };
            if let Some(claim) = subject.claim_of(&volume.manifest, volume.claim).filter(&mut is_new) {
                let message = format!("{workload} mounts claim `{claim}`, which nobody owns");
                findings.push(subject.finding_on(&META, message, item, pointer).hint(hint(&name)));
            }
        }
    }
    findings
}

/// Reports whether an entry of `mounts` or `writes` is about this claim.
fn is_of(entry: &str, claim: &ClaimName) -> bool {
    entry
        .strip_prefix(claim.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

fn hint(claim: &ClaimName) -> String {
    format!("add `{claim}` to the parameter `owns` of the Application that produces the data, or correct the name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, claim, deployment, mounts, owns, writes};
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
        let unseen = Case::new().helm("db").plugin("backup", json!([mounts(["data:/db"])]));
        assert!(unseen.messages(&RULE).is_empty(), "`db` could render it");
        let unread = Case::new()
            .plugin("db", json!([{"name": "own", "array": ["data"]}]))
            .plugin("backup", json!([mounts(["data:/db"])]));
        assert!(unread.messages(&RULE).is_empty(), "`db` may mean it; HL309 says so");
        let elsewhere = Case::new()
            .app("db", json!({"destination": {"namespace": "other"}, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": [owns(["data"])]}}}))
            .plugin("backup", json!([mounts(["data:/db"])]));
        assert!(elsewhere.messages(&RULE).is_empty(), "that is HL109's");
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::new().plugin("player", json!([mounts(["adio:/b"])]));
        let hint = case.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint.starts_with("add `adio` to the parameter `owns`"), "{hint}");
    }
}
