//! Parameters in the template of a set: where no file in a folder can hold them, and no other Application gets them.

use anyhow::{Context, Result, anyhow};

use super::{Operations, Planned, Target, patch};
use crate::edit::convert::template;
use crate::failure::{Failure, HintExt};
use crate::model::{Application, Object};
use crate::repo::{ChangeSet, Manifest};
use crate::rules::fixes;

/// A set whose template was changed.
struct ChangedSet<'r> {
    set: &'r Manifest,
    changes: ChangeSet,
    /// The Applications that it generates.
    apps: Vec<&'r Manifest>,
    /// The same as they are with the change.
    generated: Vec<Object>,
}

impl ChangedSet<'_> {
    /// Reports whether each of the Applications is as expected.
    fn is(&self, expected: impl Fn(&Manifest) -> Result<Object>) -> Result<bool> {
        let expected: Vec<Object> = self.apps.iter().map(|app| expected(app)).collect::<Result<_>>()?;
        let trees = |objects: &[Object]| objects.iter().map(|object| object.tree().clone()).collect::<Vec<_>>();
        Ok(trees(&expected) == trees(&self.generated))
    }

    fn planned(self, wanted: Object) -> Planned {
        let derived = self.apps.into_iter().zip(self.generated);
        let derived = derived.map(|(manifest, object)| Manifest {
            object,
            ..manifest.clone()
        });
        Planned {
            changes: self.changes,
            notes: vec![format!(
                "it goes into the template of ApplicationSet `{}`",
                self.set.object.name()
            )],
            tree: wanted.into_tree(),
            derived: derived.collect(),
            ..Planned::default()
        }
    }
}

/// Returns the set that generates an Application with the change in its template; `None` where it cannot be edited, or would not
/// change.
fn changed<'r>(target: &Target<'r>, positions: &[usize], edit: &Operations<'_>) -> Result<Option<ChangedSet<'r>>> {
    let set = template::set_of(target.repo, target.manifest).filter(|set| set.check_editable().is_ok());
    let Some((set, written)) = set.and_then(|set| Some((set, template::of_set(set)?))) else {
        return Ok(None);
    };
    let (name, apps) = (set.object.name(), template::generated_by(target.repo, set));
    template::check_sources(target.repo, set)?;
    let sources = Application::new(&written.object)
        .map(|app| app.sources())
        .unwrap_or_default();
    let of_source = |position: &usize| {
        let source = sources.get(*position);
        source.map(|source| edit(*position, source)).unwrap_or_default()
    };
    let operations: Vec<_> = positions.iter().flat_map(of_source).collect();
    if operations.is_empty() {
        return Ok(None);
    }
    let changes = fixes::patch(&written, operations);
    let after = target.repo.with(&changes)?;
    let changed = after.manifest(&set.file, set.document).context("the set is gone")?;
    let generated = target
        .renders
        .generate(&changed.object, &[])
        .with_context(|| format!("the changed ApplicationSet `{name}` would generate nothing"))?;
    Ok(Some(ChangedSet {
        set,
        changes,
        apps,
        generated,
    }))
}

/// Returns the change in the template; `refused` is why no file of overrides can hold it.
///
/// # Errors
/// When others of the set would change, too, or the template does not have the parameters as they are.
pub(super) fn planned(
    target: &Target<'_>,
    positions: &[usize],
    edit: &Operations<'_>,
    refused: anyhow::Error,
) -> Result<Planned> {
    let Some(changed) = changed(target, positions, edit)? else {
        return Err(refused);
    };
    let wanted = wanted(&target.manifest.object, positions, edit)?;
    let is_it = |app: &Manifest| std::ptr::eq(app, target.manifest);
    let expected = |app: &Manifest| Ok(if is_it(app) { wanted.clone() } else { app.object.clone() });
    if !changed.is(expected)? {
        let why = Failure::from(refused).one_line();
        return Err(anyhow!(
            "the template of ApplicationSet `{}` cannot change Application `{}` alone, and no file can: {why}",
            changed.set.object.name(),
            target.name
        )
        .hint(format!(
            "make what differs a parameter of its generators in `{}`, or give the Application a manifest of its own",
            changed.set.file
        )));
    }
    Ok(changed.planned(wanted))
}

/// Returns the change in the template, where it changes all Applications of the set alike; `None` where it cannot.
///
/// # Errors
/// When the set would generate nothing, or a parameter has no place.
pub(super) fn planned_for_all(
    target: &Target<'_>,
    positions: &[usize],
    edit: &Operations<'_>,
) -> Result<Option<Planned>> {
    let Some(changed) = changed(target, positions, edit)? else {
        return Ok(None);
    };
    let is_alike = changed.is(|app| wanted(&app.object, positions, edit))?;
    let wanted = wanted(&target.manifest.object, positions, edit)?;
    Ok(is_alike.then(|| changed.planned(wanted)))
}

/// Returns an Application with the change in its own sources.
fn wanted(object: &Object, positions: &[usize], edit: &Operations<'_>) -> Result<Object> {
    let sources = Application::new(object).map(|app| app.sources()).unwrap_or_default();
    let mut tree = object.tree().clone();
    for position in positions {
        let source = sources.get(*position).context("a source is gone")?;
        patch(&mut tree, &edit(*position, source))?;
    }
    Ok(Object::new(tree))
}
