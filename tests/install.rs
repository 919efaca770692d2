//! The installation, from a release archive to a command that completes: the real krew under the real kubectl takes the
//! manifest from a git repository and the archive from a server, and the plugin is used.
//!
//! `cargo xtask install-test` runs these alone; with `--archive FILE` it installs that archive.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/git.rs"]
mod git;
#[path = "install/home.rs"]
mod home;
#[path = "transcript/sandbox.rs"]
mod sandbox;

use std::fs;
use std::path::Path;

use home::{Home, all_output, text};

const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
/// The previous version: the same archive with another manifest.
const OLDER: &str = "v0.0.1";

/// Asserts that `kubectl homelab version` runs through krew's link, which leads to the folder of this version.
fn assert_runs(home: &Home, version: &str) {
    assert_eq!(
        home.runs(&["homelab", "version"]),
        format!("kubectl homelab {VERSION}\n")
    );
    let link = fs::read_link(home.bin().join("kubectl-homelab")).unwrap();
    let store = format!("store/homelab/{version}/kubectl-homelab");
    assert!(link.ends_with(store), "{}", link.display());
}

/// Returns what kubectl completes in a copy of the shipped repository, without the flags that it adds.
fn completed(home: &Home, words: &[&str]) -> Vec<String> {
    let full = [&["__complete", "homelab"], words].concat();
    let output = home.kubectl_in(&home.repository(), &full);
    let complaints: Vec<&str> = text(&output.stderr)
        .lines()
        // kubectl's own diagnostics, which its shell scripts ignore.
        .filter(|line| !line.starts_with("[Debug] ") && !line.starts_with("Completion ended with directive"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let lines = text(&output.stdout).lines().filter(|line| !line.starts_with(':'));
    lines
        .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn from_the_index_it_installs_completes_upgrades_and_uninstalls() {
    let home = Home::new();
    home.install_neighbour();
    let older = home
        .manifest()
        .replace(&format!("version: {VERSION}"), &format!("version: {OLDER}"));
    assert!(older.contains(OLDER));
    home.publish(&older);
    home.runs(&["krew", "index", "add", "homelab", &home.index()]);
    assert!(home.runs(&["krew", "search", "homelab"]).contains("homelab/homelab"));
    home.runs(&["krew", "install", "homelab/homelab"]);
    assert_runs(&home, OLDER);

    assert!(
        completed(&home, &["rend"]).is_empty(),
        "krew makes no link for completion"
    );
    let link = home.bin().join("kubectl_complete-homelab");
    let created = home.runs(&["homelab", "completion", "install"]);
    assert_eq!(created, format!("{} created\n", link.display()));
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("kubectl-homelab"));
    assert_completes(&home);

    home.publish(&home.manifest());
    home.runs(&["krew", "update"]);
    home.runs(&["krew", "upgrade", "homelab"]);
    assert_runs(&home, VERSION);
    assert_completes(&home);
    // The tour of the README, by a plugin that krew installed.
    sandbox::check("README.md", &home.bin(), sandbox::shipped);

    home.runs(&["krew", "uninstall", "homelab"]);
    let gone = home.kubectl(&["homelab", "version"]);
    assert!(!gone.status.success());
    assert!(fs::symlink_metadata(&link).is_ok(), "the link is a leftover");
    assert!(completed(&home, &["rend"]).is_empty());

    home.runs(&["krew", "install", "homelab/homelab"]);
    assert_completes(&home);
    let removed = home.runs(&["homelab", "completion", "uninstall"]);
    assert_eq!(removed, format!("{} removed\n", link.display()));
    assert!(fs::symlink_metadata(&link).is_err());
}

fn assert_completes(home: &Home) {
    let completed = |words: &[&str]| completed(home, words);
    assert_eq!(completed(&["rend"]), ["render"]);
    assert_eq!(completed(&["list", "--output", "y"]), ["yaml"]);
    assert_eq!(completed(&["list", "--all-n"]), ["--all-namespaces"]);
    assert_eq!(
        completed(&["render", ""]),
        ["jellyfin", "namespaces", "pilotedge-audio-fetcher", "root"]
    );
    assert_eq!(completed(&["list", "-n", "je"]), ["jellyfin"]);
    assert_eq!(completed(&["filter", "--owns", "pvc"]), ["pvc-pe-audio"]);
}

#[test]
fn from_a_manifest_and_an_archive_it_installs_without_a_network() {
    let home = Home::new();
    let manifest = home.write("homelab.yaml", &home.manifest());
    let (manifest, archive) = (manifest.to_str().unwrap(), home.archive());
    home.runs(&[
        "krew",
        "install",
        "--manifest",
        manifest,
        "--archive",
        archive.to_str().unwrap(),
    ]);
    assert_runs(&home, VERSION);
    for file in [
        "LICENSE",
        "README.md",
        "man/kubectl-homelab-add-app.1",
        "completions/_kubectl-homelab",
    ] {
        let store = home.krew().join("store/homelab").join(VERSION);
        assert!(store.join(file).is_file(), "the archive has no {file}");
    }
}

#[test]
fn krews_validator_accepts_every_platform() {
    let home = Home::with_every_platform();
    let manifest = home.write("homelab.yaml", &home.manifest());
    let output = home.validates(&manifest);
    assert!(output.status.success(), "{}", all_output(&output));
    assert!(
        all_output(&output).contains("all 5 spec.platforms installed fine"),
        "{}",
        all_output(&output)
    );
}

#[test]
fn another_archive_a_missing_platform_and_an_unreleased_manifest_are_refused() {
    let home = Home::new();
    let refused = |manifest: &str, why: &str| {
        let manifest = home.write("homelab.yaml", manifest);
        let output = home.kubectl(&["krew", "install", "--manifest", manifest.to_str().unwrap()]);
        assert!(!output.status.success());
        assert!(all_output(&output).contains(why), "{why}\n{}", all_output(&output));
        assert!(fs::symlink_metadata(home.bin().join("kubectl-homelab")).is_err());
    };
    let manifest = home.manifest();
    let sum = home.sum();
    let other: String = sum.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    refused(&manifest.replace(&sum, &other), "checksum does not match");
    refused(&manifest.replace(&sum, &"0".repeat(64)), "checksum does not match");
    let (head, platforms) = manifest.split_once("  platforms:\n").unwrap();
    let elsewhere: Vec<&str> = platforms
        .split("    - ")
        .filter(|one| !one.contains(&sum) && !one.is_empty())
        .collect();
    let elsewhere = format!("{head}  platforms:\n    - {}", elsewhere.join("    - "));
    refused(&elsewhere, "does not offer installation for this platform");
}

#[test]
fn a_read_only_krew_folder_is_reported() {
    let home = Home::new();
    home.install();
    // The folder of krew's links, not that of its store.
    let (output, link) = home.as_unprivileged_user(&["homelab", "completion", "install"]);
    assert_eq!(output.status.code(), Some(3), "{}", all_output(&output));
    assert!(
        all_output(&output).contains("cannot change the folder"),
        "{}",
        all_output(&output)
    );
    assert!(all_output(&output).contains("--bin-dir DIR"), "{}", all_output(&output));
    assert!(fs::symlink_metadata(link).is_err());
    let (output, _) = home.as_unprivileged_user(&["krew", "uninstall", "homelab"]);
    assert!(!output.status.success());
    assert!(
        all_output(&output).contains("permission denied"),
        "{}",
        all_output(&output)
    );
    assert_runs(&home, VERSION);
}
