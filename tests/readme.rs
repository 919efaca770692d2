//! The README's tour, run as a reader runs it: the real kubectl finds the program by its name, in a copy of the shipped
//! repository. `TRYCMD=overwrite` writes the outputs anew.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A program that `cargo xtask test` gets.
fn real(variable: &str) -> PathBuf {
    let path = env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"));
    PathBuf::from(path)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_tour_of_the_readme_is_true() {
    let (kubectl, helm) = (real("HOMELAB_TEST_KUBECTL"), real("HOMELAB_TEST_HELM"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let work = tempfile::tempdir().unwrap();
    let at = |name: &str| work.path().join(name);

    // trycmd runs all commands of README.md in one copy of README.in, because README.out is there.
    let readme = at("README.md");
    fs::copy(root.join("README.md"), &readme).unwrap();
    // trycmd passes over programs that it does not know, without a word.
    let text = fs::read_to_string(&readme).unwrap();
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("$ ")).collect();
    assert!(!commands.is_empty(), "the tour has no commands");
    let foreign: Vec<&&str> = commands
        .iter()
        .filter(|line| !line.starts_with("$ kubectl homelab "))
        .collect();
    assert!(foreign.is_empty(), "these would not be run: {foreign:?}");
    for folder in ["applications", "namespaces", "tests/sources"] {
        copy(&root.join(folder), &at("README.in").join(folder));
    }
    for folder in ["README.out", "home", "bin"] {
        fs::create_dir(at(folder)).unwrap();
    }
    // Nothing else is on the PATH: what the tour needs is what the README says it needs.
    fs::hard_link(env!("CARGO_BIN_EXE_kubectl-homelab"), at("bin/kubectl-homelab"))
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_kubectl-homelab"), at("bin/kubectl-homelab")).map(drop))
        .unwrap();
    fs::copy(helm, at("bin/helm")).unwrap();

    let text = |path: PathBuf| path.to_str().expect("a temporary path is UTF-8").to_owned();
    trycmd::TestCases::new()
        .case(&readme)
        .register_bin("kubectl", kubectl)
        .env("PATH", text(at("bin")))
        .env("HOME", text(at("home")))
        .env("XDG_CACHE_HOME", text(at("home")))
        .env("NO_COLOR", "1")
        .run();
    if env::var_os("TRYCMD").is_some_and(|mode| mode == "overwrite") {
        fs::copy(readme, root.join("README.md")).unwrap();
    }
}
