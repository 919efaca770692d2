//! HL114: two runs of one producer write the same files.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use serde_json::{Value, json};

static META: Meta = Meta {
    id: "HL114",
    name: "cron-job-forbids-concurrent-runs",
    severity: Severity::Warning,
    summary: "a CronJob that writes a claim has concurrencyPolicy Forbid",
    why: "A CronJob starts its next run while the last one still works, unless `concurrencyPolicy` forbids it: the \
default is Allow. Two downloads that write one directory overwrite each other's partial files; a run that hangs on a slow \
network is joined by another one every hour. `Replace` kills the run that is at work, in the middle of a file. `Forbid` \
skips the new run.\n\n\
Set it in the chart's values where the chart has one, else with the parameter `patches`: key `batch/CronJob/NAME`, value \
`[{\"op\": \"add\", \"path\": \"/spec/concurrencyPolicy\", \"value\": \"Forbid\"}]`.\n\n\
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#concurrency-policy",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in subject.items.iter().filter(|item| item.object().is("batch", "CronJob")) {
        let object = item.object();
        let policy = object.at("/spec/concurrencyPolicy").and_then(Value::as_str);
        let written = subject.claim_volumes(item).into_iter().find(|(reference, volume)| {
            let claim = scope.claim(reference);
            let may = claim.owners.contains(&subject.name) || claim.writers.contains(&subject.name);
            may && volume.is_written()
        });
        let Some((claim, _)) = written.filter(|_| policy != Some("Forbid")) else {
            continue;
        };
        let message = format!(
            "CronJob `{}` writes claim `{claim}` with concurrencyPolicy {}",
            object.name(),
            policy.unwrap_or("Allow")
        );
        let finding = subject.finding_on(&META, message, item, "/spec/concurrencyPolicy");
        let operation = fixes::set(object.tree(), "/spec/concurrencyPolicy", json!("Forbid"));
        let fix = item
            .patch(vec![operation])
            .map(|changes| Fix::needs_review("set concurrencyPolicy to Forbid", changes));
        findings.push(finding.fix_or_hint(
            fix,
            "set concurrencyPolicy to Forbid in the chart's values, or with the parameter `patches`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, claim, owns, pod};

    fn cron_job(policy: Value, read_only: bool) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "fetch"}, "spec": {
            "concurrencyPolicy": policy, "jobTemplate": {"spec": {"template": pod("audio", read_only, read_only)}}}})
    }

    fn case(job: Value) -> Case {
        Case::new()
            .plugin("fetcher", json!([owns(["audio"])]))
            .renders("fetcher", [job])
    }

    #[test]
    fn fires() {
        assert_eq!(
            case(cron_job(Value::Null, false)).messages(&RULE),
            ["CronJob `fetch` writes claim `media/audio` with concurrencyPolicy Allow"]
        );
        assert_eq!(case(cron_job(json!("Replace"), false)).messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        assert!(case(cron_job(json!("Forbid"), false)).messages(&RULE).is_empty());
        assert!(
            case(cron_job(Value::Null, true)).messages(&RULE).is_empty(),
            "it only reads"
        );
    }

    #[test]
    fn fix_removes_it() {
        let case = Case::new()
            .app(
                "fetcher",
                json!({"destination": {"namespace": "media"}, "source": {"repoURL": HOME, "path": "fetcher"}}),
            )
            .manifest("fetcher/job.yaml", cron_job(Value::Null, false))
            .manifest("fetcher/claim.yaml", claim("audio", json!({})));
        assert!(case.fixed(&RULE).contains("concurrencyPolicy: Forbid"));
    }
}
