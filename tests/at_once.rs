//! Commands that edit one repository at the same time: none loses what another one did, and a killed one stops nobody.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ROUNDS: usize = 15;
const LOCK: &str = ".kubectl-homelab.lock";

fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command.stdin(Stdio::null()).env("NO_COLOR", "1");
    command.env("HOMELAB_CACHE_DIR", folder.join("../cache"));
    command
}

fn run(folder: &Path, arguments: &str) -> Output {
    let output = command(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments}: {output:?}");
    output
}

/// Runs commands at the same time, and returns how they ended.
fn at_once(folder: &Path, all: &[String]) -> Vec<Output> {
    let start = |arguments: &String| {
        let mut command = command(folder, arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = all.iter().map(start).collect();
    running
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect()
}

/// Returns a repository, with git or without.
fn repository(has_git: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    if has_git {
        let made = Command::new("git").args(["init", "--quiet"]).arg(&home).status();
        assert!(made.unwrap().success());
    }
    run(&home, "init --repo-url https://git.example.org/me/home");
    folder
}

fn add_app(name: &str, more: &str) -> String {
    format!(
        "add-app {name} -n media --create-namespace --repo https://git.example.org/me/charts --path {name} --revision main {more}"
    )
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

fn exits(outputs: &[Output]) -> Vec<i32> {
    let mut exits: Vec<i32> = outputs.iter().map(|output| output.status.code().unwrap()).collect();
    exits.sort_unstable();
    exits
}

/// Checks that nothing but manifests is left.
fn check_left(home: &Path) {
    for folder in [
        home.to_owned(),
        home.join("applications"),
        home.join("namespaces"),
        home.join(".git"),
    ] {
        for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            assert!(name != LOCK && !name.starts_with(".homelab-"), "{name} is left");
        }
    }
}

#[test]
fn of_two_applications_of_one_name_one_is_added() {
    for round in 0..ROUNDS {
        let folder = repository(round % 2 == 0);
        let home = folder.path().join("home");
        let both = ["a", "b"].map(|value| add_app("player", &format!("--label from={value}")));
        let outputs = at_once(&home, &both);
        assert_eq!(exits(&outputs), [0, 3], "{outputs:?}");
        let winner = if outputs[0].status.success() {
            "from: a"
        } else {
            "from: b"
        };
        assert!(text(&home, "applications/player.yaml").contains(winner), "{outputs:?}");
        check_left(&home);
    }
}

#[test]
fn changes_of_one_application_are_all_made() {
    for round in 0..ROUNDS {
        let folder = repository(round % 2 == 0);
        let home = folder.path().join("home");
        run(&home, &add_app("player", ""));
        let all = [
            "--sync-wave 7",
            "--project media",
            "--label one=1",
            "--owns config",
            "--annotations two=2",
        ];
        let outputs = at_once(&home, &all.map(|field| add_app("player", &format!("--upsert {field}"))));
        assert_eq!(exits(&outputs), [0; 5], "{outputs:?}");
        let text = text(&home, "applications/player.yaml");
        for part in [
            "sync-wave: \"7\"",
            "project: media",
            "one: \"1\"",
            "- config",
            "two: \"2\"",
        ] {
            assert!(text.contains(part), "{part} is lost:\n{text}\n{outputs:?}");
        }
        check_left(&home);
    }
}

#[test]
fn of_two_applications_that_take_one_claim_one_is_refused() {
    for round in 0..ROUNDS {
        let folder = repository(round % 2 == 0);
        let home = folder.path().join("home");
        let outputs = at_once(&home, &["one", "two"].map(|name| add_app(name, "--owns films")));
        assert_eq!(exits(&outputs), [0, 1], "{outputs:?}");
        let added = ["one", "two"].map(|name| home.join(format!("applications/{name}.yaml")).exists());
        assert_eq!(added, [outputs[0].status.success(), outputs[1].status.success()]);
        check_left(&home);
    }
}

#[test]
fn fixes_namespaces_and_conversions_are_made_beside_each_other() {
    for _ in 0..3 {
        let folder = repository(true);
        let home = folder.path().join("home");
        let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: old, namespace: argocd}\nspec:\n  project: default\n  source: {repoURL: https://git.example.org/me/charts, path: old, targetRevision: main, plugin: {name: homelab-v1}}\n  destination: {server: https://kubernetes.default.svc, namespace: media}\n  syncPolicy: {automated: {prune: true}}\n";
        fs::write(home.join("applications/old.yaml"), application).unwrap();
        let all = [
            "add-namespace one",
            "validate --fix --unsafe-fixes --no-render",
            "add-namespace two",
            "init --force --repo-url https://git.example.org/me/home",
        ];
        let outputs = at_once(&home, &all.map(str::to_owned));
        assert!(
            outputs.iter().all(|output| output.status.code() <= Some(1)),
            "{outputs:?}"
        );
        assert!(text(&home, "namespaces/one.yaml").contains("name: one"));
        assert!(text(&home, "namespaces/two.yaml").contains("name: two"));
        check_left(&home);
    }
}

#[test]
fn commits_at_the_same_time_are_all_made() {
    let folder = repository(true);
    let home = folder.path().join("home");
    for arguments in [
        &["config", "user.name", "t"][..],
        &["config", "user.email", "t@example.org"],
        &["add", "--all"],
        &["commit", "--quiet", "--message=one"],
    ] {
        let done = Command::new("git").args(arguments).current_dir(&home).status();
        assert!(done.unwrap().success());
    }
    let names = ["a", "b", "c", "d", "e", "f"];
    let outputs = at_once(&home, &names.map(|name| format!("add-namespace {name} --commit")));
    assert_eq!(exits(&outputs), [0; 6], "{outputs:?}");
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(&home).output().unwrap();
    assert_eq!(git(&["rev-list", "--count", "HEAD"]).stdout, b"7\n");
    assert_eq!(git(&["status", "--porcelain"]).stdout, b"");
}

#[test]
fn who_waits_too_long_says_so_and_readers_do_not_wait() {
    for has_git in [true, false] {
        let folder = repository(has_git);
        let home = folder.path().join("home");
        let place = if has_git { home.join(".git") } else { home.clone() };
        let held = File::create(place.join(LOCK)).unwrap();
        held.lock().unwrap();
        let output = command(&home, "add-namespace media")
            .env("HOMELAB_LOCK_TIMEOUT", "100ms")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("another command is at work there"), "{message}");
        assert!(message.contains("hint: wait until it has ended"), "{message}");
        assert!(!home.join("namespaces/media.yaml").exists());
        for reader in [
            "list",
            "validate --no-render",
            "add-namespace media --dry-run",
            "validate --fix --dry-run --no-render",
            "init --adopt",
            "convert --all --dry-run=client",
            "init --force --dry-run --repo-url https://git.example.org/me/home",
        ] {
            run(&home, reader);
        }
        // Nothing tells the file from that of a killed command once the lock is free.
        drop(held);
        run(&home, "add-namespace media");
        check_left(&home);
    }
}

#[test]
fn what_a_killed_command_left_is_removed_by_the_next_one_that_writes() {
    let folder = repository(true);
    let home = folder.path().join("home");
    let left = home.join("applications/.homelab-Ab12x9.tmp");
    fs::write(&left, "half").unwrap();
    run(&home, "validate --no-render");
    run(&home, "add-namespace media --dry-run=client");
    assert!(left.exists(), "who only reads removes nothing");
    let output = run(&home, "add-namespace media");
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("removed 1 temporary file")
    );
    check_left(&home);
}

