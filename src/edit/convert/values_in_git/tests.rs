//! Tests of the two forms of a chart with its values in Git, as text, in both directions.

use super::super::{Conversion, Request, place, to_native, to_plugin};
use crate::model::AppName;
use crate::model::native::Unsupported;
use crate::repo::{Manifest, Memory, Repo};

const HEAD: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: web
  annotations:
    argocd.argoproj.io/manifest-generate-paths: .
spec:
";
const OWN: &str = "https://git.example.org/home";

type Verb = fn(&Repo, &Manifest, &Request) -> Result<Option<Conversion>, Vec<Unsupported>>;

fn repo(spec: &str) -> Repo {
    let text = format!("{HEAD}{spec}");
    let files = [
        ("applications/web.yaml", text.as_str()),
        ("apps/web/values.yaml", "a: 1\n"),
        ("apps/web/more.yaml", "a: 2\n"),
        ("shared/values.yaml", "a: 0\n"),
        ("charts/web/Chart.yaml", "name: web\n"),
    ];
    let repo = Repo::read(&Memory::new(files).unwrap(), &[OWN.to_owned()]).unwrap();
    assert!(repo.malformed.is_empty(), "{:?}", repo.malformed);
    repo
}

fn request() -> Request {
    Request::new(&Repo::default(), AppName::new("web").unwrap())
}

/// Returns the converted spec, and the notes.
fn after_with(verb: Verb, spec: &str, request: &Request) -> (String, Vec<String>) {
    let repo = repo(spec);
    let manifest = repo.application("web").unwrap().0;
    let conversion = verb(&repo, manifest, request)
        .unwrap()
        .expect("there is something to do");
    let changed = repo.file_changes(&conversion.changes).unwrap().remove(0);
    let text = changed.after.unwrap();
    (text.split_once("spec:\n").unwrap().1.to_owned(), conversion.notes)
}

fn after(verb: Verb, spec: &str) -> String {
    after_with(verb, spec, &request()).0
}

fn unsupported(verb: Verb, spec: &str) -> Vec<String> {
    let repo = repo(spec);
    let manifest = repo.application("web").unwrap().0;
    let all = verb(&repo, manifest, &request()).unwrap_err();
    all.iter()
        .map(|one| format!("{} ({})", place(&repo, manifest, one), one.hint))
        .collect()
}

const NATIVE: &str = "  sources:
  - repoURL: https://charts.example.org
    chart: web
    targetRevision: 1.2.3
    helm:
      releaseName: site # the old name
      valueFiles:
      - values-prod.yaml # of the chart
      - $values/shared/values.yaml
      - \"$values/apps/web/values.yaml\"
      - https://x.example/v.yaml
      ignoreMissingValueFiles: true
      fileParameters:
      - name: ca
        path: $values/apps/web/more.yaml
  - repoURL: https://git.example.org/home
    targetRevision: main
    ref: values
  destination:
    namespace: media
";
const PLUGIN: &str = "  sources:
  - repoURL: https://git.example.org/home
    path: apps/web
    targetRevision: main
    plugin:
      name: homelab-v1
      parameters:
      - name: chart
        string: web
      - name: chart-repo
        string: https://charts.example.org
      - name: chart-version
        string: \"1.2.3\"
      - name: release-name # the old name
        string: site
      - name: values-files
        array:
        - chart:values-prod.yaml # of the chart
        - /shared/values.yaml
        - values.yaml
        - https://x.example/v.yaml
      - name: ignore-missing-values-files
        string: \"true\"
      - name: helm-file-parameters
        map:
          ca: more.yaml
  destination:
    namespace: media
";

#[test]
fn a_chart_with_values_in_git_moves_and_comes_back() {
    assert_eq!(after(to_plugin, NATIVE), PLUGIN);
    let back = after(to_native, PLUGIN);
    let again = after(to_plugin, &back);
    assert_eq!(again, PLUGIN);
    assert!(back.contains("- values-prod.yaml # of the chart\n"), "{back}");
    assert_eq!(crate::yaml::value(&back).unwrap(), crate::yaml::value(NATIVE).unwrap());
}

#[test]
fn what_the_plugin_reads_besides_the_folder_is_watched() {
    let mut request = request();
    request.reads = vec![crate::repo::RepoPath::new("shared/values.yaml").unwrap()];
    let (_, notes) = after_with(to_plugin, NATIVE, &request);
    assert_eq!(
        notes,
        ["the annotation `argocd.argoproj.io/manifest-generate-paths` gets what the plugin reads: /shared/values.yaml"]
    );
}

