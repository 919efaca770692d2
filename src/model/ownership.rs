//! Who owns and who consumes each claim:
//!
//! ```text
//! [ Application ] owns → [ claim ] ← mounts [ workload of another Application ]
//! ```
//!
//! What an Application owns = the claims that its manifests render ∪ those in its parameter `owns`. What it consumes =
//! every other claim that one of its pod templates names, by itself or through the parameter `mounts`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};

use super::application::Application;
use super::claim::{ClaimRef, is_claim};
use super::claim_path::ClaimPath;
use super::claim_use::{Access, TextUse, claim_uses};
use super::cluster::Cluster;
use super::made_claims::{claim_patterns, operator_claims, patterns_of};
use super::name::{AppName, ClaimName, NamespaceName};
use super::namespace::Registries;
use super::object::Object;
use super::parameter::{ParameterError, Parameters};
use super::workload::claims_of_templates;
use super::writer::Writer;

/// What is known of one claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The Applications that own it; more than one is a finding.
    pub owners: BTreeSet<AppName>,
    /// The Applications that have it in `owns`.
    pub declared_by: BTreeSet<AppName>,
    /// The Applications whose manifests render it (known only where they were rendered).
    pub rendered_by: BTreeSet<AppName>,
    /// The Applications with a StatefulSet or an operator's object for which a controller makes it.
    pub made_for: BTreeSet<AppName>,
    /// The Applications that owned it last, where it is kept after they are gone, by `keeps`.
    pub kept_for: BTreeSet<AppName>,
    /// The Applications that let it go, by `releases`.
    pub released_by: BTreeSet<AppName>,
    /// The Applications besides the owner that may write it, by `writes`.
    pub writers: BTreeSet<AppName>,
    /// Who else may write it, by `writers` of the source of the Namespaces.
    pub other_writers: BTreeSet<Writer>,
    /// The Applications that mount it without owning it.
    pub consumers: BTreeSet<AppName>,
    /// The Applications whose rendered objects use it.
    pub users: BTreeSet<AppName>,
    /// The Applications whose rendered objects can write it.
    pub rendered_writers: BTreeSet<AppName>,
    /// The Applications that name it in a text, such as `podSpecPatch` or a manifest in a ConfigMap: they may mount it.
    pub named_by: BTreeSet<AppName>,
}

impl Claim {
    /// Adds what is known of it besides.
    fn absorb(&mut self, other: Self) {
        let Self {
            owners,
            declared_by,
            rendered_by,
            made_for,
            kept_for,
            released_by,
            writers,
            other_writers,
            consumers,
            users,
            rendered_writers,
            named_by,
        } = other;
        self.owners.extend(owners);
        self.declared_by.extend(declared_by);
        self.rendered_by.extend(rendered_by);
        self.made_for.extend(made_for);
        self.kept_for.extend(kept_for);
        self.released_by.extend(released_by);
        self.writers.extend(writers);
        self.other_writers.extend(other_writers);
        self.consumers.extend(consumers);
        self.users.extend(users);
        self.rendered_writers.extend(rendered_writers);
        self.named_by.extend(named_by);
    }

    /// Returns the Applications that mount it without owning it.
    pub fn foreign_consumers(&self) -> impl Iterator<Item = &AppName> {
        self.consumers.difference(&self.owners)
    }

    /// Reports whether an Application owns it, or it is kept after its Application is gone.
    pub fn is_held(&self) -> bool {
        !self.owners.is_empty() || !self.kept_for.is_empty()
    }

    /// Reports whether the registry of its Namespace has it with an owner, so that the lock knows whose it is.
    pub fn is_registered(&self) -> bool {
        !self.declared_by.is_empty() || !self.kept_for.is_empty()
    }

    /// Reports whether it is kept, and no Application owns it.
    pub fn is_only_kept(&self) -> bool {
        self.owners.is_empty() && !self.kept_for.is_empty()
    }

    /// Reports whether the claim belongs to others and not to this Application.
    pub fn is_foreign_to(&self, app: &AppName) -> bool {
        self.is_held() && !self.owners.contains(app)
    }
}

