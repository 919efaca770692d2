//! The import law and the layout, so that they cannot rot: which room may name which, and which crates.
#![expect(clippy::disallowed_methods, reason = "a test reads the sources")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Room, the rooms that it may name besides itself and `failure`, and the crates.
const LAW: &[(&str, &[&str], &[&str])] = &[
    ("failure", &[], &["anyhow"]),
    ("model", &[], &["anyhow", "jsonptr", "serde", "serde_json"]),
    (
        "yaml",
        &[],
        &[
            "anyhow",
            "granit_parser",
            "json_patch",
            "jsonptr",
            "memchr",
            "serde",
            "serde_json",
        ],
    ),
    ("repo", &["model", "yaml"], &["anyhow", "json_patch"]),
    ("time", &[], &["anyhow", "jiff"]),
    (
        "law",
        &["model"],
        &["anyhow", "base16ct", "json_patch", "serde_json", "sha2"],
    ),
    (
        "rules",
        &["model", "yaml", "repo", "law"],
        &["anyhow", "json_patch", "serde_json"],
    ),
    (
        "edit",
        &["model", "yaml", "repo", "law", "rules"],
        &["anyhow", "json_patch", "serde_json"],
    ),
    (
        "render",
        &["model", "yaml", "repo", "law"],
        &["anyhow", "json_patch", "serde_json"],
    ),
    ("install", &["model", "yaml"], &["anyhow", "serde_json"]),
    (
        "report",
        &["model", "yaml", "repo", "rules"],
        &[
            "annotate_snippets",
            "anstyle",
            "comfy_table",
            "serde",
            "serde_json",
            "similar",
            "textwrap",
        ],
    ),
    (
        "disk",
        &["model", "yaml", "repo"],
        &["anyhow", "base16ct", "etcetera", "rustix", "sha2", "tempfile", "which"],
    ),
    (
        "process",
        &["time"],
        &["anyhow", "duct", "rustix", "signal_hook", "tempfile", "which"],
    ),
    (
        "helm",
        // It reads and writes helm's own configuration files and charts' lock files.
        &["model", "yaml", "repo", "render", "disk", "process", "time"],
        &["anyhow", "base16ct", "etcetera", "serde_json", "sha2", "tempfile"],
    ),
    ("git", &["model", "repo", "process", "time"], &["anyhow"]),
    (
        "cluster",
        &["model", "time"],
        &[
            "anyhow",
            "futures_util",
            "k8s_openapi",
            "kube",
            "serde_json",
            "strsim",
            "tokio",
        ],
    ),
    ("terminal", &[], &["anstream", "anstyle", "indicatif"]),
    (
        "cmp",
        &["model", "yaml", "repo", "rules", "render", "disk", "helm", "terminal"],
        &["anyhow", "serde_json"],
    ),
    (
        "cli",
        &[
            "model", "yaml", "repo", "law", "rules", "edit", "render", "install", "report", "disk", "helm", "git",
            "terminal", "cmp", "cluster", "time",
        ],
        &["anyhow", "clap", "clap_complete", "serde_json"],
    ),
    ("main", &[], &[]),
    ("lib", &[], &[]),
];

const BANNED_NAMES: &[&str] = &[
    "utils",
    "util",
    "helpers",
    "common",
    "manager",
    "handler",
    "processor",
    "types",
    "misc",
];
const LONGEST_FILE: usize = 400;

struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

impl Source {
    /// The code that ships: without tests and comments.
    fn code(&self) -> String {
        let shipped = self.text.split("#[cfg(test)]").next().unwrap_or_default();
        shipped
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read"))
    {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// The sources of the program, files of tests left out.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files(&root().join("src"), &mut paths);
    paths.retain(|path| path.file_name().is_some_and(|name| name != "tests.rs"));
    let read = |path: PathBuf| {
        let below = path.strip_prefix(root().join("src")).expect("it lies in src");
        let first = below.iter().next().expect("it has a name").to_string_lossy();
        let room = first.trim_end_matches(".rs").to_owned();
        Source {
            text: fs::read_to_string(&path).expect("it can be read"),
            room,
            path,
        }
    };
    paths.into_iter().map(read).collect()
}

/// The words behind a prefix, as `model` in `crate::model::Object`.
fn words_behind<'t>(text: &'t str, prefix: &str) -> BTreeSet<&'t str> {
    let behind = text.match_indices(prefix).map(|(at, _)| &text[at + prefix.len()..]);
    behind
        .map(|rest| {
            &rest[..rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())]
        })
        .collect()
}

