//! Tests of conversions in both directions, as text.

use super::*;
use crate::repo::Memory;
use serde_json::json;

const HEAD: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: player
  annotations:
    argocd.argoproj.io/manifest-generate-paths: .
spec:
";
const TAIL: &str = "  destination:
    namespace: media
";

fn repo(spec: &str) -> Repo {
    let text = format!("{HEAD}{spec}{TAIL}");
    let repo = Repo::read(
        &Memory::new([("applications/player.yaml", text.as_str())]).unwrap(),
        &[],
    )
    .unwrap();
    assert!(repo.malformed.is_empty(), "{:?}", repo.malformed);
    repo
}

fn request() -> Request {
    Request::new(&Repo::default(), AppName::new("player").unwrap())
}

type Verb = fn(&Repo, &Manifest, &Request) -> Result<Option<Conversion>, Vec<Unsupported>>;

/// Returns the converted spec, and the notes.
fn after(verb: Verb, spec: &str, request: &Request) -> (String, Vec<String>) {
    let repo = repo(spec);
    let conversion = verb(&repo, &repo.manifests[0], request)
        .unwrap()
        .expect("there is something to do");
    let changed = repo.file_changes(&conversion.changes).unwrap().remove(0);
    let text = changed.after.unwrap();
    let spec = text.split_once("spec:\n").unwrap().1;
    (spec.strip_suffix(TAIL).unwrap().to_owned(), conversion.notes)
}

fn unsupported(verb: Verb, spec: &str, request: &Request) -> Vec<String> {
    let repo = repo(spec);
    let unsupported = verb(&repo, &repo.manifests[0], request).unwrap_err();
    unsupported
        .iter()
        .map(|unsupported| place(&repo, &repo.manifests[0], unsupported))
        .collect()
}

const HELM: &str = "  source:
    repoURL: u
    path: p
    helm:
      releaseName: x
      valueFiles:
      - a.yaml
      - /b.yaml
      parameters:
      - name: a.b
        value: c,d
      - name: e
        value: \"1\"
        forceString: true
      skipCrds: true
      values: |
        # about a
        a: 1
    targetRevision: main
";

/// Applications in JSON and with brackets in several styles.
const IN_BRACKETS: [&str; 5] = [
    "{\n  \"apiVersion\": \"argoproj.io/v1alpha1\",\n  \"kind\": \"Application\",\n  \"metadata\": {\n    \"name\": \"player\"\n  },\n  \"spec\": {\n    \"source\": {\n      \"repoURL\": \"u\",\n      \"path\": \"p\",\n      \"helm\": {\n        \"values\": \"a: 1\\n\"\n      }\n    }\n  }\n}",
    "{\r\n   \"apiVersion\": \"argoproj.io/v1alpha1\",\r\n   \"kind\": \"Application\",\r\n   \"metadata\": { \"name\": \"player\" },\r\n   \"spec\": {\r\n      \"source\": {\r\n         \"helm\": { \"parameters\": [ { \"name\": \"a\", \"value\": \"b\" } ] },\r\n         \"path\": \"p\",\r\n         \"repoURL\": \"u\"\r\n      }\r\n   }\r\n}\r\n",
    "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Application\",\"metadata\":{\"name\":\"player\"},\"spec\":{\"source\":{\"repoURL\":\"u\",\"path\":\"p\",\"helm\":{\"releaseName\":\"x\"}}}}\n",
    "# one\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: player}\nspec:\n  source: {\n    repoURL: u,   # ours\n    # keep\n    path: p,\n    helm: {\n      values: \"image: x\",\n    },\n  }\n",
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: player }\nspec: { source: { repoURL: u, path: p, helm: { valueFiles: [ a.yaml, 'b.yaml' ], releaseName: x } } }\n---\na: b",
];

#[test]
fn there_and_back_ten_times_is_the_same_text_in_brackets() {
    for before in IN_BRACKETS {
        let mut text = before.to_owned();
        for _ in 0..10 {
            for verb in [to_plugin as Verb, to_native] {
                let files = Memory::new([("applications/player.yaml", text.as_str())]).unwrap();
                let repo = Repo::read(&files, &[]).unwrap();
                let conversion = verb(&repo, &repo.manifests[0], &request()).unwrap().unwrap();
                assert_eq!(conversion.notes, [""; 0]);
                let changed = repo.file_changes(&conversion.changes).unwrap().remove(0);
                text = changed.after.unwrap();
            }
            assert_eq!(text, before);
        }
    }
}

