//! What becomes of a change that a killed run has begun: nobody completes it but the same command, and nothing of the user's is
//! overwritten.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::home::{Files, Home, RECORD, messages};
use crate::{Case, PROGRAM, cases};

const FILMS: &str = "applications/films.yaml";
const KEEPS: &str = "applications/namespaces.yaml";

/// A repository in which the removal of an Application was killed between its two files.
struct Stopped {
    case: Case,
    home: Home,
    half: Files,
}

impl Stopped {
    fn new() -> Self {
        let case = cases().find(|case| case.row.name == "remove-app").unwrap();
        let home = case.home.twin();
        fs::write(home.work().join(KEEPS), &case.after[Path::new(KEEPS)]).unwrap();
        fs::write(home.work().join(RECORD), case.record()).unwrap();
        Self {
            half: home.files(),
            home,
            case,
        }
    }

    fn run(&self, command: &str) -> Output {
        self.home.run(Path::new(PROGRAM), self.case.layout, command)
    }

    fn again(&self, flags: &str) -> Output {
        self.run(&format!("{}{flags}", self.case.row.command))
    }

    fn record(&self) -> PathBuf {
        self.home.work().join(RECORD)
    }
}

#[test]
fn another_command_says_which_one_was_stopped_and_both_ways_out() {
    let stopped = Stopped::new();
    let output = stopped.run("add-namespace radio");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        messages(&output),
        "error: `kubectl homelab remove-app films --orphan-consumers` was stopped before all its files were written; no files were changed\n\
         hint: run it again to complete it: `kubectl homelab remove-app films --orphan-consumers`\n\
         hint: or undo it with `git restore -- applications/namespaces.yaml`\n"
    );
    assert!(stopped.home.files() == stopped.half && stopped.record().exists());
    // Another option makes another change.
    let output = stopped.run("remove-app films");
    assert!(messages(&output).contains("was stopped"), "{}", messages(&output));
    // Who follows the hint has the repository as it was, and every command runs again.
    stopped.home.git(&["restore", "--", KEEPS]);
    let output = stopped.run("add-namespace radio");
    assert!(output.status.success(), "{}", messages(&output));
    assert!(!messages(&output).contains("stopped"), "{}", messages(&output));
    assert!(!stopped.record().exists());
}

#[test]
fn what_only_prints_says_it_and_goes_on() {
    let stopped = Stopped::new();
    for command in ["add-namespace radio --dry-run=client -o name", "adopt -o text"] {
        let output = stopped.run(command);
        assert!(output.status.success(), "{}", messages(&output));
        assert!(
            messages(&output).contains("warning: `kubectl homelab remove-app films --orphan-consumers` was stopped"),
            "{}",
            messages(&output)
        );
    }
    for command in ["list", "validate --no-render --fix=false"] {
        assert!(!messages(&stopped.run(command)).contains("stopped"), "{command}");
    }
    assert!(stopped.home.files() == stopped.half && stopped.record().exists());
}

#[test]
fn a_file_that_the_user_has_changed_is_not_overwritten() {
    let stopped = Stopped::new();
    let mine = "# mine\n";
    for path in [FILMS, KEEPS] {
        let stopped = Stopped {
            home: stopped.home.twin(),
            case: cases().find(|case| case.row.name == "remove-app").unwrap(),
            half: Files::new(),
        };
        let text = fs::read_to_string(stopped.home.work().join(path)).unwrap() + mine;
        fs::write(stopped.home.work().join(path), &text).unwrap();
        let output = stopped.run("add-namespace radio");
        assert!(output.status.success(), "{}", messages(&output));
        assert!(
            messages(&output).contains(&format!(
                "`{path}` was changed after `kubectl homelab remove-app films --orphan-consumers` was stopped, so that what is left of \
                 that run is not written\n"
            )),
            "{}",
            messages(&output)
        );
        assert_eq!(fs::read_to_string(stopped.home.work().join(path)).unwrap(), text);
        assert!(!stopped.record().exists());
        assert!(!messages(&stopped.run("add-namespace other")).contains("stopped"));
    }
}

