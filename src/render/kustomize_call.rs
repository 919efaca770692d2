//! What is run for a Kustomize folder: exactly the commands that Argo CD's repo-server runs, in their order
//! ([source](https://github.com/argoproj/argo-cd/blob/master/util/kustomize/kustomize.go), `Build`).

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Map, Value};

use super::Request;
use super::helm_arguments::plain_version;
use super::kustomize_graph::Graph;
use crate::failure::HintExt;
use crate::model::parameter::KustomizeParameters;
use crate::model::substitute::substitute;
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// One change of the folder's kustomization before the build.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// `kustomize edit` with these arguments.
    Command {
        /// The arguments after `edit`.
        arguments: Vec<String>,
        /// The parameter that asks for it.
        parameter: &'static str,
    },
    /// Patches behind those of the kustomization ([`with_patches`]).
    Patches(Vec<Value>),
}

/// One build of a Kustomize folder.
#[derive(Clone, Debug, PartialEq)]
pub struct KustomizeCall {
    /// The folder in the checkout.
    pub folder: RepoPath,
    /// The changes of its kustomization, in their order.
    pub edits: Vec<Edit>,
    /// The kustomizations that the build reads.
    pub graph: Graph,
    /// The name of the kustomize that builds it; the usual one by default.
    pub version: Option<String>,
    /// The Kubernetes version that charts see.
    pub kube_version: Option<String>,
    /// The API versions that charts see.
    pub api_versions: Vec<String>,
    /// The variables that describe the Application: the keys in files of `envs` that have no value read them.
    pub variables: BTreeMap<String, String>,
}

/// Builds the call for a request.
///
/// # Errors
/// When a parameter is not for Kustomize, a patch cannot be read, or a kustomization names something that is not in the
/// checkout.
pub(super) fn call(request: &Request, files: &dyn Files) -> Result<KustomizeCall> {
    let parameters = &request.parameters;
    if let Some(name) = parameters.first_of_helm() {
        let hint = match name {
            "namespace" => "use `kustomize-namespace` for the namespace of all objects",
            _ => "take it out, or set it in the kustomization",
        };
        return Err(anyhow!(
            "`{name}` is for charts, and `{}` is a Kustomize folder",
            request.source_path
        )
        .hint(hint));
    }
    let options = &parameters.kustomize;
    let components = components(request, options, files)?;
    let mut roots = vec![request.source_path.clone()];
    roots.extend(components.iter().filter_map(|path| request.source_path.join(path).ok()));
    let api_versions = match parameters.api_versions.is_empty() {
        true => &request.api_versions,
        false => &parameters.api_versions,
    };
    let kube_version = parameters.kube_version.as_ref().or(request.kube_version.as_ref());
    Ok(KustomizeCall {
        folder: request.source_path.clone(),
        edits: edits(options, &components, &request.variables)?,
        graph: Graph::of(request, files, roots)?,
        version: options.version.clone(),
        kube_version: kube_version.map(|version| plain_version(version)),
        api_versions: api_versions.clone(),
        variables: request.variables.clone(),
    })
}

/// Returns the changes of the kustomization, in Argo CD's order.
fn edits(
    options: &KustomizeParameters,
    components: &[String],
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut edit = |parameter: &'static str, words: &[&str], values: Vec<String>| {
        if !values.is_empty() {
            let arguments = words.iter().map(|word| (*word).to_owned()).chain(values).collect();
            edits.push(Edit::Command { arguments, parameter });
        }
    };
    let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    edit("name-prefix", &["set", "nameprefix", "--"], one(&options.name_prefix));
    edit("name-suffix", &["set", "namesuffix", "--"], one(&options.name_suffix));
    let images = options.images.iter().map(|image| substitute(image, variables));
    edit("images", &["set", "image"], images.collect());
    let replicas = options.replicas.iter().map(|(name, count)| format!("{name}={count}"));
    edit("replicas", &["set", "replicas"], replicas.collect());
    let pairs = |map: &BTreeMap<String, String>, substituted: bool| {
        let value = |text: &String| match substituted {
            true => substitute(text, variables),
            false => text.clone(),
        };
        map.iter()
            .map(|(key, text)| format!("{key}:{}", value(text)))
            .collect::<Vec<_>>()
    };
    let words = words(
        &["add", "label"],
        &[
            ("--force", options.force_common_labels),
            ("--without-selector", options.label_without_selector),
            ("--include-templates", options.label_include_templates),
        ],
    );
    edit("common-labels", &words, pairs(&options.common_labels, true));
    let words = self::words(&["add", "annotation"], &[("--force", options.force_common_annotations)]);
    let annotations = pairs(&options.common_annotations, options.common_annotations_envsubst);
    edit("common-annotations", &words, annotations);
    edit(
        "kustomize-namespace",
        &["set", "namespace", "--"],
        one(&options.namespace),
    );
    let patches = options.patches.iter().zip(1..).map(|(text, number)| {
        patch(text).with_context(|| format!("patch {number} of the parameter `kustomize-patches`"))
    });
    let patches = patches.collect::<Result<Vec<_>>>()?;
    if !patches.is_empty() {
        edits.push(Edit::Patches(patches));
    }
    if !components.is_empty() {
        let words = ["add", "component"].map(str::to_owned).into_iter();
        edits.push(Edit::Command {
            arguments: words.chain(components.iter().cloned()).collect(),
            parameter: "components",
        });
    }
    Ok(edits)
}

