//! Moving a whole repository to the plugin and back: 21 Applications that between them use every option, rendered before
//! and after with the real helm.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/folder.rs"]
mod folder;
#[path = "transcript/git.rs"]
mod git;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use git::git;

use folder::copy;
use homelab::model::native::TABLE;
use homelab::model::{Pointer, PointerBuf, PointerExt};
use homelab::yaml::{self, Goal, ReplaceEntry};
use serde_json::Value;

/// A copy of the repository that is converted.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moving"),
            folder.path(),
        );
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn homelab(&self, arguments: &[&str]) -> Output {
        let folder = |name: &str| {
            let program = env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test`"));
            PathBuf::from(program).parent().map(Path::to_owned)
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = ["HOMELAB_TEST_HELM", "HOMELAB_TEST_KUSTOMIZE"]
            .into_iter()
            .filter_map(folder);
        let folders = folders.chain(env::split_paths(&path));
        Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(arguments)
            .current_dir(self.path())
            .env("PATH", env::join_paths(folders).unwrap())
            .env("HOME", self.path().join("nobody"))
            .env("XDG_CACHE_HOME", self.path().join("nobody"))
            .output()
            .unwrap()
    }

    /// Returns the output of a command, which has to succeed.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.homelab(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {message}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the rendered objects of every Application.
    fn rendered(&self, more: &[&str]) -> BTreeMap<String, Vec<Value>> {
        let to = self.path().join("rendered");
        let arguments = ["render", "--all", "-o", "json", "--output-dir", to.to_str().unwrap()];
        self.done(&[&arguments[..], more].concat());
        let of_file = |entry: fs::DirEntry| {
            let list: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
            let name = entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
            (name, list["items"].as_array().unwrap().clone())
        };
        let rendered = fs::read_dir(&to)
            .unwrap()
            .map(|entry| of_file(entry.unwrap()))
            .collect();
        fs::remove_dir_all(to).unwrap();
        rendered
    }

    /// Returns the texts of the Applications.
    fn texts(&self) -> BTreeMap<String, String> {
        let files = fs::read_dir(self.path().join("applications"))
            .unwrap()
            .map(Result::unwrap);
        files
            .map(|file| {
                (
                    file.file_name().into_string().unwrap(),
                    fs::read_to_string(file.path()).unwrap(),
                )
            })
            .collect()
    }
}

/// The only value of the repository that differs at every render.
fn without_passwords(mut rendered: BTreeMap<String, Vec<Value>>) -> BTreeMap<String, Vec<Value>> {
    for object in rendered.values_mut().flatten() {
        if let Some(password) = object.pointer_mut("/stringData/password") {
            *password = "random".into();
        }
    }
    rendered
}

const MOVE_ALL: &[&str] = &[
    "convert",
    "--all",
    "--read-only",
    "reader/audio",
    "--writes",
    "editor/audio",
];

#[test]
fn the_repository_uses_every_option() {
    let home = Home::new();
    let texts: String = home.texts().into_values().collect();
    assert_eq!(
        texts.matches("\nkind: Application\n").count(),
        23,
        "21 that move, root and one that has moved"
    );
    for row in TABLE {
        assert!(
            texts.contains(&format!("{}:", row.option)),
            "{} is used nowhere",
            row.option
        );
    }
    assert!(
        texts.contains("forceString: true") && texts.contains("passCredentials: true") && texts.contains("version: v3")
    );
}

/// Returns every entry of a value by its JSON Pointer.
fn entries(value: &Value, pointer: &Pointer, out: &mut Vec<PointerBuf>) {
    let mut add = |key: &str, value: &Value| {
        let below = pointer.child(key);
        out.push(below.clone());
        entries(value, &below, out);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| add(key, value)),
        Value::Array(list) => (0..)
            .zip(list)
            .for_each(|(index, value): (usize, _)| add(&index.to_string(), value)),
        _ => {}
    }
}

#[test]
fn an_entry_that_is_only_renamed_keeps_every_comment_and_quote() {
    let (mut exchanges, mut comments) = (0, 0);
    for text in Home::new().texts().into_values() {
        for document in yaml::documents(&text).unwrap() {
            let text = &text[document.range];
            let value = yaml::value(text).unwrap().unwrap();
            let mut pointers = Vec::new();
            entries(&value, Pointer::root(), &mut pointers);
            for pointer in &pointers {
                let (above, last) = pointer.split_back().unwrap();
                if last.to_index().is_ok() {
                    continue;
                }
                let renamed = value.pointer(pointer.as_str()).unwrap();
                let mut below = vec![PointerBuf::new()];
                entries(renamed, Pointer::root(), &mut below);
                let replacement = ReplaceEntry {
                    pointer: pointer.clone(),
                    key: "renamed".to_owned(),
                    value: renamed.clone(),
                    comments: below.iter().map(|at| (at.clone(), Goal::At(at.clone()))).collect(),
                    texts: below.iter().map(|at| (at.clone(), at.clone())).collect(),
                };
                let done = yaml::replace_entry(text, &replacement).unwrap();
                assert_eq!(done.lost, Vec::<usize>::new(), "{pointer} of {text}");
                let before = yaml::comment_lines(text, pointer);
                let after = yaml::comment_lines(&done.text, &above.child("renamed"));
                assert_eq!(before.len(), after.len(), "{pointer} of {text} became {}", done.text);
                comments += before.len();
                exchanges += 1;
            }
        }
    }
    assert!(
        exchanges > 400 && comments > 50,
        "{exchanges} exchanges with {comments} comments"
    );
}

#[test]
fn everything_renders_the_same_but_for_the_storage_rules() {
    let home = Home::new();
    let before = without_passwords(home.rendered(&[]));
    home.done(MOVE_ALL);
    let list = home.done(&["list", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let native: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|app| app["renderedBy"] != "plugin")
        .map(|app| app["name"].as_str().unwrap())
        .collect();
    assert_eq!(native, ["root"]);
    let raw = without_passwords(home.rendered(&["--no-storage-rules"]));
    for (name, objects) in before.iter().filter(|(name, _)| *name != "root") {
        assert_eq!(&raw[name], objects, "{name}");
    }
    let mut after = without_passwords(home.rendered(&[]));
    after.remove("root");
    let mut touched = BTreeSet::new();
    for (name, objects) in &after {
        assert_eq!(objects.len(), raw[name].len(), "{name}");
        for (before, after) in raw[name].iter().zip(objects) {
            let differences = json_patch::diff(before, after);
            for operation in differences.0 {
                let path = operation.path().to_string();
                let guards = path.starts_with("/metadata/annotations") || path.starts_with("/metadata/labels");
                let read_only = path.ends_with("/readOnly");
                touched.insert((name.as_str(), after["kind"].as_str().unwrap().to_owned()));
                match after["kind"].as_str().unwrap() {
                    "PersistentVolumeClaim" | "Namespace" => assert!(guards, "{name}: {path}"),
                    _ => assert!(read_only && name == "reader", "{name}: {path}"),
                }
            }
        }
    }
    let touched: Vec<String> = touched.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    assert_eq!(
        touched,
        [
            "namespaces Namespace",
            "plain PersistentVolumeClaim",
            "producer PersistentVolumeClaim",
            "reader Deployment",
            "several PersistentVolumeClaim"
        ]
    );
    assert_eq!(
        home.homelab(&["validate"]).status.code(),
        Some(0),
        "{}",
        home.done(&["validate"])
    );
}

#[test]
fn and_back_again() {
    let home = Home::new();
    let (before, texts) = (without_passwords(home.rendered(&[])), home.texts());
    home.done(MOVE_ALL);
    for app in [
        "text",
        "parameters",
        "crds",
        "versions",
        "tree",
        "bare",
        "random",
        "files",
        "release",
        "mixed",
    ] {
        home.done(&["convert", app, "--to", "native"]);
    }
    for app in ["plain", "producer", "several"] {
        home.done(&["convert", app, "--to", "native", "--drop-owns"]);
    }
    let after = without_passwords(home.rendered(&["--no-storage-rules"]));
    for (name, objects) in before.iter().filter(|(name, _)| *name != "root") {
        assert_eq!(&after[name], objects, "{name}");
    }
    let back = home.texts();
    for file in ["parameters.yaml", "names.yaml", "folders.yaml"] {
        assert_eq!(back[file], texts[file], "{file}");
    }
}

/// The real helm gives equal renders for equal sources, so that a wrapper has to add an object: to the second render,
/// which is the plugin's.
#[cfg(unix)]
#[test]
fn a_render_that_differs_is_refused_with_its_objects() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let helm = env::var("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
    let (wrapper, count) = (home.path().join("wrapper"), home.path().join("count"));
    let script = format!(
        "#!/bin/sh\n'{helm}' \"$@\" || exit\ncase \"$1\" in template) echo x >> '{0}';; *) exit 0;; esac\n[ $(wc -l < '{0}') -ne 2 ] || printf -- '---\\napiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: more\\n'\n",
        count.display()
    );
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let before = home.texts();
    let output = home.homelab(&["convert", "bare", "--helm", wrapper.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{message}");
    assert_eq!(
        message,
        "Application `bare` would not render the same:\n  ConfigMap/more: rendered by the plugin only\nno files were changed\n"
    );
    assert_eq!(home.texts(), before);
}

#[test]
fn all_that_can_be_moved_moves_and_the_rest_is_asked_for() {
    let home = Home::new();
    let before = home.texts();
    let output = home.homelab(&["convert", "--all"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in [
        "Application `reader`: claim `audio` would turn read-only in apps/Deployment/reader\n",
        "`--writes editor/audio`",
        "`producer`: ",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let list: Value = serde_json::from_str(&home.done(&["list", "-o", "json"])).unwrap();
    let native = list["items"].as_array().unwrap().iter();
    let native: Vec<&Value> = native
        .filter(|app| app["renderedBy"] != "plugin")
        .map(|app| &app["name"])
        .collect();
    assert_eq!(native, ["editor", "reader", "root"]);
    assert_ne!(home.texts(), before);
    // What is decided later moves then.
    home.done(MOVE_ALL);
}

#[test]
fn random_names_move_by_decision_and_random_claims_never() {
    let home = Home::new();
    let chart = home.path().join("charts/chance");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: chance\nversion: 0.1.0\n",
    )
    .unwrap();
    let random = "{{ randAlphaNum 16 | lower }}";
    let template = |kind: &str, name: &str, rest: &str| {
        let text = format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n{rest}");
        fs::write(chart.join("templates/object.yaml"), text).unwrap();
    };
    let manifest = home.path().join("applications/chance.yaml");
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: chance\n  namespace: argocd\nspec:\n  project: default\n  destination:\n    server: https://kubernetes.default.svc\n    namespace: media\n  source:\n    repoURL: https://git.example.org/home\n    path: charts/chance\n    helm: {}\n";
    fs::write(&manifest, text).unwrap();
    let convert = |more: &[&str]| {
        let output = home.homelab(&[&["convert", "chance"], more].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    template("ConfigMap", &format!("chance-{random}"), "");
    let (code, message) = convert(&[]);
    assert_eq!(code, Some(1), "{message}");
    assert!(
        message.starts_with("Application `chance` has random names or keys:\n  ConfigMap/chance-")
            && message.contains(": /metadata/name differs between two native renders, too\n")
            && message.contains("--accept-random"),
        "{message}"
    );
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text);
    let (code, message) = convert(&["--accept-random", "--dry-run=client"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("differs between two native renders, too"), "{message}");
    template("PersistentVolumeClaim", &format!("chance-{random}"), "spec: {}\n");
    for flags in [&[][..], &["--accept-random"]] {
        let (code, message) = convert(flags);
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains("random claims, which lose their data"), "{message}");
    }
    template("Secret", "chance", &format!("stringData:\n  password: {random}\n"));
    let (code, message) = convert(&[]);
    assert_eq!(code, Some(0), "{message}");
    assert!(
        message.contains("Secret/chance: /stringData/password differs between two native renders, too"),
        "{message}"
    );
}

#[test]
fn guarded_first_it_is_three_commits() {
    let home = Home::new();
    let git = |arguments: &[&str]| git(home.path(), arguments);
    git(&["init", "--quiet"]);
    git(&["config", "user.name", "Test"]);
    git(&["config", "user.email", "test@example.org"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "Before"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let remote = elsewhere.path().to_str().unwrap();
    git(&["init", "--quiet", "--bare", remote]);
    git(&["remote", "add", "origin", remote]);
    git(&["push", "--quiet", "--set-upstream", "origin", "HEAD"]);
    let original = home.texts()["claims.yaml"].clone();
    for step in 0..3 {
        let done = home.homelab(&["convert", "producer", "--guard-first", "--commit"]);
        let message = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{message}");
        assert_eq!(message.contains("is not in `origin/"), step > 0, "{message}");
        let uncommitted = home.texts();
        git(&["reset", "--quiet", "--soft", "HEAD~1"]);
        let refused = home.homelab(&["convert", "producer", "--guard-first"]);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        if message.contains("nothing to change") {
            assert!(message.contains("rendered by the plugin already"), "{message}");
        } else {
            assert_eq!(refused.status.code(), Some(3), "{message}");
            assert!(
                message.contains("of 3, the ") && message.contains("is not committed"),
                "{message}"
            );
        }
        assert_eq!(home.texts(), uncommitted);
        git(&["reset", "--quiet", "--soft", "ORIG_HEAD"]);
    }
    assert_eq!(
        git(&["log", "--format=%s", "--reverse"]),
        "Before\nGuard Application producer for the move to the plugin\nConvert Application producer to the plugin\nTake the guards of the move from Application producer\n"
    );
    let guarded = git(&["show", "HEAD~2:applications/claims.yaml"]);
    assert!(
        guarded.contains("- Prune=false") && guarded.contains("- Delete=false") && guarded.contains("helm:"),
        "{guarded}"
    );
    let moved = git(&["show", "HEAD~1:applications/claims.yaml"]);
    assert!(
        moved.contains("- Prune=false") && moved.contains("name: homelab-v1"),
        "{moved}"
    );
    let last = home.texts()["claims.yaml"].clone();
    assert!(
        !last.contains("Prune=false") && !last.contains("storage.home.arpa/moving"),
        "{last}"
    );
    let unguarded = Home::new();
    unguarded.done(&["convert", "producer"]);
    assert_eq!(unguarded.texts()["claims.yaml"], last, "the end is that of one commit");
    assert_ne!(original, last);
    let nothing = home.homelab(&["convert", "producer", "--guard-first", "--commit"]);
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("nothing to change"));
}

