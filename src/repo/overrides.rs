//! `.argocd-source.yaml` and `.argocd-source-<app>.yaml` in a source's folder: parts of the source that Argo CD merges
//! over the Application's own before anything else
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git)).
//!
//! Each file is a JSON merge patch. Argo CD decodes what it gives into the source that is there
//! ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go), `mergeSourceParameters`):
//! a null takes nothing away, and the entries of lists are merged by their position ([`SourceDecoder`]).

use std::collections::HashSet;
use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::own_file::resembles_manifest;
use super::place::{Place, nearest};
use super::{Files, Repo, RepoPath};
use crate::failure::HintExt;
use crate::model::argocd_schema::{SourceDecoder, Undecodable, Why};
use crate::model::tool::{TOOLS, is_dropped};
use crate::model::{Application, Pointer, PointerBuf, Source};
use crate::yaml::{self, Document, Locator, Position, Tree};

/// The file that counts for every Application with the folder as a source.
pub const COMMON: &str = ".argocd-source.yaml";
/// The start of the names of all such files.
const PREFIX: &str = ".argocd-source";
/// The fields that locate the source, which Argo CD does not allow to override.
pub const PLACE: [&str; 4] = ["chart", "path", "repoURL", "targetRevision"];

/// Argo CD does not render a source with several tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoTools(String);

impl TwoTools {
    /// The id of the rule that reports it.
    pub const RULE: &str = "HL304";
}

impl fmt::Display for TwoTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, and Argo CD takes only one tool ({})", self.0, Self::RULE)
    }
}

impl std::error::Error for TwoTools {}

/// One file of overrides.
#[derive(Clone, Debug)]
pub struct Override {
    /// The file.
    pub file: RepoPath,
    /// Its text.
    pub text: String,
    /// Its fields.
    pub patch: Value,
    /// The document of it that Argo CD reads.
    document: Document,
}

/// A source with the overrides of its folder.
#[derive(Debug)]
pub struct Merged {
    /// The tree of the source.
    pub tree: Value,
    /// The sections of tools that files change, as `helm`, each with its file.
    pub changes: Vec<(RepoPath, &'static str)>,
    /// The sections of tools that the source has itself.
    own: Vec<&'static str>,
}

/// Returns the name of the file that counts for one Application, by its name as Argo CD has it
/// ([`crate::model::Application::instance`]).
pub fn name_for(instance: &str) -> String {
    format!(".argocd-source-{instance}.yaml")
}

/// Reports whether a file contains overrides of a source, which are not a manifest.
pub fn is_override(path: &RepoPath, text: &str) -> bool {
    let name = path.file_name();
    let is_named = name == COMMON || name.starts_with(".argocd-source-") && name.ends_with(".yaml");
    is_named && !resembles_manifest(text)
}

/// Merges the overrides in its folder into the source; without any only the sections that say nothing are left out. Argo CD
/// passes the merged source to a plugin itself: this is for what reads the repository.
///
/// # Errors
/// When Argo CD does not read a file of overrides, or would read a field under another name.
pub fn apply(source: &Value, instance: &str, files: &dyn Files, folder: &RepoPath) -> Result<Merged> {
    merge(source, &of_source(instance, files, folder)?)
}

/// Returns the overrides of an Application in a folder, in the order in which Argo CD merges them.
///
/// # Errors
/// When Argo CD does not read one of the files.
pub fn of_source(instance: &str, files: &dyn Files, folder: &RepoPath) -> Result<Vec<Override>> {
    let mut overrides = Vec::new();
    for name in [COMMON.to_owned(), name_for(instance)] {
        let path = folder.join(&name)?;
        if let Some(bytes) = files.read(&path)?.filter(|_| !files.is_ignored(&path)) {
            let text = String::from_utf8(bytes).with_context(|| format!("`{path}` is not UTF-8"))?;
            overrides.push(Override::parse(path, text)?);
        }
    }
    Ok(overrides)
}

/// Merges overrides into a source, one after the other.
///
/// # Errors
/// When a value has another type than its field, or a field would be read under another name.
pub fn merge(source: &Value, overrides: &[Override]) -> Result<Merged> {
    let mut merged = without_dropped(source);
    let own = tools(&merged);
    let (mut changes, mut decoder) = (Vec::new(), SourceDecoder::default());
    for one in overrides {
        let (before, mut patched) = (merged.clone(), merged.clone());
        let mut patch = one.patch.clone();
        prune_lists(&mut patch);
        json_patch::merge(&mut patched, &patch);
        decoder
            .decode(&mut merged, &patched)
            .map_err(|undecodable| one.refused(&undecodable))?;
        let changed = TOOLS.into_iter().filter(|tool| merged.get(*tool) != before.get(*tool));
        changes.extend(changed.map(|tool| (one.file.clone(), tool)));
    }
    for field in PLACE {
        match source.get(field) {
            Some(value) => merged[field] = value.clone(),
            None => drop(merged.as_object_mut().and_then(|fields| fields.remove(field))),
        }
    }
    let tree = merged;
    Ok(Merged { tree, changes, own })
}

/// Returns the tools that a source names.
fn tools(source: &Value) -> Vec<&'static str> {
    let is_there = |tool: &&str| source.get(*tool).is_some_and(Value::is_object);
    TOOLS.into_iter().filter(is_there).collect()
}

