//! A row for each thing that Argo CD does, from the least that shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::fixture::Fixture;
use super::prediction::{Action, Guard};
use super::{Circumstances, Level, Place, REASONS, Side};
use crate::model::{AppName, Cluster, Object, ObjectRef};

const GUARD: &str = r#"annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}"#;

/// What is predicted of the object with this name: action, reason and guard, for each Application.
fn of(fixture: &Fixture, object: &str) -> Vec<(Action, &'static str, Guard)> {
    fixture.compare(|comparison| {
        let found = comparison
            .predictions
            .iter()
            .filter(|one| one.place.to_string() == object);
        found
            .map(|one| (one.action(), one.outcome.reason.word, one.outcome.guard))
            .collect()
    })
}

/// Returns rows: what is shown, the two states, the object, and what becomes of it.
fn rows() -> Vec<(String, &'static str, (Action, &'static str, Guard))> {
    let (claim, guarded) = (
        "{kind: PersistentVolumeClaim, name: data}",
        format!("{{kind: PersistentVolumeClaim, name: data, {GUARD}}}"),
    );
    let note = |options: &str| {
        format!(
            "{{kind: PersistentVolumeClaim, name: data, annotations: {{argocd.argoproj.io/sync-options: \"{options}\"}}}}"
        )
    };
    let sync = |policy: &str, objects: &str| format!("{{spec: {{syncPolicy: {policy}}}, objects: [{objects}]}}");
    let off = |objects: &str| sync("null", objects);
    let rest = "{kind: ConfigMap, name: a}";
    let two = |base: String, head: String| format!("base: {base}\nhead: {head}");
    let media = |base: &str, head: &str| two(format!("{{media: [{base}]}}"), format!("{{media: [{head}]}}"));
    let extraneous = "{kind: PersistentVolumeClaim, name: data, annotations: {argocd.argoproj.io/compare-options: IgnoreExtraneous}}";
    let (data, map) = ("PersistentVolumeClaim/media/data", "ConfigMap/media/a");
    let none = Guard::None;
    vec![
        (media(rest, &format!("{rest}, {claim}")), data, (Action::Create, "new-object", none)),
        (media(rest, "{kind: ConfigMap, name: a, data: {x: y}}"), map, (Action::Change, "content-differs", none)),
        (media(&format!("{rest}, {claim}"), rest), data, (Action::Prune, "not-rendered", none)),
        (media(&format!("{rest}, {guarded}"), rest), data, (Action::Keep, "prune-guard", Guard::Base)),
        (media(&format!("{rest}, {}", note("Prune=confirm")), rest), data, (Action::Blocked, "prune-confirm", none)),
        (
            media(&format!("{rest}, {}", note("Prune=confirm")), "{kind: ConfigMap, name: a, data: {x: y}}"),
            map,
            (Action::Blocked, "waits-for-confirmation", none),
        ),
        (media(&format!("{rest}, {extraneous}"), rest), data, (Action::PruneLater, "extraneous-without-guard", none)),
        (
            media(&format!("{rest}, {extraneous}"), "{kind: ConfigMap, name: a, data: {x: y}}"),
            data,
            (Action::Prune, "extraneous-without-guard", none),
        ),
        (media(claim, ""), data, (Action::Blocked, "all-objects-removed", none)),
        (
            two(format!("{{media: {}}}", sync("{automated: {}}", &format!("{rest}, {claim}"))), format!("{{media: {}}}", sync("{automated: {prune: false}}", rest))),
            data,
            (Action::Left, "prune-off", none),
        ),
        (
            two(format!("{{media: {}}}", off(&format!("{rest}, {claim}"))), format!("{{media: {}}}", off(rest))),
            data,
            (Action::Unsynced, "not-automated", none),
        ),
        (two(format!("{{media: [{claim}], tv: [{rest}]}}"), format!("{{tv: [{rest}]}}")), data, (Action::Prune, "application-deleted", none)),
        (two(format!("{{media: [{guarded}], tv: [{rest}]}}"), format!("{{tv: [{rest}]}}")), data, (Action::Keep, "delete-guard", Guard::Base)),
        (
            two(
                format!("{{media: [{{kind: PersistentVolumeClaim, name: data, annotations: {{helm.sh/resource-policy: keep}}}}], tv: [{rest}]}}"),
                format!("{{tv: [{rest}]}}"),
            ),
            data,
            (Action::Keep, "resource-policy", Guard::Base),
        ),
        (
            two(format!("{{media: [{}], tv: [{rest}]}}", note("Delete=confirm")), format!("{{tv: [{rest}]}}")),
            data,
            (Action::Blocked, "delete-confirm", none),
        ),
        (
            two(format!("{{media: {{finalizers: [], objects: [{claim}]}}, tv: [{rest}]}}"), format!("{{tv: [{rest}]}}")),
            data,
            (Action::Orphan, "no-finalizer", none),
        ),
        (
            two(format!("{{media: {{by: hand, objects: [{claim}]}}, tv: [{rest}]}}"), format!("{{tv: [{rest}]}}")),
            data,
            (Action::Left, "application-stays", none),
        ),
        (
            two(format!("{{set/apps: {{}}, media: {{by: apps, objects: [{claim}]}}}}"), "{set/apps: {}}".to_owned()),
            data,
            (Action::Prune, "application-deleted", none),
        ),
        (
            two(
                format!("{{set/apps: {{}}, media: {{by: apps, objects: [{claim}]}}}}"),
                "{set/apps: {spec: {syncPolicy: {preserveResourcesOnDeletion: true}}}}".to_owned(),
            ),
            data,
            (Action::TooLate, "preserve-in-same-change", none),
        ),
        (
            two(
                format!("{{set/apps: {{}}, media: {{by: apps, objects: [{claim}]}}}}"),
                "{set/apps: {spec: {syncPolicy: {applicationsSync: create-update}}}}".to_owned(),
            ),
            data,
            (Action::Left, "application-stays", none),
        ),
        (
            two(
                "{set/apps: {}, media: {by: apps, objects: []}}".to_owned(),
                "{set/apps: {}}".to_owned(),
            ),
            "Application/argocd/media",
            (Action::Prune, "not-generated", none),
        ),
        (
            two("{set/apps: {}}".to_owned(), "{set/apps: {}, media: {by: apps, objects: []}}".to_owned()),
            "Application/argocd/media",
            (Action::Create, "generated", none),
        ),
        (
            two(
                "{set/apps: {spec: {syncPolicy: {applicationsSync: create-only}}}, media: {by: apps, objects: []}}".to_owned(),
                "{set/apps: {spec: {syncPolicy: {applicationsSync: create-only}}}, media: {by: apps, path: b, objects: []}}".to_owned(),
            ),
            "Application/argocd/media",
            (Action::Left, "set-policy", none),
        ),
        (
            two(
                format!("{{set/apps: {{}}, media: {{by: apps, objects: [{claim}]}}}}"),
                "{set/apps: {unknown: why}}".to_owned(),
            ),
            "ApplicationSet/argocd/apps",
            (Action::Blocked, "generator-fails", none),
        ),
        (
            two("{media: {by: hand, objects: []}}".to_owned(), "{media: {by: hand, path: b, objects: []}}".to_owned()),
            "Application/argocd/media",
            (Action::Unsynced, "applied-by-hand", none),
        ),
        (
            two(format!("{{media: [{rest}, {guarded}], tv: []}}"), format!("{{media: [{rest}], tv: [{guarded}]}}")),
            data,
            (Action::Adopt, "moved-from-application", Guard::Base),
        ),
        (
            two(format!("{{media: [{rest}, {claim}], tv: []}}"), format!("{{media: [{rest}], tv: [{claim}]}}")),
            data,
            (Action::Prune, "moves-without-guard", none),
        ),
        (
            two(format!("{{media: [{rest}, {claim}], tv: []}}"), format!("{{media: [{rest}], tv: [{guarded}]}}")),
            data,
            (Action::TooLate, "guard-in-same-change", none),
        ),
        (
            two(format!("{{media: {{owns: [], objects: [{rest}, {claim}]}}}}"), format!("{{media: {{owns: [data], objects: [{rest}]}}}}")),
            data,
            (Action::TooLate, "guard-in-same-change", none),
        ),
        (
            two(format!("{{media: {{finalizers: [], objects: [{claim}]}}, tv: []}}"), format!("{{tv: [{claim}]}}")),
            data,
            (Action::Adopt, "left-by-application", none),
        ),
        (
            two("{media: [{kind: Secret, name: s}, {kind: ConfigMap, name: a}], tv: []}".to_owned(), "{media: [{kind: Secret, name: s}], tv: [{kind: ConfigMap, name: a}]}".to_owned()),
            map,
            (Action::Adopt, "moves-without-guard", none),
        ),
        (
            two(format!("{{media: [{claim}], tv: []}}"), format!("{{media: [{claim}], tv: [{claim}]}}")),
            data,
            (Action::Adopt, "rendered-by-two", none),
        ),
        (
            two(
                format!("{{media: [{claim}], tv: []}}"),
                format!("{{media: [{claim}], tv: {}}}", sync("{automated: {}, syncOptions: [FailOnSharedResource=true]}", claim)),
            ),
            data,
            (Action::Fail, "shared-resource", none),
        ),
        (
            two(
                format!("{{media: [], tv: [{claim}, {rest}]}}"),
                format!("{{media: [{claim}], tv: {{fails: why}}}}"),
            ),
            data,
            (Action::Adopt, "moved-from-unknown", none),
        ),
        (
            two(format!("{{media: {{owns: [data], objects: [{rest}]}}}}"), format!("{{media: {{owns: [data], objects: [{rest}, {guarded}]}}}}")),
            data,
            (Action::Adopt, "kept-before", none),
        ),
        (
            two(format!("{{spaces: [{{kind: Namespace, name: media}}, {rest}], media: [{guarded}]}}"), format!("{{spaces: [{rest}], media: [{guarded}]}}")),
            data,
            (Action::Prune, "namespace-deleted", none),
        ),
        (
            two(
                format!("{{spaces: [{{kind: Namespace, name: media}}, {rest}], db: {{owns: [data-db-0], objects: []}}}}"),
                format!("{{spaces: [{rest}], db: {{owns: [data-db-0], objects: []}}}}"),
            ),
            "PersistentVolumeClaim/media/data-db-0",
            (Action::Prune, "namespace-deleted", none),
        ),
        (
            two("{media: [{kind: CustomResourceDefinition, name: a.example.org}]}".to_owned(), "{}".to_owned()),
            "CustomResourceDefinition/a.example.org",
            (Action::Keep, "definition-stays", none),
        ),
        (
            media("{kind: PersistentVolumeClaim, name: data, size: 2Gi}", "{kind: PersistentVolumeClaim, name: data, size: 1Gi}"),
            data,
            (Action::Fail, "claim-shrinks", none),
        ),
        (
            media("{kind: PersistentVolumeClaim, name: data, size: 1Gi, class: standard}", "{kind: PersistentVolumeClaim, name: data, size: 2Gi, class: standard}"),
            data,
            (Action::Fail, "class-does-not-expand", none),
        ),
        (
            media("{kind: PersistentVolumeClaim, name: data, class: a}", "{kind: PersistentVolumeClaim, name: data, class: b}"),
            data,
            (Action::Fail, "immutable-field", none),
        ),
        (
            media(
                "{kind: PersistentVolumeClaim, name: data, class: a}, {kind: ConfigMap, name: a}",
                "{kind: PersistentVolumeClaim, name: data, class: b}, {kind: ConfigMap, name: a, data: {x: y}, annotations: {argocd.argoproj.io/sync-wave: \"1\"}}",
            ),
            map,
            (Action::Blocked, "earlier-wave-stops", none),
        ),
        (
            media(
                "{kind: PersistentVolumeClaim, name: data, class: a}, {kind: ConfigMap, name: a}",
                "{kind: PersistentVolumeClaim, name: data, class: b}, {kind: ConfigMap, name: a, data: {x: y}}",
            ),
            map,
            (Action::Change, "content-differs", none),
        ),
        (
            media(
                &format!("{{kind: PersistentVolumeClaim, name: data, class: a, {}}}", r#"annotations: {argocd.argoproj.io/sync-options: Force=true}"#),
                &format!("{{kind: PersistentVolumeClaim, name: data, class: b, {}}}", r#"annotations: {argocd.argoproj.io/sync-options: Force=true}"#),
            ),
            data,
            (Action::Recreate, "forced-refusal", none),
        ),
        (media(&note("Force=true,Replace=true"), &format!("{}, {rest}", note("Force=true,Replace=true"))), data, (Action::Recreate, "replaced-by-force", none)),
        (
            two(
                "{media: [{kind: PersistentVolumeClaim, name: data, class: a}]}".to_owned(),
                "{media: {spec: {ignoreDifferences: [{kind: PersistentVolumeClaim, jsonPointers: [/spec/storageClassName]}]}, objects: [{kind: PersistentVolumeClaim, name: data, class: b}]}}".to_owned(),
            ),
            data,
            (Action::Ignored, "ignored-difference", none),
        ),
        (
            media(
                rest,
                &format!("{rest}, {{kind: PersistentVolumeClaim, name: data, annotations: {{argocd.argoproj.io/sync-wave: \"-1\"}}}}, {{kind: Deployment, name: app, claims: [data]}}"),
            ),
            data,
            (Action::Wait, "no-consumer-yet", none),
        ),
        (
            media(rest, &format!("{rest}, {{kind: Job, name: j, annotations: {{helm.sh/hook: pre-install}}}}")),
            "Job/media/j",
            (Action::Hook, "hook", none),
        ),
        (
            two(
                format!("{{media: [{claim}]}}"),
                format!("{{media: {{spec: {{destination: {{server: \"https://other.lan:6443\"}}}}, objects: [{claim}]}}}}"),
            ),
            data,
            (Action::Orphan, "cluster-changed", none),
        ),
    ]
}

#[test]
fn everything_that_argo_cd_does_is_predicted() {
    let (mut actions, mut words) = (BTreeSet::new(), BTreeSet::new());
    for (text, object, expected) in rows() {
        let fixture = Fixture::read(&text);
        let found = of(&fixture, object);
        assert_eq!(found, [expected], "{text}\n{}", fixture.describe());
        actions.insert(expected.0);
        words.insert(expected.1);
    }
    assert_eq!(actions.len(), Action::ALL.len(), "{actions:?}");
    let missing: Vec<&str> = REASONS
        .iter()
        .map(|(word, ..)| *word)
        .filter(|word| !words.contains(word))
        .collect();
    // It takes another branch.
    assert_eq!(missing, ["guard-in-another-branch"]);
    let unlisted: Vec<&&str> = words
        .iter()
        .filter(|word| !REASONS.iter().any(|(listed, ..)| listed == *word))
        .collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
}

#[test]
fn what_stays_the_same_is_not_listed() {
    let same = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}], tv: {fails: why}}
