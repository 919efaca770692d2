//! The plugin's parameters of one Application: changed in memory one after the other, and written where they stand. That is its
//! manifest, a file of overrides in its folder, or the value of a chart.

use anyhow::{Context, Result, anyhow};
use json_patch::PatchOperation;
use serde_json::Value;

use super::parameters::entries;
use super::{Edit, Rendered, Renders, RuleGate, leading_value, source_override};
use crate::failure::HintExt;
use crate::model::parameter::{ParameterError, Parameters};
use crate::model::{AppName, Application, Availability, Object, PointerBuf, PointerExt, Source};
use crate::repo::{ChangeSet, Manifest, Origin, Override, Repo};
use crate::rules::fixes;

/// The parameters of an Application, of each source that the plugin renders, as they are changed.
#[derive(Debug)]
pub struct PluginSection<'r> {
    repo: &'r Repo,
    manifest: &'r Manifest,
    app: Application<'r>,
    /// The sources that the plugin renders.
    places: Vec<Place>,
    /// The Application with its sources as Argo CD has them.
    tree: Value,
    /// What was changed, each with the position of the source.
    operations: Vec<(usize, PatchOperation)>,
}

/// A source.
#[derive(Debug)]
struct Place {
    /// Its position among all.
    position: usize,
    pointer: PointerBuf,
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
    /// When the plugin renders none of its sources.
    pub fn of(repo: &'r Repo, manifest: &'r Manifest) -> Result<Self> {
        let app = Application::new(&manifest.object).context("not an Application")?;
        let (mut tree, mut places) = (manifest.object.tree().clone(), Vec::new());
        for (position, (own, (pointer, merged))) in app.sources().iter().zip(repo.merged_sources(&app)).enumerate() {
            if !Source::new(pointer.clone(), &merged).uses_homelab_plugin() {
                continue;
            }
            let is_generated = matches!(manifest.origin, Origin::Generated(_));
            let is_by_file = is_generated || own.tree().get("plugin") != merged.get("plugin");
            *tree.pointer_mut(pointer.as_str()).context("it has no source")? = merged;
            places.push(Place {
                position,
                pointer,
                is_by_file,
            });
        }
        if places.is_empty() {
            let name = app.name();
            return Err(
                anyhow!("Application `{name}` is not rendered by the plugin: its claims have no guards")
                    .hint(format!("move it to the plugin first: `kubectl homelab convert {name}`")),
            );
        }
        Ok(Self {
            repo,
            manifest,
            app,
            places,
            tree,
            operations: Vec::new(),
        })
    }

    /// Reports whether its own manifest has the parameters.
    pub fn is_in_manifest(&self) -> bool {
        self.manifest.is_written() && self.places.iter().all(|place| !place.is_by_file)
    }

    /// Returns the positions of the sources that the plugin renders.
    pub fn positions(&self) -> impl Iterator<Item = usize> + use<> {
        let positions: Vec<usize> = self.places.iter().map(|place| place.position).collect();
        positions.into_iter()
    }

