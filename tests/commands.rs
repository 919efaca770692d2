//! The commands that edit, list, render and filter, as a user types them, with good and bad input.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

mod transcript;

#[test]
fn init() {
    transcript::check("tests/commands/init/shipped.trycmd");
}

#[test]
fn add_namespace() {
    transcript::check("tests/commands/add-namespace/cases.trycmd");
}

#[test]
fn lock() {
    transcript::check("tests/commands/lock/cases.trycmd");
}

#[test]
fn lock_in_a_kustomization() {
    transcript::check_in("tests/commands/lock/kustomize.trycmd", |to| {
        let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/layouts");
        transcript::sandbox::folder::copy(&repositories.join("kustomize"), to);
    });
}

#[test]
fn add_app() {
    transcript::check("tests/commands/add-app/cases.trycmd");
}

#[test]
fn add_app_refuses() {
    transcript::check("tests/commands/add-app/refused.trycmd");
}

/// Writes the repository whose Applications are converted to the plugin.
fn conversion_fixture(to: &Path) {
    transcript::sandbox::folder::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moving"), to);
}

#[test]
fn convert() {
    transcript::check_in("tests/commands/convert/cases.trycmd", conversion_fixture);
}

#[test]
fn convert_refuses() {
    transcript::check_in("tests/commands/convert/refused.trycmd", |to| {
        conversion_fixture(to);
        let stays = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/convert/stays.yaml");
        std::fs::copy(stays, to.join("applications/stays.yaml")).unwrap();
    });
}

/// With the policy on writes in the folder of the Namespaces, and Jobs that mount a claim.
#[test]
fn convert_where_writes_are_locked() {
    transcript::check_in("tests/commands/convert/locked.trycmd", |to| {
        conversion_fixture(to);
        let more = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/convert/locked");
        transcript::sandbox::folder::copy(&more, to);
        let policy = homelab::lock::writes();
        let text = policy.text(&policy.objects()).unwrap();
        std::fs::write(to.join("namespaces/foreign-claims-read-only.yaml"), text).unwrap();
    });
}

#[test]
fn overrides() {
    transcript::check_in("tests/commands/convert/overrides.trycmd", |to| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/overrides");
        transcript::sandbox::folder::copy(&repository, to);
    });
}

/// Homes as they lie: Applications in folders of any name, in one file, in a Kustomize folder, in a chart, from sets.
#[test]
fn layouts() {
    for layout in ["plain", "one-file", "kustomize", "chart", "sets"] {
        transcript::check_in(&format!("tests/commands/layouts/{layout}.trycmd"), |to| {
            let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/layouts");
            transcript::sandbox::folder::copy(&repositories.join(layout), to);
        });
    }
}

/// Where Applications are in homes, each with what is written there.
#[test]
fn writing_in_layouts() {
    for name in [
        "folder-each",
        "listed",
        "groups",
        "root-chart",
        "set-over-folders",
        "set-over-files",
        "folders",
    ] {
        transcript::check_in(&format!("tests/commands/layouts/{name}.trycmd"), |to| {
            let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
            transcript::sandbox::folder::copy(&repositories.join(name), to);
            // There is no git here: the folder says that this is a repository.
            std::fs::create_dir(to.join("applications")).unwrap();
            std::fs::write(to.join("applications/.gitkeep"), "").unwrap();
        });
    }
}

/// The verbs that change one thing of an Application, for all kinds of Applications.
#[test]
fn verbs() {
    for name in ["mount", "grant", "add-volume", "pause"] {
        transcript::check_in(&format!("tests/commands/verbs/{name}.trycmd"), |to| {
            let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
            transcript::sandbox::folder::copy(&repositories.join("verbs"), to);
        });
    }
    // What a Job runs cannot be changed.
    transcript::check_in("tests/commands/verbs/grant-job.trycmd", |to| {
        let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
        transcript::sandbox::folder::copy(&repositories.join("grant-job"), to);
    });
    transcript::check_in("tests/commands/verbs/mount-elsewhere.trycmd", |to| {
        let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
        transcript::sandbox::folder::copy(&repositories.join("mount-elsewhere"), to);
    });
}

/// Sets with options of a tool in their templates, and charts of Applications with values that lead to them.
#[test]
fn converting_sets() {
    for name in ["convert-set", "convert-set-refused", "leading-values", "two-clusters"] {
        transcript::check_in(&format!("tests/commands/layouts/{name}.trycmd"), |to| {
            let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
            transcript::sandbox::folder::copy(&repositories.join(name), to);
        });
    }
}

/// Applications and Namespaces that go, and their claims that stay.
#[test]
fn removing() {
    for name in ["apps", "in-steps"] {
        transcript::check_in(&format!("tests/commands/remove/{name}.trycmd"), |to| {
            let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
            transcript::sandbox::folder::copy(&repositories.join("removal"), to);
        });
    }
}

/// Two roots of one name over one chart, for two Argo CDs.
#[test]
fn two_roots() {
    transcript::check_in("tests/commands/layouts/two-roots.trycmd", |to| {
        let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
        transcript::sandbox::folder::copy(&repositories.join("two-roots"), to);
    });
}

