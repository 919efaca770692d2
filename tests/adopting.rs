//! `adopt` in small repositories of every layout: the plan, and its steps as commits, each after the one before.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/folder.rs"]
mod folder;
#[path = "transcript/git.rs"]
mod git;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use git::git;

/// A copy of a repository of `tests/repositories`, committed.
struct Home(tempfile::TempDir);

/// What git commits as, whoever runs the tests.
const GIT: [(&str, &str); 5] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_AUTHOR_NAME", "a"),
    ("GIT_AUTHOR_EMAIL", "a@example.org"),
    ("GIT_COMMITTER_NAME", "a"),
    ("GIT_COMMITTER_EMAIL", "a@example.org"),
];

impl Home {
    fn new(repository: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
        folder::copy(&from.join(repository), home.0.path());
        home.git(&["init", "--quiet", "--initial-branch", "main"]);
        home.git(&["remote", "add", "origin", "https://git.example.org/home"]);
        home.git(&["add", "--all"]);
        home.git(&["commit", "--quiet", "--message", "Before"]);
        home
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.0.path(), arguments)
    }

    /// Returns whether a command succeeds, and what it prints.
    fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let helm = env::var_os("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = PathBuf::from(helm).parent().map(Path::to_owned).into_iter();
        let folders = folders.chain(env::split_paths(&path));
        let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("PATH", env::join_paths(folders).unwrap())
            .env("HOME", self.0.path().join(".git/nobody"))
            .env("XDG_CACHE_HOME", self.0.path().join(".git/nobody"))
            .envs(GIT)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (succeeds, out, message) = self.run(arguments);
        assert!(succeeds, "{arguments:?}: {message}");
        out
    }

    /// Makes every step as a commit of its own, and returns the subjects of the commits.
    fn adopted(&self) -> Vec<String> {
        for _ in 0..3 {
            self.done(&["adopt", "-y", "--commit"]);
        }
        let (_, _, end) = self.run(&["adopt", "-y"]);
        assert_eq!(end, "nothing is left to adopt\n");
        let subjects = self.git(&["log", "--reverse", "--format=%s"]);
        subjects.lines().skip(1).map(str::to_owned).collect()
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }
}

