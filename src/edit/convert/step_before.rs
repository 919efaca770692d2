//! What has to be committed before the next step of a guarded move: Argo CD syncs commits, not working trees, and a step
//! protects nothing that it is committed together with.

use serde_json::{Value, json};

use crate::model::application::template_of;
use crate::model::{Application, Object, Pointer};
use crate::repo::{Manifest, Override, RepoPath};
use crate::yaml;

/// A step that was made, as a commit has to have it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepBefore {
    /// The file of the Application.
    pub file: RepoPath,
    /// The Application.
    pub app: String,
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    /// Nothing of it is pruned or deleted.
    Guarded,
    /// It has these sources.
    Moved([Option<Value>; 2]),
    /// It is this file of overrides.
    Overridden(Value),
}

impl StepBefore {
    /// Returns what the move of an Application needs.
    pub(in crate::edit) fn of_move(manifest: &Manifest) -> Self {
        Self::new(manifest, Expected::Guarded)
    }

    /// Returns what the release of an Application needs.
    pub(super) fn of_release(manifest: &Manifest) -> Self {
        Self::new(manifest, Expected::Moved(sources(&manifest.object)))
    }

    /// Returns what the release of an Application needs that a file of its folder gives to the plugin.
    pub(in crate::edit) fn of_override(one: &Override, app: &str) -> Self {
        Self {
            file: one.file.clone(),
            app: app.to_owned(),
            expected: Expected::Overridden(one.patch.clone()),
        }
    }

    /// Returns the template of an ApplicationSet as an Application of the set's name; nothing for another object.
    pub(in crate::edit) fn template(object: &Object) -> Option<Object> {
        let mut tree = template_of(object)?.into_tree();
        let metadata = tree.as_object_mut()?.entry("metadata").or_insert_with(|| json!({}));
        metadata
            .as_object_mut()?
            .insert("name".to_owned(), json!(object.name()));
        Some(Object::new(tree))
    }

    fn new(manifest: &Manifest, expected: Expected) -> Self {
        Self {
            file: manifest.file.clone(),
            app: manifest.object.name().to_owned(),
            expected,
        }
    }

    /// Returns the number of the step and what it did, in words.
    pub fn step(&self) -> &'static str {
        match self.expected {
            Expected::Guarded => "step 1 of 3, the guards",
            Expected::Moved(_) | Expected::Overridden(_) => "step 2 of 3, the move",
        }
    }

    /// Reports whether a text of the file has the step.
    pub fn is_in(&self, text: &str) -> bool {
        let documents = yaml::documents(text).unwrap_or_default();
        let trees = documents
            .into_iter()
            .filter_map(|document| yaml::value(&text[document.range]).ok().flatten());
        let trees: Vec<Value> = trees.collect();
        if let Expected::Overridden(expected) = &self.expected {
            return trees.first() == Some(expected);
        }
        let objects = trees.into_iter().map(Object::new);
        let mut objects = objects
            .map(|object| Self::template(&object).unwrap_or(object))
            .filter(|object| object.name() == self.app);
        objects.any(|object| {
            Application::new(&object).is_some_and(|app| match &self.expected {
                Expected::Guarded => ["Prune", "Delete"]
                    .iter()
                    .all(|key| app.sync_option(key) == Some("false")),
                Expected::Moved(expected) => *expected == sources(&object),
                Expected::Overridden(_) => false,
            })
        })
    }
}

fn sources(object: &Object) -> [Option<Value>; 2] {
    ["/spec/source", "/spec/sources"].map(|pointer| object.at(Pointer::from_static(pointer)).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{Memory, Repo};

    #[test]
    fn a_step_is_in_a_text_that_has_it() {
        let text = |rest: &str| {
            format!(
                "a: b\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a}}\nspec: {{{rest}}}\n"
            )
        };
        let native = text("source: {path: c}");
        let guarded = text("source: {path: c}, syncPolicy: {syncOptions: [Prune=false, Delete=false]}");
        let moved = text("source: {path: c, plugin: {}}, syncPolicy: {syncOptions: [Prune=false, Delete=false]}");
        let files = Memory::new([("applications/a.yaml", moved.as_str())]).unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let manifest = repo.application("a").unwrap().0;
        let (first, second) = (StepBefore::of_move(manifest), StepBefore::of_release(manifest));
        let has = |step: &StepBefore| [&native, &guarded, &moved].map(|text| step.is_in(text));
        assert_eq!((has(&first), has(&second)), ([false, true, true], [false, false, true]));
        assert!(!first.is_in("a: [") && !first.is_in(""));
    }
}