impl Repo {
    /// Reads the overrides in the folders of this repository that Applications have as sources. What Argo CD does not read is left to
    /// the render.
    ///
    /// # Errors
    /// When a folder cannot be looked into.
    pub fn read_overrides(&mut self, files: &dyn Files) -> Result<()> {
        let is_override = |file: &&RepoPath| file.file_name().starts_with(PREFIX);
        let named: HashSet<RepoPath> = self.listing.iter().filter(is_override).cloned().collect();
        if named.is_empty() {
            return Ok(());
        }
        let controller = self.controller_namespace().to_owned();
        let mut found = Vec::new();
        for (_, app) in self.applications() {
            let names = [COMMON.to_owned(), name_for(&app.instance(&controller))];
            for folder in app.sources().iter().filter_map(|source| self.overridden_folder(source)) {
                for name in &names {
                    let path = folder.join(name)?;
                    let is_new = named.contains(&path) && !self.overrides.contains_key(&path);
                    let bytes = is_new.then(|| files.read(&path).ok().flatten()).flatten();
                    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                    found.extend(text.and_then(|text| Override::parse(path, text).ok()));
                }
            }
        }
        self.overrides
            .extend(found.into_iter().map(|one| (one.file.clone(), one)));
        Ok(())
    }

    /// Returns the overrides of a source of an Application, in the order in which Argo CD merges them. `controller` is the
    /// namespace of Argo CD itself ([`Repo::controller_namespace`]).
    pub fn overrides_of(&self, app: &Application<'_>, source: &Source<'_>, controller: &str) -> Vec<Override> {
        let Some(folder) = self.overridden_folder(source).filter(|_| !self.overrides.is_empty()) else {
            return Vec::new();
        };
        let names = [COMMON.to_owned(), name_for(&app.instance(controller))];
        let paths = names.iter().filter_map(|name| folder.join(name).ok());
        paths.filter_map(|path| self.overrides.get(&path).cloned()).collect()
    }

    /// Returns the sources of an Application, each with its place, as Argo CD has them: with the overrides in their folders,
    /// where it reads those.
    pub fn merged_sources(&self, app: &Application<'_>) -> Vec<(PointerBuf, Value)> {
        let merged = |source: Source<'_>| {
            let overrides = self.overrides_of(app, &source, self.controller_namespace());
            let merged = (!overrides.is_empty())
                .then(|| merge(source.tree(), &overrides).ok())
                .flatten();
            let tree = merged.map_or_else(|| source.tree().clone(), |merged| merged.tree);
            (source.pointer, tree)
        };
        app.sources().into_iter().map(merged).collect()
    }

    /// Returns the folder of this repository in which Argo CD looks for overrides of a source.
    fn overridden_folder(&self, source: &Source<'_>) -> Option<RepoPath> {
        let is_here = !source.is_versioned() && !source.gives_files_only() && self.is_own(source.repo_url());
        RepoPath::new(source.path().filter(|_| is_here)?).ok()
    }
}

/// Returns the source without the sections that Argo CD drops from an Application, but not from a file.
fn without_dropped(source: &Value) -> Value {
    let mut source = source.clone();
    if let Some(fields) = source.as_object_mut() {
        fields.retain(|field, value| !(TOOLS.contains(&field.as_str()) && is_dropped(field, value)));
    }
    source
}

/// Takes the fields that are null out of the entries of lists, as Argo CD's library for patches does.
fn prune_lists(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(prune_lists),
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

fn prune(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, value| !value.is_null());
        map.values_mut().for_each(prune);
    } else {
        prune_lists(value);
    }
}

