//! The parameters of the plugin: one table, from which the parsing, `plugin/plugin.yaml`, the announcement, the
//! documentation and the check of unknown names come.
//!
//! An Application has them under `spec.source.plugin.parameters`; Argo CD passes them as JSON in
//! `ARGOCD_APP_PARAMETERS`, all values as strings
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/)).

mod chart;
pub mod claims;
mod helm_alone;
mod kustomize;
mod moved;
mod raw;
mod removal;
mod spec;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::chart_reference::ChartReference;
use super::claim_path::ClaimPath;
use super::kept_claim::KeptClaim;
use super::mount::Mount;
use super::moved_claim::{MovedFrom, MovedTo};
use super::name::NamespaceName;
pub use super::patch_target::PatchTarget;
use super::patch_target::read_patches;
use super::spelling;
use super::writer::ClaimWriter;
pub use kustomize::KustomizeParameters;
pub use raw::{Parameter, ParameterError, read};
pub use spec::{Shape, Spec};
use spec::{check_shape, set, spec};
pub use writes::{RECREATE_JOBS, STAMP_APP, Stamp};

/// Every parameter, in the order of the documentation.
pub const TABLE: &[Spec] = &[
    spec(
        "owns",
        Shape::Array,
        "Owned claims",
        "Claims that this Application owns, each as `[NAMESPACE/]CLAIM`, of the destination namespace where none is named: its workloads write them, all others only read them. Every claim that the chart renders belongs here.",
        |parameters, given| {
            parameters.owns = each(given.list(), str::parse::<ClaimPath>)?;
            Ok(())
        },
    ),
    spec(
        "mounts",
        Shape::Array,
        "Mounts",
        "Claims to mount into a workload whose chart does not know them, each as `CLAIM[/SUBPATH]:PATH[,namespace=NAME][,workload=[Kind/]NAME][,container=NAME][,gid=N]`. `namespace` is that of the claim and of the workload, where the chart puts it into another namespace than the destination. Read-only unless the claim is in `owns` or `writes`.",
        |parameters, given| {
            parameters.mounts = each(given.list(), str::parse::<Mount>)?;
            Ok(())
        },
    ),
    spec(
        "writes",
        Shape::Array,
        "Written claims",
        "Claims of other Applications that this one may write all the same, each as `[NAMESPACE/]CLAIM`.",
        |parameters, given| {
            parameters.writes = each(given.list(), str::parse::<ClaimPath>)?;
            Ok(())
        },
    ),
    claims::CLAIMS,
    removal::RELEASES,
    removal::KEEPS,
    writes::WRITERS,
    writes::STAMPS,
    moved::MOVES,
    moved::MOVED_FROM,
    chart::CHART,
    chart::REPOSITORY,
    chart::VERSION,
    chart::DIGEST,
    spec(
        "values-files",
        Shape::Array,
        "Value files",
        "Helm value files, relative to the chart, or from the repository's root with a leading `/`: paths, globs (`*`, `?`, `[…]`, `**`) or http(s) URLs; later ones win.",
        |parameters, given| set(&mut parameters.values_files, given.list().to_vec()),
    ),
    spec(
        "ignore-missing-values-files",
        Shape::Boolean,
        "Ignore missing value files",
        "`true` passes over value files that are not there, and globs that match none.",
        |parameters, given| set(&mut parameters.ignore_missing_values_files, given.is_true()),
    ),
    spec(
        "values",
        Shape::String,
        "Values",
        "Helm values as YAML; they win over all value files.",
        |parameters, given| set(&mut parameters.values, given.text()),
    ),
    spec(
        "helm-parameters",
        Shape::Map,
        "Helm parameters",
        "Single values by path, as `helm template --set`; a comma in a value is kept.",
        |parameters, given| set(&mut parameters.helm_parameters, given.entries()),
    ),
    spec(
        "helm-string-parameters",
        Shape::Map,
        "Helm string parameters",
        "Single values by path that are always strings, as `helm template --set-string`.",
        |parameters, given| set(&mut parameters.helm_string_parameters, given.entries()),
    ),
    spec(
        "helm-file-parameters",
        Shape::Map,
        "Helm file parameters",
        "Values that are the text of a file, as `helm template --set-file`; the file is named as in `values-files`, but without globs.",
        |parameters, given| set(&mut parameters.helm_file_parameters, given.entries()),
    ),
    spec(
        "release-name",
        Shape::String,
        "Release name",
        "Helm's release name; the Application's name by default.",
        |parameters, given| set(&mut parameters.release_name, given.text()),
    ),
    spec(
        "namespace",
        Shape::String,
        "Release namespace",
        "Helm's release namespace; the destination namespace by default.",
        |parameters, given| {
            parameters.namespace = namespace(given.text())?;
            Ok(())
        },
    ),
    spec(
        "skip-crds",
        Shape::Boolean,
        "Skip CRDs",
        "`true` leaves out the chart's `crds/` folder.",
        |parameters, given| set(&mut parameters.skip_crds, given.is_true()),
    ),
    spec(
        "skip-tests",
        Shape::Boolean,
        "Skip tests",
        "`true` leaves out the chart's tests.",
        |parameters, given| set(&mut parameters.skip_tests, given.is_true()),
    ),
    spec(
        "skip-schema-validation",
        Shape::Boolean,
        "Skip schema validation",
        "`true` does not hold the values against the chart's `values.schema.json`.",
        |parameters, given| set(&mut parameters.skip_schema_validation, given.is_true()),
    ),
    spec(
        "dependency-update",
        Shape::Boolean,
        "Update dependencies",
        "`true` fetches the newest dependencies that `Chart.yaml` allows before each render, whatever the lock file contains; without it those in `charts/` are used, or those in the lock file.",
        |parameters, given| set(&mut parameters.dependency_update, given.is_true()),
    ),
    spec(
        "kube-version",
        Shape::String,
        "Kubernetes version",
        "The version that the chart sees; the cluster's by default.",
        |parameters, given| set(&mut parameters.kube_version, given.text()),
    ),
    spec(
        "api-versions",
        Shape::Array,
        "API versions",
        "The API versions that the chart sees, as `group/version[/Kind]`; the cluster's by default.",
        |parameters, given| set(&mut parameters.api_versions, given.list().to_vec()),
    ),
    spec(
        "recurse",
        Shape::Boolean,
        "Recurse",
        "For a folder of manifests: `true` reads the folders in it as well.",
        |parameters, given| set(&mut parameters.recurse, given.is_true()),
    ),
    spec(
        "include",
        Shape::String,
        "Include",
        "For a folder of manifests: a glob of the files to read, relative to the folder; `*` goes across `/`, `{a,b}` is a list.",
        |parameters, given| set(&mut parameters.include, given.text()),
    ),
    spec(
        "exclude",
        Shape::String,
        "Exclude",
        "For a folder of manifests: a glob of the files not to read; it wins over `include`.",
        |parameters, given| set(&mut parameters.exclude, given.text()),
    ),
    kustomize::NAME_PREFIX,
    kustomize::NAME_SUFFIX,
    kustomize::NAMESPACE,
    kustomize::IMAGES,
    kustomize::REPLICAS,
    kustomize::COMMON_LABELS,
    kustomize::FORCE_COMMON_LABELS,
    kustomize::LABEL_WITHOUT_SELECTOR,
    kustomize::LABEL_INCLUDE_TEMPLATES,
    kustomize::COMMON_ANNOTATIONS,
    kustomize::FORCE_COMMON_ANNOTATIONS,
    kustomize::COMMON_ANNOTATIONS_ENVSUBST,
    kustomize::PATCHES,
    kustomize::COMPONENTS,
    kustomize::IGNORE_MISSING_COMPONENTS,
    kustomize::VERSION,
    spec(
        "patches",
        Shape::Map,
        "Patches",
        "JSON Patches (RFC 6902) by object: key `[group/]Kind/[namespace/]name`, value the patch as JSON. They are applied before the storage rules, so that none can undo them.",
        |parameters, given| {
            parameters.patches = read_patches(given.map.as_ref())?;
            Ok(())
        },
    ),
    spec(
        "allow-empty",
        Shape::Boolean,
        "Allow empty",
        "`true` lets a render without any object through; without it that is an error, since Argo CD would prune everything.",
        |parameters, given| set(&mut parameters.allow_empty, given.is_true()),
    ),
    spec(
        "applications",
        Shape::Texts,
        "Folders of Applications",
        "Folders in the repository of this source that have to be among what Argo CD sends, for the ownership registry on Namespaces: all Applications that are sent count. Needed where `manifest-generate-paths` keeps a part of the repository back; `applications` by default there.",
        |parameters, given| {
            let one = given.text().into_iter();
            parameters.applications = one.chain(given.list().iter().cloned()).collect();
            Ok(())
        },
    ),
];

