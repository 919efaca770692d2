//! What has to be in the branch that Argo CD reads before the next step: Argo CD syncs commits, not working trees, and a step
//! protects nothing that it is committed together with.

use std::fmt;

use crate::model::{Application, Object};
use crate::repo::{Manifest, RepoPath};
use crate::yaml;

/// Whether a text of the file has what a step writes.
type Holds = Box<dyn Fn(&str) -> bool>;

/// A step that was made, as a commit has to have it.
pub struct Needed {
    /// The file of the Application or the set.
    pub file: RepoPath,
    /// Its kind and its name.
    pub object: (String, String),
    /// The step, in words.
    pub step: String,
    /// Whether the step has written the file: where it is not there, the step is not either.
    pub is_written: bool,
    holds: Holds,
}

impl fmt::Debug for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} in {}", self.step, self.object.1, self.file)
    }
}

impl Needed {
    /// Returns a step that is made where an object is so.
    pub fn new(manifest: &Manifest, step: String, holds: impl Fn(&Object) -> bool + 'static) -> Self {
        let (kind, name) = (manifest.object.kind().to_owned(), manifest.object.name().to_owned());
        let is_it = move |object: &Object| object.kind() == kind && object.name() == name && holds(object);
        Self::in_file(manifest, step, manifest.file.clone(), move |text| {
            objects(text).iter().any(&is_it)
        })
    }

    fn in_file(manifest: &Manifest, step: String, file: RepoPath, holds: impl Fn(&str) -> bool + 'static) -> Self {
        let object = &manifest.object;
        Self {
            file,
            object: (object.kind().to_owned(), object.name().to_owned()),
            step,
            is_written: false,
            holds: Box::new(holds),
        }
    }

    /// Says that the step has written the file.
    #[must_use]
    pub fn written(self) -> Self {
        Self {
            is_written: true,
            ..self
        }
    }

    /// Returns a step that has written a file, whatever is in it.
    pub fn of_file(manifest: &Manifest, step: String, file: RepoPath) -> Self {
        Self::in_file(manifest, step, file, |_| true).written()
    }

    /// Returns a step that has left a file with this text, or has removed it.
    pub fn of_text(manifest: &Manifest, step: String, file: RepoPath, text: Option<String>) -> Self {
        Self::in_file(manifest, step, file, move |other| text.as_deref() == Some(other))
    }

    /// Returns a step that is made where an Application is so.
    pub fn of_app(manifest: &Manifest, step: String, holds: impl Fn(&Application<'_>) -> bool + 'static) -> Self {
        Self::new(manifest, step, move |object| {
            Application::new(object).is_some_and(|app| holds(&app))
        })
    }

    /// Reports whether a text of the file has the step.
    pub fn is_in(&self, text: &str) -> bool {
        (self.holds)(text)
    }
}

/// Returns the objects of a text, those in Lists, too.
fn objects(text: &str) -> Vec<Object> {
    let documents = yaml::documents(text).unwrap_or_default();
    let trees = documents
        .into_iter()
        .filter_map(|document| yaml::value(&text[document.range]).ok().flatten());
    let objects = trees.flat_map(|tree| Object::new(tree).into_flat());
    objects.map(|(_, object)| object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{Memory, Repo};

    #[test]
    fn a_step_is_in_a_text_that_has_it() {
        let text = |finalizers: &str| {
            format!(
                "a: b\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: a{finalizers}}}\n"
            )
        };
        let (with, without) = (text(", finalizers: [x]"), text(""));
        let files = Memory::new([("applications/a.yaml", with.as_str())]).unwrap();
        let repo = Repo::read(&files, &[]).unwrap();
        let (manifest, _) = repo.application("a").unwrap();
        let step = Needed::of_app(manifest, "step 1".to_owned(), |app| app.finalizers().is_empty());
        assert!(step.is_in(&without) && !step.is_in(&with));
        assert!(!step.is_in("a: [") && !step.is_in("") && !step.is_in(&without.replace("name: a", "name: b")));
    }
}
