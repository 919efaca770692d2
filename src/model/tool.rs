//! The sections of a source that each name a tool; a source has one of them at most.

use serde_json::Value;

use super::native::is_zero;

/// The sections, in the order in which Argo CD names them
/// ([source](https://github.com/argoproj/argo-cd/blob/master/pkg/apis/application/v1alpha1/types.go), `ExplicitType`).
pub const TOOLS: [&str; 4] = ["kustomize", "helm", "directory", "plugin"];

/// Options of `kustomize` that do not count when Argo CD asks whether the section says anything.
const UNCOUNTED: [&str; 5] = [
    "forceCommonLabels",
    "forceCommonAnnotations",
    "commonAnnotationsEnvsubst",
    "labelWithoutSelector",
    "labelIncludeTemplates",
];

/// Reports whether Argo CD drops a section from an Application because it says nothing
/// ([source](https://github.com/argoproj/argo-cd/blob/master/util/argo/argo.go), `NormalizeSource`). It never drops
/// `plugin`, and nothing from a file of overrides.
pub fn is_dropped(tool: &str, section: &Value) -> bool {
    let says_nothing = |(option, value): (&String, &Value)| match (tool, option.as_str()) {
        ("helm", "valuesObject") => value.is_null(),
        ("kustomize", option) if UNCOUNTED.contains(&option) => true,
        ("kustomize", "commonLabels" | "commonAnnotations") => value.as_object().is_none_or(serde_json::Map::is_empty),
        _ => is_zero(value),
    };
    match section {
        Value::Object(options) => tool != "plugin" && options.iter().all(says_nothing),
        section => section.is_null(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_section_that_says_nothing_is_dropped() {
        for (tool, section) in [
            ("helm", json!({})),
            (
                "helm",
                json!({"releaseName": "", "valueFiles": [], "skipCrds": false, "valuesObject": null}),
            ),
            ("kustomize", json!({"forceCommonLabels": true, "commonLabels": {}})),
            ("directory", json!({"recurse": false, "jsonnet": {"libs": []}})),
            ("plugin", Value::Null),
        ] {
            assert!(is_dropped(tool, &section), "{tool}: {section}");
        }
        for (tool, section) in [
            ("helm", json!({"valuesObject": {}})),
            ("helm", json!({"parameters": [{}]})),
            ("kustomize", json!({"commonLabels": {"": ""}})),
            ("directory", json!({"include": "*.yaml"})),
            ("plugin", json!({})),
        ] {
            assert!(!is_dropped(tool, &section), "{tool}: {section}");
        }
    }
}