head: {media: [{kind: PersistentVolumeClaim, name: data}], tv: {fails: why}}
"#;
    Fixture::read(same).compare(|comparison| {
        assert!(comparison.predictions.is_empty());
        assert_eq!(comparison.level(), Level::Routine);
        assert_eq!(comparison.withheld.len(), 1);
    });
}

#[test]
fn one_side_that_is_not_known_is_no_difference() {
    let text = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}]}
head: {media: {fails: helm says no}}
"#;
    Fixture::read(text).compare(|comparison| {
        assert!(comparison.predictions.is_empty(), "{:?}", comparison.predictions);
        assert_eq!(comparison.withheld[0].side, Side::Head);
        assert_eq!(comparison.withheld[0].why, "helm says no");
    });
}

#[test]
fn a_guard_counts_in_the_branch_that_is_read_and_in_the_cluster() {
    let text = format!(
        "base: {{media: [{{kind: ConfigMap, name: a}}, {{kind: PersistentVolumeClaim, name: data, {GUARD}}}]}}\nhead: {{media: [{{kind: ConfigMap, name: a}}]}}"
    );
    let (fixture, elsewhere) = (Fixture::read(&text), |_: &crate::model::Source<'_>| false);
    let outcome = |circumstances: &Circumstances<'_>| {
        fixture.compare_in(circumstances, |comparison| {
            let one = &comparison.predictions[0];
            (one.action(), one.outcome.reason.word, one.outcome.guard)
        })
    };
    let mut circumstances = Circumstances {
        is_read: Some(&elsewhere),
        ..Circumstances::named("abc")
    };
    assert_eq!(
        outcome(&circumstances),
        (Action::Prune, "guard-in-another-branch", Guard::None)
    );
    let place = Place {
        cluster: Cluster::Local,
        object: ObjectRef {
            group: String::new(),
            kind: "PersistentVolumeClaim".to_owned(),
            namespace: Some("media".to_owned()),
            name: "data".to_owned(),
        },
    };
    let claim = |options: &str| {
        Object::new(
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "media",
            "annotations": {"argocd.argoproj.io/sync-options": options}}}),
        )
    };
    let live = BTreeMap::from([(place.clone(), claim("Prune=false"))]);
    circumstances.live = Some(&live);
    assert_eq!(outcome(&circumstances), (Action::Keep, "prune-guard", Guard::Live));
    let live = BTreeMap::from([(place, claim("Validate=false"))]);
    circumstances.live = Some(&live);
    assert_eq!(outcome(&circumstances), (Action::Prune, "not-rendered", Guard::None));
}

