//! The template in which a rendered Application is written, where no value leads to it.

use anyhow::anyhow;

use crate::failure::HintExt;
use crate::model::Application;
use crate::repo::{Files, Rendered, Repo, RepoPath};

/// The part of a template that says what it is.
const KIND: &str = "kind: Application";

/// Returns why no value leads to an Application, with the place in the template.
pub(super) fn nothing(
    (repo, files): (&Repo, &dyn Files),
    (rendered, name): (&Rendered, &str),
    why: &str,
) -> anyhow::Error {
    let error = anyhow!("Application `{name}` is rendered by `{}`, and {why}", rendered.by);
    error.hint(hint(repo, files, rendered, name))
}

/// Returns the next step: the place of the source in the template of an Application.
pub(super) fn hint(repo: &Repo, files: &dyn Files, rendered: &Rendered, name: &str) -> String {
    match places_of(repo, files, rendered, name).as_slice() {
        [] => format!("change the templates or values that `{}` renders", rendered.by),
        places => format!("change the source in its template by hand: {}", places.join(", ")),
    }
}

/// Returns the places of the sources of an Application in the templates of its chart, where that is in this repository.
pub(super) fn places_of(repo: &Repo, files: &dyn Files, rendered: &Rendered, name: &str) -> Vec<String> {
    let chart = chart(repo, rendered);
    chart.map(|chart| places(files, &chart, name)).unwrap_or_default()
}

/// Returns the folder of the chart in this repository.
pub(super) fn chart(repo: &Repo, rendered: &Rendered) -> Option<RepoPath> {
    if rendered.is_chart {
        return RepoPath::new(&rendered.by).ok();
    }
    let (_, parent) = repo.application(&rendered.by)?;
    folder(repo, &parent)
}

fn folder(repo: &Repo, parent: &Application<'_>) -> Option<RepoPath> {
    let sources = parent.sources();
    let own = sources
        .iter()
        .filter(|source| !source.is_versioned() && repo.is_own(source.repo_url()));
    let mut folders = own.filter_map(|source| RepoPath::new(source.path()?).ok());
    folders.find(|folder| repo.charts.is_at(folder))
}

/// Returns the places of sources in the templates of Applications; those of templates that name the Application alone, where there
/// are any.
fn places(files: &dyn Files, chart: &RepoPath, name: &str) -> Vec<String> {
    let templates = chart.join("templates").unwrap_or_default();
    let mut all = files.all().unwrap_or_default();
    all.retain(|file| file.is_in(&templates));
    let mut found = Vec::new();
    for file in all {
        let text = files
            .read(&file)
            .ok()
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text.filter(|text| text.lines().any(|line| line.trim() == KIND)) else {
            continue;
        };
        let is_named = text.contains(name) || file.file_name().contains(name);
        let line = source_line(&text, name);
        found.push((is_named, format!("`{file}:{line}`")));
    }
    let any_named = found.iter().any(|(is_named, _)| *is_named);
    let places = found.into_iter().filter(|(is_named, _)| *is_named || !any_named);
    places.map(|(_, place)| place).take(5).collect()
}

/// Returns the line of the first source behind the name of an Application; of the first one where it is not named.
fn source_line(text: &str, name: &str) -> usize {
    let from = text
        .lines()
        .position(|line| line.contains(&format!("name: {name}")))
        .unwrap_or_default();
    let is_source = |line: &str| {
        ["source:", "sources:"]
            .iter()
            .any(|key| line.trim_start().starts_with(key))
    };
    let behind = text.lines().skip(from).position(is_source).map(|line| line + from);
    behind.or_else(|| text.lines().position(is_source)).unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    #[test]
    fn the_template_that_names_it_comes_first() {
        let app = |name: &str| format!("kind: Application\nmetadata:\n  name: {name}\nspec:\n  source: {{}}\n");
        let (two, other) = (format!("{}---\n{}", app("films"), app("music")), app("{{ . }}"));
        let files = Memory::new([
            ("apps/templates/two.yaml", two.as_str()),
            ("apps/templates/other.yaml", other.as_str()),
            ("apps/values.yaml", "a: 1\n"),
        ]);
        let (files, chart) = (files.unwrap(), RepoPath::new("apps").unwrap());
        assert_eq!(places(&files, &chart, "music"), ["`apps/templates/two.yaml:11`"]);
        assert_eq!(
            places(&files, &chart, "books"),
            ["`apps/templates/other.yaml:5`", "`apps/templates/two.yaml:5`"]
        );
    }
}