#[cfg(unix)]
#[test]
fn the_values_of_a_killed_command_are_removed_and_those_of_a_living_one_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = repository(true);
    let home = folder.path().join("home");
    let at = |name: &str| folder.path().join(name);
    for name in ["home/chart", "tmp", "bin"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::write(
        home.join("chart/Chart.yaml"),
        "apiVersion: v2\nname: c\nversion: 0.1.0\n",
    )
    .unwrap();
    let helm = "#!/bin/sh\nif [ -e hang ]; then rm hang; echo $$ > ../../pid; exec sleep 1000; fi\nexit 1\n";
    fs::write(at("bin/helm"), helm).unwrap();
    fs::set_permissions(at("bin/helm"), fs::Permissions::from_mode(0o755)).unwrap();
    let application = add_app("player", "").replace("me/charts --path player", "me/home --path chart");
    let mut paths = vec![at("bin")];
    paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths(paths).unwrap();
    let start = |arguments: &str| {
        let mut command = command(&home, arguments);
        command
            .env("TMPDIR", at("tmp"))
            .env("PATH", &path)
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let left = || fs::read_dir(at("tmp")).unwrap().count();

    fs::write(home.join("chart/hang"), "").unwrap();
    // It only looks, so that the other one need not wait for it.
    let mut killed = start(&format!("{application} --dry-run=client"));
    while fs::read_to_string(at("pid")).unwrap_or_default().is_empty() {
        std::thread::yield_now();
    }
    start(&application).wait().unwrap();
    assert_eq!(left(), 1, "its helm still reads them");
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Its helm is ended with it, which may take a moment.
    let is_removed = (0..50).any(|_| {
        start(&application).wait().unwrap();
        left() == 0
    });
    assert!(is_removed);
}
