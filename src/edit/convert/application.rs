//! Converts one Application in memory, renders it before and after, and compares the renders.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::choices::{Choices, Target};
use super::refusal::Refusal;
use super::{Conversion, Request, error, guard, random, rendered_claims, to_native, to_plugin, values_in_git};
use crate::compare::{self, Effects};
use crate::edit::{Rendered, Renders, fixed_templates};
use crate::failure;
use crate::model::namespace::is_namespace;
use crate::model::native::{self, Unsupported};
use crate::model::ownership::Ownership;
use crate::model::{AppName, Application, Availability, ClaimName, ClaimRef, Object, Pointer, Source, Unavailable};
use crate::repo::{ChangeSet, Manifest, Origin, Repo, RepoPath, overrides};

/// The conversion of one Application.
pub(super) struct AppConversion<'a> {
    pub(super) choices: &'a Choices,
    pub(super) repo: &'a Repo,
    pub(super) renders: &'a dyn Renders,
    pub(super) ownership: &'a Ownership,
    pub(super) manifest: &'a Manifest,
    /// Whether no other Application is converted, so that claims need no `APP/`.
    pub(super) is_alone: bool,
}

/// An Application that can be moved.
pub(super) struct Converted {
    pub(super) name: AppName,
    pub(super) changes: ChangeSet,
    /// Notes on what is equal, what the storage rules change, and what is left out.
    pub(super) notes: Vec<String>,
    /// The objects that it renders now.
    pub(super) before: Availability<Vec<Object>>,
    /// The objects that it renders after the conversion.
    pub(super) after: Availability<Vec<Object>>,
    /// Whether it has objects whose loss would lose data.
    pub(super) needs_guard: bool,
    /// The Application as a chart renders it then.
    pub(super) rendered: Option<Manifest>,
}

/// The outcome of converting one Application, or one set.
pub(super) enum ConversionOutcome<T> {
    Converted(Box<T>),
    /// The target renders it already.
    Unchanged,
    /// The renders differ, or a claim would turn read-only without a decision of the user.
    Refused(Vec<Refusal>),
}

