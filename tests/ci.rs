//! The workflows of `docs/ci.md`, as far as a shell runs them: their steps, in a clone with a branch to compare with.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/folder.rs"]
mod folder;
#[path = "transcript/git.rs"]
mod git;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use git::git;

use serde_json::Value;

/// A server's repository, and the folder that a runner works in.
struct Runner {
    home: tempfile::TempDir,
}

impl Runner {
    fn new() -> Self {
        let runner = Self {
            home: tempfile::tempdir().unwrap(),
        };
        let programs = runner.at("bin");
        std::fs::create_dir(&programs).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_kubectl-homelab"), programs.join("kubectl-homelab")).unwrap();
        // What krew would install is there already.
        let kubectl = programs.join("kubectl");
        let script =
            "#!/bin/sh\ncase $1 in homelab) shift; exec kubectl-homelab \"$@\" ;; krew) exit 0 ;; *) exit 1 ;; esac\n";
        std::fs::write(&kubectl, script).unwrap();
        std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).unwrap();
        let server = runner.at("you/home");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        folder::copy(&root.join("tests/commands/validate/storage.in"), &server);
        let claims = server.join("media/claims.yaml");
        let text = std::fs::read_to_string(&claims).unwrap();
        git(&server, &["init", "--quiet", "--initial-branch=main"]);
        git(&server, &["add", "--all"]);
        git(&server, &["commit", "--quiet", "--message=one"]);
        git(&server, &["checkout", "--quiet", "-b", "change"]);
        std::fs::write(&claims, text.replacen("storage: 5Gi", "storage: 1Gi", 1)).unwrap();
        git(&server, &["commit", "--quiet", "--all", "--message=two"]);
        runner
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Does what `actions/checkout` does with `fetch-depth: 0`.
    fn checkout(&self) -> PathBuf {
        let arguments = ["clone", "--quiet", "--branch=change", "you/home", "work"];
        git(self.home.path(), &arguments);
        self.at("work")
    }

    /// Runs a step as a runner does: the shell stops at the first error.
    fn run(&self, folder: &Path, script: &str) -> Output {
        let path = std::env::var("PATH").unwrap();
        Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script])
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("HOMELAB_CACHE_DIR", self.at("cache"))
            .env("GITHUB_BASE_REF", "main")
            .output()
            .unwrap()
    }
}

/// Returns the scripts of a workflow by the names of their steps.
fn steps(name: &str) -> Vec<(String, String)> {
    let text = include_str!("../docs/ci.md");
    let (_, rest) = text.split_once(&format!("<!-- {name}:begin -->\n\n```yaml\n")).unwrap();
    let (workflow, _) = rest.split_once("```").unwrap();
    let workflow = homelab::yaml::value(workflow).unwrap().unwrap();
    let steps = workflow["jobs"]["validate"]["steps"].as_array().unwrap().iter();
    let scripts = steps.filter_map(|step| Some((step["name"].as_str()?.to_owned(), step["run"].as_str()?.to_owned())));
    scripts.collect()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn on_github() {
    let runner = Runner::new();
    let work = runner.checkout();
    let steps = steps("github");
    let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Install", "Annotate", "Log"]);
    let outputs: Vec<Output> = steps.iter().map(|(_, script)| runner.run(&work, script)).collect();
    assert_eq!(outputs[0].status.code(), Some(0), "{}", text(&outputs[0].stderr));
    assert_eq!(outputs[1].status.code(), Some(1), "{}", text(&outputs[1].stderr));
    let annotations = text(&outputs[1].stdout);
    let shrinks =
        "::error file=media/claims.yaml,line=11,col=3,endLine=11,endColumn=11,title=HL118 claim-keeps-fixed-fields::";
    assert!(annotations.contains(shrinks), "{annotations}");
    assert!(annotations.lines().all(|line| line.starts_with("::")), "{annotations}");
    assert_eq!(outputs[2].status.code(), Some(0), "{}", text(&outputs[2].stderr));
    let log: Value = serde_json::from_slice(&std::fs::read(work.join("homelab.sarif")).unwrap()).unwrap();
    assert!(!log["runs"][0]["results"].as_array().unwrap().is_empty());
}

#[test]
fn on_forgejo_and_gitea() {
    let runner = Runner::new();
    let work = runner.checkout();
    let steps = steps("forgejo");
    let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Install", "Validate"]);
    for ((name, script), code) in steps.iter().zip([0, 1]) {
        let output = runner.run(&work, script);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output.stderr));
        if name == "Validate" {
            assert!(
                text(&output.stdout).contains("title=HL118 "),
                "{}",
                text(&output.stdout)
            );
        }
    }
}
