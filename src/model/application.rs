//! An Argo CD Application, read through a narrow view: what this program needs; unknown fields stay as they are.
//!
//! Fields: <https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml>.

use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::Value;

use super::argocd_schema::API_VERSION;
use super::name::{AppName, NamespaceName};
use super::object::Object;
use super::parameter::{self, Parameter, ParameterError, Parameters};
use super::pointer::{Pointer, PointerBuf, PointerExt};
use super::sync;

/// API group of Applications.
pub const GROUP: &str = "argoproj.io";
/// Name of the plugin in an Application's source: `metadata.name` and `spec.version` of
/// `plugin/plugin.yaml`.
pub const PLUGIN_NAME: &str = "homelab-v1";
/// Annotation: the paths whose change makes Argo CD render an Application again.
pub const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// JSON Pointer of the sync options that count for a whole Application.
pub const SYNC_OPTIONS: &Pointer = Pointer::from_static("/spec/syncPolicy/syncOptions");
/// Finalizer that deletes an Application's objects with it.
pub const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

/// Reports whether an object is an Application.
pub fn is_application(object: &Object) -> bool {
    object.is(GROUP, "Application")
}

/// Reports whether an object is an ApplicationSet.
pub fn is_application_set(object: &Object) -> bool {
    object.is(GROUP, "ApplicationSet")
}

/// Returns the template of an ApplicationSet as an Application; `None` where there is none, and for another object.
pub fn template_of(set: &Object) -> Option<Object> {
    let template = set.at("/spec/template").filter(|_| is_application_set(set))?;
    let mut tree = template.as_object()?.clone();
    tree.insert("apiVersion".to_owned(), API_VERSION.into());
    tree.insert("kind".to_owned(), "Application".into());
    Some(Object::new(Value::Object(tree)))
}

/// A view of an Application.
#[derive(Clone, Copy, Debug)]
pub struct Application<'o> {
    object: &'o Object,
}

/// Where the entries of a parameter stand; they are indexed when the first place is asked for, which is for a finding.
#[derive(Debug)]
pub struct Entries<'s, 'o> {
    source: &'s Source<'o>,
    name: &'s str,
    key: fn(&str) -> String,
    index: OnceCell<Index>,
}

#[derive(Debug)]
struct Index {
    places: HashMap<String, PointerBuf>,
    otherwise: PointerBuf,
}

impl Entries<'_, '_> {
    /// Returns the JSON Pointer of the entry with a key; the parameter where there is no such entry, the source where
    /// there is no such parameter.
    pub fn at(&self, key: &str) -> PointerBuf {
        let index = self.index.get_or_init(|| self.source.index(self.name, self.key));
        index.places.get(key).unwrap_or(&index.otherwise).clone()
    }
}

/// A view of one source of an Application.
#[derive(Clone, Debug)]
pub struct Source<'o> {
    /// JSON Pointer of the source: `/spec/source` or `/spec/sources/N`.
    pub pointer: PointerBuf,
    tree: &'o Value,
}

impl<'o> Application<'o> {
    /// Returns the view, when the object is an Application.
    pub fn new(object: &'o Object) -> Option<Self> {
        is_application(object).then_some(Self { object })
    }

