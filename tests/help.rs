//! The help of every command, on a terminal of 80 columns: each has a file in `tests/commands/help`. `SNAPSHOTS=overwrite`
//! writes them again.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test works on real files, and may fail loudly"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use snapbox::{Assert, Data};

/// Returns the words of every command that a user sees, the program's own first.
fn commands() -> Vec<Vec<String>> {
    let (mut found, mut next) = (Vec::new(), vec![(Vec::new(), homelab::cli::command())]);
    while let Some((words, command)) = next.pop() {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            next.push(([&words[..], &[below.get_name().to_owned()]].concat(), below.clone()));
        }
        found.push(words);
    }
    found.sort();
    found
}

/// Returns what a command prints for `--help` on a terminal of 80 columns.
fn help(words: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(words)
        .arg("--help")
        .env_clear()
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_has_help_with_examples_that_fits_80_columns() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/commands/help");
    let mut files = BTreeSet::new();
    for words in commands() {
        let text = help(&words);
        assert!(text.contains("\nExamples:\n"), "`{}` has no examples", words.join(" "));
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "`{}`: {line}", words.join(" "));
        }
        let name = [&["kubectl-homelab".to_owned()], &words[..]].concat().join("-") + ".txt";
        let committed = Data::read_from(&folder.join(&name), Some(snapbox::data::DataFormat::Text)).raw();
        Assert::new().action_env("SNAPSHOTS").eq(text, committed);
        files.insert(name);
    }
    let committed = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let committed: BTreeSet<String> = committed.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(committed, files, "a command is gone: remove its file");
}

#[test]
fn without_arguments_the_help_is_the_answer() {
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command.args(words).env_clear().output().unwrap()
    };
    for words in [&[][..], &["cmp"], &["completion"]] {
        let (output, help) = (run(words), run(&[words, &["-h"]].concat()));
        assert_eq!(
            (output.status.code(), &output.stderr[..]),
            (Some(0), &b""[..]),
            "{words:?}"
        );
        assert_eq!(output.stdout, help.stdout);
    }
}
