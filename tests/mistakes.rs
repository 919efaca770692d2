//! The mistakes that real home repositories have: each is made in a small repository, and `validate` or `diff` says so before the push, with
//! the line and the way out. The repository without them is the control: nothing is said of it.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

#[path = "transcript/git.rs"]
mod git;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use git::git;

const URL: &str = "https://git.example.org/me/home";

/// A mistake, and what is said of it.
struct Mistake {
    what: &'static str,
    /// Whether the claim had guards, as it should have.
    guarded: bool,
    /// The files of the change: a path, what is replaced in it, and by what.
    edits: &'static [(&'static str, &'static str, &'static str)],
    /// The command that says it.
    command: &'static str,
    exit: i32,
    /// What is said: the finding, the line, the way out.
    says: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        what: "a claim renamed under prune",
        guarded: false,
        edits: &[
            ("media/claim.yaml", "pvc-media", "pvc-movies"),
            ("media/media.yaml", "pvc-media", "pvc-movies"),
        ],
        command: "diff",
        exit: 1,
        says: &[
            "data-loss   prune",
            "hint: media/claim.yaml:4:3: `PersistentVolumeClaim/media/pvc-media`: put the claim back under its name",
            "hint: media/media.yaml:18:35: `Deployment/media/media`: put back what names its claim",
        ],
    },
    Mistake {
        what: "a claim renamed under prune, beside a consumer",
        guarded: true,
        edits: &[("media/claim.yaml", "pvc-media", "pvc-movies")],
        command: "validate",
        exit: 1,
        says: &[
            "error[HL105]: Deployment `reader` mounts claim `media/pvc-media`, which nobody owns",
            "--> reader/reader.yaml:17:11",
            "or correct the name",
        ],
    },
    Mistake {
        what: "a sync option in the wrong case",
        guarded: true,
        edits: &[(
            "applications/media.yaml",
            "CreateNamespace=false",
            "createNamespace=true",
        )],
        command: "validate",
        exit: 1,
        says: &[
            "error[HL301]: Argo CD does not know the sync option `createNamespace=true`",
            "--> applications/media.yaml:15:19",
            "fix: write `CreateNamespace=true`",
        ],
    },
    Mistake {
        what: "a commit to trigger a sync",
        guarded: true,
        edits: &[("media/media.yaml", "kind: Deployment", "kind: Deployment # trigger 3")],
        command: "diff",
        exit: 0,
        says: &[
            "1 of 5 Applications compared; nothing changes",
            "hint: no object differs, so that there is nothing for Argo CD to apply; a sync needs no commit: `kubectl homelab sync media`",
        ],
    },
    Mistake {
        what: "the storage class of kind, on k3s",
        guarded: true,
        edits: &[(
            "media/claim.yaml",
            "accessModes: [ReadWriteOnce]",
            "accessModes: [ReadWriteOnce]\n  storageClassName: standard",
        )],
        command: "validate --flavour k3s --strict",
        exit: 1,
        says: &[
            "warning[HL120]: claim `pvc-media` asks for the class `standard`, which is that of kind and minikube, and the cluster is k3s",
            "--> media/claim.yaml:10:3",
            "leave it out, or name `local-path`",
        ],
    },
    Mistake {
        what: "the storage class of a claim that is there",
        guarded: true,
        edits: &[(
            "media/claim.yaml",
            "accessModes: [ReadWriteOnce]",
            "accessModes: [ReadWriteOnce]\n  storageClassName: standard",
        )],
        command: "diff --fail-on sync-failure",
        exit: 1,
        says: &[
            "sync-failure   fail",
            "hint: media/claim.yaml:10:3: `PersistentVolumeClaim/media/pvc-media`: put the old class back",
        ],
    },
    Mistake {
        what: "a consumer of a claim that nobody renders",
        guarded: true,
        edits: &[("reader/reader.yaml", "pvc-media", "pvc-audio")],
        command: "validate",
        exit: 1,
        says: &[
            "error[HL105]: Deployment `reader` mounts claim `media/pvc-audio`, which nobody owns",
            "--> reader/reader.yaml:17:11",
            "add `pvc-audio` to the parameter `owns`",
        ],
    },
    Mistake {
        what: "a value at a path that the chart does not have",
        guarded: true,
        edits: &[(
            "applications/web.yaml",
            "{persistence: {size: 2Gi}}",
            "{persistance: {size: 2Gi}}",
        )],
        command: "validate --strict",
        exit: 1,
        says: &[
            "warning[HL401]: value `persistance` is none of the chart of `web`: it changes nothing",
            "--> applications/web.yaml:11:29",
            "write `persistence`, which the chart knows",
        ],
    },
    Mistake {
        what: "a value file that is not there",
        guarded: true,
        edits: &[("applications/web.yaml", "home.yaml", "hom.yaml")],
        command: "validate",
        exit: 1,
        says: &[
            "error: Application `web` does not render: value file `hom.yaml` does not exist",
            "--> applications/web.yaml:11:82",
            "name `home.yaml`, which is there",
        ],
    },
    Mistake {
        what: "a value file that is not there, in the comparison",
        guarded: true,
        edits: &[("applications/web.yaml", "home.yaml", "hom.yaml")],
        command: "diff",
        exit: 3,
        says: &[
            "`web` does not render any more",
            "value file `hom.yaml` does not exist (name `home.yaml`, which is there)",
        ],
    },
    Mistake {
        what: "a volume without a mount",
        guarded: true,
        edits: &[(
            "media/media.yaml",
            "            - {name: data, mountPath: /data}",
            "            []",
        )],
        command: "validate --strict",
        exit: 1,
        says: &[
            "warning[HL135]: Deployment `media` has claim `media/pvc-media` as volume `data`, and none of its containers mounts it",
            "--> media/media.yaml:17:11",
            "add it to `volumeMounts` of the container that needs it",
        ],
    },
    Mistake {
        what: "a consumer with an fsGroup",
        guarded: true,
        edits: &[
            ("reader/reader.yaml", "readOnly: true", "readOnly: false"),
            (
                "reader/reader.yaml",
                "      containers:",
                "      securityContext: {fsGroup: 568}\n      containers:",
            ),
        ],
        command: "validate",
        exit: 1,
        says: &[
            "warning[HL112]: `fsGroup` 568 of Deployment `reader` changes the group of all files in claim `media/pvc-media`",
            "--> reader/reader.yaml:11:25",
            "fix (needs review): take out `fsGroup`",
        ],
    },
    Mistake {
        what: "six containers in one pod that share one claim",
        guarded: true,
        edits: &[(
            "media/media.yaml",
            "        - name: media",
            "        - {name: sonarr, image: 'sonarr:4', volumeMounts: [{name: data, mountPath: /data}]}\n        - {name: radarr, image: 'radarr:5', volumeMounts: [{name: data, mountPath: /data}]}\n        - {name: lidarr, image: 'lidarr:2', volumeMounts: [{name: data, mountPath: /data}]}\n        - {name: bazarr, image: 'bazarr:1', volumeMounts: [{name: data, mountPath: /data}]}\n        - {name: fetcher, image: 'fetcher:1', volumeMounts: [{name: data, mountPath: /data}]}\n        - name: media",
        )],
        command: "validate --strict",
        exit: 1,
        says: &[
            "warning[HL136]: 6 programs share claim `media/pvc-media` as containers of Deployment `media`",
            "--> media/media.yaml:11:7",
            "give each a workload of its own",
        ],
    },
];

