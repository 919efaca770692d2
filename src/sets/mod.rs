//! Expands ApplicationSets without a server: a set, what the repository holds, and the known clusters give the Applications
//! that Argo CD would generate, or a reason why they are unknown.
//!
//! ```text
//! generators  a set's generators → sets of parameters      selector  which of them count
//! contents  what a checkout tells a set
//! application  template and parameters → Application        patch  templatePatch
//! text  the two template languages      template  Go's templates      matching  patterns of folders and files
//! ```
//!
//! The reference is Argo CD's own code ([source](https://github.com/argoproj/argo-cd/tree/v3.5.7/applicationset)), with which
//! `tests/vectors/sets` was made.

mod application;
mod contents;
mod generators;
mod matching;
mod patch;
mod reason;
mod selector;
mod template;
mod text;

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Map, Value};

use crate::model::argocd_schema::{self, What};
use crate::model::settings::GeneratorOutput;
use crate::model::{Object, Pointer, PointerBuf, PointerExt, application::is_application_set};
use crate::repo::{Files, RepoPath};

pub use contents::{Checkouts, RepoContents};
pub use reason::Reason;

use template::MissingKey;

/// What a set can look at: the files that Argo CD would find in a checkout.
pub trait Contents: Sync {
    /// Reports whether a URL means this repository.
    fn is_own(&self, url: &str) -> bool;

    /// Reports whether everything below a folder is known, if there is anything.
    fn has(&self, _: &RepoPath) -> bool {
        true
    }

    /// Lists the files that are committed or would be.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn files(&self) -> Result<Vec<RepoPath>>;

    /// Lists those of the files that are below a folder.
    ///
    /// # Errors
    /// Those of [`files`](Self::files).
    fn files_in(&self, folder: &RepoPath) -> Result<Vec<RepoPath>> {
        let mut files = self.files()?;
        files.retain(|file| file.is_in(folder));
        Ok(files)
    }

    /// Reads a file; returns `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>>;

    /// Returns the files of a repository of which somebody has named a checkout; nothing for others.
    ///
    /// # Errors
    /// When the checkout cannot be opened.
    fn named(&self, _url: &str) -> Result<Option<Box<dyn Files>>> {
        Ok(None)
    }

    /// Returns the Secrets of the clusters that are known; of two with one name the later one counts.
    fn clusters(&self) -> Vec<&Object>;

    /// Returns what generators would give that need a server, as far as somebody has said it.
    fn generator_outputs(&self) -> &[GeneratorOutput] {
        &[]
    }
}

/// An Application of a set.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The Application.
    pub application: Object,
    /// The folders and files that its parameters come from.
    pub origins: Vec<RepoPath>,
    /// The places in the set that its parameters come from: an element of a list, else a generator.
    pub generators: Vec<PointerBuf>,
}

/// An ApplicationSet.
#[derive(Clone, Copy, Debug)]
pub struct Set<'o> {
    object: &'o Object,
}

impl<'o> Set<'o> {
    /// Returns the set that an object is, if it is one.
    pub fn new(object: &'o Object) -> Option<Self> {
        is_application_set(object).then_some(Self { object })
    }

    /// Returns its name.
    pub fn name(&self) -> &'o str {
        self.object.name()
    }

    /// Returns the kinds of its generators, with those inside of others: `matrix(git, list)`.
    pub fn generators(&self) -> Vec<String> {
        generators::described(&self.object.tree()["spec"])
    }

    /// Returns the URLs of the repositories that its git generators look at.
    pub fn repositories(&self) -> Vec<&'o str> {
        generators::repositories(&self.object.tree()["spec"])
    }

    /// Returns the Applications that Argo CD would generate, in its order; where that is not defined, in the order of names.
    ///
    /// # Errors
    /// The first reason why they are unknown.
    pub fn expand(&self, contents: &dyn Contents) -> Result<Vec<Generated>, Reason> {
        let tree = accepted(self.object)?;
        let spec = &tree["spec"];
        let options: Vec<String> = selector::texts(&spec["goTemplateOptions"]);
        let is_go = spec["goTemplate"] == true;
        let language = match is_go {
            false => text::Language::Fast,
            true => text::Language::Go(MissingKey::of_options(&options)),
        };
        let context = generators::Context {
            contents,
            language,
            set: self.name(),
            spec,
        };
        let mut applications = Vec::new();
        let empty = Map::new();
        let base = spec["template"].as_object().unwrap_or(&empty);
        let list = Pointer::from_static("/spec/generators");
        for (index, generator) in spec["generators"].as_array().into_iter().flatten().enumerate() {
            for result in context.transform((generator, &list.child(index)), base, None)? {
                for set in result.sets {
                    let application = application::of_template(&result.template, spec, self.object, &set, language)?;
                    applications.push(Generated {
                        application,
                        origins: set.origins,
                        generators: set.places,
                    });
                }
            }
        }
        let mut names = BTreeSet::new();
        for generated in &applications {
            let name = generated.application.name();
            if !names.insert(name) {
                return Err(Reason::invalid(format!(
                    "it generates two Applications of the name `{name}`"
                )));
            }
        }
        Ok(applications)
    }
}

/// Returns a set as the API server keeps it: fields that it does not know are gone.
fn accepted(object: &Object) -> Result<Value, Reason> {
    let mut tree = object.tree().clone();
    for fault in argocd_schema::faults("ApplicationSet", &tree.clone()) {
        let place = fault.pointer.as_str();
        match fault.what {
            What::Unknown { .. } => remove(&mut tree, place),
            What::WrongType { expected, .. } => {
                return Err(Reason::invalid(format!("`{place}` has to be {expected}")));
            }
            What::Missing { field } => {
                return Err(Reason::invalid(format!("`{place}` lacks the field `{field}`")));
            }
        }
    }
    Ok(tree)
}

/// Removes the entry at a pointer.
fn remove(tree: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    if let Some(map) = tree.pointer_mut(parent).and_then(Value::as_object_mut) {
        map.remove(&key);
    }
}
