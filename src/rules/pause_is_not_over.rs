//! HL322: a pause that is over is one that somebody forgot.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::object::annotation_pointer;
use crate::model::pause::{REASON, SyncMode, UNTIL};

static META: Meta = Meta {
    id: "HL322",
    name: "pause-is-not-over",
    severity: Severity::Warning,
    summary: "no Application is paused for longer than it was meant to be",
    why: "`kubectl homelab pause` switches the automated sync of an Application off in Git, with a reason and the time until which \
it is meant (the annotations `sync.home.arpa/paused` and `sync.home.arpa/paused-until`). While it is off, no commit reaches the \
Application, security updates neither, and what somebody changes in the cluster by hand stays: the longer, the more comes at once \
when it is switched on again. Nothing switches it on by itself.\n\n\
Switch it on again with `kubectl homelab resume APP`, or say how long it still has to be off with `kubectl homelab pause APP \
--reason TEXT --until DATE`.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    of_subject(scope, subject).into_iter().collect()
}

fn of_subject(scope: &Scope<'_>, subject: &Subject<'_>) -> Option<Finding> {
    let app = subject.app.object();
    let until = app
        .annotation(UNTIL)
        .filter(|_| SyncMode::of(app) == SyncMode::Paused)?;
    let name = &subject.name;
    let message = if !is_moment(until) {
        format!(
            "`{name}` is paused until `{until}`, which is neither a date, as `2030-01-31`, nor a moment, as `2030-01-31T12:00:00Z`"
        )
    } else {
        // Both begin with the year, so that the order of texts is that of time.
        scope.now.as_deref().filter(|now| until < *now)?;
        let reason = app.annotation(REASON).unwrap_or_default();
        format!("`{name}` is still paused, and was meant to be until {until}: {reason}")
    };
    let finding = subject.finding(&META, message, annotation_pointer(UNTIL));
    Some(finding.hint(format!(
        "switch its automated sync on again with `kubectl homelab resume {name}`, or pause it again with another `--until`"
    )))
}

/// Reports whether a text is a date, or a moment in UTC.
fn is_moment(text: &str) -> bool {
    let fits = |form: &str| {
        form.len() == text.len()
            && form.bytes().zip(text.bytes()).all(|(form, byte)| match form {
                b'0' => byte.is_ascii_digit(),
                form => byte == form,
            })
    };
    fits("0000-00-00") || fits("0000-00-00T00:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{self, Case};
    use serde_json::{Value, json};

    fn messages(until: &str, automated: Value, now: Option<&str>) -> Vec<String> {
        let case = Case::new().manifest(
            "applications/player.yaml",
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "player", "annotations": {REASON: "the disk moves", UNTIL: until}},
                "spec": {"source": {"repoURL": "u"}, "syncPolicy": {"automated": automated}}}),
        );
        let repo = case.repo();
        let scope = Scope::new(&repo, case.app_renders());
        let scope = match now {
            Some(now) => scope.at(now.to_owned()),
            None => scope,
        };
        case::findings(&RULE, &scope)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    const NOW: Option<&str> = Some("2026-11-28T22:00:00Z");

    #[test]
    fn fires() {
        for until in ["2026-11-28", "2026-11-28T21:59:59Z", "1999-12-31"] {
            assert_eq!(
                messages(until, json!({"enabled": false}), NOW),
                [format!(
                    "`player` is still paused, and was meant to be until {until}: the disk moves"
                )]
            );
        }
        for until in ["soon", "28.11.2026", "2026-11-28T21:59:59+01:00"] {
            let message = messages(until, json!({"enabled": false}), None).remove(0);
            assert!(message.contains("which is neither a date"), "{message}");
        }
    }

    #[test]
    fn stays_silent() {
        for until in ["2026-11-29", "2026-11-28T22:00:00Z", "2030-01-01T00:00:00Z"] {
            assert!(messages(until, json!({"enabled": false}), NOW).is_empty(), "{until}");
        }
        assert!(
            messages("2000-01-01", json!({"enabled": false}), None).is_empty(),
            "the time is not known"
        );
        assert!(
            messages("2000-01-01", json!({"prune": true}), NOW).is_empty(),
            "it is synced automatically"
        );
    }

    #[test]
    fn says_the_way_out() {
        let finding = Case::new().manifest(
            "applications/player.yaml",
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "player", "annotations": {REASON: "x", UNTIL: "soon"}},
                "spec": {"source": {"repoURL": "u"}, "syncPolicy": {"automated": {"enabled": false}}}}),
        );
        let hint = finding.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint.contains("`kubectl homelab resume player`"), "{hint}");
    }
}
