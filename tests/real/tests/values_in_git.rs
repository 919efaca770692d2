//! A chart of a Helm repository or a registry with its values in Git: Argo CD's own Helm with a second source (`$values/…`)
//! against the plugin with the parameter `chart`, both through the real repo-server; and the plugin again when the
//! repositories of the charts are gone.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test's own world of files and programs; what it can't do fails it"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use real_parts::Options;
use real_parts::folder::Folder;
use real_parts::generate::{self, Answer, Generate};
use real_parts::measure::figure;
use real_parts::repo_server::RepoServers;
use real_parts::repository::Repository;
use real_parts::tools::{RenderTools, of_the_test_run};
use serde_json::{Value, json};

const TEMPLATE: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  order: {{ .Values.order | quote }}
  all: {{ .Values.seen | toJson | quote }}
  file: {{ .Values.file | default \"\" | quote }}
  version: {{ .Capabilities.KubeVersion.Version }}
";

/// What a value file says: its own name, and that it was read.
fn says(name: &str) -> String {
    format!("order: {name}\nseen: {{{name}: true}}\n")
}

/// Packs the chart `web`, with a dependency that is packed with it.
fn packed(folder: &Path, helm: &Path) -> Vec<u8> {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "web/Chart.yaml",
        "apiVersion: v2\nname: web\nversion: 1.2.3\ndependencies: [{name: sub, version: 0.1.0}]\n",
    );
    write("web/values.yaml", "order: default\nseen: {default: true}\n");
    write("web/values-prod.yaml", &says("prod"));
    write("web/env/a.yaml", &says("enva"));
    write("web/env/b.yaml", &says("envb"));
    write("web/extra.txt", "of the chart");
    write("web/templates/config.yaml", TEMPLATE);
    write(
        "web/crds/crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.org}\n",
    );
    write("web/.helmignore", "templates/ignored.yaml\n");
    write("web/templates/ignored.yaml", "{{ fail \"it is ignored\" }}\n");
    write(
        "web/charts/sub/Chart.yaml",
        "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
    );
    write(
        "web/charts/sub/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sub}\n",
    );
    let output = Command::new(helm)
        .args(["package", "web"])
        .current_dir(folder)
        .env("HOME", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(folder.join("web-1.2.3.tgz")).unwrap()
}

/// A Helm repository on loopback that can go away.
struct Charts {
    url: String,
    is_gone: Arc<AtomicBool>,
}

impl Charts {
    fn serve(packed: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let index = format!(
            "apiVersion: v1\nentries:\n  web:\n  - {{apiVersion: v2, name: web, version: 1.2.3, urls: ['{url}/web-1.2.3.tgz']}}\n"
        );
        let is_gone = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&is_gone);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                let _ = lines.find(String::is_empty);
                let body: &[u8] = match first.split(' ').nth(1) {
                    _ if gone.load(Ordering::SeqCst) => b"",
                    Some("/index.yaml") => index.as_bytes(),
                    Some("/web-1.2.3.tgz") => &packed,
                    _ => b"",
                };
                let status = if body.is_empty() { "503 Gone" } else { "200 OK" };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(body);
            }
        });
        Self { url, is_gone }
    }
}

/// A registry on loopback.
struct Registry {
    server: Child,
    address: String,
}

