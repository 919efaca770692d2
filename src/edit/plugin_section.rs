//! The plugin's parameters of one Application: changed in memory one after the other, and written where they stand. That is its
//! manifest, a file of overrides in its folder, or the value of a chart.

use anyhow::{Context, Result, anyhow};
use json_patch::{Patch, PatchOperation};
use serde_json::{Value, json};

use super::{Edit, Rendered, Renders, RuleGate, leading_value, source_override};
use crate::failure::HintExt;
use crate::model::parameter::Parameters;
use crate::model::{AppName, Application, Availability, Object, PointerBuf, PointerExt, Source};
use crate::repo::{ChangeSet, Manifest, Origin, Override, Repo};
use crate::rules::fixes;

/// The parameters of an Application with one source, as they are changed.
#[derive(Debug)]
pub struct PluginSection<'r> {
    repo: &'r Repo,
    manifest: &'r Manifest,
    app: Application<'r>,
    /// The place of the source among all, and in the Application.
    position: usize,
    pointer: PointerBuf,
    /// The Application with its source as Argo CD has it.
    tree: Value,
    /// What was changed.
    operations: Vec<PatchOperation>,
    /// Whether a file of overrides has the parameters.
    is_by_file: bool,
}

/// Changed parameters, written.
#[derive(Debug)]
pub struct Written {
    /// The changes; none where nothing was changed.
    pub changes: ChangeSet,
    /// The Application as Argo CD has it then, but for files of overrides.
    pub object: Object,
    /// The files of overrides of the source then; nothing where its manifest has the parameters.
    pub overrides: Vec<Override>,
    /// The Application as a chart renders it then.
    pub derived: Option<Manifest>,
    /// Remarks.
    pub notes: Vec<String>,
}

impl Written {
    /// Adds the changes and the remarks to an edit, and what a chart renders then to its gate.
    pub fn add_to(&self, edit: &mut Edit, gate: &mut RuleGate) {
        edit.changes.changes.extend(self.changes.changes.iter().cloned());
        edit.notes.extend(self.notes.iter().cloned());
        gate.generated.extend(self.derived.iter().cloned());
    }

    /// Adds the changes to an edit, with what the Application renders before and after to its gate; returns the objects after.
    ///
    /// # Errors
    /// When it does not render.
    pub fn add_rendered(
        &self,
        (app, before): (&AppName, Vec<Object>),
        renders: &dyn Renders,
        (edit, gate): (&mut Edit, &mut RuleGate),
    ) -> Result<Vec<Object>> {
        let objects = self.render(renders)?.finished;
        self.add_to(edit, gate);
        gate.before.insert(app.clone(), Availability::Available(before));
        let after = Availability::Available(objects.clone());
        gate.after.insert(app.clone(), after);
        Ok(objects)
    }

    /// Renders the Application with the changes.
    ///
    /// # Errors
    /// When it does not render.
    pub fn render(&self, renders: &dyn Renders) -> Result<Rendered> {
        let app = Application::new(&self.object).context("not an Application any more")?;
        let rendered = match self.overrides.is_empty() {
            true => renders.render(&app),
            false => renders.render_overridden(&app, &self.overrides),
        };
        rendered.with_context(|| format!("Application `{}`", app.name()))
    }
}