/// A repository of `tests/repositories`, committed.
fn committed(repository: &str) -> Home {
    let home = Home {
        folder: tempfile::tempdir().unwrap(),
    };
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories");
    copy(&from.join(repository), home.path());
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "Before"],
    ] {
        home.git(arguments);
    }
    home
}

impl Home {
    fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }

    /// Runs a command and commits what it changed; returns the names of the changed files.
    fn step(&self, arguments: &[&str]) -> String {
        self.done(arguments);
        self.git(&["add", "--all"]);
        let changed = self.git(&["diff", "--cached", "--name-only"]);
        self.git(&["commit", "--quiet", "--message", "Step"]);
        changed
    }

    fn sync_options(&self) -> usize {
        let sets = fs::read_to_string(self.path().join("bootstrap/folders.yaml")).unwrap();
        sets.matches("Prune=false").count()
    }
}

#[test]
fn a_set_moves_in_three_commits_and_is_guarded_in_its_template() {
    let home = committed("convert-set");
    let first = fs::read_to_string(home.path().join("bootstrap/folders.yaml")).unwrap();
    let arguments = ["convert", "folders", "--guard-first"];
    assert_eq!(home.step(&arguments), "bootstrap/folders.yaml\n");
    assert_eq!(home.sync_options(), 2, "the sync option, and the note of it");
    let moved = home.step(&arguments);
    assert_eq!(
        moved,
        "bootstrap/folders.yaml\nmanifests/notes/.argocd-source.yaml\nmanifests/photos/.argocd-source.yaml\n"
    );
    assert_eq!(home.step(&arguments), "bootstrap/folders.yaml\n");
    assert_eq!(home.sync_options(), 0);
    home.step(&["convert", "folders", "--to", "native", "--drop-owns"]);
    let last = fs::read_to_string(home.path().join("bootstrap/folders.yaml")).unwrap();
    let values = [&first, &last].map(|text| yaml::value(text).unwrap());
    assert_eq!(values[0], values[1]);
}

#[test]
fn a_generated_application_is_guarded_in_the_template_of_its_set() {
    let home = committed("adopt-set");
    home.git(&["remote", "add", "origin", "https://git.example.org/home"]);
    let arguments = ["convert", "recorder", "--guard-first"];
    assert_eq!(home.step(&arguments), "sets/apps.yaml\n");
    let output = home.homelab(&arguments);
    assert!(output.status.success(), "{output:?}");
    let uncommitted = home.homelab(&arguments);
    let message = String::from_utf8(uncommitted.stderr).unwrap();
    assert!(
        message.contains("step 2 of 3, the move of Application `recorder`, is not committed"),
        "{message}"
    );
    home.git(&["add", "--all"]);
    home.git(&["commit", "--quiet", "--message", "Move"]);
    assert_eq!(home.step(&arguments), "sets/apps.yaml\n");
}
