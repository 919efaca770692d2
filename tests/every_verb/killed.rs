//! A kill at any moment: each file is old or new, and the same command completes what was begun.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::home::{Files, Home, RECORD, is_temporary, messages};
use crate::{Case, PROGRAM, cases};

/// How often each command is killed in each of the two repositories.
const ROUNDS: u32 = 10;
/// The time between the first file that a command writes and its end, and a bit more.
const WRITING: Duration = Duration::from_millis(8);

/// Numbers that look random and are the same in each run (an xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        bound.mul_f64((self.0 % 10_000) as f64 / 10_000.0)
    }
}

#[test]
fn a_kill_leaves_every_file_old_or_new_and_the_same_command_completes() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut before, mut between) = (0, 0);
    for case in cases() {
        let start = Instant::now();
        let whole = case.home.twin();
        assert!(
            whole
                .run(Path::new(PROGRAM), case.layout, case.row.command)
                .status
                .success()
        );
        let whole_run = start.elapsed();
        for round in 0..ROUNDS {
            let home = case.home.twin();
            let mut command = home.command(Path::new(PROGRAM), case.layout, case.row.command);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // Half of them at any moment of a run, and half while it writes.
            if round % 2 == 0 {
                std::thread::sleep(numbers.below(whole_run));
            } else {
                until_it_writes(&case, &home, &mut child);
                std::thread::sleep(numbers.below(WRITING));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let now = home.files();
            assert_old_or_new(&case, &now);
            if now == case.after {
                continue;
            }
            before += usize::from(now == case.before);
            between += usize::from(now != case.before);
            let output = home.run(Path::new(PROGRAM), case.layout, case.row.command);
            let name = format!("{} in {}, round {round}", case.row.name, case.layout.name);
            assert!(output.status.success(), "{name}: {}", messages(&output));
            assert!(
                home.files() == case.after,
                "{name} was not completed: {}",
                messages(&output)
            );
            assert!(!has_leftovers(&home), "{name} left temporary files");
            assert!(!home.work().join(RECORD).exists(), "{name} left its record");
        }
    }
    assert!(
        before > 0 && between > 0,
        "killed before the first file {before} times, between two {between} times"
    );
}

/// The moment of a kill is chance, so that here the files that a killed command has written are laid out: each time one more, with the
/// record that the command itself has made of them. Another command is refused there.
#[test]
fn the_same_command_completes_what_was_begun_behind_each_file() {
    let (mut begun, mut left) = (0, Vec::new());
    for case in cases() {
        let files = written(&case);
        let record = if files.len() > 1 { case.record() } else { Vec::new() };
        for count in 1..files.len() {
            let home = case.home.twin();
            for file in &files[..count] {
                put(&home.work().join(file), case.after.get(file));
            }
            fs::write(home.work().join(RECORD), &record).unwrap();
            let name = format!(
                "{} in {}, behind {:?}",
                case.row.name,
                case.layout.name,
                &files[..count]
            );
            let half = home.files();
            let other = home.run(Path::new(PROGRAM), case.layout, "add-namespace another");
            assert_eq!(other.status.code(), Some(3), "{name}: {}", messages(&other));
            assert!(messages(&other).contains("was stopped"), "{name}: {}", messages(&other));
            assert!(home.files() == half, "{name}: another command wrote");
            let output = home.run(Path::new(PROGRAM), case.layout, case.row.command);
            begun += 1;
            let is_forgotten = !home.work().join(RECORD).exists();
            if !output.status.success() || home.files() != case.after || !is_forgotten {
                left.push(format!("{name}:\n{}", messages(&output)));
            }
        }
    }
    assert!(left.is_empty(), "not completed:\n{}", left.join("\n"));
    assert!(begun > 50, "{begun} states were tried");
}

/// Returns the files that a command changes in the order in which the disk gets them: removals last.
fn written(case: &Case) -> Vec<PathBuf> {
    let command = format!("{} --dry-run=client -o diff", case.row.command);
    let output = case.home.run(Path::new(PROGRAM), case.layout, &command);
    let text = String::from_utf8_lossy(&output.stdout);
    let heads = text.lines().zip(text.lines().skip(1)).filter_map(|(before, after)| {
        let (before, after) = (before.strip_prefix("--- ")?, after.strip_prefix("+++ ")?);
        let path = after.strip_prefix("b/").or_else(|| before.strip_prefix("a/"))?;
        Some(PathBuf::from(path))
    });
    let (written, removed): (Vec<_>, Vec<_>) = heads.partition(|path| case.after.contains_key(path));
    let files = [written, removed].concat();
    let paths = case.before.keys().chain(case.after.keys());
    let changed: BTreeSet<&PathBuf> = paths
        .filter(|path| case.before.get(*path) != case.after.get(*path))
        .collect();
    assert_eq!(files.iter().collect::<BTreeSet<_>>(), changed, "{}", case.row.name);
    files
}

/// Makes a file what it is after a command.
fn put(path: &Path, after: Option<&Vec<u8>>) {
    let Some(bytes) = after else {
        return fs::remove_file(path).unwrap();
    };
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn assert_old_or_new(case: &Case, now: &Files) {
    for path in case.before.keys().chain(case.after.keys()).chain(now.keys()) {
        let known = [case.before.get(path), case.after.get(path)];
        assert!(
            known.contains(&now.get(path)),
            "{} in {}: {} is neither old nor new",
            case.row.name,
            case.layout.name,
            path.display()
        );
    }
}

/// Waits until a command has a temporary file in the folder of one that it changes, or has ended.
fn until_it_writes(case: &Case, home: &Home, child: &mut Child) {
    let work = home.work();
    let changed = case
        .after
        .iter()
        .filter(|(path, text)| case.before.get(*path) != Some(text));
    let folders: Vec<_> = changed
        .map(|(path, _)| work.join(path.parent().unwrap_or(Path::new(""))))
        .collect();
    while child.try_wait().unwrap().is_none() && !folders.iter().any(|folder| has_temporary(folder)) {
        std::thread::yield_now();
    }
}

fn has_temporary(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| is_temporary(&path))
}

fn has_leftovers(home: &Home) -> bool {
    let files = home.files();
    let folders = files.keys().filter_map(|path| path.parent());
    folders
        .into_iter()
        .any(|folder| has_temporary(&home.work().join(folder)))
}
