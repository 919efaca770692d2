//! A set's template with parameters: an Application.

use serde_json::{Map, Value as Json, json};

use super::generators::ParameterSet;
use super::text::Language;
use super::{Reason, patch};
use crate::model::Object;
use crate::model::application::FINALIZER;

/// Renders the template of a set.
pub(super) fn of_template(
    template: &Map<String, Json>,
    spec: &Json,
    set: &Object,
    parameters: &ParameterSet,
    language: Language,
) -> Result<Object, Reason> {
    let mut metadata = Map::new();
    let given = template.get("metadata").and_then(Json::as_object);
    for key in ["name", "labels", "annotations", "finalizers"] {
        if let Some(value) = given.and_then(|given| given.get(key)) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    let template_spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    let mut tree = json!({"metadata": metadata, "spec": template_spec});
    // Without any parameter nothing is a template, and nothing is added.
    if !parameters.is_empty() {
        tree = language.render_all(&tree, &parameters.values, "spec.template")?;
        let has_finalizers = tree["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if !has_finalizers && spec["syncPolicy"]["preserveResourcesOnDeletion"] != true {
            tree["metadata"]["finalizers"] = json!([FINALIZER]);
        }
    }
    if let Some(text) = spec["templatePatch"].as_str() {
        let text = language.render(text, &parameters.values);
        tree = patch::patched(tree, &text.map_err(|fault| Reason::of("spec.templatePatch", fault))?)?;
    }
    let mut whole = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"});
    whole["metadata"] = tree["metadata"].take();
    whole["metadata"]["namespace"] = json!(set.namespace());
    if set.namespace().is_none() {
        whole["metadata"]
            .as_object_mut()
            .map(|metadata| metadata.remove("namespace"));
    }
    whole["spec"] = tree["spec"].take();
    // A patch may start a sync.
    if let Some(operation) = tree.get_mut("operation").filter(|operation| !operation.is_null()) {
        whole["operation"] = operation.take();
    }
    Ok(Object::new(whole))
}
