use super::*;
use crate::model::claim::is_claim;
use crate::model::claim_use::claim_uses;
use crate::model::parameter::{self, Parameters};
use crate::model::workload::pod_templates;
use crate::model::{AppName, NamespaceName};
use proptest::prelude::*;
use serde_json::json;

fn law(parameters: Value) -> StorageRules {
    let list = parameter::read(&parameters).unwrap();
    law_of(&Parameters::parse(&list).unwrap())
}

fn law_of(parameters: &Parameters) -> StorageRules {
    let (app, namespace) = (AppName::new("player").unwrap(), NamespaceName::new("media").unwrap());
    StorageRules::new(app, namespace, parameters, None).unwrap()
}

fn under(parameters: Value, text: &str) -> Result<String> {
    Ok(apply(text.to_owned(), &law(parameters), false)?.text())
}

const STREAM: &str = r#"---
# Source: player/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata: {name: token, annotations: {}}
stringData: {"a":   yes, b: 0644}   # odd, and nobody's business
---
# Source: player/templates/claim.yaml
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: config   # ours
  annotations:
    argocd.argoproj.io/sync-options: ServerSideApply=true, Prune=confirm
spec:
  accessModes: [ReadWriteOnce]
---
---
# nothing
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: player
spec:
  template:
    spec:
      initContainers:
      - name: scan
        volumeMounts:
          - {mountPath: /scan, name: films}
      containers:
      - name: player
        volumeMounts:
        - mountPath: /config
          name: config
        - mountPath: /films
          name: films
          readOnly: false # the chart's wish
      volumes:
      - name: config
        persistentVolumeClaim:
          claimName: config
      - name: films
        persistentVolumeClaim:
          claimName: films
---
apiVersion: v1
kind: List
items:
- apiVersion: batch/v1
  kind: CronJob
  metadata:
    name: index
  spec:
    jobTemplate:
      spec:
        template:
          spec:
            containers: [{name: index}]
- apiVersion: v1
  kind: Namespace
  metadata:
    name: media
"#;

