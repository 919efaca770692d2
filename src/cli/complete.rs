//! Completion: kubectl's protocol for plugins, and that of the shells' own scripts. Both ask one engine, which walks
//! the command line as clap knows it; the names come from the repository that the working directory is in.
//!
//! kubectl calls a plugin's completer with the words after the plugin's name, the last of them the one that is being
//! typed, and reads one candidate per line, then `:` and a number of flags. It shows standard error to the user, so
//! nothing is ever written there. Source: `kubectl`'s `pkg/cmd/plugin/plugin_completion.go`, and
//! <https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective>.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use clap::{Arg, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use super::session::Session;
use crate::disk::{self, Checkout};
use crate::failure::Exit;
use crate::git::WorkingTree;
use crate::model::Application;
use crate::model::claim::ClaimRef;
use crate::repo::{Manifest, Repo};
use crate::report::explain;
use crate::rules::{self, Scope};
use crate::settings;
use crate::sources::{ChartRenders, Opened, Options, SourceDirs, complete as complete_repo};
use crate::terminal::Terminal;

/// The variable in which a shell's script names its shell.
pub(super) const VARIABLE: &str = "KUBECTL_HOMELAB_COMPLETE";

/// No space after the candidate: there is more to type.
const NO_SPACE: u8 = 2;
/// No file names where there is no candidate.
const NO_FILES: u8 = 4;

/// The words to complete, as kubectl passes them
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    answer(&args.words, &session.terminal)?;
    Ok(Exit::Done)
}

/// Answers kubectl.
pub(super) fn answer(words: &[OsString], terminal: &Terminal) -> Result<()> {
    Ok(terminal.data(&for_kubectl(words))?)
}

/// Returns what kubectl reads: the candidates for the last of these words, and the flags.
fn for_kubectl(words: &[OsString]) -> String {
    let typed = words.last().cloned().unwrap_or_default();
    let found = candidates(words);
    let is_shown = |candidate: &&CompletionCandidate| {
        !candidate.get_value().as_encoded_bytes().starts_with(b"-") || typed.as_encoded_bytes().starts_with(b"-")
    };
    let shown: Vec<&CompletionCandidate> = found.iter().filter(is_shown).collect();
    let mut text = String::new();
    for candidate in &shown {
        let value = candidate.get_value().to_string_lossy();
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = match help.lines().next() {
            Some(help) => writeln!(text, "{value}\t{help}"),
            None => writeln!(text, "{value}"),
        };
    }
    let goes_on = |candidate: &&CompletionCandidate| {
        let value = candidate.get_value().as_encoded_bytes();
        value.ends_with(b":") || value.ends_with(b"=") || value.ends_with(b"/")
    };
    let flags = if !shown.is_empty() && shown.iter().all(goes_on) {
        NO_FILES | NO_SPACE
    } else {
        NO_FILES
    };
    let _ = writeln!(text, ":{flags}");
    text
}

/// Answers a shell's script when it was called by one; reports whether it was.
pub(super) fn for_shell(arguments: &[OsString]) -> bool {
    let words: Vec<OsString> = arguments.iter().skip_while(|word| *word != "--").cloned().collect();
    let env = CompleteEnv::with_factory(move || with_names(super::command(), &words));
    // Whatever fails, the user is in the middle of a command line: no candidates, and no message.
    env.var(VARIABLE)
        .try_complete(arguments.to_vec(), Some(Path::new(".")))
        .unwrap_or(true)
}

fn candidates(words: &[OsString]) -> Vec<CompletionCandidate> {
    let mut command = with_names(super::command(), words);
    let mut arguments = vec![OsString::from("kubectl-homelab")];
    arguments.extend(words.iter().cloned());
    if words.is_empty() {
        arguments.push(OsString::new());
    }
    let last = arguments.len() - 1;
    complete(&mut command, arguments, last, Some(Path::new("."))).unwrap_or_default()
}

/// Returns the last value among these words of a flag that has one of these names.
fn value_of(words: &[OsString], names: &[&str]) -> Option<String> {
    let texts: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let value = |index: usize| {
        let word = texts[index];
        names.iter().find_map(|name| match word.strip_prefix(name)? {
            "" => texts.get(index + 1).copied(),
            joined => joined
                .strip_prefix('=')
                .or(Some(joined).filter(|_| !name.starts_with("--"))),
        })
    };
    (0..texts.len()).rev().find_map(value).map(str::to_owned)
}

