//! The parameters for Kustomize folders: one for each option of Argo CD's own Kustomize
//! ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/)), by its name there. Where that name has another
//! meaning here, `kustomize-` stands in front.

use std::collections::BTreeMap;

use super::Parameter;
use super::spec::{Shape, Spec, set, spec};

/// The parameters that are for Kustomize folders only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KustomizeParameters {
    /// `name-prefix`.
    pub name_prefix: Option<String>,
    /// `name-suffix`.
    pub name_suffix: Option<String>,
    /// `kustomize-namespace`.
    pub namespace: Option<String>,
    /// `images`.
    pub images: Vec<String>,
    /// `replicas`.
    pub replicas: BTreeMap<String, i64>,
    /// `common-labels`.
    pub common_labels: BTreeMap<String, String>,
    /// `force-common-labels`.
    pub force_common_labels: bool,
    /// `label-without-selector`.
    pub label_without_selector: bool,
    /// `label-include-templates`.
    pub label_include_templates: bool,
    /// `common-annotations`.
    pub common_annotations: BTreeMap<String, String>,
    /// `force-common-annotations`.
    pub force_common_annotations: bool,
    /// `common-annotations-envsubst`.
    pub common_annotations_envsubst: bool,
    /// `kustomize-patches`: the YAML text of each.
    pub patches: Vec<String>,
    /// `components`.
    pub components: Vec<String>,
    /// `ignore-missing-components`.
    pub ignore_missing_components: bool,
    /// `kustomize-version`.
    pub version: Option<String>,
}

