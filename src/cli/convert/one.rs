//! One Application: moved in memory, rendered before and after, and compared.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::{Args, To};
use crate::cli::native;
use crate::cli::sources::{Render, Sources};
use crate::edit::convert::{self, Conversion, Request, guard, proof};
use crate::model::namespace::is_namespace;
use crate::model::native::Obstacle;
use crate::model::ownership::Ownership;
use crate::model::{AppName, Application, ClaimName, ClaimRef, Object};
use crate::render::{self, Output};
use crate::repo::read::APPLICATIONS;
use crate::repo::{ChangeSet, Manifest, Repo, RepoPath};
use crate::rules::{Rendered, Rendering};

/// What is needed to convert one Application.
pub(super) struct One<'a> {
    pub(super) args: &'a Args,
    pub(super) repo: &'a Repo,
    pub(super) sources: &'a Sources<'a>,
    pub(super) ownership: &'a Ownership,
    pub(super) manifest: &'a Manifest,
}

/// An Application that can be moved.
pub(super) struct Converted {
    pub(super) name: AppName,
    pub(super) changes: ChangeSet,
    /// What was found equal, what the law changes, and what is left out.
    pub(super) notes: Vec<String>,
    /// What it renders now.
    pub(super) before: Rendering,
    /// What it renders afterwards.
    pub(super) after: Rendering,
    /// Whether it has something whose loss would lose data.
    pub(super) needs_guard: bool,
}

/// How that went.
pub(super) enum Ending {
    Converted(Box<Converted>),
    /// It is there already.
    Already,
    /// The renders differ, or a claim would turn read-only that nobody decided about: lines, with the next step.
    Refused(Vec<(String, Option<String>)>),
}

/// A render before and under the law.
struct Renders {
    raw: Vec<Object>,
    finished: Vec<Object>,
    notes: Vec<String>,
}