#[test]
#[expect(clippy::too_many_lines, reason = "the whole stream stands in the snapshot")]
fn a_whole_stream() {
    let parameters = json!([
        {"name": "mounts", "array": ["audio:/audio,workload=CronJob/index,gid=1000"]},
        {"name": "patches", "map": {"Secret/token": r#"[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]"#}},
    ]);
    insta::assert_snapshot!(under(parameters, STREAM).unwrap(), @r#"
    ---
    # Source: player/templates/secret.yaml
    apiVersion: v1
    kind: Secret
    metadata: {name: token, annotations: {}, labels: {a: b}}
    stringData: {"a":   yes, b: 0644}   # odd, and nobody's business
    ---
    # Source: player/templates/claim.yaml
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      name: config   # ours
      annotations:
        argocd.argoproj.io/sync-options: ServerSideApply=true,Prune=false,Delete=false
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        helm.sh/resource-policy: keep
      labels:
        kor/used: "true"
        storage.home.arpa/owner: player
    spec:
      accessModes: [ReadWriteOnce]
    ---
    ---
    # nothing
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: player
    spec:
      template:
        spec:
          initContainers:
          - name: scan
            volumeMounts:
              - {mountPath: /scan, name: films, readOnly: true}
          containers:
          - name: player
            volumeMounts:
            - mountPath: /config
              name: config
            - mountPath: /films
              name: films
              readOnly: true # the chart's wish
          volumes:
          - name: config
            persistentVolumeClaim:
              claimName: config
          - name: films
            persistentVolumeClaim:
              claimName: films
              readOnly: true
    ---
    apiVersion: v1
    kind: List
    items:
    - apiVersion: batch/v1
      kind: CronJob
      metadata:
        name: index
      spec:
        jobTemplate:
          spec:
            template:
              spec:
                containers: [{name: index, volumeMounts: [{name: homelab-audio, mountPath: /audio, readOnly: true}]}]
                volumes:
                - name: homelab-audio
                  persistentVolumeClaim:
                    claimName: audio
                    readOnly: true
                securityContext:
                  supplementalGroups:
                  - 1000
    - apiVersion: v1
      kind: Namespace
      metadata:
        name: media
        annotations:
          argocd.argoproj.io/compare-options: IgnoreExtraneous
          argocd.argoproj.io/sync-options: Prune=false,Delete=false
    "#);
}

#[test]
fn what_nobody_touches_goes_out_as_a_slice() {
    let output = apply(STREAM.to_owned(), &law(json!([])), false).unwrap();
    let input = output.raw().as_bytes().as_ptr_range();
    let copied: usize = output
        .pieces()
        .filter(|piece| !input.contains(&piece.as_ptr()))
        .map(|piece| yaml::documents(piece).unwrap().len())
        .sum();
    assert_eq!(copied, 3, "the claim, the Deployment and the List");
    assert!(output.reprinted.is_empty());
    let secret = &STREAM[..STREAM.find("---\n# Source: player/templates/claim").unwrap()];
    assert!(output.pieces().next().unwrap().starts_with(secret));
}

#[test]
fn line_ends_and_a_missing_last_one_stay() {
    let text = "apiVersion: v1\r\nkind: PersistentVolumeClaim\r\nmetadata:\r\n  name: a\r\n---\r\napiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: b";
    let out = under(json!([]), text).unwrap();
    assert!(
        out.ends_with("---\r\napiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: b"),
        "{out:?}"
    );
    assert_eq!(out.matches('\n').count(), out.matches("\r\n").count());
}

#[test]
fn half_a_render_is_an_error() {
    let whole = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    for (text, part) in [
        (
            format!("{whole}---\napiVersion: v1\nkind: Conf"),
            "line 6 of the render has no `metadata.name`",
        ),
        (
            format!("{whole}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n"),
            "has no `metadata.name`",
        ),
        (
            format!("{whole}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: null\n"),
            "has no `metadata.name`",
        ),
        (
            format!("---\nkind: ConfigMap\nmetadata:\n  name: a\n---\n{whole}"),
            "line 2 of the render has no `apiVersion`",
        ),
        (
            format!("apiVersion: v1\nmetadata:\n  name: a\n---\n{whole}"),
            "line 1 of the render has no `kind`",
        ),
        (
            format!("{whole}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: \"b"),
            "line 8, column 18: unclosed quote",
        ),
        (format!("{whole}---\n- a\n"), "line 6 of the render is not an object"),
        (
            format!("{whole}---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n"),
            "has no `metadata.name`",
        ),
        (format!("{whole}--- a: b\n"), "not a stream of YAML"),
        (String::new(), "the render is empty"),
        ("---\n# nothing\n---\nnull\n---\n{}\n".to_owned(), "has no `apiVersion`"),
        ("---\n# nothing\n---\nnull\n".to_owned(), "the render is empty"),
        (
            "apiVersion: v1\nkind: List\nitems: []\n".to_owned(),
            "the render is empty",
        ),
    ] {
        for result in [
            under(json!([]), &text),
            untouched(text.clone(), false).map(|output| output.text()),
        ] {
            let error = format!("{:#}", result.unwrap_err());
            assert!(error.contains(part), "{part} in {error}");
        }
    }
    assert_eq!(
        apply("null\n".to_owned(), &law(json!([])), true).unwrap().text(),
        "null\n"
    );
}

#[test]
fn what_is_printed_anew_is_said() {
    let shared = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: &c\n  - {name: a, volumeMounts: [{name: v, mountPath: /v}]}\n  initContainers: *c\n  volumes: [{name: v, persistentVolumeClaim: {claimName: films}}]\n";
    let output = apply(shared.to_owned(), &law(json!([])), false).unwrap();
    assert_eq!(output.reprinted, ["Pod/p, at line 1 of the render"]);
    assert_eq!(
        output.notes,
        ["Pod/p, at line 1 of the render, is printed again without its comments: its text cannot be edited in place"]
    );
    assert_eq!(output.text().matches("readOnly: true").count(), 3, "{}", output.text());
}

#[test]
fn a_hook_may_have_a_generated_name() {
    let text = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: a-\n";
    assert_eq!(under(json!([]), text).unwrap(), text);
}

#[test]
fn the_values_of_a_broken_secret_are_in_no_message() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n";
    for broken in [
        "  a: \"hunter2",
        "  hunter2: [",
        "  a: b\n hunter2: c\n",
        "  a: *hunter2\n",
        "  ? {hunter2\n",
    ] {
        let error = format!("{:?}", under(json!([]), &format!("{secret}{broken}")).unwrap_err());
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_patch_adds_and_removes_no_object_and_hides_none_from_the_law() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {}\n";
    let with = |value: Value| {
        let patch = json!([{"op": "replace", "path": "", "value": value}]).to_string();
        under(json!([{"name": "patches", "map": {"Deployment/w": patch}}]), deployment)
    };
    let item = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "containers": [], "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "films"}}]}});
    let list = |items: Value| json!({"apiVersion": "v1", "kind": "List", "items": items});
    let error = with(list(json!([item, item]))).unwrap_err().to_string();
    assert!(error.contains("1 objects came in and 2 would go out"), "{error}");
    let error = format!("{:#}", with(json!({"apiVersion": "v1", "kind": "Pod"})).unwrap_err());
    assert!(error.contains("has no `metadata.name`"), "{error}");
    let hidden = yaml::value(&with(list(json!([item]))).unwrap()).unwrap().unwrap();
    assert_eq!(
        hidden["items"][0]["spec"]["volumes"][0]["persistentVolumeClaim"]["readOnly"],
        json!(true)
    );
}

#[test]
fn a_namespace_is_found_wherever_it_stands() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: a\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n";
    let list = |kind: &str, item: &str| {
        let lines: Vec<&str> = item.lines().collect();
        format!("apiVersion: v1\nkind: {kind}\nitems:\n- {}\n", lines.join("\n  "))
    };
    let has = |text: &str| Stream::read(text, &[]).unwrap().has_namespace();
    assert!(has(&format!("{claim}---\n{namespace}")));
    assert!(has(&list("List", namespace)) && has(&list("AnyList", namespace)));
    assert!(has(
        "{\"kind\": \"Namespace\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\"}}"
    ));
    assert!(!has(&list("List", claim)) && !has(claim));
}

/// Generates a workload with all kinds of claims and mounts.
fn workload() -> impl Strategy<Value = Value> {
    let claim = prop::sample::select(vec!["config", "films", "audio", "data-w-0"]);
    let read_only = prop::sample::select(vec![json!(null), json!(true), json!(false), json!("absent")]);
    let volume = (claim, read_only.clone(), read_only);
    let kinds = vec!["Deployment", "StatefulSet", "CronJob", "Pod", "Rollout"];
    (
        prop::sample::select(kinds),
        prop::collection::vec(volume, 0..4),
        any::<bool>(),
    )
        .prop_map(|(kind, volumes, init)| {
            let set = |mut map: Value, value: Value| {
                if value != "absent" {
                    map["readOnly"] = value;
                }
                map
            };
            let (mut pod_volumes, mut mounts) = (Vec::new(), Vec::new());
            for (index, (claim, volume, mount)) in volumes.into_iter().enumerate() {
                let name = format!("v{index}");
                pod_volumes
                    .push(json!({"name": name, "persistentVolumeClaim": set(json!({"claimName": claim}), volume)}));
                mounts.push(set(json!({"name": name, "mountPath": format!("/{name}")}), mount));
            }
            let list = if init { "initContainers" } else { "containers" };
            let mut spec = json!({"containers": [{"name": "c"}], "volumes": pod_volumes});
            spec[list] = json!([{"name": "c", "volumeMounts": mounts}]);
            let template = json!({"spec": spec});
            let (group, spec) = match kind {
                "Pod" => ("v1", template["spec"].clone()),
                "CronJob" => ("batch/v1", json!({"jobTemplate": {"spec": {"template": template}}})),
                "StatefulSet" => (
                    "apps/v1",
                    json!({"template": template, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}),
                ),
                "Rollout" => ("argoproj.io/v1alpha1", json!({"template": template})),
                _ => ("apps/v1", json!({"template": template})),
            };
            json!({"apiVersion": group, "kind": kind, "metadata": {"name": "w"}, "spec": spec})
        })
}

fn claim_object() -> impl Strategy<Value = Value> {
    let options = vec![
        "",
        "Prune=false,Delete=false",
        "Delete=confirm,Prune=true",
        "Prune=false",
        "PruneLast=true",
    ];
    prop::sample::select(options).prop_map(|options| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "config", "annotations": {"argocd.argoproj.io/sync-options": options}}, "spec": {}})
    })
}

