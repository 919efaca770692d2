//! Completes a new Application from its render: the claims that it renders become its own, and the paths that its
//! render reads are watched.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::{Request, own_rendered_claims, preview};
use crate::edit::{Edit, Renders};
use crate::failure::{self, Failure, HintExt};
use crate::model::claim::is_claim;
use crate::model::made_claims::{claim_patterns, operator_claims, patterns_of};
use crate::model::{Application, Availability, ClaimPath, NamespaceName, Object, Unavailable};
use crate::repo::Repo;

/// Renders an Application that is about to be added and fills in what the render shows; remarks and the next step go to
/// the edit. Returns the objects for the rules, or why they are not known.
///
/// # Errors
/// When its source is available locally and does not render.
pub fn complete(
    repo: &Repo,
    request: &mut Request,
    renders: &dyn Renders,
    edit: &mut Edit,
) -> Result<Availability<Vec<Object>>> {
    let object = preview(repo, request);
    let objects = match render(&object, renders, request)? {
        Ok((objects, notes)) => {
            edit.notes.extend(notes);
            objects
        }
        Err(unavailable) => {
            edit.notes
                .push(format!("the claims that it renders are not known: {unavailable}"));
            edit.next = Some("look for what is missing in `owns` with `kubectl homelab validate --fetch`".to_owned());
            return Ok(Availability::Unavailable(unavailable));
        }
    };
    let uses_plugin = |app: Application<'_>| app.sources().iter().any(crate::model::Source::uses_homelab_plugin);
    // A change of a label does not change the source as well.
    if !request.names_source() || !Application::new(&object).is_some_and(uses_plugin) {
        return Ok(Availability::Available(objects));
    }
    let (owned, destination) = (owned(&object), destination(&object));
    let added = own_rendered_claims(request, destination.as_ref(), &owned, &objects)?;
    if !added.is_empty() {
        let names: Vec<String> = added.iter().map(|claim| format!("`{claim}`")).collect();
        edit.notes.push(format!(
            "the claims that it renders are added to `owns`: {}",
            names.join(", ")
        ));
        let before = repo.application(request.name.as_str());
        edit.notes
            .extend(before.and_then(|(_, before)| left_behind(&before, &objects)));
    }
    if let Some(app) = Application::new(&object) {
        request.reads.extend(renders.reads(&app)?);
    }
    let object = preview(repo, request);
    let again = render(&object, renders, request)?;
    Ok(again.map_or_else(Availability::Unavailable, |(objects, _)| {
        Availability::Available(objects)
    }))
}

/// Returns the destination namespace of an Application.
fn destination(object: &Object) -> Option<NamespaceName> {
    Application::new(object)?.namespace_name()
}

/// Returns the claims that an Application has in `owns` already.
fn owned(object: &Object) -> BTreeSet<ClaimPath> {
    let sources = Application::new(object).map(|app| app.sources()).unwrap_or_default();
    let parameters = sources.iter().filter_map(|source| source.parameters().ok());
    parameters.flat_map(|parameters| parameters.owns).collect()
}

/// Returns a note on a claim that an Application has in `owns` and that is not rendered, where others are rendered for the
/// first time: after a rename they have its place, and are empty.
fn left_behind(before: &Application<'_>, objects: &[Object]) -> Option<String> {
    let patterns: BTreeSet<String> = objects.iter().flat_map(claim_patterns).collect();
    let rendered = objects.iter().filter(|object| is_claim(object)).map(Object::name);
    let made = objects.iter().flat_map(operator_claims);
    let names: BTreeSet<String> = rendered.map(str::to_owned).chain(made).collect();
    let exists = |claim: &str| names.contains(claim) || patterns_of(claim).any(|pattern| patterns.contains(&pattern));
    let sources = before.sources().into_iter();
    let parameters = sources.filter_map(|source| source.parameters().ok());
    let mut owned = parameters.flat_map(|parameters| parameters.owns);
    let left = owned.find(|claim| !exists(claim.name.as_str()))?;
    Some(format!(
        "`{left}` in `owns` is not rendered: if a new claim has its place, it starts empty; after a rename of the Application, `--release-name` with the old name brings the claim back"
    ))
}

type Objects = (Vec<Object>, Vec<String>);

/// Renders the Application; returns its objects and remarks, or why they are not available.
fn render(object: &Object, renders: &dyn Renders, request: &Request) -> Result<Result<Objects, Unavailable>> {
    let app = Application::new(object).ok_or_else(|| failure::bug("the new manifest is no Application"))?;
    match renders.render(&app) {
        Ok(rendered) => Ok(Ok((rendered.finished, rendered.notes))),
        Err(error) => match failure::find::<Unavailable>(&error) {
            Some(unavailable) => Ok(Err(unavailable.clone())),
            None => {
                let failure = Failure::from(error);
                let error = anyhow!(failure.one_line());
                let hint = failure.hints.into_iter().next();
                Err(error
                    .context(format!("Application `{}` does not render", request.name))
                    .hint(hint.unwrap_or_else(|| "correct its source, or bring the checkout up to date".to_owned())))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_claim_that_is_left_behind_is_named() {
        let app = Object::new(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "jf"},
            "spec": {"source": {"repoURL": "u", "plugin": {"name": "homelab-v1",
                "parameters": [{"name": "owns", "array": ["jellyfin-config", "data-db-0"]}]}}}}),
        );
        let object = |api_version: &str, kind: &str, name: &str, spec: Value| {
            Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}))
        };
        let set = object(
            "apps/v1",
            "StatefulSet",
            "db",
            json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}),
        );
        let claim = |name: &str| object("v1", "PersistentVolumeClaim", name, json!({}));
        let left = |name: &str| left_behind(&Application::new(&app).unwrap(), &[set.clone(), claim(name)]);
        assert_eq!(left("jellyfin-config"), None);
        let note = left("jf-config").unwrap();
        assert!(
            note.starts_with("`jellyfin-config` in `owns` is not rendered"),
            "{note}"
        );
    }
}
