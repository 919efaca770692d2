use super::*;
use crate::model::AppName;
use crate::model::parameter::Parameters;
use crate::repo::Memory;
use serde_json::json;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
const VALUES: &str = "\
image:
  repository: web
  tag: '1'
podAnnotations: {}
resources:
  limits: {cpu: 1}
ingress:
  enabled: false
  hosts: []
";
const TEMPLATE: &str = "\
{{ .Values.image.repository }}:{{ .Values.image.tag }} {{ toYaml .Values.podAnnotations }} {{ toYaml .Values.resources }}
{{ if .Values.ingress.enabled }}{{ range .Values.ingress.hosts }}{{ . }}{{ end }}{{ end }} {{ .Values.hidden }}
";

fn unknown(files: &[(&str, &str)], values: &str, more: &[&str]) -> Vec<String> {
    let chart = [
        ("web/Chart.yaml", CHART),
        ("web/values.yaml", VALUES),
        ("web/templates/a.yaml", TEMPLATE),
    ];
    let kept = chart
        .iter()
        .filter(|(path, _)| !files.iter().any(|(other, _)| other == path));
    let memory = Memory::new(kept.chain(files).copied()).unwrap();
    let parameters = Parameters {
        values: Some(values.to_owned()),
        values_files: more.iter().map(|&name| name.to_owned()).collect(),
        ..Parameters::default()
    };
    let request = Request {
        app: AppName::new("web").unwrap(),
        destination: None,
        source_path: RepoPath::new("web").unwrap(),
        prefix: RepoPath::root(),
        source_type: None,
        parameters,
        kube_version: None,
        api_versions: Vec::new(),
        variables: Default::default(),
        storage_rules: true,
        for_rules: true,
    };
    let checked = unknown_values(&request, &memory).unwrap();
    let named = checked.unknown.into_iter().map(|value| {
        let meant = value.meant.map(|meant| format!(" → {meant}")).unwrap_or_default();
        let file = value.file.zip(value.line).map(|(file, line)| format!("{file}:{line} "));
        format!("{}{}{meant}", file.unwrap_or_default(), value.path)
    });
    named.collect()
}

#[test]
fn what_the_chart_neither_has_nor_reads_is_unknown() {
    assert_eq!(unknown(&[], "ingres: {enabled: true}\n", &[]), ["ingres → ingress"]);
    assert_eq!(unknown(&[], "image: {tags: '2'}\n", &[]), ["image.tags → image.tag"]);
    assert_eq!(unknown(&[], "storage: {size: 5Gi}\n", &[]), ["storage"]);
    let file = [("web/mine.yaml", "image:\n  tag: '2'\n  pullSecret: a\n")];
    assert_eq!(
        unknown(&file, "{}", &["mine.yaml"]),
        ["web/mine.yaml:3 image.pullSecret"]
    );
}

#[test]
fn what_the_chart_takes_as_a_whole_is_known() {
    for values in [
        "podAnnotations: {a: b}\n",
        "resources: {requests: {cpu: 1}}\n",
        "ingress: {hosts: [{host: a, paths: []}]}\n",
        "hidden: {a: {b: c}}\n",
        "global: {x: y}\n",
        "x-anchors: &a {b: c}\n",
        "defaults: &a {b: c}\nimage: {tag: *a}\n",
        "domain: example.org\nimage: {tag: '{{ .Values.domain }}'}\n",
    ] {
        assert_eq!(unknown(&[], values, &[]), [""; 0], "{values}");
    }
    for template in [
        "{{ toYaml .Values }}",
        "{{ include \"common.all\" . }}",
        "{{ $v := .Values }}",
    ] {
        let files = [("web/templates/b.yaml", template)];
        assert_eq!(unknown(&files, "ingres: {enabled: true}\n", &[]), [""; 0], "{template}");
    }
    let schema = [("web/values.schema.json", "{}")];
    assert_eq!(unknown(&schema, "ingres: 1\n", &[]), [""; 0], "helm checks it");
}

#[test]
fn charts_in_a_chart_have_values_of_their_own() {
    let wrapper = "apiVersion: v2\nname: mine\nversion: 1.0.0\ndependencies:\n- {name: web, alias: site, version: 1.0.0, repository: 'https://example.org', condition: site.enabled}\n";
    let own = "site:\n  image: {tag: '2'}\n  ingress: {host: a}\n  enabled: true\nsite2: {}\nstie:\n  image: {}\ndead: 1\nresources: {}\n";
    let mut files = vec![
        ("web/Chart.yaml", wrapper),
        ("web/values.yaml", own),
        ("web/templates/a.yaml", ""),
        ("web/charts/web/Chart.yaml", CHART),
        ("web/charts/web/values.yaml", VALUES),
        ("web/charts/web/templates/a.yaml", TEMPLATE),
    ];
    assert_eq!(
        unknown(&files, "{}", &[]),
        [
            "web/values.yaml:3 site.ingress.host → site.ingress.hosts",
            "web/values.yaml:5 site2 → site",
            "web/values.yaml:6 stie → site",
            "web/values.yaml:9 resources → site.resources"
        ]
    );
    files.retain(|(path, _)| !path.contains("charts"));
    assert_eq!(
        unknown(&files, "{}", &[]),
        ["web/values.yaml:5 site2 → site", "web/values.yaml:6 stie → site"],
        "the chart is not here"
    );
}

#[test]
fn single_values_count() {
    let found = of_name("image.tags").unwrap();
    assert_eq!(Value::Object(found.values), json!({"image": {"tags": null}}));
    assert_eq!(
        Value::Object(of_name("a.b[0].c").unwrap().values),
        json!({"a": {"b": null}})
    );
}