    /// Returns the whole object.
    pub fn object(&self) -> &'o Object {
        self.object
    }

    /// Returns `metadata.name` as written.
    pub fn name(&self) -> &'o str {
        self.object.name()
    }

    /// Returns `metadata.name`, when it is one that Kubernetes takes.
    pub fn app_name(&self) -> Option<AppName> {
        AppName::new(self.name()).ok()
    }

    /// Returns the name by which Argo CD's parts know the Application: with its namespace before it, as
    /// `<namespace>_<name>`, where that is not the controller's
    /// ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/)).
    pub fn instance(&self, controller_namespace: &str) -> String {
        match self
            .object
            .namespace()
            .filter(|namespace| *namespace != controller_namespace)
        {
            Some(namespace) => format!("{namespace}_{}", self.name()),
            None => self.name().to_owned(),
        }
    }

    fn text(&self, pointer: &'static str) -> Option<&'o str> {
        self.object
            .at(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// Returns `spec.project`.
    pub fn project(&self) -> &'o str {
        self.text("/spec/project").unwrap_or("default")
    }

    /// Returns `spec.destination.namespace`.
    pub fn destination_namespace(&self) -> Option<&'o str> {
        self.text("/spec/destination/namespace")
    }

    /// Returns `spec.destination.namespace`, when it is a name that Kubernetes takes.
    pub fn namespace_name(&self) -> Option<NamespaceName> {
        self.destination_namespace()
            .and_then(|name| NamespaceName::new(name).ok())
    }

    /// Returns `spec.destination.server`.
    pub fn destination_server(&self) -> Option<&'o str> {
        self.text("/spec/destination/server")
    }

    /// Returns `spec.destination.name`.
    pub fn destination_name(&self) -> Option<&'o str> {
        self.text("/spec/destination/name")
    }

    /// Returns the sources: `spec.sources` when it has any, else `spec.source` (Argo CD's own order of preference).
    pub fn sources(&self) -> Vec<Source<'o>> {
        let spec = |key: &str| self.object.tree().get("spec")?.get(key);
        let many = spec("sources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if many.is_empty() {
            let one = spec("source").filter(|tree| tree.is_object());
            return one
                .map(|tree| Source {
                    pointer: Pointer::from_static("/spec/source").to_buf(),
                    tree,
                })
                .into_iter()
                .collect();
        }
        let numbered = many.iter().enumerate();
        numbered
            .map(|(index, tree)| Source {
                pointer: Pointer::from_static("/spec/sources").child(index),
                tree,
            })
            .collect()
    }

    /// Returns the entries of `spec.syncPolicy.syncOptions`.
    pub fn sync_options(&self) -> Vec<&'o str> {
        let options = self.object.at(SYNC_OPTIONS).and_then(Value::as_array);
        options.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Returns `spec.syncPolicy.automated`, when the sync is automated (`enabled: false` switches it off).
    pub fn automated(&self) -> Option<&'o Value> {
        let automated = self
            .object
            .at("/spec/syncPolicy/automated")
            .filter(|tree| tree.is_object())?;
        (automated.get("enabled").and_then(Value::as_bool) != Some(false)).then_some(automated)
    }

    /// Returns the value of a sync option of the whole Application; the first entry of a key counts.
    pub fn sync_option(&self, key: &str) -> Option<&'o str> {
        sync::value(self.sync_options(), key)
    }

    /// Returns the finalizers of the Application itself.
    pub fn finalizers(&self) -> Vec<&'o str> {
        let list = self.object.at("/metadata/finalizers").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

impl<'o> Source<'o> {
    /// Returns a view of a source that stands at this JSON Pointer.
    pub fn new(pointer: PointerBuf, tree: &'o Value) -> Self {
        Self { pointer, tree }
    }

