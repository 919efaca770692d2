//! Converts an ApplicationSet with all Applications that it generates: its template gets another tool, and what its Applications
//! have each for itself goes into files of their folders. All of them are rendered before and after.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::application::{AppConversion, ConversionOutcome, Converted};
use super::by_file::{moved_alone, returned_alone, view};
use super::choices::Target;
use super::refusal::Refusal;
use super::to_plugin::with_claims;
use super::{Conversion, Request, TemplateClaims, error, rendered_claims, shared, template, to_native, to_plugin};
use crate::edit::Rendered;
use crate::edit::source_override::{self, Written};
use crate::failure::HintExt;
use crate::model::application::GENERATE_PATHS;
use crate::model::native::Unsupported;
use crate::model::parameter::Parameter;
use crate::model::tool::TOOLS;
use crate::model::{Application, Object, PointerBuf, Source};
use crate::repo::{ChangeSet, Manifest, Override, generate_paths};
use crate::rules::fixes;
use crate::yaml;

/// A set that can be moved.
pub(super) struct ConvertedSet {
    /// The change of the set itself.
    pub(super) changes: ChangeSet,
    /// Notes on it.
    pub(super) notes: Vec<String>,
    /// What it generates, each with the changes of the files in its folder.
    pub(super) apps: Vec<Converted>,
    /// What it generates after the change, as manifests.
    pub(super) generated: Vec<Manifest>,
}

/// The conversion of a set.
pub(super) struct SetConversion<'a> {
    pub(super) set: &'a Manifest,
    /// The conversions of its Applications, in the order in which it generates them.
    pub(super) apps: Vec<AppConversion<'a>>,
    pub(super) target: Target,
}

/// One Application of the set before the move.
struct Before<'a> {
    conversion: &'a AppConversion<'a>,
    app: Application<'a>,
    request: Request,
    render: Rendered,
    /// The Application as it would be if it was written and moved alone; none where the plugin renders it already.
    alone: Option<Object>,
}

