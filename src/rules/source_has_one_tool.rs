//! HL304: a source is rendered by one tool.

use super::{Check, Finding, Fix, Meta, Rule, Scope, Severity, Subject, fixes};
use crate::failure::Failure;
use crate::model::native;
use crate::model::tool::is_dropped;
use crate::model::{Availability, Pointer, Source};
use crate::repo::overrides;
use crate::yaml;
use serde_json::{Value, json};

static META: Meta = Meta {
    id: "HL304",
    name: "source-has-one-tool",
    severity: Severity::Error,
    summary: "a source has only one of helm, kustomize, directory and plugin",
    why: "Argo CD refuses a source that names two tools (\"multiple application sources defined\"): the Application does not \
render at all. That holds for what the files `.argocd-source.yaml` and `.argocd-source-<application>.yaml` in the source's \
folder add, too: image-updater writes such a file with `helm` or `kustomize` in it. No such file can take a tool away (`helm: \
null` in it changes nothing), so that one that adds `plugin` needs a source without the others. Everything that stood under \
`helm:` has a plugin parameter instead: `valueFiles` becomes `values-files`, \
`values` and `valuesObject` become `values`, `parameters` becomes `helm-parameters` (with `forceString` \
`helm-string-parameters`), `fileParameters` becomes `helm-file-parameters`, and all others keep their names, as \
`release-name` and `skip-crds`; so do `recurse`, `include` and `exclude` of `directory:`. The fix moves them where all of them \
can be moved.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = of_manifest(subject);
    if findings.is_empty() {
        findings = of_files(subject);
    }
    // A file in another repository is seen by the render alone.
    if let Some(Availability::Failed { message, hint, rule }) = scope.renders.get(&subject.name)
        && *rule == Some(META.id)
        && findings.is_empty()
    {
        let finding = subject.finding(&META, without_id(message), subject.source_pointer());
        let hint = hint.clone();
        findings.push(finding.hint(hint.unwrap_or_else(|| "leave one tool to the source".to_owned())));
    }
    findings
}

/// Finds the tools that files in the sources' folders add.
fn of_files(subject: &Subject<'_>) -> Vec<Finding> {
    let sources = subject.sources.iter().zip(&subject.overrides);
    let of_source = |((source, _), overrides): (&(Source<'_>, _), &Vec<_>)| {
        let merged = overrides::merge(source.tree(), overrides).ok()?;
        let failure = Failure::from(merged.check_tools().err()?);
        let message = failure.one_line();
        let finding = subject.finding(&META, without_id(&message), source.pointer.clone());
        Some(match failure.hints.first() {
            Some(hint) => finding.hint(hint.clone()),
            None => finding,
        })
    };
    let overridden = sources.filter(|(_, overrides)| !overrides.is_empty());
    overridden.filter_map(of_source).collect()
}

fn without_id(message: &str) -> &str {
    let id = format!(" ({})", META.id);
    message.strip_suffix(&id).unwrap_or(message)
}

fn of_manifest(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, _) in &subject.sources {
        let tools = [
            ("helm", source.helm()),
            ("kustomize", source.kustomize()),
            ("directory", source.directory()),
        ];
        // Argo CD drops those that say nothing.
        let said = tools
            .into_iter()
            .filter_map(|(tool, block)| Some((tool, block.filter(|block| !is_dropped(tool, block))?)));
        if source.plugin().is_some() {
            findings.extend(said.map(|(tool, block)| of_block(subject, source, tool, block)));
            continue;
        }
        let said: Vec<&str> = said.map(|(tool, _)| tool).collect();
        if let [first, others @ ..] = &said[..] {
            findings.extend(others.iter().map(|tool| of_native(subject, source, tool, first)));
        }
    }
    findings
}

fn of_native(subject: &Subject<'_>, source: &Source<'_>, tool: &str, first: &str) -> Finding {
    let message = format!("the source has `{tool}` beside `{first}`, and Argo CD takes only one");
    let finding = subject.finding(&META, message, source.at(&[tool]));
    finding.hint(format!(
        "remove `{tool}` or `{first}`: the folder is rendered by one of them"
    ))
}

fn of_block(subject: &Subject<'_>, source: &Source<'_>, tool: &str, block: &Value) -> Finding {
    let message = format!("the source has `{tool}` beside `plugin`, and Argo CD takes only one");
    let finding = subject.finding(&META, message, source.at(&[tool]));
    match moved(source, tool, block) {
        Some(parameters) => finding.fix(Fix::needs_review(
            format!("move the {tool} block into plugin parameters"),
            fixes::patch(
                subject.manifest,
                vec![
                    fixes::set(
                        subject.app.object().tree(),
                        source.at(&["plugin", "parameters"]),
                        parameters,
                    ),
                    fixes::remove(source.at(&[tool])),
                ],
            ),
        )),
        None => finding.hint(format!("use plugin parameters instead, and remove `{tool}`")),
    }
}

