use super::*;
use crate::model::parameter;
use crate::repo::{Memory, Repo};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::cell::RefCell;

/// Replaces Helm: records the call and prints a text.
struct Prints(&'static str, RefCell<Option<HelmCall>>);

impl Renderer<HelmCall> for Prints {
    fn render(&self, call: &HelmCall) -> Result<Raw> {
        *self.1.borrow_mut() = Some(call.clone());
        Ok(Raw {
            text: self.0.to_owned(),
            notes: vec!["a remark".to_owned()],
            is_settled: true,
        })
    }
}

impl Renderer<KustomizeCall> for Prints {
    fn render(&self, _: &KustomizeCall) -> Result<Raw> {
        Ok(Raw {
            text: self.0.to_owned(),
            ..Raw::default()
        })
    }
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n";

pub(super) fn request(path: &str, parameters: Value) -> Request {
    let list = parameter::read(&parameters).unwrap();
    Request {
        app: AppName::new("player").unwrap(),
        destination: Some(NamespaceName::new("media").unwrap()),
        source_path: RepoPath::new(path).unwrap(),
        prefix: RepoPath::root(),
        source_type: None,
        parameters: Parameters::parse(&list).unwrap(),
        kube_version: Some("1.36.1".to_owned()),
        api_versions: vec!["v1".to_owned(), "apps/v1".to_owned()],
        variables: BTreeMap::from([("ARGOCD_APP_NAME".to_owned(), "player".to_owned())]),
        storage_rules: true,
        for_rules: false,
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

fn named(tree: &Tree) -> String {
    match tree {
        Tree::Source => String::new(),
        Tree::Chart => "chart:".to_owned(),
        Tree::Reference(name) => format!("${name}/"),
    }
}

/// Formats the call as a user would type it; files of the checkout are in angle brackets, temporary ones in braces.
fn typed<'f>(request: &Request, files: impl Into<Trees<'f>>) -> Result<String> {
    let call = helm_arguments::call(request, files)?;
    let arguments = call.arguments.iter().map(|argument| match argument {
        Argument::Text(text) => text.clone(),
        Argument::File(tree, path) => format!("<{}{path}>", named(tree)),
        Argument::SetFile(name, tree, path) => format!("{name}=<{}{path}>", named(tree)),
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
        {"name": "helm-string-parameters", "map": {"s": "1,$NOPE", "$ARGOCD_APP_NAME": "$$"}},
        {"name": "helm-file-parameters", "map": {"f": "/values/$ARGOCD_APP_NAME.yaml", "$u": "https://a.example/a,b"}},
        {"name": "skip-tests", "string": "true"},
        {"name": "skip-schema-validation", "string": "true"},
        {"name": "kube-version", "string": "v1.30.5-gke.100"},
        {"name": "namespace", "string": "other"},
        {"name": "release-name", "string": "r"},
    ]);
    assert_eq!(
        typed(&request("charts/player", all), &chart()).unwrap(),
        "--name-template r --namespace other --kube-version 1.30.5 \
         --set a.b=player\\,x --set e=a\\,b --set list={a,b} --set z=1\\,2 \
         --set-string $ARGOCD_APP_NAME=$ --set-string s=1\\, \
         --set-file $u=https://a.example/a\\,b --set-file f=<values/player.yaml> \
         --values <charts/player/home.yaml> --values <charts/shared.yaml> --values <values/player.yaml> \
         --values https://a.example/v.yaml --values {x: $ARGOCD_APP_NAME} --api-versions b/v1/C --api-versions z/v1 \
         --skip-schema-validation --skip-tests"
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
        ("../../../x.yaml", "", "is outside the repository"),
        ("/../x.yaml", "", "is outside the repository"),
        ("nope.yaml", "", "`nope.yaml` does not exist"),
        ("ftp://a.example/x", "", "the scheme `ftp` is not allowed"),
        ("file:///etc/passwd", "", "the scheme `file` is not allowed"),
        ("file:/etc/passwd", "", "the scheme `file` is not allowed"),
        ("/", "", "it is the root of the repository"),
        ("..", "", "`charts` is a folder"),
        ("../*", "", "`charts/player` is a folder"),
        ("../../../*.yaml", "", "is outside the repository"),
        ("nope/*.yaml", "", "value file glob `nope/*.yaml` matched no files"),
        ("[", "", "value file glob `[`: a `[` has no `]`"),
        ("/etc/*.yaml", "cluster", "| add `/etc` to the annotation"),
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

fn values_of(files: &[&str], parameters: Value) -> Result<Vec<String>> {
    let files = Memory::new(files.iter().map(|file| (*file, "")))?;
    let call = helm_arguments::call(&request("charts/player", parameters), &files)?;
    let values = call.arguments.iter().filter_map(|argument| match argument {
        Argument::File(_, path) => Some(path.to_string()),
        Argument::Text(url) if url.contains("://") => Some(url.clone()),
        _ => None,
    });
    Ok(values.collect())
}

#[test]
fn globs_stand_for_their_files_without_those_that_have_a_place_of_their_own() {
    let files = [
        "charts/player/values.yaml",
        "charts/player/env/a.yaml",
        "charts/player/env/b.yaml",
        "charts/player/env/deep/a.yaml",
        "shared/x.yaml",
    ];
    for (names, expected) in [
        (
            json!(["env/*.yaml"]),
            &["charts/player/env/a.yaml", "charts/player/env/b.yaml"][..],
        ),
        (
            json!(["env/**/*.yaml", "env/a.yaml"]),
            &[
                "charts/player/env/b.yaml",
                "charts/player/env/deep/a.yaml",
                "charts/player/env/a.yaml",
            ],
        ),
        (
            json!(["env/b.yaml", "env/*.yaml", "env/b.yaml", "./env//b.yaml"]),
            &["charts/player/env/b.yaml", "charts/player/env/a.yaml"],
        ),
        (
            json!(["env/[b]*", "env/?.yaml", "/shared/*", "../../shared/x.yaml"]),
            &["charts/player/env/b.yaml", "charts/player/env/a.yaml", "shared/x.yaml"],
        ),
        (
            json!([
                "HTTPS://a.example/*.yaml",
                "https://a.example/a,b",
                "HTTPS://a.example/*.yaml"
            ]),
            &["HTTPS://a.example/*.yaml", "\"https://a.example/a,b\""],
        ),
        (
            json!(["env/$ARGOCD_APP_NAME*", "env/a*", "env/$$*"]),
            &["charts/player/env/a.yaml"],
        ),
    ] {
        let ignore = json!({"name": "ignore-missing-values-files", "string": "true"});
        let found = values_of(&files, json!([ignore, {"name": "values-files", "array": names}]));
        assert_eq!(found.unwrap(), expected, "{names}");
    }
}

#[test]
fn missing_files_are_passed_over_on_demand_only() {
    let names = json!({"name": "values-files", "array": ["no.yaml", "no/*.yaml", "values.yaml"]});
    let ignore = json!({"name": "ignore-missing-values-files", "string": "true"});
    let found = values_of(&["charts/player/values.yaml"], json!([names, ignore])).unwrap();
    assert_eq!(found, ["charts/player/values.yaml"]);
    let file = json!({"name": "helm-file-parameters", "map": {"a": "no.txt"}});
    let error = format!(
        "{:#}",
        values_of(&["charts/player/Chart.yaml"], json!([file, ignore])).unwrap_err()
    );
    assert_eq!(
        error, "the file `no.txt` of `a` does not exist",
        "natively helm fails, whatever is ignored"
    );
}

#[test]
fn files_of_parameters_stay_in_the_repository() {
    for (name, file, part) in [
        (
            "a",
            "../../../etc/passwd",
            "the file `../../../etc/passwd` of `a`: it is outside the repository",
        ),
        ("a", "file:///etc/passwd", "the scheme `file` is not allowed"),
        ("a", "*.yaml", "the file `*.yaml` of `a` does not exist"),
        ("a=/etc/passwd,b", "values.yaml", "has a `=` in it"),
        ("a\\", "values.yaml", "or a `\\` at its end"),
    ] {
        let parameters = json!([{"name": "helm-file-parameters", "map": {name: file}}]);
        let error = format!(
            "{:#}",
            values_of(&["charts/player/values.yaml"], parameters).unwrap_err()
        );
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn no_name_is_taken_for_two() {
    use helm_arguments::{file_value, list_entry};
    assert_eq!(list_entry("/r/a,/etc/passwd"), "\"/r/a,/etc/passwd\"");
    assert_eq!(list_entry("/r/\"a\""), "\"/r/\"\"a\"\"\"");
    assert_eq!(list_entry("/r/a b.yaml"), "/r/a b.yaml");
    assert_eq!(file_value("k", "/r/a\\,b=/etc/passwd"), "k=/r/a\\\\\\,b=/etc/passwd");
}

#[test]
fn a_release_name_tells_nothing_of_the_environment() {
    let with = |name: &str| {
        let parameters = json!([{"name": "release-name", "string": name}]);
        values_of(&["charts/player/Chart.yaml"], parameters).map_err(|error| error.to_string())
    };
    for name in ["{{ env \"TOKEN\" }}", "a{{print (expandenv `$TOKEN`)}}"] {
        assert!(with(name).unwrap_err().contains("reads the environment"), "{name}");
    }
    for name in ["env", "{{ lower \"A\" }}", "environment"] {
        assert!(with(name).is_ok(), "{name}");
    }
}

#[test]
fn what_a_chart_is_not_asked_is_refused() {
    let files = Memory::new([("c/Chart.yaml", ""), ("c/a.yaml", CONFIG)]).unwrap();
    for parameter in ["recurse", "include", "exclude"] {
        let request = request("c", json!([{"name": parameter, "string": "true"}]));
        let error = render(&request, &files, renderers(&Prints(CONFIG, RefCell::default()), &files)).unwrap_err();
        assert!(error.to_string().contains("`c` is a chart"), "{error}");
    }
}

#[test]
fn secret_looking_values_are_confidential() {
    let parameters = json!([
        {"name": "values-files", "array": ["home.yaml"]},
        {"name": "values", "string": "plain: all of these\nlist:\n- \"item\"\n"},
        {"name": "helm-parameters", "map": {"a": "parameter"}},
    ]);
    let call = helm_arguments::call(&request("charts/player", parameters), &chart()).unwrap();
    let values = call.confidential.values();
    assert_eq!(
        values.mask("all of these, hunter2, item, parameter, s3cret, other"),
        "…, …, …, …, …, other"
    );
    assert!(!call.confidential.is_incomplete());
    let parameters = json!([{"name": "values-files", "array": ["https://c.example/v.yaml"]}]);
    let call = helm_arguments::call(&request("charts/player", parameters), &chart()).unwrap();
    assert!(call.confidential.is_incomplete());
}

#[test]
fn what_lies_outside_the_chart_and_is_read_is_found() {
    let files = Memory::new([
        (
            "a/b/Chart.yaml",
            "dependencies:\n- {name: x, repository: \"file://../../lib\"}\n- {name: y, repository: https://c.example}\n- {name: z}\n",
        ),
        ("a/b/requirements.yaml", "dependencies:\n- {name: w, repository: '@old'}\n"),
        ("shared.yaml", ""),
        ("text.txt", ""),
    ])
    .unwrap();
    let request = request(
        "a/b",
        json!([
            {"name": "values-files", "array": ["/shared.yaml", "/env/*/x.yaml", "/later.yaml", "https://c.example/v.yaml", "in/*.yaml"]},
            {"name": "helm-file-parameters", "map": {"a": "/shared.yaml", "b": "/text.txt"}},
            {"name": "ignore-missing-values-files", "string": "true"},
        ]),
    );
    let reads = helm_arguments::reads(&request, &files).unwrap();
    assert_eq!(
        reads,
        ["env", "later.yaml", "lib", "shared.yaml", "text.txt"].map(|path| RepoPath::new(path).unwrap())
    );
}

impl Owners for Memory {
    fn repository(&self) -> Result<Cow<'_, Repo>> {
        Repo::read(self, &[]).map(Cow::Owned)
    }
}

fn renderers<'r>(helm: &'r Prints, owners: &'r Memory) -> Renderers<'r> {
    Renderers {
        helm,
        kustomize: helm,
        owners,
    }
}

fn of(files: &[(&'static str, &'static str)], path: &str, helm: &'static str) -> Result<String> {
    let files = Memory::new(files.iter().copied()).unwrap();
    let helm = Prints(helm, RefCell::default());
    render(&request(path, json!([])), &files, renderers(&helm, &files)).map(|output| output.text())
}

#[test]
fn a_source_is_what_argo_cd_takes_it_for() {
    assert_eq!(of(&[("c/a.yaml", CONFIG)], "c", "").unwrap(), format!("---\n{CONFIG}"));
    for file in ["c/kustomization.yaml", "c/kustomization.yml", "c/Kustomization"] {
        for others in [&[][..], &[("c/Chart.yaml", "")], &[("c/a.yaml", "kind: Broken\n")]] {
            let files = [others, &[(file, "")]].concat();
            let built = of(&files, "c", CONFIG).unwrap();
            assert_eq!(built, CONFIG, "{files:?}");
        }
    }
    assert_eq!(
        of(&[("c/Chart.yaml", ""), ("c/a.yaml", "kind: Broken\n")], "c", CONFIG).unwrap(),
        CONFIG
    );
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
    let error = render(
        &named,
        &files,
        renderers(&Prints(NAMESPACE, RefCell::default()), &files),
    )
    .unwrap_err();
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
    let error = render(&request, &files, renderers(&Prints("", RefCell::default()), &files)).unwrap_err();
    assert!(error.to_string().contains("no destination namespace"), "{error}");
}

#[test]
fn parameters_are_for_one_type_of_source() {
    for (file, parameters, part) in [
        (
            "c/kustomization.yaml",
            json!([{"name": "values", "string": "a: 1"}]),
            "`values` is for charts, and `c` is a Kustomize folder",
        ),
        (
            "c/kustomization.yaml",
            json!([{"name": "recurse", "string": "true"}]),
            "are for folders of manifests, and `c` is a Kustomize folder",
        ),
        (
            "c/Chart.yaml",
            json!([{"name": "images", "array": ["a=b"]}]),
            "`images` is for Kustomize folders, and `c` is a chart",
        ),
        (
            "c/a.yaml",
            json!([{"name": "name-prefix", "string": "x-"}]),
            "`name-prefix` is for Kustomize folders, and `c` is a folder of manifests",
        ),
    ] {
        let files = Memory::new([(file, CONFIG)]).unwrap();
        let prints = Prints(CONFIG, RefCell::default());
        let error = render(&request("c", parameters), &files, renderers(&prints, &files)).unwrap_err();
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
}

#[test]
fn what_a_source_says_itself_counts() {
    let files = Memory::new([("c/kustomization.yaml", "resources: []\n"), ("c/a.yaml", CONFIG)]).unwrap();
    let prints = Prints(NAMESPACE, RefCell::default());
    let request = Request {
        source_type: Some(SourceType::Directory),
        ..request("c", json!([{"name": "exclude", "string": "k*"}]))
    };
    let output = render(&request, &files, renderers(&prints, &files)).unwrap();
    assert_eq!(output.text(), format!("---\n{CONFIG}"));
}