impl AppConversion<'_> {
    pub(super) fn convert(&self) -> Result<ConversionOutcome<Converted>> {
        let mut request = self.request()?;
        // Obstacles are reported before anything is rendered.
        let app = Application::new(&self.manifest.object);
        if matches!(self.manifest.origin, Origin::Rendered(_)) {
            return self.convert_by_value(request);
        }
        if !self.manifest.is_written() && self.choices.target == Target::Native {
            return self.convert_back_by_file(&request);
        }
        if let Some(app) = &app
            && self.is_moved_by_files(app, &request)?
        {
            return Ok(ConversionOutcome::Unchanged);
        }
        if !self.manifest.is_written() {
            return self.convert_by_file(&mut request);
        }
        let Some(first) = self.conversion(&request)? else {
            return Ok(ConversionOutcome::Unchanged);
        };
        let app = app.context("not an Application")?;
        self.check_overrides(&app)?;
        let before = self.render(&app)?;
        if self.choices.target == Target::Plugin {
            request.owns.extend(rendered_claims(&app, &before.raw));
            let moved = self.moved(&first)?;
            let moved = Application::new(&moved).context("not an Application any more")?;
            request.reads = self.reads(&moved, &before.raw)?;
        }
        let Some(conversion) = self.conversion(&request)? else {
            return Ok(ConversionOutcome::Unchanged);
        };
        let moved = self.moved(&conversion)?;
        let moved = Application::new(&moved).context("not an Application any more")?;
        let after = match self.render(&moved) {
            Ok(after) => after,
            // A claim with a random name is another one by now.
            Err(error) => match random::claims(request.app.as_str(), &before.raw, &self.render(&app)?.raw) {
                Some(refusals) => return Ok(ConversionOutcome::Refused(refusals)),
                None => return Err(error),
            },
        };
        self.outcome(request.app, conversion, (&app, before), (&moved, after))
    }

    /// Returns the Application after a conversion.
    fn moved(&self, conversion: &Conversion) -> Result<Object> {
        let repo = self.repo.with(&conversion.changes)?;
        let is_it = |other: &&Manifest| other.file == self.manifest.file && other.document == self.manifest.document;
        let moved = repo.manifests.iter().find(is_it).context("the Application is gone")?;
        Ok(moved.object.clone())
    }

    /// Compares the two renders and decides.
    pub(super) fn outcome(
        &self,
        name: AppName,
        conversion: Conversion,
        (app, before): (&Application<'_>, Rendered),
        (moved, after): (&Application<'_>, Rendered),
    ) -> Result<ConversionOutcome<Converted>> {
        let (native_app, native, plugin) = match self.choices.target {
            Target::Plugin => (app, &before, &after),
            Target::Native => (moved, &after, &before),
        };
        let again = || -> Result<Vec<Object>> { Ok(self.render(native_app)?.raw) };
        let differences = compare::differences(&native.raw, again, &plugin.raw)?;
        let patched = random::Patched::of(if self.choices.target == Target::Plugin {
            moved
        } else {
            app
        });
        let decided = random::decide(name.as_str(), &differences, &patched, self.choices.accept_random);
        let random = match decided {
            Ok(notes) => notes,
            Err(refusals) => return Ok(ConversionOutcome::Refused(refusals)),
        };
        // Sources that the plugin renders before and after were under the storage rules all along.
        let had = Effects::between(&native.raw, &native.finished).lines;
        let mut effects = Effects::between(&plugin.raw, &plugin.finished);
        effects.lines.retain(|line| !had.contains(line));
        let read_only = Effects::between(&native.finished, &plugin.finished).read_only;
        if self.choices.target == Target::Plugin {
            let undecided = self.undecided(app, &read_only);
            if !undecided.is_empty() {
                return Ok(ConversionOutcome::Refused(undecided));
            }
        }
        let mut notes = before.notes.clone();
        notes.extend(self.summary(name.as_str(), &effects));
        notes.extend(random);
        let fixed = fixed_templates::remarks(moved, &before.finished, &after.finished);
        notes.extend(fixed.iter().chain(&conversion.notes).map(|note| format!("  {note}")));
        Ok(ConversionOutcome::Converted(Box::new(Converted {
            needs_guard: guard::needs_guard(&native.raw),
            name,
            changes: conversion.changes,
            notes,
            rendered: None,
            before: Availability::Available(before.finished),
            after: Availability::Available(after.finished),
        })))
    }

    /// Returns the name of the Application, with its root where several have one of the name.
    fn name(&self) -> Result<AppName> {
        match self.repo.app_name(self.manifest) {
            Some(name) => Ok(name),
            None => AppName::new(self.manifest.object.name()),
        }
    }

    pub(super) fn request(&self) -> Result<Request> {
        let mut request = Request::new(self.repo, self.name()?);
        request.positions = self.choices.positions.iter().copied().collect();
        request.drop_owns = self.choices.drop_owns;
        request.owns = self.choices.owns(request.app.as_str());
        request.writes = self.choices.writes(request.app.as_str());
        request.newest = values_in_git::newest(self.manifest, self.renders);
        Ok(request)
    }

    fn conversion(&self, request: &Request) -> Result<Option<Conversion>> {
        let conversion = match self.choices.target {
            Target::Plugin => to_plugin(self.repo, self.manifest, request),
            Target::Native => to_native(self.repo, self.manifest, request),
        };
        conversion.map_err(|unsupported| error(self.repo, self.manifest, &unsupported))
    }

    pub(super) fn render(&self, app: &Application<'_>) -> Result<Rendered> {
        self.renders.render(app).map_err(|failed| {
            let Some(unavailable) = failure::find::<Unavailable>(&failed) else {
                return failed.context(format!("Application `{}`", app.name()));
            };
            let sources = app.sources();
            let pointer = match sources.as_slice() {
                [source] => source.pointer.clone(),
                _ => Pointer::from_static("/spec/sources").to_buf(),
            };
            let unsupported = Unsupported {
                pointer,
                why: format!("it is moved only when both renders are equal, and {unavailable}"),
                hint: unavailable.hint(),
            };
            error(self.repo, self.manifest, &[unsupported])
        })
    }

    /// Reports whether files in the sources' folders (`.argocd-source.yaml`) make the plugin render them already.
    pub(super) fn is_moved_by_files(&self, app: &Application<'_>, request: &Request) -> Result<bool> {
        let meant = super::meant(app, request).unwrap_or_default();
        let (mut files, mut left) = (Vec::new(), 0);
        for source in meant.iter().filter(|source| source.plugin().is_none()) {
            match self.file_with_plugin(app, source) {
                Some(file) => files.push((source, file)),
                None => left += 1,
            }
        }
        let Some((source, file)) = files.first() else {
            return Ok(false);
        };
        let hint = match self.choices.target {
            Target::Plugin if left == 0 => return Ok(true),
            Target::Plugin => "name the other sources with `--source-position`".to_owned(),
            Target::Native => format!("take `plugin` out of `{file}`, and remove the file if nothing is left in it"),
        };
        let unsupported = Unsupported {
            pointer: source.pointer.clone(),
            why: format!("the file `{file}` in its folder makes the plugin render it"),
            hint,
        };
        Err(error(self.repo, self.manifest, &[unsupported]))
    }

    /// Returns the file that gives a source the plugin.
    fn file_with_plugin(&self, app: &Application<'_>, source: &Source<'_>) -> Option<RepoPath> {
        let controller = self.repo.controller_namespace();
        let overrides = self.repo.overrides_of(app, source, controller);
        let merged = overrides::merge(source.tree(), &overrides).ok()?;
        let has_plugin = Source::new(source.pointer.clone(), &merged.tree).uses_homelab_plugin();
        let mut changes = merged.changes.into_iter().filter(|_| has_plugin);
        changes.find(|(_, tool)| *tool == "plugin").map(|(file, _)| file)
    }

    /// Refuses a source whose folder holds options of a tool (`.argocd-source.yaml`): Argo CD would put them beside the
    /// new tool, and take neither.
    pub(super) fn check_overrides(&self, app: &Application<'_>) -> Result<()> {
        for source in app.sources().iter().filter(|source| !source.gives_files_only()) {
            if let Some((file, tool)) = self.renders.overridden(app, source)? {
                let unsupported = Unsupported {
                    pointer: source.pointer.clone(),
                    why: format!("the file `{file}` in its folder changes `{tool}`"),
                    hint: format!(
                        "move what is in `{file}` into the Application first, and remove the file{}",
                        self.become_parameters(&file, tool)
                    ),
                };
                return Err(error(self.repo, self.manifest, &[unsupported]));
            }
        }
        Ok(())
    }

    /// Returns what the options of a tool in a file become, as the end of a sentence.
    fn become_parameters(&self, file: &RepoPath, tool: &str) -> String {
        let patch = self.repo.overrides.get(file).map(|one| &one.patch);
        let options = patch.and_then(|patch| patch.get(tool)?.as_object());
        let known = options.into_iter().flat_map(|options| options.keys());
        let known = known.filter_map(|option| Some((option, native::parameter_of(tool, option)?)));
        let all: Vec<String> = known
            .map(|(option, name)| format!("`{tool}.{option}` becomes the parameter `{name}`"))
            .collect();
        match all.is_empty() {
            true => String::new(),
            false => format!(": {}", all.join(", ")),
        }
    }

    /// Returns the paths besides the sources' own that the plugin reads.
    pub(super) fn reads(&self, app: &Application<'_>, objects: &[Object]) -> Result<Vec<RepoPath>> {
        let mut reads = self.renders.reads(app)?;
        let is_own = |source: &Source<'_>| !source.is_versioned() && self.repo.is_own(source.repo_url());
        if app.sources().iter().any(is_own) && objects.iter().any(is_namespace) {
            reads.extend(self.repo.registry_reads());
        }
        Ok(reads)
    }

    /// Returns the claims that would turn read-only without a decision of the user, and the decisions without an effect.
    fn undecided(&self, app: &Application<'_>, read_only: &BTreeMap<String, BTreeSet<String>>) -> Vec<Refusal> {
        let name = app.name();
        let decided = self.choices.read_only(name);
        let undecided = read_only
            .iter()
            .filter(|(claim, _)| !decided.iter().any(|decided| decided.to_string() == **claim));
        let prefix = match self.is_alone {
            true => String::new(),
            false => format!("{name}/"),
        };
        let turns = |(claim, workloads): (&String, &BTreeSet<String>)| {
            let workloads: Vec<&str> = workloads.iter().map(String::as_str).collect();
            let workloads = workloads.join(", ");
            let (whose, first) = match self.owner(app, claim) {
                Some(owner) => (format!(", which belongs to `{owner}`,"), String::new()),
                None => (
                    String::new(),
                    format!("`--owns {prefix}{claim}` if `{name}` produces its data, "),
                ),
            };
            Refusal {
                message: format!("Application `{name}`: claim `{claim}`{whose} would turn read-only in {workloads}"),
                hint: Some(format!(
                    "use {first}`--writes {prefix}{claim}` if `{name}` has to write what another one produces, else `--read-only {prefix}{claim}`"
                )),
            }
        };
        // A typo would have no effect otherwise.
        let without_effect = decided
            .iter()
            .filter(|claim| !read_only.contains_key(&claim.to_string()));
        let without_effect = without_effect.map(|claim| Refusal {
            message: format!(
                "Application `{name}`: claim `{claim}` does not turn read-only: `{name}` owns it, or no workload writes it"
            ),
            hint: Some(format!("leave out `--read-only {prefix}{claim}`")),
        });
        undecided.map(turns).chain(without_effect).collect()
    }

    /// Returns the Application that owns a claim by its parameters.
    fn owner(&self, app: &Application<'_>, claim: &str) -> Option<&AppName> {
        let reference = ClaimRef {
            cluster: self.repo.clusters().of(app),
            namespace: app.namespace_name()?,
            name: ClaimName::new(claim).ok()?,
        };
        self.ownership.get(&reference)?.owners.first()
    }

    /// Returns what was compared and what changes, in lines.
    fn summary(&self, name: &str, effects: &Effects) -> Vec<String> {
        let objects = match effects.objects {
            1 => "1 object is".to_owned(),
            count => format!("{count} objects are"),
        };
        let (but, of) = match (effects.lines.is_empty(), self.choices.target) {
            (true, _) => ("", ""),
            (false, Target::Plugin) => (" but for the storage rules", ""),
            (false, Target::Native) => (" but for the storage rules, which are gone", "no longer "),
        };
        let mut lines = vec![format!("`{name}`: {objects} equal{but}")];
        lines.extend(effects.lines.iter().map(|line| match line.split_once(": ") {
            Some((object, what)) => format!("  {object}: {of}{what}"),
            None => format!("  {line}"),
        }));
        lines
    }
}