/// All parameters, read and checked; the defaults stand for what was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// See [`TABLE`], as for all fields.
    pub owns: BTreeSet<ClaimPath>,
    /// `mounts`.
    pub mounts: Vec<Mount>,
    /// `writes`.
    pub writes: BTreeSet<ClaimPath>,
    /// `claims`: the spec of each; they are in `owns`, too.
    pub claims: BTreeMap<ClaimPath, Value>,
    /// `releases`.
    pub releases: BTreeSet<ClaimPath>,
    /// `keeps`.
    pub keeps: BTreeSet<KeptClaim>,
    /// `writers`.
    pub writers: BTreeSet<ClaimWriter>,
    /// `stamp-app`.
    pub stamp_app: Stamp,
    /// `moves`.
    pub moves: Vec<MovedTo>,
    /// `moved-from`.
    pub moved_from: Vec<MovedFrom>,
    /// `chart`, `chart-repo`, `chart-version` and `chart-digest`.
    pub chart: Option<ChartReference>,
    /// `values-files`.
    pub values_files: Vec<String>,
    /// `ignore-missing-values-files`.
    pub ignore_missing_values_files: bool,
    /// `values`.
    pub values: Option<String>,
    /// `helm-parameters`.
    pub helm_parameters: BTreeMap<String, String>,
    /// `helm-string-parameters`.
    pub helm_string_parameters: BTreeMap<String, String>,
    /// `helm-file-parameters`.
    pub helm_file_parameters: BTreeMap<String, String>,
    /// `release-name`.
    pub release_name: Option<String>,
    /// `namespace`.
    pub namespace: Option<NamespaceName>,
    /// `skip-crds`.
    pub skip_crds: bool,
    /// `skip-tests`.
    pub skip_tests: bool,
    /// `skip-schema-validation`.
    pub skip_schema_validation: bool,
    /// `dependency-update`.
    pub dependency_update: bool,
    /// `kube-version`.
    pub kube_version: Option<String>,
    /// `api-versions`.
    pub api_versions: Vec<String>,
    /// `recurse`.
    pub recurse: bool,
    /// `include`.
    pub include: Option<String>,
    /// `exclude`.
    pub exclude: Option<String>,
    /// What is for Kustomize folders only.
    pub kustomize: KustomizeParameters,
    /// `patches`: the JSON text of each, checked to be a JSON array.
    pub patches: Vec<(PatchTarget, Value)>,
    /// `allow-empty`.
    pub allow_empty: bool,
    /// `applications`.
    pub applications: Vec<String>,
}

