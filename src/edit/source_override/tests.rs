use super::*;
use crate::failure::Failure;
use crate::model::Object;
use crate::repo::Memory;

const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: root\nspec:\n  source:\n    repoURL: https://git.example.org/home\n    path: applications\n";

fn source(more: &Value) -> Value {
    let mut source = json!({"repoURL": "https://git.example.org/home", "path": "apps/player"});
    json_patch::merge(&mut source, more);
    source
}

fn app(spec: Value) -> Object {
    Object::new(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "player", "namespace": "argocd"}, "spec": spec}))
}

/// Returns the file that is written, and its text, for these files and sources.
fn written_to(files: &[(&str, &str)], spec: Value, wanted: &Value) -> Result<(String, String), String> {
    let all = files.iter().copied().chain([("applications/root.yaml", ROOT)]);
    let files = Memory::new(all).unwrap();
    let repo = Repo::read(&files, &[]).unwrap();
    let object = app(spec);
    let app = Application::new(&object).unwrap();
    let plugin = json!({"name": "homelab-v1", "parameters": wanted});
    let written = write(&repo, &files, &app, 0, &plugin).map_err(|error| {
        let failure = Failure::from(error);
        format!("{} | {}", failure.one_line(), failure.hints.join("; "))
    })?;
    let changed = repo.file_changes(&written.changes).unwrap();
    repo.with(&written.changes).unwrap();
    let [changed] = &changed[..] else {
        return Ok((written.file.to_string(), "unchanged".to_owned()));
    };
    assert_eq!(changed.path, written.file);
    Ok((changed.path.to_string(), changed.after.clone().unwrap()))
}

fn written(text: Option<&str>, template: Value, wanted: Value) -> Result<String, String> {
    let file = text.map(|text| ("apps/player/.argocd-source.yaml", text));
    let files: Vec<_> = file.into_iter().collect();
    let (file, text) = written_to(&files, json!({"source": source(&template)}), &wanted)?;
    assert_eq!(file, "apps/player/.argocd-source.yaml");
    Ok(text)
}

fn owns(claims: &[&str]) -> Value {
    json!({"name": "owns", "array": claims})
}

#[test]
fn a_new_file() {
    assert_eq!(
        written(
            None,
            json!({}),
            json!([owns(&["data"]), {"name": "skip-crds", "string": "true"}])
        )
        .unwrap(),
        "plugin:\n  name: homelab-v1\n  parameters:\n  - name: owns\n    array:\n    - data\n  - name: skip-crds\n    string: \"true\"\n"
    );
    assert_eq!(
        written(None, json!({}), json!([])).unwrap(),
        "plugin:\n  name: homelab-v1\n"
    );
}

#[test]
fn what_is_in_the_file_stays() {
    for (before, after) in [
        (
            "# by hand\nref: values # kept\n",
            "# by hand\nref: values # kept\nplugin:\n  name: homelab-v1\n  parameters:\n  - name: owns\n    array:\n    - data\n",
        ),
        (
            "plugin:\n    # ours\n    name: homelab-v1\n    parameters:\n        - name: owns # mine\n          array: [old] # the first\n        - name: release-name\n          string: x\n",
            "plugin:\n    # ours\n    name: homelab-v1\n    parameters:\n        - name: owns # mine\n          array: [data] # the first\n",
        ),
        (
            "plugin: {name: homelab-v1, parameters: [{name: owns, array: [old]}]}\n",
            "plugin: {name: homelab-v1, parameters: [{name: owns, array: [data]}]}\n",
        ),
        (
            "{\"plugin\": null}",
            "{\"plugin\": {\"name\": \"homelab-v1\", \"parameters\": [{\"name\": \"owns\", \"array\": [\"data\"]}]}}",
        ),
        (
            "# about\n---\nplugin: {}\n",
            "# about\n---\nplugin: {name: homelab-v1, parameters: [{name: owns, array: [data]}]}\n",
        ),
        (
            "plugin:\n  name: homelab-v1\n  parameters:\n  - name: owns\n    array:\n    - data\n",
            "unchanged",
        ),
    ] {
        assert_eq!(
            written(Some(before), json!({}), json!([owns(&["data"])])).unwrap(),
            after,
            "{before}"
        );
    }
}

#[test]
fn another_claim() {
    let before = "plugin:\n  name: homelab-v1\n  parameters:\n  - name: writes\n    array: [films]\n  - name: owns\n    array:\n    # the first\n    - data\n";
    let wanted = json!([owns(&["data", "cache"]), {"name": "writes", "array": ["films"]}, {"name": "values-files", "array": ["v.yaml"]}]);
    assert_eq!(
        written(Some(before), json!({}), wanted).unwrap(),
        format!("{before}    - cache\n  - name: values-files\n    array:\n    - v.yaml\n")
    );
}

