//! HL305: a plugin sees the files of its own source only.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};

static META: Meta = Meta {
    id: "HL305",
    name: "value-files-have-no-ref",
    severity: Severity::Error,
    summary: "a plugin source has no value files of another source ($ref)",
    why: "A value file `$values/…` means a file of the source that has `ref: values`. Argo CD checks such a source out for its \
own Helm only: a plugin gets the tree of its own source and nothing else, so that the file is not there and the render \
fails. Make the folder with the value files the source, and name the chart in the parameters `chart`, `chart-repo` and \
`chart-version`: `kubectl homelab convert` does so for Applications of Argo CD's own Helm. Or say the values in the \
parameter `values`.\n\n\
https://github.com/argoproj/argo-cd/issues/12476",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, parameters) in subject.read_sources() {
        let values_files_at = source.entries("values-files", str::to_owned);
        let file_parameters_at = source.entries("helm-file-parameters", str::to_owned);
        let values_files = parameters.values_files.iter().map(|file| {
            let pointer = values_files_at.at(file);
            (file, pointer, "value file")
        });
        let file_parameters = parameters.helm_file_parameters.values().map(|file| {
            let pointer = file_parameters_at.at(file);
            (file, pointer, "file of a parameter")
        });
        for (file, pointer, what) in values_files
            .chain(file_parameters)
            .filter(|(file, ..)| is_elsewhere(file))
        {
            let message = format!("{what} `{file}` is in another source, which a plugin does not get");
            let finding = subject.finding(&META, message, &pointer);
            findings.push(finding.hint("make the folder with the file the source, and name the chart in the parameter `chart`, or put the values into the parameter `values`"));
        }
    }
    findings
}

/// Reports whether a file begins with the name of another source: a variable that is none of those that Argo CD sets.
fn is_elsewhere(file: &str) -> bool {
    file.strip_prefix('$')
        .map(|name| name.trim_start_matches('{'))
        .is_some_and(|name| !name.starts_with("ARGOCD_APP_") && !name.starts_with('$'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::json;

    fn case(file: &str) -> Case {
        Case::new().plugin(
            "player",
            json!([{"name": "values-files", "array": ["values.yaml", file]}]),
        )
    }

    #[test]
    fn fires() {
        let case = case("$values/player.yaml");
        assert_eq!(
            case.messages(&RULE),
            ["value file `$values/player.yaml` is in another source, which a plugin does not get"]
        );
        assert_eq!(
            case.place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/0/array/1"
        );
    }

    #[test]
    fn fires_on_the_file_of_a_parameter() {
        let case = Case::new().plugin(
            "player",
            json!([{"name": "helm-file-parameters", "map": {"a.b": "$values/ca.pem"}}]),
        );
        assert_eq!(
            case.messages(&RULE),
            ["file of a parameter `$values/ca.pem` is in another source, which a plugin does not get"]
        );
        assert_eq!(
            case.place(&RULE),
            "applications/player.yaml /spec/source/plugin/parameters/0/map/a.b"
        );
    }

    #[test]
    fn stays_silent() {
        for file in [
            "/values/player.yaml",
            "$ARGOCD_APP_NAME/*.yaml",
            "${ARGOCD_APP_NAME}.yaml",
            "$$.yaml",
        ] {
            assert!(case(file).messages(&RULE).is_empty(), "{file}");
        }
        let native = Case::new().app(
            "player",
            json!({"source": {"repoURL": "u", "helm": {"valueFiles": ["$values/x.yaml"]}}}),
        );
        assert!(native.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case("$values/x.yaml").findings(&RULE)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("name the chart in the parameter `chart`")
        );
    }
}