impl Parameters {
    /// Checks a list of parameters against [`TABLE`] and reads the values.
    ///
    /// # Errors
    /// One for each unknown name (with the one that is most likely meant), wrong field, duplicate or unreadable value.
    pub fn parse(list: &[Parameter]) -> Result<Self, Vec<ParameterError>> {
        let (mut parameters, mut errors) = (Self::default(), Vec::new());
        let mut seen = BTreeSet::new();
        for (index, parameter) in list.iter().enumerate() {
            let mut fail = |message: String| {
                errors.push(ParameterError {
                    index: Some(index),
                    message,
                })
            };
            if !seen.insert(parameter.name.as_str()) {
                fail(format!("parameter `{}` stands twice", parameter.name));
                continue;
            }
            let Some(spec) = TABLE.iter().find(|spec| spec.name == parameter.name) else {
                let names = TABLE.iter().map(|spec| spec.name);
                let known = spelling::nearest(&parameter.name, names).map_or_else(
                    || "`kubectl homelab explain parameters` lists those that are known".to_owned(),
                    |nearest| format!("is it `{nearest}`?"),
                );
                fail(format!("parameter `{}` is unknown; {known}", parameter.name));
                continue;
            };
            if let Err(message) = check_shape(spec, parameter) {
                fail(message);
                continue;
            }
            (spec.set)(&mut parameters, parameter).unwrap_or_else(|messages| {
                messages
                    .into_iter()
                    .for_each(|m| fail(format!("parameter `{}`: {m}", parameter.name)));
            });
        }
        errors.extend(chart::errors(&parameters, list));
        parameters.owns.extend(parameters.claims.keys().cloned());
        errors.extend(moved::errors(&parameters, list));
        if errors.is_empty() { Ok(parameters) } else { Err(errors) }
    }
}

fn namespace(text: Option<String>) -> Result<Option<NamespaceName>, Vec<String>> {
    let name = text.map(NamespaceName::new).transpose();
    name.map_err(|error| vec![error.to_string()])
}