#[test]
fn every_form_of_a_chart_is_known() {
    let of = |source: &str| {
        let spec = format!(
            "  sources:\n  - {source}\n    helm: {{valueFiles: [$v/apps/web/values.yaml]}}\n  - {{repoURL: {OWN}, ref: v}}\n"
        );
        after(to_plugin, &spec)
    };
    for (source, repository) in [
        (
            "repoURL: oci://r.example.org/charts/web\n    path: .\n    targetRevision: 1.2.3",
            "oci://r.example.org/charts",
        ),
        (
            "repoURL: oci://r.example.org/charts/web\n    targetRevision: 1.2.3",
            "oci://r.example.org/charts",
        ),
        (
            "repoURL: r.example.org/charts\n    chart: web\n    targetRevision: 1.2.3",
            "oci://r.example.org/charts",
        ),
        (
            "repoURL: https://c.example.org\n    chart: web\n    targetRevision: 1.2.3",
            "https://c.example.org",
        ),
    ] {
        let text = of(source);
        let source = crate::yaml::value(&text).unwrap().unwrap()["sources"][0].clone();
        assert_eq!(
            (&source["repoURL"], &source["path"]),
            (&OWN.into(), &"apps/web".into()),
            "{text}"
        );
        assert_eq!(source.get("chart"), None);
        assert_eq!(source.get("targetRevision"), None, "the values have none");
        let parameters = &source["plugin"]["parameters"];
        assert_eq!(parameters[1]["string"], repository, "{text}");
        assert_eq!(
            (&parameters[0]["string"], &parameters[2]["string"]),
            (&"web".into(), &"1.2.3".into())
        );
        assert_eq!(parameters[3]["array"][0], "values.yaml");
        assert!(!text.contains("ref: v"));
    }
}

#[test]
fn a_chart_of_this_repository_only_gets_paths() {
    let spec = format!(
        "  sources:\n  - repoURL: {OWN}\n    path: charts/web\n    helm:\n      valueFiles: [values.yaml, $v/apps/web/values.yaml]\n  - repoURL: {OWN}\n    ref: v\n"
    );
    let text = after(to_plugin, &spec);
    let sources = crate::yaml::value(&text).unwrap().unwrap()["sources"].clone();
    assert_eq!(sources[0]["path"], "charts/web");
    assert_eq!(
        sources[0]["plugin"]["parameters"],
        serde_json::json!([{"name": "values-files", "array": ["values.yaml", "/apps/web/values.yaml"]}])
    );
    assert_eq!(sources.as_array().unwrap().len(), 1);
}

#[test]
fn other_sources_stay_and_the_reference_goes_with_the_last_that_needs_it() {
    let chart = |name: &str| {
        format!(
            "  - repoURL: https://c.example.org\n    chart: {name}\n    targetRevision: 1.0.0\n    helm:\n      valueFiles: [$v/apps/web/values.yaml]\n"
        )
    };
    let spec = format!(
        "  sources:\n{}  - repoURL: {OWN}\n    path: apps/web\n    ref: v\n{}",
        chart("one"),
        chart("two")
    );
    let one = |position: usize| {
        let mut request = request();
        request.positions.insert(position);
        after_with(to_plugin, &spec, &request).0
    };
    assert!(one(1).contains("ref: v") && one(1).contains("chart: two"));
    let both = {
        let mut request = request();
        request.positions.extend([1, 3]);
        after_with(to_plugin, &spec, &request).0
    };
    assert!(!both.contains("ref: v"), "{both}");
    assert_eq!(
        both.matches("path: apps/web\n").count(),
        3,
        "it renders its folder: {both}"
    );
}

#[test]
fn expressions_of_a_template_are_parts_of_names() {
    let spec = format!(
        "  sources:\n  - repoURL: https://c.example.org\n    chart: '{{{{ .chart }}}}'\n    targetRevision: '{{{{ .version }}}}'\n    helm:\n      valueFiles: ['$v/apps/{{{{ .path.basename | replace \"/\" \"-\" }}}}/values.yaml']\n  - repoURL: {OWN}\n    ref: v\n"
    );
    let mut request = request();
    request.template = Some(Default::default());
    let text = after_with(to_plugin, &spec, &request).0;
    let source = crate::yaml::value(&text).unwrap().unwrap()["sources"][0].clone();
    assert_eq!(source["path"], "apps/{{ .path.basename | replace \"/\" \"-\" }}");
    let parameters = &source["plugin"]["parameters"];
    assert_eq!(parameters[0]["string"], "{{ .chart }}");
    assert_eq!(parameters[2]["string"], "{{ .version }}");
    assert_eq!(parameters[3]["array"][0], "values.yaml");
}

#[test]
fn the_folder_is_one_that_is_there_and_fixed() {
    let path = |files: &str| {
        let spec = format!(
            "  sources:\n  - repoURL: https://c.example.org\n    chart: web\n    targetRevision: 1.0.0\n    helm: {{valueFiles: [{files}]}}\n  - {{repoURL: {OWN}, ref: v}}\n"
        );
        let source = crate::yaml::value(&after(to_plugin, &spec)).unwrap().unwrap()["sources"][0].clone();
        let files = source["plugin"]["parameters"][3]["array"].as_array().unwrap().clone();
        let files: Vec<String> = files.iter().map(|file| file.as_str().unwrap().to_owned()).collect();
        format!("{} {}", source["path"].as_str().unwrap(), files.join(" "))
    };
    for (files, expected) in [
        (
            "$v/apps/web/values.yaml, $v/shared/values.yaml",
            "shared /apps/web/values.yaml values.yaml",
        ),
        ("$v/apps/*/values.yaml", "apps */values.yaml"),
        (
            "$v/apps/$ARGOCD_APP_NAME/values.yaml",
            "apps /apps/$ARGOCD_APP_NAME/values.yaml",
        ),
        ("$v/apps/gone/values.yaml", "apps gone/values.yaml"),
        ("$v/apps/../shared/values.yaml", "apps ../shared/values.yaml"),
        ("$v/values.yaml", ". values.yaml"),
        ("$v/apps/web/a:b.yaml", "apps/web /apps/web/a:b.yaml"),
    ] {
        assert_eq!(path(files), expected, "{files}");
    }
}