/// Returns the parameters of the source with those that a tool's block becomes; `None` when one cannot be moved, or is
/// there.
fn moved(source: &Source<'_>, tool: &str, block: &Value) -> Option<Value> {
    let plugin = source.plugin()?;
    let mut parameters = plugin
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let alone = json!({tool: block});
    let alone = Source::new(source.pointer.clone(), &alone);
    let moved = native::to_parameters(&alone, |_, values| yaml::emit(values)).ok()?;
    // `version` has no effect; anything else that is left out needs a decision.
    if moved
        .left_out
        .iter()
        .any(|(pointer, _)| !pointer.ends_with(Pointer::from_static("/version")))
    {
        return None;
    }
    for parameter in moved.parameters {
        if parameters
            .iter()
            .any(|there| there.get("name") == parameter.get("name"))
        {
            return None;
        }
        parameters.push(parameter);
    }
    Some(Value::Array(parameters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME, owns, plugin_spec};

    fn case(tool: &str, block: Value) -> Case {
        let mut spec = plugin_spec(json!([owns(["audio"])]));
        spec["source"][tool] = block;
        Case::new().app("player", spec)
    }

    #[test]
    fn fires() {
        let helm = case("helm", json!({"passCredentials": true}));
        assert_eq!(
            helm.messages(&RULE),
            ["the source has `helm` beside `plugin`, and Argo CD takes only one"]
        );
        assert!(helm.findings(&RULE)[0].hint.is_some());
        assert_eq!(case("directory", json!({"recurse": true})).messages(&RULE).len(), 1);
        let native = json!({"source": {"repoURL": "u", "helm": {"releaseName": "x"}, "directory": {"recurse": true}}});
        let native = Case::new().app("player", native);
        assert_eq!(
            native.messages(&RULE),
            ["the source has `directory` beside `helm`, and Argo CD takes only one"]
        );
        assert_eq!(native.place(&RULE), "applications/player.yaml /spec/source/directory");
    }

    #[test]
    fn what_a_file_adds_is_found() {
        let app = |source: Value| {
            let mut spec = json!({"source": source});
            spec["source"]["repoURL"] = json!(HOME);
            spec
        };
        let root = app(json!({"path": "applications"}));
        let case = |more: Value, text: &str| {
            let mut source = json!({"path": "apps/player"});
            source
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let case = Case::new().app("root", root.clone()).app("player", app(source));
            case.file("apps/player/.argocd-source.yaml", text)
        };
        let file = "`apps/player/.argocd-source.yaml`";
        let plugin = "helm: null\nplugin: {name: homelab-v1}\n";
        let helm = case(json!({"helm": {"releaseName": "r"}}), plugin);
        assert_eq!(
            helm.messages(&RULE),
            [format!(
                "{file} adds `plugin` to a source that has `helm`, and Argo CD takes only one tool"
            )]
        );
        assert_eq!(helm.place(&RULE), "applications/player.yaml /spec/source");
        let hint = helm.findings(&RULE)[0].hint.clone().unwrap();
        assert!(hint.contains("no file can, not even with `helm: null`"), "{hint}");
        assert!(case(json!({"helm": {}}), plugin).messages(&RULE).is_empty());
    }

    #[test]
    fn what_a_file_of_another_repository_adds_is_found_by_the_render() {
        let message =
            "`c/.argocd-source.yaml` adds `helm` to a source that has `plugin`, and Argo CD takes only one tool";
        let failed = |rule| Availability::Failed {
            message: format!("{message} (HL304)"),
            hint: Some("move it".to_owned()),
            rule,
        };
        let case = |rule| {
            Case::new()
                .plugin("player", json!([]))
                .unavailable("player", failed(rule))
        };
        assert_eq!(case(Some("HL304")).messages(&RULE), [message]);
        assert_eq!(
            case(Some("HL304")).place(&RULE),
            "applications/player.yaml /spec/source"
        );
        assert!(case(None).messages(&RULE).is_empty());
    }

    #[test]
    fn stays_silent() {
        assert!(
            case("helm", json!({"releaseName": "", "valueFiles": [], "skipCrds": false}))
                .messages(&RULE)
                .is_empty()
        );
        let native = Case::new().app(
            "player",
            json!({"source": {"repoURL": "u", "helm": {"releaseName": "x"}}}),
        );
        assert!(native.messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        let all = json!({"valueFiles": ["values-home.yaml"], "valuesObject": {"a": 1}, "releaseName": "x", "skipCrds": true,
            "parameters": [{"name": "b.c", "value": "d"}, {"name": "e", "value": "1", "forceString": true}],
            "fileParameters": [{"name": "f", "path": "g"}], "skipTests": true, "skipSchemaValidation": true,
            "ignoreMissingValueFiles": true, "namespace": "media", "kubeVersion": "1.33.0", "apiVersions": ["v1"]});
        let text = case("helm", all).fixed(&RULE);
        assert!(
            !text.contains("helm:") && text.contains("helm-parameters") && text.contains("values-home.yaml"),
            "{text}"
        );
        let value = crate::yaml::value(&text).unwrap().unwrap();
        let object = crate::model::Object::new(value);
        let app = crate::model::Application::new(&object).unwrap();
        let parameters = app.sources()[0].parameters().unwrap();
        assert_eq!(
            (parameters.helm_parameters["b.c"].as_str(), parameters.skip_crds),
            ("d", true)
        );
        assert_eq!(
            (
                &parameters.helm_string_parameters["e"][..],
                &parameters.helm_file_parameters["f"][..]
            ),
            ("1", "g")
        );
        assert!(parameters.skip_tests && parameters.skip_schema_validation && parameters.ignore_missing_values_files);
        let directory = case("directory", json!({"recurse": true, "exclude": "x*"})).fixed(&RULE);
        assert!(
            !directory.contains("directory:") && directory.contains("recurse") && directory.contains("x*"),
            "{directory}"
        );
    }
}