impl Registry {
    fn start(folder: &Path, helm: &Path) -> Self {
        let program = of_the_test_run("registry").unwrap();
        let mut server = Command::new(program)
            .env("TMPDIR", folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let address = address.trim().to_owned();
        let to = format!("oci://{address}/charts");
        let pushed = Command::new(helm)
            .args(["push", "web-1.2.3.tgz", &to, "--plain-http"])
            .current_dir(folder)
            .env("HOME", folder)
            .output()
            .unwrap();
        assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
        Self { server, address }
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A source both ways: the options of Argo CD's own Helm, and the parameters of the plugin besides those of the chart.
struct Case {
    name: &'static str,
    helm: Value,
    parameters: Value,
}

fn case(name: &'static str, helm: Value, parameters: Value) -> Case {
    Case { name, helm, parameters }
}

fn files(native: &[&str], plugin: &[&str]) -> (Value, Value) {
    (
        json!({"valueFiles": native}),
        json!([{"name": "values-files", "array": plugin}]),
    )
}

fn cases() -> Vec<Case> {
    let of = |name, native: &[&str], plugin: &[&str]| {
        let (helm, parameters) = files(native, plugin);
        case(name, helm, parameters)
    };
    let with = |mut case: Case, option: &str, value: Value, parameter: Value| {
        case.helm[option] = value;
        case.parameters.as_array_mut().unwrap().push(parameter);
        case
    };
    let text = |name: &str, text: &str| json!({"name": name, "string": text});
    vec![
        of(
            "a file of the folder",
            &["$values/apps/web/values.yaml"],
            &["values.yaml"],
        ),
        of(
            "a file from the root",
            &["$values/shared/values.yaml"],
            &["/shared/values.yaml"],
        ),
        of(
            "both, in order",
            &["$values/shared/values.yaml", "$values/apps/web/values.yaml"],
            &["/shared/values.yaml", "values.yaml"],
        ),
        of(
            "both, in the other order",
            &["$values/apps/web/values.yaml", "$values/shared/values.yaml"],
            &["values.yaml", "/shared/values.yaml"],
        ),
        of(
            "a file of the chart",
            &["values-prod.yaml", "$values/apps/web/values.yaml"],
            &["chart:values-prod.yaml", "values.yaml"],
        ),
        of(
            "a file of the chart from its root",
            &["$values/apps/web/values.yaml", "/values-prod.yaml"],
            &["values.yaml", "chart:values-prod.yaml"],
        ),
        of("a glob", &["$values/apps/web/*.yaml"], &["*.yaml"]),
        of(
            "a glob from the root",
            &["$values/apps/**/values.yaml"],
            &["/apps/**/values.yaml"],
        ),
        of(
            "a glob of the chart",
            &["env/*.yaml", "$values/apps/web/values.yaml"],
            &["chart:env/*.yaml", "values.yaml"],
        ),
        of(
            "a variable",
            &["$values/apps/$ARGOCD_APP_NAME/values.yaml"],
            &["/apps/$ARGOCD_APP_NAME/values.yaml"],
        ),
        of("a link", &["$values/apps/web/link.yaml"], &["link.yaml"]),
        of("a missing file", &["$values/apps/web/nobody.yaml"], &["nobody.yaml"]),
        of(
            "a missing file of the chart",
            &["nobody.yaml", "$values/apps/web/values.yaml"],
            &["chart:nobody.yaml", "values.yaml"],
        ),
        of("outside", &["$values/../../etc/passwd"], &["/../../etc/passwd"]),
        with(
            of(
                "a missing file that is ignored",
                &["$values/apps/web/nobody.yaml", "$values/shared/values.yaml"],
                &["nobody.yaml", "/shared/values.yaml"],
            ),
            "ignoreMissingValueFiles",
            json!(true),
            text("ignore-missing-values-files", "true"),
        ),
        with(
            of("a release name", &["$values/apps/web/values.yaml"], &["values.yaml"]),
            "releaseName",
            json!("other"),
            text("release-name", "other"),
        ),
        with(
            of("values over files", &["$values/apps/web/values.yaml"], &["values.yaml"]),
            "valuesObject",
            json!({"order": "object"}),
            text("values", "order: object\n"),
        ),
        with(
            of("a parameter", &["$values/apps/web/values.yaml"], &["values.yaml"]),
            "parameters",
            json!([{"name": "order", "value": "$ARGOCD_APP_NAME"}]),
            json!({"name": "helm-parameters", "map": {"order": "$ARGOCD_APP_NAME"}}),
        ),
        with(
            of(
                "the file of a parameter",
                &["$values/apps/web/values.yaml"],
                &["values.yaml"],
            ),
            "fileParameters",
            json!([{"name": "file", "path": "$values/apps/web/text.txt"}]),
            json!({"name": "helm-file-parameters", "map": {"file": "text.txt"}}),
        ),
        with(
            of(
                "the file of a parameter in the chart",
                &["$values/apps/web/values.yaml"],
                &["values.yaml"],
            ),
            "fileParameters",
            json!([{"name": "file", "path": "extra.txt"}]),
            json!({"name": "helm-file-parameters", "map": {"file": "chart:extra.txt"}}),
        ),
        with(
            of("without CRDs", &["$values/apps/web/values.yaml"], &["values.yaml"]),
            "skipCrds",
            json!(true),
            text("skip-crds", "true"),
        ),
        with(
            of(
                "another version of Kubernetes",
                &["$values/apps/web/values.yaml"],
                &["values.yaml"],
            ),
            "kubeVersion",
            json!("1.30.0"),
            text("kube-version", "1.30.0"),
        ),
    ]
}

/// Where a chart comes from, both ways.
struct Place {
    name: &'static str,
    /// `repoURL` of Argo CD's own source, and what it has besides.
    url: String,
    fields: Value,
    /// Argo CD's settings of the repository.
    settings: Value,
    /// The parameter `chart-repo`.
    repository: String,
}

fn native(place: &Place, case: &Case, git: &str) -> Value {
    let mut source = json!({"repoURL": place.url, "targetRevision": "1.2.3", "helm": case.helm});
    for (name, value) in place.fields.as_object().unwrap() {
        source[name] = value.clone();
    }
    let mut request = generate::request("web", "home", &source, "1.2.3");
    request["repo"] = place.settings.clone();
    request["hasMultipleSources"] = json!(true);
    request["refSources"] = json!({"$values": {"Repo": {"repo": git}, "TargetRevision": "main"}});
    request
}

fn plugin(place: &Place, case: &Case, git: &str, revision: &str) -> Value {
    let text = |name: &str, text: &str| json!({"name": name, "string": text});
    let mut parameters = vec![
        text("chart", "web"),
        text("chart-repo", &place.repository),
        text("chart-version", "1.2.3"),
    ];
    parameters.extend(case.parameters.as_array().unwrap().iter().cloned());
    let source = json!({
        "repoURL": git, "path": "apps/web", "targetRevision": "main",
        "plugin": {"name": "homelab-v1", "parameters": parameters},
    });
    let mut request = generate::request("web", "home", &source, revision);
    request["annotationManifestGeneratePaths"] = json!(".;/shared;/apps");
    request
}

fn repository(folder: &Path) -> Repository {
    let repository = Repository::create(folder, "home", None).unwrap();
    for (path, text) in [
        ("apps/web/values.yaml", says("folder")),
        ("apps/web/more.yaml", says("more")),
        ("apps/web/text.txt", "of the folder".to_owned()),
        ("apps/other/values.yaml", says("other")),
        ("shared/values.yaml", says("shared")),
        ("README.md", "home\n".to_owned()),
    ] {
        repository.write(path, &text).unwrap();
    }
    std::os::unix::fs::symlink("../../shared/values.yaml", repository.work().join("apps/web/link.yaml")).unwrap();
    repository.commit("Start").unwrap();
    repository
}

#[test]
fn the_plugin_renders_what_argo_cd_renders_of_two_sources() {
    let folder = Folder::new().unwrap();
    let tools = RenderTools::new(of_the_test_run).unwrap();
    let staged = folder.join("staged");
    fs::create_dir_all(&staged).unwrap();
    let charts = Charts::serve(packed(&staged, &tools.helm));
    let mut registry = Registry::start(&staged, &tools.helm);
    let repository = repository(folder.path());
    let (git, revision) = (repository.url(), repository.head().unwrap());
    let options = Options {
        plugin_variables: vec![
            ("HOMELAB_CACHE_DIR", folder.join("cache").display().to_string()),
            ("HOMELAB_PLAIN_HTTP_REGISTRIES", registry.address.clone()),
        ],
        ..Options::default()
    };
    let servers = RepoServers::start(&folder, &tools, &options).unwrap();
    servers.until_they_answer().unwrap();
    let program = of_the_test_run("generate-manifest").unwrap();
    let connect = |at_once| Generate::connect(&program, servers.port().unwrap(), at_once).unwrap();
    let mut client = connect(4);

    let of_registry = format!("{}/charts", registry.address);
    let places = [
        Place {
            name: "a Helm repository",
            url: charts.url.clone(),
            fields: json!({"chart": "web"}),
            settings: json!({"repo": charts.url, "type": "helm", "name": "charts"}),
            repository: charts.url.clone(),
        },
        Place {
            name: "a registry",
            url: of_registry.clone(),
            fields: json!({"chart": "web"}),
            settings: json!({"repo": of_registry, "type": "helm", "name": "registry", "enableOCI": true, "insecureOCIForceHttp": true}),
            repository: format!("oci://{of_registry}"),
        },
    ];
    let cases = cases();
    let all: Vec<(&Place, &Case)> = places
        .iter()
        .flat_map(|place| cases.iter().map(move |case| (place, case)))
        .collect();
    let requests =
        |of: &dyn Fn(&Place, &Case) -> Value| all.iter().map(|(place, case)| of(place, case)).collect::<Vec<_>>();
    // A request without Argo CD's cache removes its chart, which another one at the same time may be opening.
    let natives = connect(1)
        .ask(&requests(&|place, case| native(place, case, &git)))
        .unwrap();
    let plugins = client
        .ask(&requests(&|place, case| plugin(place, case, &git, &revision)))
        .unwrap();
    charts.is_gone.store(true, Ordering::SeqCst);
    registry.stop();
    let again = client
        .ask(&requests(&|place, case| plugin(place, case, &git, &revision)))
        .unwrap();

    let (mut differences, mut counts) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for (index, (place, case)) in all.iter().enumerate() {
        let (native, plugin) = (&natives[index], &plugins[index]);
        let what = match (native, plugin) {
            (Answer::Manifests(one), Answer::Manifests(other)) if one == other => "equal byte for byte",
            (Answer::Error(_), Answer::Error(_)) => "failing alike",
            _ => {
                differences.push(format!("{} of {}:\n  {native:?}\n  {plugin:?}", case.name, place.name));
                continue;
            }
        };
        *counts.entry(what).or_default() += 1;
        if plugin != &again[index] {
            differences.push(format!(
                "{} of {} without network: {:?}",
                case.name, place.name, again[index]
            ));
        }
    }
    figure(
        "values in Git",
        &format!("{} cases: {counts:?}; differences: {}", all.len(), differences.len()),
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(counts["failing alike"], 2 * 3, "only what is missing or outside fails");
}
