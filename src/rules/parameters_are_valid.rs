//! HL309: a wrong plugin parameter stops the render, one that is too long the plugin itself.

use std::collections::BTreeMap;

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::mount::Mount;
use crate::model::parameter::{ParameterError, Parameters};
use crate::model::variable::{VARIABLE_MAX, oversized};
use crate::model::version::is_constraint;
use crate::model::{PointerExt, Source};

static META: Meta = Meta {
    id: "HL309",
    name: "parameters-are-valid",
    severity: Severity::Error,
    summary: "plugin parameters have known names, the right types and a size that a program can be given",
    why: "The plugin refuses names that it does not know and values of the wrong type, so that a typing error is an error \
and not a claim without an owner; Argo CD then keeps the last good state, and the Application shows the message. Argo CD \
hands all parameters over in environment variables, of which Linux takes 131,071 bytes each: with more, as large inline \
`values` can have, the plugin does not even start, and the message (`argument list too long`) says nothing of the cause. \
Put large values into a file beside the chart (`values-files`).\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#using-environment-variables-in-your-plugin",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in &subject.sources {
        match parameters {
            Some(Ok(parameters)) => {
                findings.extend(of_mounts(subject, source, parameters));
                findings.extend(of_version(subject, source, parameters));
            }
            Some(Err(errors)) => findings.extend(errors.iter().map(|error| wrong(subject, source, error))),
            None => continue,
        }
        findings.extend(too_long(subject, source));
    }
    findings
}

fn wrong(subject: &Subject<'_>, source: &Source<'_>, error: &ParameterError) -> Finding {
    let list = source.at(&["plugin", "parameters"]);
    let pointer = match error.index {
        Some(index) => list.child(index),
        None => list,
    };
    let finding = subject.finding(&META, error.message.clone(), &pointer);
    finding.hint("run `kubectl homelab explain parameters`")
}

fn too_long(subject: &Subject<'_>, source: &Source<'_>) -> Vec<Finding> {
    let variables = source.raw_parameters().map(|list| oversized(&list)).unwrap_or_default();
    let pointer = source.at(&["plugin", "parameters"]);
    variables
        .into_iter()
        .map(|(name, bytes)| {
            let message =
                format!("the variable `{name}` would have {bytes} bytes, at most {VARIABLE_MAX} are possible");
            let finding = subject.finding(&META, message, &pointer);
            finding.hint("put large values into a file beside the chart (`values-files`)")
        })
        .collect()
}

/// Finds a chart's version that is a range: the plugin renders one version only.
fn of_version(subject: &Subject<'_>, source: &Source<'_>, parameters: &Parameters) -> Option<Finding> {
    let version = &parameters.chart.as_ref()?.version;
    is_constraint(version).then(|| {
        let message = format!("`chart-version` is `{version}`, and the plugin renders one version only");
        let pointer = source.parameter("chart-version").unwrap_or_default();
        let finding = subject.finding(&META, message, pointer.child("string"));
        finding.hint("pin one version, as `1.2.3`; `kubectl homelab render` names the newest that fits")
    })
}

/// Finds two mounts at one path of one container.
fn of_mounts(subject: &Subject<'_>, source: &Source<'_>, parameters: &Parameters) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut places: BTreeMap<_, &Mount> = BTreeMap::new();
    let parameter = source.parameter("mounts").unwrap_or_default();
    for (index, mount) in parameters.mounts.iter().enumerate() {
        let place = (
            mount.namespace_in(subject.namespace.as_ref()),
            mount.workload.as_ref().map(ToString::to_string),
            &mount.container,
            mount.path.trim_end_matches('/'),
        );
        let other = *places.entry(place).or_insert(mount);
        if !std::ptr::eq(other, mount) {
            let message = format!(
                "`mounts` has `{}` and `{}` at the path `{}`",
                other.claim, mount.claim, mount.path
            );
            let finding = subject.finding(&META, message, parameter.child("array").child(index));
            findings.push(finding.hint("give each mount a path of its own"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, mounts};
    use serde_json::json;

    #[test]
    fn fires() {
        let wrong = Case::new().plugin(
            "player",
            json!([{"name": "own", "array": ["a"]}, {"name": "skip-crds", "string": "yes"}]),
        );
        let messages = wrong.messages(&RULE);
        assert_eq!(messages[0], "parameter `own` is unknown; is it `owns`?");
        assert_eq!(messages[1], "parameter `skip-crds` is neither \"true\" nor \"false\"");
        assert_eq!(
            wrong.place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/0"
        );
        let twice = Case::new().plugin("player", json!([mounts(["a:/m", "b:/m/", "c:/m,workload=x"])]));
        assert_eq!(twice.messages(&RULE), ["`mounts` has `a` and `b` at the path `/m/`"]);
        let apart = Case::new().plugin("player", json!([mounts(["a:/m", "b:/m,namespace=attic"])]));
        assert!(apart.messages(&RULE).is_empty(), "two namespaces have two workloads");
    }

    #[test]
    fn fires_on_what_no_program_can_be_given() {
        // Each `<` is six bytes in Go's JSON, so that the value alone fits and the JSON of all parameters does not.
        let values = "<".repeat(VARIABLE_MAX / 6);
        let long = Case::new().plugin("player", json!([{"name": "values", "string": values}]));
        let messages = long.messages(&RULE);
        assert_eq!(messages.len(), 1);
        assert!(
            messages[0].starts_with("the variable `ARGOCD_APP_PARAMETERS` would have 131"),
            "{messages:?}"
        );
    }

    #[test]
    fn fires_on_a_range_of_charts() {
        let of = |version: &str| {
            let text = |name: &str, text: &str| json!({"name": name, "string": text});
            let chart = [
                text("chart", "web"),
                text("chart-repo", "https://c.example.org"),
                text("chart-version", version),
            ];
            Case::new().plugin("player", json!(chart))
        };
        assert_eq!(
            of("1.x").messages(&RULE),
            ["`chart-version` is `1.x`, and the plugin renders one version only"]
        );
        assert_eq!(
            of("1.x").place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/2/string"
        );
        assert!(of("1.2.3").messages(&RULE).is_empty());
    }

    #[test]
    fn stays_silent() {
        let good = json!([mounts(["a:/m", "b:/n"]), {"name": "values", "string": "x: 1"}]);
        assert!(Case::new().plugin("player", good).messages(&RULE).is_empty());
        let other = json!({"source": {"repoURL": "u", "plugin": {"name": "other", "parameters": [{"name": "own"}]}}});
        assert!(
            Case::new().app("player", other).messages(&RULE).is_empty(),
            "not our plugin"
        );
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::new().plugin("player", json!([{"name": "own"}]));
        assert_eq!(
            case.findings(&RULE)[0].hint.as_deref(),
            Some("run `kubectl homelab explain parameters`")
        );
    }
}
