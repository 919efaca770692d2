//! Rendering for other commands: every Application for the rules, and one that is about to be added.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::checkouts::CheckoutArgs;
use super::native;
use super::session::Session;
use super::sources::{NotAtHand, Options, Render, Sources};
use crate::edit::add_app::{self, Request as AddApp};
use crate::failure::Failure;
use crate::helm::Helm;
use crate::model::{AppName, Application, Object};
use crate::render::{self, Output};
use crate::rules::{Rendered, Rendering};

/// The renders of all Applications, for the rules; remarks go to `notes`.
pub(super) fn render_all(
    session: &Session,
    args: &CheckoutArgs,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<AppName, Rendering>> {
    let sources = Sources::new(session, args, options)?;
    args.check(session.repo()?.applications().map(|(_, app)| app))?;
    let progress = session.terminal.progress("rendering");
    let mut renders = BTreeMap::new();
    for (_, app) in session.repo()?.applications() {
        let Some(name) = app.app_name() else { continue };
        progress.now(&format!("rendering {name}"));
        let rendering = rendering(&sources, &app, notes);
        renders.entry(name).or_insert(rendering);
    }
    Ok(renders)
}

/// Adds remarks that were not made yet: many Applications share one checkout.
pub(super) fn add_new(notes: &mut Vec<String>, remarks: Vec<String>) {
    for remark in remarks {
        if !notes.contains(&remark) {
            notes.push(remark);
        }
    }
}

fn rendering(sources: &Sources<'_>, app: &Application<'_>, notes: &mut Vec<String>) -> Rendering {
    let objects = |outputs: &[Output]| -> Result<Vec<Object>> {
        outputs
            .iter()
            .map(Output::objects)
            .collect::<Result<Vec<_>>>()
            .map(|lists| lists.concat())
    };
    let rendered = sources.render(app).and_then(|render| match render {
        Render::Done(outputs, remarks) => {
            add_new(notes, remarks);
            Ok(Rendering::Objects(Rendered {
                objects: objects(&outputs)?,
            }))
        }
        Render::NotAtHand(NotAtHand { why, hint }) => Ok(Rendering::Unknown { why, hint }),
    });
    rendered.unwrap_or_else(|error| {
        let failure = Failure::from(error);
        let message = failure.one_line();
        // Who reads it sees the Application beside it.
        let named = format!("Application `{}`: ", app.name());
        Rendering::Failed {
            message: message.strip_prefix(&named).unwrap_or(&message).to_owned(),
            hint: failure.hints.into_iter().next(),
        }
    })
}

/// Renders an Application that is about to be added, where its source is at hand: its rendered claims become its own,
/// and the paths that its render reads are watched. Gives the rendering for the rules, and remarks.
pub(super) fn learn(session: &Session, args: &CheckoutArgs, request: &mut AddApp) -> Result<(Rendering, Vec<String>)> {
    let options = Options::default();
    let sources = Sources::new(session, args, &options)?;
    let mut notes = Vec::new();
    let object = add_app::preview(session.repo()?, request);
    let app = Application::new(&object).context("the manifest is no Application")?;
    args.check(session.repo()?.applications().map(|(_, other)| other).chain([app]))?;
    let first = rendering(&sources, &app, &mut notes);
    let rendered = match &first {
        Rendering::Objects(rendered) => rendered,
        // Without helm nothing can be said of the chart, good or bad.
        Rendering::Failed { message, hint } if Helm::find(sources.checkout.clone(), None).is_err() => {
            let (why, hint) = (message.clone(), hint.clone().unwrap_or_default());
            return Ok((Rendering::Unknown { why, hint }, notes));
        }
        _ => return Ok((first, notes)),
    };
    let added = add_app::own_rendered_claims(request, &rendered.objects)?;
    if !added.is_empty() {
        let names: Vec<String> = added.iter().map(|claim| format!("`{claim}`")).collect();
        notes.push(format!(
            "the claims that it renders are added to `owns`: {}",
            names.join(", ")
        ));
    }
    for source in app.sources() {
        if let Ok(found) = sources.find(&source, &mut Vec::new())?
            && let Ok(Ok(mut wanted)) = native::request(&app, &source)
            && source.chart().is_none()
        {
            wanted.source_path = found.path;
            request
                .reads
                .extend(render::helm_arguments::reads(&wanted, &found.checkout)?);
        }
    }
    let object = add_app::preview(session.repo()?, request);
    let app = Application::new(&object).context("the manifest is no Application")?;
    Ok((rendering(&sources, &app, &mut Vec::new()), notes))
}