#[test]
fn what_cannot_move_is_said_with_its_place_and_the_ways_out() {
    let of = |source: &str, files: &str, reference: &str| {
        let spec = format!("  sources:\n  - {source}\n    helm: {{valueFiles: [{files}]}}\n  - {reference}\n");
        unsupported(to_plugin, &spec)
    };
    let chart = "repoURL: https://c.example.org\n    chart: web\n    targetRevision: 1.0.0";
    let own = format!("{{repoURL: {OWN}, ref: v}}");
    let other = "{repoURL: https://git.example.org/other, ref: v}";
    for (source, files, reference, expected) in [
        (
            chart,
            "$v/a.yaml",
            other,
            "`$v/a.yaml` is a file of another repository, which no plugin gets (copy the file into this repository; or add the other repository as a Git submodule, which Argo CD checks out; or name the file by an https URL with a commit in it)",
        ),
        (
            chart,
            "$x/a.yaml",
            own.as_str(),
            "`$x/a.yaml` is a file of the source with `ref: x`, and there is no such source (add the source, or correct the name)",
        ),
        (
            "repoURL: https://git.example.org/other\n    path: chart",
            "$v/a.yaml",
            own.as_str(),
            "its chart is a folder of another repository, and its values are in this one: a plugin gets one of them (take",
        ),
        (
            "repoURL: https://c.example.org\n    chart: web\n    targetRevision: 1.x",
            "$v/a.yaml",
            own.as_str(),
            "`1.x` is not one version of the chart `web`, and the plugin needs one (pin one version first, as `1.2.3`)",
        ),
        (
            "repoURL: https://c.example.org\n    chart: web",
            "$v/a.yaml",
            own.as_str(),
            "the chart `web` has no version, and the plugin needs one",
        ),
        (
            "repoURL: oci://r.example.org/charts/web\n    path: sub\n    targetRevision: 1.0.0",
            "$v/a.yaml",
            own.as_str(),
            "its chart is the folder `sub` in an artifact",
        ),
    ] {
        let found = of(source, files, reference);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{expected} in {}", found[0]);
        assert!(found[0].starts_with("applications/web.yaml:"), "{}", found[0]);
    }
    let mut request = request();
    let spec = format!(
        "  sources:\n  - repoURL: https://c.example.org\n    chart: web\n    targetRevision: 1.x\n    helm: {{valueFiles: [$v/a.yaml]}}\n  - {own}\n"
    );
    let repo = repo(&spec);
    let manifest = repo.application("web").unwrap().0;
    let pointer = crate::model::Application::new(&manifest.object).unwrap().sources()[0]
        .pointer
        .clone();
    request.newest.insert(pointer, "1.4.2".to_owned());
    let hint = to_plugin(&repo, manifest, &request).unwrap_err()[0].hint.clone();
    assert_eq!(
        hint,
        "write `1.4.2` as `targetRevision` first: it is the newest that fits"
    );
}

#[test]
fn one_source_becomes_two_on_its_way_back() {
    let spec = PLUGIN.replace("  sources:\n  - repoURL", "  source:\n    repoURL");
    let text = after(to_native, &spec);
    let sources = crate::yaml::value(&text).unwrap().unwrap()["sources"].clone();
    assert_eq!(sources[0]["chart"], "web", "{text}");
    assert_eq!(sources[0]["helm"]["valueFiles"][2], "$values/apps/web/values.yaml");
    assert_eq!(sources[0].get("plugin"), None);
    assert_eq!(
        sources[1],
        serde_json::json!({"repoURL": OWN, "targetRevision": "main", "ref": "values"})
    );
    assert!(
        text.contains("# the old name") && text.contains("# of the chart"),
        "{text}"
    );
    let of_registry = PLUGIN.replace("https://charts.example.org", "oci://r.example.org/charts");
    let sources = crate::yaml::value(&after(to_native, &of_registry)).unwrap().unwrap()["sources"].clone();
    assert_eq!(
        (&sources[0]["repoURL"], &sources[0]["path"]),
        (&"oci://r.example.org/charts/web".into(), &".".into())
    );
    let digest = PLUGIN.replace(
        "      - name: release-name",
        "      - {name: chart-digest, string: 'sha256:aa'}\n      - name: release-name",
    );
    let refused = unsupported(to_native, &digest);
    assert!(
        refused[0].contains("parameter `chart-digest`: Argo CD's own Helm compares no digest"),
        "{refused:?}"
    );
}
