//! `cargo xtask demo --argocd`: a GitOps repository on a real Argo CD of its own, to try commands on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use homelab::model::LiveApplication;
use homelab::repo::{Bringer, Manifest, Origin, Repo};
use real_parts::folder::Folder;
use real_parts::{Flavour, Options, Tools, World};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::say;
use super::screen::{Row, Screen};
use super::served::{self, Served};
use crate::{cargo, tools};

/// The interval at which the Applications are read.
const TICK: Duration = Duration::from_millis(200);

/// Starts the servers, shows the Applications, and stops everything on Ctrl-C.
///
/// # Errors
/// When the repository cannot be read, a program cannot be built, or a server does not start or ends by itself.
pub(crate) fn run(repo: Option<&Path>, flavour: Flavour) -> Result<()> {
    let origin = match repo {
        Some(folder) => served::Origin::at(folder)?,
        None => served::Origin::shipped()?,
    };
    let folder = Folder::new()?;
    // Before the programs are built, so that an error in the repository is reported at once.
    let repositories = origin.serve(&folder.join("git"))?;
    let programs = programs()?;
    let kustomize = repositories
        .has_kustomizations()?
        .then(|| tools::get("kustomize"))
        .transpose()?;
    let Served {
        home,
        sources,
        repo,
        remarks,
        elsewhere,
    } = repositories;
    eprintln!("starting a Kubernetes API, its controllers, fake nodes, and Argo CD with the plugin");
    let options = Options {
        flavour,
        application_sets: repo
            .all_manifests()
            .any(|manifest| manifest.object.is("argoproj.io", "ApplicationSet")),
        ..Options::default()
    };
    // Until this is done, Ctrl-C kills this process, and its servers end by themselves; afterwards their end is awaited.
    let world = World::with_repositories(&programs, &options, folder, home, sources)?;
    let is_interrupted = interrupt_flag()?;
    lay_out_programs(&world, &programs)?;
    if let Some(kustomize) = kustomize {
        symlink(kustomize, world.path("bin/kustomize")).context("cannot give Argo CD kustomize")?;
    }
    introduce(&world, &remarks, &elsewhere);
    suggest(&world, &repo);
    say("The Applications. Ctrl-C ends everything and leaves nothing behind.");
    let applied = world.cluster.apply(&first_manifests(&repo));
    // Ctrl-C also ends kubectl.
    if !is_interrupted.load(Ordering::Relaxed) {
        applied?;
    }
    follow(&world, &repo, &is_interrupted)?;
    // Ctrl-C may have ended the reader of this.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "ending");
    drop(world);
    let _ = writeln!(out, "everything is gone");
    Ok(())
}

fn programs() -> Result<Tools> {
    let mut programs: BTreeMap<&str, _> = tools::get_many(tools::FOR_TESTS)?.into_iter().collect();
    programs.insert("program", cargo::build()?.program);
    Tools::new(|name| {
        programs
            .get(name)
            .cloned()
            .with_context(|| format!("`{name}` is not built"))
    })
}

/// Returns a flag that the first Ctrl-C sets. The second one ends the process at once.
fn interrupt_flag() -> Result<Arc<AtomicBool>> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, 128 + signal, is_interrupted.clone())?;
        flag::register(signal, is_interrupted.clone())?;
    }
    Ok(is_interrupted)
}

/// Writes a folder for the user's PATH with the programs that the demo's commands need.
fn lay_out_programs(world: &World, programs: &Tools) -> Result<()> {
    let folder = world.path("programs");
    fs::create_dir(&folder)?;
    for (name, program) in [
        ("kubectl", &programs.kubectl),
        ("kubectl-homelab", &programs.render.program),
        ("helm", &programs.render.helm),
    ] {
        symlink(program, folder.join(name))?;
    }
    Ok(())
}

/// Returns the manifests that are applied by hand: the Applications, sets and projects that nothing in the repository brings.
fn first_manifests(repo: &Repo) -> String {
    let synced = repo.synced_folders();
    let is_unsynced = |manifest: &&Manifest| manifest.is_written() && !synced.reads(&manifest.file);
    let projects = repo
        .all_manifests()
        .filter(|manifest| manifest.object.is("argoproj.io", "AppProject"));
    let tree = repo.tree();
    let brought = tree
        .iter()
        .filter(|branch| matches!(branch.bringer, Bringer::Hand | Bringer::Chart(_)));
    // Projects first: the others are in them.
    let first = projects
        .filter(is_unsynced)
        .chain(brought.map(|branch| branch.manifest));
    let texts = first.map(|manifest| match manifest.origin {
        Origin::Document => repo.files[&manifest.file].document(manifest.document).to_owned(),
        _ => manifest.object.tree().to_string(),
    });
    texts.collect::<Vec<_>>().join("\n---\n")
}

fn introduce(world: &World, remarks: &[String], elsewhere: &BTreeSet<String>) {
    say("A Kubernetes API and an Argo CD of their own. The nodes are fake: pods are Running at once and do nothing.");
    say("What Argo CD reads: copies of the folders as they are, with changes that are not committed yet.");
    for repository in [&world.home].into_iter().chain(world.sources.values()) {
        println!("{}", repository.work().display());
    }
    for remark in remarks {
        println!("{remark}");
    }
    if !elsewhere.is_empty() {
        say("Not beside the repository: Argo CD asks for these itself, and says below which it cannot reach.");
        for url in elsewhere {
            println!("{url}");
        }
    }
}