impl Override {
    /// Reads a file of overrides.
    ///
    /// # Errors
    /// When Argo CD does not read it.
    pub fn parse(file: RepoPath, text: String) -> Result<Self> {
        let document = document(&text).map_err(|error| anyhow!("{file}:{error}"))?;
        let wrong = |error: yaml::YamlError, line: usize| anyhow!("{file}:{}", error.below(line - 1));
        let value = match &document {
            Some(document) => {
                yaml::value(&text[document.range.clone()]).map_err(|error| wrong(error, document.line))?
            }
            None => None,
        };
        match (value, document) {
            (Some(patch @ Value::Object(_)), Some(document)) => Ok(Self {
                file,
                text,
                patch,
                document,
            }),
            (None, _) => Err(
                anyhow!("`{file}` is empty, and Argo CD does not render a source beside it")
                    .hint("remove the file, or write `{}` into it"),
            ),
            _ => bail!("{file}: it is not a map of fields of a source"),
        }
    }

    /// Returns the place of a field, by its JSON Pointer; if it is not there, of the nearest above it.
    pub fn place(&self, pointer: &Pointer) -> Place {
        let Document { range, line } = self.document.clone();
        let text = &self.text[range.clone()];
        let inside = match Tree::parse(text) {
            Ok(tree) => nearest(Some(&Locator::new(&tree)), text, pointer),
            Err(_) => nearest(None, text, pointer),
        };
        let position = yaml::position(text, inside.start);
        Place {
            file: self.file.clone(),
            range: inside.start + range.start..inside.end + range.start,
            position: Position {
                line: position.line + line - 1,
                column: position.column,
            },
        }
    }

    /// Returns the index of the document that Argo CD reads among those of the file.
    pub fn position_in(&self, documents: &[Document]) -> usize {
        let position = documents.iter().position(|document| *document == self.document);
        position.unwrap_or_default()
    }

    fn refused(&self, Undecodable { pointer, why }: &Undecodable) -> anyhow::Error {
        let place = self.place(pointer);
        let Position { line, column } = place.position;
        let keys: Vec<_> = pointer.tokens().map(|key| key.decoded().into_owned()).collect();
        let field = keys.join(".");
        let at = format!("{}:{line}:{column}", self.file);
        match why {
            Why::WrongType(expected) => anyhow!("{at}: `{field}` is not {expected}"),
            Why::SpelledOtherwise(right) => {
                let key = keys.last().map_or("", String::as_str);
                anyhow!("{at}: Argo CD reads `{key}` as `{right}`").hint(format!("write `{right}`"))
            }
        }
    }
}

/// Returns the document of a file that Argo CD reads: the first one, which may be empty. Comments before the first `---` are none.
fn document(text: &str) -> Result<Option<Document>, yaml::YamlError> {
    let is_comment = |document: &Document| {
        let mut lines = text[document.range.clone()].lines().map(str::trim);
        document.range.start == 0 && lines.all(|line| line.is_empty() || line.starts_with('#'))
    };
    let separators = |until: usize| text[..until].lines().filter(|line| line.starts_with("---")).count();
    let mut documents = yaml::documents(text)?.into_iter();
    let first = documents.find(|document| !is_comment(document));
    Ok(first.filter(|document| separators(document.range.start) < 2))
}