/// Returns the command line with completers for the arguments that take names, by their value names.
fn with_names(command: Command, words: &[OsString]) -> Command {
    walk(command, &Arc::new(Names::new(words)))
}

fn walk(command: Command, names: &Arc<Names>) -> Command {
    let command = command.mut_args(|arg| match kind(&arg) {
        Some(kind) => arg.add(completer(kind, names)),
        None => arg,
    });
    command.mut_subcommands(|below| walk(below, names))
}

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    App,
    Namespace,
    Claim,
    /// `CLAIM:PATH`.
    Mount,
    /// A branch or a tag of the repository.
    Revision,
    Rule,
    /// A rule, a topic or an Application.
    Subject,
}

/// Returns the kind of name that an argument takes.
fn kind(arg: &Arg) -> Option<Kind> {
    let name = arg.get_value_names()?.first()?.as_str();
    match name {
        "APP" => Some(Kind::App),
        "NAMESPACE" => Some(Kind::Namespace),
        "CLAIM" | "[NAMESPACE/]CLAIM" => Some(Kind::Claim),
        // Other revisions are those of sources.
        "REV" if arg.get_id() == "base" => Some(Kind::Revision),
        _ if name.starts_with("CLAIM[") => Some(Kind::Mount),
        "RULE|TOPIC|APP" => Some(Kind::Subject),
        _ if name.starts_with("RULE") => Some(Kind::Rule),
        _ => None,
    }
}

fn completer(kind: Kind, names: &Arc<Names>) -> ArgValueCompleter {
    let names = Arc::clone(names);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let found = names.of(kind, &typed);
        let fitting = found.into_iter().filter(|(name, _)| name.starts_with(typed.as_ref()));
        let candidate = |(name, help): (String, String)| {
            CompletionCandidate::new(name).help((!help.is_empty()).then(|| help.into()))
        };
        fitting.map(candidate).collect::<Vec<_>>()
    })
}

/// The names of the repository, read when somebody first asks for one.
struct Names {
    repo_dir: Option<PathBuf>,
    /// The namespace that was given: a pod mounts no claims of others.
    namespace: Option<String>,
    repo: OnceLock<Option<Repo>>,
}

impl Names {
    /// Returns the names that fit the words before.
    fn new(words: &[OsString]) -> Self {
        Self {
            repo_dir: value_of(words, &["--repo-dir"]).map(PathBuf::from),
            namespace: value_of(words, &["-n", "--namespace", "--dest-namespace"]),
            repo: OnceLock::new(),
        }
    }

    /// Returns the repository, if there is one. No helm runs: charts of Applications count as they were rendered before.
    fn repo(&self) -> Option<&Repo> {
        let read = || {
            let opened = Opened::of(self.checkout()?);
            let settings = settings::scan(&opened.checkout).ok()?;
            let mut repo = Repo::read_with(&opened.checkout, &opened.remotes, settings).ok()?;
            let options = Options {
                charts: ChartRenders::KeptAlone,
                ..Options::default()
            };
            let parents = (&SourceDirs::default(), &options);
            complete_repo(&mut repo, &opened.checkout, parents, &mut |_| {}).ok()?;
            Some(repo)
        };
        self.repo.get_or_init(read).as_ref()
    }

    fn checkout(&self) -> Option<Checkout> {
        let checkout = match &self.repo_dir {
            Some(folder) if disk::is_repository(folder) => Checkout::open(folder),
            Some(folder) => Checkout::find(folder),
            None => Checkout::find(Path::new(".")),
        };
        checkout.ok()
    }

    /// Returns the branches and tags.
    fn revisions(&self) -> Vec<(String, String)> {
        let tree = self.checkout().and_then(|checkout| WorkingTree::at(checkout.root()));
        let names = tree.map(|tree| tree.references()).unwrap_or_default();
        names.into_iter().map(|name| (name, String::new())).collect()
    }