#[test]
fn the_commit_has_all_files_of_the_change() {
    let stopped = Stopped::new();
    let output = stopped.again(" --commit");
    let message = messages(&output);
    assert!(output.status.success(), "{message}");
    assert!(message.contains("completed what a stopped run had begun"), "{message}");
    assert!(message.contains("applications/films.yaml removed"), "{message}");
    let shown = stopped.home.git(&["show", "--format=%s", "--name-status", "HEAD"]);
    assert_eq!(
        shown,
        "Remove Application films\n\nD\tapplications/films.yaml\nM\tapplications/namespaces.yaml\n"
    );
    assert_eq!(stopped.home.git(&["status", "--porcelain"]), "");
    assert!(!stopped.record().exists());
}

/// The user's own changes in these files are in no commit that they did not ask for.
#[test]
fn what_was_not_committed_before_is_not_committed_along() {
    let case = cases().find(|case| case.row.name == "remove-app").unwrap();
    let home = case.home.twin();
    let mine = fs::read_to_string(home.work().join(KEEPS)).unwrap() + "# mine\n";
    fs::write(home.work().join(KEEPS), &mine).unwrap();
    let dirty = Case {
        home: home.twin(),
        before: home.files(),
        ..case
    };
    let whole = home.twin();
    // The record of a run without `--commit`, which is gone with the run: the same with what git found in the files.
    let output = whole.run(Path::new(PROGRAM), dirty.layout, dirty.row.command);
    assert!(output.status.success(), "{}", messages(&output));
    let record = String::from_utf8(committed_like(&dirty)).unwrap();
    fs::write(home.work().join(KEEPS), &whole.files()[Path::new(KEEPS)]).unwrap();
    fs::write(
        home.work().join(RECORD),
        record.replace("\"clean\":true", "\"clean\":false"),
    )
    .unwrap();
    let half = home.files();
    let output = home.run(
        Path::new(PROGRAM),
        dirty.layout,
        &format!("{} --commit", dirty.row.command),
    );
    assert_eq!(output.status.code(), Some(3), "{}", messages(&output));
    assert!(
        messages(&output).contains("uncommitted changes"),
        "{}",
        messages(&output)
    );
    assert!(home.files() == half);
    let other = home.run(Path::new(PROGRAM), dirty.layout, "add-namespace radio");
    assert!(
        messages(&other).contains("your own uncommitted changes in these files go, too"),
        "{}",
        messages(&other)
    );
    let output = home.run(Path::new(PROGRAM), dirty.layout, dirty.row.command);
    assert!(output.status.success(), "{}", messages(&output));
    assert!(home.files() == whole.files());
}

/// Returns the record of a command over files that are committed for it.
fn committed_like(case: &Case) -> Vec<u8> {
    let home = case.home.twin();
    home.commit();
    Case {
        home,
        before: Files::new(),
        after: Files::new(),
        ..*case
    }
    .record()
}

