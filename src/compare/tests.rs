//! A row for each thing that Argo CD does, from the least that shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fixture::Fixture;
use super::prediction::{Action, Guard};
use super::{Circumstances, Level, Place, Prediction, REASONS, Side};
use crate::model::{AppName, Cluster, Object, ObjectRef};

const GUARD: &str = r#"annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}"#;

/// A case: what becomes of an object, as `prune not-rendered none`, and the two states.
#[derive(serde::Deserialize)]
struct Row {
    is: String,
    of: String,
    base: Value,
    head: Value,
}

#[test]
fn everything_that_argo_cd_does_is_predicted() {
    let rows: Vec<Row> = yaml_serde::from_str(include_str!("../../tests/vectors/outcomes.yaml")).unwrap();
    let mut said = BTreeSet::new();
    for Row { is, of, base, head } in rows {
        let fixture = Fixture::read(&json!({"base": base, "head": head}).to_string());
        let found = fixture.compare(|comparison| -> Vec<String> {
            let found = comparison.predictions.iter().filter(|one| one.place.to_string() == of);
            let said = |one: &Prediction<'_>| {
                let outcome = &one.outcome;
                format!("{} {} {}", outcome.action, outcome.reason.word, outcome.guard.word())
            };
            found.map(said).collect()
        });
        assert_eq!(found, [is.as_str()], "{base}\n{head}\n{}", fixture.describe());
        said.insert(is);
    }
    let words: BTreeSet<&str> = said.iter().flat_map(|said| said.split(' ')).collect();
    let missing = Action::ALL.iter().find(|action| !words.contains(action.word()));
    assert_eq!(missing, None);
    let listed: BTreeSet<&str> = REASONS.iter().map(|(word, ..)| *word).collect();
    let missing: Vec<&&str> = listed.difference(&words).collect();
    // It takes another branch.
    assert_eq!(missing, [&"guard-in-another-branch"]);
    let reasons: BTreeSet<&str> = said.iter().filter_map(|said| said.split(' ').nth(1)).collect();
    assert!(reasons.is_subset(&listed), "{reasons:?}");
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

/// The API server asks the class of a claim that grows, and nothing else
/// ([source](https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/admission/storage/persistentvolume/resize/admission.go)).
#[test]
fn whether_a_claim_grows_says_its_class() {
    let grown = |class: &str, others: &str| {
        let side = |size: &str| {
            format!("{{media: [{{kind: PersistentVolumeClaim, name: data, size: {size}, class: {class}}}{others}]}}")
        };
        let fixture = Fixture::read(&format!("base: {}\nhead: {}", side("5Gi"), side("6Gi")));
        fixture.compare(|comparison| comparison.predictions[0].action())
    };
    let class = |name: &str, allows: &str| {
        format!(
            ", {{kind: StorageClass, name: {name}, provisioner: rancher.io/local-path, allowVolumeExpansion: {allows}}}"
        )
    };
    assert_eq!(grown("mine", &class("mine", "false")), Action::Fail);
    assert_eq!(grown("mine", &class("mine", "true")), Action::Change);
    assert_eq!(grown("local-path", ""), Action::Fail);
    // Of that name are classes of other provisioners, too: `flavour` says which it is.
    assert_eq!(grown("standard", ""), Action::Change);
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
    // Nothing is kept or deleted where nothing is.
    let live = BTreeMap::new();
    circumstances.live = Some(&live);
    assert_eq!(outcome(&circumstances), (Action::Keep, "prune-guard", Guard::Base));
    fixture.compare_in(&circumstances, |comparison| {
        assert_eq!(
            comparison.predictions[0].outcome.reason.sentence,
            "`Prune=false`, and it is not in the cluster: nothing is deleted there"
        );
    });
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

#[test]
fn of_several_claims_one_with_another_name_is_another_claim() {
    let twins = |base: &str, head: &str| {
        let claim = |name: &str| format!("{{kind: PersistentVolumeClaim, name: {name}}}");
        let side = |names: &str| names.split(' ').map(claim).collect::<Vec<_>>().join(", ");
        let fixture = Fixture::read(&format!(
            "base: {{media: [{}]}}\nhead: {{media: [{}]}}",
            side(base),
            side(head)
        ));
        fixture.compare(|comparison| -> Vec<(String, String)> {
            let gone = comparison.predictions.iter().filter(|one| one.after.is_none());
            let twin =
                |one: &Prediction<'_>| Some((one.place.object.name.clone(), one.twin.as_ref()?.object.name.clone()));
            gone.filter_map(twin).collect()
        })
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(twins("data", "films"), [pair("data", "films")]);
    assert_eq!(
        twins("pvc-media unifi", "pvc-movies golinks"),
        [pair("pvc-media", "pvc-movies")]
    );
}
