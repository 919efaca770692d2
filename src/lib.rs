//! `kubectl homelab`: one core and two entries.
//!
//! The rules that this crate keeps: **the Application that produces the data owns its claim; every other workload mounts it
//! read-only; an Application can be replaced without losing data; applying the repository recreates the cluster.**
//!
//! ```text
//!    kubectl homelab …                                 argocd-cmp-server
//!           │                                                 │
//!           ▼                                                 │
//!         cli/       argv → request → one call → report       │
//!           ▼                                                 ▼
//!       sources/     the render of every Application,      cmp.rs    ARGOCD_* → request → one call → stdout
//!           │        or why there is none                     │
//!           ├─────────────────────────┬───────────────────────┘
//!           ▼                         ▼
//!         edit/   compare/         render/    install/    report/     verbs: values in; changes, differences,
//!           │                         │                               documents or text out
//!           ▼                         ▼
//!  settings/ ▶ rules/  ────────▶    law/  lock/  sets/               `.homelab.yaml`; checks with fixes; the storage rules as patches,
//!           │                        │           │                    and as admission policies; the Applications of ApplicationSets
//!           └────────────┬───────────┴───────────┘
//!                        ▼
//!                      repo/                                          the repository as one value; changes as data
//!                   ┌────┴────┐
//!                 model/    yaml/                                     nouns          text ⇄ tree, patch → text
//!
//!    adapters   disk/  files      terminal.rs  the user      cluster/  Argo CD's Applications in a cluster
//!               process/  programs, below  helm/, kustomize/  and  git.rs    download/  what is elsewhere
//!    for all    failure.rs  errors with exit codes and hints      time.rs  durations and deadlines
//!               parallel.rs  work on all cores, results in order     masking/  what no message shows
//! ```
//!
//! # Imports
//!
//! A module names only what is in its row; `tests/architecture` reads this table and the picture, and refuses circles
//! between files.
//!
//! | module | may name | crates |
//! |---|---|---|
//! | `failure` | `masking` | `anyhow` |
//! | `time` | `failure` | `anyhow`, `jiff` |
//! | `parallel` | – | – |
//! | `masking` | – | `base64` |
//! | `model` | `failure`, `masking` | `anyhow`, `base64`, `jsonptr`, `serde_json`, `strsim` |
//! | `yaml` | `failure` | `anyhow`, `granit_parser`, `json_patch`, `jsonptr`, `memchr`, `serde`, `serde_json` |
//! | `repo` | `failure`, `model`, `yaml`, `parallel` | `anyhow`, `globset`, `json_patch`, `memchr`, `serde_json` |
//! | `law` | `failure`, `model`, `yaml` | `anyhow`, `base16ct`, `json_patch`, `serde_json`, `sha2` |
//! | `lock` | `model`, `yaml` | `anyhow`, `serde_json` |
//! | `sets` | `masking`, `model`, `yaml`, `repo` | `anyhow`, `base16ct`, `base64`, `regex`, `serde_json`, `sha2` |
//! | `rules` | `failure`, `masking`, `model`, `yaml`, `repo`, `law`, `lock`, `parallel` | `anyhow`, `json_patch`, `serde_json` |
//! | `compare` | `model`, `repo`, `rules` | `json_patch`, `serde_json` |
//! | `settings` | `failure`, `model`, `yaml`, `repo`, `rules` | `anyhow`, `serde_json` |
//! | `edit` | `failure`, `model`, `yaml`, `repo`, `law`, `lock`, `rules`, `compare` | `anyhow`, `json_patch`, `serde_json` |
//! | `render` | `failure`, `masking`, `model`, `yaml`, `repo`, `law` | `anyhow`, `flate2`, `json_patch`, `memchr`, `serde_json`, `tar` |
//! | `install` | `model`, `yaml` | `anyhow`, `serde_json` |
//! | `report` | `masking`, `model`, `yaml`, `repo`, `lock`, `rules`, `compare`, `settings`, `edit` | `annotate_snippets`, `anstyle`, `anyhow`, `comfy_table`, `serde`, `serde_json`, `similar`, `textwrap` |
//! | `process` | `failure`, `time` | `anyhow`, `duct`, `rustix`, `signal_hook`, `tempfile`, `which` |
//! | `disk` | `failure`, `time`, `repo`, `process` | `anyhow`, `base16ct`, `etcetera`, `flate2`, `rustix`, `serde_json`, `sha2`, `tempfile`, `which` |
//! | `helm` | `failure`, `time`, `masking`, `model`, `yaml`, `repo`, `render`, `process`, `disk` | `anyhow`, `base16ct`, `etcetera`, `flate2`, `serde_json`, `sha2`, `tar`, `tempfile` |
//! | `git` | `failure`, `time`, `masking`, `model`, `repo`, `process`, `parallel` | `anyhow` |
//! | `download` | `failure`, `time`, `masking`, `model`, `disk`, `git`, `process` | `anyhow`, `base16ct`, `base64`, `flate2`, `http`, `http_body_util`, `hyper`, `hyper_rustls`, `hyper_util`, `rustls`, `rustls_platform_verifier`, `serde_json`, `sha1`, `sha2`, `tar`, `tokio`, `tower` |
//! | `kustomize` | `failure`, `time`, `masking`, `model`, `yaml`, `repo`, `render`, `process`, `disk`, `helm`, `download` | `anyhow`, `base16ct`, `serde_json`, `sha2` |
//! | `cluster` | `failure`, `time`, `model`, `lock` | `anyhow`, `futures_util`, `http_body_util`, `http`, `hyper_rustls`, `hyper_timeout`, `hyper_util`, `hyper`, `kube`, `rustls`, `serde_json`, `strsim`, `tokio`, `tower`, `x509_cert` |
//! | `terminal` | `failure`, `masking` | `anstream`, `anstyle`, `indicatif` |
//! | `sources` | `failure`, `masking`, `model`, `yaml`, `repo`, `settings`, `sets`, `edit`, `render`, `disk`, `helm`, `kustomize`, `git`, `process`, `time`, `parallel` | `anyhow`, `base64`, `serde_json` |
//! | `cmp` | `failure`, `time`, `model`, `repo`, `render`, `process`, `disk`, `helm`, `kustomize`, `sources` | `anyhow`, `serde_json` |
//! | `cli` | `failure`, `time`, `masking`, `model`, `yaml`, `repo`, `law`, `lock`, `rules`, `compare`, `settings`, `edit`, `render`, `install`, `report`, `process`, `disk`, `git`, `cluster`, `terminal`, `sources`, `cmp` | `anyhow`, `clap`, `clap_complete`, `serde_json` |
//!
//! # Files on disk ↔ types
//!
//! | file | read by | written by |
//! |---|---|---|
//! | `applications/*.yaml`, `namespaces/*.yaml` | [`repo::Repo`] | [`repo::change::ChangeSet`] through [`yaml::splice`] |
//! | `plugin/plugin.yaml` | Argo CD's `argocd-cmp-server` | `kubectl homelab cmp manifest -o plugin`, from [`install::plugin()`] |
//! | `plugin/*-patch.yaml`, `plugin/kustomization.yaml` | kustomize, the tests' Argo CD | the same, from [`install`] |
//! | `.homelab.yaml` | [`settings`] | nobody |
//! | `homelab.schema.json` | editors | a test, from [`settings::schema()`] |
//! | a chart or a folder of manifests | [`render`] | nobody |
//!
//! # Decisions
//!
//! Each with its price.
//!
//! - **Values come from our own event tree, not from a serde crate.** Argo CD reads manifests with Go's rules (`yes` is a
//!   boolean, `0644` is 420, a merge key after an explicit key overrides it). No Rust crate has all of them, and the splice
//!   needs the event tree anyway: one tree gives values, spans and the proof. Price: a resolver of our own, tested against
//!   Go's reading of the 236 documents of `tests/vectors/yaml/hazards.json`.
//! - **One small writer of our own puts values into text**, for splices, reprints and new files. The YAML printers of crates
//!   unquote values that Go reads otherwise, fold long lines, or indent lists in their own way. What the writer wrote is
//!   read again and compared before it is used. Price: 200 lines, and only the styles that they know.
//! - **Not `yamlpatch`.** It edits by the nodes of tree-sitter and writes values with `yaml_serde`; it reads neither as Go
//!   does, so that a value which Go reads otherwise could be written without quotes. Its operations are not RFC 6902, and
//!   it does not compare its result with the value that the patch should give, which every edit here has to pass.
//!   Price: 1,700 lines of splice.
//! - **A conversion replaces one entry of a map in its place** ([`yaml::replace_entry`]). A JSON Patch can express the
//!   same, but the new entry would stand at the end, and the comments inside the old one would be gone. Price: a second
//!   kind of edit.
//! - **JSON Pointers are `jsonptr`'s** ([`model::pointer`]), so that keys are escaped and joined in one place. Price: a malformed
//!   literal panics when its line runs.
//! - **Hints are carried inside `anyhow` as a typed layer** ([`failure::HintExt`]), so that a core function can name
//!   the next step without knowing the terminal. What a caller reacts to is a type in the same chain
//!   ([`failure::find`]). Price: [`failure::Failure`] walks the chain once.
//! - **Parameters are changed as operations on one source** ([`edit::parameters`]): a verb says which, and one module finds the place that
//!   gives the source its parameters, and proves that nothing else changes. Price: what a verb needs to know of several places, it has
//!   to ask there.
//! - **Claims of the parameter `claims` go out behind the render, not into it**: what is rendered is read and counted alone, so that
//!   a render that breaks off, or is empty, is still seen. Price: a second kind of document in [`render::storage_pass`].
//! - **A pause is `automated.enabled: false`** ([`model::pause`]), beside what else is said of the sync, which `resume` leaves as it is.
//!   Price: Argo CD before 3.1 does not know the field.
//! - **Whether an Application can be rendered is one type** ([`model::Availability`]): its objects, a reason why it is skipped
//!   ([`model::Unavailable`], each with its sentence and its way out), or an error. Inside [`sources`] the reason is an error
//!   like others, so that `?` works; one function turns the result into the type.
//! - **`edit` asks for renders through a trait** ([`edit::Renders`]) that [`sources`] implements: the state machine of
//!   `convert` needs them, and neither files nor helm. Price: a trait with one implementor outside of tests.
//! - **Files, rules and renders run on threads of the standard library** ([`parallel`]), as many as there are cores, with
//!   results in order. Price: 50 lines instead of the crate `rayon`, which brings a pool for loops that are over at once or
//!   mostly wait for helm.
//! - **Two globs of our own.** Argo CD expands `values-files` with one Go library (doublestar) and matches `include`,
//!   `exclude` and what AppProjects permit with another (gobwas). Order and syntax decide which values win and what is pruned, and no crate has either.
//!   The patterns of `.homelab.yaml` are a crate's ([`repo::Excluded`]). Price: 300 lines, tested against what the Go libraries answer by `tests/vectors/glob`.
//! - **`refresh`, `sync` and `wait` use the API server, not Argo CD's.** They write and read the Application objects
//!   with kube-rs: no login, no second address, and the rights are those of the kubeconfig. A runtime and TLS are made
//!   by [`cluster::Cluster::connect`] alone, and kube's watcher watches; the deadline, and which errors end a wait, are
//!   decided here. Price: 121 crates more, and Argo CD's own roles do not count.
//! - **The way to the API server is put together here, from kube's own layers** (`cluster::transport`). kube decides itself which
//!   certificates are trusted and what an answer means: it refuses a server's certificate that is named as the
//!   authority, which kubectl trusts, and takes a login page for an error of the cluster. Price: 90 lines that follow
//!   kube's, and direct dependencies on what they stand on.
//! - **Commands that edit take turns by a file lock in git's folder of the working tree** ([`disk::Lock`]), from before they read
//!   until they have written. The system frees it when its process is gone, and readers never wait. Price: on a file system
//!   without locks nothing is written.
//! - **A change of several files is remembered before its first write** ([`disk::Intent`]), with the new texts and digests of the old
//!   ones, and forgotten after its last, or after its commit. So a killed run is completed by the same command in one place for all
//!   verbs, whatever they would make of a repository in between; a verb that finds half of its change could not always know. What is
//!   the same command, its arguments say (`cli::words`), and a lock on the record tells a living run. Price: texts with passwords are
//!   in git's folder for a moment, and another command waits for the user's decision. Where nothing can be remembered, the change is
//!   made all the same, and that is said.
//! - **The number of helms is bounded by file locks, not by a server** ([`process::Slots`]). Plugin processes share nothing but
//!   a folder. helm inherits its lock, so that a slot is free when its helm is gone, whatever killed whom; one more lock
//!   makes a queue. Price: the order is as fair as the system's locks are.
//! - **A chart with its values in Git is pulled by the plugin** (`helm::charts`). Argo CD gives a plugin the files of one
//!   source, so that this one has to be the repository with the values. The version stands in the Application, and is one
//!   version, so that Argo CD's own cache of renders stays right. Price: an AppProject does not bound where charts come from.
//! - **helm runs below this program itself, started again** (`process::supervisor`). After SIGKILL nobody is left to end
//!   helm, and the kernel's own signal for that reaches only a child, and only on Linux. The supervisor sees a pipe close, and
//!   ends what it finds below. Price: a second process for each helm, and a hidden first argument.
//! - **Kustomize's helm is this program** (`helm::substitute`): a link to it in the folder of the render, whose name decides what
//!   `main` does. So a chart of `helmCharts` is pulled once and kept, has the user's logins, and helm runs with its
//!   deadline, its slot and its clean environment. Laying charts out before the build would need the whole graph of bases
//!   first, and a script needs a shell, which the sidecar has not. Price: settings and reports pass through files
//!   beside the link.
//! - **Where there is no git, this program reads repositories itself** (`download::git`): one commit over HTTPS, by version 2 of
//!   git's protocol. The sidecar's image has nothing but this program; a git in it would bring a C library, curl and their
//!   updates. The crate `gix` with its own client for HTTP makes a program of 1.6 MB one of 6.3, with a second
//!   implementation of TLS; a render asks for two things only. A git on PATH goes first, with all logins and with ssh.
//!   Price: 500 lines, no ssh and no submodules in the sidecar.
//! - **A chart's schemas are followed as helm follows them** (`render::schema`), to know what helm would load before it does: it
//!   has no option that forbids files. Price: 500 lines, tested against what the Go library loads for the schemas of
//!   `tests/vectors/schema`.
//! - **Dependencies are built in a copy of the chart.** The checkout stays as it is without being restored, and what goes into
//!   the cache holds nothing but what helm fetched. Price: a chart with missing dependencies is copied once.
//! - **Kustomize folders are edited in a copy that is symbolic links but for what is written to** (`kustomize::workspace`).
//!   Argo CD edits the shared checkout, and renders one Application of a repository after another therefore. kustomize takes a
//!   folder by its real path, so that a copy of one folder among links gives the same objects. Price: Windows, which has no
//!   links for everybody, copies all files.
//! - **A document of a render is passed by unparsed only where no reader can misread it** (`render::storage_pass`'s prescan). The
//!   argument is in that module, and a property test runs it against the parser. Price: a document with a carriage
//!   return or an odd quote is parsed.
//! - **On Linux the released program is glibc's, linked statically.** What the tests link is what is released, and it
//!   runs in an image that has nothing else in it. Price: a megabyte more than with musl.
//! - **A panic ends the process in its hook** ([`failure::on_panic`]), with the exit code of a bug; nothing is unwound, so that
//!   a release needs no tables for it, two megabytes. Whatever has to be given back is given back without destructors, as after
//!   SIGKILL: the system frees locks, the supervisor ends helm, the next command removes temporary files. Price: a fuzzer
//!   that goes on after a panic needs a profile of its own.
//! - **Templates of ApplicationSets are evaluated by an evaluator of our own** (`sets::template`), with the types that Go tells
//!   apart. The living crate for Go's templates has no `missingkey`, and its functions and numbers are others than those that
//!   Argo CD gives to sets. What is not the same here is refused by its name. Price: 3,700 lines, tested against what Argo
//!   CD's own code answers by `tests/vectors/sets`.
//! - **An Application is its root's, its Argo CD's namespace's and its name's, and only a name that several roots have is
//!   written with its root** ([`repo::Repo::app_name`]: `ROOT/APP`). Roots are for several Argo CDs where one Argo CD could not
//!   have what they bring: they have one name, or bring objects of one name, and are two documents. What a root is called
//!   comes from the path of its file. The name with the root is the key of renders, owners and findings, and the cluster of
//!   each root's Argo CD is one of its own ([`model::Cluster::OfRoot`]), so that every rule sees two instances without
//!   knowing of them. Price: Namespaces that the plugin renders count the owners of all roots, since Argo CD does not tell
//!   it which root it renders for.
//! - **A rule is a value, not a type**: its description and the function that finds what breaks it ([`rules::Rule`]). A trait
//!   would have one implementor per file, each with a name of its own and the same ten lines. Price: a rule can't carry
//!   state; none has any.
//! - **Every command that reads a repository reads `.homelab.yaml`, and refuses what it does not know; `filter` never reads it,
//!   and the plugin only what the repository consists of** ([`settings`]): a misspelled key must not be silent, and no level
//!   of a rule may change what Argo CD renders. What it says of rules, and comments that ignore findings, are applied in one
//!   place behind all rules ([`rules::check_all`]), so that the gates of edits, fixes and reports agree. Price: a file for a
//!   newer version of the program is an error on the command line, and a key that is malformed one in Argo CD.
//! - **What Argo CD does with a change is predicted from two renders** ([`compare::Comparison`]), not asked of an Argo CD: the answer is
//!   there in a pull request, without a cluster, and in the time of a few helms. What Git cannot know, whether the first state was
//!   synced, is said as a condition. Price: Argo CD's rules on sync, deletion and sets stand here again; the cases are data
//!   (`tests/vectors/outcomes.yaml`), so that a real Argo CD can be held against them.
//! - **The checks of a comparison are one table of functions** ([`compare::checks::ALL`]) over the object before and after, with two
//!   fixtures each. A language for queries would be larger than all of them. Price: a check is code.
//! - **Whose a pod is, a label of its template says** (`law::stamps`). An admission policy sees the object and its Namespace, not the claim,
//!   not the ReplicaSet and not the Application; and the accounts of controllers make the pods. What a policy lets in is decided
//!   a second time, for live objects ([`lock::foreign`]), so that it is known before it is in force; a real API server is held
//!   against both. Price: pods restart once, and a label is no identity.
//! - **Fixes are applied rule by rule, and checked** (`rules::fixer`): after each step all rules run again, and a step that
//!   introduces an error is taken back. Price: time, for a result that a second run does not change.
//! - **One engine completes, clap's own**, for kubectl's protocol and for the scripts of the shells. An argument's value name
//!   (`APP`, `NAMESPACE`, `CLAIM`) decides which names are offered. Price: the engine is not stable yet, so that the minor
//!   version is pinned and `cli/complete.rs` alone names it.
//! - **Instead of crates named by the user:** `serde_yaml` is archived and reads YAML 1.2; `jsonpatch` is `json-patch` here.

pub mod cli;
pub mod cluster;
pub mod cmp;
pub mod compare;
pub mod disk;
pub mod download;
pub mod edit;
pub mod failure;
pub mod git;
pub mod helm;
pub mod install;
pub mod kustomize;
pub mod law;
pub mod lock;
pub mod masking;
pub mod model;
pub mod parallel;
pub mod process;
pub mod render;
pub mod repo;
pub mod report;
pub mod rules;
pub mod sets;
pub mod settings;
pub mod sources;
pub mod terminal;
pub mod time;
pub mod yaml;