impl SetConversion<'_> {
    pub(super) fn convert(&self) -> Result<ConversionOutcome<ConvertedSet>> {
        let name = self.set.object.name();
        self.set.check_editable()?;
        let Some(first) = self.apps.first() else {
            return Err(anyhow!("ApplicationSet `{name}` generates no Application whose renders show that the move is right")
                .hint("change its template by hand: `kubectl homelab explain HL304` shows which parameter replaces which option"));
        };
        let (repo, renders) = (first.repo, first.renders);
        template::check_sources(repo, self.set)?;
        let template = template::of_set(self.set).context("it has no template")?;
        if self.is_unchanged()? {
            return Ok(ConversionOutcome::Unchanged);
        }
        let before = self.apps.iter().map(before).collect::<Result<Vec<_>>>()?;
        let request = template_request(self.set, &before)?;
        // Where the template has nothing to take back, its Applications have it in files.
        let conversion = self.conversion(&template, &request, &before)?.unwrap_or_default();
        let after = repo.with(&conversion.changes)?;
        let set = after
            .manifest(&self.set.file, self.set.document)
            .context("the set is gone")?;
        let generated = renders
            .generate(&set.object, &[])
            .with_context(|| format!("the changed ApplicationSet `{name}` would generate nothing"))?;
        check_rest(name, &before, &generated)?;
        let (mut apps, mut refused) = (Vec::new(), Vec::new());
        for (before, after) in before.into_iter().zip(&generated) {
            match self.moved(before, after)? {
                ConversionOutcome::Converted(app) => apps.push(*app),
                ConversionOutcome::Refused(refusals) => refused.extend(refusals),
                ConversionOutcome::Unchanged => {}
            }
        }
        if !refused.is_empty() {
            return Ok(ConversionOutcome::Refused(of_set(name, refused)));
        }
        Ok(ConversionOutcome::Converted(Box::new(ConvertedSet {
            changes: conversion.changes,
            notes: conversion.notes,
            apps,
            generated: self.manifests(generated),
        })))
    }

    /// Reports whether the target renders all that the set generates already. Options that cannot be moved are errors.
    fn is_unchanged(&self) -> Result<bool> {
        let has_plugin = template::has_plugin(self.set);
        match self.target {
            Target::Native => {
                let mut is_unchanged = !has_plugin;
                for app in &self.apps {
                    is_unchanged &= without_plugin(app, &view(&app.manifest.object)?, &app.request()?)?.is_empty();
                }
                Ok(is_unchanged)
            }
            Target::Plugin => {
                let mut is_unchanged = true;
                for app in &self.apps {
                    let request = app.request()?;
                    let (repo, manifest) = (app.repo, app.manifest);
                    is_unchanged &= app.is_moved_by_files(&view(&manifest.object)?, &request)?
                        || moved_alone(repo, manifest, &request)?.is_none();
                }
                Ok(is_unchanged)
            }
        }
    }

    /// Returns the change of the template.
    fn conversion(&self, template: &Manifest, request: &Request, before: &[Before<'_>]) -> Result<Option<Conversion>> {
        let Some(first) = self.apps.first() else {
            return Ok(None);
        };
        let conversion = match self.target {
            Target::Plugin => to_plugin(first.repo, template, request),
            Target::Native => to_native(first.repo, template, request),
        };
        let conversion = conversion.map_err(|unsupported| error(first.repo, template, &unsupported))?;
        let Some(mut conversion) = conversion else {
            return Ok(None);
        };
        if let Some((value, added)) = watched(template, before) {
            let note = format!("the annotation `{GENERATE_PATHS}` gets what the plugin reads: {added}");
            conversion.notes.push(note);
            let operation = fixes::annotate(&template.object, GENERATE_PATHS, &value);
            conversion
                .changes
                .changes
                .extend(fixes::patch(template, vec![operation]).changes);
        }
        Ok(Some(conversion))
    }

    /// Moves one Application, of which the changed set makes `after`.
    fn moved(&self, before: Before<'_>, after: &Object) -> Result<ConversionOutcome<Converted>> {
        let Before {
            conversion,
            app,
            request,
            render,
            alone,
        } = before;
        let moved = view(after)?;
        if let Some(alone) = &alone {
            check_parameters(conversion, &moved, &view(alone)?)?;
        }
        let written = match self.target {
            Target::Plugin => with_own_claims(conversion, &moved, &request)?,
            Target::Native => without_plugin(conversion, &app, &request)?,
        };
        let overrides: Vec<Override> = written.iter().flat_map(|one| one.overrides.clone()).collect();
        let changes = written.iter().flat_map(|one| one.changes.changes.clone());
        let done = Conversion {
            changes: ChangeSet {
                changes: changes.collect(),
            },
            notes: written.iter().flat_map(|one| one.notes.clone()).collect(),
        };
        let rendered = match written.is_empty() {
            true => conversion.render(&moved)?,
            false => conversion.renders.render_overridden(&moved, &overrides)?,
        };
        conversion.outcome(request.app, done, (&app, render), (&moved, rendered))
    }

    /// Returns what the set generates as manifests, with the origins that its Applications have now.
    fn manifests(&self, generated: Vec<Object>) -> Vec<Manifest> {
        let before = self.apps.iter().map(|app| app.manifest);
        let after = before.zip(generated).map(|(manifest, object)| Manifest {
            object,
            ..manifest.clone()
        });
        after.collect()
    }
}

fn before<'a>(conversion: &'a AppConversion<'a>) -> Result<Before<'a>> {
    let (repo, manifest, mut request) = (conversion.repo, conversion.manifest, conversion.request()?);
    let app = view(&manifest.object)?;
    let render = conversion.render(&app)?;
    let mut alone = returned_alone(repo, manifest, &request).ok().flatten();
    if conversion.choices.target == Target::Plugin {
        request.owns.extend(rendered_claims(&app, &render.raw));
        alone = moved_alone(repo, manifest, &request)?.map(|(object, _)| object);
        request.reads = conversion.reads(&view(alone.as_ref().unwrap_or(&manifest.object))?, &render.raw)?;
    }
    Ok(Before {
        conversion,
        app,
        request,
        render,
        alone,
    })
}

