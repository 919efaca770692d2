//! `plugin:` → `helm:`, `kustomize:` and `directory:`.

use anyhow::Result;
use serde_json::{Map, Value};

use super::values_in_git::{self, Back};
use super::{Conversion, ConversionBuilder, Request, meant};
use crate::model::native::{self, STRING_PARAMETERS, Unsupported, WITHOUT_OPTION, is_zero};
use crate::model::{Application, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Manifest, Repo};
use crate::rules::fixes;
use crate::yaml::{self, Goal, ReplaceEntry};

/// Moves the sources of an Application back to Argo CD's own tools; nothing where none is the plugin's.
///
/// # Errors
/// Parameters that only the plugin has, with their places; `owns` unless it may be dropped.
pub fn to_native(repo: &Repo, manifest: &Manifest, request: &Request) -> Result<Option<Conversion>, Vec<Unsupported>> {
    let Some(app) = Application::new(&manifest.object) else {
        return Ok(None);
    };
    let sources: Vec<Source<'_>> = meant(&app, request)?
        .into_iter()
        .filter(Source::uses_homelab_plugin)
        .collect();
    if sources.is_empty() {
        return Ok(None);
    }
    let mut builder = ConversionBuilder::new(repo, manifest);
    let mut unsupported = Vec::new();
    for source in &sources {
        let kept = of_plugin_alone(source, request.drop_owns);
        if kept.is_empty() {
            unsupported.extend(return_source(repo, source, &app.sources(), &mut builder).err());
        }
        unsupported.extend(kept);
    }
    if unsupported.is_empty() {
        Ok(Some(builder.done))
    } else {
        Err(unsupported)
    }
}

/// Returns the parameters that Argo CD's own tools have no option for.
fn of_plugin_alone(source: &Source<'_>, drop_owns: bool) -> Vec<Unsupported> {
    let list = source.plugin().and_then(|plugin| plugin.get("parameters")?.as_array());
    let mut unsupported = Vec::new();
    for (index, parameter) in list.into_iter().flatten().enumerate() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        let has_option = name == STRING_PARAMETERS || native::TABLE.iter().any(|row| row.parameter == name);
        let fields = parameter.as_object().into_iter().flatten();
        let is_empty = fields
            .filter(|(field, _)| *field != "name")
            .all(|(_, value)| is_zero(value) || value.as_str() == Some("false"));
        let is_dropped = WITHOUT_OPTION.contains(&name) && (name != "owns" || drop_owns);
        let is_of_chart = values_in_git::PARAMETERS.contains(&name);
        if has_option || is_of_chart || is_empty || is_dropped {
            continue;
        }
        let (lost, hint) = match name {
            "owns" => (
                "its claims would lose their guards at the next sync",
                "add `--drop-owns` if that is intended, or let the chart write the guards first",
            ),
            "moves" => (
                "its chart would make a claim again that another Application owns",
                "let the chart leave the claim out first, then take the entries out",
            ),
            "mounts" => (
                "its mounts would be gone",
                "take the entries out first, if nothing needs them",
            ),
            "writes" => ("nothing would allow it to write them", "take the entries out first"),
            "claims" => (
                "its claims would be rendered by nobody",
                "write them as manifests where the Application renders them, and take them out",
            ),
            "keeps" => (
                "nobody would know whose the kept claims were",
                "leave the Namespaces to the plugin",
            ),
            "writers" => (
                "the registry would lose who else writes claims, and the lock would refuse them",
                "leave the Namespaces to the plugin",
            ),
            "releases" => (
                "its claims would be let go without a word",
                "take the entries out first, in a commit of its own",
            ),
            "patches" => (
                "its patches would be gone",
                "move what they do into the chart's values, and remove them",
            ),
            "applications" => (
                "the Namespaces would lose their guards and the registry of owners",
                "leave the Namespaces to the plugin",
            ),
            "chart-digest" => ("Argo CD's own Helm compares no digest", "take it out first"),
            _ => ("Argo CD's own tools have nothing for it", "take it out first"),
        };
        unsupported.push(Unsupported {
            pointer: source.at(&["plugin", "parameters"]).child(index),
            why: format!("parameter `{name}`: {lost}"),
            hint: hint.to_owned(),
        });
    }
    unsupported
}

fn return_source(
    repo: &Repo,
    source: &Source<'_>,
    all: &[Source<'_>],
    builder: &mut ConversionBuilder<'_>,
) -> Result<(), Unsupported> {
    let values = values_in_git::back(source, all)?;
    let is_kustomize = repo.folder_source(source).is_some_and(|folder| folder.is_build());
    let mut returned = native::to_options(source, is_kustomize, |text| yaml::value(text).ok()?);
    if let Some(values) = &values {
        values.rename(&mut returned);
        if values.makes_sources(source) {
            return values_in_git::replace_source(source, values, &returned, builder);
        }
    }
    let pointer = source.at(&["plugin"]);
    let mut blocks = returned.blocks.into_iter();
    let (tool, block) = match (blocks.next(), blocks.next()) {
        (Some(one), None) => one,
        // A source without options needs no block.
        (None, _) => {
            builder.remove(&pointer);
            return turn_back(source, values.as_ref(), builder);
        }
        (Some(_), Some(_)) => {
            return Err(Unsupported {
                pointer,
                why: "it has parameters for several tools, and Argo CD takes only one of them".to_owned(),
                hint: "take those out that have no effect".to_owned(),
            });
        }
    };
    let of_tool = PointerBuf::from_tokens([&tool]);
    let below = |(from, to): &(PointerBuf, PointerBuf)| {
        let (from, to) = (from.below(&pointer)?, to.below(&of_tool)?);
        Some((from.to_buf(), to.to_buf()))
    };
    let places = returned.places.iter().filter_map(below);
    let comments = places.map(|(from, to)| (from, Goal::At(to)));
    let comments = std::iter::once((PointerBuf::new(), Goal::At(PointerBuf::new()))).chain(comments);
    let (comments, texts) = (comments.collect(), returned.texts.iter().filter_map(below).collect());
    let block = Value::Object(block.as_object().cloned().unwrap_or_else(Map::new));
    let replacement = ReplaceEntry {
        pointer,
        key: tool,
        value: block,
        comments,
        texts,
    };
    builder.replace_entry(replacement)?;
    turn_back(source, values.as_ref(), builder)
}

/// Changes the fields of a source whose chart is not in the folder with its values, and adds the source that these come from.
fn turn_back(
    source: &Source<'_>,
    values: Option<&Back>,
    builder: &mut ConversionBuilder<'_>,
) -> Result<(), Unsupported> {
    let Some(values) = values else { return Ok(()) };
    for (old, new) in &values.fields {
        builder.replace_field(source, old, new)?;
    }
    for (name, value) in &values.added {
        builder.patch(vec![fixes::add(source.at(&[name]), value.clone())]);
    }
    if let Some(values) = &values.values {
        let end = Pointer::from_static("/spec/sources/-");
        builder.patch(vec![fixes::add(end, values.clone())]);
    }
    Ok(())
}