fn application(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n  finalizers: [resources-finalizer.argocd.argoproj.io]\nspec:\n  project: default\n  source:\n    {{repoURL: \"{URL}\", path: {path}, targetRevision: main,\n      {more}}}\n  destination: {{server: https://kubernetes.default.svc, namespace: media}}\n  syncPolicy:\n    automated: {{prune: true, selfHeal: true}}\n    syncOptions: [CreateNamespace=false]\n    retry: {{limit: 5, refresh: true}}\n"
    )
}

fn deployment(name: &str, mount: &str, volume: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  strategy: {{type: Recreate}}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n        - name: {name}\n          image: ghcr.io/me/{name}:1.0\n          volumeMounts:\n            - {{name: data, mountPath: /data{mount}}}\n      volumes:\n        - name: data\n          persistentVolumeClaim: {{claimName: pvc-media{volume}}}\n"
    )
}

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: pvc-media
  annotations:
    argocd.argoproj.io/compare-options: IgnoreExtraneous
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 5Gi}}
";

const NAMESPACE: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: media
  labels: {pod-security.kubernetes.io/enforce: baseline}
  annotations:
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
    argocd.argoproj.io/compare-options: IgnoreExtraneous
";

/// A repository without a mistake, as it was pushed.
struct Home(tempfile::TempDir);