impl One<'_> {
    pub(super) fn convert(&self) -> Result<Ending> {
        let mut request = Request::new(AppName::new(self.manifest.object.name())?);
        request.positions = self.args.positions.iter().copied().collect();
        request.drop_owns = self.args.drop_owns;
        let name = request.app.to_string();
        request.owns = Args::claims_of(&self.args.owns, &name);
        request.writes = Args::claims_of(&self.args.writes, &name);
        // What stands in the way is said before anything is rendered.
        if self.conversion(&request)?.is_none() {
            return Ok(Ending::Already);
        }
        let app = Application::new(&self.manifest.object).context("not an Application")?;
        self.check_overrides(&app)?;
        let before = self.render(&app)?;
        if self.args.to == To::Plugin {
            request.owns.extend(convert::rendered_claims(&app, &before.raw));
            request.reads = self.reads(&app, &before.raw)?;
        }
        let Some(conversion) = self.conversion(&request)? else {
            return Ok(Ending::Already);
        };
        let repo = self.repo.with(&conversion.changes)?;
        let is_it = |other: &&Manifest| other.file == self.manifest.file && other.document == self.manifest.document;
        let moved = repo.manifests.iter().find(is_it).context("the Application is gone")?;
        let moved = Application::new(&moved.object).context("not an Application any more")?;
        let after = self.render(&moved)?;
        let (native, plugin) = match self.args.to {
            To::Plugin => (&before, &after),
            To::Native => (&after, &before),
        };
        let again = || -> Result<Vec<Object>> {
            let native = match self.args.to {
                To::Plugin => self.render(&app)?,
                To::Native => self.render(&moved)?,
            };
            Ok(native.raw)
        };
        let random = match proof::equal(&native.raw, again, &plugin.raw)? {
            Ok(random) => random,
            Err(lines) => return Ok(Ending::Refused(differs(&name, lines))),
        };
        // Sources that were the plugin's before and are so after have had their law all the time.
        let had = proof::law(&native.raw, &native.finished).law;
        let mut law = proof::law(&plugin.raw, &plugin.finished);
        law.law.retain(|line| !had.contains(line));
        let turned = proof::law(&native.finished, &plugin.finished).read_only;
        if self.args.to == To::Plugin {
            let asked = self.asks(&app, &turned);
            if !asked.is_empty() {
                return Ok(Ending::Refused(asked));
            }
        }
        let mut notes = before.notes.clone();
        notes.extend(self.said(&name, &law, random));
        notes.extend(conversion.notes.iter().map(|note| format!("  {note}")));
        let objects = |objects: Vec<Object>| Rendering::Objects(Rendered { objects });
        Ok(Ending::Converted(Box::new(Converted {
            needs_guard: guard::needs_guard(&native.raw),
            name: request.app,
            changes: conversion.changes,
            notes,
            before: objects(before.finished),
            after: objects(after.finished),
        })))
    }

    fn conversion(&self, request: &Request) -> Result<Option<Conversion>> {
        let conversion = match self.args.to {
            To::Plugin => convert::to_plugin(self.repo, self.manifest, request),
            To::Native => convert::to_native(self.repo, self.manifest, request),
        };
        conversion.map_err(|obstacles| convert::error(self.repo, self.manifest, &obstacles))
    }

    fn render(&self, app: &Application<'_>) -> Result<Renders> {
        match self.sources.render(app)? {
            Render::Done(outputs, notes) => Ok(Renders {
                raw: all(&outputs, Output::raw_objects)?,
                finished: all(&outputs, Output::objects)?,
                notes,
            }),
            Render::NotAtHand(why) => {
                let sources = app.sources();
                let pointer = match sources.as_slice() {
                    [source] => source.pointer.clone(),
                    _ => "/spec/sources".to_owned(),
                };
                let obstacle = Obstacle {
                    pointer,
                    why: format!("it is moved only when both renders are equal, and {}", why.why),
                    hint: why.hint,
                };
                Err(convert::error(self.repo, self.manifest, &[obstacle]))
            }
        }
    }

    /// Refuses a source whose folder holds options of a tool (`.argocd-source.yaml`): Argo CD would put them beside the
    /// new tool, and take neither.
    fn check_overrides(&self, app: &Application<'_>) -> Result<()> {
        for source in app.sources().iter().filter(|source| !source.gives_files_only()) {
            let Ok(found) = self.sources.find(source, &mut Vec::new())? else {
                continue;
            };
            let merged = render::overrides::apply(source.tree(), app.name(), &found.checkout, &found.path)?;
            let changed = ["helm", "directory", "kustomize", "plugin"]
                .into_iter()
                .find(|tool| merged.get(*tool) != source.tree().get(*tool));
            if let Some(tool) = changed {
                let obstacle = Obstacle {
                    pointer: source.pointer.clone(),
                    why: format!("a file `.argocd-source.yaml` in its folder changes `{tool}`"),
                    hint: "move what stands in that file into the Application first".to_owned(),
                };
                return Err(convert::error(self.repo, self.manifest, &[obstacle]));
            }
        }
        Ok(())
    }

    /// The paths besides the sources' own that the plugin reads.
    fn reads(&self, app: &Application<'_>, objects: &[Object]) -> Result<Vec<RepoPath>> {
        let mut reads = Vec::new();
        for source in app.sources().iter().filter(|source| !source.is_versioned()) {
            if let Ok(found) = self.sources.find(source, &mut Vec::new())?
                && let Ok(Ok(mut wanted)) = native::request(app, source)
            {
                wanted.source_path = found.path;
                reads.extend(render::helm_arguments::reads(&wanted, &found.checkout)?);
            }
            if self.repo.is_own(source.repo_url()) && objects.iter().any(is_namespace) {
                reads.push(RepoPath::new(APPLICATIONS)?);
            }
        }
        Ok(reads)
    }

    /// The claims that would turn read-only without anybody having said so, and those of which it was said for nothing.
    fn asks(
        &self,
        app: &Application<'_>,
        turned: &BTreeMap<String, BTreeSet<String>>,
    ) -> Vec<(String, Option<String>)> {
        let name = app.name();
        let decided = Args::claims_of(&self.args.read_only, name);
        let undecided = turned
            .iter()
            .filter(|(claim, _)| !decided.iter().any(|decided| decided.as_str() == claim.as_str()));
        let of = if self.args.apps.len() == 1 {
            String::new()
        } else {
            format!("{name}/")
        };
        let line = |(claim, workloads): (&String, &BTreeSet<String>)| {
            let workloads: Vec<&str> = workloads.iter().map(String::as_str).collect();
            let workloads = workloads.join(", ");
            let owner = self.owner(app, claim);
            let (whose, first) = match &owner {
                Some(owner) => (format!(", which belongs to `{owner}`,"), String::new()),
                None => (
                    String::new(),
                    format!("`--owns {of}{claim}` if `{name}` produces its data, "),
                ),
            };
            (
                format!("Application `{name}`: claim `{claim}`{whose} would turn read-only in {workloads}"),
                Some(format!(
                    "say {first}`--writes {of}{claim}` if `{name}` has to write what another one produces, else `--read-only {of}{claim}`"
                )),
            )
        };
        // A slip of the pen would have no effect otherwise.
        let nothing = decided.iter().filter(|claim| !turned.contains_key(claim.as_str()));
        let without_effect = nothing.map(|claim| {
            (
                format!(
                    "Application `{name}`: claim `{claim}` does not turn read-only: `{name}` owns it, or no workload writes it"
                ),
                Some(format!("leave out `--read-only {of}{claim}`")),
            )
        });
        undecided.map(line).chain(without_effect).collect()
    }

    /// The Application that says of a claim that it owns it.
    fn owner(&self, app: &Application<'_>, claim: &str) -> Option<&AppName> {
        let reference = ClaimRef {
            namespace: app.namespace_name()?,
            name: ClaimName::new(claim).ok()?,
        };
        self.ownership.get(&reference)?.owners.first()
    }

    fn said(&self, name: &str, law: &proof::Proof, random: Vec<String>) -> Vec<String> {
        let objects = match law.objects {
            1 => "1 object is".to_owned(),
            count => format!("{count} objects are"),
        };
        let (but, of) = match (law.law.is_empty(), self.args.to) {
            (true, _) => ("", ""),
            (false, To::Plugin) => (" but for the storage law", ""),
            (false, To::Native) => (" but for the storage law, which is gone", "no longer "),
        };
        let mut lines = vec![format!("`{name}`: {objects} equal{but}")];
        lines.extend(law.law.iter().map(|line| match line.split_once(": ") {
            Some((object, what)) => format!("  {object}: {of}{what}"),
            None => format!("  {line}"),
        }));
        let differs = |line: String| format!("  {line} differs at every render, natively too");
        lines.extend(random.into_iter().map(differs));
        lines
    }
}

fn all(outputs: &[Output], objects: impl Fn(&Output) -> Result<Vec<Object>>) -> Result<Vec<Object>> {
    let lists: Result<Vec<Vec<Object>>> = outputs.iter().map(objects).collect();
    Ok(lists?.concat())
}

fn differs(name: &str, lines: Vec<String>) -> Vec<(String, Option<String>)> {
    let head = format!("Application `{name}` would not render the same:");
    let lines = lines.into_iter().map(|line| format!("  {line}"));
    std::iter::once(head).chain(lines).map(|line| (line, None)).collect()
}