#[test]
fn there_and_back_is_the_same_text() {
    let mut request = request();
    let (moved, notes) = after(to_plugin, HELM, &request);
    assert_eq!(notes, Vec::<String>::new());
    insta::assert_snapshot!(moved, @r#"
    source:
      repoURL: u
      path: p
      plugin:
        name: homelab-v1
        parameters:
        - name: release-name
          string: x
        - name: values-files
          array:
          - a.yaml
          - /b.yaml
        - name: helm-parameters
          map:
            a.b: c,d
        - name: helm-string-parameters
          map:
            e: "1"
        - name: skip-crds
          string: "true"
        - name: values
          string: |
            # about a
            a: 1
      targetRevision: main
    "#);
    assert_eq!(after(to_native, &moved, &request).0, HELM);
    // Claims that are owned already come first and are kept.
    request.owns = BTreeSet::from(["films".parse().unwrap()]);
    let (owning, _) = after(to_plugin, HELM, &request);
    assert!(
        owning.contains(
            "      parameters:\n      - name: owns\n        array:\n        - films\n      - name: release-name\n"
        ),
        "{owning}"
    );
    assert_eq!(
        unsupported(to_native, &owning, &request),
        ["applications/player.yaml:14:9: parameter `owns`: its claims would lose their guards at the next sync"]
    );
    request.drop_owns = true;
    assert_eq!(after(to_native, &owning, &request).0, HELM);
}

#[test]
fn comments_go_along_and_an_object_keeps_its_text() {
    let spec = "  source:
    repoURL: u
    path: p
    # about helm
    helm: # natively
      # about the files
      valueFiles: # in order
        - a.yaml # one
      version: v3 # old
      valuesObject:
        # about z
        z: 1 # last
        a: {x: yes}
      parameters:
        # about b
        - name: b
          value: c # is c
    targetRevision: main
";
    let (moved, notes) = after(to_plugin, spec, &request());
    insta::assert_snapshot!(moved, @"
    source:
      repoURL: u
      path: p
      # about helm
      plugin: # natively
        name: homelab-v1
        parameters:
          # about the files
          - name: values-files # in order
            array:
              - a.yaml # one
          - name: values
            string: |
              # about z
              z: 1 # last
              a: {x: yes}
          - name: helm-parameters
            map:
              # about b
              b: c # is c
      targetRevision: main
    ");
    assert_eq!(
        notes,
        [
            "applications/player.yaml:16: `version` is left out: Argo CD ignores it",
            "applications/player.yaml:16: the comment has no place in the new source and is lost"
        ]
    );
}

#[test]
fn sources_of_every_kind() {
    for (spec, expected) in [
        (
            "  source:\n    repoURL: u\n    path: p\n",
            "  source:\n    repoURL: u\n    path: p\n    plugin:\n      name: homelab-v1\n",
        ),
        (
            "  source:\n    repoURL: u\n    helm: {}\n    path: p\n",
            "  source:\n    repoURL: u\n    plugin:\n      name: homelab-v1\n    path: p\n",
        ),
        (
            "  source: {repoURL: u, path: p, helm: {releaseName: x}}\n",
            "  source: {repoURL: u, path: p, plugin: {name: homelab-v1, parameters: [{name: release-name, string: x}]}}\n",
        ),
        (
            "  source:\n    repoURL: u\n    path: p\n    helm: {}\n    directory:\n      recurse: true\n",
            "  source:\n    repoURL: u\n    path: p\n    plugin:\n      name: homelab-v1\n      parameters:\n      - name: recurse\n        string: \"true\"\n",
        ),
        (
            "  source:\n    repoURL: u\n    chart: c\n    helm:\n      valuesObject: {b: 1, a: {d: 2, c: 0o17}}\n",
            "  source:\n    repoURL: u\n    chart: c\n    plugin:\n      name: homelab-v1\n      parameters:\n      - name: values\n        string: |\n          a:\n            c: 15\n            d: 2\n          b: 1\n",
        ),
    ] {
        assert_eq!(after(to_plugin, spec, &request()).0, expected, "{spec}");
    }
}

#[test]
fn several_sources_get_the_same_claims() {
    let spec = "  sources:
    - repoURL: u
      helm:
        releaseName: x
      path: p
    - repoURL: u
      path: q
      plugin:
        name: homelab-v1
    - repoURL: u
      ref: values
";
    let mut all = request();
    all.owns = BTreeSet::from(["films".parse().unwrap()]);
    all.writes = BTreeSet::from(["audio".parse().unwrap()]);
    let (moved, _) = after(to_plugin, spec, &all);
    assert_eq!(moved.matches("- films\n").count(), 2, "{moved}");
    assert_eq!(moved.matches("- audio\n").count(), 2, "{moved}");
    assert!(moved.ends_with("    - repoURL: u\n      ref: values\n"), "{moved}");
    let repo = repo(spec);
    let mut second = request();
    second.positions = BTreeSet::from([2]);
    assert_eq!(to_plugin(&repo, &repo.manifests[0], &second), Ok(None));
    second.positions = BTreeSet::from([4]);
    assert_eq!(
        unsupported(to_plugin, spec, &second),
        ["applications/player.yaml:7:1: there is no source 4"]
    );
}

#[test]
fn templates_are_stamped_where_writes_are_locked() {
    let root = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root}\nspec:\n  source: {repoURL: u, path: applications}\n";
    let text = crate::lock::texts().join("---\n");
    let locked = Memory::new([
        ("applications/lock.yaml", text.as_str()),
        ("applications/root.yaml", root),
    ])
    .unwrap();
    let locked = Repo::read(&locked, &[]).unwrap();
    let mut stamped = Request::new(&locked, AppName::new("player").unwrap());
    assert!(stamped.stamps && !request().stamps);
    let stamp = "      - name: stamp-app\n        string: \"true\"\n";
    let (moved, _) = after(to_plugin, HELM, &stamped);
    let (plain, _) = after(to_plugin, HELM, &request());
    assert_eq!(moved.replace(stamp, ""), plain);
    assert_ne!(moved, plain);
    // The stamp goes with the plugin.
    assert_eq!(after(to_native, &moved, &stamped).0, HELM);
    // A source that the plugin renders already has one afterwards, and no second one.
    stamped.owns = BTreeSet::from(["films".parse().unwrap()]);
    let two =
        "  sources:\n  - repoURL: u\n    path: p\n  - repoURL: u\n    path: q\n    plugin:\n      name: homelab-v1\n";
    let (moved, _) = after(to_plugin, two, &stamped);
    assert_eq!(
        (
            moved.matches("name: stamp-app").count(),
            moved.matches("- films").count()
        ),
        (2, 2),
        "{moved}"
    );
    let one = two.replace(
        "homelab-v1\n",
        "homelab-v1\n      parameters:\n      - name: stamp-app\n        string: recreate-jobs\n",
    );
    let (moved, _) = after(to_plugin, &one, &stamped);
    assert_eq!(moved.matches("name: stamp-app").count(), 2, "{moved}");
}

#[test]
fn what_the_plugin_reads_is_watched() {
    let mut watching = request();
    watching.reads = ["p/values.yaml", "values/common.yaml", "values/common.yaml"]
        .map(|path| RepoPath::new(path).unwrap())
        .to_vec();
    let repo = repo(HELM);
    let conversion = to_plugin(&repo, &repo.manifests[0], &watching).unwrap().unwrap();
    let after = repo.with(&conversion.changes).unwrap();
    assert_eq!(
        after.manifests[0]
            .object
            .annotation("argocd.argoproj.io/manifest-generate-paths"),
        Some(".;/values/common.yaml")
    );
}

#[test]
fn obstacles_are_reported_with_their_places() {
    for (spec, expected) in [
        (
            "  source:\n    repoURL: u\n    path: p\n    kustomize:\n      replicas: [{name: a, count: x}]\n",
            "12:7: parameter `replicas`: the number of replicas of `a` is not a whole number",
        ),
        (
            "  source:\n    repoURL: u\n    path: p\n    plugin:\n      name: other\n",
            "11:5: it is rendered by the plugin `other`",
        ),
        (
            "  source:\n    repoURL: u\n    path: p\n    plugin:\n      name: homelab-v1\n    helm:\n      releaseName: x\n",
            "13:5: `helm` is set beside `plugin`, and Argo CD refuses a source with both",
        ),
        (
            "  source:\n    repoURL: u\n",
            "8:3: the source has neither `path` nor `chart`",
        ),
        (
            "  source:\n    repoURL: u\n    path: p\n    helm:\n      namespace: Not_A_Name\n",
            "12:7: parameter `namespace`",
        ),
    ] {
        let messages = unsupported(to_plugin, spec, &request());
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(
            messages[0].starts_with(&format!("applications/player.yaml:{expected}")),
            "{messages:?}"
        );
    }
    let refs = "  sources:\n  - repoURL: u\n    path: p\n    helm:\n      valueFiles:\n      - a.yaml\n      - $v/b.yaml\n  - repoURL: w\n    ref: v\n";
    assert_eq!(
        unsupported(to_plugin, refs, &request()),
        ["applications/player.yaml:14:9: `$v/b.yaml` is a file of another repository, which no plugin gets"]
    );
    let long = format!(
        "  source:\n    repoURL: u\n    path: p\n    helm:\n      releaseName: x\n      values: \"{}\"\n",
        "x".repeat(140_000)
    );
    let messages = unsupported(to_plugin, &long, &request());
    assert!(
        messages[0].starts_with("applications/player.yaml:13:7: the variable `ARGOCD_APP_PARAMETERS` would have 140"),
        "{messages:?}"
    );
}

#[test]
fn what_only_the_plugin_has_does_not_go_back() {
    let plugin = |parameters: serde_json::Value| {
        format!(
            "  source: {}\n",
            json!({"repoURL": "u", "path": "p", "plugin": {"name": "homelab-v1", "parameters": parameters}})
        )
    };
    let spec = plugin(
        json!([{"name": "mounts", "array": ["films:/f"]}, {"name": "writes", "array": []}, {"name": "allow-empty", "string": "true"},
        {"name": "patches", "map": {"Pod/x": "[]"}}, {"name": "values", "string": "a: 1"}]),
    );
    let messages = unsupported(to_native, &spec, &request());
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].contains("parameter `mounts`") && messages[1].contains("parameter `patches`"),
        "{messages:?}"
    );
    let both = plugin(json!([{"name": "recurse", "string": "true"}, {"name": "values", "string": "a: 1"}]));
    assert!(unsupported(to_native, &both, &request())[0].contains("for several tools"));
    let none = plugin(json!([]));
    assert_eq!(
        after(to_native, &none, &request()).0,
        "  source: {\"repoURL\":\"u\",\"path\":\"p\"}\n"
    );
}
