//! Parameters in the template of a set: where no file in a folder can hold them, and no other Application gets them.

use anyhow::{Context, Result, anyhow};

use super::{Operations, Planned, Target, patch};
use crate::edit::convert::template;
use crate::failure::{Failure, HintExt};
use crate::model::{Application, Object};
use crate::repo::Manifest;
use crate::rules::fixes;

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
    let set = template::set_of(target.repo, target.manifest).filter(|set| set.check_editable().is_ok());
    let Some((set, written)) = set.and_then(|set| Some((set, template::of_set(set)?))) else {
        return Err(refused);
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
        return Err(refused);
    }
    let changes = fixes::patch(&written, operations);
    let after = target.repo.with(&changes)?;
    let changed = after.manifest(&set.file, set.document).context("the set is gone")?;
    let generated = target
        .renders
        .generate(&changed.object, &[])
        .with_context(|| format!("the changed ApplicationSet `{name}` would generate nothing"))?;
    let wanted = target.wanted(positions, edit)?;
    if !is_only(target, &apps, &generated, &wanted) {
        let why = Failure::from(refused).one_line();
        return Err(anyhow!(
            "the template of ApplicationSet `{name}` cannot change Application `{}` alone, and no file can: {why}",
            target.name
        )
        .hint(format!(
            "make what differs a parameter of its generators in `{}`, or give the Application a manifest of its own",
            set.file
        )));
    }
    let derived = apps.into_iter().zip(generated);
    let derived = derived.map(|(manifest, object)| Manifest {
        object,
        ..manifest.clone()
    });
    Ok(Planned {
        changes,
        notes: vec![format!("it goes into the template of ApplicationSet `{name}`")],
        tree: wanted.into_tree(),
        derived: derived.collect(),
        ..Planned::default()
    })
}

/// Reports whether exactly the one Application is another one, and it is as wanted.
fn is_only(target: &Target<'_>, apps: &[&Manifest], generated: &[Object], wanted: &Object) -> bool {
    let expected = |manifest: &&Manifest| match std::ptr::eq(*manifest, target.manifest) {
        true => wanted.tree().clone(),
        false => manifest.object.tree().clone(),
    };
    apps.iter()
        .map(expected)
        .eq(generated.iter().map(|object| object.tree().clone()))
}

impl Target<'_> {
    /// Returns the Application with the change in its own sources.
    fn wanted(&self, positions: &[usize], edit: &Operations<'_>) -> Result<Object> {
        let app = self.app()?;
        let (mut tree, sources) = (app.object().tree().clone(), app.sources());
        for position in positions {
            patch(&mut tree, &edit(*position, &sources[*position]))?;
        }
        Ok(Object::new(tree))
    }
}
