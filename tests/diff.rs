//! `diff` on real repositories of git: two states, what becomes of each object, and the exit code.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/git.rs"]
mod git;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git::git;
use homelab::compare::Predicted;

const URL: &str = "https://git.example.org/me/home";
const GUARD: &str = "annotations: {argocd.argoproj.io/sync-options: \"Prune=false,Delete=false\"}";

/// A repository with a remote, in which a root, `media` and `reader` are committed.
struct Home(tempfile::TempDir);

/// What a command printed, and its exit code.
struct Answer {
    out: String,
    err: String,
    code: i32,
}

impl Answer {
    /// Returns the rows of a table, without what is said in them.
    fn rows(&self) -> Vec<String> {
        let rows = self.out.lines().skip(1);
        rows.map(|row| row.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
            .collect()
    }
}

fn application(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\nspec:\n  project: default\n  source: {{repoURL: \"{URL}\", path: {path}, targetRevision: main}}\n  destination: {{server: https://kubernetes.default.svc, namespace: media}}\n  syncPolicy: {{automated: {{prune: true, selfHeal: true}}}}\n{more}"
    )
}

fn claim(name: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}, {more}}}\nspec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 5Gi}}}}}}\n"
    )
}

fn deployment(name: &str, claim: &str, read_only: bool) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers: [{{name: c, image: x, volumeMounts: [{{name: d, mountPath: /d, readOnly: {read_only}}}]}}]\n      volumes: [{{name: d, persistentVolumeClaim: {{claimName: {claim}, readOnly: {read_only}}}}}]\n"
    )
}

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.path("repo")).unwrap();
        home.git(&["init", "--quiet", "--initial-branch=main"]);
        home.git(&["remote", "add", "origin", URL]);
        home.write("repo/applications/root.yaml", &application("root", "applications", ""));
        for (name, app) in [("media", "media"), ("reader", "reader")] {
            home.write(&format!("repo/applications/{name}.yaml"), &application(app, name, ""));
        }
        home.write("repo/media/claim.yaml", &claim("data", ""));
        home.write("repo/media/player.yaml", &deployment("player", "data", false));
        home.write("repo/reader/reader.yaml", &deployment("reader", "data", true));
        home.commit();
        home.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.path("repo"), arguments).trim().to_owned()
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=x"]);
    }

    fn diff(&self, arguments: &str) -> Answer {
        self.diff_with(arguments, &[])
    }

    fn diff_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command
            .arg("diff")
            .args(arguments.split_whitespace())
            .current_dir(self.path("repo"))
            .stdin(Stdio::null());
        command
            .env("HOMELAB_CACHE_DIR", self.path("cache"))
            .env("NO_COLOR", "1")
            .env_remove("KUBECTL_EXTERNAL_DIFF");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        Answer {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap(),
        }
    }

    fn script(&self, name: &str, text: &str) -> String {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn nothing_changes() {
    let answer = Home::new().diff("");
    assert_eq!((answer.out.as_str(), answer.code), ("", 0));
    assert!(
        answer.err.contains("0 of 3 Applications compared; nothing changes"),
        "{}",
        answer.err
    );
}

#[test]
fn a_renamed_claim_is_a_loss_and_names_who_is_hit() {
    let home = Home::new();
    home.write("repo/media/claim.yaml", &claim("films", ""));
    home.write("repo/media/player.yaml", &deployment("player", "films", false));
    let before = home.git(&["status", "--porcelain"]);
    let answer = home.diff("-o json");
    assert_eq!(answer.code, 1, "{}", answer.err);
    let document: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let lost = &document["items"][0];
    assert_eq!(lost["object"]["name"], "data");
    assert_eq!(
        (&lost["action"], &lost["reason"], &lost["guard"]),
        (&"prune".into(), &"not-rendered".into(), &"none".into())
    );
    assert_eq!(lost["renamedTo"]["name"], "films");
    assert_eq!(lost["consumers"], serde_json::json!(["reader"]));
    assert_eq!(
        document["summary"]["applications"],
        serde_json::json!({"total": 3, "compared": 1})
    );
    assert_eq!(home.git(&["status", "--porcelain"]), before);
    assert_eq!(home.diff("--fail-on outage").code, 1);
    assert_eq!(home.diff("reader").code, 0);
    assert_eq!(home.diff("nobody").code, 3);
    assert_eq!(home.diff("--fail-on loss").code, 2);
}

/// Argo CD's own tools write no owners onto Namespaces, so that other Applications are nothing that such a render reads.
#[test]
fn an_application_with_its_namespace_is_compared_only_where_its_own_files_differ() {
    let home = Home::new();
    let namespace = |name: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
    home.write("repo/media/ns.yaml", &namespace("media"));
    home.write("repo/reader/ns.yaml", &namespace("reader"));
    home.commit();
    home.write("repo/media/player.yaml", &deployment("films", "data", false));
    let answer = home.diff("--base HEAD -o json");
    let document: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(
        document["summary"]["applications"],
        serde_json::json!({"total": 3, "compared": 1})
    );
    // The plugin writes them.
    let plugin =
        application("media", "media", "").replace("targetRevision", "plugin: {name: homelab-v1}, targetRevision");
    home.write("repo/applications/media.yaml", &plugin);
    home.write("repo/media/player.yaml", &deployment("player", "data", false));
    home.commit();
    let reader = application("reader", "reader", "# another line\n").replace("media}", "reader}");
    home.write("repo/applications/reader.yaml", &reader);
    let answer = home.diff("--base HEAD -o json");
    let document: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(document["summary"]["applications"]["compared"], 3, "{}", answer.err);
}

#[test]
fn what_is_withheld_is_not_counted_as_compared() {
    let home = Home::new();
    home.write("repo/reader/dashboard.jsonnet", "{}");
    let answer = home.diff("");
    assert!(
        answer
            .err
            .contains("0 of 3 Applications compared, 1 withheld; nothing changes in what was compared"),
        "{}",
        answer.err
    );
    assert!(
        answer.err.contains("is Jsonnet, which only Argo CD renders"),
        "{}",
        answer.err
    );
    assert_eq!(answer.code, 3);
}

/// An ApplicationSet owns what it generates: another one that generates the same Application has to wait until the first has deleted it.
#[test]
fn an_application_that_goes_from_one_set_to_another_loses_its_claims() {
    let home = Home::new();
    let set = |name: &str, folder: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  generators: [{{git: {{repoURL: \"{URL}\", revision: main, directories: [{{path: {folder}/*}}]}}}}]\n  template:\n    metadata: {{name: '{{{{path.basename}}}}'}}\n    spec:\n      project: default\n      source: {{repoURL: \"{URL}\", path: '{{{{path}}}}', targetRevision: main}}\n      destination: {{server: https://kubernetes.default.svc, namespace: '{{{{path.basename}}}}'}}\n      syncPolicy: {{automated: {{prune: true}}}}\n"
        )
    };
    home.write("repo/applications/dev.yaml", &set("dev", "dev"));
    home.write("repo/applications/utils.yaml", &set("utils", "utils"));
    home.write("repo/dev/notes/claim.yaml", &claim("notes", ""));
    home.write("repo/dev/notes/app.yaml", &deployment("notes", "notes", false));
    home.commit();
    home.git(&["mv", "dev", "utils"]);
    let answer = home.diff("--base HEAD");
    assert_eq!(answer.code, 1, "{}", answer.err);
    let rows = answer.rows();
    assert!(
        rows.contains(&"data-loss prune PersistentVolumeClaim/".to_owned()),
        "{}",
        answer.out
    );
    assert!(
        rows.iter().any(|row| row.starts_with("outage recreate Application/")),
        "{}",
        answer.out
    );
    assert!(
        rows.iter().any(|row| row.starts_with("outage recreate Deployment/")),
        "{}",
        answer.out
    );
}

#[test]
fn a_guard_keeps_a_claim_if_it_was_synced_and_names_the_commit() {
    let home = Home::new();
    home.write("repo/media/claim.yaml", &claim("data", GUARD));
    home.commit();
    home.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let commit = home.git(&["rev-parse", "--short", "HEAD"]);
    home.remove("repo/media/claim.yaml");
    let answer = home.diff("-o wide");
    assert_eq!(answer.code, 0, "{}", answer.out);
    assert!(
        answer
            .out
            .contains(&format!("kept if Argo CD has synced `{commit}`, else deleted")),
        "{}",
        answer.out
    );
    assert_eq!(home.diff("--fail-on review").code, 1);
    // The guard and the removal in one push: what counts is the commit before both.
    let answer = home.diff("--base HEAD~1");
    assert_eq!(
        (answer.rows()[0].as_str(), answer.code),
        ("data-loss prune PersistentVolumeClaim/media/", 1)
    );
    // Argo CD reads another branch, in which the guard is not.
    home.git(&["branch", "release", "HEAD~1"]);
    home.write("repo/media/claim.yaml", &claim("data", GUARD));
    let released = application("media", "media", "").replace("main", "release");
    home.write("repo/applications/media.yaml", &released);
    home.commit();
    home.remove("repo/media/claim.yaml");
    let answer = home.diff("--base HEAD -o json");
    assert!(answer.out.contains("guard-in-another-branch"), "{}", answer.out);
}

#[test]
fn one_side_that_does_not_render_is_no_difference_and_wins() {
    let home = Home::new();
    home.remove("repo/media/claim.yaml");
    home.write("repo/reader/reader.yaml", "a: [\n");
    let answer = home.diff("");
    assert_eq!(answer.code, 3);
    assert!(answer.rows()[0].starts_with("data-loss prune"), "{}", answer.out);
    assert!(
        answer.err.contains("Application `reader` does not render any more"),
        "{}",
        answer.err
    );
    assert!(!answer.out.contains("Deployment/media/reader"), "{}", answer.out);
}

#[test]
fn what_neither_side_renders_counts_only_if_it_has_changed() {
    let home = Home::new();
    home.write("repo/reader/reader.yaml", "a: [\n");
    home.commit();
    home.write(
        "repo/media/more.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n",
    );
    let answer = home.diff("--base HEAD");
    assert_eq!(answer.code, 0, "{}", answer.err);
    home.write("repo/reader/reader.yaml", "a: [b\n");
    let answer = home.diff("--base HEAD");
    assert_eq!(answer.code, 3);
    assert!(
        answer
            .err
            .contains("Application `reader` does not render, and is skipped"),
        "{}",
        answer.err
    );
}

#[test]
fn a_renamed_folder_of_a_set_leads_to_a_claim() {
    let home = Home::new();
    let set = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: apps, namespace: argocd}}\nspec:\n  goTemplate: true\n  generators: [{{git: {{repoURL: \"{URL}\", revision: main, directories: [{{path: apps/*}}]}}}}]\n  template:\n    metadata: {{name: '{{{{.path.basename}}}}'}}\n    spec:\n      project: default\n      source: {{repoURL: \"{URL}\", path: '{{{{.path.path}}}}', targetRevision: main}}\n      destination: {{server: https://kubernetes.default.svc, namespace: '{{{{.path.basename}}}}'}}\n      syncPolicy: {{automated: {{prune: true}}}}\n"
    );
    home.write("repo/applications/apps.yaml", &set);
    home.write("repo/apps/films/claim.yaml", &claim("films-data", ""));
    home.write("repo/apps/films/player.yaml", &deployment("films", "films-data", false));
    home.commit();
    fs::rename(home.path("repo/apps/films"), home.path("repo/apps/movies")).unwrap();
    let answer = home.diff("--base HEAD -o json");
    assert_eq!(answer.code, 1, "{}", answer.err);
    let document: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let items = document["items"].as_array().unwrap();
    let of = |kind: &str, name: &str, namespace: &str| {
        let mut found = items
            .iter()
            .filter(|item| item["object"]["kind"] == kind && item["object"]["name"] == name);
        found
            .find(|item| item["object"]["namespace"] == namespace)
            .unwrap_or_else(|| panic!("{kind} {name}: {}", answer.out))
    };
    let lost = of("PersistentVolumeClaim", "films-data", "films");
    assert_eq!(
        (&lost["action"], &lost["reason"]),
        (&"prune".into(), &"application-deleted".into())
    );
    assert_eq!(
        lost["via"],
        serde_json::json!(["Application/root", "ApplicationSet/apps", "Application/films"])
    );
    let empty = of("Deployment", "films", "movies");
    assert_eq!(empty["checks"][0]["check"], "workload-starts-empty");
    assert_eq!(of("Application", "films", "argocd")["renamedTo"]["name"], "movies");
}

#[test]
fn a_state_is_found_in_a_revision_in_another_folder_or_refused() {
    let home = Home::new();
    let clone = home.path("clone");
    let from = format!("file://{}", home.path("repo").display());
    git(home.0.path(), &["clone", "--quiet", &from, clone.to_str().unwrap()]);
    home.remove("repo/media/claim.yaml");
    home.commit();
    let folder = format!("--base-dir {}", clone.display());
    for arguments in ["", "--base HEAD~1", "--base HEAD~1 --head HEAD", &folder] {
        let answer = home.diff(arguments);
        assert_eq!(answer.code, 1, "{arguments}: {}", answer.err);
        assert_eq!(
            answer.rows()[0],
            "data-loss prune PersistentVolumeClaim/media/",
            "{arguments}"
        );
    }
    // The other way round.
    assert!(home.diff("--base HEAD --head HEAD~1").out.contains("create"));
    let answer = home.diff("--base nope");
    assert_eq!(answer.code, 3);
    assert!(answer.err.contains("git knows no revision `nope`"), "{}", answer.err);
    let shallow = home.path("shallow");
    git(
        home.0.path(),
        &["clone", "--quiet", "--depth=1", &from, shallow.to_str().unwrap()],
    );
    let answer = home.diff(&format!("--repo-dir {}", shallow.display()));
    assert_eq!(answer.code, 3);
    assert!(answer.err.contains("fetch-depth: 0"), "{}", answer.err);
}

#[test]
fn the_users_own_program_shows_the_objects() {
    let home = Home::new();
    home.write("repo/media/claim.yaml", &claim("data", "labels: {a: b}"));
    let program = home.script("show", "#!/bin/sh\necho \"$1:\"; ls $2 $3; exit 1\n");
    let variables = [("KUBECTL_EXTERNAL_DIFF", format!("{program} -x"))];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = home.diff_with("-o diff", &variables);
    assert_eq!(answer.out.lines().next(), Some("-x:"), "{}", answer.err);
    assert_eq!(
        answer.out.matches("PersistentVolumeClaim.media.data").count(),
        2,
        "{}",
        answer.out
    );
    let answer = home.diff("-o diff");
    assert!(answer.out.contains("+  labels:\n+    a: b"), "{}", answer.out);
}

#[test]
fn a_change_in_the_repository_of_a_source_is_compared() {
    let home = Home::new();
    let charts = home.path("charts");
    fs::create_dir(&charts).unwrap();
    git(&charts, &["init", "--quiet", "--initial-branch=main"]);
    home.write("charts/app/claim.yaml", &claim("app-data", ""));
    git(&charts, &["add", "--all"]);
    git(&charts, &["commit", "--quiet", "--message=x"]);
    let source = application("far", "app", "").replace(URL, "https://git.example.org/me/charts-of-mine");
    home.write("repo/applications/far.yaml", &source);
    home.commit();
    home.write("charts/app/claim.yaml", &claim("app-films", ""));
    let dirs = format!("--base HEAD --source-dir charts-of-mine={}", charts.display());
    assert_eq!(home.diff(&dirs).out, "");
    let answer = home.diff(&format!("{dirs} --source-base charts-of-mine=HEAD"));
    assert_eq!(answer.code, 1, "{}", answer.err);
    assert_eq!(answer.rows()[0], "data-loss prune PersistentVolumeClaim/media/");
    let answer = home.diff("--base HEAD --source-base charts-of-mine=HEAD");
    assert!(answer.err.contains("--source-dir charts-of-mine=DIR"), "{}", answer.err);
}

#[test]
fn random_values_are_no_changes_and_helm_is_started_twice_at_most() {
    let home = Home::new();
    let helm = format!(
        "#!/bin/sh\necho \"$@\" >> {}\ncase \"$1\" in template) ;; *) exit 0;; esac\ncat templates/*.yaml\necho '---'\nprintf 'apiVersion: v1\\nkind: Secret\\nmetadata: {{name: random}}\\nstringData: {{key: \"%s\"}}\\n' $(od -An -N8 -tx1 /dev/urandom | tr -d ' ')\n",
        home.path("count").display()
    );
    let helm = home.script("helm", &helm);
    for name in ["one", "two", "three"] {
        home.write(
            &format!("repo/applications/{name}.yaml"),
            &application(name, &format!("charts/{name}"), ""),
        );
        home.write(
            &format!("repo/charts/{name}/Chart.yaml"),
            "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        );
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: b}\n";
        home.write(
            &format!("repo/charts/{name}/templates/map.yaml"),
            &map.replace("map", name),
        );
    }
    home.commit();
    home.write(
        "repo/charts/two/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata: {a: c}\n",
    );
    let answer = home.diff(&format!("--base HEAD --helm {helm}"));
    assert_eq!(
        answer.rows(),
        ["routine change ConfigMap/media/two"],
        "{} {}",
        answer.out,
        answer.err
    );
    let starts = fs::read_to_string(home.path("count")).unwrap();
    let renders = starts.lines().filter(|line| line.starts_with("template")).count();
    assert!(renders <= 4, "{starts}");
}

#[test]
fn a_value_file_of_another_source_makes_its_application_differ() {
    let home = Home::new();
    let helm = "#!/bin/sh\ncase \"$1\" in template) ;; *) exit 0;; esac\nfor last in \"$@\"; do case \"$last\" in */home.yaml) cat \"$last\";; esac; done\n";
    let helm = home.script("helm", helm);
    home.write("repo/charts/c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: b}\n";
    home.write("repo/values/home.yaml", map);
    let sources = format!(
        "sources: [{{repoURL: \"{URL}\", path: charts/c, helm: {{valueFiles: [$values/values/home.yaml]}}}}, {{repoURL: \"{URL}\", ref: values}}]"
    );
    let one = format!("source: {{repoURL: \"{URL}\", path: charts/c, targetRevision: main}}");
    home.write(
        "repo/applications/c.yaml",
        &application("c", "charts/c", "").replace(&one, &sources),
    );
    home.commit();
    home.write("repo/values/home.yaml", &map.replace("a: b", "a: c"));
    let answer = home.diff(&format!("--base HEAD --helm {helm}"));
    assert_eq!(
        answer.rows(),
        ["routine change ConfigMap/media/map"],
        "{} {}",
        answer.out,
        answer.err
    );
}

#[test]
fn settings_that_differ_make_everything_count() {
    let home = Home::new();
    home.write("repo/.homelab.yaml", "kubeVersion: \"1.34\"\n");
    let answer = home.diff("");
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(
        answer
            .err
            .contains("all Applications are compared: `.homelab.yaml` differs"),
        "{}",
        answer.err
    );
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diff.md");

/// Returns a page with the text between `<!-- NAME -->` and the next `<!-- end -->` replaced.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let start = format!("<!-- {name} -->\n");
    let (before, rest) = page.split_once(&start).unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{start}{table}<!-- end -->{after}")
}

#[test]
fn the_page_lists_every_reason_and_every_check() {
    let reasons = homelab::compare::REASONS.iter();
    let reasons = reasons.map(|(word, action, meaning)| format!("| `{action}` | `{word}` | {meaning} |\n"));
    let checks = homelab::compare::checks::ALL.iter();
    let checks = checks.map(|check| {
        format!(
            "| {} | [`{}`]({}) | {} | {} |\n",
            check.level, check.id, check.reference, check.summary, check.way_out
        )
    });
    let page = fs::read_to_string(PAGE).unwrap();
    let table = |head: &str, rows: String| format!("{head}{rows}");
    let expected = with_table(
        &page,
        "reasons",
        &table("| action | reason | when |\n|---|---|---|\n", reasons.collect()),
    );
    let expected = with_table(
        &expected,
        "checks",
        &table(
            "| level | check | what it finds | what to do |\n|---|---|---|---|\n",
            checks.collect(),
        ),
    );
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(expected, snapbox::Data::read_from(Path::new(PAGE), None).raw());
}

const OUTCOMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/outcomes.md");

#[test]
fn the_page_of_outcomes_has_every_case() {
    let cases: Vec<serde_json::Value> = yaml_serde::from_str(include_str!("vectors/outcomes.yaml")).unwrap();
    let mut rows = Vec::new();
    // Without `when`, a case is for the prediction alone.
    for case in cases.iter().filter(|case| case["when"].is_string()) {
        let text = |key: &str| case[key].as_str().unwrap();
        let words: Vec<&str> = text("is").split(' ').collect();
        let action = Predicted::ALL
            .iter()
            .position(|action| action.word() == words[0])
            .unwrap();
        let guard = match words[2] {
            "none" => String::new(),
            guard => format!(", guard `{guard}`"),
        };
        let row = format!(
            "| {} | `{}` | `{}`{guard} | {} |\n",
            text("when"),
            words[0],
            words[1],
            text("did")
        );
        rows.push((action, row));
    }
    rows.sort_by_key(|(action, _)| *action);
    let head = "| what changes | predicted | reason | what Argo CD did |\n|---|---|---|---|\n";
    let missing = Predicted::ALL
        .iter()
        .zip(0..)
        .find(|(_, index)| !rows.iter().any(|(action, _)| action == index));
    assert_eq!(missing, None, "an action that was not tried");
    let count = rows.len();
    let table: String = rows.into_iter().map(|(_, row)| row).collect();
    let page = fs::read_to_string(OUTCOMES).unwrap();
    let expected = with_table(&page, "outcomes", &format!("{head}{table}\n{count} rows.\n"));
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .eq(expected, snapbox::Data::read_from(Path::new(OUTCOMES), None).raw());
}

/// Returns the scripts of the workflows in the page that run this program.
fn scripts(page: &str) -> Vec<String> {
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let workflows = blocks.map(|text| yaml_serde::from_str::<serde_json::Value>(text).unwrap());
    let runs = workflows.flat_map(|workflow| {
        let steps = workflow["jobs"]["diff"]["steps"].as_array().unwrap().clone();
        steps
            .into_iter()
            .filter_map(|step| step["run"].as_str().map(str::to_owned))
    });
    runs.filter(|script| script.contains("homelab diff")).collect()
}

#[test]
fn the_workflows_in_the_page_comment_and_fail() {
    let home = Home::new();
    home.remove("repo/media/claim.yaml");
    home.commit();
    home.script(
        "bin/kubectl",
        &format!(
            "#!/bin/sh\nshift\nexec {} \"$@\"\n",
            env!("CARGO_BIN_EXE_kubectl-homelab")
        ),
    );
    home.script("bin/gh", "#!/bin/sh\necho \"$@\" > ../said\ncat diff.md >> ../said\n");
    home.script("bin/jq", "#!/bin/sh\ncat diff.md\n");
    home.script("bin/curl", "#!/bin/sh\necho \"$@\" > ../said\ncat >> ../said\n");
    let page = fs::read_to_string(PAGE).unwrap();
    let scripts = scripts(&page);
    assert_eq!(scripts.len(), 2);
    for (script, said) in scripts.iter().zip(["pr comment 7 ", "https://example.org/comments"]) {
        // Applications of other repositories are none of this test.
        let script = script.replace("--fetch ", "");
        let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["-e", "-c", &script])
            .current_dir(home.path("repo"))
            .env("PATH", path)
            .env("HOMELAB_CACHE_DIR", home.path("cache"))
            .envs([
                ("BASE", "origin/main"),
                ("NUMBER", "7"),
                ("GITHUB_STEP_SUMMARY", "../summary"),
            ])
            .envs([("TOKEN", "t"), ("COMMENTS", "https://example.org/comments")])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = fs::read_to_string(home.path("said")).unwrap();
        assert!(
            text.contains(said) && text.contains("PersistentVolumeClaim/media/data"),
            "{text}"
        );
    }
}