#[test]
fn parameters_of_the_template_come_first() {
    let template = json!({"plugin": {"name": "homelab-v1", "parameters": [
        {"name": "release-name", "string": "player"}, owns(&["data"]), {"name": "helm-parameters", "map": {"a": "1"}}]}});
    let wanted = |claims: &[&str], map: Value| json!([{"name": "writes", "array": ["films"]}, owns(claims), {"name": "helm-parameters", "map": map}, {"name": "release-name", "string": "player"}]);
    let text = "plugin:\n  parameters:\n  - name: release-name\n  - name: owns\n    array:\n    - data\n    - cache\n  - name: helm-parameters\n  - name: writes\n    array:\n    - films\n";
    assert_eq!(
        written(None, template.clone(), wanted(&["data", "cache"], json!({"a": "1"}))).unwrap(),
        text
    );
    assert_eq!(
        written(
            Some(text),
            template.clone(),
            wanted(&["cache"], json!({"a": "2", "b": "3"}))
        )
        .unwrap(),
        text.replace("    - data\n", "").replace(
            "- name: helm-parameters\n",
            "- name: helm-parameters\n    map:\n      a: \"2\"\n      b: \"3\"\n"
        )
    );
    // A file adds to a map, and takes nothing away.
    let error = written(None, template.clone(), wanted(&["data"], json!({"b": "2"}))).unwrap_err();
    assert!(
        error.contains("would not have the parameters that are wanted"),
        "{error}"
    );
    let error = written(None, template.clone(), json!([owns(&["data"])])).unwrap_err();
    assert!(
        error.contains("the template has the parameter `release-name`, and no file takes it away"),
        "{error}"
    );
    let same = template["plugin"]["parameters"].clone();
    assert_eq!(written(None, template.clone(), same.clone()).unwrap(), "unchanged");
    let error = written(
        Some("plugin: {parameters: [{name: owns, array: [data]}]}\n"),
        template,
        same,
    )
    .unwrap_err();
    assert!(
        error.contains("stands in the place of the template's parameter `release-name`"),
        "{error}"
    );
}

#[test]
fn a_tool_of_the_template_stays_and_is_refused() {
    for (template, tool) in [
        (json!({"helm": {"releaseName": "x"}}), "helm"),
        (json!({"kustomize": {}}), "kustomize"),
        (json!({"directory": {"recurse": true}}), "directory"),
    ] {
        let error = written(None, template, json!([])).unwrap_err();
        assert!(
            error.contains(&format!("has `{tool}`, and no file takes it away")),
            "{error}"
        );
    }
}

#[test]
fn a_tool_of_a_file_is_in_the_way() {
    let error = written(Some("helm:\n  parameters: []\n"), json!({}), json!([])).unwrap_err();
    assert!(error.contains("Argo CD takes only one tool (HL304)"), "{error}");
    let files = [("apps/player/.argocd-source-player.yaml", "kustomize:\n  images: [a]\n")];
    let error = written_to(&files, json!({"source": source(&json!({}))}), &json!([])).unwrap_err();
    assert!(
        error.contains("`apps/player/.argocd-source-player.yaml` adds `kustomize`"),
        "{error}"
    );
    let error = written(Some("# nothing\n"), json!({}), json!([])).unwrap_err();
    assert!(error.contains("is empty"), "{error}");
}

#[test]
fn a_folder_of_several_applications_gets_a_file_for_each() {
    let other = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: other\n  namespace: argocd\nspec:\n  source:\n    repoURL: https://git.example.org/home.git\n    path: ./apps/player/\n";
    let common = "plugin:\n  name: homelab-v1\n  parameters:\n  - name: owns\n    array: [shared]\n";
    let files = [
        ("applications/other.yaml", other),
        ("apps/player/.argocd-source.yaml", common),
    ];
    let spec = json!({"source": source(&json!({}))});
    let wanted = json!([owns(&["shared", "data"]), {"name": "writes", "array": ["films"]}]);
    let (file, text) = written_to(&files, spec.clone(), &wanted).unwrap();
    assert_eq!(file, "apps/player/.argocd-source-player.yaml");
    assert_eq!(
        text,
        "plugin:\n  parameters:\n  - name: owns\n    array:\n    - shared\n    - data\n  - name: writes\n    array:\n    - films\n"
    );
    // The file of the Application alone is kept where it has the plugin already.
    let own = [("apps/player/.argocd-source-player.yaml", "plugin: {name: homelab-v1}\n")];
    let (file, text) = written_to(&own, spec, &json!([owns(&["data"])])).unwrap();
    assert_eq!(file, "apps/player/.argocd-source-player.yaml");
    assert!(text.contains("data"), "{text}");
}

#[test]
fn one_of_several_sources() {
    let chart = json!({"repoURL": "https://charts.example.org", "chart": "a", "targetRevision": "1.0.0"});
    let spec = |others: &[Value]| json!({"sources": ([&[source(&json!({}))], others].concat())});
    let (_, text) = written_to(&[], spec(std::slice::from_ref(&chart)), &json!([owns(&["data"])])).unwrap();
    assert!(text.starts_with("plugin:"), "{text}");
    let error = written_to(&[], spec(&[source(&json!({}))]), &json!([])).unwrap_err();
    assert!(
        error.contains("the sources 1 and 2 of Application `player` are the same folder"),
        "{error}"
    );
    let reference = source(&json!({"path": null, "ref": "values"}));
    assert!(written_to(&[], spec(&[reference]), &json!([])).is_ok());
    for (first, part) in [
        (chart, "is a chart that is pulled"),
        (
            json!({"repoURL": "https://git.example.org/other", "path": "a"}),
            "a folder of another repository",
        ),
    ] {
        let error = written_to(&[], json!({"source": first}), &json!([])).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_annotation_that_does_not_cover_the_file_is_said() {
    let files = Memory::new([("applications/root.yaml", ROOT)]).unwrap();
    let repo = Repo::read(&files, &[]).unwrap();
    let notes = |paths: &str| {
        let mut tree = app(json!({"source": source(&json!({}))})).into_tree();
        tree["metadata"]["annotations"] = json!({GENERATE_PATHS: paths});
        let object = Object::new(tree);
        let plugin = json!({"name": "homelab-v1"});
        write(&repo, &files, &Application::new(&object).unwrap(), 0, &plugin)
            .unwrap()
            .notes
    };
    assert_eq!(notes("."), [""; 0]);
    let [note] = &notes("/elsewhere")[..] else { panic!() };
    assert!(
        note.contains("does not cover `apps/player/.argocd-source.yaml`"),
        "{note}"
    );
}