#[test]
fn manifests_in_any_folder_move_in_three_commits() {
    let home = Home::new("adopt-folders");
    let before = home.text("argocd/storage/storage.yaml");
    insta::assert_snapshot!(home.done(&["adopt", "-o", "text"]), @r#"
    Claims, as they are used today

    NAMESPACE   CLAIM   OWNER     WRITERS   READERS
    media       media   storage   fetcher   player

    Applications that `adopt` moves to the plugin

      fetcher
        writes media. In argocd/media/fetcher.yaml
      player
        reads media. In argocd/media/player.yaml
      storage
        owns media/media. In argocd/storage/storage.yaml
    "#);
    assert_eq!(home.git(&["status", "--short"]), "", "a plan changes nothing");
    assert_eq!(
        home.adopted(),
        [
            "Guard Application storage for the move to the plugin",
            "Convert 3 Applications to the plugin",
            "Take the guards of the move from Application storage",
        ]
    );
    let storage = home.text("argocd/storage/storage.yaml");
    assert!(
        storage.contains("- media/media") && !storage.contains("syncOptions"),
        "{storage}"
    );
    assert!(storage.contains("# the branch of the cluster"), "{storage}");
    assert!(storage.len() > before.len());
    insta::assert_snapshot!(home.done(&["list", "volumes"]), @r#"
    NAMESPACE   CLAIM   OWNER     WRITERS   READERS
    media       media   storage   fetcher   player
    "#);
    let (_, report, _) = home.run(&["validate"]);
    assert!(!report.contains("error["), "{report}");
}

#[test]
fn a_step_waits_until_the_one_before_is_committed() {
    let home = Home::new("adopt-folders");
    home.done(&["adopt", "-y"]);
    let (succeeds, _, message) = home.run(&["adopt", "-y"]);
    assert!(!succeeds && message.contains("step 1 of 3, the guards"), "{message}");
    let plan = home.run(&["adopt"]);
    assert!(plan.0 && plan.2.contains("the next step waits"), "{}", plan.2);
}

#[test]
fn the_template_of_a_set_is_guarded_and_its_folders_get_the_parameters() {
    let home = Home::new("adopt-set");
    let before = home.text("sets/apps.yaml");
    insta::assert_snapshot!(home.done(&["adopt"]), @r#"
    Claims, as they are used today

    NAMESPACE   CLAIM        OWNER      WRITERS   READERS
    radio       recordings   recorder   radio     -

    Applications that `adopt` moves to the plugin

      radio
        writes recordings. In apps/radio/.argocd-source.yaml; its guards of the move
        go into ApplicationSet `apps` (sets/apps.yaml)
      recorder
        owns recordings. In apps/recorder/.argocd-source.yaml; its guards of the
        move go into ApplicationSet `apps` (sets/apps.yaml)

    The next step

    --- a/sets/apps.yaml
    +++ b/sets/apps.yaml
    @@ -12,6 +12,8 @@
       template:
         metadata:
           name: '{{ .path.basename }}'   # the folder
    +      annotations:
    +        storage.home.arpa/moving: Prune=false,Delete=false
         spec:
           project: default
           source:
    @@ -19,3 +21,7 @@
             targetRevision: main
             path: '{{ .path.path }}'
           destination: {server: https://kubernetes.default.svc, namespace: radio}
    +      syncPolicy:
    +        syncOptions:
    +        - Prune=false
    +        - Delete=false
    "#);
    assert_eq!(
        home.adopted(),
        [
            "Guard what ApplicationSet apps generates for the move to the plugin",
            "Move what ApplicationSet apps generates to the plugin",
            "Take the guards of the move from ApplicationSet apps",
        ]
    );
    assert_eq!(home.text("sets/apps.yaml"), before);
    insta::assert_snapshot!(home.text("apps/recorder/.argocd-source.yaml"), @r#"
    plugin:
      name: homelab-v1
      parameters:
      - name: owns
        array:
        - recordings
    "#);
    insta::assert_snapshot!(home.text("apps/radio/.argocd-source.yaml"), @r#"
    plugin:
      name: homelab-v1
      parameters:
      - name: writes
        array:
        - recordings
    "#);
    insta::assert_snapshot!(home.done(&["list", "volumes"]), @r#"
    NAMESPACE   CLAIM        OWNER      WRITERS   READERS
    radio       recordings   recorder   radio     -
    "#);
}

#[test]
fn what_a_rendered_set_generates_moves_in_one_commit_each() {
    let home = Home::new("adopt-set");
    let set = home
        .text("sets/apps.yaml")
        .replace("'{{", "'{{`{{")
        .replace("}}'", "}}`}}'");
    let write = |path: &str, text: &str| {
        let path = home.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    home.git(&["rm", "--quiet", "sets/apps.yaml"]);
    write("sets/Chart.yaml", "apiVersion: v2\nname: sets\nversion: 1.0.0\n");
    write("sets/templates/apps.yaml", &set);
    home.git(&["add", "--all"]);
    home.git(&["commit", "--quiet", "--message", "The set is rendered"]);
    let (succeeds, plan, end) = home.run(&["adopt"]);
    assert!(succeeds);
    insta::assert_snapshot!(plan + &end, @r#"
    Claims, as they are used today

    NAMESPACE   CLAIM        OWNER      WRITERS   READERS
    radio       recordings   recorder   radio     -

    Applications that are changed by hand

      radio
        writes recordings. ApplicationSet `apps` generates it, and is rendered
        itself (sets/Chart.yaml), so that `adopt` writes no guards there. One commit
        suffices, as no object changes its name: `kubectl homelab convert radio
        --writes recordings` writes apps/radio/.argocd-source.yaml
      recorder
        owns recordings. ApplicationSet `apps` generates it, and is rendered itself
        (sets/Chart.yaml), so that `adopt` writes no guards there. One commit
        suffices, as no object changes its name: `kubectl homelab convert recorder
        --owns recordings` writes apps/recorder/.argocd-source.yaml
    no step is left that `adopt` can do here; 2 to be changed by hand
    "#);
    home.done(&["convert", "recorder", "--owns", "recordings"]);
    home.done(&["convert", "radio", "--writes", "recordings"]);
    let (_, _, end) = home.run(&["adopt", "-y"]);
    assert_eq!(end, "nothing is left to adopt\n");
}

#[test]
fn what_a_chart_renders_is_named_with_its_chart() {
    let home = Home::new("adopt-chart");
    let (succeeds, plan, end) = home.run(&["adopt"]);
    assert!(succeeds);
    insta::assert_snapshot!(plan + &end, @r#"
    Claims, as they are used today

    NAMESPACE   CLAIM   OWNER   WRITERS   READERS
    notes       notes   notes   -         -

    Applications that are changed by hand

      notes
        owns notes. `root` renders it from the chart `apps` (bootstrap/root.yaml):
        in the templates of the chart, or in the values that they fill in, first add
        `Prune=false` and `Delete=false` to its `syncOptions` and wait for the sync,
        then give its source `plugin: {name: homelab-v1, parameters: [{name: owns,
        array: [notes]}]}`, with its options as parameters, then take the options
        away again
    no step is left that `adopt` can do here; 1 to be changed by hand
    "#);
}

#[test]
fn a_folder_of_two_and_the_namespaces_of_claims_move_and_what_is_named_turns_read_only() {
    let home = Home::new("adopt-every-layout");
    insta::assert_snapshot!(home.done(&["adopt", "-o", "text", "--read-only", "player/media"]), @r#"
    Claims, as they are used today

    NAMESPACE   CLAIM        OWNER          WRITERS        READERS
    blue        backup       backup-blue    -              -
    green       backup       backup-green   -              -
    media       loose        loose          -              -
    media       media        storage        fetcher        player viewer
    notes       notes        notes          notes-backup   -
    radio       recordings   recorder       radio          -

    Applications that `adopt` moves to the plugin

      spaces
        renders Namespace blue, green, media, notes, radio. In
        bootstrap/layouts.yaml
      fetcher
        writes media. In clusters/home/media/fetcher.yaml
      player
        reads media; turns read-only for media. In clusters/home/media/player.yaml
      viewer
        reads media. In clusters/home/media/viewer.yaml
      storage
        owns media/media. In clusters/home/storage.yaml
      radio
        writes recordings. In apps/radio/.argocd-source.yaml; its guards of the move
        go into ApplicationSet `folders` (bootstrap/sets.yaml)
      recorder
        owns recordings. In apps/recorder/.argocd-source.yaml; its guards of the
        move go into ApplicationSet `folders` (bootstrap/sets.yaml)
      backup-blue
        owns backup. In shared/backup/.argocd-source-backup-blue.yaml; its guards of
        the move go into ApplicationSet `twins` (bootstrap/sets.yaml)
      backup-green
        owns backup. In shared/backup/.argocd-source-backup-green.yaml; its guards
        of the move go into ApplicationSet `twins` (bootstrap/sets.yaml)

    Applications that are changed by hand

      loose
        owns loose. It is in a List in bootstrap/listed.yaml: write it as a document
        of its own first
      notes
        owns notes. `of-a-chart` renders it from the chart `charts/apps`
        (bootstrap/layouts.yaml): in the templates of the chart, or in the values
        that they fill in, first add `Prune=false` and `Delete=false` to its
        `syncOptions` and wait for the sync, then give its source `plugin: {name:
        homelab-v1, parameters: [{name: owns, array: [notes]}]}`, with its options
        as parameters, then take the options away again
      notes-backup
        writes notes. `of-a-chart` renders it from the chart `charts/apps`
        (bootstrap/layouts.yaml): in the templates of the chart, or in the values
        that they fill in, first add `Prune=false` and `Delete=false` to its
        `syncOptions` and wait for the sync, then give its source `plugin: {name:
        homelab-v1, parameters: [{name: writes, array: [notes]}]}`, with its options
        as parameters, then take the options away again
    "#);
    for _ in 0..3 {
        home.done(&["adopt", "-y", "--commit", "--read-only", "player/media"]);
    }
    let subjects = home.git(&["log", "--reverse", "--format=%s"]);
    insta::assert_snapshot!(subjects, @r#"
    Before
    Guard 2 Applications for the move to the plugin; Guard what ApplicationSet folders generates for the move to the plugin; Guard what ApplicationSet twins generates for the move to the plugin
    Convert 5 Applications to the plugin; Move what ApplicationSet folders generates to the plugin; Move what ApplicationSet twins generates to the plugin
    Take the guards of the move from 2 Applications; Take the guards of the move from ApplicationSet folders; Take the guards of the move from ApplicationSet twins
    "#);
    let spaces = home.text("bootstrap/layouts.yaml");
    assert!(
        spaces.contains(".;/apps;/bootstrap;/charts;/clusters;/manifests;/shared"),
        "{spaces}"
    );
    insta::assert_snapshot!(home.done(&["list", "volumes"]), @r#"
    NAMESPACE   CLAIM        OWNER          WRITERS        READERS
    blue        backup       backup-blue    -              -
    green       backup       backup-green   -              -
    media       loose        loose          -              -
    media       media        storage        fetcher        player viewer
    notes       notes        notes          notes-backup   -
    radio       recordings   recorder       radio          -
    "#);
}

#[test]
fn a_claim_that_cannot_turn_read_only_is_refused() {
    let home = Home::new("adopt-every-layout");
    for (choice, why) in [
        ("storage/media/media", "owns the claim"),
        ("player/other", "does not write the claim"),
        ("nobody/media", "uses no claim that is known here"),
        ("media", "it is not APP/CLAIM"),
    ] {
        let (succeeds, _, message) = home.run(&["adopt", "--read-only", choice]);
        assert!(!succeeds && message.contains(why), "{choice}: {message}");
    }
}

#[test]
fn the_plan_is_json_for_scripts() {
    let home = Home::new("adopt-folders");
    let plan: serde_json::Value = serde_json::from_str(&home.done(&["adopt", "-o", "json"])).unwrap();
    let at = |pointer: &str| plan.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/claims/0/owners/0"), "storage");
    assert_eq!(at("/claims/0/writers/0"), "fetcher");
    assert_eq!(at("/applications/2/owns/0"), "media/media");
    assert_eq!(at("/next/files/0"), "argocd/storage/storage.yaml");
    assert!(at("/next/diff").as_str().unwrap().contains("+    - Prune=false"));
    let (succeeds, _, message) = home.run(&["adopt", "--commit"]);
    assert!(!succeeds && message.contains("needs '--yes'"), "{message}");
}
