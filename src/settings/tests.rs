use std::collections::BTreeMap;

use super::*;
use crate::failure::Failure;
use crate::model::settings::{Flavour, Level};
use crate::repo::Memory;

fn settings(text: &str) -> Settings {
    parse(text, Keys::All).unwrap_or_else(|error| panic!("{text}: {error:#}"))
}

/// Returns the message and the hint of a text that is refused.
fn refused(text: &str) -> (String, String) {
    let failure = Failure::from(parse(text, Keys::All).expect_err(text));
    (failure.one_line(), failure.hints.join("; "))
}

#[test]
fn every_key_is_read() {
    let all = "\
# the cluster
kubeVersion: 1.30
apiVersions: [monitoring.coreos.com/v1, snapshot.storage.k8s.io/v1/VolumeSnapshot]
flavour: k3s
nodes: 3
rules:
  HL306: off
  HL203: error
  HL101: warning
exclude: [tests/**, '*.bak.yaml']
repoURLs:
- http://gitea.gitea.svc:3000/me/home.git
roots:
- path: ./bootstrap/
- path: apps
  name: production
  namespace: argocd
  values: [/apps/values-prod.yaml, ./common.yaml]
  parameters: {cluster: home, size: 1.10}
clusters:
- name: nas
  server: https://nas.lan:6443
- name: 1
  server: https://kubernetes.default.svc
  project: home
  labels: {env: prod, tier: 1}
  annotations: {example.org/a: ''}
";
    let read = settings(all);
    assert_eq!(read.exclude, ["tests/**", "*.bak.yaml"]);
    assert_eq!(read.repo_urls, ["http://gitea.gitea.svc:3000/me/home.git"]);
    let [bootstrap, apps] = &read.roots[..] else { panic!() };
    assert_eq!(
        (bootstrap.path.as_str(), bootstrap.name.as_str(), &bootstrap.namespace),
        ("bootstrap", "bootstrap", &None)
    );
    assert_eq!(
        (apps.name.as_str(), apps.namespace.as_deref()),
        ("production", Some("argocd"))
    );
    assert_eq!(apps.values, ["apps/values-prod.yaml", "common.yaml"]);
    let pairs = |map: &BTreeMap<String, String>| -> Vec<String> {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect()
    };
    assert_eq!(pairs(&apps.parameters), ["cluster=home", "size=1.10"]);
    let [nas, home] = &read.clusters[..] else { panic!() };
    assert_eq!(
        (nas.name.as_str(), nas.server.as_str()),
        ("nas", "https://nas.lan:6443")
    );
    assert_eq!((home.name.as_str(), home.project.as_deref()), ("1", Some("home")));
    assert_eq!(pairs(&home.labels), ["env=prod", "tier=1"]);
    assert_eq!(pairs(&home.annotations), ["example.org/a="]);
    assert_eq!(read.kube_version.as_deref(), Some("1.30"));
    assert_eq!(
        read.api_versions,
        ["monitoring.coreos.com/v1", "snapshot.storage.k8s.io/v1/VolumeSnapshot"]
    );
    assert_eq!((read.flavour, read.nodes), (Some(Flavour::K3s), Some(3)));
    let levels: Vec<_> = read.levels.into_iter().collect();
    assert_eq!(
        levels,
        [
            ("HL101", Level::Warning),
            ("HL203", Level::Error),
            ("HL306", Level::Off)
        ]
    );
    for key in TABLE {
        assert!(all.contains(&format!("{}:", key.name)), "{}", key.name);
    }
}

#[test]
fn nothing_is_said_by_nothing() {
    for text in [
        "",
        "# nothing yet\n",
        "---\n",
        "{}\n",
        "null\n",
        "rules:\nkubeVersion:\n  # later\n",
        "---\n---\n",
    ] {
        assert_eq!(settings(text), Settings::default(), "{text}");
    }
}

#[test]
fn a_version_is_the_text_as_it_is_written() {
    for (written, version) in [
        ("1.30", "1.30"),
        ("'1.30'", "1.30"),
        ("v1.34.1+k3s1", "v1.34.1+k3s1"),
        ("1.20 # old", "1.20"),
        ("!!str 1.10", "1.10"),
    ] {
        let text = format!("kubeVersion: {written}\r\n");
        assert_eq!(settings(&text).kube_version.as_deref(), Some(version), "{text}");
    }
}

#[test]
fn off_and_false_are_one() {
    for written in ["off", "Off", "OFF", "false", "no", "'off'", "\"false\""] {
        let levels = settings(&format!("rules: {{HL306: {written}}}\n")).levels;
        assert_eq!(levels.get("HL306"), Some(&Level::Off), "{written}");
    }
}

/// A text, what is said about it behind the file's name, and the hint.
type Refused = (&'static str, &'static str, &'static str);

const WRONG_KEYS: &[Refused] = &[
    (
        "kubeVersoin: 1.30\n",
        ":1:1: unknown key `kubeVersoin`",
        "write `kubeVersion`",
    ),
    (
        "a: 1\n",
        ":1:1: unknown key `a`",
        "the keys are kubeVersion, apiVersions, flavour, nodes, rules, exclude, repoURLs, roots, clusters",
    ),
    (
        "nodes: 1\n\nkubeVersion: 1\n",
        ":3:14: not a version of Kubernetes",
        "write it as `1.34`",
    ),
    ("kubeVersion: [1.30]\n", ":1:14: not a version", "write it as `1.34`"),
    (
        "apiVersions: v1\n",
        ":1:14: `apiVersions` is not a list",
        "write a list of",
    ),
    (
        "apiVersions:\n  - a/b/c/d\n",
        ":2:5: not an API version",
        "write a list of",
    ),
    ("flavour: K3s\n", ":1:10: `K3s` is not known here", "write `k3s`"),
    (
        "flavour: gke\n",
        ":1:10: `gke` is not known here",
        "write one of k3s, kind,",
    ),
    (
        "nodes: 0\n",
        ":1:8: `nodes` is not a number of nodes",
        "write it as `3`",
    ),
];

const WRONG_RULES: &[Refused] = &[
    (
        "rules: [HL306]\n",
        ":1:8: `rules` is not a map",
        "write it as `HL306: off`",
    ),
    (
        "rules:\n  HL3066: off\n",
        ":2:3: there is no rule `HL3066`",
        "write `HL306`, which is retry-refreshes",
    ),
    (
        "rules:\n  hl306: off\n",
        ":2:3: there is no rule `hl306`",
        "write `HL306`",
    ),
    (
        "rules:\n  retry-refreshes: off\n",
        ":2:3: there is no rule `retry-refreshes`",
        "write `HL306`",
    ),
    (
        "rules:\n  retry-refresh: off\n",
        ":2:3: there is no rule `retry-refresh`",
        "write `HL306`",
    ),
    (
        "rules:\n  XY1: off\n",
        ":2:3: there is no rule `XY1`",
        "kubectl homelab explain",
    ),
    (
        "rules:\n  HL306: warn\n",
        ":2:10: `warn` is not known here",
        "write one of off, warning, error",
    ),
    (
        "rules:\n  HL306: on\n",
        ":2:10: `on` is not known here",
        "write one of off, warning, error",
    ),
    ("rules:\n  HL306:\n", ":2:9: this is not known here", "write one of off"),
    (
        "rules:\n  HL309: off\n",
        ":2:10: HL309 cannot be switched off",
        "correct what breaks `parameters-are-valid`",
    ),
    (
        "- a\n",
        ":1:1: the document is not a map",
        "write keys such as `kubeVersion`",
    ),
    (
        "nodes: 1\nnodes: 2\n",
        ":2:1: this key stands here a second time",
        "write every key once",
    ),
    (
        "nodes: 1\n---\nnodes: 2\n",
        ":3:1: a second document",
        "write one document",
    ),
    ("nodes: [\n", ":1:8: ", "correct the YAML"),
    (
        "nodes: 0\nflavour: x\n",
        ":1:8: `nodes` is not a number of nodes (and 1 more)",
        "",
    ),
];

const WRONG_SCANNED: &[Refused] = &[
    ("exclude: tests\n", ":1:10: `exclude` is not a list", "as `[tests/**]`"),
    (
        "exclude: [a, '!b']\n",
        ":1:14: `!b` would take files in again",
        "list only",
    ),
    ("exclude: [1]\n", ":1:11: `` leaves out everything", "name a folder"),
    (
        "exclude: ['**']\n",
        ":1:11: `**` leaves out everything",
        "name a folder",
    ),
    (
        "exclude: ['[a']\n",
        ":1:11: `[a` is not a pattern: ",
        "as in `.gitignore`",
    ),
    (
        "repoURLs: a\n",
        ":1:11: `repoURLs` is not a list",
        "write a list of URLs",
    ),
    (
        "repoURLs: [github.com/me/home]\n",
        ":1:12: `github.com/me/home` is not the URL of a repository that Argo CD can read",
        "https://",
    ),
    (
        "repoURLs: ['https://me:hunter2@git.example.org/me/home']\n",
        ":1:12: `https://git.example.org/me/home` is not the URL",
        "revoke it",
    ),
    (
        "roots: {path: a}\n",
        ":1:8: `roots` is not a list",
        "as `[{path: bootstrap}]`",
    ),
    ("roots: [a]\n", ":1:9: not a map", "write keys such as `path`"),
    (
        "roots: [{name: a}]\n",
        ":1:9: a root has no `path`",
        "as `[{path: bootstrap}]`",
    ),
    (
        "roots: [{path: ../a}]\n",
        ":1:16: not a path in the repository",
        "from the repository's top",
    ),
    (
        "roots: [{path: .}]\n",
        ":1:9: the root at the repository's top has no name",
        "add `name`",
    ),
    (
        "roots: [{path: a, value: [b]}]\n",
        ":1:19: unknown key `value`",
        "write `values`",
    ),
    (
        "roots: [{path: a, values: b}]\n",
        ":1:27: `values` is not a list",
        "write a list of files",
    ),
    (
        "roots: [{path: a, values: [../b]}]\n",
        ":1:28: not a path",
        "from the repository's top",
    ),
    (
        "roots: [{path: a, namespace: A}]\n",
        ":1:30: not the name of a namespace",
        "as `argocd`",
    ),
    (
        "roots: [{path: a, parameters: [b=c]}]\n",
        ":1:31: not a map",
        "write a map of texts",
    ),
    (
        "roots: [{path: a, parameters: {b: []}}]\n",
        ":1:35: `b` is not a text",
        "write a map of texts",
    ),
    (
        "roots: [{path: a}, {path: ./a/}]\n",
        ":1:20: this root stands here a second time",
        "once",
    ),
    (
        "clusters: {}\n",
        ":1:11: the clusters are not a list",
        "as `[{name: nas,",
    ),
    (
        "clusters: [{name: a}]\n",
        ":1:12: a cluster has no `server`",
        "as `[{name: nas,",
    ),
    (
        "clusters: [{name: a, server: nas}]\n",
        ":1:30: not the URL of an API server",
        "write it as `https://",
    ),
    (
        "clusters: [{name: a, server: 'https://a', labels: {'a b': c}}]\n",
        ":1:51: the key `a b` may hold",
        "as Kubernetes accepts it",
    ),
    (
        "clusters: [{name: a, server: 'https://a'}, {name: b, server: 'https://a/'}]\n",
        ":1:44: the cluster `b` has the name or the server of `a`",
        "once",
    ),
];

#[test]
fn what_is_not_known_is_refused_with_its_place_and_the_nearest_name() {
    for (text, message, hint) in WRONG_KEYS.iter().chain(WRONG_RULES).chain(WRONG_SCANNED) {
        let (found, way_out) = refused(text);
        assert!(
            found.contains(&format!(".homelab.yaml{message}")),
            "{message} in {found}"
        );
        assert!(way_out.contains(hint), "{hint} in {way_out}");
    }
}

#[test]
fn the_file_is_read_under_its_name_only() {
    let read = |name: &str| read(&Memory::new([(name, "nodes: 2\n")]).unwrap());
    assert_eq!(read(FILE).unwrap().nodes, Some(2));
    assert_eq!(read("deeper/.homelab.yaml").unwrap(), Settings::default());
    let failure = Failure::from(read(OTHER_NAME).unwrap_err());
    assert_eq!(failure.one_line(), "`.homelab.yml` is not read");
    assert_eq!(failure.hints, ["rename it to `.homelab.yaml`"]);
}

#[test]
fn a_scan_reads_what_the_repository_consists_of_and_nothing_else() {
    let scanned = |text: &str| parse(text, Keys::Scanned);
    for others in [
        "newer: {a: 1}\n",
        "nodes: zero\nrules: {HL1: off}\n",
        "rules: {HL306: off, HL306: off}\n",
        "rules: []\nrules: []\n",
    ] {
        for text in [format!("{others}exclude: [a]\n"), format!("exclude: [a]\n{others}")] {
            assert!(parse(&text, Keys::All).is_err(), "{text}");
            let expected = Settings {
                exclude: vec!["a".to_owned()],
                ..Settings::default()
            };
            assert_eq!(scanned(&text).unwrap(), expected, "{text}");
        }
    }
    for (text, message, _) in WRONG_SCANNED {
        let error = format!("{:#}", scanned(text).unwrap_err());
        assert!(error.contains(message), "{message} in {error}");
    }
    for (text, message) in [
        (
            "exclude: [a]\nrules: {}\nexclude: [b]\n",
            ":3:1: this key stands here a second time",
        ),
        (
            "rules: {a: 1, a: 2}\nroots: [{path: a, path: b}]\n",
            ":2:19: this key stands here a second time",
        ),
        ("exclude: [a]\n---\nnewer: 1\n", ":3:1: a second document"),
        ("exclude: [\n", ":1:10: unclosed bracket"),
        ("- exclude\n", ":1:1: the document is not a map"),
    ] {
        let error = format!("{:#}", scanned(text).unwrap_err());
        assert!(error.contains(message), "{message} in {error}");
    }
}

#[test]
fn the_schema_has_the_keys_and_names_of_the_reader() {
    let schema = schema();
    let keys = |schema: &Value| {
        schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&schema), TABLE.iter().map(|key| key.name).collect::<Vec<_>>());
    assert_eq!(schema["additionalProperties"], false);
    let yaml = |value: &Value| format!("{{{}: {value}}}\n", "rules");
    let rules = &schema["properties"]["rules"];
    let ids: Vec<&str> = crate::rules::metas().map(|meta| meta.id).collect();
    assert_eq!(
        (keys(rules), &rules["additionalProperties"]),
        (ids.iter().map(|id| (*id).to_owned()).collect(), &Value::Bool(false))
    );
    for id in ids {
        let values = rules["properties"][id]["enum"].as_array().unwrap();
        for value in values {
            settings(&yaml(&serde_json::json!({ id: value })));
        }
        let is_off = parse(&yaml(&serde_json::json!({ id: "off" })), Keys::All).is_ok();
        assert_eq!(is_off, values.contains(&serde_json::json!("off")), "{id}");
    }
    let flavours = schema["properties"]["flavour"]["enum"].as_array().unwrap();
    assert_eq!(flavours.len(), Flavour::NAMES.len() + 1);
    for flavour in flavours {
        settings(&format!("flavour: {flavour}\n"));
    }
}

#[test]
fn a_file_of_clusters_has_lists_and_secrets() {
    let secret = |name: &str, server: &str| {
        format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: a, labels: {{argocd.argoproj.io/secret-type: cluster, env: b}}}}, \
             stringData: {{name: {name}, server: '{server}', config: hunter2}}}}"
        )
    };
    let (nas, attic) = (secret("nas", "https://nas.lan"), secret("attic", "https://attic.lan"));
    let text = format!(
        "- {{name: barn, server: 'https://barn.lan'}}\n---\n{nas}\n---\n---\n{{kind: List, items: [{attic}]}}\n"
    );
    let clusters = clusters_of_file("c.yaml", &text).unwrap();
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    assert_eq!(names, ["barn", "nas", "attic"]);
    assert_eq!(clusters[2].labels["env"], "b");
    let lonely = secret("''", "https://a.lan");
    for (text, message) in [
        ("", "c.yaml:1:1: there is no cluster in it"),
        ("[]\n", "c.yaml:1:1: there is no cluster in it"),
        ("- {name: a}\n", "c.yaml:1:3: a cluster has no `server`"),
        (
            "{name: a, server: 'https://a'}\n",
            "c.yaml:1:1: neither a list of clusters nor a Secret",
        ),
        (
            "kind: ConfigMap\n",
            "c.yaml:1:1: neither a list of clusters nor a Secret",
        ),
        ("kind: List\n", "c.yaml:1:1: a list without `items`"),
        ("kind: List\nitems: [{kind: Secret}]\n", "c.yaml:2:9: neither a list"),
        ("a: [\n", "c.yaml:1:4: "),
        (&lonely, "c.yaml:1:1: the Secret of a cluster has no `name`"),
        (
            &format!("{nas}\n---\n{nas}\n"),
            "c.yaml:3:1: the cluster `nas` has the name or the server of `nas`",
        ),
    ] {
        let error = Failure::from(clusters_of_file("c.yaml", text).unwrap_err());
        assert!(
            error.one_line().starts_with(message),
            "{message} in {}",
            error.one_line()
        );
        assert!(!error.one_line().contains("hunter2") && !error.hints.is_empty());
    }
}

#[test]
fn a_file_of_generators_has_parameters_by_the_names_of_sets() {
    let text = "a: [{b: c}, {}]\nd:\n  pullRequest: []\n  plugin: [{e: {f: 1}}]\n";
    let outputs = generators_of_file("g.yaml", text).unwrap();
    let found: Vec<(&str, Option<&str>, usize)> = outputs
        .iter()
        .map(|output| {
            (
                output.set.as_str(),
                output.generator.as_deref(),
                output.parameters.len(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [("a", None, 2), ("d", Some("plugin"), 1), ("d", Some("pullRequest"), 0)]
    );
    for (text, message) in [
        ("", "g.yaml:1:1: there is no ApplicationSet in it"),
        ("[]\n", "g.yaml:1:1: the document is not a map"),
        ("a: b\n", "g.yaml:1:4: not a list of sets of parameters"),
        ("a: [b]\n", "g.yaml:1:5: a set of parameters is not a map"),
        ("a: {git: []}\n", "g.yaml:1:5: unknown key `git`"),
        ("a: []\na: []\n", "g.yaml:2:1: this key stands here a second time"),
        ("a: []\n---\nb: []\n", "g.yaml:3:1: a second document"),
    ] {
        let error = Failure::from(generators_of_file("g.yaml", text).unwrap_err());
        assert!(
            error.one_line().starts_with(message),
            "{message} in {}",
            error.one_line()
        );
        assert!(!error.hints.is_empty());
    }
}

#[test]
fn named_clusters_replace_those_of_the_settings() {
    let mut read = settings(
        "clusters: [{name: a, server: 'https://a'}, {name: b, server: 'https://b'}, {name: c, server: 'https://c'}]\n",
    );
    read.add_clusters(
        clusters_of_file(
            "c.yaml",
            "[{name: a, server: 'https://x'}, {name: y, server: 'https://b/'}]",
        )
        .unwrap(),
    );
    let pairs: Vec<(&str, &str)> = read
        .clusters
        .iter()
        .map(|cluster| (cluster.name.as_str(), cluster.server.as_str()))
        .collect();
    assert_eq!(pairs, [("c", "https://c"), ("a", "https://x"), ("y", "https://b/")]);
}