    /// Returns the names of a kind that may be meant by what is typed, each with a word about it.
    fn of(&self, kind: Kind, typed: &str) -> Vec<(String, String)> {
        match kind {
            Kind::Rule => return subjects(),
            Kind::Subject => {
                let apps = self.repo().map(apps).unwrap_or_default();
                return subjects().into_iter().chain(apps).collect();
            }
            Kind::Revision => return self.revisions(),
            _ => {}
        }
        let Some(repo) = self.repo() else {
            return Vec::new();
        };
        let found = match kind {
            Kind::App => apps(repo),
            Kind::Namespace => namespaces(repo),
            Kind::Claim if typed.contains('/') => with_namespaces(claims(repo, self.namespace.as_deref())),
            Kind::Claim | Kind::Mount => with_places(claims(repo, self.namespace.as_deref())),
            Kind::Revision | Kind::Rule | Kind::Subject => BTreeMap::new(),
        };
        let ending = if kind == Kind::Mount { ":" } else { "" };
        found
            .into_iter()
            .map(|(name, help)| (format!("{name}{ending}"), help))
            .collect()
    }
}

fn apps(repo: &Repo) -> BTreeMap<String, String> {
    let app = |manifest: &Manifest, app: &Application<'_>| {
        let namespace = app.destination_namespace().map(|name| format!("in {name}"));
        (repo.shown_name(manifest), namespace.unwrap_or_default())
    };
    repo.applications()
        .map(|(manifest, found)| app(manifest, &found))
        .collect()
}

fn namespaces(repo: &Repo) -> BTreeMap<String, String> {
    let declared = repo.namespaces().map(|manifest| manifest.object.name().to_owned());
    let destinations = repo
        .applications()
        .filter_map(|(_, app)| app.destination_namespace().map(str::to_owned));
    declared.chain(destinations).map(|name| (name, String::new())).collect()
}

/// Returns the names of claims with the namespaces that have such a claim.
fn claims(repo: &Repo, namespace: Option<&str>) -> BTreeMap<String, BTreeSet<String>> {
    let renders = BTreeMap::new();
    let ownership = Scope::new(repo, &renders).ownership;
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_near = |claim: &ClaimRef| namespace.is_none_or(|name| claim.namespace.as_str() == name);
    for (claim, _) in ownership.claims().filter(|(claim, _)| is_near(claim)) {
        let namespaces = places.entry(claim.name.to_string()).or_default();
        namespaces.insert(claim.namespace.to_string());
    }
    places
}