/// Claims that go from one Application to another, and an Application that gets another name.
#[test]
fn handing_over() {
    for (name, repository) in [
        ("rename-app", "handover"),
        ("rename-folder", "rename-folder"),
        ("rename-rendered", "rename-rendered"),
        ("move-owner", "handover"),
        ("replace-app", "handover"),
        ("several-sources", "handover-sources"),
    ] {
        transcript::check_in(&format!("tests/commands/handover/{name}.trycmd"), |to| {
            let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
            transcript::sandbox::folder::copy(&repositories.join(repository), to);
        });
    }
}

#[test]
fn graph() {
    transcript::check("tests/commands/graph/cases.trycmd");
}

#[test]
fn baseline() {
    transcript::check_in("tests/commands/baseline/cases.trycmd", |to| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/validate/storage.in");
        transcript::sandbox::folder::copy(&repository, to);
    });
}

#[test]
fn list() {
    transcript::check("tests/commands/list/cases.trycmd");
}

/// Roots whose Applications are not looked for: the list is no all-clear.
#[test]
fn list_roots_that_are_not_read() {
    transcript::check_in("tests/commands/list/unsearched.trycmd", |to| {
        let repositories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
        transcript::sandbox::folder::copy(&repositories.join("unsearched"), to);
    });
}

#[test]
fn list_sets() {
    transcript::check_in("tests/commands/list/sets.trycmd", |to| {
        transcript::sandbox::folder::copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/list/sets"),
            to,
        );
    });
}

#[test]
fn render_refuses() {
    transcript::check("tests/commands/render/refused.trycmd");
}

#[test]
fn claims_in_other_kinds() {
    transcript::check_in("tests/commands/validate/other_kinds.trycmd", |to| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/other-kinds");
        transcript::sandbox::folder::copy(&repository, to);
    });
}

#[test]
fn projects_refuse() {
    transcript::check_in("tests/commands/validate/projects.trycmd", |to| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/projects");
        transcript::sandbox::folder::copy(&repository, to);
    });
}

#[test]
fn cmp_manifest() {
    transcript::check("tests/commands/cmp/manifest.trycmd");
}

#[test]
fn refresh_sync_and_wait_refuse() {
    transcript::check("tests/commands/cluster/refused.trycmd");
}

#[test]
fn without_a_cluster_a_hint_names_the_next_step() {
    transcript::check("tests/commands/cluster/unreachable.trycmd");
}

/// Runs the program in a folder, with a text on its standard input.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn outside_a_repository_a_hint_names_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["list"][..], &["validate"], &["render", "x"], &["add-namespace", "x"]] {
        let output = run(folder.path(), command, "");
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        let message = text(&output.stderr);
        assert!(message.contains("is not in a GitOps repository"), "{message}");
        assert!(message.contains("\nhint: change into the repository"), "{message}");
    }
}

const STREAM: &str = "\
# first
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: films, namespace: media}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: player
  namespace: media
spec:
  template:
    spec:
      containers:
        - name: player   # the only one
          volumeMounts:
            - {name: audio, mountPath: /audio}
      volumes:
        - name: audio
          persistentVolumeClaim: {claimName: audio}
";

#[test]
fn filter_applies_the_storage_rules_and_changes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(
        folder.path(),
        &["filter", "--app", "player", "--mount", "more:/more"],
        STREAM,
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout), @r#"
    # first
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: films, namespace: media, labels: {kor/used: "true", storage.home.arpa/owner: player}, annotations: {argocd.argoproj.io/compare-options: IgnoreExtraneous, argocd.argoproj.io/sync-options: "Prune=false,Delete=false", helm.sh/resource-policy: keep}}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: player
      namespace: media
    spec:
      template:
        spec:
          containers:
            - name: player   # the only one
              volumeMounts:
                - {name: audio, mountPath: /audio, readOnly: true}
                - name: homelab-more
                  mountPath: /more
                  readOnly: true
          volumes:
            - name: audio
              persistentVolumeClaim: {claimName: audio, readOnly: true}
            - name: homelab-more
              persistentVolumeClaim:
                claimName: more
                readOnly: true
    "#);
    let owned = run(folder.path(), &["filter", "--app", "player", "--owns", "audio"], STREAM);
    assert!(!text(&owned.stdout).contains("readOnly"), "{}", text(&owned.stdout));
}

#[test]
fn filter_refuses_what_it_cannot_check() {
    let folder = tempfile::tempdir().unwrap();
    let half = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n";
    let elsewhere = STREAM.replace("namespace: media}", "namespace: radio}");
    for (input, arguments, part) in [
        ("", &[][..], "the render is empty"),
        (half, &[], "has no `metadata.name`"),
        ("a: [\n", &[], "line 1, column 4: unclosed bracket"),
        (&elsewhere, &[], "several namespaces: media, radio"),
        (STREAM, &["--mount", "a:/a,workload=x"], "there is no workload `x`"),
        (
            STREAM,
            &["--mount", "a:/audio"],
            "`audio` is already mounted at `/audio`",
        ),
    ] {
        let output = run(
            folder.path(),
            &[&["filter", "--app", "player"], arguments].concat(),
            input,
        );
        let message = text(&output.stderr);
        assert!(message.contains(part), "{part} in {message}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), ""));
    }
    let output = run(folder.path(), &["filter", "--app", "player", "--allow-empty"], "");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), ""));
}
