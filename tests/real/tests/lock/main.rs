//! The lock on a real API server, as it is and as an older version: what its policies refuse, with which words, what they let
//! through, and what the commands make of it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs and fails loudly"
)]

mod commands;
mod enabled;
mod let_in;
mod objects;
mod refused;
mod upgraded;
mod writes;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use real_parts::cluster::{Cluster, Flavour};
use real_parts::folder::Folder;
use real_parts::measure::figure;
use real_parts::tools::Tools;

/// A cluster, and a repository with the lock.
pub(crate) struct Locked {
    pub(crate) cluster: Cluster,
    pub(crate) home: tempfile::TempDir,
    tools: Tools,
    folder: Folder,
}

/// The policies as this program writes them.
pub(crate) const POLICIES: &str = include_str!(
    "../../../../src/lock/snapshots/homelab__lock__tests__a_change_of_the_policies_has_a_version_of_its_own.snap"
);

/// The root Application of the repository.
const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: root\n  namespace: argocd\nspec:\n  project: default\n  \
    source:\n    repoURL: https://git.example.org/home\n    path: applications\n    targetRevision: main\n  \
    destination:\n    server: https://kubernetes.default.svc\n    namespace: argocd\n";

impl Locked {
    /// Starts a cluster whose API server behaves like a version; nothing is locked yet.
    pub(crate) fn start(version: Option<&str>) -> Self {
        let tools = Tools::of_the_test_run().unwrap();
        let folder = Folder::new().unwrap();
        let cluster = Cluster::start_as(&folder, &tools, (Flavour::K3s, 1), version).unwrap();
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("applications")).unwrap();
        fs::write(home.path().join("applications/root.yaml"), ROOT).unwrap();
        Self {
            cluster,
            home,
            tools,
            folder,
        }
    }

    /// Runs `kubectl homelab` in the repository, and returns its exit code and all that it prints.
    pub(crate) fn homelab(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(&self.tools.render.program)
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), out + &err)
    }

    /// Runs `kubectl homelab`, which must end with this exit code.
    pub(crate) fn runs(&self, code: i32, arguments: &[&str]) -> String {
        let (is, text) = self.homelab(arguments);
        assert_eq!(is, Some(code), "{arguments:?}: {text}");
        text
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.home.path().join(path)).unwrap()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        Path::new(self.home.path()).join(path).exists()
    }

    /// Writes the lock into the repository, applies it as Argo CD would, and waits until it is in force: an older one refuses with
    /// other words.
    pub(crate) fn lock(&self) {
        self.runs(0, &["lock", "enable", "deletions"]);
        for name in ["owned-claims-stay", "namespaces-with-claims-stay"] {
            self.cluster.apply(&self.read(&format!("lock/{name}.yaml"))).unwrap();
        }
        self.kubectl("create namespace probe").unwrap();
        self.kubectl("label namespace probe owner.storage.home.arpa/probe=probe")
            .unwrap();
        let claim = objects::claim("probe", "probe", "");
        self.cluster.apply(&claim).unwrap();
        for command in ["delete namespace probe", "delete pvc probe -n probe"] {
            self.until("the policies are in force", || {
                let answer = self.kubectl(&format!("{command} --dry-run=server"));
                answer.is_err_and(|answer| answer.contains("run `kubectl homelab release "))
            });
        }
    }

    /// Writes a file beside the repository, and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Applies the policy on writes in the place of an older one, and measures what it costs, in turn with and without it.
    pub(crate) fn lock_writes(&self) {
        upgraded::an_older_policy_on_writes_is_there(self);
        let (_, policy) = POLICIES
            .split_once("# The claims of Applications are read-only")
            .unwrap();
        let apply = || {
            self.cluster.apply(&format!("#{policy}")).unwrap();
            writes::in_force(self);
        };
        apply();
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for round in 0..4 {
            with.extend(writes::creations(self, &format!("with-{round}")));
            self.kubectl("delete validatingadmissionpolicybinding foreign-claims-read-only")
                .unwrap();
            writes::out_of_force(self);
            without.extend(writes::creations(self, &format!("without-{round}")));
            apply();
        }
        let [with, without] = [with, without].map(writes::median);
        figure(
            "pods created, medians with and without the policy",
            &format!("{with:.2} ms / {without:.2} ms = {:.2}", with / without),
        );
    }

    /// Runs kubectl with words that have no blanks.
    pub(crate) fn kubectl(&self, arguments: &str) -> Result<String, String> {
        let words: Vec<&str> = arguments.split(' ').collect();
        let answer = self.cluster.kubectl(&words, None);
        answer.map_err(|error| format!("{error:#}"))
    }

    /// Runs kubectl with words that have no blanks; it must be refused, with a message that has all of these texts.
    pub(crate) fn refuses(&self, arguments: &str, texts: &[&str]) -> String {
        let answer = self.kubectl(arguments).expect_err(arguments);
        for text in texts {
            assert!(answer.contains(text), "{arguments}: {answer}");
        }
        answer
    }

    pub(crate) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            self.cluster.alive().unwrap();
            assert!(start.elapsed() < Duration::from_secs(90), "not in time: {what}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns a field of an object by kubectl's JSONPath; empty if it does not exist.
    pub(crate) fn field(&self, object: &str, path: &str) -> String {
        self.kubectl(&format!("get {object} -o jsonpath={{{path}}} --ignore-not-found"))
            .unwrap_or_default()
    }
}

fn holds(version: Option<&str>) {
    let locked = Locked::start(version);
    objects::furnish(&locked);
    writes::furnish(&locked);
    enabled::furnish(&locked);
    enabled::not_before_deletions(&locked);
    upgraded::older_policies_are_replaced(&locked);
    locked.lock();
    refused::all(&locked);
    commands::status_and_release(&locked);
    let_in::all(&locked);
    enabled::stamps(&locked);
    locked.lock_writes();
    writes::all(&locked);
    enabled::policy(&locked);
    commands::disable(&locked);
}

#[test]
fn the_lock_holds_on_the_newest_kubernetes() {
    holds(None);
}

#[test]
fn the_lock_holds_on_an_older_kubernetes() {
    holds(Some("1.34"));
}
