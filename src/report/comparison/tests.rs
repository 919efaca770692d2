//! The forms of a comparison.

use super::*;
use crate::compare::fixture::Fixture;
use crate::masking::Values;
use crate::repo::Repo;

fn with<R>(fixture: &str, then: impl FnOnce(&Report<'_, '_>) -> R) -> R {
    let (repo, mut secrets) = (Repo::default(), Values::default());
    secrets.add_secret("correct horse");
    Fixture::read(fixture).compare(|comparison| {
        then(&Report {
            comparison,
            base: ("abc1234", None),
            head: ("the working tree", None),
            repo: &repo,
            applications: (7, 2),
            changed: &BTreeSet::new(),
            is_change: true,
            doubt: None,
            secrets: &secrets,
        })
    })
}

const CHANGE: &str = r#"
base: {media: [{kind: PersistentVolumeClaim, name: data}, {kind: Secret, name: s, stringData: {password: before-it}}, {kind: ConfigMap, name: c, data: {line: "a correct horse b", url: "https://me:secret-login@example.org/x"}}], tv: [{kind: Deployment, name: reader, reads: [data]}]}
head: {media: [{kind: Secret, name: s, stringData: {password: after-it}}, {kind: ConfigMap, name: c, data: {line: "a correct horse c", url: "https://me:secret-login@example.org/y"}}], tv: [{kind: Deployment, name: reader, reads: [data]}]}
"#;

#[test]
fn no_form_shows_a_secret() {
    with(CHANGE, |report| {
        let diff = diff(report, false).unwrap();
        assert!(
            diff.contains("+  password: \"… (after)\"") && diff.contains("+  line: \"a … c\""),
            "{diff}"
        );
        let json = document(report).unwrap().to_string();
        for text in [
            table(report, true),
            diff,
            markdown(report).unwrap(),
            annotations(report),
            json,
        ] {
            for secret in ["before-it", "after-it", "correct horse", "secret-login"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    });
}

#[test]
fn the_worst_is_the_first() {
    with(CHANGE, |report| {
        insta::assert_snapshot!(table(report, false), @r"
        LEVEL       ACTION   OBJECT                         MESSAGE
        data-loss   prune    PersistentVolumeClaim/media/   the claim is deleted, and
                             data                           the data on it unless its
                                                            volume is retained; `tv`
                                                            uses it, too; `media` does
                                                            not render it any more, and
                                                            prune is on
        routine     change   ConfigMap/media/c              it differs at `/data/line`,
                                                            `/data/url`
        routine     change   Secret/media/s                 it differs at
                                                            `/stringData/password`
        ");
        insta::assert_snapshot!(annotations(report), @r"
        ::error title=data-loss%3A prune PersistentVolumeClaim/media/data::the claim is deleted, and the data on it unless its volume is retained; `tv` uses it, too; `media` does not render it any more, and prune is on%0Ahelp: put the claim back under its name; to keep it without an Application, let `Prune=false,Delete=false` be synced before it goes, as `kubectl homelab remove-app` does
        ");
        assert_eq!(
            report.summary(),
            ["`abc1234` → the working tree: 2 of 7 Applications compared; 1 data-loss, 2 routine"]
        );
    });
}

#[test]
fn a_document_has_all_that_a_program_needs() {
    with(CHANGE, |report| {
        let document = document(report).unwrap();
        assert_eq!(document["items"][0]["consumers"], serde_json::json!(["tv"]));
        insta::assert_snapshot!(serde_json::to_string_pretty(&document["items"][0]).unwrap(), @r#"
        {
          "object": {
            "group": "",
            "kind": "PersistentVolumeClaim",
            "namespace": "media",
            "name": "data",
            "cluster": "in-cluster"
          },
          "application": "media",
          "level": "data-loss",
          "action": "prune",
          "reason": "not-rendered",
          "message": "`media` does not render it any more, and prune is on",
          "guard": "none",
          "owner": "media",
          "consumers": [
            "tv"
          ],
          "via": [
            "Application/root",
            "Application/media"
          ],
          "changes": [],
          "checks": [
            {
              "check": "claim-deleted",
              "level": "data-loss",
              "message": "the claim is deleted, and the data on it unless its volume is retained; `tv` uses it, too",
              "hint": "put the claim back under its name; to keep it without an Application, let `Prune=false,Delete=false` be synced before it goes, as `kubectl homelab remove-app` does",
              "reference": "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming"
            }
          ]
        }
        "#);
        insta::assert_snapshot!(serde_json::to_string(&document["summary"]).unwrap(), @r#"
        {"level":"data-loss","levels":[{"level":"data-loss","objects":1},{"level":"routine","objects":2}],"applications":{"total":7,"compared":2}}
        "#);
    });
}

#[test]
fn a_comment_has_room_for_the_worst_and_says_what_is_left_out() {
    let maps: Vec<String> = (0..800)
        .map(|number| {
            format!(
                "{{kind: ConfigMap, name: map-{number}, data: {{a: \"{}\"}}}}",
                "x".repeat(90)
            )
        })
        .collect();
    let fixture = format!(
        "base: {{media: [{{kind: PersistentVolumeClaim, name: data}}, {{kind: ConfigMap, name: rest}}]}}\nhead: {{media: [{{kind: ConfigMap, name: rest}}, {}]}}",
        maps.join(", ")
    );
    with(&fixture, |report| {
        let text = markdown(report).unwrap();
        assert!(text.encode_utf16().count() <= LIMIT);
        assert!(
            text.contains("PersistentVolumeClaim/media/data") && text.contains("are left out"),
            "{text}"
        );
    });
}

#[test]
fn what_is_not_compared_is_said_in_every_form_for_people() {
    let fixture = "base: {media: [{kind: ConfigMap, name: a}]}\nhead: {media: {fails: \"helm says | <b>no</b>\"}}";
    with(fixture, |report| {
        let said =
            "Application `media` does not render any more, and its objects are not compared: helm says | <b>no</b>";
        assert_eq!(report.summary()[0], said);
        assert!(annotations(report).starts_with("::error title=not comparable::Application `media` does not render"));
        assert!(
            markdown(report)
                .unwrap()
                .contains("helm says \\| &lt;b&gt;no&lt;/b&gt;")
        );
        assert_eq!(document(report).unwrap()["withheld"][0]["side"], "head");
    });
}
