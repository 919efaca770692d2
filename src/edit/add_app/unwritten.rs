//! Changes the parameters of an Application that nobody writes: in the file of overrides in its folder where a set generates it, by
//! the value of the chart where one renders it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::Request;
use super::folder::of_manifest;
use super::manifest::parameters;
use crate::edit::convert::rendered_claims;
use crate::edit::merge::merge;
use crate::edit::{Edit, Rendered, Renders, leading_value, source_override};
use crate::failure::{self, HintExt};
use crate::model::application::PLUGIN_NAME;
use crate::model::parameter::{Parameter, ParameterError};
use crate::model::tool::TOOLS;
use crate::model::{Application, Availability, ClaimPath, Object, Source, Unavailable};
use crate::repo::{ChangeSet, Manifest, Origin, Repo};

/// What a change makes of an Application.
pub struct Changed {
    /// The changes.
    pub changes: ChangeSet,
    /// What it renders then, or why that is not known.
    pub objects: Availability<Vec<Object>>,
    /// The Application as a chart renders it then.
    pub rendered: Option<Manifest>,
    /// Notes on where the parameters are written.
    pub notes: Vec<String>,
}

/// Returns the Application that a request changes, if nobody writes it.
pub fn existing<'r>(repo: &'r Repo, request: &Request) -> Option<&'r Manifest> {
    let (manifest, _) = repo.application(request.name.as_str()).filter(|_| request.upsert)?;
    matches!(manifest.origin, Origin::Generated(_) | Origin::Rendered(_)).then_some(manifest)
}

/// Changes the parameters of an Application; the claims that it renders are added to `owns`.
///
/// # Errors
/// When more than parameters would change, or there is no place for them.
pub fn change(
    repo: &Repo,
    manifest: &Manifest,
    request: &Request,
    renders: &dyn Renders,
    edit: &mut Edit,
) -> Result<Changed> {
    check(manifest, request)?;
    let mut list = request.parameters.clone();
    if list.is_empty() {
        return Ok(Changed {
            changes: ChangeSet::default(),
            objects: Availability::Available(Vec::new()),
            rendered: None,
            notes: Vec::new(),
        });
    }
    let first = with(repo, manifest, &list, renders)?;
    let Some(rendered) = first.1 else { return Ok(first.0) };
    let app = Application::new(&manifest.object).context("not an Application")?;
    let owned: BTreeSet<ClaimPath> = first.2;
    let missing: Vec<String> = rendered_claims(&app, &rendered.raw)
        .difference(&owned)
        .map(ToString::to_string)
        .collect();
    edit.notes.extend(rendered.notes);
    if missing.is_empty() {
        return Ok(first.0);
    }
    let names: Vec<String> = missing.iter().map(|claim| format!("`{claim}`")).collect();
    edit.notes.push(format!(
        "the claims that it renders are added to `owns`: {}",
        names.join(", ")
    ));
    match list.iter_mut().find(|parameter| parameter.name == "owns") {
        Some(owns) => owns.array.get_or_insert_default().extend(missing),
        None => list.push(Parameter {
            name: "owns".to_owned(),
            array: Some(missing),
            ..Parameter::default()
        }),
    }
    Ok(with(repo, manifest, &list, renders)?.0)
}

/// Refuses what parameters cannot say.
fn check(manifest: &Manifest, request: &Request) -> Result<()> {
    let mut given = of_manifest(request);
    let of_source = request.repo_url.is_some() || request.place.is_some() || request.revision.is_some();
    given.extend(of_source.then_some("what names its source"));
    let namespace = Application::new(&manifest.object).and_then(|app| app.destination_namespace());
    let wanted = request.namespace.as_ref().map(|namespace| namespace.as_str());
    given.extend((wanted.is_some() && wanted != namespace).then_some("`--dest-namespace`"));
    if given.is_empty() {
        return Ok(());
    }
    let refused = manifest
        .check_editable()
        .err()
        .unwrap_or_else(|| anyhow!("it has no manifest"));
    Err(refused.context(format!("only parameters can be changed here, not {}", given.join(", "))))
}

type Tried = (Changed, Option<Rendered>, BTreeSet<ClaimPath>);

/// Returns the change that adds parameters, what is rendered with it, and the claims in `owns`.
fn with(repo: &Repo, manifest: &Manifest, list: &[Parameter], renders: &dyn Renders) -> Result<Tried> {
    let app = Application::new(&manifest.object).context("not an Application")?;
    let name = app.name();
    let sources = app.sources();
    let mut rendered = sources
        .iter()
        .enumerate()
        .filter(|(_, source)| !source.gives_files_only());
    let (Some((position, source)), None) = (rendered.next(), rendered.next()) else {
        return Err(anyhow!("Application `{name}` has several sources")
            .hint("write the parameters into the file of overrides of the one that is meant, by hand"));
    };
    let there = source_override::overridden(repo, renders.files(), &app, source)?;
    let plugin = plugin(name, &there, list)?;
    let tree = json!({"plugin": plugin});
    let owns = Source::new(Default::default(), &tree)
        .parameters()
        .map(|parameters| parameters.owns);
    let owns = owns.map_err(|errors| anyhow!(ParameterError::line(&errors)))?;
    let owns: BTreeSet<ClaimPath> = owns.into_iter().collect();
    let (changes, render, after, notes) = match manifest.origin {
        Origin::Rendered(_) => {
            let mut tree = manifest.object.tree().clone();
            let source = tree.pointer_mut(source.pointer.as_str()).and_then(Value::as_object_mut);
            source.context("it has no source")?.insert("plugin".to_owned(), plugin);
            let wanted = Object::new(tree);
            let led = leading_value::find(repo, renders, manifest, &wanted)?;
            let render = Application::new(&wanted).map(|app| renders.render(&app));
            let render = render.context("not an Application")?;
            (led.changes, render, Some(led.rendered), led.notes)
        }
        _ => {
            let written = source_override::write(repo, renders.files(), &app, position, &plugin)?;
            let render = renders.render_overridden(&app, &written.overrides);
            (written.changes, render, None, written.notes)
        }
    };
    let (objects, render) = match render {
        Ok(render) => (Availability::Available(render.finished.clone()), Some(render)),
        Err(error) => match failure::find::<Unavailable>(&error) {
            Some(unavailable) => (Availability::Unavailable(unavailable.clone()), None),
            None => return Err(error.context(format!("Application `{name}` does not render"))),
        },
    };
    let changed = Changed {
        changes,
        objects,
        rendered: after,
        notes,
    };
    Ok((changed, render, owns))
}

/// Returns the section `plugin` with more parameters.
fn plugin(name: &str, source: &Value, list: &[Parameter]) -> Result<Value> {
    let is_other = |tool: &&&str| **tool != "plugin" && source.get(**tool).is_some();
    if let Some(tool) = TOOLS.iter().find(is_other) {
        return Err(anyhow!(
            "Application `{name}` has `{tool}` in its source, beside which there can be no parameters of this plugin"
        )
        .hint(format!(
            "move it to the plugin first with `kubectl homelab convert {name}`"
        )));
    }
    let mut plugin = source
        .get("plugin")
        .cloned()
        .unwrap_or_else(|| json!({"name": PLUGIN_NAME}));
    if plugin
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|plugin| plugin != PLUGIN_NAME)
    {
        return Err(anyhow!("Application `{name}` is rendered by another plugin")
            .hint("leave it as it is; its parameters are those of that plugin"));
    }
    merge(
        &mut plugin,
        &json!({"name": PLUGIN_NAME, "parameters": parameters(list)}),
    );
    Ok(plugin)
}