    fn text(&self, key: &str) -> Option<&'o str> {
        self.tree
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// Returns the tree of the source.
    pub fn tree(&self) -> &'o Value {
        self.tree
    }

    /// Returns `repoURL`, empty when absent.
    pub fn repo_url(&self) -> &'o str {
        self.text("repoURL").unwrap_or_default()
    }

    /// Returns `path` of a Git source.
    pub fn path(&self) -> Option<&'o str> {
        self.text("path")
    }

    /// Returns `chart` of a Helm repository.
    pub fn chart(&self) -> Option<&'o str> {
        self.text("chart")
    }

    /// Returns the chart that is pulled to render the source: `chart`, or the plugin's parameter of that name.
    pub fn pulled_chart(&self) -> Option<&'o str> {
        let parameter = || {
            let pointer = self.parameter("chart").filter(|_| self.uses_homelab_plugin())?;
            let text = self.value(&pointer)?.get("string")?.as_str();
            text.filter(|text| !text.is_empty())
        };
        self.chart().or_else(parameter)
    }

    /// Returns `targetRevision` as written.
    pub fn revision(&self) -> Option<&'o str> {
        self.text("targetRevision")
    }

    /// Returns `targetRevision`, `HEAD` when absent, as Argo CD reads it.
    pub fn target_revision(&self) -> &'o str {
        self.revision().unwrap_or("HEAD")
    }

    /// Returns `ref`: the name under which other sources use this one's files.
    pub fn reference(&self) -> Option<&'o str> {
        self.text("ref")
    }

    /// Reports whether the source only provides files to others: it has a `ref` and nothing to render.
    pub fn gives_files_only(&self) -> bool {
        self.reference().is_some() && self.path().is_none() && self.chart().is_none()
    }

    /// Returns the `helm` block, if there is one that is not null.
    pub fn helm(&self) -> Option<&'o Value> {
        self.tree.get("helm").filter(|tree| tree.is_object())
    }

    /// Returns the `kustomize` block.
    pub fn kustomize(&self) -> Option<&'o Value> {
        self.tree.get("kustomize").filter(|tree| tree.is_object())
    }

    /// Returns the `directory` block.
    pub fn directory(&self) -> Option<&'o Value> {
        self.tree.get("directory").filter(|tree| tree.is_object())
    }

    /// Returns the `plugin` block.
    pub fn plugin(&self) -> Option<&'o Value> {
        self.tree.get("plugin").filter(|tree| tree.is_object())
    }

    /// Reports whether this program's plugin renders the source.
    pub fn uses_homelab_plugin(&self) -> bool {
        self.plugin()
            .and_then(|plugin| plugin.get("name"))
            .and_then(Value::as_str)
            == Some(PLUGIN_NAME)
    }

    /// Reports whether `targetRevision` is a version: the source is `oci://` or a chart of a Helm repository.
    pub fn is_versioned(&self) -> bool {
        self.chart().is_some() || self.repo_url().starts_with("oci://")
    }

    /// Returns the JSON Pointer of a plugin parameter, if the source has it.
    pub fn parameter(&self, name: &str) -> Option<PointerBuf> {
        let list = self.plugin()?.get("parameters")?.as_array()?;
        let index = list
            .iter()
            .position(|entry| entry.get("name").and_then(Value::as_str) == Some(name))?;
        Some(self.at(&["plugin", "parameters"]).child(index))
    }

    /// Returns the JSON Pointer of an entry of a map parameter, if the source has it.
    pub fn map_entry(&self, name: &str, key: &str) -> Option<PointerBuf> {
        let entry = self.parameter(name)?.child("map").child(key);
        self.value(&entry).map(|_| entry)
    }

    /// Returns where the entries of an array or map parameter stand, by a key that each of them has, such as its claim; of
    /// two with one key, the first counts.
    pub fn entries<'s>(&'s self, name: &'s str, key: fn(&str) -> String) -> Entries<'s, 'o> {
        Entries {
            source: self,
            name,
            key,
            index: OnceCell::new(),
        }
    }

    fn index(&self, name: &str, key: fn(&str) -> String) -> Index {
        let Some(parameter) = self.parameter(name) else {
            return Index {
                places: HashMap::new(),
                otherwise: self.pointer.clone(),
            };
        };
        let tree = self.value(&parameter);
        let array = tree
            .and_then(|tree| tree.get("array")?.as_array())
            .into_iter()
            .flatten();
        let array = array
            .enumerate()
            .map(|(index, entry)| (parameter.child("array").child(index), entry));
        let map = tree.and_then(|tree| tree.get("map")?.as_object()).into_iter().flatten();
        let map = map.map(|(key, entry)| (parameter.child("map").child(key.as_str()), entry));
        let mut places = HashMap::new();
        for (place, entry) in array.chain(map) {
            if let Some(entry) = entry.as_str() {
                places.entry(key(entry)).or_insert(place);
            }
        }
        Index {
            places,
            otherwise: parameter,
        }
    }

    /// Returns the JSON Pointer of something inside the source.
    pub fn at(&self, keys: &[&str]) -> PointerBuf {
        self.pointer.concat(&PointerBuf::from_tokens(keys.iter().copied()))
    }

    /// Returns the value at a JSON Pointer of the Application; `None` where the pointer does not lead into the source.
    pub fn value(&self, pointer: &Pointer) -> Option<&'o Value> {
        self.tree.pointer(pointer.below(&self.pointer)?.as_str())
    }

    /// Returns the parameters as written.
    ///
    /// # Errors
    /// Those of [`parameter::read`].
    pub fn raw_parameters(&self) -> Result<Vec<Parameter>, Vec<ParameterError>> {
        let tree = self.plugin().and_then(|plugin| plugin.get("parameters"));
        parameter::read(tree.unwrap_or(&Value::Null))
    }

    /// Returns the parameters, read and checked; the defaults for a source without a plugin.
    ///
    /// # Errors
    /// Those of [`parameter::read`] and [`Parameters::parse`].
    pub fn parameters(&self) -> Result<Parameters, Vec<ParameterError>> {
        Parameters::parse(&self.raw_parameters()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_source_or_many() {
        let object = |spec: Value| {
            Object::new(
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": spec}),
            )
        };
        let one = object(
            json!({"source": {"repoURL": "u", "path": "p", "plugin": {"name": "homelab-v1", "parameters": [{"name": "owns", "array": ["c"]}]}}}),
        );
        let app = Application::new(&one).unwrap();
        let sources = app.sources();
        assert_eq!(
            (sources.len(), sources[0].path(), sources[0].target_revision()),
            (1, Some("p"), "HEAD")
        );
        assert!(sources[0].uses_homelab_plugin());
        assert_eq!(sources[0].parameters().unwrap().owns.len(), 1);
        assert_eq!(sources[0].at(&["plugin", "a/b"]), "/spec/source/plugin/a~1b");
        assert_eq!(
            sources[0].entries("owns", str::to_owned).at("c"),
            "/spec/source/plugin/parameters/0/array/0"
        );
        assert_eq!(
            sources[0].entries("owns", str::to_owned).at("d"),
            "/spec/source/plugin/parameters/0"
        );
        assert_eq!(sources[0].entries("writes", str::to_owned).at("c"), "/spec/source");
        let many =
            object(json!({"source": {"repoURL": "u"}, "sources": [{"repoURL": "a"}, {"repoURL": "b", "ref": "v"}]}));
        let sources = Application::new(&many)
            .unwrap()
            .sources()
            .iter()
            .map(|s| (s.pointer.to_string(), s.repo_url()))
            .collect::<Vec<_>>();
        assert_eq!(
            sources,
            [("/spec/sources/0".to_owned(), "a"), ("/spec/sources/1".to_owned(), "b")]
        );
    }

    #[test]
    fn an_instance_has_its_namespace_unless_it_is_the_controllers() {
        for (namespace, instance) in [("argocd", "a"), ("media", "media_a"), ("", "a")] {
            let object = Object::new(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": {"name": "a", "namespace": namespace}}));
            assert_eq!(Application::new(&object).unwrap().instance("argocd"), instance);
        }
    }

    #[test]
    fn automated_can_be_switched_off() {
        let object = |automated: Value| {
            Object::new(
                json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "spec": {"syncPolicy": {"automated": automated}}}),
            )
        };
        assert!(
            Application::new(&object(json!({"prune": true})))
                .unwrap()
                .automated()
                .is_some()
        );
        assert!(
            Application::new(&object(json!({"enabled": false})))
                .unwrap()
                .automated()
                .is_none()
        );
    }
}
