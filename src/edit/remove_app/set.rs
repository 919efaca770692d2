//! Takes out what makes a set generate an Application: an element of a list, a file of parameters or an entry of one, or the folder that
//! a generator looks at. It is found by trying: the right one is that without which the set generates all others as before.

use anyhow::{Context, Result, anyhow};
use json_patch::Patch;
use serde_json::Value;

use super::folder;
use super::removal::Removal;
use crate::edit::Renders;
use crate::failure::HintExt;
use crate::model::{Application, Object, Pointer, PointerBuf, PointerExt};
use crate::repo::change::FileChange;
use crate::repo::{Change, ChangeSet, Generated, Manifest, Repo, RepoPath, SourceFile};
use crate::rules::fixes;
use crate::yaml;

/// A set, and what it generates now.
struct Source<'s> {
    repo: &'s Repo,
    renders: &'s dyn Renders,
    set: &'s Manifest,
    /// The Application that is taken out.
    app: &'s Manifest,
    before: Vec<Object>,
}

/// Returns the change after which a set generates everything but an Application.
///
/// # Errors
/// When nothing makes this Application alone, or somebody else reads what makes it.
pub(super) fn removal(repo: &Repo, renders: &dyn Renders, app: &Manifest, generated: &Generated) -> Result<Removal> {
    let is_it =
        |set: &&Manifest| (&set.file, set.document) == (&app.file, app.document) && set.object.name() == generated.set;
    let set = repo.sets().find(is_it).context("its set is gone")?;
    let source = Source {
        repo,
        renders,
        set,
        app,
        before: renders.generate(&set.object, &[])?,
    };
    if let Some(removal) = source.element()? {
        return Ok(removal);
    }
    for origin in &generated.folders {
        if let Some(removal) = source.origin(origin)? {
            return Ok(removal);
        }
    }
    Err(source.nothing(generated))
}

impl Source<'_> {
    /// Reports whether all others are generated as before, and the Application is not.
    fn is_only_gone(&self, after: &[Object]) -> bool {
        let name = self.app.object.name();
        let others = self.before.iter().filter(|app| app.name() != name);
        others.eq(after.iter())
    }

    /// Returns the removal of an element of a list.
    fn element(&self) -> Result<Option<Removal>> {
        let (mut places, root) = (Vec::new(), Pointer::from_static("/spec/generators"));
        let generators = self.set.object.at(root);
        generators
            .iter()
            .for_each(|generators| elements(generators, root, &mut places));
        for place in places {
            let operation = fixes::remove(&place);
            let mut tree = self.set.object.tree().clone();
            json_patch::patch(&mut tree, std::slice::from_ref(&operation))?;
            let after = self.renders.generate(&Object::new(tree), &[]);
            if !after.is_ok_and(|after| self.is_only_gone(&after)) {
                continue;
            }
            if !self.set.is_written() {
                self.set.check_editable()?;
            }
            return Ok(Some(Removal {
                changes: fixes::patch(self.set, vec![operation]),
                notes: vec![format!(
                    "an element of a list makes it, in ApplicationSet `{}`",
                    self.set.object.name()
                )],
                ..Removal::default()
            }));
        }
        Ok(None)
    }

    /// Returns the removal of a folder, a file, or an entry of a file.
    fn origin(&self, origin: &RepoPath) -> Result<Option<Removal>> {
        let files = self.renders.files();
        if files.list(origin)?.is_some() {
            return self.folder(origin);
        }
        let own = |folder: &RepoPath| {
            let sources = Application::new(&self.app.object)
                .map(|app| app.sources())
                .unwrap_or_default();
            let mut paths = sources.iter().filter_map(|source| RepoPath::new(source.path()?).ok());
            paths.any(|path| path == *folder)
        };
        // The file beside what the Application renders goes with it.
        if own(&origin.parent())
            && let Some(removal) = self.folder(&origin.parent())?
        {
            return Ok(Some(removal));
        }
        let file = folder::file(files, origin)?;
        let gone = Change::RemoveFile { file: file.clone() };
        let whole = self.tried(vec![gone], format!("`{origin}` makes it"))?;
        match whole {
            Some(removal) => Ok(Some(removal)),
            None => self.entry(&file),
        }
    }

    fn folder(&self, origin: &RepoPath) -> Result<Option<Removal>> {
        let gone = folder::files(self.renders.files(), origin)?;
        let gone: Vec<Change> = gone.into_iter().map(|file| Change::RemoveFile { file }).collect();
        let removal = self.tried(gone, format!("the folder `{origin}` makes it"))?;
        if removal.is_some() {
            folder::check_alone(self.repo, self.renders, self.app, origin)?;
        }
        Ok(removal)
    }

    /// Returns the removal of an entry of a file that is a list.
    fn entry(&self, file: &SourceFile) -> Result<Option<Removal>> {
        let Ok(documents) = yaml::documents(&file.text) else {
            return Ok(None);
        };
        let Ok(Some(tree)) = yaml::value(&file.text) else {
            return Ok(None);
        };
        let count = tree.as_array().map_or(0, Vec::len);
        let file = SourceFile {
            documents,
            ..file.clone()
        };
        for index in 0..count {
            let change = Change::PatchFile {
                file: file.clone(),
                document: 0,
                patch: Patch(vec![fixes::remove(PointerBuf::new().child(index))]),
            };
            let what = format!("an entry of `{}` makes it", file.path);
            if let Some(removal) = self.tried(vec![change], what)? {
                return Ok(Some(removal));
            }
        }
        Ok(None)
    }

    /// Returns a removal if the set generates everything else as before.
    fn tried(&self, changes: Vec<Change>, what: String) -> Result<Option<Removal>> {
        let changes = ChangeSet { changes };
        let files: Vec<FileChange> = self.repo.file_changes(&changes)?;
        let after = self.renders.generate(&self.set.object, &files);
        let is_it = after.is_ok_and(|after| self.is_only_gone(&after));
        Ok(is_it.then(|| Removal {
            changes,
            notes: vec![format!("{what}, in ApplicationSet `{}`", self.set.object.name())],
            ..Removal::default()
        }))
    }

    fn nothing(&self, generated: &Generated) -> anyhow::Error {
        let (name, set) = (self.app.object.name(), self.set.object.name());
        let places: Vec<String> = generated.folders.iter().map(|place| format!("`{place}`")).collect();
        let error = anyhow!("ApplicationSet `{set}` generates Application `{name}`, and nothing makes this one alone");
        error.hint(match places.as_slice() {
            [] => format!(
                "take it out of the generators of the set in `{}` by hand",
                self.set.file
            ),
            places => format!(
                "take it out by hand: it comes of {}, and the generators are in `{}`",
                places.join(", "),
                self.set.file
            ),
        })
    }
}

/// Returns the places of the elements of lists in the generators of a set.
fn elements(generators: &Value, at: &Pointer, out: &mut Vec<PointerBuf>) {
    match generators {
        Value::Array(list) => {
            for (index, generator) in list.iter().enumerate() {
                elements(generator, &at.child(index), out);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("elements", Value::Array(list)) => {
                        out.extend((0..list.len()).map(|index| at.child(key.as_str()).child(index)));
                    }
                    ("template" | "values" | "elements", _) => {}
                    _ => elements(value, &at.child(key.as_str()), out),
                }
            }
        }
        _ => {}
    }
}