/// Reads every entry of an array; all the errors, not only the first.
fn each<T, C: FromIterator<T>>(array: &[String], read: impl Fn(&str) -> anyhow::Result<T>) -> Result<C, Vec<String>> {
    let (good, bad): (Vec<_>, Vec<_>) = array.iter().map(|text| read(text)).partition(Result::is_ok);
    if bad.is_empty() {
        return Ok(good.into_iter().flatten().collect());
    }
    Err(bad
        .into_iter()
        .filter_map(Result::err)
        .map(|error| format!("{error:#}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(tree: Value) -> Result<Parameters, Vec<String>> {
        let list = read(&tree).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        Parameters::parse(&list).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        for spec in TABLE {
            let value = match spec.shape {
                Shape::String if spec.name == "namespace" => json!("media"),
                Shape::String if spec.name == "chart-repo" => json!("https://c.example"),
                Shape::String if spec.name == "chart-digest" => json!("0".repeat(64)),
                Shape::String if spec.name == "stamp-app" => json!("recreate-jobs"),
                Shape::String => json!("x"),
                Shape::Boolean => json!("true"),
                Shape::Array if spec.name == "mounts" => json!(["media:/m"]),
                Shape::Array if spec.name == "keeps" => json!(["media/films=player"]),
                Shape::Array if spec.name == "writers" => json!(["media/films=serviceaccount:mover"]),
                Shape::Array if spec.name == "moves" => json!(["media=x"]),
                Shape::Array if spec.name == "moved-from" => json!(["x/media"]),
                Shape::Array | Shape::Texts => json!(["x"]),
                Shape::Map if spec.name == "replicas" => json!({"x": "2"}),
                Shape::Map if spec.name == "claims" => json!({"x": "5Gi"}),
                Shape::Map if spec.name == "patches" => json!({"Pod/x": "[]"}),
                Shape::Map => json!({"x": "y"}),
            };
            let list = json!([{"name": spec.name, spec.shape.field(): value}]);
            let (mut parsed, list) = (Parameters::default(), read(&list).unwrap());
            (spec.set)(&mut parsed, &list[0]).unwrap();
            assert_ne!(parsed, Parameters::default(), "{}", spec.name);
        }
    }

    #[test]
    fn null_absent_and_empty_are_defaults() {
        assert_eq!(parse(json!(null)).unwrap(), Parameters::default());
        assert_eq!(
            parse(json!([{"name": "owns", "array": []}])).unwrap(),
            Parameters::default()
        );
        assert_eq!(
            parse(json!([{"name": "values", "string": null}, {"name": "owns"}])).unwrap(),
            Parameters::default()
        );
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let errors = parse(json!([
            {"name": "own", "array": ["a"]},
            {"name": "owns", "string": "a"},
            {"name": "skip-crds", "string": "yes"},
            {"name": "mounts", "array": ["media:m"]},
            {"name": "mounts", "array": []},
            {"name": "patches", "map": {"deployment/x": "[]", "Pod/x": "{}", "Pod/y": "["}},
            {"name": "keeps", "array": ["media/films=a", "media/books=a", "media/films=b"]},
            {"name": "stamp-app", "string": "yes"},
            {"name": "writers", "array": ["media/films=a", "films=b", "media/films=serviceaccount:default"]},
        ]))
        .unwrap_err();
        let all = errors.join("\n");
        for part in [
            "`own` is unknown; is it `owns`?",
            "has `string`, it takes `array`",
            "neither \"true\"",
            "not absolute",
            "stands twice",
            "[group/]Kind",
            "not a JSON array",
            "line 1",
            "claim `media/films` is kept for two owners: `a` and `b`",
            "parameter `stamp-app`: it is neither",
            "entry `films=b` is neither NAMESPACE/CLAIM=APP",
            "every pod that names no service account has `default`",
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }

    #[test]
    fn wrong_json_types_are_named() {
        for (tree, part) in [
            (json!({}), "not a list"),
            (json!([1]), "not a map"),
            (json!([{"string": "x"}]), "no `name`"),
            (json!([{"name": "owns", "array": [1]}]), "quote its entries"),
            (json!([{"name": "values", "string": true}]), "quote it"),
            (
                json!([{"name": "helm-parameters", "map": {"a": 1}}]),
                "quote its values",
            ),
            (json!([{"name": "owns", "list": []}]), "unknown field `list`"),
        ] {
            let all = parse(tree).unwrap_err().join("\n");
            assert!(all.contains(part), "{part} in {all}");
        }
    }
}
