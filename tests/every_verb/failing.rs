//! The n-th write fails, for each n: no file is changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::home::{Home, messages, words};
use crate::{Case, PROGRAM, cases};

/// The user and group of nobody.
const NOBODY: &str = "65534";

/// Why a file cannot be written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It is read-only.
    ReadOnly,
    /// Its folder is: nothing is made or removed there.
    Folder,
    /// It is somebody else's, in a folder where everybody may only replace their own files: all that comes before it is written.
    Foreign,
}

/// A program that runs with the rights of a user, whom permissions restrict. Root, which continuous integration often is, they do not.
struct User {
    is_root: bool,
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl User {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
        let is_root = fs::write(folder.path().join("probe"), "").is_ok();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let program = folder.path().join("kubectl-homelab");
        // Another process writes it: a child that this one starts meanwhile would have it open, and nobody could run it.
        run("cp", &[PROGRAM, program.to_str().unwrap()]);
        Self {
            is_root,
            program,
            _folder: folder,
        }
    }

    /// Gives a repository to the user.
    fn takes(&self, home: &Home) {
        if self.is_root {
            run(
                "chown",
                &["-R", &format!("{NOBODY}:{NOBODY}"), home.outside().to_str().unwrap()],
            );
        }
    }

    fn runs(&self, case: &Case, home: &Home) -> Output {
        if !self.is_root {
            return home.run(&self.program, case.layout, case.row.command);
        }
        let mut command = Command::new("setpriv");
        home.prepare(&mut command);
        command
            .args([
                &format!("--reuid={NOBODY}"),
                &format!("--regid={NOBODY}"),
                "--clear-groups",
            ])
            .arg(&self.program)
            .args(words(case.layout, case.row.command));
        command.output().expect("setpriv is there: install util-linux")
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

#[test]
fn a_write_that_fails_changes_nothing() {
    let user = User::new();
    let mut tried = 0;
    for case in cases() {
        let paths = case
            .before
            .keys()
            .chain(case.after.keys().filter(|path| !case.before.contains_key(*path)));
        for path in paths.filter(|path| case.before.get(*path) != case.after.get(*path)) {
            let faults: &[Fault] = match (case.before.contains_key(path), case.after.contains_key(path)) {
                (true, true) => &[Fault::ReadOnly, Fault::Folder, Fault::Foreign],
                (true, false) => &[Fault::Folder, Fault::Foreign],
                _ => &[Fault::Folder],
            };
            // A file of somebody else needs somebody else.
            for fault in faults.iter().filter(|fault| user.is_root || **fault != Fault::Foreign) {
                fails(&user, &case, path, *fault);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

fn fails(user: &User, case: &Case, path: &Path, fault: Fault) {
    let home = case.home.twin();
    user.takes(&home);
    let file = home.work().join(path);
    let mut folder = file.parent().unwrap();
    while !folder.exists() {
        folder = folder.parent().unwrap();
    }
    match fault {
        Fault::ReadOnly => fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap(),
        Fault::Folder => fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap(),
        Fault::Foreign => {
            fs::set_permissions(folder, Permissions::from_mode(0o1777)).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
            for path in [folder, &file] {
                run("chown", &["0:0", path.to_str().unwrap()]);
            }
        }
    }
    let output = user.runs(case, &home);
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let name = format!(
        "{} in {}, {fault:?} for {}",
        case.row.name,
        case.layout.name,
        path.display()
    );
    let message = messages(&output);
    assert_eq!(output.status.code(), Some(3), "{name}: {message}");
    assert!(message.contains("no files were changed"), "{name}: {message}");
    assert!(home.files() == case.before, "{name} changed files: {message}");
}
