//! What the user sees, whole.

use std::collections::BTreeMap;

use super::*;
use crate::model::{AppName, Availability};
use crate::repo::{Memory, RepoPath};
use crate::report::findings_table;
use crate::report::json::finding_list;
use crate::rules::{Scope, Selection};
use serde_json::json;

const FETCHER: &str = "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: fetcher
spec:
  source:
    repoURL: https://git.example.org/fetcher
    path: chart
  destination:
    namespace: media
";

fn repo() -> Repo {
    let mut files = Memory::new([
        ("applications/fetcher.yaml", FETCHER),
        ("applications/broken.yaml", "kind: [\n"),
        (
            "applications/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {password: hunter2, \"ü\": \"ö\"}\r\n",
        ),
        (
            "applications/set.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: all\n",
        ),
    ])
    .unwrap();
    files
        .0
        .insert(RepoPath::new("applications/latin.yaml").unwrap(), b"a: \xe4\n".to_vec());
    Repo::read(&files, &[]).unwrap()
}

fn checked(repo: &Repo) -> CheckReport {
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio"}});
    let objects = vec![crate::model::Object::new(claim)];
    let renders = BTreeMap::from([(AppName::new("fetcher").unwrap(), Availability::Available(objects))]);
    let mut report = CheckReport::of(&Scope::new(repo, &renders));
    report.select(&Selection::parse("+HL101,+HL402").unwrap());
    report
}

