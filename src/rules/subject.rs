//! One Application as the rules see it: its manifest, its sources with their parsed parameters, and its objects.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use json_patch::PatchOperation;

use crate::model::application::{is_application, is_application_set};
use crate::model::claim::is_claim;
use crate::model::claim_use::{Embedded, VolumeUse, claim_uses};
use crate::model::made_claims::patterns_of;
use crate::model::namespace::is_namespace;
use crate::model::parameter::{ParameterError, Parameters, claims};
use crate::model::{
    AppName, Application, AsPointer, Availability, ClaimName, ClaimPath, ClaimRef, Cluster, NamespaceName, Object,
    ObjectRef, Pointer, PointerBuf, Source,
};
use crate::repo::{Change, ChangeSet, Manifest, Override, Repo, overrides};

use super::{Finding, Location, Meta, fixes};

/// An Application with its sources and objects.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The typed view of the manifest.
    pub app: Application<'a>,
    /// Its name.
    pub name: AppName,
    /// The cluster of the destination.
    pub cluster: Cluster,
    /// The destination namespace, if it has a valid one.
    pub namespace: Option<NamespaceName>,
    /// The sources, with the parsed parameters of those that the plugin renders: those that Argo CD gives it, overrides in the
    /// source's folder included.
    pub sources: Vec<(Source<'a>, Option<ReadParameters>)>,
    /// The overrides of each source, in the order in which Argo CD merges them.
    pub overrides: Vec<Vec<Override>>,
    /// The objects that it brings to the cluster, as far as they are known.
    pub items: Vec<Item<'a>>,
    /// Whether `items` is complete.
    pub is_seen: bool,
    /// The items that are Namespaces, Applications or sets: few of many.
    notable: Vec<usize>,
    /// The items with a pod that mounts a claim, once somebody has asked.
    mounting: OnceLock<BTreeMap<ClaimRef, BTreeSet<usize>>>,
}

/// The parameters of a source that the plugin renders, or what is wrong with them.
pub type ReadParameters = Result<Parameters, Vec<ParameterError>>;

/// An object that an Application brings to the cluster.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    object: Cow<'a, Object>,
    /// The manifest in this repository that contains the object, if there is one, and the JSON Pointer there (of a
    /// list's item).
    pub home: Option<(&'a Manifest, PointerBuf)>,
    /// Whether the object is as the cluster gets it; otherwise the plugin still has to process it.
    pub is_finished: bool,
}

