//! `validate` as a user runs it: on a repository with many errors, and on the shipped one. `TRYCMD=overwrite` writes the
//! outputs again.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads files, runs programs and fails loudly"
)]

#[path = "transcript/folder.rs"]
mod folder;
#[path = "transcript/git.rs"]
mod git;

use std::fs;
use std::path::Path;
use std::process::Command;

use git::git;

/// Returns an environment that is independent of this machine: an empty home, no programs, no colour.
fn cases(home: &Path) -> trycmd::TestCases {
    let cases = trycmd::TestCases::new();
    cases
        .env("HOME", home.to_str().expect("a temporary path is UTF-8"))
        .env(
            "XDG_CACHE_HOME",
            home.join("cache").to_str().expect("a temporary path is UTF-8"),
        )
        .env("PATH", home.join("bin").to_str().expect("a temporary path is UTF-8"))
        .env("NO_COLOR", "1");
    cases
}

#[test]
fn findings_are_reported_with_their_place() {
    let home = tempfile::tempdir().expect("a temporary folder");
    cases(home.path()).case("tests/commands/validate/*.toml");
}

#[test]
fn no_value_of_a_secret_is_ever_printed() {
    let mut outputs = 0;
    for entry in fs::read_dir("tests/commands/validate").expect("the cases are there") {
        let path = entry.expect("the folder can be listed").path();
        if path
            .extension()
            .is_some_and(|ending| ending == "stdout" || ending == "stderr")
        {
            let text = fs::read_to_string(&path).expect("an output is text");
            assert!(!text.contains("hunter2"), "{}", path.display());
            outputs += 1;
        }
    }
    assert!(outputs > 10, "only {outputs} outputs were checked");
}

/// Checks that the shipped repository has no findings, except that its placeholder has to be filled in.
#[test]
fn the_shipped_repository_is_sound() {
    let work = tempfile::tempdir().expect("a temporary folder");
    for folder in ["applications", "namespaces"] {
        fs::create_dir(work.path().join(folder)).expect("the folder can be made");
        for entry in fs::read_dir(folder).expect("the folder is shipped") {
            let entry = entry.expect("the folder can be listed");
            fs::copy(entry.path(), work.path().join(folder).join(entry.file_name())).expect("the file can be copied");
        }
    }
    let validate = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(["validate", "--no-render", "--strict", "-o", "json"])
            .args(more)
            .current_dir(work.path())
            .env_clear()
            .env("HOME", work.path())
            .output()
            .expect("the program runs");
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the output is JSON");
        let rules = list["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| item["rule"].to_string())
            .collect::<Vec<_>>();
        (output.status.code(), rules)
    };
    assert_eq!(validate(&[]), (Some(1), vec!["\"HL407\"".to_owned(); 4]));
    assert_eq!(validate(&["--rules", "-HL407"]), (Some(0), Vec::new()));
}

/// Returns the items of the list that the program prints in a copy of a repository of `tests/repositories`.
fn items(repository: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
    answer(repository, arguments)["items"]
        .as_array()
        .expect("a list")
        .clone()
}

/// `include`, `exclude` and `recurse` of a source, native and as parameters, mean the same to every command.
#[test]
fn list_and_validate_agree_on_what_a_source_reads() {
    for (repository, owned) in [
        ("include-two-apps", &["a owns claim-a", "b owns claim-b"][..]),
        (
            "recurse-exclude",
            &[
                "ex owns ex-kept",
                "nat owns nat-deep",
                "plug owns plug-deep",
                "plug owns plug-top",
            ],
        ),
    ] {
        let volumes = items(repository, &["list", "volumes"]);
        let text = |item: &serde_json::Value, pointer: &str| {
            let text = item.pointer(pointer).and_then(serde_json::Value::as_str);
            text.expect("each claim has a name and an owner").to_owned()
        };
        let owners: Vec<String> = volumes
            .iter()
            .map(|claim| format!("{} owns {}", text(claim, "/owners/0"), text(claim, "/name")))
            .collect();
        assert_eq!(owners, owned, "{repository}");
        assert!(
            volumes
                .iter()
                .all(|claim| claim["owners"].as_array().is_some_and(|owners| owners.len() == 1))
        );
        let rendered = items(repository, &["validate"]);
        assert_eq!(
            rendered,
            items(repository, &["validate", "--no-render"]),
            "{repository}"
        );
        assert!(!rendered.is_empty());
    }
}