#[test]
fn random_values_are_no_changes() {
    let text = r#"
base: {media: [{kind: ConfigMap, name: a, data: {password: one, b: c}}]}
head: {media: [{kind: ConfigMap, name: a, data: {password: two, b: d}}]}
"#;
    let again = Object::new(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"password": "three", "b": "c"}}),
    );
    let again = BTreeMap::from([(AppName::new("media").unwrap(), vec![again])]);
    let circumstances = Circumstances {
        again: Some(&again),
        ..Circumstances::named("abc")
    };
    Fixture::read(text).compare_in(&circumstances, |comparison| {
        assert_eq!(comparison.predictions[0].pointers, ["/data/b"]);
    });
}

#[test]
fn a_renamed_folder_of_a_set_leads_to_a_claim_that_nobody_touched() {
    let text = r#"
base: {set/apps: {}, media: {by: apps, objects: [{kind: PersistentVolumeClaim, name: data}, {kind: Deployment, name: app, claims: [data]}]}, tv: [{kind: Deployment, name: reader, reads: [data]}]}
head: {set/apps: {}, films: {by: apps, namespace: films, objects: [{kind: PersistentVolumeClaim, name: data}, {kind: Deployment, name: app, claims: [data]}]}, tv: [{kind: Deployment, name: reader, reads: [data]}]}
"#;
    let fixture = Fixture::read(text);
    insta::assert_snapshot!(fixture.describe(), @r"
    Deployment/films/app ~ Deployment/media/app: create new-object none [workload-starts-empty] data-loss
    PersistentVolumeClaim/media/data ~ PersistentVolumeClaim/films/data: prune application-deleted none [claim-deleted claim-renamed] data-loss
    Application/argocd/media ~ Application/argocd/films: prune not-generated none [set-shrinks application-renamed] outage
    Deployment/media/app ~ Deployment/films/app: prune application-deleted none [] review
    PersistentVolumeClaim/films/data ~ PersistentVolumeClaim/media/data: create new-object none [] routine
    Application/argocd/films ~ Application/argocd/media: create generated none [] routine
    ");
    fixture.compare(|comparison| {
        let claim = comparison
            .predictions
            .iter()
            .find(|one| one.place.to_string() == "PersistentVolumeClaim/media/data")
            .unwrap();
        assert_eq!(
            claim.via,
            ["Application/root", "ApplicationSet/apps", "Application/media"]
        );
        assert_eq!(claim.owner.as_ref().map(AppName::as_str), Some("media"));
        assert_eq!(claim.consumers.iter().map(AppName::as_str).collect::<Vec<_>>(), ["tv"]);
    });
}

#[test]
fn a_stateful_set_with_another_name_or_template_starts_empty() {
    let set = |name: &str, template: &str| {
        format!(
            "{{kind: StatefulSet, name: {name}, spec: {{volumeClaimTemplates: [{{metadata: {{name: {template}}}}}]}}}}"
        )
    };
    let starts_empty = |one: String, other: String| {
        let fixture = Fixture::read(&format!("base: {{media: [{one}]}}\nhead: {{media: [{other}]}}"));
        fixture.compare(|comparison| {
            let mut hits = comparison.predictions.iter().flat_map(|one| &one.hits);
            hits.any(|hit| hit.id == "workload-starts-empty")
        })
    };
    assert!(starts_empty(set("db", "db-data"), set("pg", "db-data")));
    assert!(!starts_empty(set("db", "data"), set("db", "data")));
}

#[test]
fn applications_that_only_look_alike_are_not_renamed() {
    let text = r#"
base: {set/apps: {}, loki: {by: apps, objects: [{kind: Deployment, name: loki, image: "loki:3", replicas: 2, pod: {nodeName: a}}, {kind: ConfigMap, name: loki, data: {a: b, c: d}}]}}
head: {set/apps: {}, logs: {by: apps, objects: [{kind: Deployment, name: logs, image: "logs:1", pod: {hostname: b}}, {kind: Secret, name: logs, data: {e: f, g: h}}]}}
"#;
    Fixture::read(text).compare(|comparison| {
        let app = |one: &&super::Prediction<'_>| one.place.object.kind == "Application";
        assert!(comparison.predictions.iter().filter(app).all(|one| one.twin.is_none()));
    });
    let unknown = "base: {loki: {fails: why}}\nhead: {logs: {fails: why}}";
    Fixture::read(unknown).compare(|comparison| {
        assert!(comparison.predictions.iter().all(|one| one.twin.is_none()));
    });
    let moved = "base: {loki: {path: x, fails: why}}\nhead: {logs: {path: x, fails: why}}";
    Fixture::read(moved).compare(|comparison| {
        assert!(comparison.predictions.iter().all(|one| one.twin.is_some()));
    });
}
