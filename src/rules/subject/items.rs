//! What an Application brings to the cluster: the objects of its render, else the manifests of this repository that it syncs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use json_patch::PatchOperation;
use serde_json::Value;

use super::ReadParameters;
use crate::model::application::{is_application, is_application_set};
use crate::model::claim::is_claim;
use crate::model::namespace::is_namespace;
use crate::model::parameter::{Parameters, claims};
use crate::model::{ClaimPath, NamespaceName, Object, ObjectRef, PointerBuf, Source};
use crate::repo::{ChangeSet, Manifest, Repo};
use crate::rules::fixes;

/// An object that an Application brings to the cluster.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    object: Cow<'a, Object>,
    /// The manifest in this repository that contains the object, if there is one, and the JSON Pointer there (of a
    /// list's item).
    pub home: Option<(&'a Manifest, PointerBuf)>,
    /// Whether the object is as the cluster gets it; otherwise the plugin still has to process it.
    pub is_final: bool,
}

impl Item<'_> {
    /// Returns the object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Returns the kind and the name of the object, for a message.
    pub fn title(&self) -> String {
        format!("{} `{}`", self.object().kind(), self.object().name())
    }

    /// Returns a fix that patches the object in this repository's manifest; `None` if it has none, or if something else puts the
    /// value there, as the annotations of a kustomization. The operations' paths start at the object.
    pub fn patch(&self, operations: Vec<PatchOperation>) -> Option<ChangeSet> {
        let (manifest, pointer) = self.home.as_ref()?;
        let is_written = |operation: &PatchOperation| {
            let is_leaf = |value: &&Value| !value.is_object() && !value.is_array() && !value.is_null();
            let rendered = self.object.at(operation.path()).filter(is_leaf);
            rendered.is_none_or(|rendered| manifest.object.at(pointer.concat(operation.path())) == Some(rendered))
        };
        let is_own = operations.iter().all(is_written);
        is_own.then(|| fixes::patch_below(manifest, pointer, operations))
    }
}

/// Returns the manifests of this repository that the sources sync, and whether they are everything that the sources
/// bring.
pub(super) fn own_items<'a>(
    repo: &'a Repo,
    sources: &[(Source<'a>, Option<ReadParameters>)],
    namespace: Option<&str>,
) -> (Vec<Item<'a>>, bool) {
    let (mut items, mut all) = (Vec::new(), !sources.is_empty());
    for (source, parameters) in sources {
        let manifests = repo.synced_manifests(source).unwrap_or_default();
        let is_of_plugin = parameters.is_none() && source.plugin().is_some();
        let is_build = is_of_plugin || repo.folder_source(source).is_some_and(|folder| folder.is_build());
        // A folder without manifests may contain a chart; Kustomize and other plugins change what they take in.
        all = all && (!manifests.is_empty() && !is_build || source.gives_files_only());
        let read = parameters.as_ref().and_then(|parameters| parameters.as_ref().ok());
        for manifest in manifests {
            let stays =
                flattened(manifest).filter(|(_, object)| !read.is_some_and(|read| is_moved(object, read, namespace)));
            items.extend(stays.map(|(pointer, object)| Item {
                object,
                home: Some((manifest, pointer)),
                is_final: parameters.is_none() && !is_build,
            }));
        }
    }
    (items, all)
}

/// Returns the indexes of the Namespaces, Applications and sets.
pub(super) fn notable(items: &[Item<'_>]) -> Vec<usize> {
    let is_notable = |object: &Object| is_namespace(object) || is_application(object) || is_application_set(object);
    let numbered = items.iter().enumerate();
    let notable = numbered.filter(|(_, item)| is_notable(item.object()));
    notable.map(|(index, _)| index).collect()
}

/// Returns the claims of the parameter `claims`, which the plugin prints with what it renders.
pub(super) fn added_claims<'a>(sources: &[(Source<'a>, Option<ReadParameters>)]) -> Vec<Item<'a>> {
    let parameters = sources
        .iter()
        .filter_map(|(_, parameters)| parameters.as_ref()?.as_ref().ok());
    let claims = parameters.flat_map(|parameters| &parameters.claims);
    let item = |(path, spec)| Item {
        object: Cow::Owned(claims::object(path, spec)),
        home: None,
        is_final: false,
    };
    claims.map(item).collect()
}

/// Reports whether the plugin does not print a claim, since another Application owns it now.
fn is_moved(object: &Object, parameters: &Parameters, destination: Option<&str>) -> bool {
    let namespace = object.namespace().or(destination);
    let is_it = |claim: &ClaimPath| {
        let of = claim.namespace.as_ref().map(NamespaceName::as_str).or(destination);
        claim.name.as_str() == object.name() && of == namespace
    };
    is_claim(object) && parameters.moves.iter().any(|moved| is_it(&moved.claim))
}

/// Returns the object of a manifest, or those of its list, each with where it is.
fn flattened(manifest: &Manifest) -> impl Iterator<Item = (PointerBuf, Cow<'_, Object>)> {
    let list = manifest.object.is_list();
    let one = (!list).then(|| (PointerBuf::new(), Cow::Borrowed(&manifest.object)));
    let items = if list { manifest.object.flatten() } else { Vec::new() };
    let items = items.into_iter().map(|(pointer, object)| (pointer, Cow::Owned(object)));
    one.into_iter().chain(items)
}

/// Returns the rendered objects, with their manifests where they come from this repository.
pub(super) fn rendered_items<'a>(objects: &'a [Object], own: Vec<Item<'a>>) -> Vec<Item<'a>> {
    let mut manifests: BTreeMap<ObjectRef, (&'a Manifest, PointerBuf)> = BTreeMap::new();
    for item in own {
        if let (Some(reference), Some(home)) = (item.object().reference(), item.home) {
            manifests.entry(reference).or_insert(home);
        }
    }
    let home = |object: &Object| manifests.get(&object.reference()?).cloned();
    objects
        .iter()
        .map(|object| Item {
            object: Cow::Borrowed(object),
            home: if manifests.is_empty() { None } else { home(object) },
            is_final: true,
        })
        .collect()
}
