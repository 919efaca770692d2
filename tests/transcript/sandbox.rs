//! The place where the commands of a file run: a copy of the shipped repository, and nothing on the `PATH` but helm and
//! the folder that kubectl finds the program in. `TRYCMD=overwrite` writes the outputs again.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test works on real files with real programs, and fails loudly"
)]

#[path = "folder.rs"]
pub(crate) mod folder;

use std::path::{Path, PathBuf};
use std::{env, fs};

use folder::copy;

/// Returns the path of a program that `cargo xtask test` builds.
fn real(variable: &str) -> PathBuf {
    let path = env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"));
    PathBuf::from(path)
}

/// Copies the repository as users get it.
pub(crate) fn shipped(to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["applications", "namespaces", "tests/sources"] {
        copy(&root.join(folder), &to.join(folder));
    }
}

/// Runs all commands of one file, in their order, in a repository that `lay_out` writes, with the program of a folder.
pub(crate) fn check(file: &str, programs: &Path, lay_out: impl Fn(&Path)) {
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let work = tempfile::tempdir().unwrap();
    let at = |name: &str| work.path().join(name);
    let case = work.path().join(original.file_name().unwrap());
    fs::copy(&original, &case).unwrap();
    check_commands(&case);
    // trycmd takes the folder `in` for the working directory, and makes a copy of it because there is an `out`.
    lay_out(&case.with_extension("in"));
    let nobody = "nobody.kubeconfig";
    let cluster = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/commands")
        .join(nobody);
    fs::copy(cluster, case.with_extension("in").join(nobody)).unwrap();
    for folder in [case.with_extension("out"), at("home"), at("bin")] {
        fs::create_dir(folder).unwrap();
    }
    fs::copy(real("HOMELAB_TEST_HELM"), at("bin/helm")).unwrap();
    fs::copy(real("HOMELAB_TEST_KUSTOMIZE"), at("bin/kustomize")).unwrap();

    let path = env::join_paths([programs, &at("bin")]).unwrap();
    let text = |path: PathBuf| path.to_str().expect("a temporary path is UTF-8").to_owned();
    trycmd::TestCases::new()
        .case(&case)
        .register_bin("kubectl", real("HOMELAB_TEST_KUBECTL"))
        .env("PATH", path.to_str().expect("a temporary path is UTF-8"))
        .env("HOME", text(at("home")))
        .env("XDG_CACHE_HOME", text(at("home")))
        .env("KUBECONFIG", "")
        .env("NO_COLOR", "1")
        .run();
    if env::var_os("TRYCMD").is_some_and(|mode| mode == "overwrite") {
        fs::copy(case, original).unwrap();
    }
}

/// Refuses commands of other programs: trycmd skips those silently.
fn check_commands(case: &Path) {
    let text = fs::read_to_string(case).unwrap();
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("$ ")).collect();
    assert!(!commands.is_empty(), "{} has no commands", case.display());
    let foreign: Vec<&&str> = commands
        .iter()
        .filter(|line| !line.starts_with("$ kubectl homelab "))
        .collect();
    assert!(foreign.is_empty(), "these would not be run: {foreign:?}");
}