/// Returns a repository whose Application `films` renders the folder `m`, with a claim `films` at the tag `before` and one of
/// another name now.
fn renamed_claim() -> tempfile::TempDir {
    let work = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(work.path().join(name), text).expect("the file can be written");
    let git = |arguments: &[&str]| git(work.path(), arguments);
    for folder in ["applications", "m"] {
        fs::create_dir(work.path().join(folder)).expect("the folder can be made");
    }
    let claim = |name: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
        )
    };
    write("m/claim.yaml", &claim("films"));
    write(
        "applications/films.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: films\n  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\nspec:\n  project: default\n  source:\n    repoURL: https://git.example.org/me/home\n    path: m\n    targetRevision: main\n    plugin:\n      name: homelab-v1\n      parameters:\n        - name: owns\n          array: [films, movies]\n  destination: {server: https://kubernetes.default.svc, namespace: media}\n",
    );
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["remote", "add", "origin", "https://git.example.org/me/home"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=one"]);
    git(&["tag", "before"]);
    write("m/claim.yaml", &claim("movies"));
    work
}

/// Runs `validate` there and returns its exit code and its output.
fn validated(work: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .arg("validate")
        .args(arguments)
        .current_dir(work)
        .env("HOME", work)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program runs");
    let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("the output is text"));
    (output.status.code(), texts.concat())
}

#[test]
fn a_claim_that_a_revision_rendered_is_missed() {
    let work = renamed_claim();
    let rules = ["--rules", "HL119"];
    let (exit, alone) = validated(work.path(), &rules);
    assert!(exit == Some(0) && !alone.contains("HL119"), "{alone}");
    let (exit, compared) = validated(work.path(), &["--base", "before", "--strict", "--rules", "HL119"]);
    assert_eq!(exit, Some(1), "{compared}");
    assert!(
        compared.contains("warning[HL119]: claim `media/films` was rendered at `before`, and it is not now"),
        "{compared}"
    );
    assert!(
        compared.contains("`media/movies` is rendered, which starts empty"),
        "{compared}"
    );
    let (exit, refused) = validated(work.path(), &["--base", "nope"]);
    assert_eq!(exit, Some(3), "{refused}");
    assert!(refused.contains("git knows no revision `nope` here"), "{refused}");
    let (exit, usage) = validated(work.path(), &["--base", "before", "--no-render"]);
    assert_eq!(exit, Some(2), "{usage}");
}

#[test]
fn what_a_revision_does_not_render_is_counted() {
    let work = renamed_claim();
    let file = work.path().join("m/claim.yaml");
    let now = fs::read_to_string(&file).expect("the file is there");
    fs::write(&file, "kind: [\n").expect("the file can be written");
    git(work.path(), &["commit", "--quiet", "--all", "--message=broken"]);
    fs::write(&file, now).expect("the file can be written");
    let (exit, text) = validated(work.path(), &["--base", "HEAD", "--rules", "HL119"]);
    assert_eq!(exit, Some(0), "{text}");
    assert!(text.contains("base Application `films` was skipped"), "{text}");
    assert!(text.contains("not known at the base"), "{text}");
    let (exit, _) = validated(work.path(), &["--base", "HEAD", "--rules", "HL119", "--strict"]);
    assert_eq!(exit, Some(1));
}