#[test]
fn a_whole_report() {
    let repo = repo();
    let text = anstream::adapter::strip_str(&report(&repo, &checked(&repo))).to_string();
    insta::assert_snapshot!(text, @r#"
    error: malformed: applications/broken.yaml:1:7: unclosed bracket '['

    error: malformed: applications/latin.yaml:1:4: not UTF-8

    error[HL101]: `PersistentVolumeClaim/audio` has no Prune=false and no Delete=false
     --> applications/fetcher.yaml:6:3
      |
    6 |   source:
      |   ^^^^^^
      |
      = note: in `PersistentVolumeClaim/audio` as Application `fetcher` renders it
      = help: let the plugin render it with `kubectl homelab convert fetcher`, or set `argocd.argoproj.io/sync-options` in the source

    error[HL402]: Secret `token` is in the repository in plain text
     --> applications/secret.yaml:4:1
      |
    4 | stringData: ********** ******** ***** *****
      | ^^^^^^^^^^
      |
      = help: change the values, and encrypt them (SOPS, Sealed Secrets) or keep them outside of Git

    info: ApplicationSet `all` was skipped: its Applications are generated in the cluster
     |
     = help: write them as Applications to have them checked

    4 errors, 0 warnings in what was checked
    checked 1 of 1 Application; 1 skipped: 1 ApplicationSet, expanded in the cluster
    "#);
}

#[test]
fn a_table() {
    let repo = repo();
    insta::assert_snapshot!(findings_table::wide(&repo, &checked(&repo)), @r#"
    SEVERITY   RULE    PLACE                           APPLICATION   MESSAGE
    error      -       applications/broken.yaml:1:7    -             unclosed bracket '['
    error      -       applications/latin.yaml:1:4     -             not UTF-8
    error      HL101   applications/fetcher.yaml:6:3   fetcher       `PersistentVolumeClaim/audio` has no Prune=false and no Delete=false
    error      HL402   applications/secret.yaml:4:1    -             Secret `token` is in the repository in plain text
    skipped    -       applications/set.yaml           all           its Applications are generated in the cluster
    "#);
    insta::assert_snapshot!(findings_table::narrow(&repo, &checked(&repo)), @r#"
    SEVERITY   RULE    PLACE AND MESSAGE
    error      -       applications/broken.yaml:1:7
                       unclosed bracket '['
    error      -       applications/latin.yaml:1:4
                       not UTF-8
    error      HL101   applications/fetcher.yaml:6:3 (fetcher)
                       `PersistentVolumeClaim/audio` has no Prune=false and no
                       Delete=false
    error      HL402   applications/secret.yaml:4:1
                       Secret `token` is in the repository in plain text
    skipped    -       applications/set.yaml (all)
                       its Applications are generated in the cluster
    "#);
    assert_eq!(findings_table::wide(&repo, &CheckReport::default()), "");
    assert_eq!(findings_table::narrow(&repo, &CheckReport::default()), "");
}

fn json(repo: &Repo) -> String {
    finding_list(repo, &checked(repo)).unwrap()
}

#[test]
fn json_of_version_one() {
    insta::assert_snapshot!(json(&repo()), @r#"
    {
      "apiVersion": "homelab.home.arpa/v1",
      "kind": "FindingList",
      "items": [
        {
          "name": "malformed",
          "severity": "error",
          "message": "unclosed bracket '['",
          "file": "applications/broken.yaml",
          "line": 1,
          "column": 7
        },
        {
          "name": "malformed",
          "severity": "error",
          "message": "not UTF-8",
          "file": "applications/latin.yaml",
          "line": 1,
          "column": 4
        },
        {
          "rule": "HL101",
          "name": "owned-claim-is-guarded",
          "severity": "error",
          "message": "`PersistentVolumeClaim/audio` has no Prune=false and no Delete=false",
          "file": "applications/fetcher.yaml",
          "line": 6,
          "column": 3,
          "application": "fetcher",
          "object": {
            "group": "",
            "kind": "PersistentVolumeClaim",
            "name": "audio"
          },
          "hint": "let the plugin render it with `kubectl homelab convert fetcher`, or set `argocd.argoproj.io/sync-options` in the source"
        },
        {
          "rule": "HL402",
          "name": "secret-is-encrypted",
          "severity": "error",
          "message": "Secret `token` is in the repository in plain text",
          "file": "applications/secret.yaml",
          "line": 4,
          "column": 1,
          "hint": "change the values, and encrypt them (SOPS, Sealed Secrets) or keep them outside of Git"
        }
      ],
      "ignored": [],
      "skipped": [
        {
          "kind": "ApplicationSet",
          "name": "all",
          "file": "applications/set.yaml",
          "why": "its Applications are generated in the cluster",
          "hint": "write them as Applications to have them checked",
          "failed": false
        }
      ],
      "summary": {
        "errors": 4,
        "warnings": 0,
        "ignored": 0,
        "levels": [],
        "applications": {
          "total": 1,
          "checked": 1,
          "failed": 0,
          "rendered": true
        },
        "skipped": 1,
        "reasons": [
          {
            "reason": "ApplicationSets, expanded in the cluster",
            "count": 1
          }
        ]
      }
    }
    "#);
}

#[test]
fn values_of_secrets_are_masked_wherever_they_stand() {
    let repo = repo();
    let checked = checked(&repo);
    let everything =
        report(&repo, &checked) + &finding_list(&repo, &checked).unwrap() + &findings_table::wide(&repo, &checked);
    assert!(!everything.contains("hunter2"));
    let app = "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec:
  source:
    repoURL: https://me:hunter2@git.example.org/a
    plugin:
      name: homelab-v1
      parameters: [{name: own}, {name: values, string: 'p: hunter2'}, {name: helm-parameters, map: {p: hunter2}}]
";
    let repo = Repo::read(&Memory::new([("applications/a.yaml", app)]).unwrap(), &[]).unwrap();
    let renders = BTreeMap::new();
    let checked = CheckReport::of(&Scope::new(&repo, &renders));
    let text = report(&repo, &checked);
    assert!(
        text.contains("HL309") && text.contains("HL408") && text.contains("****") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn the_summary_counts() {
    assert_eq!(summary::text(&CheckReport::default()), "0 errors, 0 warnings\n");
}

#[test]
fn the_last_line_counts_what_was_checked_and_why_the_rest_was_not() {
    use crate::model::Unavailable;
    let app = |number: usize| {
        let path = format!("applications/{number}.yaml");
        let app = FETCHER.replace("name: fetcher", &format!("name: app-{number}"));
        (RepoPath::new(&path).unwrap(), app.into_bytes())
    };
    let repo = Repo::read(&Memory((0..118).map(app).collect()), &[]).unwrap();
    let chart = Unavailable::ChartNotDownloaded {
        chart: "a".to_owned(),
        version: "1".to_owned(),
        url: "https://charts.example.org".to_owned(),
    };
    let plugin = Unavailable::OtherPlugin {
        name: "a".to_owned(),
        own: "b".to_owned(),
    };
    let last = |failed: usize| {
        let render = |number: usize| match number {
            _ if number < failed => Availability::Failed {
                message: "it is broken".to_owned(),
                hint: None,
                rule: None,
            },
            0..57 => Availability::Available(Vec::new()),
            57..98 => Availability::Unavailable(chart.clone()),
            _ => Availability::Unavailable(plugin.clone()),
        };
        let name = |number: usize| AppName::new(format!("app-{number}")).unwrap();
        let renders = (0..118).map(|number| (name(number), render(number))).collect();
        let mut report = CheckReport::of(&Scope::new(&repo, &renders));
        report.select(&Selection::parse("+HL101").unwrap());
        let text = summary::text(&report);
        text.lines().map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(
        last(0),
        [
            "0 errors, 0 warnings in what was checked",
            "checked 57 of 118 Applications; 61 skipped: 41 charts not downloaded (--fetch), 20 rendered by another plugin"
        ]
    );
    assert!(last(2)[1].starts_with("checked 55 of 118 Applications; 2 failed; 61 skipped: 41 charts"));
    let nothing = BTreeMap::new();
    let report = CheckReport::of(&Scope::new(&repo, &nothing));
    assert!(summary::text(&report).ends_with("\nchecked 118 of 118 Applications without rendering (--no-render)\n"));
}

/// A repository with Applications that are synced automatically, some without a finalizer; a root syncs them.
fn habits(count: usize) -> (Repo, CheckReport) {
    let app = |name: &str, more: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  project: default\n  destination: {{server: https://kubernetes.default.svc, namespace: argocd}}\n  source: {{repoURL: https://git.example.org/{more}, targetRevision: main}}\n  syncPolicy: {{automated: {{}}}}\n"
        )
    };
    let mut files = vec![(
        "applications/root.yaml".to_owned(),
        app("root", "home, path: applications"),
    )];
    for index in 1..count {
        let name = format!("app-{index}");
        files.push((format!("applications/{name}.yaml"), app(&name, "charts, path: chart")));
    }
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let repo = Repo::read(&Memory::new(files).unwrap(), &[]).unwrap();
    let mut report = CheckReport::of(&Scope::new(&repo, &BTreeMap::new()));
    report.select(&Selection::parse("+HL306,+HL307").unwrap());
    (repo, report)
}

#[test]
fn what_belongs_to_no_application_counts_by_its_file() {
    let root = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root}\nspec: {source: {repoURL: https://git.example.org/home, path: applications}}\n";
    let mut files = vec![("applications/root.yaml".to_owned(), root.to_owned())];
    for name in ["a", "b", "c", "d", "e", "f"] {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        files.push((format!("namespaces/{name}.yaml"), text));
    }
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let repo = Repo::read(
        &Memory::new(files).unwrap(),
        &["https://git.example.org/home".to_owned()],
    )
    .unwrap();
    let mut found = CheckReport::of(&Scope::new(&repo, &BTreeMap::new()));
    found.select(&Selection::parse("+HL205").unwrap());
    let text = anstream::adapter::strip_str(&report(&repo, &found)).to_string();
    assert!(
        text.starts_with("warning[HL205]: 6 files: check that an Application syncs every Namespace"),
        "{text}"
    );
}

#[test]
fn what_many_applications_have_in_common_is_said_once() {
    let (repo, found) = habits(7);
    insta::assert_snapshot!(anstream::adapter::strip_str(&report(&repo, &found)).to_string(), @r#"
    warning[HL307]: 6 Applications: check that an Application that another one syncs has the resources finalizer
     |
     = note: applications/app-1.yaml:3:1: `app-1` has no finalizer: removed from Git, its objects stay and nobody manages them
     = note: applications/app-2.yaml:3:1: `app-2` has no finalizer: removed from Git, its objects stay and nobody manages them
     = note: applications/app-3.yaml:3:1: `app-3` has no finalizer: removed from Git, its objects stay and nobody manages them
     = note: and 3 more; `-o wide` lists all
     = help: fix (needs review): add the finalizer resources-finalizer.argocd.argoproj.io

    warning[HL306]: a failed automated sync is retried without looking at Git again: `retry.refresh` is not set (7 Applications)
     |
     = note: applications/app-1.yaml:10:16
     = note: applications/app-2.yaml:10:16
     = note: applications/app-3.yaml:10:16
     = note: and 4 more; `-o wide` lists all
     = help: fix: retry five times, each time with the newest commit

    0 errors, 13 warnings
    fix 7 of them with `kubectl homelab validate --fix`, 6 more with `--unsafe-fixes`
    checked 7 of 7 Applications without rendering (--no-render)
    "#);
    insta::assert_snapshot!(findings_table::narrow(&repo, &found), @r#"
    SEVERITY   RULE    PLACE AND MESSAGE
    warning    HL307   applications/app-1.yaml:3:1
                       applications/app-2.yaml:3:1
                       applications/app-3.yaml:3:1
                       and 3 more; `-o wide` lists all
                       6 Applications: check that an Application that another one
                       syncs has the resources finalizer
    warning    HL306   applications/app-1.yaml:10:16
                       applications/app-2.yaml:10:16
                       applications/app-3.yaml:10:16
                       and 4 more; `-o wide` lists all
                       a failed automated sync is retried without looking at Git
                       again: `retry.refresh` is not set (7 Applications)
    "#);
    assert_eq!(
        findings_table::wide(&repo, &found).lines().count(),
        1 + found.findings.len()
    );
    let json: serde_json::Value = serde_json::from_str(&finding_list(&repo, &found).unwrap()).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), found.findings.len());
}

#[test]
fn what_few_applications_have_in_common_stays_apart_but_for_habits() {
    let (repo, found) = habits(6);
    let text = anstream::adapter::strip_str(&report(&repo, &found)).to_string();
    assert_eq!(text.matches("warning[HL307]").count(), 5, "{text}");
    assert_eq!(text.matches("warning[HL306]").count(), 1, "{text}");
    let (repo, found) = habits(1);
    let text = report(&repo, &found);
    assert!(!text.contains("(1 Applications)"), "{text}");
}

#[test]
fn what_a_finding_explains_is_one_error() {
    let app = FETCHER.replace("path: chart", "path: /chart");
    let files = Memory::new([("applications/fetcher.yaml", app.as_str())]).unwrap();
    let repo = Repo::read(&files, &[]).unwrap();
    let failed = Availability::Failed {
        message: "the path `/chart` is absolute".to_owned(),
        hint: None,
        rule: None,
    };
    let renders = BTreeMap::from([(AppName::new("fetcher").unwrap(), failed)]);
    let checked = |rules: &str| {
        let mut found = CheckReport::of(&Scope::new(&repo, &renders));
        found.select(&Selection::parse(rules).unwrap());
        let texts = [
            report(&repo, &found),
            findings_table::narrow(&repo, &found),
            findings_table::wide(&repo, &found),
        ];
        let lines = texts.map(|text| text.matches("absolute").count());
        (found.errors(), lines, summary::text(&found))
    };
    let (errors, lines, text) = checked("+HL314");
    assert_eq!((errors, lines), (1, [1, 1, 1]), "{text}");
    assert!(text.ends_with("checked 0 of 1 Application; 1 failed\n"), "{text}");
    let mut found = CheckReport::of(&Scope::new(&repo, &renders));
    found.select(&Selection::parse("+HL314").unwrap());
    let other = found.skipped[0].clone();
    found.skipped.push(Skipped {
        name: "of-the-same-set".to_owned(),
        ..other
    });
    assert_eq!(found.errors(), 2, "the other one has no finding");
    // Without the finding, the failure is what says it.
    let (errors, lines, _) = checked("+HL313");
    assert_eq!((errors, lines), (2, [1, 1, 1]));
}

#[test]
fn a_place_that_many_applications_have_is_shown_once() {
    let (repo, mut found) = habits(7);
    let location = found.findings[0].location.clone();
    for finding in &mut found.findings {
        finding.location.clone_from(&location);
    }
    let text = anstream::adapter::strip_str(&report(&repo, &found)).to_string();
    let habit = text.split("\n\n").find(|block| block.contains("HL306")).unwrap();
    assert_eq!(habit.matches("= note: ").count(), 1, "{text}");
    assert!(habit.contains("(7 Applications)"), "{text}");
    let others = text.split("\n\n").find(|block| block.contains("HL307")).unwrap();
    assert_eq!(
        others.matches("= note: ").count(),
        4,
        "the messages are not the same: {text}"
    );
}
