//! HL305: a plugin sees the files of its own source only.

use super::{Finding, Meta, Rule, Scope, Severity};

static META: Meta = Meta {
    id: "HL305",
    name: "value-files-need-no-ref",
    severity: Severity::Error,
    summary: "a plugin source has no value files of another source ($ref)",
    why: "A value file `$values/…` means a file of the source that has `ref: values`. Argo CD checks such a source out for its \
own Helm only: a plugin gets the tree of its own source and nothing else, so that the file is not there and the render \
fails. Put the value files beside the chart (a folder of this repository with a `Chart.yaml` that has the chart as a \
dependency), or say the values in the parameter `values`.\n\n\
https://github.com/argoproj/argo-cd/issues/12476",
};

/// HL305.
pub(super) struct ValueFilesNeedNoRef;

impl Rule for ValueFilesNeedNoRef {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, scope: &Scope<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for subject in &scope.subjects {
            for (source, parameters) in subject.read_sources() {
                for file in parameters.values_files.iter().filter(|file| file.starts_with('$')) {
                    let pointer = source.entry("values-files", |entry| entry == file.as_str());
                    let message = format!("value file `{file}` lies in another source, which a plugin does not get");
                    let finding = subject.finding(&META, message, &pointer);
                    findings.push(
                        finding.hint("put the file beside the chart, or say the values in the parameter `values`"),
                    );
                }
            }
        }
        findings
    }
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
            case.messages(&ValueFilesNeedNoRef),
            ["value file `$values/player.yaml` lies in another source, which a plugin does not get"]
        );
        assert_eq!(
            case.place(&ValueFilesNeedNoRef),
            "applications/player.yaml /spec/source/plugin/parameters/0/array/1"
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case("/values/player.yaml").messages(&ValueFilesNeedNoRef).is_empty());
        let native = Case::new().app(
            "player",
            json!({"source": {"repoURL": "u", "helm": {"valueFiles": ["$values/x.yaml"]}}}),
        );
        assert!(native.messages(&ValueFilesNeedNoRef).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case("$values/x.yaml").findings(&ValueFilesNeedNoRef)[0]
                .hint
                .as_deref()
                .unwrap()
                .contains("beside the chart")
        );
    }
}