impl Merged {
    /// Refuses a source with several tools, which Argo CD does not render.
    ///
    /// # Errors
    /// [`TwoTools`] when there are two, with the file that adds one of them.
    pub fn check_tools(&self) -> Result<()> {
        let tools = tools(&self.tree);
        let [first, second, ..] = tools[..] else {
            return Ok(());
        };
        let file_of = |tool: &str| {
            let is_it = |(_, changed): &&(RepoPath, &'static str)| *changed == tool;
            let (file, _) = self.changes.iter().find(is_it).filter(|_| !self.own.contains(&tool))?;
            Some(file)
        };
        let [added, other] = [second, first];
        let error = match (file_of(added), file_of(other)) {
            (Some(file), None) => {
                let what = format!("`{file}` adds `{added}` to a source that has `{other}`");
                anyhow::Error::new(TwoTools(what)).hint(way_out(file, added, other))
            }
            (None, Some(file)) => {
                let what = format!("`{file}` adds `{other}` to a source that has `{added}`");
                anyhow::Error::new(TwoTools(what)).hint(way_out(file, other, added))
            }
            (Some(file), Some(other_file)) => {
                let what = format!("`{file}` adds `{added}`, and `{other_file}` adds `{other}`");
                let hint = match added {
                    "plugin" => format!(
                        "move what `{other}` sets in `{other_file}` into plugin parameters, as `helm.parameters` into `helm-parameters`"
                    ),
                    _ => format!("take `{added}` out of `{file}`, or `{other}` out of `{other_file}`"),
                };
                anyhow::Error::new(TwoTools(what)).hint(hint)
            }
            (None, None) => anyhow::Error::new(TwoTools(format!("the source has `{first}` beside `{second}`"))),
        };
        Err(error.hint(format!("run `kubectl homelab explain {}`", TwoTools::RULE)))
    }
}

fn way_out(file: &RepoPath, tool: &str, other: &str) -> String {
    match (tool, other) {
        ("plugin", other) => format!(
            "take `{other}` out of the Application, or of the template of its ApplicationSet: no file can, not even with `{other}: null`"
        ),
        (_, "plugin") => format!("move what `{file}` sets into plugin parameters, and remove the file"),
        _ => format!("move what is in `{file}` into the Application, and remove the file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use serde_json::json;

    #[test]
    fn the_applications_own_file_comes_last_and_none_moves_the_source() {
        let files = Memory::new([
            (
                "c/.argocd-source.yaml",
                "plugin: {name: homelab-v1}\nhelm: {releaseName: a}\nchart: other\n",
            ),
            (
                "c/.argocd-source-x.yaml",
                "helm: {releaseName: b}\npath: null\ntargetRevision: other\n",
            ),
        ]);
        let merged = apply(
            &json!({"repoURL": "u", "path": "c", "directory": {"recurse": false}}),
            "x",
            &files.unwrap(),
            &RepoPath::new("c").unwrap(),
        )
        .unwrap();
        assert_eq!(
            merged.tree,
            json!({"repoURL": "u", "path": "c", "plugin": {"name": "homelab-v1"}, "helm": {"releaseName": "b"}})
        );
        let changes: Vec<_> = merged
            .changes
            .iter()
            .map(|(file, tool)| format!("{file} {tool}"))
            .collect();
        assert_eq!(
            changes,
            [
                "c/.argocd-source.yaml helm",
                "c/.argocd-source.yaml plugin",
                "c/.argocd-source-x.yaml helm"
            ]
        );
    }

    fn tools(source: Value, file: &str, text: &str) -> Result<(), String> {
        let files = Memory::new([(file, text)]).unwrap();
        let merged = apply(&source, "x", &files, &RepoPath::new("c").unwrap());
        merged
            .and_then(|merged| merged.check_tools())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_source_has_one_tool() {
        let plugin = || json!({"plugin": {"name": "homelab-v1"}, "helm": {"releaseName": ""}});
        for right in ["{}", "helm: null", "plugin: {parameters: []}", "kustomize:"] {
            assert_eq!(tools(plugin(), "c/.argocd-source-x.yaml", right), Ok(()), "{right}");
        }
        assert_eq!(
            tools(plugin(), "c/.argocd-source-y.yaml", "helm: {}"),
            Ok(()),
            "another Application's"
        );
        for (text, message) in [
            (
                "helm: {}",
                "`c/.argocd-source-x.yaml` adds `helm` to a source that has `plugin`, and Argo CD takes only one tool (HL304)",
            ),
            (
                "kustomize: {images: [a]}",
                "`c/.argocd-source-x.yaml` adds `kustomize` to a source that has `plugin`, and Argo CD takes only one tool (HL304)",
            ),
            ("directory: 1", "c/.argocd-source-x.yaml:1:1: `directory` is not a map"),
            (
                "Helm: {}",
                "c/.argocd-source-x.yaml:1:1: Argo CD reads `Helm` as `helm`",
            ),
        ] {
            assert_eq!(
                tools(plugin(), "c/.argocd-source-x.yaml", text),
                Err(message.to_owned())
            );
        }
        let both = json!({"helm": {"releaseName": "r"}, "directory": {"recurse": true}});
        assert_eq!(
            tools(both, "c/a.yaml", ""),
            Err("the source has `helm` beside `directory`, and Argo CD takes only one tool (HL304)".to_owned())
        );
    }
}
