//! Why there is no place for a new manifest, and what makes one.

use anyhow::{Error, anyhow};
use serde_json::Value;

use crate::failure::HintExt;
use crate::repo::{Manifest, Origin, Rendered, Repo, RepoPath};

/// Returns the error of several folders in which a new Application could be.
pub(super) fn several<'a>(folders: impl Iterator<Item = &'a String>) -> Error {
    let folders: Vec<String> = folders.map(|folder| format!("`{folder}`")).collect();
    anyhow!(
        "there are Applications in {} folders that an Application syncs: {}",
        folders.len(),
        folders.join(", ")
    )
    .hint("name the folder of the new one with `--dir DIR`")
}

/// Returns the error of a Namespace that nothing would sync.
pub(super) fn no_namespaces() -> Error {
    anyhow!("no Application syncs a folder of Namespaces: a new one would never be made")
        .hint("add the Application of the Namespaces with `kubectl homelab init`")
}

impl Repo {
    /// Returns why there is no place for a new Application.
    pub(super) fn no_place(&self) -> Error {
        let rendered = self.derived.iter().find_map(|manifest| match &manifest.origin {
            Origin::Rendered(rendered) if manifest.object.kind() == "Application" => Some(rendered),
            _ => None,
        });
        if let Some(rendered) = rendered {
            return self.rendered(rendered);
        }
        if self
            .derived
            .iter()
            .any(|manifest| matches!(manifest.origin, Origin::Generated(_)))
        {
            return self.generated();
        }
        if self.applications().next().is_none() {
            return anyhow!("no Application syncs a folder of Applications: a new one would never be applied")
                .hint("make the root Application with `kubectl homelab init`");
        }
        if self.own_urls.is_empty() {
            return anyhow!("the URL of this repository is not known, and so not which Application syncs which folder")
                .hint("set it with `git remote add origin URL`, or name a folder with `--dir DIR`");
        }
        anyhow!("no Application syncs a folder of Applications: the ones that are there are applied by hand").hint(
            "add a root Application with `kubectl homelab init --force`, or name a folder with `--dir DIR` and apply the new file by hand",
        )
    }

    /// Returns the error of a new Application where sets generate the Applications: what to write, and where.
    pub fn generated(&self) -> Error {
        let sets: Vec<&Manifest> = self.sets().collect();
        let names: Vec<String> = sets.iter().map(|set| format!("`{}`", set.object.name())).collect();
        let what = match names.as_slice() {
            [one] => format!("ApplicationSet {one} generates the Applications of this repository"),
            _ => format!(
                "ApplicationSets generate the Applications of this repository: {}",
                names.join(", ")
            ),
        };
        let ways: Vec<String> = sets.iter().filter_map(|set| self.way_of_set(set)).collect();
        anyhow!("{what}: there is no manifest of one beside which a new one could be").hint(match ways.is_empty() {
            true => "add what the set makes an Application of, as its siblings have it".to_owned(),
            false => ways.join("; or "),
        })
    }

    /// Returns what to write where a chart renders the Applications.
    fn rendered(&self, rendered: &Rendered) -> Error {
        let by = &rendered.by;
        let what = if rendered.is_chart {
            format!("the chart `{by}` renders the Applications of this repository")
        } else {
            format!("Application `{by}` renders the Applications of this repository")
        };
        let chart = match rendered.is_chart {
            true => RepoPath::new(by).ok(),
            false => self.chart_of(by),
        };
        anyhow!("{what}: there is no manifest of one beside which a new one could be").hint(match chart {
            Some(chart) => {
                let below = |file: &str| {
                    chart
                        .join(file)
                        .map_or_else(|_| file.to_owned(), |file| file.to_string())
                };
                format!(
                    "add it where its siblings are: as a template in `{}`, or to the values in `{}`",
                    below("templates"),
                    below("values.yaml")
                )
            }
            None => format!("add it to the Helm values of Application `{by}`, as its siblings are"),
        })
    }

    /// Returns the chart in this repository that an Application renders.
    fn chart_of(&self, name: &str) -> Option<RepoPath> {
        let (_, app) = self.application(name)?;
        let sources = app.sources();
        let own = sources.iter().filter(|source| self.is_own(source.repo_url()));
        let mut folders = own.filter_map(|source| RepoPath::new(source.path()?).ok());
        folders.find(|folder| self.charts.is_at(folder))
    }

    /// Returns what makes a set generate one Application more, where its generators look at folders or files.
    fn way_of_set(&self, set: &Manifest) -> Option<String> {
        let name = set.object.name();
        let (folders, files) = patterns(set.object.at("/spec/generators")?);
        if let Some(pattern) = folders.first() {
            let folder = pattern.strip_suffix('*').map(|start| format!("{start}NAME"));
            return Some(match folder.filter(|folder| !folder.contains('*')) {
                Some(folder) => {
                    format!(
                        "make the folder `{folder}` with a chart or manifests, of which `{name}` makes an Application"
                    )
                }
                None => format!("make a folder that matches `{pattern}`, of which `{name}` makes an Application"),
            });
        }
        let siblings = match self.file_of(set) {
            Some(sibling) => format!("the keys that `{sibling}` has"),
            None => "the keys that its siblings have".to_owned(),
        };
        files.first().map(|pattern| {
            format!("write a file that matches `{pattern}`, with {siblings}, of which `{name}` makes an Application")
        })
    }

    /// Returns a file from which a set takes the parameters of an Application.
    fn file_of(&self, set: &Manifest) -> Option<&RepoPath> {
        let of_set = |manifest: &&Manifest| (&manifest.file, manifest.document) == (&set.file, set.document);
        let mut found = self
            .derived
            .iter()
            .filter(of_set)
            .filter_map(|manifest| match &manifest.origin {
                Origin::Generated(generated) if generated.set == set.object.name() => generated.folders.first(),
                _ => None,
            });
        found.find(|file| self.listing.contains(*file))
    }
}

/// Returns the patterns of folders that generators look at, those inside of others included.
pub fn folder_patterns(generators: &Value) -> Vec<&str> {
    patterns(generators).0
}

/// Returns the patterns of folders and of files in generators, those inside of others included.
fn patterns(generators: &Value) -> (Vec<&str>, Vec<&str>) {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    let mut open = vec![generators];
    while let Some(list) = open.pop() {
        for generator in list.as_array().into_iter().flatten() {
            let wanted = |key: &str| {
                let entries = generator["git"][key].as_array().into_iter().flatten();
                let entries = entries.filter(|entry| entry["exclude"] != true);
                entries.filter_map(|entry| entry["path"].as_str()).collect::<Vec<_>>()
            };
            folders.extend(wanted("directories"));
            files.extend(wanted("files"));
            open.extend(["matrix", "merge"].map(|kind| &generator[kind]["generators"]));
        }
    }
    (folders, files)
}
