//! What is in a repository already: for a user who considers adopting it, and for what `init` leaves alone.

use crate::model::Source;
use crate::model::application::PLUGIN_NAME;
use crate::repo::{Origin, Repo};

/// How many roots are named one by one.
const NAMED: usize = 5;

/// Describes an existing repository.
pub fn adopt(repo: &Repo) -> Vec<String> {
    let mut found = vec![format!(
        "Applications: {}, files: {}",
        repo.applications().count(),
        repo.files.len()
    )];
    found.push(match repo.describe_applications() {
        Ok(place) => format!("new Applications go to `{place}`"),
        Err(why) => format!("new Applications have no place yet: {why}"),
    });
    found.push(match repo.describe_namespaces() {
        Ok(place) => format!("new Namespaces go to `{place}`"),
        Err(why) => format!("new Namespaces have no place yet: {why}"),
    });
    let roots = roots(repo);
    if roots.is_empty() {
        found.push("no root Application: one file does not bring everything".to_owned());
    }
    found.extend(roots);
    found.push(match repo.namespaces_application() {
        Some(app) => format!(
            "Namespaces: {1}, synced by Application `{0}`",
            app.name(),
            repo.namespaces().count()
        ),
        None => "no Application syncs Namespaces".to_owned(),
    });
    let converted = repo
        .applications()
        .filter(|(_, app)| app.sources().iter().any(Source::uses_homelab_plugin))
        .count();
    found.push(format!("rendered by the plugin `{PLUGIN_NAME}`: {converted}"));
    found.extend(
        repo.malformed
            .iter()
            .map(|malformed| format!("cannot be read: {malformed}")),
    );
    found
}

/// Describes what brings the Applications of a repository, one a line: nothing in the repository brings it.
pub(super) fn roots(repo: &Repo) -> Vec<String> {
    let mut roots: Vec<String> = repo
        .tree()
        .iter()
        .filter(|branch| branch.is_root())
        .map(|branch| {
            let object = &branch.manifest.object;
            format!(
                "root {} `{}` in `{}`",
                object.kind(),
                object.name(),
                branch.manifest.file
            )
        })
        .collect();
    for manifest in &repo.derived {
        if let Origin::Rendered(rendered) = &manifest.origin
            && rendered.is_chart
        {
            let line = format!("root chart `{}`", rendered.by);
            if !roots.contains(&line) {
                roots.push(line);
            }
        }
    }
    roots.extend(repo.not_known().map(|unknown| {
        let (file, _) = &unknown.place;
        format!(
            "{} `{}` in `{file}`, of which it is not known what it brings",
            unknown.kind, unknown.name
        )
    }));
    if roots.is_empty() {
        let empty = repo.empty_root();
        roots.extend(empty.map(|name| format!("root Application `{name}`, which brings none yet")));
    }
    if roots.len() > NAMED {
        let more = roots.len() - NAMED;
        roots.truncate(NAMED);
        roots.push(format!("and {more} more of them: see `kubectl homelab list -o tree`"));
    }
    roots
}
