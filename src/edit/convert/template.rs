//! The template of an ApplicationSet as an Application that is written in the set: what is edited there changes all Applications
//! that the set generates.

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::step_before::StepBefore;
use crate::failure::HintExt;
use crate::model::native::is_zero;
use crate::model::tool::TOOLS;
use crate::model::{Application, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Manifest, Origin, Repo};

/// The template in a set.
const TEMPLATE: &Pointer = Pointer::from_static("/spec/template");

/// Returns the template of a set as a manifest of an Application with the set's name; `None` where there is none.
pub(in crate::edit) fn of_set(set: &Manifest) -> Option<Manifest> {
    let base = set.origin.base()?.concat(TEMPLATE);
    Some(Manifest {
        file: set.file.clone(),
        document: set.document,
        object: StepBefore::template(&set.object)?,
        origin: Origin::Item(base),
    })
}

/// Reports whether a manifest is the template of a set.
pub(super) fn is_template(manifest: &Manifest) -> bool {
    let key = manifest.origin.base().and_then(Pointer::back);
    key.is_some_and(|key| key.decoded() == "template")
}

/// Returns the Applications that a set generates.
pub(in crate::edit) fn generated_by<'r>(repo: &'r Repo, set: &Manifest) -> Vec<&'r Manifest> {
    let is_of_set = |manifest: &&Manifest| {
        let is_named = matches!(&manifest.origin, Origin::Generated(of) if of.set == set.object.name());
        is_named && (&manifest.file, manifest.document) == (&set.file, set.document)
    };
    repo.derived.iter().filter(is_of_set).collect()
}

/// Returns the set that generates an Application.
pub(in crate::edit) fn set_of<'r>(repo: &'r Repo, manifest: &Manifest) -> Option<&'r Manifest> {
    let Origin::Generated(of) = &manifest.origin else {
        return None;
    };
    let is_it = |set: &&Manifest| (&set.file, set.document) == (&manifest.file, manifest.document);
    repo.sets().filter(is_it).find(|set| set.object.name() == of.set)
}

/// Reports whether the template of a set has a source that no file in a folder gives to the plugin.
pub(super) fn is_closed(repo: &Repo, set: &Manifest) -> bool {
    any_source(set, |source| !source.uses_homelab_plugin() && !is_open(repo, source))
}

/// Reports whether the template of a set has a source that the plugin renders.
pub(super) fn has_plugin(set: &Manifest) -> bool {
    any_source(set, |source| source.uses_homelab_plugin())
}

fn any_source(set: &Manifest, is_it: impl Fn(&Source<'_>) -> bool) -> bool {
    let template = StepBefore::template(&set.object);
    let app = template.as_ref().and_then(Application::new);
    let sources = app.map(|app| app.sources()).unwrap_or_default();
    sources.iter().any(|source| !source.gives_files_only() && is_it(source))
}

/// Reports whether a file in the folder of a source can give it the plugin, as far as the template tells.
fn is_open(repo: &Repo, source: &Source<'_>) -> bool {
    let has = |tool: &&str| source.tree().get(*tool).is_some_and(|section| !section.is_null());
    let is_other = TOOLS.iter().any(|tool| *tool != "plugin" && has(tool));
    let url = source.repo_url();
    !is_other && !source.is_versioned() && (url.contains("{{") || repo.is_own(url))
}

/// Refuses a set whose sources are not those of its template: a patch or a generator's own template changes them.
pub(in crate::edit) fn check_sources(repo: &Repo, set: &Manifest) -> Result<()> {
    let refused = |place: String, what: &str, hint: &str| {
        Err(anyhow!("{place}: {what} the source")
            .context(format!("ApplicationSet `{}` cannot be converted", set.object.name()))
            .hint(hint))
    };
    if let Some((line, column)) = patched_source(repo, set) {
        let place = format!("{}:{line}:{column}", set.file);
        let hint = "write the source into `template`, and take it out of `templatePatch`";
        return refused(place, "`templatePatch` changes", hint);
    }
    if let Some(pointer) = own_source(
        set.object.at("/spec/generators"),
        Pointer::from_static("/spec/generators"),
    ) {
        let place = repo.place(set, &pointer).to_string();
        let hint = "write the source into the set's own `template`, with parameters for what differs";
        return refused(place, "the template of this generator has a part of", hint);
    }
    Ok(())
}

/// Returns the line and column of the first `source:` or `sources:` in the patch of a set.
fn patched_source(repo: &Repo, set: &Manifest) -> Option<(usize, usize)> {
    let pointer = Pointer::from_static("/spec/templatePatch");
    let patch = set.object.at(pointer)?.as_str()?;
    let (index, column) = patch
        .lines()
        .enumerate()
        .find_map(|(index, line)| Some((index, source_key(line)?)))?;
    let key = repo.place(set, pointer).position;
    let wanted = patch.lines().nth(index)?.trim();
    // In a block the text stands below its key, line by line.
    let file = repo.files.get(&set.file)?;
    let line = file.text.lines().nth(key.line + index)?;
    let start = line.find(wanted).filter(|_| !wanted.is_empty());
    Some(match start {
        Some(start) if line.trim() == wanted => (key.line + 1 + index, start + 1),
        _ => (key.line, key.column.max(column)),
    })
}

/// Returns the column of a key `source` or `sources` in a line.
fn source_key(line: &str) -> Option<usize> {
    let is_key = |(start, word): &(usize, &str)| {
        let before = line[..*start].chars().next_back();
        let behind = line[start + word.len()..].trim_start_matches('s');
        let behind = behind.trim_start_matches(['"', '\'', '\\']).trim_start();
        before.is_none_or(|before| !before.is_alphanumeric() && !"-_.$".contains(before)) && behind.starts_with(':')
    };
    let found = line.match_indices("source").find(is_key);
    found.map(|(start, _)| start + 1)
}

/// Returns the place of the first template of a generator that has a part of the source.
fn own_source(generators: Option<&Value>, at: &Pointer) -> Option<PointerBuf> {
    let list = generators?.as_array()?;
    list.iter().enumerate().find_map(|(index, entry)| {
        entry.as_object()?.iter().find_map(|(kind, generator)| {
            let place = at.child(index).child(kind.as_str());
            let spec = place.child("template").child("spec");
            let has = |key: &&str| {
                let part = generator
                    .get("template")
                    .and_then(|template| template.get("spec")?.get(*key));
                part.is_some_and(|part| !is_zero(part))
            };
            let own = ["source", "sources"].into_iter().find(|key| has(key));
            own.map(|key| spec.child(key))
                .or_else(|| own_source(generator.get("generators"), &place.child("generators")))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_in_a_patch_is_seen() {
        for line in [
            "  source:",
            "source: {}",
            "  sources:",
            "{\"spec\": {\"source\": {}}}",
            "  'sources' : []",
            "{{ if .x }}source:",
        ] {
            assert!(source_key(line).is_some(), "{line}");
        }
        for line in [
            "  resource: x",
            "  sourceRepos: []",
            "  repo-source: a",
            "  dataSourceRef: b",
            "# the source",
        ] {
            assert_eq!(source_key(line), None, "{line}");
        }
    }
}
