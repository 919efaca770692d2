//! The tables of cases, `cases.yaml` for charts and directories and `kustomize.yaml` for Kustomize and for charts whose values
//! lie in Git, and the cases that they stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::corpora;

/// The default Application of a case, and its namespace.
const APP: &str = "shown";
const DESTINATION: &str = "home";

/// The repository of the cases in `kustomize.yaml`.
pub(crate) const KUSTOMIZE: &str = "kustomize";
/// What `argocd-cm` says of kustomize where a case says nothing else: what the plugin does without being told.
pub(crate) const BUILD_OPTIONS: &str = "--enable-helm";

/// A table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// The repository of its cases.
    #[serde(skip)]
    repository: &'static str,
    options: BTreeMap<String, Piece>,
    alone: Vec<Alone>,
    cases: Vec<Map<String, Value>>,
    /// The sources of third-party charts.
    #[serde(default)]
    pub(crate) corpora: Vec<Corpus>,
}

/// A part of a source, with its expected difference.
#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
struct Piece {
    app: Option<String>,
    destination: Option<String>,
    paths: Option<String>,
    helm: Map<String, Value>,
    directory: Map<String, Value>,
    kustomize: Map<String, Value>,
    /// The entry `kustomize.buildOptions` of `argocd-cm`.
    build: Option<String>,
    /// The chart of a source whose values lie in this repository.
    of: Option<ChartOf>,
    /// Another folder for the plugin: the file in it that names the plugin.
    #[serde(rename = "plugin-folder")]
    plugin_folder: Option<String>,
    /// Parameters that only the plugin has.
    parameters: Map<String, Value>,
    fails: Option<Fails>,
    refused: Option<String>,
    older: Option<String>,
}

/// A chart of a Helm repository, beside the source `$values`.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChartOf {
    pub(crate) repository: String,
    pub(crate) chart: String,
    pub(crate) version: String,
}

/// The expected difference, if the renders are not equal.
#[derive(Default, Clone)]
pub(crate) struct Expected {
    /// Both fail.
    pub(crate) fails: Option<Fails>,
    /// The plugin refuses what Argo CD renders; a text of its message.
    pub(crate) refused: Option<String>,
    /// The reason why helm 3, or an older kustomize, renders something else.
    pub(crate) older: Option<String>,
}

/// Parts of the messages of two failures.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(crate) enum Fails {
    Alike(String),
    Each { native: String, plugin: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    #[serde(alias = "folder")]
    chart: String,
    options: Names,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Some(Vec<String>),
    All(String),
}

/// Charts in the test data of a Go module.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Corpus {
    /// The module.
    pub(crate) module: Module,
    /// The folder of the module in which charts are searched.
    pub(crate) folders: Vec<String>,
    options: Vec<Vec<String>>,
    #[serde(default)]
    paths: Option<String>,
    parameters: Map<String, Value>,
    /// Charts that need the network.
    #[serde(rename = "left-out")]
    pub(crate) left_out: BTreeSet<String>,
    expected: BTreeMap<String, Piece>,
}

/// A Go module, and the tool of this project that is built from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Module {
    /// The folder below `tests/tools`.
    pub(crate) of: String,
    /// The module's path.
    pub(crate) name: String,
}

/// One Application, to be rendered both ways.
#[derive(Default, Clone)]
pub(crate) struct Case {
    /// Its name in messages.
    pub(crate) name: String,
    /// The repository of the chart: the project's, or that of a corpus by its tool.
    pub(crate) repository: String,
    pub(crate) chart: String,
    pub(crate) app: String,
    pub(crate) destination: String,
    /// The annotation `manifest-generate-paths`.
    pub(crate) paths: Option<String>,
    /// `spec.source.helm` of the native Application, and `directory`.
    pub(crate) helm: Map<String, Value>,
    pub(crate) directory: Map<String, Value>,
    pub(crate) kustomize: Map<String, Value>,
    /// The entry `kustomize.buildOptions` of `argocd-cm`.
    pub(crate) build: String,
    pub(crate) of: Option<ChartOf>,
    pub(crate) plugin_folder: Option<String>,
    /// Parameters that only the plugin has.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) expected: Expected,
    /// The names of its options.
    pub(crate) options: Vec<String>,
}

impl Table {
    /// Returns both tables.
    pub(crate) fn read() -> [Self; 2] {
        let read = |repository, text| Self {
            repository,
            ..yaml_serde::from_str(text).unwrap_or_else(|error| panic!("the table `{repository}`: {error}"))
        };
        [
            read("", include_str!("cases.yaml")),
            read(KUSTOMIZE, include_str!("kustomize.yaml")),
        ]
    }

