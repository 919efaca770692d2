use super::*;
use crate::model::parameter;
use crate::repo::Memory;
use serde_json::{Value, json};
use std::cell::RefCell;

/// Plays Helm: keeps the call, prints a text.
struct Prints(&'static str, RefCell<Option<HelmCall>>);

impl Templater for Prints {
    fn template(&self, call: &HelmCall) -> Result<String> {
        *self.1.borrow_mut() = Some(call.clone());
        Ok(self.0.to_owned())
    }
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n";

fn request(path: &str, parameters: Value) -> Request {
    let list = parameter::read(&parameters).unwrap();
    Request {
        app: AppName::new("player").unwrap(),
        destination: Some(NamespaceName::new("media").unwrap()),
        source_path: RepoPath::new(path).unwrap(),
        prefix: RepoPath::root(),
        parameters: Parameters::parse(&list).unwrap(),
        kube_version: Some("1.36.1".to_owned()),
        api_versions: vec!["v1".to_owned(), "apps/v1".to_owned()],
        variables: BTreeMap::from([("ARGOCD_APP_NAME".to_owned(), "player".to_owned())]),
        storage_rules: true,
    }
}

fn chart() -> Memory {
    Memory::new([
        ("charts/player/Chart.yaml", "name: player\n"),
        ("charts/player/values.yaml", "a: b\npassword: hunter2\n"),
        (
            "charts/player/home.yaml",
            "apiToken: \"s3cret\"\nexistingSecret: media\n",
        ),
        ("charts/shared.yaml", ""),
        ("values/player.yaml", ""),
    ])
    .unwrap()
}

/// The call as a person would type it; files of the checkout in angle brackets, temporary ones in braces.
fn typed(request: &Request, files: &Memory) -> Result<String> {
    let call = helm_arguments::call(request, files)?;
    let arguments = call.arguments.iter().map(|argument| match argument {
        Argument::Text(text) => text.clone(),
        Argument::File(path) => format!("<{path}>"),
        Argument::Temporary(text) => format!("{{{}}}", text.trim_end()),
    });
    Ok(arguments.collect::<Vec<_>>().join(" "))
}

#[test]
fn helm_gets_argo_cds_arguments_in_argo_cds_order() {
    assert_eq!(
        typed(&request("charts/player", json!([])), &chart()).unwrap(),
        "--name-template player --namespace media --kube-version 1.36.1 --api-versions apps/v1 --api-versions v1 --include-crds"
    );
    let all = json!([
        {"name": "skip-crds", "string": "true"},
        {"name": "api-versions", "array": ["z/v1", "b/v1/C"]},
        {"name": "values", "string": "x: $ARGOCD_APP_NAME\n"},
        {"name": "values-files", "array": ["home.yaml", "../shared.yaml", "/values/${ARGOCD_APP_NAME}.yaml", "https://a.example/v.yaml"]},
        {"name": "helm-parameters", "map": {"z": "1,2", "a.b": "$ARGOCD_APP_NAME,x", "list": "{a,b}", "e": "a\\,b"}},
        {"name": "kube-version", "string": "v1.30.5-gke.100"},
        {"name": "namespace", "string": "other"},
        {"name": "release-name", "string": "r"},
    ]);
    assert_eq!(
        typed(&request("charts/player", all), &chart()).unwrap(),
        "--name-template r --namespace other --kube-version 1.30.5 \
         --set a.b=player\\,x --set e=a\\,b --set list={a,b} --set z=1\\,2 \
         --values <charts/player/home.yaml> --values <charts/shared.yaml> --values <values/player.yaml> \
         --values https://a.example/v.yaml --values {x: $ARGOCD_APP_NAME} --api-versions b/v1/C --api-versions z/v1"
    );
}

#[test]
fn no_destination_namespace_is_no_argument() {
    let request = Request {
        destination: None,
        kube_version: None,
        api_versions: Vec::new(),
        ..request("charts/player", json!([]))
    };
    assert_eq!(
        typed(&request, &chart()).unwrap(),
        "--name-template player --include-crds"
    );
}

#[test]
fn value_files_stay_in_the_repository() {
    let with = |file: &str, prefix: &str| {
        let request = Request {
            prefix: RepoPath::new(prefix).unwrap(),
            ..request("charts/player", json!([{"name": "values-files", "array": [file]}]))
        };
        let failure = crate::failure::Failure::from(typed(&request, &chart()).unwrap_err());
        format!("{} | {}", failure.one_line(), failure.hints.join(" | "))
    };
    for (file, prefix, part) in [
        ("../../../x.yaml", "", "lies outside the repository"),
        ("/../x.yaml", "", "lies outside the repository"),
        ("nope.yaml", "", "`nope.yaml` does not exist"),
        ("ftp://a.example/x", "", "the scheme `ftp` is not allowed"),
        (
            "../../../x.yaml",
            "cluster",
            "not in what Argo CD sent to the plugin | add `/x.yaml` to the annotation",
        ),
        (
            "/values/player.yaml",
            "cluster",
            "| add `/values/player.yaml` to the annotation",
        ),
    ] {
        let error = with(file, prefix);
        assert!(error.contains(part), "{part} in {error}");
    }
    let inside = Request {
        prefix: RepoPath::new("cluster").unwrap(),
        ..request(
            "charts/player",
            json!([{"name": "values-files", "array": ["/cluster/values/player.yaml"]}]),
        )
    };
    assert!(
        typed(&inside, &chart())
            .unwrap()
            .contains("--values <values/player.yaml>")
    );
}

#[test]
fn secret_looking_values_are_confidential() {
    let parameters = json!([
        {"name": "values-files", "array": ["home.yaml"]},
        {"name": "values", "string": "plain: all of these\nlist:\n- \"item\"\n"},
        {"name": "helm-parameters", "map": {"a": "parameter"}},
    ]);
    let call = helm_arguments::call(&request("charts/player", parameters), &chart()).unwrap();
    assert_eq!(
        call.confidential,
        ["parameter", "s3cret", "all of these", "item", "hunter2"]
    );
}

#[test]
fn dependencies_are_found_and_those_outside_are_read() {
    let files = Memory::new([
        (
            "a/b/Chart.yaml",
            "dependencies:\n- {name: x, repository: \"file://../../lib\"}\n- {name: y, repository: https://c.example}\n- {name: z}\n",
        ),
        ("a/b/requirements.yaml", "dependencies:\n- {name: w, repository: '@old'}\n"),
        ("shared.yaml", ""),
    ])
    .unwrap();
    let request = request("a/b", json!([{"name": "values-files", "array": ["/shared.yaml"]}]));
    let call = helm_arguments::call(&request, &files).unwrap();
    assert_eq!(call.dependencies, ["file://../../lib", "https://c.example", "@old"]);
    let reads = helm_arguments::reads(&request, &files).unwrap();
    assert_eq!(
        reads,
        [RepoPath::new("lib").unwrap(), RepoPath::new("shared.yaml").unwrap()]
    );
}

fn of(files: &[(&'static str, &'static str)], path: &str, helm: &'static str) -> Result<String> {
    let files = Memory::new(files.iter().copied()).unwrap();
    let helm = Prints(helm, RefCell::default());
    render(&request(path, json!([])), &files, &helm).map(|output| output.text())
}

#[test]
fn a_source_is_what_argo_cd_takes_it_for() {
    assert_eq!(
        of(&[("c/Chart.yaml", ""), ("c/kustomization.yaml", "")], "c", CONFIG).unwrap(),
        CONFIG
    );
    assert_eq!(of(&[("c/a.yaml", CONFIG)], "c", "").unwrap(), format!("---\n{CONFIG}"));
    for file in ["c/kustomization.yaml", "c/kustomization.yml", "c/Kustomization"] {
        let error = of(&[(file, ""), ("c/a.yaml", CONFIG)], "c", CONFIG).unwrap_err();
        assert!(error.to_string().contains("Kustomize folder"), "{error}");
    }
    for (files, part) in [
        (&[("d/a.yaml", CONFIG)][..], "app path does not exist: `c`"),
        (&[("c/README.md", "")], "the render is empty"),
        (&[("c/deeper/a.yaml", CONFIG)], "the render is empty"),
        (&[("c/a.jsonnet", "{}")], "Jsonnet"),
    ] {
        let error = of(files, "c", CONFIG).unwrap_err().to_string();
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn a_chart_with_a_namespace_needs_the_applications_only_where_they_are_or_are_named() {
    let chart = ("c/Chart.yaml", "");
    let guarded = of(&[chart], "c", NAMESPACE).unwrap();
    assert!(
        guarded.contains("Prune=false,Delete=false") && !guarded.contains("registry"),
        "{guarded}"
    );
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: x\nspec: {}\n";
    let registered = of(&[chart, ("applications/x.yaml", application)], "c", NAMESPACE).unwrap();
    assert!(registered.contains("storage.home.arpa/registry: v1"), "{registered}");
    let files = Memory::new([chart]).unwrap();
    let named = request("c", json!([{"name": "applications", "string": "apps"}]));
    let error = render(&named, &files, &Prints(NAMESPACE, RefCell::default())).unwrap_err();
    assert!(
        error.to_string().contains("no folder of Applications `apps`"),
        "{error}"
    );
}

#[test]
fn claims_need_a_destination_namespace() {
    let request = Request {
        destination: None,
        ..request("c", json!([{"name": "owns", "array": ["films"]}]))
    };
    let files = Memory::new([("c/a.yaml", CONFIG)]).unwrap();
    let error = render(&request, &files, &Prints("", RefCell::default())).unwrap_err();
    assert!(error.to_string().contains("no destination namespace"), "{error}");
}
