//! `kubectl homelab`: one core, two entries, five adapters.
//!
//! The law that this crate keeps: **the Application that produces the data owns its claim; every other workload
//! mounts it read-only; an Application can be replaced without losing data; applying the repository recreates the
//! cluster.**
//!
//! ```text
//!    kubectl homelab …            argocd-cmp-server
//!           │                            │
//!           ▼                            ▼
//!         cli/                         cmp.rs          entries: turn argv / ARGOCD_* into a request
//!           └────────────┬───────────────┘
//!                        ▼
//!                    sources/                          an Application's source and its render, or why there is none
//!                        ▼
//!    edit/    render/    install/    report/           verbs: values in, changes, documents or text out
//!                        ▼
//!         rules/       law/       compare/             checks with fixes; the storage rules; differences of renders
//!                        ▼
//!                     repo/                            the repository as one value; changes as data
//!                   ┌────┴────┐
//!                 model/    yaml/                      nouns          text ⇄ tree, JSON Patch → text splice
//!
//!    disk.rs  files    helm.rs  git.rs  programs    terminal.rs  the user         adapters
//!    cluster/  Argo CD's Applications in a cluster                                an adapter, used by cli only
//!    failure.rs  errors with their exit codes and hints                           used by all
//! ```
//!
//! # Imports
//!
//! A module names only what stands in its row; `tests/architecture` reads this table and the picture, and refuses circles
//! between files.
//!
//! | module | may name | crates |
//! |---|---|---|
//! | `failure` | – | `anyhow` |
//! | `model` | `failure` | `anyhow`, `jsonptr`, `serde`, `serde_json` |
//! | `yaml` | `failure` | `anyhow`, `granit_parser`, `json_patch`, `jsonptr`, `memchr`, `serde`, `serde_json` |
//! | `repo` | `failure`, `model`, `yaml` | `anyhow`, `json_patch`, `serde_json` |
//! | `law` | `failure`, `model` | `anyhow`, `json_patch`, `serde_json`, `sha2` |
//! | `rules` | `failure`, `model`, `yaml`, `repo`, `law` | `anyhow`, `json_patch`, `serde_json` |
//! | `compare` | `failure`, `model` | `json_patch` |
//! | `edit` | `failure`, `model`, `yaml`, `repo`, `law`, `rules`, `compare` | `anyhow`, `json_patch`, `serde_json` |
//! | `render` | `failure`, `model`, `yaml`, `repo`, `law` | `anyhow`, `json_patch`, `memchr`, `serde_json` |
//! | `install` | `failure`, `model`, `yaml` | `anyhow`, `serde_json` |
//! | `report` | `failure`, `model`, `yaml`, `repo`, `rules` | `annotate_snippets`, `anstyle`, `comfy_table`, `serde`, `serde_json`, `similar` |
//! | `disk` | `failure`, `model`, `yaml`, `repo` | `anyhow`, `rustix`, `sha2`, `tempfile`, `which` |
//! | `helm` | `failure`, `model`, `yaml`, `repo`, `render`, `disk` | `anyhow`, `duct`, `rustix`, `serde_json`, `sha2`, `signal_hook`, `tempfile`, `which` |
//! | `git` | `failure`, `model`, `repo` | `anyhow`, `duct`, `which` |
//! | `cluster` | `failure`, `model` | `anyhow`, `futures_util`, `k8s_openapi`, `kube`, `serde_json`, `strsim`, `tokio` |
//! | `sources` | `failure`, `model`, `yaml`, `repo`, `edit`, `render`, `disk`, `helm`, `git` | `anyhow`, `serde_json` |
//! | `terminal` | `failure` | `anstream`, `anstyle`, `indicatif` |
//! | `cmp` | `failure`, `model`, `yaml`, `repo`, `rules`, `render`, `disk`, `helm`, `terminal` | `anyhow`, `serde_json` |
//! | `cli` | `failure`, `model`, `yaml`, `repo`, `law`, `rules`, `edit`, `render`, `install`, `report`, `disk`, `helm`, `git`, `terminal`, `cmp`, `cluster`, `sources`, `compare` | `anyhow`, `clap`, `clap_complete`, `serde_json` |
//!
//! # Files on disk ↔ types
//!
//! | file | read by | written by |
//! |---|---|---|
//! | `applications/*.yaml`, `namespaces/*.yaml` | [`repo::Repo`] | [`repo::change::ChangeSet`] through [`yaml::splice`] |
//! | `plugin/plugin.yaml` | Argo CD's `argocd-cmp-server` | `kubectl homelab cmp manifest`, from [`install::plugin()`] |
//! | `plugin/*-patch.yaml`, `plugin/kustomization.yaml` | kustomize, the tests' Argo CD | the same, from [`install`] |
//! | a chart or a folder of manifests | [`render`] | nobody |
//!
//! # Decisions
//!
//! - **Values come from our own event tree, not from a serde crate.** Argo CD reads manifests with Go's rules (`yes` is a
//!   boolean, `0644` is 420, a merge key after an explicit key overrides it); no Rust crate has all of them, and the splice
//!   needs the event tree anyway. One tree gives values, spans and proof. Price: a resolver of our own, held to Go's
//!   reading by the 236 documents of `tests/vectors/yaml/hazards.json`.
//! - **One small writer of our own puts values into text**, for splices, re-prints and new files; no YAML printer of a crate
//!   does. Each of those unquotes something that Go reads otherwise, folds long lines or indents lists in a way of its
//!   own. What the writer wrote is read again and compared before it is used. Price: 200 lines, and only the styles that
//!   they know.
//! - **A move exchanges one entry of a map for another in its place** ([`yaml::replace_entry`]): a JSON Patch can say the same,
//!   but the new entry would stand at the end, and the comments inside the old one would be gone. Same proof as the
//!   splice. Price: a second kind of edit, for blocks that become another block.
//! - **Hints ride inside `anyhow` as a typed layer** ([`failure::HintExt`]), so that a core function can say the next step
//!   without knowing the terminal. Price: the rim walks the chain once.
//! - **Two globs of our own.** Argo CD expands `values-files` with one Go library (doublestar) and matches `include` and
//!   `exclude` with another (gobwas); order and syntax decide which values win and what is pruned, and no crate has either.
//!   Price: 300 lines, held to what the Go libraries answer by `tests/vectors/glob`.
//! - **`refresh`, `sync` and `wait` speak to the API server, not to Argo CD's.** They write and read the Application
//!   objects with kube-rs: no login, no second address, and the rights are those of the kubeconfig. A runtime and TLS
//!   are made by [`cluster::Cluster::connect`] alone. Price: 84 crates more, and Argo CD's own roles do not count.
//! - **The bound on helms is file locks, not a server.** Plugin processes share nothing but a folder. helm inherits its lock, so
//!   that a slot is free when its helm is gone, whatever killed whom; one more lock makes a queue, which Linux keeps in
//!   order. Price: the order is as fair as the system's locks are.
//! - **Dependencies are built in a copy of the chart.** The checkout stays as it lies without being put back, and what goes
//!   into the cache holds nothing but what helm fetched. Price: a chart with missing dependencies is copied once.
//! - **On Linux the released program is glibc's, linked statically.** What the tests link is what is released, and it
//!   runs in an image that has nothing else in it. Price: a megabyte more than with musl.
//! - **A rule is a value, not a type**: what is said of it and the function that finds what breaks it ([`rules::Rule`]). A
//!   trait would have one implementor per file, each with a name of its own and the same ten lines. Price: a rule can't
//!   carry state; none has any.
//! - **One engine completes, clap's own**, for kubectl's protocol and for the scripts of the shells; which names an
//!   argument takes is told by its value name (`APP`, `NAMESPACE`, `CLAIM`). Price: the engine is not stable yet, so that
//!   the minor version is pinned and `cli/complete.rs` alone names it.

pub mod cli;
pub mod cluster;
pub mod cmp;
pub mod compare;
pub mod disk;
pub mod edit;
pub mod failure;
pub mod git;
pub mod helm;
pub mod install;
pub mod law;
pub mod model;
pub mod process;
pub mod render;
pub mod repo;
pub mod report;
pub mod rules;
pub mod sources;
pub mod terminal;
pub mod time;
pub mod yaml;