/// Returns each name with where such claims are.
fn with_places(claims: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, String> {
    let place = |namespaces: BTreeSet<String>| format!("in {}", Vec::from_iter(namespaces).join(", "));
    claims.into_iter().map(|(name, found)| (name, place(found))).collect()
}

/// Returns each claim as `NAMESPACE/CLAIM`.
fn with_namespaces(claims: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, String> {
    let named = |(name, namespaces): (String, BTreeSet<String>)| {
        let whole = move |namespace| (format!("{namespace}/{name}"), String::new());
        namespaces.into_iter().map(whole)
    };
    claims.into_iter().flat_map(named).collect()
}

/// Returns the subjects of `explain`: topics, and every rule by its id and its name.
fn subjects() -> Vec<(String, String)> {
    let topics = explain::TOPICS.iter().map(|topic| (topic.name, topic.summary));
    let rules = || rules::metas().map(|meta| (meta, meta.summary));
    let ids = rules().map(|(meta, summary)| (meta.id, summary));
    let names = rules().map(|(meta, summary)| (meta.name, summary));
    let all = topics.chain(ids).chain(names);
    all.map(|(name, summary)| (name.to_owned(), summary.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: [(&str, &str); 4] = [
        ("jellyfin", include_str!("../../applications/jellyfin.yaml")),
        ("namespaces", include_str!("../../applications/namespaces.yaml")),
        (
            "pilotedge-audio-fetcher",
            include_str!("../../applications/pilotedge-audio-fetcher.yaml"),
        ),
        ("root", include_str!("../../applications/root.yaml")),
    ];

    /// Returns a folder with Applications, without git.
    fn folder_of(applications: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("applications");
        disk::make_folder(&below).unwrap();
        for (name, text) in applications {
            disk::write_text(&below.join(name).with_extension("yaml"), text).unwrap();
        }
        folder
    }

    /// Returns what kubectl reads in a repository.
    fn asked(folder: &Path, words: &[&str]) -> String {
        let mut full = vec![OsString::from("--repo-dir"), folder.as_os_str().to_owned()];
        full.extend(words.iter().map(OsString::from));
        for_kubectl(&full)
    }

    #[test]
    fn commands_flags_and_values_complete() {
        let nowhere = tempfile::tempdir().unwrap();
        let asked = |words: &[&str]| asked(nowhere.path(), words);
        assert_eq!(
            asked(&["add"]),
            "add-app\tAdd an Application to the repository\nadd-namespace\tAdd a Namespace to the repository\n\
             add-volume\tAdd a claim to an Application whose chart has none for it\n:4\n"
        );
        assert!(
            asked(&["list", "--n"]).starts_with("--namespace\t"),
            "{}",
            asked(&["list", "--n"])
        );
        assert_eq!(asked(&["list", "-o", "y"]), "yaml\n:4\n");
        assert_eq!(asked(&["list", "--output=j"]), "--output=json\n:4\n");
        assert!(!asked(&["list", ""]).contains("--"), "flags are for who asks for them");
        assert!(!asked(&[""]).contains("__complete"), "what is hidden stays hidden");
        assert!(asked(&["explain", "storage"]).starts_with("storage-rules\t"));
        assert_eq!(
            asked(&["explain", "HL514"]),
            "HL514\tclaims that wait for a pod, and Applications, have the right health in Argo CD\n:4\n"
        );
        assert!(asked(&["explain", "health"]).starts_with("health-checks-configured\t"));
        assert!(asked(&["explain", "owned-claim-is"]).starts_with("owned-claim-is-guarded\t"));
        assert!(
            asked(&[""]).contains("\nlist\t"),
            "the name, and not another word for it"
        );
    }

    #[test]
    fn names_are_those_of_the_repository() {
        let home = folder_of(&SHIPPED);
        let asked = |words: &[&str]| asked(home.path(), words);
        assert_eq!(asked(&["render", "pi"]), "pilotedge-audio-fetcher\tin jellyfin\n:4\n");
        assert_eq!(asked(&["wait", "jellyfin", "na"]), "namespaces\n:4\n");
        assert_eq!(asked(&["list", "-n", "jel"]), "jellyfin\n:4\n");
        assert_eq!(
            asked(&["filter", "--owns", "jellyfin-c"]),
            "jellyfin-cache\tin jellyfin\njellyfin-config\tin jellyfin\n:4\n"
        );
        assert_eq!(
            asked(&["add-app", "x", "--mount", "pvc"]),
            "pvc-pe-audio:\tin jellyfin\n:6\n"
        );
        assert_eq!(
            asked(&["add-app", "x", "-n", "jellyfin", "--mount", "pvc"]),
            "pvc-pe-audio:\tin jellyfin\n:6\n"
        );
        for namespace in [
            &["-n", "radio"][..],
            &["-nradio"],
            &["-n=radio"],
            &["--dest-namespace=radio"],
        ] {
            let words = [&["add-app", "x"], namespace, &["--mount", ""]].concat();
            assert_eq!(asked(&words), ":4\n", "a pod mounts claims of its own namespace");
        }
        assert_eq!(asked(&["filter", "-n", "radio", "--writes", ""]), ":4\n");
        assert_eq!(asked(&["mount", "pvc"]), "pvc-pe-audio\tin jellyfin\n:4\n");
        assert_eq!(asked(&["mount", "jellyfin/pvc"]), "jellyfin/pvc-pe-audio\n:4\n");
        assert_eq!(asked(&["filter", "--app=jel"]), "--app=jellyfin\tin jellyfin\n:4\n");
    }

    #[test]
    fn nothing_is_completed_outside_of_a_repository_or_in_a_broken_one() {
        let nowhere = tempfile::tempdir().unwrap();
        assert_eq!(asked(nowhere.path(), &["render", ""]), ":4\n");
        let broken = folder_of(&[("a", "a: [\n")]);
        assert_eq!(asked(broken.path(), &["render", ""]), ":4\n");
        assert_eq!(for_kubectl(&[]).lines().last(), Some(":4"));
    }

    #[test]
    fn paths_are_completed_to_be_gone_on_with() {
        let home = folder_of(&SHIPPED);
        let typed = format!("{}/appl", home.path().display());
        let found = asked(home.path(), &["validate", &typed]);
        assert_eq!(found, format!("{}/applications/\n:6\n", home.path().display()));
    }
}
