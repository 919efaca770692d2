//! The table of cases, `cases.yaml`, and the cases that it stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::corpora;

/// The default Application of a case, and its namespace.
const APP: &str = "shown";
const DESTINATION: &str = "home";

/// `cases.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    options: BTreeMap<String, Piece>,
    alone: Vec<Alone>,
    cases: Vec<Map<String, Value>>,
    /// The sources of third-party charts.
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
    /// Parameters that only the plugin has.
    parameters: Map<String, Value>,
    fails: Option<Fails>,
    refused: Option<String>,
    helm3: Option<String>,
}

/// The expected difference, if the renders are not equal.
#[derive(Default, Clone)]
pub(crate) struct Expected {
    /// Both fail.
    pub(crate) fails: Option<Fails>,
    /// The plugin refuses what Argo CD renders; a text of its message.
    pub(crate) refused: Option<String>,
    /// The reason why helm 3 renders something else.
    pub(crate) helm3: Option<String>,
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
#[derive(Default)]
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
    /// Parameters that only the plugin has.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) expected: Expected,
    /// The names of its options.
    pub(crate) options: Vec<String>,
}

impl Table {
    pub(crate) fn read() -> Self {
        yaml_serde::from_str(include_str!("cases.yaml")).expect("cases.yaml is in order")
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
                cases.push(self.case("", &alone.chart, std::slice::from_ref(name), &own));
            }
        }
        for line in &self.cases {
            let mut line = line.clone();
            let chart = line.remove("chart").expect("a case names its chart");
            let options = line.remove("options").unwrap_or_else(|| json!([]));
            let options: Vec<String> = serde_json::from_value(options).expect("options are names");
            let own: Piece = serde_json::from_value(json!(line)).unwrap_or_else(|error| panic!("{chart}: {error}"));
            let chart = chart.as_str().expect("a chart is a path");
            cases.push(self.case("", chart, &options, &own));
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
        piece.unwrap_or_else(|| panic!("cases.yaml names an option `{name}` and has none"))
    }

    fn case(&self, repository: &str, chart: &str, options: &[String], own: &Piece) -> Case {
        let mut whole = Piece::default();
        for piece in options.iter().map(|name| self.option(name)).chain([own]) {
            whole.app = piece.app.clone().or(whole.app);
            whole.destination = piece.destination.clone().or(whole.destination);
            whole.paths = piece.paths.clone().or(whole.paths);
            merge(&mut whole.helm, &piece.helm);
            merge(&mut whole.directory, &piece.directory);
            merge(&mut whole.parameters, &piece.parameters);
        }
        let mut name = [repository, chart].join(if repository.is_empty() { "" } else { ":" });
        for option in options {
            name.push_str(&format!(" +{option}"));
        }
        if let Some(paths) = &whole.paths {
            name.push_str(&format!(" of {paths}"));
        }
        for (key, tree) in [("", &own.helm), ("", &own.directory), ("plugin ", &own.parameters)] {
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

impl Piece {
    /// Only its expected difference.
    fn expectation(&self) -> Self {
        Self {
            fails: self.fails.clone(),
            refused: self.refused.clone(),
            helm3: self.helm3.clone(),
            ..Self::default()
        }
    }

    fn expected(&self) -> Expected {
        Expected {
            fails: self.fails.clone(),
            refused: self.refused.clone(),
            helm3: self.helm3.clone(),
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
