//! Every object that the repository declares, and every one that is only rendered, each once and with its place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use json_patch::PatchOperation;

use crate::model::application::is_application;
use crate::model::{AppName, AsPointer, Object, Pointer, PointerBuf};
use crate::repo::{ChangeSet, Manifest, RepoPath};

use super::{Finding, Location, Meta, Scope, Subject, fixes};

/// An object with its place.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    object: Cow<'a, Object>,
    place: Place<'a>,
    /// The Application that brings it to the cluster, if there is one.
    pub(super) synced_by: Option<&'a Subject<'a>>,
    /// Whether it can be a patch of Kustomize, which has only some of the fields.
    pub(super) is_patch: bool,
}

#[derive(Debug)]
enum Place<'a> {
    /// A manifest, and where in it the object is.
    Manifest(&'a Manifest, PointerBuf),
    /// An Application renders it.
    Render(&'a Subject<'a>),
}

/// Returns the wanted objects: those of the manifests, then those that are only rendered.
pub(super) fn declared<'a>(scope: &'a Scope<'a>, is_wanted: impl Fn(&Object) -> bool) -> Vec<Declared<'a>> {
    let mut all = Vec::new();
    for manifest in &scope.repo.manifests {
        for (pointer, object) in objects(manifest, &is_wanted) {
            all.push(Declared {
                object,
                place: Place::Manifest(manifest, pointer),
                synced_by: None,
                is_patch: scope.repo.is_kustomize_input(&manifest.file),
            });
        }
    }
    let mut synced: BTreeMap<(&RepoPath, usize), &Subject<'a>> = BTreeMap::new();
    for (subject, item) in scope.items().filter(|(_, item)| is_wanted(item.object())) {
        match &item.home {
            Some((manifest, _)) => drop(synced.insert((&manifest.file, manifest.document), subject)),
            None => all.push(Declared {
                object: Cow::Borrowed(item.object()),
                place: Place::Render(subject),
                synced_by: Some(subject),
                is_patch: false,
            }),
        }
    }
    for declared in &mut all {
        if let Place::Manifest(manifest, _) = &declared.place {
            declared.synced_by = synced.get(&(&manifest.file, manifest.document)).copied();
        }
    }
    all
}

fn objects<'a>(manifest: &'a Manifest, is_wanted: impl Fn(&Object) -> bool) -> Vec<(PointerBuf, Cow<'a, Object>)> {
    if !manifest.object.is_list() {
        let is_wanted = is_wanted(&manifest.object);
        return is_wanted
            .then(|| (PointerBuf::new(), Cow::Borrowed(&manifest.object)))
            .into_iter()
            .collect();
    }
    let items = manifest.object.flatten().into_iter();
    let wanted = items.filter(|(_, item)| is_wanted(item));
    wanted.map(|(pointer, item)| (pointer, Cow::Owned(item))).collect()
}

impl Declared<'_> {
    /// Returns the object.
    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    /// Returns a finding at a JSON Pointer of the object; of one that is only rendered, at its Application's source.
    pub(super) fn finding(&self, rule: &'static Meta, message: impl Into<String>, pointer: impl AsPointer) -> Finding {
        let name = || AppName::new(self.object.name()).ok();
        match &self.place {
            Place::Manifest(manifest, base) => {
                let location = Location::of(manifest, base.concat(pointer.as_pointer()));
                let finding = Finding::new(rule, message, location);
                if is_application(&self.object) {
                    finding.app(name())
                } else {
                    finding
                        .app(self.synced_by.map(|subject| subject.name.clone()))
                        .object(self.object.reference())
                }
            }
            Place::Render(subject) => subject
                .finding(rule, message, subject.source_pointer())
                .object(self.object.reference()),
        }
    }

    /// Returns a change of the object in its manifest; `None` where it is only rendered.
    pub(super) fn patch(&self, operations: Vec<PatchOperation>) -> Option<ChangeSet> {
        let (manifest, base) = self.manifest()?;
        Some(fixes::patch_below(manifest, base, operations))
    }

    /// Returns a change that gives a field another name in its place; `None` where the object is only rendered.
    pub(super) fn rename(&self, field: &Pointer, name: &str) -> Option<ChangeSet> {
        let (manifest, base) = self.manifest()?;
        fixes::rename(manifest, base, field, name)
    }

    fn manifest(&self) -> Option<(&Manifest, &Pointer)> {
        match &self.place {
            Place::Manifest(manifest, base) => Some((manifest, base)),
            Place::Render(_) => None,
        }
    }
}