/// The claims of `graph` are those of `list volumes`, and what it says of Applications is what it says of claims.
#[test]
fn graph_and_list_agree_on_claims() {
    for repository in [
        "include-two-apps",
        "recurse-exclude",
        "other-kinds",
        "convert-set",
        "overrides",
    ] {
        let listed = answer(repository, &["list", "volumes"])["items"].take();
        let mut graph = answer(repository, &["graph"]);
        let mut of_apps = Vec::new();
        for app in graph["applications"].as_array().expect("a list") {
            for (list, how) in [("owns", "owners"), ("writes", "writers"), ("reads", "readers")] {
                let claims = app[list].as_array().expect("a list").iter();
                of_apps
                    .extend(claims.map(|claim| format!("{} {how} {}", claim.as_str().expect("a name"), app["name"])));
            }
        }
        let mut of_claims = Vec::new();
        for claim in graph["claims"].as_array_mut().expect("a list") {
            let name = format!("{}/{}", claim["namespace"], claim["name"]).replace('"', "");
            for how in ["owners", "writers", "readers"] {
                let apps = claim[how].as_array().expect("a list").iter();
                of_claims.extend(apps.map(|app| format!("{name} {how} {app}")));
            }
            let claim = claim.as_object_mut().expect("a map");
            claim.retain(|key, _| !matches!(key.as_str(), "guard" | "missing"));
        }
        of_apps.sort();
        of_claims.sort();
        assert_eq!(of_apps, of_claims, "{repository}");
        assert_eq!(graph["claims"], listed, "{repository}");
    }
}

/// What SARIF 2.1.0 demands of a log, and what GitHub's code scanning does besides.
#[test]
fn sarif_has_the_shape_of_its_schema() {
    let log = fs::read_to_string("tests/commands/validate/storage_sarif.stdout").expect("the output is there");
    let log: serde_json::Value = serde_json::from_str(&log).expect("the output is JSON");
    assert_eq!(
        (&log["version"], &log["runs"].as_array().map(Vec::len)),
        (&"2.1.0".into(), &Some(1))
    );
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(driver["name"].is_string() && driver["informationUri"].is_string());
    let rules = driver["rules"].as_array().expect("the rules");
    let is_level = |level: &serde_json::Value| ["none", "note", "warning", "error"].iter().any(|known| level == known);
    for rule in rules {
        let text = |pointer: &str| {
            rule.pointer(pointer)
                .and_then(serde_json::Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        for pointer in [
            "/id",
            "/name",
            "/shortDescription/text",
            "/fullDescription/text",
            "/help/text",
        ] {
            assert!(text(pointer), "{pointer} of {rule}");
        }
        assert!(
            rule["helpUri"].as_str().is_some_and(|uri| uri.starts_with("https://")),
            "{rule}"
        );
        assert!(is_level(&rule["defaultConfiguration"]["level"]));
    }
    let results = run["results"].as_array().expect("the results");
    assert!(results.len() > 8, "{}", results.len());
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("a number");
        assert_eq!(rules[usize::try_from(index).expect("small")]["id"], result["ruleId"]);
        assert!(is_level(&result["level"]) && result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(
            place["artifactLocation"]["uri"]
                .as_str()
                .is_some_and(|uri| !uri.starts_with('/'))
        );
        let number = |key: &str| place["region"][key].as_u64();
        assert!(number("startLine") >= Some(1), "{place}");
        let (start, end) = (number("startColumn"), number("endColumn"));
        let is_forward = number("endLine") != number("startLine") || end > start;
        assert!(end.is_none() || is_forward, "{place}");
    }
    for invocation in run["invocations"].as_array().expect("a list") {
        assert!(invocation["executionSuccessful"].is_boolean());
    }
}

/// Returns the JSON that the program prints in a copy of a repository of `tests/repositories`.
fn answer(repository: &str, arguments: &[&str]) -> serde_json::Value {
    let work = tempfile::tempdir().expect("a temporary folder");
    folder::copy(&Path::new("tests/repositories").join(repository), work.path());
    fs::create_dir(work.path().join(".git")).expect("the folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(arguments)
        .args(["-o", "json"])
        .current_dir(work.path())
        .env_clear()
        .env("HOME", work.path())
        .output()
        .expect("the program runs");
    serde_json::from_slice(&output.stdout).expect("the output is JSON")
}
