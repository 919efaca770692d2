//! Every object that the repository declares, and every one that is only rendered, each once and with its place.

use std::borrow::Cow;
use std::sync::OnceLock;

use json_patch::PatchOperation;
use serde_json::Value;

use crate::model::application::{GROUP, is_application, template_of};
use crate::model::argocd_schema::{self, Fault, KINDS};
use crate::model::{AppName, AsPointer, Object, Pointer, PointerBuf};
use crate::repo::{ChangeSet, Manifest};

use super::{Finding, Location, Meta, Scope, Subject, fixes};

/// An object with its place.
#[derive(Debug)]
pub struct Declared<'a> {
    scope: &'a Scope<'a>,
    object: Cow<'a, Object>,
    place: Place<'a>,
    faults: OnceLock<Vec<Fault>>,
}

#[derive(Debug)]
enum Place<'a> {
    /// A manifest, and where in it the object is.
    Manifest(&'a Manifest, PointerBuf),
    /// An Application renders it.
    Render(&'a Subject<'a>),
}

/// Returns the objects of the manifests, then those that are only rendered.
pub(super) fn declared<'a>(scope: &'a Scope<'a>) -> Vec<Declared<'a>> {
    let in_manifest = |manifest: &'a Manifest| {
        let objects = objects(manifest).into_iter();
        objects.map(move |(pointer, object)| (object, Place::Manifest(manifest, pointer)))
    };
    let in_manifests = scope.repo.manifests.iter().flat_map(in_manifest);
    let only_rendered = scope.items().filter(|(_, item)| item.home.is_none());
    let in_renders = only_rendered.map(|(subject, item)| (Cow::Borrowed(item.object()), Place::Render(subject)));
    let all = in_manifests.chain(in_renders);
    all.map(|(object, place)| Declared {
        scope,
        object,
        place,
        faults: OnceLock::new(),
    })
    .collect()
}

fn objects(manifest: &Manifest) -> Vec<(PointerBuf, Cow<'_, Object>)> {
    if !manifest.object.is_list() {
        return vec![(PointerBuf::new(), Cow::Borrowed(&manifest.object))];
    }
    let items = manifest.object.flatten().into_iter();
    items.map(|(pointer, item)| (pointer, Cow::Owned(item))).collect()
}

impl<'a> Declared<'a> {
    /// Returns the template of an ApplicationSet as an Application; `None` for another object, and for a template that
    /// something else completes: a `templatePatch`, or the template of a generator.
    pub(super) fn template(&self) -> Option<Declared<'a>> {
        let object = template(&self.object)?;
        let place = match &self.place {
            Place::Manifest(manifest, base) => Place::Manifest(manifest, base.concat(TEMPLATE)),
            Place::Render(subject) => Place::Render(subject),
        };
        Some(Declared {
            scope: self.scope,
            object: Cow::Owned(object),
            place,
            faults: OnceLock::new(),
        })
    }
}

impl Declared<'_> {
    /// Returns the object.
    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    /// Returns what is wrong in an object of Argo CD's kinds by the table of their fields; nothing for another object.
    pub(super) fn faults(&self) -> &[Fault] {
        let is_checked = || KINDS.iter().any(|kind| self.object.is(GROUP, kind));
        let faults = || argocd_schema::faults(self.object.kind(), self.object.tree());
        self.faults
            .get_or_init(|| if is_checked() { faults() } else { Vec::new() })
    }

    /// Reports whether it can be a patch of Kustomize, which has only some of the fields.
    pub(super) fn is_patch(&self) -> bool {
        let manifest = self.manifest().map(|(manifest, _)| manifest);
        manifest.is_some_and(|manifest| self.scope.repo.is_kustomize_input(&manifest.file))
    }

    /// Returns the Application that brings it to the cluster, if there is one.
    pub(super) fn synced_by(&self) -> Option<&Subject<'_>> {
        match &self.place {
            Place::Manifest(manifest, _) => self.scope.bringer(manifest),
            Place::Render(subject) => Some(subject),
        }
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
                        .app(self.synced_by().map(|subject| subject.name.clone()))
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

/// Where the template of an ApplicationSet is.
const TEMPLATE: &Pointer = Pointer::from_static("/spec/template");

/// Returns the template of an ApplicationSet as an Application, if it is all that the Applications come from.
fn template(set: &Object) -> Option<Object> {
    let generators = set.at("/spec/generators").unwrap_or(&Value::Null);
    if set.at("/spec/templatePatch").is_some() || has_template(generators) {
        return None;
    }
    template_of(set)
}

/// Reports whether a generator, or one inside it, has a template of its own.
fn has_template(generators: &Value) -> bool {
    match generators {
        Value::Array(list) => list.iter().any(has_template),
        Value::Object(map) => map.iter().any(|(key, value)| match key.as_str() {
            "template" => value.is_object(),
            // Values, whatever their names are.
            "elements" | "values" => false,
            _ => has_template(value),
        }),
        _ => false,
    }
}

/// Reports whether a text is completed when an ApplicationSet makes its Applications.
pub(super) fn is_placeholder(text: &str) -> bool {
    text.contains("{{")
}

/// Returns a JSON Pointer as users write paths of fields: `spec.sources[1].helm`.
pub(super) fn dotted(pointer: &Pointer) -> String {
    let mut path = String::new();
    for token in pointer {
        let token = token.decoded();
        if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{token}]"));
        } else {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(&token);
        }
    }
    path
}