impl<'r> PluginSection<'r> {
    /// Returns the parameters of an Application.
    ///
    /// # Errors
    /// When it has several sources, or the plugin does not render it.
    pub fn of(repo: &'r Repo, manifest: &'r Manifest) -> Result<Self> {
        let app = Application::new(&manifest.object).context("not an Application")?;
        let name = app.name();
        let merged = repo.merged_sources(&app);
        let sources = app.sources();
        let mut rendered = sources
            .iter()
            .zip(merged)
            .enumerate()
            .filter(|(_, (source, _))| !source.gives_files_only());
        let (Some((position, (own, (pointer, merged)))), None) = (rendered.next(), rendered.next()) else {
            return Err(anyhow!("Application `{name}` has several sources")
                .hint("change the parameters of the one that is meant by hand"));
        };
        if !Source::new(pointer.clone(), &merged).uses_homelab_plugin() {
            return Err(
                anyhow!("Application `{name}` is not rendered by the plugin: its claims have no guards")
                    .hint(format!("move it to the plugin first: `kubectl homelab convert {name}`")),
            );
        }
        let is_by_file =
            matches!(manifest.origin, Origin::Generated(_)) || own.tree().get("plugin") != merged.get("plugin");
        let mut tree = manifest.object.tree().clone();
        let place = tree.pointer_mut(pointer.as_str()).context("it has no source")?;
        *place = merged;
        Ok(Self {
            repo,
            manifest,
            app,
            position,
            pointer,
            tree,
            operations: Vec::new(),
            is_by_file,
        })
    }

    /// Reports whether its own manifest has the parameters.
    pub fn is_in_manifest(&self) -> bool {
        !self.is_by_file && self.manifest.is_written()
    }

