//! What has no form for the plugin, and the ways out.

use super::{Here, place};
use crate::model::native::Unsupported;
use crate::model::version::is_exact;
use crate::model::{ChartReference, PointerBuf, Source, repo_url};

/// The ways out for value files of another repository.
const WAYS_OUT: &str = "copy the file into this repository; or add the other repository as a Git submodule, which Argo CD checks out; or name the file by an https URL with a commit in it";

fn unsupported(pointer: PointerBuf, why: String, hint: impl Into<String>) -> Unsupported {
    Unsupported {
        pointer,
        why,
        hint: hint.into(),
    }
}

/// Returns the source that files are taken from. It has to be this repository, at one revision.
pub(super) fn values<'o>(
    named: &[(&PointerBuf, &str, &str)],
    all: &[Source<'o>],
    here: &Here<'_>,
) -> Result<Source<'o>, Vec<Unsupported>> {
    let (mut wrong, mut found): (_, Option<Source<'o>>) = (Vec::new(), None);
    for (pointer, file, name) in named {
        let at = || (*pointer).clone();
        let Some(source) = all.iter().find(|source| source.reference() == Some(*name)) else {
            let why = format!("`{file}` is a file of the source with `ref: {name}`, and there is no such source");
            wrong.push(unsupported(at(), why, "add the source, or correct the name"));
            continue;
        };
        if source.is_versioned() {
            let why = format!("`{file}` is a file of a chart, and Argo CD takes none from a source with `chart`");
            wrong.push(unsupported(at(), why, "name a source that is a Git repository"));
        } else if !(here.is_own)(source.repo_url()) {
            let why = format!("`{file}` is a file of another repository, which no plugin gets");
            wrong.push(unsupported(at(), why, WAYS_OUT));
        } else if let Some(other) = found.as_ref().filter(|other| !is_same(other, source)) {
            let names = [other, source].map(|source| source.reference().unwrap_or_default());
            let why = format!(
                "`ref: {}` and `ref: {}` are this repository at two revisions",
                names[0], names[1]
            );
            wrong.push(unsupported(
                at(),
                why,
                "give both the same `targetRevision`; Argo CD takes no others",
            ));
        } else {
            found = Some(source.clone());
        }
    }
    match found {
        Some(found) if wrong.is_empty() => Ok(found),
        _ => Err(wrong),
    }
}

fn is_same(one: &Source<'_>, other: &Source<'_>) -> bool {
    repo_url::same(one.repo_url(), other.repo_url()) && one.target_revision() == other.target_revision()
}

/// Refuses a chart that is a folder of another repository.
pub(super) fn chart_elsewhere(source: &Source<'_>, here: &Here<'_>) -> Result<(), Vec<Unsupported>> {
    if (here.is_own)(source.repo_url()) {
        return Ok(());
    }
    Err(vec![unsupported(
        place(source, "repoURL"),
        "its chart is a folder of another repository, and its values are in this one: a plugin gets one of them"
            .to_owned(),
        "take the chart from a Helm repository or a registry; or make a chart here that depends on it; or add its repository as a Git submodule",
    )])
}

/// Returns the chart of a source. It needs one version: the plugin pulls no range.
pub(super) fn chart(source: &Source<'_>, here: &Here<'_>) -> Result<ChartReference, Vec<Unsupported>> {
    let revision = source.revision().unwrap_or_default();
    let below = source
        .path()
        .filter(|path| source.chart().is_none() && !matches!(*path, "." | "./"));
    if let Some(path) = below {
        let why = format!("its chart is the folder `{path}` in an artifact, and the plugin pulls whole charts");
        return Err(vec![unsupported(place(source, "path"), why, "name the chart itself")]);
    }
    let Some(chart) = ChartReference::of_source(source.repo_url(), source.chart(), revision) else {
        let why = "its address has no chart in it".to_owned();
        return Err(vec![unsupported(
            place(source, "repoURL"),
            why,
            "write it as `oci://HOST/FOLDER/CHART`",
        )]);
    };
    if is_exact(revision) || revision.contains("{{") {
        return Ok(chart);
    }
    let why = match revision {
        "" => format!("the chart `{}` has no version, and the plugin needs one", chart.name),
        _ => format!(
            "`{revision}` is not one version of the chart `{}`, and the plugin needs one",
            chart.name
        ),
    };
    let hint = match (here.newest)(source) {
        Some(newest) => format!("write `{newest}` as `targetRevision` first: it is the newest that fits"),
        None => "pin one version first, as `1.2.3`".to_owned(),
    };
    Err(vec![unsupported(place(source, "targetRevision"), why, hint)])
}
