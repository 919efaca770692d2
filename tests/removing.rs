//! Applications that go, in a repository with a history: their data stays, or is lost in two commits; what is only in the working
//! tree guards nothing.

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
use std::process::{Command, Output};
use std::{env, fs};

use git::git;

use folder::copy;

/// A copy of the repository, with one commit.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories/removal");
        copy(&from, folder.path());
        let home = Self { folder };
        home.git(&["init", "--quiet", "--initial-branch=main"]);
        home.git(&["config", "user.name", "t"]);
        home.git(&["config", "user.email", "t@example.org"]);
        home.commit("one");
        home
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.folder.path(), arguments)
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn homelab(&self, arguments: &str) -> Output {
        let folder = |name: &str| {
            let program = env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test`"));
            PathBuf::from(program).parent().map(Path::to_owned)
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = ["HOMELAB_TEST_HELM", "HOMELAB_TEST_KUSTOMIZE"]
            .into_iter()
            .filter_map(folder);
        let folders = folders.chain(env::split_paths(&path));
        Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .env("PATH", env::join_paths(folders).unwrap())
            .env("HOME", self.path("nobody"))
            .env("XDG_CACHE_HOME", self.path("nobody"))
            .output()
            .unwrap()
    }

    /// Returns what a command says, which has to end with this code.
    fn says(&self, arguments: &str, code: i32) -> String {
        let output = self.homelab(arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        text
    }

    /// Returns whether `validate` finds claims without an owner since a revision.
    fn forgets(&self, base: &str) -> bool {
        let output = self.homelab(&format!("validate --rules +HL129 --base {base}"));
        String::from_utf8(output.stdout).unwrap().contains("HL129")
    }
}

#[test]
fn a_claim_is_forgotten_by_hand_and_kept_by_the_command() {
    let home = Home::new();
    let before = home.text("applications/media.yaml");
    let (without, _) = before.split_once("---\n# The database").unwrap();
    fs::write(home.path("applications/media.yaml"), without).unwrap();
    assert!(home.forgets("HEAD"), "its claims have no owner");
    fs::write(home.path("applications/media.yaml"), &before).unwrap();
    home.says("remove-app db --commit", 0);
    assert_eq!(
        home.text("applications/media.yaml"),
        without,
        "not one byte else is changed"
    );
    assert!(!home.forgets("HEAD~1"));
    assert!(home.says("list volumes -n media", 0).contains("db (gone, kept)"));
    let said = home.says("restore media/data-db-0 --to fetcher --commit", 0);
    assert!(said.contains("`media/data-db-0=db`"), "{said}");
    assert!(!home.forgets("HEAD~1"));
}

/// A set decides what its Applications ignore, and no file of their folders can have it.
#[test]
fn what_a_generated_owner_has_to_ignore_is_said_with_its_place() {
    let home = Home::new();
    home.says("convert wiki --commit", 0);
    home.says("remove-app db --commit", 0);
    let said = home.says("restore media/data-db-0 --to wiki", 0);
    let lines: Vec<String> = home.text("applications/sets.yaml").lines().map(str::to_owned).collect();
    let template = lines.iter().position(|line| line == "  template:").unwrap();
    let spec = template + lines[template..].iter().position(|line| line == "    spec:").unwrap() + 1;
    assert!(
        said.contains(&format!(
            "the sync of Application `wiki` fails unless it leaves that as it is in the cluster: in the template of ApplicationSet `folders`, \
             for all its Applications, in the `spec` at `applications/sets.yaml:{spec}:5`, add to `ignoreDifferences` the entry \
             `{{kind: PersistentVolumeClaim, jsonPointers: [/spec/accessModes, /spec/storageClassName, /spec/volumeMode, /spec/volumeName]}}` \
             and to `syncPolicy.syncOptions` the entry `RespectIgnoreDifferences=true`, and sync that before"
        )),
        "{said}"
    );
    // What is there is not said again, and with all of it nothing is.
    home.git(&["checkout", "--quiet", "."]);
    let entry = "{kind: PersistentVolumeClaim, jsonPointers: [/spec/accessModes, /spec/storageClassName, /spec/volumeMode, /spec/volumeName]}";
    let set = home.text("applications/sets.yaml");
    let set = set.replacen(
        "    spec:",
        &format!("    spec:\n      ignoreDifferences: [{entry}]"),
        1,
    );
    fs::write(home.path("applications/sets.yaml"), &set).unwrap();
    let restore = "restore media/data-db-0 --to wiki --dry-run=client";
    let said = home.says(restore, 0);
    assert!(
        said.contains("add to `syncPolicy.syncOptions` the entry `RespectIgnoreDifferences=true`, and"),
        "{said}"
    );
    let with_option = "syncPolicy: {syncOptions: [RespectIgnoreDifferences=true], automated";
    let set = set.replacen("syncPolicy: {automated", with_option, 1);
    fs::write(home.path("applications/sets.yaml"), &set).unwrap();
    assert!(!home.says(restore, 0).contains("fails unless"));
}

#[test]
fn windows_line_ends_stay() {
    let home = Home::new();
    let text = home.text("applications/windows.yaml");
    let two = format!("# both\r\n{text}---\r\n{}", text.replace("name: radio", "name: tuner"));
    fs::write(home.path("applications/windows.yaml"), &two).unwrap();
    home.commit("two");
    home.says("remove-app tuner", 0);
    assert_eq!(home.text("applications/windows.yaml"), format!("# both\r\n{text}"));
}

#[test]
fn a_guard_of_the_working_tree_keeps_nothing() {
    let home = Home::new();
    home.says("convert wiki", 0);
    let said = home.says("remove-app wiki", 3);
    assert!(
        said.contains("error: `PersistentVolumeClaim/web/wiki-data` would be deleted with its data"),
        "{said}"
    );
    assert!(home.path("folders/wiki/all.yaml").is_file());
    home.commit("guards");
    let said = home.says("remove-app wiki --commit", 0);
    assert!(said.contains("kept if Argo"), "{said}");
    assert!(!home.path("folders/wiki").exists());
    assert!(
        home.text("applications/namespaces.yaml")
            .contains("- web/wiki-data=wiki")
    );
}

#[test]
fn data_is_lost_in_two_commits() {
    let home = Home::new();
    let command = "remove-app player --delete-data player-config --confirm player-config --commit";
    home.says(command, 0);
    assert!(home.text("applications/media.yaml").contains("name: releases"));
    let rendered = home.says("render player", 0);
    assert!(
        rendered.contains("storage.home.arpa/release: player-config"),
        "{rendered}"
    );
    assert!(!rendered.contains("Prune=false"), "{rendered}");
    home.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    let refused = home.says(command, 3);
    assert!(
        refused.contains("the release of `media/player-config` is not committed"),
        "{refused}"
    );
    home.commit("release");
    home.says(command, 0);
    assert!(!home.text("applications/media.yaml").contains("name: player"));
    assert!(!home.text("applications/namespaces.yaml").contains("keeps"));
    assert!(!home.forgets("HEAD~1") && home.forgets("HEAD~2"));
}

#[test]
fn what_a_killed_command_began_the_same_command_completes() {
    let home = Home::new();
    home.says("remove-app player", 0);
    home.git(&["checkout", "--quiet", "applications/media.yaml"]);
    home.says("remove-app player", 0);
    let text = home.text("applications/namespaces.yaml");
    assert_eq!(text.matches("media/player-config=player").count(), 1, "{text}");
    assert!(!home.text("applications/media.yaml").contains("name: player"));
}

#[test]
fn what_has_the_name_of_a_claim_is_not_that_claim() {
    let home = Home::new();
    let file = "manifests/player/all.yaml";
    let cluster = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: player-config}\n";
    fs::write(home.path(file), format!("{}---\n{cluster}", home.text(file))).unwrap();
    home.commit("database");
    let command = "remove-app player --delete-data player-config --confirm player-config --commit";
    home.says(command, 0);
    let refused = home.says(command, 3);
    assert!(
        refused.contains("error: `Cluster/media/player-config` would be deleted with its data"),
        "{refused}"
    );
    assert!(home.text("applications/media.yaml").contains("name: player"));
}

#[test]
fn a_folder_of_a_set_goes_in_three_steps_each_committed_before_the_next() {
    let home = Home::new();
    let (set, claim) = (home.text("applications/sets.yaml"), home.text("folders/wiki/all.yaml"));
    let said = home.says("remove-app wiki", 0);
    assert!(said.contains("step 1 of 3"), "{said}");
    let early = home.says("remove-app wiki", 3);
    assert!(early.contains("preserveResourcesOnDeletion"), "{early}");
    assert_eq!(home.text("folders/wiki/all.yaml"), claim);
    home.commit("step 1");
    let said = home.says("remove-app wiki", 0);
    assert!(said.contains("step 2 of 3"), "{said}");
    assert!(home.text("applications/namespaces.yaml").contains("web/wiki-data=wiki"));
    let early = home.says("remove-app wiki", 3);
    assert!(
        early.contains("step 2 of 3, the removal, is not committed in `folders/wiki/all.yaml`"),
        "{early}"
    );
    home.commit("step 2");
    home.says("remove-app wiki --commit", 0);
    assert_eq!(home.text("applications/sets.yaml"), set);
}

#[test]
fn a_set_that_leaves_its_applications_alone_preserves_nothing() {
    let home = Home::new();
    let set = home.text("applications/sets.yaml");
    let closed = set.replacen(
        "  template:\n",
        "  syncPolicy: {applicationsSync: create-delete}\n  template:\n",
        1,
    );
    fs::write(home.path("applications/sets.yaml"), &closed).unwrap();
    home.commit("closed");
    let said = home.says("remove-app wiki", 3);
    assert!(said.contains("nothing guards `web/wiki-data` of `wiki`"), "{said}");
    let said = home.says("remove-app wiki --phase 1", 3);
    assert!(said.contains("its Applications would keep their finalizers"), "{said}");
    assert_eq!(home.text("applications/sets.yaml"), closed);
}