pub(super) const NAME_PREFIX: Spec = spec(
    "name-prefix",
    Shape::String,
    "Name prefix",
    "For a Kustomize folder: a prefix for the names of all objects.",
    |parameters, given| set(&mut parameters.kustomize.name_prefix, given.text()),
);
pub(super) const NAME_SUFFIX: Spec = spec(
    "name-suffix",
    Shape::String,
    "Name suffix",
    "For a Kustomize folder: a suffix for the names of all objects.",
    |parameters, given| set(&mut parameters.kustomize.name_suffix, given.text()),
);
pub(super) const NAMESPACE: Spec = spec(
    "kustomize-namespace",
    Shape::String,
    "Kustomize namespace",
    "For a Kustomize folder: the namespace that all objects get.",
    |parameters, given| set(&mut parameters.kustomize.namespace, given.text()),
);
pub(super) const IMAGES: Spec = spec(
    "images",
    Shape::Array,
    "Images",
    "For a Kustomize folder: images to replace, each as `[OLD=]NEW:TAG` or `[OLD=]NEW@DIGEST`.",
    |parameters, given| set(&mut parameters.kustomize.images, given.list().to_vec()),
);
pub(super) const REPLICAS: Spec = spec(
    "replicas",
    Shape::Map,
    "Replicas",
    "For a Kustomize folder: numbers of replicas by the names of workloads.",
    |parameters, given| {
        parameters.kustomize.replicas = counts(given)?;
        Ok(())
    },
);
pub(super) const COMMON_LABELS: Spec = spec(
    "common-labels",
    Shape::Map,
    "Common labels",
    "For a Kustomize folder: labels that all objects get, selectors included.",
    |parameters, given| set(&mut parameters.kustomize.common_labels, given.entries()),
);
pub(super) const FORCE_COMMON_LABELS: Spec = spec(
    "force-common-labels",
    Shape::Boolean,
    "Force common labels",
    "`true` lets `common-labels` replace labels of the kustomization; without it they are an error.",
    |parameters, given| set(&mut parameters.kustomize.force_common_labels, given.is_true()),
);
pub(super) const LABEL_WITHOUT_SELECTOR: Spec = spec(
    "label-without-selector",
    Shape::Boolean,
    "Labels without selectors",
    "`true` leaves selectors as they are when `common-labels` are added.",
    |parameters, given| set(&mut parameters.kustomize.label_without_selector, given.is_true()),
);
pub(super) const LABEL_INCLUDE_TEMPLATES: Spec = spec(
    "label-include-templates",
    Shape::Boolean,
    "Labels in templates",
    "`true` adds `common-labels` to the templates of Pods, too; it needs `label-without-selector`.",
    |parameters, given| set(&mut parameters.kustomize.label_include_templates, given.is_true()),
);
pub(super) const COMMON_ANNOTATIONS: Spec = spec(
    "common-annotations",
    Shape::Map,
    "Common annotations",
    "For a Kustomize folder: annotations that all objects get.",
    |parameters, given| set(&mut parameters.kustomize.common_annotations, given.entries()),
);
pub(super) const FORCE_COMMON_ANNOTATIONS: Spec = spec(
    "force-common-annotations",
    Shape::Boolean,
    "Force common annotations",
    "`true` lets `common-annotations` replace annotations of the kustomization; without it they are an error.",
    |parameters, given| set(&mut parameters.kustomize.force_common_annotations, given.is_true()),
);
pub(super) const COMMON_ANNOTATIONS_ENVSUBST: Spec = spec(
    "common-annotations-envsubst",
    Shape::Boolean,
    "Variables in common annotations",
    "`true` replaces `$ARGOCD_APP_NAME` and the like in the values of `common-annotations`.",
    |parameters, given| set(&mut parameters.kustomize.common_annotations_envsubst, given.is_true()),
);
pub(super) const PATCHES: Spec = spec(
    "kustomize-patches",
    Shape::Array,
    "Kustomize patches",
    "For a Kustomize folder: patches to add to those of the kustomization, each as YAML with `patch` or `path`, and `target` and `options` as in a kustomization.",
    |parameters, given| set(&mut parameters.kustomize.patches, given.list().to_vec()),
);
pub(super) const COMPONENTS: Spec = spec(
    "components",
    Shape::Array,
    "Components",
    "For a Kustomize folder: components to add to the kustomization, relative to it; globs are allowed.",
    |parameters, given| set(&mut parameters.kustomize.components, given.list().to_vec()),
);
pub(super) const IGNORE_MISSING_COMPONENTS: Spec = spec(
    "ignore-missing-components",
    Shape::Boolean,
    "Ignore missing components",
    "`true` passes over `components` that are not there.",
    |parameters, given| set(&mut parameters.kustomize.ignore_missing_components, given.is_true()),
);
pub(super) const VERSION: Spec = spec(
    "kustomize-version",
    Shape::String,
    "Kustomize version",
    "For a Kustomize folder: the kustomize to build it with, by a name that the plugin's environment has in `HOMELAB_KUSTOMIZE_VERSIONS`.",
    |parameters, given| set(&mut parameters.kustomize.version, given.text()),
);

/// Reads numbers of replicas as Argo CD does: Go's `strconv.Atoi`.
fn counts(given: &Parameter) -> Result<BTreeMap<String, i64>, Vec<String>> {
    let (mut counts, mut errors) = (BTreeMap::new(), Vec::new());
    for (name, text) in given.entries() {
        match text.parse() {
            Ok(count) => drop(counts.insert(name, count)),
            Err(_) => errors.push(format!("the number of replicas of `{name}` is not a whole number")),
        }
    }
    if errors.is_empty() { Ok(counts) } else { Err(errors) }
}

impl KustomizeParameters {
    /// Returns the name of a parameter that is given, if one is.
    pub fn first_given(&self) -> Option<&'static str> {
        let is_given = [
            ("name-prefix", self.name_prefix.is_some()),
            ("name-suffix", self.name_suffix.is_some()),
            ("kustomize-namespace", self.namespace.is_some()),
            ("images", !self.images.is_empty()),
            ("replicas", !self.replicas.is_empty()),
            ("common-labels", !self.common_labels.is_empty()),
            ("common-annotations", !self.common_annotations.is_empty()),
            ("kustomize-patches", !self.patches.is_empty()),
            ("components", !self.components.is_empty()),
            ("kustomize-version", self.version.is_some()),
        ];
        let given = is_given.into_iter().find(|(_, is_given)| *is_given);
        given.map(|(name, _)| name)
    }
}
