//! Both names render the same objects: what a chart or a value takes from the Application's name is found before it is pushed.

use anyhow::{Context, Result, anyhow};

use crate::compare::{self, Reason};
use crate::edit::{Rendered, Renders};
use crate::failure::{self, HintExt};
use crate::model::{Application, Availability, Object, Unavailable};
use crate::repo::Override;

/// What both names render.
#[derive(Debug)]
pub(super) struct Proof {
    /// The objects of the old name, as the cluster gets them.
    pub(super) before: Availability<Vec<Object>>,
    /// Those of the new one.
    pub(super) after: Availability<Vec<Object>>,
    /// Remarks.
    pub(super) notes: Vec<String>,
}

/// Renders an Application under both names and compares.
///
/// # Errors
/// When it does not render, or renders other objects under the new name.
pub(super) fn check(app: &Application<'_>, renamed: &Object, renders: &dyn Renders) -> Result<Proof> {
    let new = Application::new(renamed).context("not an Application any more")?;
    of_renders(app, &new, renders, &[])
}

/// Renders two Applications, the second with these overrides of its source, and compares.
///
/// # Errors
/// Those of [`check`].
pub(super) fn of_renders(
    app: &Application<'_>,
    new: &Application<'_>,
    renders: &dyn Renders,
    overrides: &[Override],
) -> Result<Proof> {
    let before = match rendered(app, renders)? {
        Ok(before) => before,
        Err(why) => {
            return Ok(Proof {
                notes: vec![format!("that all objects keep their names is not proved: {why}")],
                before: Availability::Unavailable(why.clone()),
                after: Availability::Unavailable(why),
            });
        }
    };
    let after = match overrides {
        [] => renders.render(new),
        overrides => renders.render_overridden(new, overrides),
    };
    let after = after.with_context(|| format!("Application `{}`", new.name()))?;
    let again = || -> Result<Vec<Object>> { Ok(renders.render(app)?.raw) };
    let differences = compare::differences(&before.raw, again, &after.raw)?;
    if let Some(other) = differences.iter().find(|other| other.reason == Reason::Content) {
        return Err(anyhow!(
            "`{}` would be another object under the name `{}`: its chart or its values use the name of the Application",
            other.object,
            new.name()
        )
        .hint(format!(
            "write `{}` where a value has `$ARGOCD_APP_NAME`, and render both with `kubectl homelab render`",
            app.name()
        )));
    }
    let count = after.raw.len();
    let objects = if count == 1 { "object" } else { "objects" };
    let mut notes = vec![format!(
        "`{}` renders the same {count} {objects} as `{}`",
        new.name(),
        app.name()
    )];
    let random = differences
        .iter()
        .map(|other| format!("  {}: random, it changes with each render", other.object));
    notes.extend(random);
    Ok(Proof {
        before: Availability::Available(before.finished),
        after: Availability::Available(after.finished),
        notes,
    })
}

fn rendered(app: &Application<'_>, renders: &dyn Renders) -> Result<Result<Rendered, Unavailable>> {
    match renders.render(app) {
        Ok(rendered) => Ok(Ok(rendered)),
        Err(error) => match failure::find::<Unavailable>(&error) {
            Some(why) => Ok(Err(why.clone())),
            None => Err(error.context(format!("Application `{}` does not render", app.name()))),
        },
    }
}
