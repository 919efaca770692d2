//! A panic ends the program as a bug: exit code 70 and one line, whichever thread it is in, also where nothing is unwound.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs, and may fail loudly"
)]

use std::process::Command;

use homelab::cli::end_on_panic;
use homelab::parallel::in_order;

/// Which panic this program has to do, when a test started it.
const WANTED: &str = "HOMELAB_TEST_PANIC";

/// Runs one of the tests below again, which then panics, and returns its exit code and its standard error.
fn panicking(test: &str) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(WANTED, "yes");
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn is_wanted() -> bool {
    std::env::var_os(WANTED).is_some()
}

fn check((code, line): (Option<i32>, String)) {
    assert_eq!(code, Some(70), "{line}");
    assert!(line.starts_with("error: internal error at tests/panics.rs:"), "{line}");
    assert!(line.contains("please report it") && !line.contains("hunter2"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn a_panic_exits_70_and_names_its_place_and_no_value() {
    if is_wanted() {
        end_on_panic();
        panic!("the password is hunter2");
    }
    check(panicking("a_panic_exits_70_and_names_its_place_and_no_value"));
}

#[test]
fn panics_of_workers_are_one_failure() {
    if is_wanted() {
        end_on_panic();
        let work = |item: &i32| -> i32 { panic!("the password of {item} is hunter2") };
        in_order(&[1, 2, 3, 4], work, |_| {});
    }
    check(panicking("panics_of_workers_are_one_failure"));
}
