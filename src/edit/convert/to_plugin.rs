//! `helm:`, `kustomize:` and `directory:` → `plugin:`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::values_in_git::{self, Here, Turned};
use super::{Conversion, ConversionBuilder, Request, meant, shifted, sorted};
use crate::model::application::{GENERATE_PATHS, PLUGIN_NAME};
use crate::model::native::{self, Moved, Unsupported, is_zero};
use crate::model::parameter::{self, Parameters, STAMP_APP, Stamp};
use crate::model::tool::is_dropped;
use crate::model::variable::{VARIABLE_MAX, oversized};
use crate::model::workload::brought_claims;
use crate::model::{Application, ClaimPath, NamespaceName, Object, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::generate_paths;
use crate::repo::{Manifest, Repo, RepoPath};
use crate::rules::fixes;
use crate::yaml::{self, Goal, ReplaceEntry, Tree};

/// Moves the sources of an Application to the plugin; nothing where they are there already.
///
/// # Errors
/// Everything that cannot be moved, with its place and what to do instead.
pub fn to_plugin(repo: &Repo, manifest: &Manifest, request: &Request) -> Result<Option<Conversion>, Vec<Unsupported>> {
    to_plugin_in(repo, repo, manifest, request)
}

/// Moves the sources of an Application to the plugin that is a manifest of `repo`, and not one of the repository `home` that
/// has its files.
///
/// # Errors
/// Those of [`to_plugin`].
pub(super) fn to_plugin_in(
    home: &Repo,
    repo: &Repo,
    manifest: &Manifest,
    request: &Request,
) -> Result<Option<Conversion>, Vec<Unsupported>> {
    let Some(app) = Application::new(&manifest.object) else {
        return Err(vec![of_set()]);
    };
    let sources = meant(&app, request)?;
    let mut unsupported: Vec<Unsupported> = sources.iter().filter_map(of_tool).collect();
    let native: Vec<&Source<'_>> = sources.iter().filter(|source| source.plugin().is_none()).collect();
    if native.is_empty() && unsupported.is_empty() {
        return Ok(None);
    }
    let mut builder = ConversionBuilder::new(repo, manifest);
    let all = app.sources();
    let here = Here {
        is_own: &|url| home.is_own(url),
        has_folder: &|folder| home.has_folder(folder),
        newest: &|source| request.newest.get(&source.pointer).cloned(),
    };
    let (mut turned, mut places) = (Vec::new(), BTreeMap::new());
    for source in native {
        let moved = values_in_git::turned(source, &all, &here).and_then(|values| {
            turned.extend(values.as_ref().map(|_| source.pointer.clone()));
            places.extend(
                values
                    .as_ref()
                    .and_then(|values| Some((source.pointer.clone(), values.path()?))),
            );
            move_source(source, values.as_ref(), request, &mut builder)
        });
        unsupported.extend(moved.err().unwrap_or_default());
    }
    if !unsupported.is_empty() {
        return Err(unsupported);
    }
    // The other plugin sources of the Application need the same: each sees only what it renders itself.
    for source in all.iter().filter(|source| source.uses_homelab_plugin()) {
        builder.patch(with_claims(source, request));
    }
    let folders = folders(&app, &places);
    watch(&app, &folders, &request.reads, &mut builder);
    if !request.keeps_references {
        builder.remove_unused(&values_in_git::unused(&all, &turned));
    }
    Ok(Some(builder.done))
}

/// Returns the operations that add the missing claims to a plugin source, and the stamp.
pub(super) fn with_claims(source: &Source<'_>, request: &Request) -> Vec<PatchOperation> {
    let (mut tree, mut all) = (source.tree().clone(), Vec::new());
    for (name, wanted) in request.claims() {
        let source = Source::new(PointerBuf::new(), &tree);
        if request.template.is_none() && source.parameters().is_err() {
            continue;
        }
        let there = source.parameter(name).and_then(|pointer| source.value(&pointer));
        let there = there.and_then(|there| there.get("array")?.as_array());
        let is_missing = |claim: &String| !there.is_some_and(|there| there.contains(&json!(claim)));
        let missing: Vec<String> = wanted.into_iter().filter(is_missing).collect();
        if missing.is_empty() {
            continue;
        }
        let operations = fixes::add_to_parameter(&source, name, &missing);
        // The second parameter goes after the first.
        if json_patch::patch(&mut tree, &operations).is_ok() {
            all.extend(operations);
        }
    }
    let there = Source::new(PointerBuf::new(), &tree);
    if request.stamps
        && there
            .parameters()
            .is_ok_and(|parameters| parameters.stamp_app == Stamp::None)
    {
        all.extend(fixes::set_text(&there, STAMP_APP, Some("true")));
    }
    fixes::below(&source.pointer, all)
}

/// Returns the claims among the objects, and those that StatefulSets make, for the parameter `owns`.
pub fn rendered_claims(app: &Application<'_>, objects: &[Object]) -> BTreeSet<ClaimPath> {
    let paths = |object: &Object| -> Vec<ClaimPath> {
        let elsewhere = object
            .namespace()
            .filter(|namespace| Some(*namespace) != app.destination_namespace());
        let Ok(namespace) = elsewhere.map(NamespaceName::new).transpose() else {
            return Vec::new();
        };
        let path = |name| ClaimPath {
            namespace: namespace.clone(),
            name,
        };
        brought_claims(object).into_iter().map(path).collect()
    };
    objects.iter().flat_map(paths).collect()
}

fn of_set() -> Unsupported {
    Unsupported {
        pointer: Pointer::from_static("/kind").to_buf(),
        why: "it is no Application".to_owned(),
        hint: "name an Application, or an ApplicationSet".to_owned(),
    }
}

/// Returns why a source cannot be converted because of its tool.
fn of_tool(source: &Source<'_>) -> Option<Unsupported> {
    let unsupported = |pointer: PointerBuf, why: String, hint: &str| {
        Some(Unsupported {
            pointer,
            why,
            hint: hint.to_owned(),
        })
    };
    let beside = ["helm", "directory", "kustomize"].into_iter().find(|tool| {
        let block = source.tree().get(*tool);
        block.is_some_and(|block| !is_dropped(tool, block))
    });
    match (source.plugin(), beside) {
        (Some(_), Some(tool)) => unsupported(
            source.at(&[tool]),
            format!("`{tool}` is set beside `plugin`, and Argo CD refuses a source with both"),
            "see `kubectl homelab explain HL304`: it shows which parameter replaces which option",
        ),
        (Some(plugin), None) if !source.uses_homelab_plugin() => {
            let name = plugin.get("name").and_then(Value::as_str);
            let name = name.map_or_else(
                || "a plugin without a name".to_owned(),
                |name| format!("the plugin `{name}`"),
            );
            unsupported(
                source.at(&["plugin"]),
                format!("it is rendered by {name}"),
                "only sources that Argo CD renders itself are converted; express what that plugin does in the parameters of `homelab-v1`",
            )
        }
        (None, _) if source.path().is_none() && source.chart().is_none() && !source.is_versioned() => unsupported(
            source.pointer.clone(),
            "the source has neither `path` nor `chart`".to_owned(),
            "correct the source",
        ),
        _ => None,
    }
}

fn move_source(
    source: &Source<'_>,
    values: Option<&Turned>,
    request: &Request,
    builder: &mut ConversionBuilder<'_>,
) -> Result<(), Vec<Unsupported>> {
    let document = builder.text();
    let unchanged = RefCell::new(Vec::new());
    let is_template = request.template.is_some();
    let text_of = |pointer: &Pointer, value: &Value| {
        let text = text_of_block(document, &builder.manifest.in_document(pointer), value);
        text.filter(|text| !is_template || keeps_templates(text, value))
    };
    let print = |pointer: &Pointer, value: &Value| match text_of(pointer, value) {
        Some(text) => {
            unchanged.borrow_mut().push(pointer.to_buf());
            Ok(text)
        }
        None => {
            let text = yaml::emit(&sorted(value))?;
            let is_kept = !is_template || keeps_templates(&text, value);
            is_kept.then_some(text).context("a template would be written otherwise")
        }
    };
    if let Some(values) = source.helm().and_then(|helm| helm.get("valuesObject"))
        && let Err(error) = print(&source.at(&["helm", "valuesObject"]), values)
    {
        return Err(vec![Unsupported {
            pointer: source.at(&["helm", "valuesObject"]),
            why: format!("its values cannot be written as text: {error:#}"),
            hint: "write them as text, in `values: |`, first".to_owned(),
        }]);
    }
    unchanged.borrow_mut().clear();
    let mut moved = native::to_parameters(source, print)?;
    let claims = request.claims().into_iter().filter(|(_, claims)| !claims.is_empty());
    let mut parameters: Vec<Value> = claims
        .map(|(name, claims)| json!({"name": name, "array": claims}))
        .collect();
    parameters.extend(request.stamps.then(|| json!({"name": STAMP_APP, "string": "true"})));
    if let Some(values) = values {
        values.rename(&mut moved);
        parameters.extend(values.parameters.iter().cloned());
    }
    let before = parameters.len();
    parameters.append(&mut moved.parameters);
    if request.template.is_none() {
        check(source, &moved, before, &parameters)?;
    }
    say_left_out(&moved, builder);
    let mut plugin = json!({"name": PLUGIN_NAME});
    if !parameters.is_empty() {
        plugin["parameters"] = Value::Array(parameters);
    }
    let blocks: Vec<&str> = ["helm", "kustomize", "directory"]
        .into_iter()
        .filter(|tool| source.tree().get(*tool).is_some())
        .collect();
    // Argo CD, too, takes a block of zero values beside one with other values for absent.
    let is_set = |tool: &&&str| source.tree().get(**tool).is_some_and(|block| !is_zero(block));
    let Some(main) = blocks.iter().find(is_set).or(blocks.first()) else {
        builder.patch(vec![fixes::add(source.at(&["plugin"]), plugin)]);
        return Ok(());
    };
    let pointer = source.at(&[main]);
    let below = |(from, to): &(PointerBuf, PointerBuf)| {
        let from = from.below(&pointer)?;
        Some((from.to_buf(), shifted(to, before)))
    };
    let replacement = ReplaceEntry {
        comments: goals(&moved, before, &pointer, &unchanged.into_inner(), builder.manifest),
        texts: moved.texts.iter().filter_map(below).collect(),
        pointer,
        key: "plugin".to_owned(),
        value: plugin,
    };
    builder
        .replace_entry(replacement)
        .map_err(|unsupported| vec![unsupported])?;
    for empty in blocks.iter().filter(|tool| *tool != main) {
        builder.remove(&source.at(&[empty]));
    }
    values.map_or(Ok(()), |values| values_in_git::turn(source, values, builder))
}

/// Adds a remark for each option that is left out.
fn say_left_out(moved: &Moved, builder: &mut ConversionBuilder<'_>) {
    for (pointer, why) in &moved.left_out {
        let place = builder.repo.place(builder.manifest, pointer);
        let option = pointer.back().map(|key| key.decoded().into_owned()).unwrap_or_default();
        let (file, line) = (place.file, place.position.line);
        builder
            .done
            .notes
            .push(format!("{file}:{line}: `{option}` is left out: {why}"));
    }
}

/// Returns where the comments of a block go.
fn goals(
    moved: &Moved,
    before: usize,
    block: &Pointer,
    unchanged: &[PointerBuf],
    manifest: &Manifest,
) -> Vec<(PointerBuf, Goal)> {
    let below = |pointer: &Pointer| pointer.below(block).map(Pointer::to_buf);
    let mut goals = vec![(PointerBuf::new(), Goal::At(PointerBuf::new()))];
    for (from, to) in &moved.places {
        goals.extend(below(from).map(|from| (from, Goal::At(shifted(to, before)))));
    }
    for pointer in unchanged {
        let keys = manifest.object.at(pointer).and_then(Value::as_object);
        for key in keys.into_iter().flat_map(|map| map.keys()) {
            goals.extend(below(&pointer.child(key)).map(|from| (from, Goal::Inside)));
        }
    }
    goals
}

/// Reports whether the templates among the strings of a value stand in its text as they are: in quotes that escape something,
/// they would be other ones.
fn keeps_templates(text: &str, value: &Value) -> bool {
    match value {
        Value::String(string) => !string.contains("{{") || string.lines().all(|line| text.contains(line.trim())),
        Value::Array(list) => list.iter().all(|entry| keeps_templates(text, entry)),
        Value::Object(map) => map
            .iter()
            .all(|(key, value)| (!key.contains("{{") || text.contains(key.as_str())) && keeps_templates(text, value)),
        _ => true,
    }
}

/// Returns the lines of a map with its comments, if those lines alone parse to the same map.
fn text_of_block(document: &str, pointer: &Pointer, value: &Value) -> Option<String> {
    let tree = Tree::parse(document).ok()?;
    let span = tree.locate(pointer)?;
    let key = span.key?;
    let from = document[key.end..].find('\n')? + key.end + 1;
    let first = document[..span.value.start].rfind('\n')? + 1;
    if first < from {
        return None;
    }
    let indent = span.value.start - first;
    let mut until = span.value.end;
    if !document[..until].ends_with('\n') {
        until += document[until..].find('\n').unwrap_or(document.len() - until);
    }
    let mut text = String::new();
    for line in document.get(from..until)?.lines() {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        text.push_str(&line[blanks.min(indent)..]);
        text.push('\n');
    }
    (yaml::value(&text).ok()?.as_ref() == Some(value)).then_some(text)
}

/// Refuses parameters that the plugin would refuse, or that would keep it from starting.
fn check(source: &Source<'_>, moved: &Moved, before: usize, parameters: &[Value]) -> Result<(), Vec<Unsupported>> {
    // The option that a parameter comes from gives the place of the message.
    let option = |index: Option<usize>| {
        let wanted = index.and_then(|index| index.checked_sub(before)).map(PointerBuf::from);
        let found = moved.places.iter().find(|(_, to)| Some(to) == wanted.as_ref());
        found.map_or(source.pointer.clone(), |(from, _)| from.clone())
    };
    let wrong = |errors: Vec<parameter::ParameterError>| {
        let unsupported = |error: parameter::ParameterError| Unsupported {
            pointer: option(error.index),
            why: error.message,
            hint: "correct the option first".to_owned(),
        };
        errors.into_iter().map(unsupported).collect::<Vec<_>>()
    };
    let list = parameter::read(&Value::Array(parameters.to_vec())).map_err(wrong)?;
    Parameters::parse(&list).map_err(wrong)?;
    let too_long = oversized(&list);
    let Some((name, bytes)) = too_long.first() else {
        return Ok(());
    };
    let largest = (0..parameters.len()).max_by_key(|index| parameters[*index].to_string().len());
    Err(vec![Unsupported {
        pointer: option(largest),
        why: format!(
            "the variable `{name}` would have {bytes} bytes, at most {VARIABLE_MAX} are possible: Argo CD could not start the plugin"
        ),
        hint: "put the values into a file beside the chart (`valueFiles`) first".to_owned(),
    }])
}

/// Returns the folders of the sources after the move; `places` has those that are turned round.
fn folders(app: &Application<'_>, places: &BTreeMap<PointerBuf, RepoPath>) -> Vec<RepoPath> {
    let sources = app.sources();
    let folder = |source: &Source<'_>| match places.get(&source.pointer) {
        Some(place) => Some(place.clone()),
        None => RepoPath::new(source.path()?).ok(),
    };
    sources.iter().filter_map(folder).collect()
}

/// Extends the annotation with the paths that the plugin reads, where there is one.
fn watch(app: &Application<'_>, folders: &[RepoPath], reads: &[RepoPath], builder: &mut ConversionBuilder<'_>) {
    let annotation = app.object().annotation(GENERATE_PATHS);
    let extended = annotation.and_then(|annotation| generate_paths::extended(annotation, folders, reads));
    let Some(extended) = extended else { return };
    builder.done.notes.push(format!(
        "the annotation `{GENERATE_PATHS}` gets what the plugin reads: {}",
        extended.added
    ));
    builder.patch(vec![fixes::annotate(app.object(), GENERATE_PATHS, &extended.value)]);
}
