//! The charts in the test data of Argo CD and of Helm, from the Go modules that the tools are built from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::table::{Corpus, Module};

/// Copies every chart of a corpus into a folder, at its path in the module; returns those paths, sorted.
pub(crate) fn copy(corpus: &Corpus, to: &Path) -> Vec<String> {
    let module = folder(&corpus.module);
    let mut charts = Vec::new();
    for folder in &corpus.folders {
        find(&module, &module.join(folder), &mut charts);
    }
    let gone: Vec<&String> = corpus.left_out.iter().filter(|chart| !charts.contains(chart)).collect();
    assert!(
        gone.is_empty(),
        "{} has no charts {gone:?} any more",
        corpus.module.name
    );
    charts.retain(|chart| !corpus.left_out.contains(chart));
    charts.sort();
    for chart in &charts {
        real_parts::folder::copy(&module.join(chart), &to.join(chart))
            .expect("a chart of the module cache can be copied");
    }
    charts
}

/// Returns the charts below a folder, except those inside charts.
fn find(module: &Path, folder: &Path, charts: &mut Vec<String>) {
    if folder.join("Chart.yaml").exists() {
        let chart = folder.strip_prefix(module).expect("it is in the module");
        charts.push(chart.to_str().expect("module paths are UTF-8").to_owned());
        return;
    }
    for entry in fs::read_dir(folder).expect("the module has this folder") {
        let entry = entry.expect("the folder can be read");
        if entry.file_type().expect("it has a type").is_dir() {
            find(module, &entry.path(), charts);
        }
    }
}

/// Returns the folder in which Go keeps a module; fetches it if it is missing.
fn folder(module: &Module) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools").join(&module.of);
    let output = Command::new("go")
        .args(["mod", "download", "-json", &module.name])
        .current_dir(tool)
        .env("GOWORK", "off")
        .output()
        .expect("`go` is on PATH: install Go 1.26 or newer");
    assert!(
        output.status.success(),
        "go mod download {}: {}",
        module.name,
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).expect("go answers in JSON");
    PathBuf::from(answer["Dir"].as_str().expect("go names the folder"))
}
