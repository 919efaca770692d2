//! The objects themselves, before and after: as a unified diff, or as files for a program that compares folders.

use super::masked;
use super::{Report, message};
use crate::compare::Prediction;
use crate::report::diff::hunks;
use crate::yaml;

/// Both sides of an object as text; empty where it is not there.
pub struct Sides {
    /// The name of a file, as `apps.Deployment.media.player`.
    pub name: String,
    /// The object as it was.
    pub before: String,
    /// The object as it is.
    pub after: String,
}

/// Returns both sides of every object whose content differs, masked, the worst first.
///
/// # Errors
/// None in practice: an object can always be written.
pub fn sides(report: &Report<'_, '_>) -> anyhow::Result<Vec<Sides>> {
    let differing = report.comparison.predictions.iter().filter(|one| differs(one));
    differing.map(|one| of(report, one)).collect()
}

fn differs(one: &Prediction<'_>) -> bool {
    one.before != one.after
}

fn of(report: &Report<'_, '_>, one: &Prediction<'_>) -> anyhow::Result<Sides> {
    let text = |tree: Option<serde_json::Value>| tree.map_or(Ok(String::new()), |tree| yaml::emit(&tree));
    let [before, after] = masked::both(one.before, one.after, report.secrets);
    let object = &one.place.object;
    let namespace = one.place.namespace().unwrap_or_default();
    let parts = [object.group.as_str(), &object.kind, namespace, &object.name];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(Sides {
        name: parts.join("."),
        before: text(before)?,
        after: text(after)?,
    })
}

/// Renders a unified diff of all objects, each below a comment that says what happens to it.
///
/// # Errors
/// Those of [`sides`].
pub fn diff(report: &Report<'_, '_>, coloured: bool) -> anyhow::Result<String> {
    let mut out = String::new();
    for one in &report.comparison.predictions {
        out.push_str(&format!(
            "# {}: {} ({}): {}\n",
            one.level,
            one.action(),
            one.app,
            message(one)
        ));
        if differs(one) {
            out.push_str(&difference(one, &of(report, one)?, coloured));
        }
    }
    Ok(out)
}

/// Returns the hunks of an object below the names of its sides; nothing where only what is masked differs.
fn difference(one: &Prediction<'_>, Sides { before, after, .. }: &Sides, coloured: bool) -> String {
    let name = |side: &str, text: &str| match text {
        "" => "/dev/null".to_owned(),
        _ => format!("{side}/{}", one.place),
    };
    match before == after {
        true => String::new(),
        false => format!(
            "--- {}\n+++ {}\n{}",
            name("a", before),
            name("b", after),
            hunks(before, after, coloured)
        ),
    }
}