/// Prints commands to try; the test of this demo runs each of them.
fn suggest(world: &World, repo: &Repo) {
    let shown = |path: &Path| quoted(&path.display().to_string());
    say("In another terminal:");
    println!("$ export KUBECONFIG={}", shown(world.cluster.kubeconfig()));
    println!("$ export PATH={}:\"$PATH\"", shown(&world.path("programs")));
    say("What is there:");
    println!("$ kubectl get applications --namespace argocd");
    println!("$ kubectl get persistentvolumeclaims --all-namespaces");
    say("A change in Git, and Argo CD takes it:");
    println!("$ cd {}", shown(world.home.work()));
    match repo.namespaces_application() {
        Some(app) => {
            println!("$ kubectl homelab add-namespace photos --commit");
            println!("$ git push");
            println!("$ kubectl homelab refresh --all");
            println!("$ kubectl homelab wait {} --for synced", app.name());
            println!("$ kubectl get namespace photos --show-labels");
        }
        None => {
            println!("$ git commit --all --allow-empty --message 'What I edited'");
            println!("$ git push");
            println!("$ kubectl homelab refresh --all");
        }
    }
    let owner = repo.applications().find_map(|(_, app)| {
        let owns = app
            .sources()
            .iter()
            .any(|source| source.uses_homelab_plugin() && source.parameter("owns").is_some());
        Some((app.name(), app.destination_namespace()?)).filter(|_| owns)
    });
    if let Some((name, namespace)) = owner {
        let returns = match repo.root_application() {
            Some((_, root)) => format!("; `{}` brings it back, and it finds them", root.name()),
            None => String::new(),
        };
        say(&format!("An Application is deleted, and its claims stay{returns}:"));
        println!("$ kubectl delete application {name} --namespace argocd");
        println!("$ kubectl get persistentvolumeclaims --namespace {namespace}");
    }
}

/// Quotes a word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Shows the Applications until Ctrl-C.
fn follow(world: &World, repo: &Repo, is_interrupted: &AtomicBool) -> Result<()> {
    let mut screen = Screen::new();
    while !is_interrupted.load(Ordering::Relaxed) {
        world.cluster.alive().and_then(|()| world.argocd.alive())?;
        // An API server under load may not answer in time; it is asked again.
        if let Ok(applications) = world.api().list("Application", "argocd/") {
            let applications = applications.into_iter().map(LiveApplication::new);
            let rows: Vec<Row> = applications.map(|app| Row::new(&app)).collect();
            let summary = summary(&rows, repo);
            screen.show(rows, &summary)?;
        }
        thread::sleep(TICK);
    }
    Ok(())
}

/// Summarizes the state of all Applications.
fn summary(rows: &[Row], repo: &Repo) -> String {
    let is_there = |name: &str| rows.iter().any(|row| row.name() == name);
    let missing = repo.applications().filter(|(_, app)| !is_there(app.name())).count();
    match rows.iter().filter(|row| !row.is_settled()).count() + missing {
        0 => format!("all {} are Synced and Healthy", rows.len()),
        1 => "1 is not Synced and Healthy yet".to_owned(),
        waiting => format!("{waiting} are not Synced and Healthy yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homelab::repo::RepoPath;

    #[test]
    fn what_nothing_brings_is_applied() {
        let source = "{repoURL: https://git.example.org/home, path: PATH}";
        let app = |name: &str, path: &str| {
            let source = source.replace("PATH", path);
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec: {{source: {source}}}\n"
            )
        };
        let project =
            |name: &str| format!("apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: {name}}}\n");
        let listed = r#"{"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "argoproj.io/v1alpha1",
            "kind": "ApplicationSet", "metadata": {"name": "listed"}}]}"#;
        let files = [
            ("bootstrap/root.yaml", app("root", "apps")),
            ("bootstrap/project.yaml", project("home")),
            ("apps/web.yaml", app("web", "elsewhere")),
            ("apps/project.yaml", project("synced")),
            ("by-hand.json", listed.to_owned()),
        ];
        let files = files.map(|(path, text)| (RepoPath::new(path).unwrap(), text));
        let mut repo = Repo::of_files(files);
        repo.own_urls = vec!["https://git.example.org/home".to_owned()];
        let text = first_manifests(&repo);
        let names: Vec<String> = text
            .split("\n---\n")
            .map(|text| yaml_serde::from_str::<serde_json::Value>(text).unwrap()["metadata"]["name"].to_string())
            .collect();
        assert_eq!(names, [r#""home""#, r#""root""#, r#""listed""#]);
    }

    #[test]
    fn a_quoted_text_is_one_word() {
        assert_eq!(quoted("/tmp/homelab.x/git"), "/tmp/homelab.x/git");
        assert_eq!(quoted("/tmp/it's here"), r"'/tmp/it'\''s here'");
    }
}