/// All claims of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    claims: BTreeMap<ClaimRef, Claim>,
    /// The Applications with a StatefulSet or the like, by cluster, namespace and the pattern of the names of its claims.
    patterns: BTreeMap<(Cluster, NamespaceName, String), BTreeSet<AppName>>,
    /// The claims that texts name, by Application; they may be names of other things.
    named: BTreeSet<(ClaimRef, AppName)>,
}

/// Returns the claims that a text names, each with its namespace where that is said.
pub type NamedIn = dyn Fn(&TextUse<'_>) -> Vec<(String, Option<String>)>;

impl Ownership {
    /// Adds the claims in the parameters of one source of an Application, by the cluster and the namespace of its
    /// destination. Claims that name no namespace are left out where the destination has none.
    pub fn declare(
        &mut self,
        app: &AppName,
        (cluster, destination): (&Cluster, Option<&NamespaceName>),
        parameters: &Parameters,
    ) {
        let place = |path: &ClaimPath| Some((path.namespace_in(destination)?.clone(), path.name.clone()));
        for (namespace, name) in parameters.owns.iter().filter_map(place) {
            let claim = self.claim((cluster, &namespace), &name);
            claim.owners.insert(app.clone());
            claim.declared_by.insert(app.clone());
        }
        for (namespace, name) in parameters.writes.iter().filter_map(place) {
            self.claim((cluster, &namespace), &name).writers.insert(app.clone());
        }
        for (namespace, name) in parameters.releases.iter().filter_map(place) {
            let claim = self.claim((cluster, &namespace), &name);
            claim.released_by.insert(app.clone());
        }
        self.declare_of_namespaces(cluster, parameters);
        for mount in &parameters.mounts {
            if let Some(namespace) = mount.namespace_in(destination) {
                let claim = self.claim((cluster, namespace), &mount.claim);
                claim.consumers.insert(app.clone());
            }
        }
    }

    /// Adds what the parameters of a source of Namespaces say of claims: which are kept after their Applications are gone, and
    /// who else writes them.
    fn declare_of_namespaces(&mut self, cluster: &Cluster, parameters: &Parameters) {
        for kept in &parameters.keeps {
            let claim = self.claim((cluster, &kept.namespace), &kept.name);
            claim.kept_for.insert(kept.owner.clone());
        }
        for written in &parameters.writers {
            let claim = self.claim((cluster, &written.namespace), &written.name);
            claim.other_writers.insert(written.writer.clone());
        }
    }

    /// Adds what the rendered objects of an Application show in the cluster of its destination. Objects without a namespace
    /// are in the destination's. `named_in` reads texts.
    pub fn render<'o>(
        &mut self,
        app: &AppName,
        (cluster, destination): (&Cluster, Option<&NamespaceName>),
        objects: impl IntoIterator<Item = &'o Object>,
        named_in: &NamedIn,
    ) {
        for object in objects {
            let namespace = object.namespace().and_then(|name| NamespaceName::new(name).ok());
            let Some(namespace) = namespace.as_ref().or(destination) else {
                continue;
            };
            let place = (cluster, namespace);
            if is_claim(object)
                && let Ok(name) = ClaimName::new(object.name())
            {
                let claim = self.claim(place, &name);
                claim.owners.insert(app.clone());
                claim.rendered_by.insert(app.clone());
            }
            let by_operator = operator_claims(object).into_iter();
            let made = by_operator.filter_map(|name| ClaimName::new(name).ok());
            for name in made.chain(claims_of_templates(object)) {
                let claim = self.claim(place, &name);
                claim.owners.insert(app.clone());
                claim.made_for.insert(app.clone());
            }
            for pattern in claim_patterns(object) {
                let apps = self
                    .patterns
                    .entry((cluster.clone(), namespace.clone(), pattern))
                    .or_default();
                apps.insert(app.clone());
            }
            self.consume(app, place, object, named_in);
        }
    }

    /// Adds the claims that an object mounts, or names where it may write them.
    fn consume(
        &mut self,
        app: &AppName,
        (cluster, namespace): (&Cluster, &NamespaceName),
        object: &Object,
        named_in: &NamedIn,
    ) {
        let uses = claim_uses(object);
        for (claim, other) in uses.texts.iter().flat_map(named_in) {
            let namespace = other.map_or_else(|| Ok(namespace.clone()), |name| NamespaceName::new(&name));
            if let (Ok(name), Ok(namespace)) = (ClaimName::new(&claim), namespace) {
                let cluster = cluster.clone();
                let claim = ClaimRef {
                    cluster,
                    namespace,
                    name,
                };
                self.named.insert((claim, app.clone()));
            }
        }
        let volumes = uses.volumes.iter();
        let volumes = volumes.map(|volume| (&volume.manifest, volume.claim, volume.is_written()));
        let places = uses.places.iter().filter(|place| place.access != Access::Unknown);
        let places = places.map(|place| (&place.manifest, place.claim, place.access == Access::Writes));
        for (manifest, claim, is_written) in volumes.chain(places) {
            let (Ok(name), Ok(namespace)) = (
                ClaimName::new(claim),
                manifest
                    .namespace
                    .map_or_else(|| Ok(namespace.clone()), NamespaceName::new),
            ) else {
                continue;
            };
            let claim = self.claim((cluster, &namespace), &name);
            claim.consumers.insert(app.clone());
            claim.users.insert(app.clone());
            if is_written {
                claim.rendered_writers.insert(app.clone());
            }
        }
    }

    /// Adds what is known of other Applications.
    pub fn absorb(&mut self, other: Self) {
        for (reference, claim) in other.claims {
            match self.claims.entry(reference) {
                Entry::Vacant(entry) => drop(entry.insert(claim)),
                Entry::Occupied(entry) => entry.into_mut().absorb(claim),
            }
        }
        for (pattern, apps) in other.patterns {
            self.patterns.entry(pattern).or_default().extend(apps);
        }
        self.named.extend(other.named);
    }

    /// Gives each claim whose name a StatefulSet could make, whatever its replicas, to the Application of the StatefulSet
    /// too, and tells which claims texts name. Call it when everything is rendered.
    pub fn settle(&mut self) {
        for (reference, app) in &self.named {
            if let Some(claim) = self.claims.get_mut(reference) {
                claim.named_by.insert(app.clone());
            }
        }
        for (reference, claim) in &mut self.claims {
            for pattern in patterns_of(reference.name.as_str()) {
                let set = (reference.cluster.clone(), reference.namespace.clone(), pattern);
                for app in self.patterns.get(&set).into_iter().flatten() {
                    claim.owners.insert(app.clone());
                    claim.made_for.insert(app.clone());
                }
            }
        }
    }

    fn claim(&mut self, (cluster, namespace): (&Cluster, &NamespaceName), name: &ClaimName) -> &mut Claim {
        self.claims
            .entry(ClaimRef {
                cluster: cluster.clone(),
                namespace: namespace.clone(),
                name: name.clone(),
            })
            .or_default()
    }

    /// Returns the claims in order; an owner is not among the consumers of its claim.
    pub fn claims(&self) -> impl Iterator<Item = (&ClaimRef, Claim)> {
        self.claims.iter().map(|(reference, claim)| {
            let mut claim = claim.clone();
            claim.consumers.retain(|app| !claim.owners.contains(app));
            (reference, claim)
        })
    }

    /// Returns the claims that have an owner or are kept, in order.
    pub fn owned(&self) -> impl Iterator<Item = &ClaimRef> {
        let owned = self.claims.iter().filter(|(_, claim)| claim.is_held());
        owned.map(|(reference, _)| reference)
    }

    /// Returns what is known of a claim.
    pub fn get(&self, claim: &ClaimRef) -> Option<&Claim> {
        self.claims.get(claim)
    }

    /// Returns the ownership registry of one cluster, made of `owns` and `writes` of the Applications that are deployed to
    /// it: of several owners of a claim, the first by
    /// name is in it, so that two renders agree (and HL104 is an error). A claim that nobody owns and that is kept, in
    /// `keeps` of one of them or of `own`, is in it with its last owner, and so are those in `writers`.
    ///
    /// # Errors
    /// When an Application's parameters cannot be read, or it owns claims and has no destination namespace: a
    /// registry that leaves out an owner would open its claims to everybody.
    pub fn registries<'a>(
        applications: impl IntoIterator<Item = Application<'a>>,
        own: &Parameters,
    ) -> Result<Registries> {
        let mut declared = Self::default();
        declared.declare_of_namespaces(&Cluster::Local, own);
        for app in applications {
            for source in app.sources().iter().filter(|source| source.uses_homelab_plugin()) {
                let parameters = source
                    .parameters()
                    .map_err(|errors| anyhow!("Application `{}`: {}", app.name(), ParameterError::line(&errors)))?;
                declared.declare_of_namespaces(&Cluster::Local, &parameters);
                if parameters.owns.is_empty() && parameters.writes.is_empty() {
                    continue;
                }
                let name = AppName::new(app.name())?;
                name.check_as_owner()?;
                let mut claims = parameters.owns.iter().chain(&parameters.writes);
                let destination = match app.destination_namespace() {
                    None if claims.all(|claim| claim.namespace.is_some()) => None,
                    namespace => Some(NamespaceName::new(namespace.unwrap_or_default()).with_context(|| {
                        format!("Application `{name}` has claims and no usable `spec.destination.namespace`")
                    })?),
                };
                declared.declare(&name, (&Cluster::Local, destination.as_ref()), &parameters);
            }
        }
        let mut registries = Registries::new();
        for (reference, claim) in declared.claims {
            let registry = registries.entry(reference.namespace).or_default();
            if let Some(owner) = claim.owners.first().or(claim.kept_for.first()) {
                registry.owners.insert(reference.name.clone(), owner.clone());
            }
            let writers = claim.writers.difference(&claim.owners).cloned().map(Writer::App);
            let writers: BTreeSet<Writer> = writers.chain(claim.other_writers).collect();
            if !writers.is_empty() {
                registry.writers.insert(reference.name, writers);
            }
        }
        Ok(registries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn application(name: &str, parameters: serde_json::Value) -> Object {
        Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name},
            "spec": {"destination": {"namespace": "media"}, "source": {"repoURL": "u", "plugin": {"name": "homelab-v1", "parameters": parameters}}},
        }))
    }

    fn registries(apps: &[&Object]) -> Registries {
        let apps = apps.iter().copied().filter_map(Application::new);
        Ownership::registries(apps, &Parameters::default()).unwrap()
    }

    #[test]
    fn a_kept_claim_is_in_the_registry_until_it_has_an_owner() {
        let namespaces = |app: &str| {
            application(
                app,
                json!([{"name": "keeps", "array": ["media/audio=old", "tv/films=older"]}]),
            )
        };
        let fetcher = application("fetcher", json!([{"name": "owns", "array": ["audio"]}]));
        let (namespaces, owner) = (namespaces("namespaces"), |of: &[&Object], namespace: &str| {
            let registries = registries(of);
            let owners = registries[namespace].owners.iter();
            owners.map(|(claim, app)| format!("{claim} {app}")).collect::<Vec<_>>()
        });
        assert_eq!(owner(&[&namespaces], "media"), ["audio old"]);
        assert_eq!(owner(&[&namespaces, &fetcher], "media"), ["audio fetcher"]);
        assert_eq!(owner(&[&namespaces, &fetcher], "tv"), ["films older"]);
        let given = Parameters {
            keeps: BTreeSet::from(["radio/songs=tuner".parse().unwrap()]),
            ..Parameters::default()
        };
        let of_source = Ownership::registries([], &given).unwrap();
        assert_eq!(of_source["radio"].labels()["owner.storage.home.arpa/songs"], "tuner");
    }

    #[test]
    fn a_kept_claim_is_foreign_to_everybody() {
        let mut ownership = Ownership::default();
        let keeps = Parameters {
            keeps: BTreeSet::from(["media/audio=old".parse().unwrap()]),
            ..Parameters::default()
        };
        ownership.declare_of_namespaces(&Cluster::Local, &keeps);
        let (_, claim) = ownership.claims().next().unwrap();
        assert!(claim.is_only_kept() && claim.is_foreign_to(&AppName::new("player").unwrap()));
        assert_eq!(ownership.owned().count(), 1);
    }

    #[test]
    fn the_registry_is_made_of_owns_and_writes() {
        let fetcher = application("fetcher", json!([{"name": "owns", "array": ["audio"]}]));
        let editor = application(
            "editor",
            json!([{"name": "writes", "array": ["audio"]}, {"name": "mounts", "array": ["audio:/a"]}]),
        );
        let registries = registries(&[&fetcher, &editor]);
        let registry = &registries["media"];
        assert_eq!(registry.labels()["owner.storage.home.arpa/audio"], "fetcher");
        assert_eq!(registry.annotations()["writers.storage.home.arpa/audio"], "editor");
    }

    #[test]
    fn others_who_write_are_in_the_registry() {
        let fetcher = application("fetcher", json!([{"name": "owns", "array": ["audio"]}]));
        let editor = application("editor", json!([{"name": "writes", "array": ["audio"]}]));
        let writers = [
            "media/audio=serviceaccount:mover",
            "media/audio=archiver",
            "tv/films=serviceaccount:mover",
        ];
        let namespaces = application("namespaces", json!([{"name": "writers", "array": writers}]));
        let registries = registries(&[&fetcher, &editor, &namespaces]);
        let annotation = |namespace: &str, claim: &str| {
            registries[namespace].annotations()[&format!("writers.storage.home.arpa/{claim}")].clone()
        };
        assert_eq!(annotation("media", "audio"), "archiver,editor,serviceaccount:mover");
        assert_eq!(annotation("tv", "films"), "serviceaccount:mover");
        // Nobody owns a claim because others write it.
        assert!(registries["tv"].owners.is_empty());
    }

    #[test]
    fn a_claim_of_another_namespace_is_in_its_registry() {
        let storage = application("storage", json!([{"name": "owns", "array": ["tv/media", "audio"]}]));
        let tree = json!({"spec": {"destination": {}}});
        let mut nowhere = application("volumes", json!([{"name": "owns", "array": ["tv/books"]}])).into_tree();
        nowhere["spec"]["destination"] = tree["spec"]["destination"].clone();
        let nowhere = Object::new(nowhere);
        let registries = registries(&[&storage, &nowhere]);
        let owners = |namespace: &str| -> Vec<String> {
            let owners = registries[namespace].owners.iter();
            owners.map(|(claim, app)| format!("{claim} {app}")).collect()
        };
        assert_eq!(owners("tv"), ["books volumes", "media storage"]);
        assert_eq!(owners("media"), ["audio storage"]);
        let mut unknown = application("a", json!([{"name": "owns", "array": ["tv/a", "b"]}])).into_tree();
        unknown["spec"]["destination"] = json!({});
        let unknown = Object::new(unknown);
        assert!(Ownership::registries(Application::new(&unknown), &Parameters::default()).is_err());
    }

    #[test]
    fn owners_are_not_their_own_consumers() {
        let mut ownership = Ownership::default();
        let (app, namespace) = (AppName::new("fetcher").unwrap(), NamespaceName::new("media").unwrap());
        let objects = [
            Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "audio"}})),
            Object::new(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
                "containers": [], "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "audio"}}, {"name": "b", "persistentVolumeClaim": {"claimName": "films"}}]}}),
            ),
        ];
        ownership.render(&app, (&Cluster::Local, Some(&namespace)), &objects, &|_| Vec::new());
        let claims: Vec<_> = ownership
            .claims()
            .map(|(r, c)| (r.to_string(), c.owners.len(), c.consumers.len()))
            .collect();
        assert_eq!(
            claims,
            [("media/audio".to_owned(), 1, 0), ("media/films".to_owned(), 0, 1)]
        );
    }
}