fn stream() -> impl Strategy<Value = String> {
    let object = prop_oneof![3 => workload(), 1 => claim_object()];
    (prop::collection::vec(object, 1..5), any::<bool>()).prop_map(|(objects, as_list)| {
        if as_list {
            return yaml::emit(&json!({"apiVersion": "v1", "kind": "List", "items": objects})).unwrap();
        }
        let documents: Vec<String> = objects.iter().map(|object| yaml::emit(object).unwrap()).collect();
        documents.join("---\n")
    })
}

proptest! {
    #[test]
    fn foreign_claims_are_read_only_own_ones_untouched_and_a_second_time_changes_nothing(text in stream()) {
        let law = law(json!([{"name": "writes", "array": ["audio"]}]));
        let output = apply(text.clone(), &law, false).unwrap();
        let (before, after) = (output.raw_objects().unwrap(), output.objects().unwrap());
        prop_assert_eq!(before.len(), after.len());
        let renders_config = before.iter().any(|object| object.kind() == "PersistentVolumeClaim");
        let makes_data = before.iter().any(|object| object.kind() == "StatefulSet");
        for (old, new) in before.iter().zip(&after) {
            if old.kind() == "PersistentVolumeClaim" {
                prop_assert_eq!(new.label("storage.home.arpa/owner"), Some("player"));
                continue;
            }
            let (old, new) = (claim_uses(old).volumes, claim_uses(new).volumes);
            for (old, new) in old.iter().zip(new) {
                let is_own = match new.claim {
                    "config" => renders_config,
                    "data-w-0" => makes_data,
                    claim => claim == "audio",
                };
                if is_own {
                    prop_assert_eq!(old, &new);
                } else {
                    prop_assert!(new.read_only && new.mounts.iter().all(|mount| mount.read_only), "{new:?}");
                }
            }
        }
        let once = output.text();
        prop_assert_eq!(&apply(once.clone(), &law, false).unwrap().text(), &once);
    }
}