    /// Returns all cases; those of the corpora with the charts that were found.
    pub(crate) fn cases(&self, found: &BTreeMap<String, Vec<String>>) -> Vec<Case> {
        let mut cases = Vec::new();
        for alone in &self.alone {
            let names: Vec<&String> = match &alone.options {
                Names::Some(names) => names.iter().collect(),
                Names::All(word) => {
                    assert_eq!(word, "all", "options are a list or `all`");
                    let helm = self.options.iter().filter(|(_, piece)| piece.directory.is_empty());
                    helm.map(|(name, _)| name).collect()
                }
            };
            for name in names {
                let own = self.option(name).expectation();
                cases.push(self.case(self.repository, &alone.chart, std::slice::from_ref(name), &own));
            }
        }
        for line in &self.cases {
            let mut line = line.clone();
            let chart = line.remove("chart").or_else(|| line.remove("folder"));
            let chart = chart.expect("a case names its chart or its folder");
            let options = line.remove("options").unwrap_or_else(|| json!([]));
            let options: Vec<String> = serde_json::from_value(options).expect("options are names");
            let own: Piece = serde_json::from_value(json!(line)).unwrap_or_else(|error| panic!("{chart}: {error}"));
            let chart = chart.as_str().expect("a chart is a path");
            cases.push(self.case(self.repository, chart, &options, &own));
        }
        for corpus in &self.corpora {
            let charts = &found[&corpus.module.of];
            let mut expected = corpus.expected.clone();
            for chart in charts {
                let mut own = expected.remove(chart).unwrap_or_default();
                own.paths = own.paths.or_else(|| corpus.paths.clone());
                for options in &corpus.options {
                    let mut case = self.case(&corpus.module.of, chart, options, &own);
                    case.parameters.clone_from(&corpus.parameters);
                    cases.push(case);
                }
            }
            let gone: Vec<&String> = expected.keys().collect();
            assert!(
                gone.is_empty(),
                "{} has no charts {gone:?} any more",
                corpus.module.name
            );
        }
        cases
    }

    fn option(&self, name: &str) -> &Piece {
        let piece = self.options.get(name);
        piece.unwrap_or_else(|| panic!("a table names an option `{name}` and has none"))
    }

    fn case(&self, repository: &str, chart: &str, options: &[String], own: &Piece) -> Case {
        let mut whole = Piece::default();
        for piece in options.iter().map(|name| self.option(name)).chain([own]) {
            whole.app = piece.app.clone().or(whole.app);
            whole.destination = piece.destination.clone().or(whole.destination);
            whole.paths = piece.paths.clone().or(whole.paths);
            merge(&mut whole.helm, &piece.helm);
            merge(&mut whole.directory, &piece.directory);
            merge(&mut whole.kustomize, &piece.kustomize);
            whole.build = piece.build.clone().or(whole.build);
            whole.of = piece.of.clone().or(whole.of);
            whole.plugin_folder = piece.plugin_folder.clone().or(whole.plugin_folder);
            merge(&mut whole.parameters, &piece.parameters);
        }
        let mut name = [repository, chart].join(if repository.is_empty() { "" } else { ":" });
        for option in options {
            name.push_str(&format!(" +{option}"));
        }
        if let Some(paths) = &whole.paths {
            name.push_str(&format!(" of {paths}"));
        }
        if let Some(build) = &own.build {
            name.push_str(&format!(" with `{build}`"));
        }
        let trees = [&own.helm, &own.directory, &own.kustomize].map(|tree| ("", tree));
        for (key, tree) in trees.into_iter().chain([("plugin ", &own.parameters)]) {
            if !tree.is_empty() {
                name.push_str(&format!(" {key}{}", json!(tree)));
            }
        }
        Case {
            name,
            repository: repository.to_owned(),
            chart: chart.to_owned(),
            app: whole.app.unwrap_or_else(|| APP.to_owned()),
            destination: whole.destination.unwrap_or_else(|| DESTINATION.to_owned()),
            paths: whole.paths,
            helm: whole.helm,
            directory: whole.directory,
            kustomize: whole.kustomize,
            build: whole.build.unwrap_or_else(|| BUILD_OPTIONS.to_owned()),
            of: whole.of,
            plugin_folder: whole.plugin_folder,
            parameters: whole.parameters,
            expected: own.expected(),
            options: options.to_vec(),
        }
    }

    /// Returns the charts of the corpora, by tool, and copies them into a folder for each.
    pub(crate) fn found(&self, folder: &Path) -> BTreeMap<String, Vec<String>> {
        let found = self.corpora.iter().map(|corpus| {
            let charts = corpora::copy(corpus, &folder.join(&corpus.module.of));
            (corpus.module.of.clone(), charts)
        });
        found.collect()
    }
}

impl Case {
    /// Reports whether Argo CD itself has to render it alone, because it writes into the checkout that other renders use at the
    /// same time: `replicas`, which are missing in `AllowsConcurrentProcessing`, and the charts of a kustomization.
    pub(crate) fn races_in_argo_cd(&self) -> bool {
        self.kustomize.contains_key("replicas") || self.repository == KUSTOMIZE && self.chart.contains("helm")
    }
}

impl Expected {
    /// Returns what is expected of older programs: where they differ, they fail nowhere.
    pub(crate) fn of_older(&self) -> Self {
        match &self.older {
            Some(_) => Self::default(),
            None => self.clone(),
        }
    }
}

impl Piece {
    /// Only its expected difference.
    fn expectation(&self) -> Self {
        Self {
            fails: self.fails.clone(),
            refused: self.refused.clone(),
            older: self.older.clone(),
            ..Self::default()
        }
    }

    fn expected(&self) -> Expected {
        Expected {
            fails: self.fails.clone(),
            refused: self.refused.clone(),
            older: self.older.clone(),
        }
    }
}

/// Merges two values: lists are concatenated, other values replaced.
fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.iter().cloned()),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
