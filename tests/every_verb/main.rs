//! Every verb in a tidy repository and in a hand-made one: what becomes of the files; what a kill at any moment leaves; and what is
//! left where one of its writes fails.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test works on real files with the real program, and fails loudly"
)]

mod begun;
mod failing;
#[path = "../transcript/folder.rs"]
mod folder;
mod home;
mod killed;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use similar::TextDiff;
use snapbox::{Assert, Data};

use home::{Files, Home, Layout, RECORD, REPOSITORIES, messages};
use table::{LIST, ROWS, Row};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");

/// A row in one repository: before the command, and its files before and after it.
struct Case {
    layout: &'static Layout,
    row: &'static Row,
    home: Home,
    before: Files,
    after: Files,
}

impl Case {
    /// Returns the record that the command makes of its files, as a hook finds it.
    fn record(&self) -> Vec<u8> {
        let home = self.home.twin();
        home.hook(&format!("cp {RECORD} ../record; exit 1"));
        let output = home.run(
            Path::new(PROGRAM),
            self.layout,
            &format!("{} --commit", self.row.command),
        );
        let record = std::fs::read(home.outside().join("record"));
        record.unwrap_or_else(|_| panic!("{} makes no record: {}", self.row.name, messages(&output)))
    }
}

/// Runs every row in both repositories.
fn cases() -> impl Iterator<Item = Case> {
    let rows = ROWS
        .iter()
        .flat_map(|row| REPOSITORIES.iter().map(move |layout| (row, layout)))
        .filter(|(row, layout)| !row.before.contains(&LIST) || layout.name == "tidy");
    rows.map(|(row, layout)| {
        let home = Home::of(layout, row);
        let whole = home.twin();
        let output = whole.run(Path::new(PROGRAM), layout, row.command);
        assert!(
            output.status.success(),
            "{} in {}: {}",
            row.name,
            layout.name,
            messages(&output)
        );
        Case {
            layout,
            row,
            before: home.files(),
            after: whole.files(),
            home,
        }
    })
}

/// Returns the commands that write to the repository, by the words of each.
fn writing(words: &[String], command: &clap::Command, found: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let words = [words, &[below.get_name().to_owned()]].concat();
        // Groups of two words are other names for the commands with a hyphen.
        if below.is_hide_set() {
            continue;
        }
        if below.get_arguments().any(|argument| argument.get_id() == "commit") {
            found.insert(words.join(" "));
        }
        writing(&words, below, found);
    }
}

#[test]
fn no_verb_is_missing() {
    let mut all = BTreeSet::new();
    writing(&[], &homelab::cli::command(), &mut all);
    let missing: Vec<&String> = all
        .iter()
        .filter(|verb| !ROWS.iter().any(|row| row.command.starts_with(verb.as_str())))
        .collect();
    assert!(all.len() > 20 && missing.is_empty(), "rows are missing for {missing:?}");
}

/// Returns what a command did to the files, as a diff. A carriage return shows as `␍`.
fn changes(case: &Case) -> String {
    let paths: BTreeSet<_> = case.before.keys().chain(case.after.keys()).collect();
    let mut text = String::new();
    for path in paths {
        let shown = |files: &Files| {
            files
                .get(path)
                .map(|bytes| String::from_utf8_lossy(bytes).replace('\r', "␍"))
        };
        let (before, after) = (shown(&case.before), shown(&case.after));
        if before == after {
            continue;
        }
        let name = |side: &str, text: &Option<String>| match text {
            Some(_) => format!("{side}/{}", path.display()),
            None => "/dev/null".to_owned(),
        };
        let names = (name("a", &before), name("b", &after));
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let diff = TextDiff::from_lines(&before, &after);
        text += &diff.unified_diff().header(&names.0, &names.1).to_string();
    }
    text
}

/// Each row is a file with what the command makes of both repositories. `SNAPSHOTS=overwrite` writes them again.
#[test]
fn every_verb_in_both_repositories() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/every_verb/changes");
    let mut texts: Vec<(&str, String)> = Vec::new();
    for case in cases() {
        let text = changes(&case);
        assert!(
            !text.is_empty(),
            "{} changes nothing in {}",
            case.row.name,
            case.layout.name
        );
        for (path, bytes) in case.before.iter().filter(|(_, bytes)| bytes.contains(&b'\r')) {
            let now = case.after.get(path).unwrap_or(bytes);
            let lines = now.split_inclusive(|byte| *byte == b'\n');
            let is_mixed = lines
                .filter(|line| line.ends_with(b"\n"))
                .any(|line| !line.ends_with(b"\r\n"));
            assert!(!is_mixed, "{} mixes line ends in {}", case.row.name, path.display());
        }
        let section = format!(
            "== {}: kubectl homelab {}\n{text}",
            case.layout.name,
            home::words(case.layout, case.row.command).join(" ")
        );
        match texts.last_mut().filter(|(name, _)| *name == case.row.name) {
            Some((_, all)) => *all += &format!("\n{section}"),
            None => texts.push((case.row.name, section)),
        }
    }
    let mut names = BTreeSet::new();
    for (name, text) in texts {
        let file = format!("{name}.diff");
        let committed = Data::read_from(&folder.join(&file), Some(snapbox::data::DataFormat::Text)).raw();
        Assert::new().action_env("SNAPSHOTS").eq(text, committed);
        names.insert(file);
    }
    let committed = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let committed: BTreeSet<String> = committed.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(committed, names, "a row is gone: remove its file");
}