    /// Returns the sources as they are changed.
    pub fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.places.iter().map(|place| self.at(place))
    }

    fn at(&self, place: &Place) -> Source<'_> {
        let tree = self.tree.pointer(place.pointer.as_str()).unwrap_or(&Value::Null);
        Source::new(place.pointer.clone(), tree)
    }

    /// Returns a source as it is changed.
    ///
    /// # Errors
    /// When the plugin does not render it.
    pub fn source(&self, position: usize) -> Result<Source<'_>> {
        let mut places = self.places.iter();
        let place = places.find(|place| place.position == position);
        place.map(|place| self.at(place)).with_context(|| {
            format!(
                "the plugin does not render source {} of Application `{}`",
                position + 1,
                self.app.name()
            )
        })
    }

    /// Returns the parameters as they are changed, of each source.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parameters(&self) -> Result<Vec<Parameters>> {
        let parsed = self.sources().map(|source| {
            source
                .parameters()
                .map_err(|errors| anyhow!("Application `{}`: {}", self.app.name(), ParameterError::line(&errors)))
        });
        parsed.collect()
    }

    /// Adds an entry to a list of a source.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn add(&mut self, position: usize, name: &str, entry: &str) -> Result<()> {
        let source = self.source(position)?;
        let array = source.parameter(name).map(|parameter| parameter.child("array"));
        let there = array.and_then(|array| source.value(&array)?.as_array());
        if there.is_some_and(|there| there.iter().any(|other| other == entry)) {
            return Ok(());
        }
        let operations = fixes::add_to_parameter(&source, name, &[entry]);
        self.apply(position, operations)
    }

    /// Takes entries out of a list, in every source.
    ///
    /// # Errors
    /// When they cannot be.
    pub fn remove(&mut self, name: &str, is_gone: impl Fn(&str) -> bool) -> Result<()> {
        for position in self.positions() {
            let operations = fixes::remove_from_parameter(&self.source(position)?, name, &is_gone);
            self.apply(position, operations)?;
        }
        Ok(())
    }

    /// Returns an entry of a map, of the first source that has it.
    pub fn entry(&self, name: &str, key: &str) -> Option<String> {
        self.sources().find_map(|source| {
            let map = source.parameter(name)?.child("map");
            source.value(&map)?.get(key)?.as_str().map(str::to_owned)
        })
    }

    /// Sets an entry of a map of a source.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn set_entry(&mut self, position: usize, name: &str, key: &str, text: &str) -> Result<()> {
        let operations = entries::put_into_map(&self.source(position)?, name, (key, text));
        self.apply(position, operations)
    }

    /// Takes an entry out of a map, in every source; the parameter goes with its last entry.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn remove_entry(&mut self, name: &str, key: &str) -> Result<()> {
        for position in self.positions() {
            let operation = without_entry(&self.source(position)?, name, key);
            self.apply(position, operation.into_iter().collect())?;
        }
        Ok(())
    }

    fn apply(&mut self, position: usize, operations: Vec<PatchOperation>) -> Result<()> {
        json_patch::patch(&mut self.tree, &operations)
            .with_context(|| format!("the parameters of Application `{}` have no place", self.app.name()))?;
        let operations = operations.into_iter().map(|operation| (position, operation));
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
        let mut own = Vec::new();
        for place in &self.places {
            let changed = self
                .operations
                .iter()
                .filter(|(position, _)| *position == place.position);
            let operations: Vec<PatchOperation> = changed.map(|(_, operation)| operation.clone()).collect();
            if !operations.is_empty() && place.is_by_file {
                let plugin = self.at(place).plugin().cloned().unwrap_or_default();
                let files = renders.files();
                let file = source_override::write(self.repo, files, &self.app, place.position, &plugin)?;
                written.changes.changes.extend(file.changes.changes);
                written.overrides.extend(file.overrides);
                written.notes.extend(file.notes);
            } else {
                own.extend(operations);
            }
        }
        if own.is_empty() {
            return Ok(written);
        }
        let mut tree = self.manifest.object.tree().clone();
        json_patch::patch(&mut tree, &own).context("the parameters have no place in the manifest")?;
        written.object = Object::new(tree);
        if !matches!(self.manifest.origin, Origin::Rendered(_)) {
            written.changes.changes.extend(fixes::patch(self.manifest, own).changes);
            return Ok(written);
        }
        let led = leading_value::find(self.repo, renders, self.manifest, &written.object)?;
        written.derived = Some(led.rendered);
        written.changes.changes.extend(led.changes.changes);
        written.notes.extend(led.notes);
        Ok(written)
    }
}

/// Returns the operation that takes an entry out of a map.
fn without_entry(source: &Source<'_>, name: &str, key: &str) -> Option<PatchOperation> {
    let list = source.at(&["plugin", "parameters"]);
    let parameter = source.parameter(name)?;
    let map = parameter.child("map");
    let entries = source
        .value(&map)?
        .as_object()
        .filter(|entries| entries.contains_key(key))?;
    let is_alone = source.value(&list).and_then(Value::as_array).map(Vec::len) == Some(1);
    Some(match (entries.len(), is_alone) {
        (1, true) => fixes::remove(list),
        (1, false) => fixes::remove(parameter),
        _ => fixes::remove(map.child(key)),
    })
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
        let operations = section.operations.into_iter().map(|(_, operation)| operation);
        let changes = fixes::patch(manifest, operations.collect());
        let files = repo.file_changes(&changes).unwrap();
        files.first().and_then(|file| file.after.clone()).unwrap_or_default()
    }

    #[test]
    fn lists_and_maps_are_changed_in_their_places() {
        let text = after(|section| {
            section.remove("owns", |entry| entry == "audio").unwrap();
            section.add(0, "moves", "audio=b").unwrap();
            section.add(0, "moves", "audio=b").unwrap();
            section.set_entry(0, "patches", "apps/Deployment/x", "[]").unwrap();
        });
        let expected = APP.replace("[audio, config]", "[config]")
            + "      - name: moves\n        array:\n        - audio=b\n      - name: patches\n        map:\n          apps/Deployment/x: \"[]\"\n";
        assert_eq!(text, expected);
        let again = after(|section| {
            section.set_entry(0, "patches", "Pod/x", "[]").unwrap();
            section.set_entry(0, "patches", "Pod/y", "[]").unwrap();
            assert_eq!(section.entry("patches", "Pod/x").as_deref(), Some("[]"));
            section.remove_entry("patches", "Pod/x").unwrap();
            section.remove_entry("patches", "Pod/y").unwrap();
            section.remove_entry("patches", "Pod/z").unwrap();
        });
        assert_eq!(again, "", "nothing is changed in the end");
    }
}