    /// Returns the source as it is changed.
    pub fn source(&self) -> Source<'_> {
        let tree = self.tree.pointer(self.pointer.as_str()).unwrap_or(&Value::Null);
        Source::new(self.pointer.clone(), tree)
    }

    /// Returns the parameters as they are changed.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parameters(&self) -> Result<Parameters> {
        self.source().parameters().map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!("Application `{}`: {}", self.app.name(), errors.join("; "))
        })
    }

    /// Adds an entry to a list.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn add(&mut self, name: &str, entry: &str) -> Result<()> {
        let source = self.source();
        let array = source.parameter(name).map(|parameter| parameter.child("array"));
        let there = array.and_then(|array| source.value(&array)?.as_array());
        if there.is_some_and(|there| there.iter().any(|other| other == entry)) {
            return Ok(());
        }
        let operations = fixes::add_to_parameter(&source, name, &[entry]);
        self.apply(operations)
    }

    /// Takes entries out of a list.
    ///
    /// # Errors
    /// When they cannot be.
    pub fn remove(&mut self, name: &str, is_gone: impl Fn(&str) -> bool) -> Result<()> {
        let operations = fixes::remove_from_parameter(&self.source(), name, is_gone);
        self.apply(operations)
    }

    /// Returns an entry of a map.
    pub fn entry(&self, name: &str, key: &str) -> Option<String> {
        let source = self.source();
        let map = source.parameter(name)?.child("map");
        source.value(&map)?.get(key)?.as_str().map(str::to_owned)
    }

    /// Sets an entry of a map, or takes it out; the parameter goes with its last entry.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn set_entry(&mut self, name: &str, key: &str, text: Option<&str>) -> Result<()> {
        let operation = self.entry_operation(name, key, text);
        self.apply(operation.into_iter().collect())
    }

    fn entry_operation(&self, name: &str, key: &str, text: Option<&str>) -> Option<PatchOperation> {
        let source = self.source();
        let list = source.at(&["plugin", "parameters"]);
        let there = source.value(&list).and_then(Value::as_array);
        let parameter = source.parameter(name);
        let map = parameter.as_ref().map(|parameter| parameter.child("map"));
        let entries = map.as_ref().and_then(|map| source.value(map)?.as_object());
        match (text, map, entries) {
            (Some(text), Some(map), Some(entries)) => {
                let at = map.child(key);
                Some(match entries.contains_key(key) {
                    true => fixes::replace(at, json!(text)),
                    false => fixes::add(at, json!(text)),
                })
            }
            (Some(text), Some(map), None) => Some(fixes::add(map, json!({key: text}))),
            (Some(text), None, _) => {
                let parameter = json!({"name": name, "map": {key: text}});
                Some(match there {
                    Some(there) => fixes::add(list.child(there.len()), parameter),
                    None => fixes::set(&self.tree, list, json!([parameter])),
                })
            }
            (None, Some(map), Some(entries)) if entries.contains_key(key) => {
                let is_alone = there.is_some_and(|there| there.len() == 1);
                Some(match (entries.len(), is_alone) {
                    (1, true) => fixes::remove(list),
                    (1, false) => fixes::remove(parameter.unwrap_or_default()),
                    _ => fixes::remove(map.child(key)),
                })
            }
            (None, ..) => None,
        }
    }

    fn apply(&mut self, operations: Vec<PatchOperation>) -> Result<()> {
        json_patch::patch(&mut self.tree, &Patch(operations.clone()))
            .with_context(|| format!("the parameters of Application `{}` have no place", self.app.name()))?;
        self.operations.extend(operations);
        Ok(())
    }

    /// Returns the changes of what has the parameters.
    ///
    /// # Errors
    /// When they cannot be changed where they stand.
    pub fn written(self, renders: &dyn Renders) -> Result<Written> {
        self.parameters()?;
        let mut written = Written {
            changes: ChangeSet::default(),
            object: self.manifest.object.clone(),
            overrides: Vec::new(),
            derived: None,
            notes: Vec::new(),
        };
        if self.operations.is_empty() {
            return Ok(written);
        }
        if self.is_by_file {
            let plugin = self.source().plugin().cloned().unwrap_or_default();
            let files = renders.files();
            let file = source_override::write(self.repo, files, &self.app, self.position, &plugin)?;
            written.changes = file.changes;
            written.overrides = file.overrides;
            written.notes = file.notes;
            return Ok(written);
        }
        written.object = Object::new(self.tree);
        if !matches!(self.manifest.origin, Origin::Rendered(_)) {
            written.changes = fixes::patch(self.manifest, self.operations);
            return Ok(written);
        }
        let leading = leading_value::find(self.repo, renders, self.manifest, &written.object)?;
        written.derived = Some(Manifest {
            object: written.object.clone(),
            ..self.manifest.clone()
        });
        written.changes = leading.changes;
        written.notes = leading.notes;
        written
            .notes
            .push(format!("{}: the value `{}` leads to it", leading.place, leading.key));
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    const APP: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n    repoURL: u\n    path: p\n    plugin:\n      name: homelab-v1\n      parameters:\n      - name: owns # claims\n        array: [audio, config] # two\n";

    fn after(change: impl Fn(&mut PluginSection<'_>)) -> String {
        let repo = Repo::read(&Memory::new([("applications/a.yaml", APP)]).unwrap(), &[]).unwrap();
        let (manifest, _) = repo.application("a").unwrap();
        let mut section = PluginSection::of(&repo, manifest).unwrap();
        change(&mut section);
        let changes = fixes::patch(manifest, section.operations);
        let files = repo.file_changes(&changes).unwrap();
        files.first().and_then(|file| file.after.clone()).unwrap_or_default()
    }

    #[test]
    fn lists_and_maps_are_changed_in_their_places() {
        let text = after(|section| {
            section.remove("owns", |entry| entry == "audio").unwrap();
            section.add("moves", "audio=b").unwrap();
            section.add("moves", "audio=b").unwrap();
            section.set_entry("patches", "apps/Deployment/x", Some("[]")).unwrap();
        });
        let expected = APP.replace("[audio, config]", "[config]")
            + "      - name: moves\n        array:\n        - audio=b\n      - name: patches\n        map:\n          apps/Deployment/x: \"[]\"\n";
        assert_eq!(text, expected);
        let again = after(|section| {
            section.set_entry("patches", "Pod/x", Some("[]")).unwrap();
            section.set_entry("patches", "Pod/y", Some("[]")).unwrap();
            assert_eq!(section.entry("patches", "Pod/x").as_deref(), Some("[]"));
            section.set_entry("patches", "Pod/x", None).unwrap();
            section.set_entry("patches", "Pod/y", None).unwrap();
            section.set_entry("patches", "Pod/z", None).unwrap();
        });
        assert_eq!(again, "", "nothing is changed in the end");
    }
}