/// Returns the request for the template: the positions, and the claims that all Applications have.
fn template_request(set: &Manifest, before: &[Before<'_>]) -> Result<Request> {
    let first = before.first().context("there is no Application")?;
    let name = set.object.at("/spec/template/metadata/name");
    let name = name.and_then(Value::as_str).unwrap_or_default();
    let in_file = before.len() == 1 && first.app.sources().iter().all(|source| is_folder(first, source));
    let shared = |entries: fn(&Request) -> BTreeSet<String>| match in_file {
        // What one Application has says nothing about those to come.
        true => Vec::new(),
        false => {
            let apps: Vec<_> = before
                .iter()
                .map(|one| (one.app.name(), entries(&one.request)))
                .collect();
            shared::of(name, &apps)
        }
    };
    let texts = |request: &Request| request.owns.iter().map(ToString::to_string).collect();
    let written = |request: &Request| request.writes.iter().map(ToString::to_string).collect();
    Ok(Request {
        positions: first.request.positions.clone(),
        drop_owns: first.request.drop_owns,
        template: Some(TemplateClaims {
            owns: shared(texts),
            writes: shared(written),
        }),
        ..Request::new(first.conversion.repo, first.request.app.clone())
    })
}

/// Reports whether a file beside a source can hold what its Application has for itself.
fn is_folder(before: &Before<'_>, source: &Source<'_>) -> bool {
    source.gives_files_only() || !source.is_versioned() && before.conversion.repo.is_own(source.repo_url())
}

/// Returns the value of the annotation of the template that covers what all Applications read, and the paths that are added;
/// `None` where there is no annotation, or it covers all.
fn watched(template: &Manifest, before: &[Before<'_>]) -> Option<(String, String)> {
    let value = template.object.annotation(GENERATE_PATHS)?;
    let annotation = |one: &Before<'_>| {
        one.app
            .object()
            .annotation(GENERATE_PATHS)
            .unwrap_or_default()
            .to_owned()
    };
    let extended = |one: &Before<'_>, annotation: &str| {
        let moved = one.alone.as_ref().and_then(Application::new).unwrap_or(one.app);
        generate_paths::extended(annotation, &generate_paths::folders(&moved), &one.request.reads)
    };
    let missing = before.iter().filter_map(|one| extended(one, &annotation(one)));
    let missing: BTreeSet<String> = missing
        .flat_map(|extended| extended.added.split(';').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    if missing.is_empty() {
        return None;
    }
    let missing = missing.into_iter().collect::<Vec<_>>().join(";");
    let behind = |annotation: &str| format!("{};{missing}", annotation.trim_end_matches(';'));
    let around = |annotation: &str| format!("/;{annotation}");
    let is_whole = |form: &dyn Fn(&str) -> String| {
        before
            .iter()
            .all(|one| extended(one, &form(&annotation(one))).is_none())
    };
    match is_whole(&behind) {
        true => Some((behind(value), missing)),
        false => Some((around(value), "/".to_owned())),
    }
}

/// Refuses a change of a set that changes more of its Applications than their tool.
fn check_rest(name: &str, before: &[Before<'_>], after: &[Object]) -> Result<()> {
    let rest = |object: &Object| {
        let mut tree = object.tree().clone();
        let sources = Application::new(object).map(|app| app.sources()).unwrap_or_default();
        for source in sources {
            let fields = tree.pointer_mut(source.pointer.as_str()).and_then(Value::as_object_mut);
            if let Some(fields) = fields {
                fields.retain(|field, _| !TOOLS.contains(&field.as_str()));
            }
        }
        let annotations = tree.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
        annotations.map(|annotations| annotations.remove(GENERATE_PATHS));
        tree
    };
    let mut pairs = before.iter().zip(after);
    let other = pairs.find(|(before, after)| rest(before.alone.as_ref().unwrap_or(before.app.object())) != rest(after));
    match other {
        None if before.len() == after.len() => Ok(()),
        other => {
            let what = other.map_or_else(
                || "what it generates".to_owned(),
                |(before, _)| format!("more of Application `{}` than its tool", before.app.name()),
            );
            Err(anyhow!("the changed ApplicationSet `{name}` would change {what}")
                .hint("change its template by hand: `kubectl homelab explain HL304` shows which parameter replaces which option"))
        }
    }
}

/// Refuses an Application whose parameters are not those that it would have if it was moved alone: a template in text is not
/// always what it is in a value of its own.
fn check_parameters(conversion: &AppConversion<'_>, moved: &Application<'_>, alone: &Application<'_>) -> Result<()> {
    let parameters = |source: &Source<'_>| {
        let mut parameters = source.raw_parameters().unwrap_or_default();
        parameters.retain(|parameter| !["owns", "writes"].contains(&parameter.name.as_str()));
        parameters.sort_by(|one, other| one.name.cmp(&other.name));
        parameters
    };
    for (moved, alone) in moved.sources().iter().zip(alone.sources()) {
        let (moved, expected) = (parameters(moved), parameters(&alone));
        let mut pairs = expected.iter().zip(&moved);
        let other = pairs.find(|(expected, moved)| !is_same(expected, moved));
        if other.is_none() && expected.len() == moved.len() {
            continue;
        }
        let unsupported = Unsupported {
            pointer: alone.at(&["helm", "valuesObject"]),
            why: match other {
                Some((parameter, _)) => format!("the parameter `{}` would be another one in text", parameter.name),
                None => "it would get other parameters".to_owned(),
            },
            hint: "put quotes around the templates in it, or write it as text, in `values: |`, first".to_owned(),
        };
        return Err(error(conversion.repo, conversion.manifest, &[unsupported]));
    }
    Ok(())
}

/// Reports whether two parameters say the same; values are YAML.
fn is_same(one: &Parameter, other: &Parameter) -> bool {
    let yaml = |parameter: &Parameter| yaml::value(parameter.string.as_deref().unwrap_or_default()).ok();
    one == other || one.name == other.name && one.name == "values" && yaml(one).is_some() && yaml(one) == yaml(other)
}

/// Returns the files that give an Application the claims that the template does not.
fn with_own_claims(conversion: &AppConversion<'_>, moved: &Application<'_>, request: &Request) -> Result<Vec<Written>> {
    let mut written = Vec::new();
    for (position, source) in moved.sources().iter().enumerate() {
        if !source.uses_homelab_plugin() {
            continue;
        }
        let (repo, files) = (conversion.repo, conversion.renders.files());
        let there = source_override::overridden(repo, files, moved, source)?;
        let operations = with_claims(&Source::new(PointerBuf::new(), &there), request);
        if operations.is_empty() {
            continue;
        }
        let mut tree = there.clone();
        json_patch::patch(&mut tree, &operations).context("the claims have no place in the source")?;
        let plugin = tree.get("plugin").cloned().unwrap_or_default();
        let one = source_override::write(repo, files, moved, position, &plugin).with_context(|| {
            let claims: Vec<String> = request.owns.iter().map(|claim| format!("`{claim}`")).collect();
            format!(
                "Application `{}` owns claims that are not those of the others: {}",
                moved.name(),
                claims.join(", ")
            )
        })?;
        written.push(one);
    }
    Ok(written)
}

/// Returns the files of which the plugin is taken out.
fn without_plugin(conversion: &AppConversion<'_>, app: &Application<'_>, request: &Request) -> Result<Vec<Written>> {
    let (repo, files) = (conversion.repo, conversion.renders.files());
    let mut written = Vec::new();
    for source in app.sources() {
        written.extend(source_override::take_out(
            repo,
            files,
            (app, &source),
            request.drop_owns,
        )?);
    }
    Ok(written)
}

/// Returns the reasons why a set stays as it is.
fn of_set(name: &str, refusals: Vec<Refusal>) -> Vec<Refusal> {
    let head = Refusal {
        message: format!("ApplicationSet `{name}` stays as it is:"),
        hint: None,
    };
    std::iter::once(head).chain(refusals).collect()
}
