//! Hostile and damaged input: the program answers soon and never crashes.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files, runs programs and fails loudly"
)]

#[path = "../xtask/src/fuzz/numbers.rs"]
mod numbers;

use numbers::Numbers;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-homelab");
const GOOD: &str = include_str!("../applications/jellyfin.yaml");

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Returns both streams as one text; asserts that the program ended by itself and without a panic.
fn all_output(output: &Output) -> String {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.code().is_some_and(|code| [0, 1, 3].contains(&code)),
        "{:?}: {text}",
        output.status
    );
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn repository(name: &str, text: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("applications")).unwrap();
    fs::write(folder.path().join("applications/good.yaml"), GOOD).unwrap();
    fs::write(folder.path().join("applications").join(name), text).unwrap();
    folder
}

/// Nine levels of nine references each: a billion nodes if they are expanded.
fn alias_bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let references = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{references}]\n"));
    }
    format!("apiVersion: v1\nkind: List\nmetadata:\n  name: bomb\n{text}")
}

#[test]
fn bombs_and_brackets_are_errors_with_their_place_and_hide_no_application() {
    let brackets = format!("apiVersion: v1\nkind: ConfigMap\ndata: {}", "[".repeat(100_000));
    let deep = (0..3000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect::<String>();
    for text in [alias_bomb(), brackets, deep] {
        let folder = repository("bad.yaml", text.as_bytes());
        let text_of_validate = all_output(&run(folder.path(), &["validate", "--no-render"], ""));
        assert!(
            text_of_validate.contains("applications/bad.yaml:"),
            "{text_of_validate}"
        );
        assert!(
            all_output(&run(folder.path(), &["list"], "")).contains("jellyfin"),
            "the others are listed all the same"
        );
        let output = run(folder.path(), &["filter", "--app", "x"], &text);
        assert_eq!(output.status.code(), Some(3));
        assert!(output.stdout.is_empty(), "a refused stream prints nothing");
        all_output(&output);
    }
}

#[test]
fn parameters_that_no_process_can_get_are_found_before_they_are_pushed() {
    let values = format!("key: {}\n", "x".repeat(140_000));
    let folder = repository("other.yaml", b"");
    fs::write(folder.path().join("values.yaml"), &values).unwrap();
    let add = [
        "add-app",
        "big",
        "--repo",
        "https://git.example.org/me/big",
        "--path",
        "helm",
        "-n",
        "default",
        "--dir",
        "applications",
    ];
    let mut arguments = add.to_vec();
    arguments.extend(["--values-literal-file", "values.yaml"]);
    let output = run(folder.path(), &arguments, "");
    assert!(!output.status.success());
    assert!(all_output(&output).contains("131071"), "{}", all_output(&output));
    assert!(!folder.path().join("applications/big.yaml").exists());
    let first = run(folder.path(), &["add-namespace", "first"], "");
    assert!(
        first.status.success(),
        "the first Namespace is no crime: {}",
        all_output(&first)
    );
    let inline = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: big\nspec:\n  source:\n    repoURL: https://git.example.org/me/big\n    path: .\n    plugin:\n      name: homelab-v1\n      parameters:\n      - name: values\n        string: |\n          {values}  destination:\n    namespace: default\n"
    );
    fs::write(folder.path().join("applications/big.yaml"), inline).unwrap();
    for arguments in [
        &["validate", "--no-render"][..],
        &["render", "big", "--source-dir", "big=."],
    ] {
        let output = run(folder.path(), arguments, "");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            all_output(&output).contains("131071"),
            "{arguments:?}: {}",
            all_output(&output)
        );
    }
}