impl Item<'_> {
    /// Returns the object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Returns a fix that patches the object in this repository's manifest; `None` if it has none. The operations'
    /// paths start at the object.
    pub fn patch(&self, operations: Vec<PatchOperation>) -> Option<ChangeSet> {
        let (manifest, pointer) = self.home.as_ref()?;
        Some(fixes::patch_below(manifest, pointer, operations))
    }
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        repo: &'a Repo,
        manifest: &'a Manifest,
        (app, name, cluster): (Application<'a>, AppName, Cluster),
        controller: &str,
        render: Option<&'a Availability<Vec<Object>>>,
    ) -> Self {
        let sources = app.sources();
        let overrides: Vec<Vec<Override>> = sources
            .iter()
            .map(|source| repo.overrides_of(&app, source, controller))
            .collect();
        let sources = sources.into_iter().zip(&overrides).map(|(source, overrides)| {
            let parameters = parameters(&source, overrides);
            (source, parameters)
        });
        let sources: Vec<_> = sources.collect();
        let (mut items, all_at_home) = own_items(repo, &sources, app.destination_namespace());
        items.extend(added_claims(&sources));
        let mut is_seen = all_at_home;
        if let Some(Availability::Available(objects)) = render {
            items = rendered_items(objects, items);
            is_seen = true;
        }
        Self {
            manifest,
            app,
            name,
            cluster,
            namespace: app.namespace_name(),
            sources,
            overrides,
            notable: notable(&items),
            mounting: OnceLock::new(),
            items,
            is_seen,
        }
    }

    /// Returns the objects with a pod that mounts a claim.
    pub(super) fn mounting(&self, claim: &ClaimRef) -> impl Iterator<Item = &Item<'a>> {
        let found = || {
            let mut found: BTreeMap<ClaimRef, BTreeSet<usize>> = BTreeMap::new();
            for (index, item) in self.items.iter().enumerate() {
                for (claim, _) in self.claim_volumes(item) {
                    found.entry(claim).or_default().insert(index);
                }
            }
            found
        };
        let items = self.mounting.get_or_init(found).get(claim);
        items.into_iter().flatten().map(|index| &self.items[*index])
    }

    /// Returns the Namespaces, Applications and sets among the objects.
    pub(super) fn notable_items(&self) -> impl Iterator<Item = &Item<'a>> {
        self.notable.iter().map(|index| &self.items[*index])
    }

    /// Reports whether every source is rendered by the plugin, so that `owns` lists all its claims.
    pub fn uses_homelab_plugin(&self) -> bool {
        !self.sources.is_empty() && self.sources.iter().all(|(_, parameters)| parameters.is_some())
    }

    /// Reports whether the parameters of a source are invalid, so that its claims are not known.
    pub fn has_wrong_parameters(&self) -> bool {
        self.sources
            .iter()
            .any(|(_, parameters)| matches!(parameters, Some(Err(_))))
    }

    /// Returns the sources that the plugin renders and whose parameters are valid.
    pub fn read_sources(&self) -> impl Iterator<Item = (&Source<'a>, &Parameters)> {
        self.sources
            .iter()
            .filter_map(|(source, parameters)| Some((source, parameters.as_ref()?.as_ref().ok()?)))
    }

    /// Returns all claims in `owns` of any source.
    pub fn owns(&self) -> BTreeSet<ClaimRef> {
        let owned = self.read_sources().flat_map(|(_, parameters)| &parameters.owns);
        owned.filter_map(|path| self.claim(path)).collect()
    }

    /// Returns all claims in `releases` of any source.
    pub fn releases(&self) -> BTreeSet<ClaimRef> {
        let released = self.read_sources().flat_map(|(_, parameters)| &parameters.releases);
        released.filter_map(|path| self.claim(path)).collect()
    }

    /// Returns the claims in `owns` that a StatefulSet could make, by namespace and the patterns of their names; the first
    /// of each.
    pub fn numbered_owns(&self) -> HashMap<(NamespaceName, String), ClaimName> {
        let mut numbered = HashMap::new();
        for claim in self.owns() {
            for pattern in patterns_of(claim.name.as_str()) {
                let key = (claim.namespace.clone(), pattern);
                numbered.entry(key).or_insert_with(|| claim.name.clone());
            }
        }
        numbered
    }

    /// Returns the namespace of an object; `None` if it is not known.
    pub fn namespace_of(&self, object: &Object) -> Option<NamespaceName> {
        match object.namespace() {
            Some(namespace) => NamespaceName::new(namespace).ok(),
            None => self.namespace.clone(),
        }
    }

    /// Returns all claims in `writes` of any source.
    pub fn writes(&self) -> BTreeSet<&ClaimPath> {
        self.read_sources()
            .flat_map(|(_, parameters)| &parameters.writes)
            .collect()
    }

    /// Returns the claim that a parameter names; `None` where it names no namespace and the destination has none.
    pub fn claim(&self, path: &ClaimPath) -> Option<ClaimRef> {
        Some(ClaimRef {
            cluster: self.cluster.clone(),
            namespace: path.namespace_in(self.namespace.as_ref())?.clone(),
            name: path.name.clone(),
        })
    }

    /// Returns the claim of this name in the namespace of an object; `None` if either is not known.
    pub fn claim_beside(&self, object: &Object, name: &str) -> Option<ClaimRef> {
        Some(ClaimRef {
            cluster: self.cluster.clone(),
            namespace: self.namespace_of(object)?,
            name: ClaimName::new(name).ok()?,
        })
    }

    /// Returns the objects that are as the cluster gets them: without those that the plugin would still change because
    /// they were not rendered.
    pub fn finished(&self) -> impl Iterator<Item = &Item<'a>> {
        self.items.iter().filter(|item| item.is_finished)
    }

    /// Returns the claims and PersistentVolumes that it renders.
    pub fn storage(&self) -> impl Iterator<Item = &Item<'a>> {
        let is_storage = |object: &Object| is_claim(object) || object.is("", "PersistentVolume");
        self.items.iter().filter(move |item| is_storage(item.object()))
    }

    /// Returns the claims and PersistentVolumes that the cluster gets from it and that are to be kept: those that it releases
    /// have no guards.
    pub fn kept_storage(&self) -> impl Iterator<Item = &Item<'a>> {
        let released = self.releases();
        let is_released = move |object: &Object| {
            let claim = self.claim_beside(object, object.name());
            is_claim(object) && claim.is_some_and(|claim| released.contains(&claim))
        };
        let storage = self.storage().filter(|item| item.is_finished);
        storage.filter(move |item| !is_released(item.object()))
    }

    /// Returns the claim of this name in the namespace of a manifest inside an object; `None` where either is not known.
    pub fn claim_of(&self, manifest: &Embedded<'_>, name: &str) -> Option<ClaimRef> {
        let namespace = match manifest.namespace {
            Some(namespace) => NamespaceName::new(namespace).ok()?,
            None => self.namespace.clone()?,
        };
        let name = ClaimName::new(name).ok()?;
        let cluster = self.cluster.clone();
        Some(ClaimRef {
            cluster,
            namespace,
            name,
        })
    }

    /// Returns the claims that an object's pod specs name, each with its volume; invalid names are left out.
    pub fn claim_volumes<'i>(&self, item: &'i Item<'_>) -> Vec<(ClaimRef, VolumeUse<'i>)> {
        let volumes = claim_uses(item.object()).volumes.into_iter();
        volumes
            .filter_map(|volume| Some((self.claim_of(&volume.manifest, volume.claim)?, volume)))
            .collect()
    }

    /// Returns a finding on the Application's own manifest.
    pub fn finding(&self, rule: &'static Meta, message: impl Into<String>, pointer: impl AsPointer) -> Finding {
        Finding::new(rule, message, Location::of(self.manifest, pointer)).app(Some(self.name.clone()))
    }

    /// Returns a finding without a fix that would set parameters in the manifest which files of overrides set: there it would have
    /// no effect, or mix them.
    pub(super) fn fitted(&self, mut finding: Finding) -> Finding {
        let Some(file) = self.overrides.iter().flatten().last().map(|one| &one.file) else {
            return finding;
        };
        let is_source = |operation: &PatchOperation| operation.path().as_str().starts_with("/spec/source");
        let touches_source = |change: &Change| match change {
            Change::Patch { path, document, patch } => {
                (path, *document) == (&self.manifest.file, self.manifest.document) && patch.0.iter().any(is_source)
            }
            _ => false,
        };
        if let Some(fix) = finding
            .fix
            .take_if(|fix| fix.changes.changes.iter().any(touches_source))
        {
            return finding.hint(format!(
                "{} in `{file}`, which Argo CD merges over the source",
                fix.title
            ));
        }
        finding
    }

    /// Returns a finding on an object: at its manifest if that is in this repository, otherwise at the Application's
    /// source. `pointer` starts at the object.
    pub fn finding_on(
        &self,
        rule: &'static Meta,
        message: impl Into<String>,
        item: &Item<'_>,
        pointer: impl AsPointer,
    ) -> Finding {
        let location = match &item.home {
            Some((manifest, base)) => Location::of(manifest, base.concat(pointer.as_pointer())),
            None => Location::of(self.manifest, self.source_pointer()),
        };
        Finding::new(rule, message, location)
            .app(Some(self.name.clone()))
            .object(item.object().reference())
    }

    /// Returns the JSON Pointer of the source, or of all sources.
    pub fn source_pointer(&self) -> PointerBuf {
        match self.sources.as_slice() {
            [(source, _)] => source.pointer.clone(),
            _ => Pointer::from_static("/spec/sources").to_buf(),
        }
    }
}