#[test]
fn whatever_argo_cd_takes_apart_is_taken_apart() {
    let bundle = "apiVersion: e/v1\nkind: Bundle\nmetadata: {name: b}\nitems:\n- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: config}}\n---\nkind: ConfigMapList\nitems:\n";
    let text = under(json!([{"name": "owns", "array": ["config"]}]), bundle).unwrap();
    assert!(text.contains("Prune=false,Delete=false"), "{text}");
    let nothing = under(json!([]), "apiVersion: v1\nkind: ConfigMapList\nitems:\n");
    assert!(nothing.unwrap_err().to_string().contains("the render is empty"));
}

#[test]
fn what_readers_would_drop_is_refused() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    for text in [
        format!("{map}...\n{map}"),
        format!(
            "---\n{0} {0}",
            "{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"a\"}}"
        ),
    ] {
        let error = format!("{:#}", under(json!([]), &format!("{text}\n---\n{map}")).unwrap_err());
        assert!(error.contains("Argo CD would drop it"), "{error}");
    }
    assert!(under(json!([]), &format!("{map}...\n# the end\n---\n{map}...\n")).is_ok());
}

/// Streams whose first document says `kind: ConfigMap` in column 0, and is a Deployment with a foreign claim to Go.
#[test]
fn a_workload_that_hides_behind_another_kind_gets_the_storage_rules() {
    let workload = "kind: Deployment\napiVersion: apps/v1\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n      - name: c\n        image: i\n        volumeMounts: [{name: v, mountPath: /v}]\n      volumes:\n      - name: v\n        persistentVolumeClaim: {claimName: foreign}\n";
    let indented: String = workload.lines().map(|line| format!(" {line}\n")).collect();
    let other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n";
    let seeming = "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: x\n";
    let flow = "{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}], volumes: [{name: v, persistentVolumeClaim: {claimName: foreign}}]}}}";
    for stream in [
        format!("# c\rapiVersion: apps/v1\rkind: Deployment\rmetadata: {{name: evil}}\rspec: {flow}\r\n{other}"),
        format!("# c\n metadata:\n  name: evil\n  annotations: {{a: \"x\n{seeming}y: \"}}\n{indented}{other}"),
        format!(" a: \"x\n{seeming}y: \"\n metadata: {{name: evil}}\n{indented}{other}"),
    ] {
        let Ok(output) = apply(stream.clone(), &law(json!([])), false) else {
            continue;
        };
        let objects = output.objects().unwrap();
        let volumes = pod_templates(&objects[0])[0].claim_volumes().len();
        assert_eq!((objects[0].kind(), volumes), ("Deployment", 1), "{stream}");
        let template = &pod_templates(&objects[0])[0];
        assert!(
            template.claim_volumes().iter().all(|volume| volume.read_only),
            "{stream}"
        );
    }
}

