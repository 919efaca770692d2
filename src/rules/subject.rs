//! One Application as the rules see it: its manifest, its sources with their parsed parameters, and its objects.

mod items;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use json_patch::PatchOperation;

use crate::model::claim::is_claim;
use crate::model::claim_use::{Embedded, VolumeUse, claim_uses};
use crate::model::made_claims::patterns_of;
use crate::model::parameter::{ParameterError, Parameters};
use crate::model::{
    AppName, Application, AsPointer, Availability, ClaimName, ClaimPath, ClaimRef, Cluster, NamespaceName, Object,
    Pointer, PointerBuf, Source,
};
use crate::repo::{Change, Manifest, Override, Repo, overrides};

use super::{Finding, Location, Meta};
use items::{added_claims, notable, own_items, rendered_items};

pub use items::Item;

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

    /// Returns the ways out of what the plugin sets in every render: to let it render, or to set it in the source.
    pub(super) fn convert_or_set(&self, what: &str) -> String {
        match self.uses_homelab_plugin() {
            true => format!("set {what} in the source"),
            false => format!(
                "let the plugin render it with `kubectl homelab convert {}`, or set {what} in the source",
                self.name
            ),
        }
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
        self.items.iter().filter(|item| item.is_final)
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
        let storage = self.storage().filter(|item| item.is_final);
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