/// Waits until a git whose hook has killed the program has given up, and its locks are gone.
fn wait_for_git(folder: &Path) {
    let is_locked = || {
        let mut entries = fs::read_dir(folder).unwrap();
        entries.any(|entry| entry.unwrap().path().extension().is_some_and(|ending| ending == "lock"))
    };
    let begun = Instant::now();
    while is_locked() {
        assert!(begun.elapsed() < Duration::from_secs(60), "git keeps its locks");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_run_that_was_killed_in_a_hook_of_its_commit_is_completed() {
    let case = cases().find(|case| case.row.name == "pause").unwrap();
    let home = case.home.twin();
    home.hook("while [ ! -s ../pid ]; do sleep 0.01; done; kill -9 $(cat ../pid); exit 1");
    let command = format!("{} --commit", case.row.command);
    let mut child = home
        .command(Path::new(PROGRAM), case.layout, &command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    fs::write(home.outside().join("pid"), child.id().to_string()).unwrap();
    assert!(!child.wait().unwrap().success());
    wait_for_git(&home.work().join(".git"));
    assert!(home.files() == case.after);
    assert!(home.work().join(RECORD).exists());
    // Another command has nothing to wait for.
    let other = home.twin();
    let output = other.run(Path::new(PROGRAM), case.layout, "add-namespace radio");
    assert!(output.status.success(), "{}", messages(&output));
    assert!(!other.work().join(RECORD).exists());
    fs::remove_file(home.work().join(".git/hooks/pre-commit")).unwrap();
    let output = home.run(Path::new(PROGRAM), case.layout, &command);
    assert!(output.status.success(), "{}", messages(&output));
    assert!(messages(&output).contains("committed as"), "{}", messages(&output));
    assert_eq!(home.git(&["status", "--porcelain"]), "");
    assert!(!home.work().join(RECORD).exists());
}

#[test]
fn a_hook_edits_while_the_commit_waits_for_it() {
    let case = cases().find(|case| case.row.name == "remove-app").unwrap();
    let home = case.home.twin();
    home.hook(&format!("{PROGRAM} add-namespace radio 2> ../said"));
    let output = home.run(
        Path::new(PROGRAM),
        case.layout,
        &format!("{} --commit", case.row.command),
    );
    let said = fs::read_to_string(home.outside().join("said")).unwrap();
    assert!(output.status.success(), "{}{said}", messages(&output));
    assert!(!said.contains("stopped"), "{said}");
    assert!(!home.work().join(RECORD).exists());
}

#[test]
fn the_record_is_the_users_alone_and_nobody_prints_what_is_in_it() {
    let stopped = Stopped::new();
    let case = cases().find(|case| case.row.name == "remove-app").unwrap();
    let home = case.home.twin();
    home.hook(&format!(
        "stat -c %a {RECORD} > ../mode 2>/dev/null || stat -f %Lp {RECORD} > ../mode; exit 1"
    ));
    home.run(
        Path::new(PROGRAM),
        case.layout,
        &format!("{} --commit", case.row.command),
    );
    assert_eq!(fs::read_to_string(home.outside().join("mode")).unwrap().trim(), "600");
    assert!(
        !home.work().join(RECORD).exists(),
        "a commit that fails says what to do"
    );
    // What cannot be read is said, and forgotten.
    fs::write(stopped.record(), "hunter2").unwrap();
    let output = stopped.run("add-namespace radio");
    assert!(output.status.success(), "{}", messages(&output));
    assert!(messages(&output).contains("what a stopped run has begun is not known"));
    assert!(!messages(&output).contains("hunter2"), "{}", messages(&output));
    assert!(!stopped.record().exists());
}

#[test]
fn without_git_the_record_is_in_the_cache() {
    let stopped = Stopped::new();
    let record = fs::read(stopped.record()).unwrap();
    let (home, work) = (&stopped.home, stopped.home.work());
    fs::remove_dir_all(work.join(".git")).unwrap();
    fs::write(work.join(KEEPS), &stopped.case.before[Path::new(KEEPS)]).unwrap();
    let cache = home.outside().join("user/.cache/kubectl-homelab/begun");
    // Nothing is left of a run that gets to its end.
    assert!(stopped.again("").status.success());
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    // Its name is that of the folder that is locked beside it.
    let place = record_of_a_kill(&stopped, &cache);
    for (path, bytes) in &stopped.half {
        fs::create_dir_all(work.join(path).parent().unwrap()).unwrap();
        fs::write(work.join(path), bytes).unwrap();
    }
    fs::write(&place, record).unwrap();
    assert!(messages(&stopped.run("add-namespace radio")).contains("was stopped"));
    let output = stopped.again("");
    assert!(output.status.success(), "{}", messages(&output));
    assert!(home.files() == stopped.case.after);
    assert!(!place.exists());
}

/// Kills the command until it leaves its record in a folder, and returns the path of that.
fn record_of_a_kill(stopped: &Stopped, folder: &Path) -> PathBuf {
    for _ in 0..200 {
        for (path, bytes) in &stopped.case.before {
            fs::create_dir_all(stopped.home.work().join(path).parent().unwrap()).unwrap();
            fs::write(stopped.home.work().join(path), bytes).unwrap();
        }
        let mut command = stopped
            .home
            .command(Path::new(PROGRAM), stopped.case.layout, stopped.case.row.command);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let first = || fs::read_dir(folder).unwrap().next();
        while child.try_wait().unwrap().is_none() && first().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(entry) = first() {
            let path = entry.unwrap().path();
            return path.with_extension("");
        }
    }
    panic!("no run was killed while it had a record");
}