#[test]
fn damaged_files_are_checked_without_a_crash() {
    let mut numbers = Numbers::of(1);
    for _ in 0..60 {
        let mut bytes = GOOD.as_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(bytes.len());
            if numbers.one_in(4) {
                bytes[at] = numbers.pick(b"\0\xff{}[]:-#&*!|>'\"\t\n %@`");
                continue;
            }
            match numbers.below(3) {
                0 => drop(bytes.drain(at..(at + numbers.below(40)).min(bytes.len()))),
                1 => bytes.truncate(at.max(1)),
                _ => {
                    let piece = bytes[at..(at + numbers.below(80)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let folder = repository("damaged.yaml", &bytes);
        for arguments in [
            &["validate", "--no-render", "-o", "json"][..],
            &["list", "volumes"],
            &["add-namespace", "new"],
        ] {
            all_output(&run(folder.path(), arguments, ""));
        }
    }
}

#[test]
fn a_repeated_kind_does_not_hide_a_mount() {
    let workload = "spec:\n  template:\n    spec:\n      containers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}]\n      volumes: [{name: v, persistentVolumeClaim: {claimName: foreign}}]\n";
    let start = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n";
    let folder = tempfile::tempdir().unwrap();
    for hidden in [
        format!("{start}\"kind\": Deployment\n\"apiVersion\": apps/v1\n{workload}"),
        format!("{start}? kind\n: Deployment\n? apiVersion\n: apps/v1\n{workload}"),
        format!(
            "# c\rkind: Deployment\r# c\rapiVersion: apps/v1\n{}{workload}",
            start.replace("kind: ConfigMap\n", "").replace("apiVersion: v1\n", "")
        ),
    ] {
        let output = run(
            folder.path(),
            &["filter", "--app", "x"],
            &format!("{hidden}---\n{start}"),
        );
        let text = all_output(&output);
        // An answer that refuses is as good.
        assert!(
            !output.status.success() || text.matches("readOnly").count() == 2,
            "{hidden}\n{text}"
        );
    }
}

#[cfg(unix)]
mod no_plain_files {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    /// Makes files that are read for ever, or not at all: a FIFO, a link to it, and a socket.
    fn odd(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let made = Command::new("mkfifo").arg(folder.join("pipe.yaml")).status();
        assert!(made.unwrap().success());
        symlink("pipe.yaml", folder.join("link.yaml")).unwrap();
        drop(UnixListener::bind(folder.join("socket.yaml")).unwrap());
    }

    #[test]
    fn in_the_repository_they_are_skipped_and_said() {
        let folder = repository("other.yaml", b"kind: ConfigMap\n");
        odd(&folder.path().join("applications"));
        odd(&folder.path().join("namespaces"));
        for arguments in [
            &["list"][..],
            &["validate", "--no-render"],
            &["add-namespace", "media"],
            &["validate", "--no-render", "--fix"],
        ] {
            let output = run(folder.path(), arguments, "");
            let text = all_output(&output);
            for name in [
                "pipe.yaml` is a FIFO",
                "link.yaml` is a FIFO",
                "socket.yaml` is a socket",
            ] {
                let said = format!("applications/{name}, not a plain file: it is skipped");
                assert_eq!(text.matches(&said).count(), 1, "{arguments:?}: {text}");
            }
            assert!(output.status.code() < Some(3), "{arguments:?}: {text}");
        }
        let text = all_output(&run(folder.path(), &["add-namespace", "pipe"], ""));
        assert!(!text.contains("namespaces/pipe.yaml created"), "{text}");
    }

    #[test]
    fn in_a_source_they_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        odd(&at("m"));
        fs::create_dir_all(at("applications")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["cmp", "generate"]).current_dir(at("m"));
        command.env("ARGOCD_APP_NAME", "a").env("ARGOCD_APP_SOURCE_PATH", "m");
        command.env("ARGOCD_APP_NAMESPACE", "media").stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("is a FIFO, not a plain file"), "{text}");
        for (file, also) in [
            ("values.yaml", true),
            ("Chart.yaml", false),
            (".argocd-source.yaml", false),
            (".helmignore", false),
        ] {
            let name = format!("charts/{}", file.trim_matches('.'));
            let chart = at(&name);
            fs::create_dir_all(&chart).unwrap();
            if file != "Chart.yaml" {
                fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: c\nversion: 0.1.0\n").unwrap();
            }
            assert!(Command::new("mkfifo").arg(chart.join(file)).status().unwrap().success());
            let parameters = if also {
                "\n      parameters: [{name: values-files, array: [values.yaml]}]"
            } else {
                ""
            };
            let application = format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a, namespace: argocd}}\nspec:\n  project: default\n  source:\n    repoURL: https://git.example.org/me/home\n    path: {name}\n    plugin:\n      name: homelab-v1{parameters}\n  destination: {{server: https://kubernetes.default.svc, namespace: home}}\n"
            );
            fs::write(at("applications/a.yaml"), application).unwrap();
            let source = at("").display().to_string();
            let output = run(
                &at(""),
                &[
                    "render",
                    "a",
                    "--source-dir",
                    &format!("https://git.example.org/me/home={source}"),
                ],
                "",
            );
            let text = all_output(&output);
            assert_eq!(output.status.code(), Some(3), "{text}");
            assert!(text.contains("is a FIFO, not a plain file"), "{file}: {text}");
        }
    }
}