fn words<'w>(words: &[&'w str], switches: &[(&'w str, bool)]) -> Vec<&'w str> {
    let on = switches.iter().filter(|(_, is_on)| *is_on).map(|(switch, _)| *switch);
    words.iter().copied().chain(on).collect()
}

/// Returns the components to add: all, or those that are there.
fn components(request: &Request, options: &KustomizeParameters, files: &dyn Files) -> Result<Vec<String>> {
    if !options.ignore_missing_components {
        return Ok(options.components.clone());
    }
    let is_there = |path: &&String| {
        // What leads out of the repository, by itself or by a symbolic link, is not there.
        let Ok(path) = request.source_path.join(path) else {
            return false;
        };
        matches!(files.list(&path), Ok(Some(_))) || matches!(files.read(&path), Ok(Some(_)))
    };
    Ok(options.components.iter().filter(is_there).cloned().collect())
}

/// The fields of a patch, and of its target, that Argo CD knows.
const PATCH: [&str; 4] = ["path", "patch", "target", "options"];
const TARGET: [&str; 7] = [
    "group",
    "version",
    "kind",
    "name",
    "namespace",
    "annotationSelector",
    "labelSelector",
];

/// Reads one patch, as an entry of `patches` in a kustomization.
fn patch(text: &str) -> Result<Value> {
    let tree = yaml::value(text).map_err(|error| anyhow!("it is not YAML: {error}"))?;
    let Some(Value::Object(fields)) = tree else {
        return Err(anyhow!("it is not a map").hint("write it as `patch: …` and `target: {kind: …}`"));
    };
    let strings = |fields: &Map<String, Value>, known: &[&str], of: &str| -> Result<()> {
        for (key, value) in fields {
            if !known.contains(&key.as_str()) {
                bail!("unknown field `{of}{key}`; known are {}", known.join(", "));
            }
            if !value.is_string() {
                bail!("`{of}{key}` is not a string");
            }
        }
        Ok(())
    };
    let (nested, plain): (Map<_, _>, Map<_, _>) = fields
        .clone()
        .into_iter()
        .partition(|(key, _)| ["target", "options"].contains(&key.as_str()));
    strings(&plain, &PATCH, "")?;
    match nested.get("target") {
        Some(Value::Object(target)) => strings(target, &TARGET, "target.")?,
        Some(_) => bail!("`target` is not a map"),
        None => {}
    }
    match nested.get("options") {
        Some(Value::Object(options)) if options.values().all(Value::is_boolean) => {}
        Some(_) => bail!("`options` is not a map of true and false"),
        None => {}
    }
    Ok(Value::Object(fields))
}

/// Adds patches to the text of a kustomization. What is read and written is the whole value: comments go, as in Argo CD.
///
/// # Errors
/// When the text is not a map, or its patches are not a list.
pub fn with_patches(text: &str, patches: &[Value]) -> Result<String> {
    let tree = yaml::value(text).map_err(|error| anyhow!("the kustomization is not YAML: {error}"))?;
    let Some(Value::Object(mut fields)) = tree else {
        bail!("the kustomization is not a map")
    };
    match fields.get_mut("patches") {
        Some(Value::Array(list)) => list.extend(patches.iter().cloned()),
        Some(_) => bail!("`patches` of the kustomization is not a list"),
        None => drop(fields.insert("patches".to_owned(), Value::Array(patches.to_vec()))),
    }
    yaml::emit(&Value::Object(fields))
}

/// Returns the arguments of the build: the options that the plugin's environment sets, and what charts see of the cluster
/// where helm is on and kustomize passes it on.
pub fn build_arguments(call: &KustomizeCall, folder: &str, options: &[String], passes_cluster: bool) -> Vec<String> {
    let mut arguments = vec!["build".to_owned(), folder.to_owned()];
    arguments.extend(options.iter().cloned());
    if passes_cluster && options.iter().any(|option| option.contains("--enable-helm")) {
        let version = call.kube_version.iter().map(|version| ("--helm-kube-version", version));
        let versions = call.api_versions.iter().map(|version| ("--helm-api-versions", version));
        let pairs = version.chain(versions);
        arguments.extend(pairs.flat_map(|(flag, value)| [flag.to_owned(), value.clone()]));
    }
    arguments
}

/// Returns what the build reads in the checkout outside the source's folder.
///
/// # Errors
/// When a kustomization names something that is not in the checkout.
pub fn reads(request: &Request, files: &dyn Files) -> Result<Vec<RepoPath>> {
    Ok(call(request, files)?.graph.outside(&request.source_path))
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::repo::Memory;
    use serde_json::json;

    const PATCH_TEXT: &str = "patch: |-\n  - op: remove\n    path: /spec\ntarget:\n  kind: Deployment\n";

    fn files() -> Memory {
        Memory::new([
            ("apps/player/kustomization.yaml", "resources:\n- a.yaml\n- ../base\n"),
            ("apps/player/a.yaml", ""),
            (
                "apps/base/kustomization.yml",
                "resources: [b.yaml]\nconfigMapGenerator:\n- files: [x=deep/c.txt]\n",
            ),
            ("apps/base/b.yaml", ""),
            ("apps/base/deep/c.txt", ""),
            ("components/one/kustomization.yaml", "kind: Component\n"),
        ])
        .unwrap()
    }

    fn typed(parameters: Value) -> Result<Vec<String>> {
        let call = call(&request("apps/player", parameters), &files())?;
        let edits = call.edits.iter().map(|edit| match edit {
            Edit::Command { arguments, .. } => arguments.join(" "),
            Edit::Patches(patches) => format!("{} patches", patches.len()),
        });
        Ok(edits.collect())
    }

    #[test]
    fn kustomize_gets_argo_cds_commands_in_argo_cds_order() {
        assert_eq!(typed(json!([])).unwrap(), Vec::<String>::new());
        let all = json!([
            {"name": "components", "array": ["../../components/one", "../../components/two"]},
            {"name": "ignore-missing-components", "string": "true"},
            {"name": "kustomize-patches", "array": [PATCH_TEXT]},
            {"name": "kustomize-namespace", "string": "media"},
            {"name": "common-annotations", "map": {"b": "$ARGOCD_APP_NAME", "a": "x"}},
            {"name": "common-labels", "map": {"app": "$ARGOCD_APP_NAME"}},
            {"name": "label-include-templates", "string": "true"},
            {"name": "label-without-selector", "string": "true"},
            {"name": "force-common-labels", "string": "true"},
            {"name": "force-common-annotations", "string": "true"},
            {"name": "replicas", "map": {"web": "3", "db": "007"}},
            {"name": "images", "array": ["a=b:$ARGOCD_APP_NAME", "c@sha256:0"]},
            {"name": "name-suffix", "string": "-s"},
            {"name": "name-prefix", "string": "-p-"},
        ]);
        assert_eq!(
            typed(all).unwrap(),
            [
                "set nameprefix -- -p-",
                "set namesuffix -- -s",
                "set image a=b:player c@sha256:0",
                "set replicas db=7 web=3",
                "add label --force --without-selector --include-templates app:player",
                "add annotation --force a:x b:$ARGOCD_APP_NAME",
                "set namespace -- media",
                "1 patches",
                "add component ../../components/one",
            ]
        );
        let substituted = json!([
            {"name": "common-annotations", "map": {"a": "$ARGOCD_APP_NAME"}},
            {"name": "common-annotations-envsubst", "string": "true"},
        ]);
        assert_eq!(typed(substituted).unwrap(), ["add annotation a:player"]);
        let none = json!([
            {"name": "components", "array": ["../../../x", "../../components/two", "https://x.example/c"]},
            {"name": "ignore-missing-components", "string": "true"},
        ]);
        assert_eq!(typed(none).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn charts_see_the_cluster_where_helm_is_on_and_takes_it() {
        let call = call(&request("apps/player", json!([])), &files()).unwrap();
        let typed = |options: &str, passes_cluster: bool| {
            let options: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
            build_arguments(&call, "/r/apps/player", &options, passes_cluster).join(" ")
        };
        assert_eq!(
            typed("--enable-helm", true),
            "build /r/apps/player --enable-helm --helm-kube-version 1.36.1 --helm-api-versions v1 --helm-api-versions apps/v1"
        );
        assert_eq!(typed("--enable-helm", false), "build /r/apps/player --enable-helm");
        assert_eq!(typed("--reorder none", true), "build /r/apps/player --reorder none");
    }

    #[test]
    fn a_build_reads_other_folders() {
        let parameters = json!([{"name": "components", "array": ["../../components/one"]}]);
        let reads = reads(&request("apps/player", parameters), &files()).unwrap();
        let reads: Vec<&str> = reads.iter().map(RepoPath::as_str).collect();
        assert_eq!(reads, ["apps/base", "components/one"]);
    }

    #[test]
    fn what_is_named_and_not_there_has_its_place() {
        for (text, expected) in [
            (
                "resources: [b.yaml]\n",
                "c/kustomization.yaml:1:13: `b.yaml` does not exist",
            ),
            (
                "resources:\n- ../../x\n",
                "c/kustomization.yaml:2:3: `../../x` leads out of the repository",
            ),
            (
                "resources: [d]\n",
                "c/kustomization.yaml:1:13: there is no kustomization in `c/d`",
            ),
            ("resources: [/etc]\n", "c/kustomization.yaml:1:13: `/etc` is absolute"),
            (
                "configMapGenerator: [{envs: [x.env]}]\n",
                "c/kustomization.yaml:1:30: `x.env` does not exist",
            ),
        ] {
            let files = Memory::new([("c/kustomization.yaml", text), ("c/d/a.yaml", "")]).unwrap();
            let error = call(&request("c", json!([])), &files).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        for text in [
            "resources: [https://x.example/a.yaml]",
            "resources: [github.com/o/r?ref=v1]",
            "bases: [\"git@x.example:o/r\"]",
            "a: [",
        ] {
            let files = Memory::new([("c/kustomization.yaml", text)]).unwrap();
            call(&request("c", json!([])), &files).unwrap();
        }
    }

    #[test]
    fn only_the_plugin_may_have_been_sent_a_part_of_the_repository() {
        let files = Memory::new([("c/kustomization.yaml", "resources: [b.yaml]\n")]).unwrap();
        let hints = |storage_rules: bool| {
            let request = Request {
                storage_rules,
                ..request("c", json!([]))
            };
            crate::failure::Failure::from(call(&request, &files).unwrap_err()).hints
        };
        let of_plugin = "correct the path, or add `/c/b.yaml` to the annotation `argocd.argoproj.io/manifest-generate-paths` if that keeps it from the plugin";
        assert_eq!(hints(true), [of_plugin]);
        assert_eq!(hints(false), ["correct the path, or add the file"]);
    }

    #[test]
    fn patches_are_added_behind_those_that_are_there() {
        let patches = [patch(PATCH_TEXT).unwrap()];
        let read = |text: &str| yaml::value(&with_patches(text, &patches).unwrap()).unwrap().unwrap();
        let added = json!({"patch": "- op: remove\n  path: /spec", "target": {"kind": "Deployment"}});
        assert_eq!(
            read("resources: [a]\n"),
            json!({"resources": ["a"], "patches": [added]})
        );
        assert_eq!(
            read("patches:\n# x\n- path: p.yaml\n")["patches"],
            json!([{"path": "p.yaml"}, added])
        );
        for text in ["patches: x\n", "- a\n", "a: [", ""] {
            assert!(with_patches(text, &patches).is_err(), "{text}");
        }
    }

    #[test]
    fn a_patch_has_the_fields_that_argo_cd_knows() {
        for (text, part) in [
            ("a: [", "not YAML"),
            ("- op: add", "not a map"),
            ("patches: x", "unknown field `patches`"),
            ("patch: {a: 1}", "`patch` is not a string"),
            ("patch: x\ntarget: {kinds: X}", "unknown field `target.kinds`"),
            ("patch: x\noptions: {allowNameChange: 1}", "`options` is not"),
        ] {
            let error = format!("{:#}", patch(text).unwrap_err());
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(patch("path: p.yaml\noptions: {allowNameChange: true}\n").is_ok());
    }
}