/// The crates of Cargo.toml, as code names them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("it can be read");
    let (mut names, mut inside) = (Vec::new(), false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line.starts_with("[target.") && line.ends_with(".dependencies]");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            names.push(name.trim().replace('-', "_"));
        }
    }
    names
}

fn names_crate(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let starts = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    code.match_indices(&path).any(|(at, _)| starts(at))
}

#[test]
fn a_room_names_only_what_the_law_allows() {
    let law: BTreeMap<&str, (&[&str], &[&str])> = LAW
        .iter()
        .map(|(room, rooms, crates)| (*room, (*rooms, *crates)))
        .collect();
    let dependencies = dependencies();
    assert!(
        dependencies.len() > 10,
        "the dependencies were not found: {dependencies:?}"
    );
    let mut broken = Vec::new();
    for source in sources() {
        let Some((rooms, crates)) = law.get(source.room.as_str()) else {
            broken.push(format!(
                "{}: room `{}` stands in no law",
                source.path.display(),
                source.room
            ));
            continue;
        };
        let code = source.code();
        let allowed = |room: &str| room == source.room || room == "failure" || rooms.contains(&room);
        let named = words_behind(&code, "crate::");
        let foreign = named.iter().filter(|room| law.contains_key(**room) && !allowed(room));
        broken.extend(foreign.map(|room| format!("{} names the room `{room}`", source.path.display())));
        let foreign = dependencies
            .iter()
            .filter(|name| names_crate(&code, name) && !crates.contains(&name.as_str()));
        broken.extend(foreign.map(|name| format!("{} names the crate `{name}`", source.path.display())));
    }
    assert!(
        broken.is_empty(),
        "the import law is broken (see LAW in this file):\n{}",
        broken.join("\n")
    );
}

#[test]
fn the_core_reads_no_files_and_prints_nothing() {
    let core = [
        "model", "yaml", "repo", "law", "rules", "edit", "render", "install", "report",
    ];
    let banned = [
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "println!",
        "eprintln!",
        "print!(",
    ];
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| core.contains(&source.room.as_str())) {
        let code = source.code();
        broken.extend(
            banned
                .iter()
                .filter(|word| code.contains(**word))
                .map(|word| format!("{}: {word}", source.path.display())),
        );
    }
    assert!(broken.is_empty(), "the core has no doors:\n{}", broken.join("\n"));
}

#[test]
fn files_say_what_they_are_for_and_hold_one_thought() {
    let mut broken = Vec::new();
    for source in sources() {
        let name = source
            .path
            .file_stem()
            .expect("it has a name")
            .to_string_lossy()
            .into_owned();
        let lines = source
            .text
            .split("\n#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .lines()
            .count();
        let problems = [
            (
                !source.text.starts_with("//!"),
                "does not say what it is for in its first line".to_owned(),
            ),
            (
                lines > LONGEST_FILE,
                format!("has {lines} lines without its tests, at most {LONGEST_FILE} are allowed"),
            ),
            (
                BANNED_NAMES.contains(&name.as_str()),
                "has a name that says nothing".to_owned(),
            ),
        ];
        broken.extend(
            problems
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, what)| format!("{} {what}", source.path.display())),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_signposts_stand() {
    for (path, words) in [
        ("src/rules/mod.rs", "# How to add a rule"),
        ("src/cli/mod.rs", "# How to add a command"),
        ("src/lib.rs", "# Decisions"),
        (".github/CONTRIBUTING.md", "**A plugin parameter**"),
    ] {
        let text = fs::read_to_string(root().join(path)).expect("it can be read");
        assert!(text.contains(words), "{path} lacks `{words}`");
    }
}