/// go-yaml reads 512 bytes at a time. With a byte order mark right behind them it skips the first character of each line.
#[test]
fn a_workload_that_hides_behind_a_byte_order_mark_is_refused() {
    let seeming = "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: x\n";
    let hidden = "xkind: Deployment\nxapiVersion: apps/v1\nxmetadata:\n  name: evil\nxspec:\n  template:\n    spec:\n      containers: []\n      volumes: [{name: v, persistentVolumeClaim: {claimName: foreign}}]\n";
    for comment in [format!("# {}", "p".repeat(510)), "\u{feff}".to_owned()] {
        let stream = format!("{comment}\u{feff}\n{seeming}{hidden}---\n{seeming}");
        let error = format!("{:#}", under(json!([]), &stream).unwrap_err());
        assert!(error.contains("a byte order mark stands inside"), "{error}");
    }
    let text = format!("{seeming}data:\n  script: |\n    \u{feff}#!/bin/sh\n    exit\n---\n{seeming}");
    assert_eq!(under(json!([]), &text).unwrap(), text);
}

#[test]
fn a_kind_is_passed_by_however_its_document_is_written() {
    let plain = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers: []\n      volumes: [{name: v, persistentVolumeClaim: {claimName: foreign}}]\n";
    for text in [
        plain.to_owned(),
        plain.replace('\n', "\r\n"),
        plain.replace("metadata:\n  name: a", "metadata: {name: a}"),
    ] {
        let stream = format!("{text}---\n{plain}");
        assert_eq!(under(json!([]), &stream).unwrap(), stream);
    }
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: a\n  namespace: media\n";
    let certificate = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a, namespace: web}\n";
    let stream = format!("{claim}---\n{certificate}---\n{claim}");
    let namespaces = Stream::read(&stream, &[]).unwrap().namespaces();
    assert_eq!(namespaces.into_iter().collect::<Vec<_>>(), ["media"]);
}

/// Returns a stream with claims of the parameter `claims` behind it.
fn with_claims(parameters: Value, text: &str) -> Result<String> {
    let list = parameter::read(&parameters).unwrap();
    let parameters = Parameters::parse(&list).unwrap();
    let claims = parameters.claims.iter();
    let claims: Vec<Object> = claims
        .map(|(path, spec)| parameter::claims::object(path, spec))
        .collect();
    let law = law_of(&parameters);
    let input = Input {
        raw: text.to_owned(),
        claims: &claims,
        patches: &law.patches,
        allow_empty: false,
    };
    Ok(apply_with(input, |_| Ok(law.clone()))?.text())
}

fn claims(map: Value) -> Value {
    json!([{"name": "claims", "map": map}])
}

