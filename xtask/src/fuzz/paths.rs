//! Target `generate-paths`: the annotation `manifest-generate-paths`, extended by what a source reads.

use homelab::repo::RepoPath;
use homelab::repo::generate_paths;
use serde_json::{Value, json};

use super::case::{Ran, Target, text};
use super::numbers::Numbers;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "generate-paths",
    oracle: "fuzz-oracle",
    make,
    run,
    verdict: |ran, _| Ok(ran.class.clone()),
};

const ENTRIES: &[&str] = &[
    ".",
    ".",
    "./",
    "/",
    "/values",
    "/values/",
    "/charts",
    "/charts/web",
    "/charts/we",
    "..",
    "../db",
    "../../values",
    "../../..",
    "/..",
    "/../values",
    "values.yaml",
    "/values/a.yaml",
    "/values/*.yaml",
    "/*",
    "*",
    "a/../b",
    "//values",
    "",
    " ",
    "/values//x",
    "/./values",
    "charts/web",
    "/a b",
    "\t",
];

const FOLDERS: &[&str] = &["charts/web", "charts/db", "charts/web/deep", "values", "web", "a b"];

const READS: &[&str] = &[
    "values/a.yaml",
    "values/b.yaml",
    "values",
    "values/x/y.yaml",
    "charts/db",
    "charts/db/values.yaml",
    "charts/web",
    "charts/web/a",
    "web",
    "root.yaml",
    "charts/website/values.yaml",
    "valuesx",
    "a b/x",
    "charts",
];

fn make(numbers: &mut Numbers) -> Value {
    let entries: Vec<String> = (0..numbers.pick(&[1, 1, 2, 2, 3, 4, 0]))
        .map(|_| {
            let blanks = if numbers.one_in(8) {
                numbers.pick(&[" ", "\t", "\n"])
            } else {
                ""
            };
            let entry = numbers.pick(ENTRIES);
            if numbers.one_in(2) {
                format!("{blanks}{entry}")
            } else {
                format!("{entry}{blanks}")
            }
        })
        .collect();
    let mut pick = |from: &[&'static str], counts: &[usize]| -> Vec<&'static str> {
        (0..numbers.pick(counts)).map(|_| numbers.pick(from)).collect()
    };
    json!({
        "annotation": entries.join(";"),
        "sources": pick(FOLDERS, &[1, 1, 1, 2]),
        "reads": pick(READS, &[1, 1, 2, 3, 0]),
    })
}

fn paths(case: &Value, key: &str) -> Vec<RepoPath> {
    let list = case[key].as_array().into_iter().flatten();
    list.filter_map(|path| RepoPath::new(path.as_str()?).ok()).collect()
}

fn run(case: &Value) -> Ran {
    let (before, sources, reads) = (text(case, "annotation"), paths(case, "sources"), paths(case, "reads"));
    // Without any path Argo CD watches and sends everything: nobody asks for an extension.
    if before.split(';').all(|entry| entry.trim().is_empty()) || sources.is_empty() {
        return Ran::fine("no annotation");
    }
    let extended = generate_paths::extended(before, &sources, &reads);
    let again = extended
        .as_ref()
        .and_then(|extended| generate_paths::extended(&extended.value, &sources, &reads));
    let after = extended.map(|extended| extended.value);
    let names = |paths: &[RepoPath]| paths.iter().map(|path| path.as_str().to_owned()).collect::<Vec<_>>();
    Ran {
        class: if after.is_some() {
            "extended"
        } else {
            "covers everything"
        }
        .to_owned(),
        refused: None,
        wrong: again.map(|again| format!("a second run extends it to `{}`", again.value)),
        request: Some(json!({"before": before, "after": after, "sources": names(&sources), "reads": names(&reads)})),
    }
}