impl Home {
    fn new(guarded: bool) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for (name, path) in [
            ("root", "applications"),
            ("media", "media"),
            ("reader", "reader"),
            ("namespaces", "namespaces"),
        ] {
            home.write(&format!("repo/applications/{name}.yaml"), &application(name, path, ""));
        }
        let helm = "helm: {valuesObject: {persistence: {size: 2Gi}}, valueFiles: [values.yaml, home.yaml]}";
        home.write("repo/applications/web.yaml", &application("web", "charts/web", helm));
        home.write(
            "repo/charts/web/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        );
        home.write("repo/charts/web/values.yaml", "persistence: {size: 1Gi}\n");
        home.write("repo/charts/web/home.yaml", "{}\n");
        home.write(
            "repo/charts/web/templates/web.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {size: {{ .Values.persistence.size }}}\n",
        );
        home.write("repo/namespaces/media.yaml", NAMESPACE);
        let guard = "    argocd.argoproj.io/sync-options: Prune=false,Delete=false\n";
        let claim = match guarded {
            true => CLAIM.to_owned(),
            false => CLAIM.replace(guard, "    example.org/guard: none\n"),
        };
        home.write("repo/media/claim.yaml", &claim);
        home.write("repo/media/media.yaml", &deployment("media", "", ""));
        home.write(
            "repo/reader/reader.yaml",
            &deployment("reader", ", readOnly: true", ", readOnly: true"),
        );
        // What the chart renders is of no matter here.
        home.write(
            "helm",
            "#!/bin/sh\ncase \"$1\" in template) printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: web}\\n';; esac\n",
        );
        fs::set_permissions(home.0.path().join("helm"), fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    fn repo(&self) -> PathBuf {
        self.0.path().join("repo")
    }

    fn push(&self) {
        let git = |arguments: &[&str]| git(&self.repo(), arguments);
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["remote", "add", "origin", URL]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=x"]);
        git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.repo().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// Runs a command, and returns its exit code and all that it says.
    fn run(&self, command: &str) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
            .args(command.split_whitespace())
            .arg("--helm")
            .arg(self.0.path().join("helm"))
            .current_dir(self.repo())
            .stdin(Stdio::null())
            .env("HOMELAB_CACHE_DIR", self.0.path().join("cache"))
            .env("NO_COLOR", "1")
            .env_remove("KUBECTL_EXTERNAL_DIFF")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code().unwrap(), text.concat())
    }
}

#[test]
fn each_mistake_is_caught_before_the_push() {
    let mut missed = Vec::new();
    for Mistake {
        what,
        guarded,
        edits,
        command,
        exit,
        says,
    } in MISTAKES
    {
        let home = Home::new(*guarded);
        home.push();
        for (file, from, to) in *edits {
            home.replace(file, from, to);
        }
        let (code, text) = home.run(command);
        let silent: Vec<&&str> = says.iter().filter(|part| !text.contains(**part)).collect();
        if code != *exit || !silent.is_empty() {
            missed.push(format!("{what}: exit {code}, without {silent:?}\n{text}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Without a mistake nothing is said: what the others say comes from the mistake alone.
#[test]
fn nothing_is_said_without_a_mistake() {
    let home = Home::new(true);
    home.push();
    let (code, text) = home.run("validate --strict --flavour k3s");
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("[HL"), "{text}");
    let (code, text) = home.run("diff");
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("hint"), "{text}");
}

/// A commit without any change is one to trigger a sync, too; a change in files that no Application reads may be of use.
#[test]
fn an_empty_commit_changes_nothing() {
    let home = Home::new(true);
    home.push();
    git(
        &home.repo(),
        &["commit", "--quiet", "--allow-empty", "--message=trigger"],
    );
    let (code, text) = home.run("diff");
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("a sync needs no commit: `kubectl homelab sync APP`"),
        "{text}"
    );
}

/// A guarded claim that is renamed is kept, and the workload starts empty all the same.
#[test]
fn a_renamed_claim_is_an_outage_where_it_is_guarded() {
    let home = Home::new(true);
    home.push();
    for file in ["media/claim.yaml", "media/media.yaml"] {
        home.replace(file, "pvc-media", "pvc-movies");
    }
    let (code, text) = home.run("diff --fail-on outage");
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("hint: media/claim.yaml:4:3: `PersistentVolumeClaim/media/pvc-media`: put the old name back"),
        "{text}"
    );
}

/// Where each finding is, for programs: in JSON, and beside the lines of a pull request.
#[test]
fn a_comparison_names_lines_for_programs() {
    let home = Home::new(false);
    home.push();
    for file in ["media/claim.yaml", "media/media.yaml"] {
        home.replace(file, "pvc-media", "pvc-movies");
    }
    let (_, text) = home.run("diff -o github");
    assert!(
        text.contains("::error file=media/claim.yaml,line=4,col=3,title=data-loss%3A prune"),
        "{text}"
    );
    assert!(text.contains("%0Ahelp: put the claim back under its name"), "{text}");
    let (_, text) = home.run("diff -o json");
    let json: serde_json::Value = serde_json::from_str(&text[..=text.rfind('}').unwrap()]).unwrap();
    assert_eq!(
        json["items"][0]["location"],
        serde_json::json!({"file": "media/claim.yaml", "line": 4, "column": 3})
    );
    assert!(
        json["items"][0]["checks"][0]["hint"]
            .as_str()
            .unwrap()
            .starts_with("put the claim back")
    );
    let (_, text) = home.run("diff -o markdown");
    assert!(text.contains("**to do:** put the claim back under its name"), "{text}");
}