#[test]
fn claims_go_out_behind_everything_else_with_their_guards() {
    let text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n# the end\n";
    let printed = with_claims(claims(json!({"cache": "5Gi", "tv/films": "1Ti"})), text).unwrap();
    let claim = |name: &str, namespace: &str, size: &str| {
        format!(
            "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\n{namespace}  labels:\n    kor/used: \"true\"\n    storage.home.arpa/owner: player\n  annotations:\n    argocd.argoproj.io/compare-options: IgnoreExtraneous\n    argocd.argoproj.io/sync-options: Prune=false,Delete=false\n    helm.sh/resource-policy: keep\nspec:\n  accessModes:\n  - ReadWriteOnce\n  resources:\n    requests:\n      storage: {size}\n"
        )
    };
    let tv = claim("films", "  namespace: tv\n", "1Ti");
    assert_eq!(printed, format!("{text}{}{tv}", claim("cache", "", "5Gi")));
    let whole = json!([
        {"name": "claims", "map": {"cache": "5Gi"}},
        {"name": "mounts", "array": ["cache:/cache,workload=Deployment/player"]},
        {"name": "patches", "map": {"PersistentVolumeClaim/cache": r#"[{"op": "add", "path": "/metadata/labels", "value": {"x": "y"}}]"#}},
    ]);
    let printed = with_claims(whole, STREAM).unwrap();
    let objects = objects_of(&printed);
    assert_eq!(objects.len(), objects_of(STREAM).len() + 1);
    let claim = objects.last().unwrap();
    assert_eq!((claim.name(), claim.label("x")), ("cache", Some("y")));
    assert!(printed.contains("mountPath: /cache\n"), "{printed}");
}

fn objects_of(text: &str) -> Vec<Object> {
    output::objects(text).unwrap()
}

#[test]
fn a_claim_that_is_rendered_is_not_added() {
    for (key, refused) in [("config", true), ("media/config", true), ("tv/config", false)] {
        let printed = with_claims(claims(json!({key: "5Gi"})), STREAM);
        assert_eq!(printed.is_err(), refused, "{key}");
        if let Err(error) = printed {
            assert_eq!(
                error.to_string(),
                "parameter `claims` has claim `media/config`, which is rendered already"
            );
        }
    }
    let twice = with_claims(claims(json!({"x": "5Gi", "media/x": "5Gi"})), STREAM);
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .contains("`media/x`, which is rendered already")
    );
}

#[test]
fn claims_do_not_make_an_empty_render_whole() {
    for text in ["", "---\n# nothing\n", "null\n"] {
        let error = with_claims(claims(json!({"x": "5Gi"})), text).unwrap_err();
        assert!(error.to_string().contains("the render is empty"), "{error}");
    }
    let no_end = with_claims(
        claims(json!({"x": "5Gi"})),
        "kind: A\napiVersion: v1\nmetadata: {name: a}",
    )
    .unwrap();
    assert!(no_end.contains("{name: a}\n---\n"), "{no_end}");
    let json = r#"{"kind": "A", "apiVersion": "v1", "metadata": {"name": "a"}}"#;
    let behind = with_claims(claims(json!({"x": "5Gi"})), &format!("{json}\n"));
    assert!(behind.is_err() || objects_of(&behind.unwrap()).len() == 2);
}

fn moved(text: &str) -> Result<String> {
    under(json!([{"name": "moves", "array": ["config=recorder"]}]), text)
}

#[test]
fn a_claim_that_another_application_owns_now_is_not_printed() {
    let after = moved(STREAM).unwrap();
    let names = |text: &str| -> Vec<String> {
        let objects = objects_of(text);
        objects.iter().map(|object| object.name().to_owned()).collect()
    };
    let mut expected = names(STREAM);
    expected.retain(|name| name != "config");
    assert_eq!(names(&after), expected, "everything else is printed");
    assert!(after.starts_with(&STREAM[..STREAM.find("# Source: player/templates/claim.yaml").unwrap()]));
    assert!(after.contains("claimName: config"), "{after}");
}

#[test]
fn one_claim_is_added_while_another_one_moves() {
    let parameters = json!([
        {"name": "claims", "map": {"cache": "5Gi"}},
        {"name": "moves", "array": ["config=recorder"]},
    ]);
    let after = with_claims(parameters, STREAM).unwrap();
    let objects = objects_of(&after);
    assert_eq!(objects.len(), objects_of(STREAM).len());
    let has = |name: &str| objects.iter().any(|object| is_claim(object) && object.name() == name);
    assert!(has("cache") && !has("config"), "{after}");
}

#[test]
fn a_moved_claim_goes_out_of_a_list_and_of_a_stream_of_json() {
    let claim = |name: &str| {
        format!("{{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"metadata\":{{\"name\":\"{name}\"}}}}")
    };
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n- {} # stays\n- {}\n",
        claim("config"),
        claim("films"),
        claim("config")
    );
    let after = moved(&list).unwrap();
    assert!(
        after.contains("films") && after.contains("# stays") && !after.contains("config"),
        "{after}"
    );
    // Documents of JSON stand one behind the other.
    let json = [claim("films"), claim("config"), claim("other")].concat();
    assert_eq!(objects_of(&moved(&json).unwrap()).len(), 2);
}

#[test]
fn a_move_of_everything_prints_nothing_only_where_that_is_allowed() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: config}\n";
    let error = format!("{:#}", moved(claim).unwrap_err());
    assert!(error.contains("everything that is rendered moves"), "{error}");
    let law = law(json!([{"name": "moves", "array": ["config=recorder"]}]));
    let output = apply(claim.to_owned(), &law, true).unwrap();
    assert!(output.objects().unwrap().is_empty());
}