/// Returns the parameters of a source that the plugin renders. With overrides that Argo CD does not take there is no render, and
/// those of the source itself count.
fn parameters(source: &Source<'_>, overrides: &[Override]) -> Option<ReadParameters> {
    let merged = match overrides {
        [] => None,
        overrides => overrides::merge(source.tree(), overrides).ok(),
    };
    let merged = merged
        .as_ref()
        .map(|merged| Source::new(source.pointer.clone(), &merged.tree));
    let source = merged.as_ref().unwrap_or(source);
    source.uses_homelab_plugin().then(|| source.parameters())
}

/// Returns the manifests of this repository that the sources sync, and whether they are everything that the sources
/// bring.
fn own_items<'a>(
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
                is_finished: parameters.is_none() && !is_build,
            }));
        }
    }
    (items, all)
}

fn notable(items: &[Item<'_>]) -> Vec<usize> {
    let is_notable = |object: &Object| is_namespace(object) || is_application(object) || is_application_set(object);
    let numbered = items.iter().enumerate();
    let notable = numbered.filter(|(_, item)| is_notable(item.object()));
    notable.map(|(index, _)| index).collect()
}

/// Returns the claims of the parameter `claims`, which the plugin prints with what it renders.
fn added_claims<'a>(sources: &[(Source<'a>, Option<ReadParameters>)]) -> Vec<Item<'a>> {
    let parameters = sources
        .iter()
        .filter_map(|(_, parameters)| parameters.as_ref()?.as_ref().ok());
    let claims = parameters.flat_map(|parameters| &parameters.claims);
    let item = |(path, spec)| Item {
        object: Cow::Owned(claims::object(path, spec)),
        home: None,
        is_finished: false,
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

fn flattened(manifest: &Manifest) -> impl Iterator<Item = (PointerBuf, Cow<'_, Object>)> {
    let list = manifest.object.is_list();
    let one = (!list).then(|| (PointerBuf::new(), Cow::Borrowed(&manifest.object)));
    let items = if list { manifest.object.flatten() } else { Vec::new() };
    let items = items.into_iter().map(|(pointer, object)| (pointer, Cow::Owned(object)));
    one.into_iter().chain(items)
}

/// Returns the rendered objects, with their manifests where they come from this repository.
fn rendered_items<'a>(objects: &'a [Object], own: Vec<Item<'a>>) -> Vec<Item<'a>> {
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
            is_finished: true,
        })
        .collect()
}
