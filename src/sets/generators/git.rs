//! The git generator: folders or files of a repository.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::super::matching::{FilePattern, folder_matches};
use super::super::selector::flattened;
use super::super::template::{Value, sanitized};
use super::super::{Contents, Reason};
use super::{Context, ParameterSet};
use crate::masking::without_logins;
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// The repository that a generator looks at.
struct LookedAt<'c> {
    own: &'c dyn Contents,
    /// The named checkout of it.
    named: Option<Box<dyn Files>>,
}

impl LookedAt<'_> {
    /// Reports whether it is the repository of the set, whose files have places that can be named.
    fn is_own(&self) -> bool {
        self.named.is_none()
    }

    fn files_in(&self, folder: &RepoPath) -> anyhow::Result<Vec<RepoPath>> {
        match &self.named {
            Some(named) => Ok(named.all()?.into_iter().filter(|file| file.is_in(folder)).collect()),
            None => self.own.files_in(folder),
        }
    }

    fn read(&self, path: &RepoPath) -> anyhow::Result<Option<Vec<u8>>> {
        match &self.named {
            Some(named) => named.read(path),
            None => self.own.read(path),
        }
    }
}

impl Context<'_> {
    /// Returns the parameters of the folders or files that match.
    pub(super) fn git(&self, generator: &Json) -> Result<Vec<ParameterSet>, Reason> {
        let entries = |key: &str| generator[key].as_array().filter(|list| !list.is_empty());
        let (folders, files) = (entries("directories"), entries("files"));
        if folders.is_none() && files.is_none() {
            return Err(Reason::invalid("a git generator has neither `directories` nor `files`"));
        }
        let url = generator["repoURL"].as_str().unwrap_or_default();
        let named = self.contents.named(url).map_err(|error| Reason::Unreadable {
            message: format!("{error:#}"),
        })?;
        if named.is_none() && !self.contents.is_own(url) {
            return Err(Reason::OtherRepository {
                url: without_logins(url).to_string(),
            });
        }
        let looked_at = LookedAt {
            own: self.contents,
            named,
        };
        let mut listed = Vec::new();
        for folder in self.looked_into(&looked_at, (folders, files))? {
            let files = looked_at.files_in(&folder).map_err(|error| Reason::Unreadable {
                message: format!("the files of the repository cannot be listed: {error:#}"),
            })?;
            listed.extend(files);
        }
        match (folders, files) {
            (Some(folders), _) => self.folders(generator, folders, (&looked_at, &listed)),
            (_, Some(files)) => self.files(generator, files, (&looked_at, &listed)),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the folders that everything is below that the patterns can match, none of them in another.
    fn looked_into(
        &self,
        looked_at: &LookedAt<'_>,
        (folders, files): (Option<&Vec<Json>>, Option<&Vec<Json>>),
    ) -> Result<Vec<RepoPath>, Reason> {
        let mut found: Vec<RepoPath> = Vec::new();
        for entry in folders.or(files).into_iter().flatten() {
            if entry["exclude"] == true {
                continue;
            }
            let pattern = entry["path"].as_str().unwrap_or_default();
            let folder = match folders {
                Some(_) => base(pattern),
                None => base(FilePattern::new(pattern)?.text()),
            };
            if looked_at.is_own() && !self.contents.has(&folder) {
                return Err(Reason::NotSent {
                    pattern: pattern.to_owned(),
                });
            }
            if !found.iter().any(|other| folder.is_in(other)) {
                found.retain(|other| !other.is_in(&folder));
                found.push(folder);
            }
        }
        Ok(found)
    }

    fn folders(
        &self,
        generator: &Json,
        wanted: &[Json],
        (looked_at, listed): (&LookedAt<'_>, &[RepoPath]),
    ) -> Result<Vec<ParameterSet>, Reason> {
        // By the names of folders: `a/b` comes before `a-b`.
        let mut folders: BTreeSet<Vec<&str>> = BTreeSet::new();
        for file in listed {
            let parts: Vec<&str> = file.parts().collect();
            let visible = parts.iter().take_while(|part| !part.starts_with('.')).count();
            for length in 1..=visible.min(parts.len().saturating_sub(1)) {
                folders.insert(parts[..length].to_vec());
            }
        }
        let mut sets = Vec::new();
        for folder in folders {
            let path = folder.join("/");
            let matches = |excluded: bool| {
                wanted
                    .iter()
                    .filter(|entry| (entry["exclude"] == true) == excluded)
                    .any(|entry| folder_matches(entry["path"].as_str().unwrap_or_default(), &path) == Some(true))
            };
            if !matches(false) || matches(true) {
                continue;
            }
            let mut set = ParameterSet::new(self.path_parameters(generator, &path, None));
            set.origins
                .extend(RepoPath::new(&path).ok().filter(|_| looked_at.is_own()));
            self.add_values(&generator["values"], &set)?;
            sets.push(set);
        }
        Ok(sets)
    }

    fn files(
        &self,
        generator: &Json,
        wanted: &[Json],
        (looked_at, listed): (&LookedAt<'_>, &[RepoPath]),
    ) -> Result<Vec<ParameterSet>, Reason> {
        let mut patterns = Vec::new();
        for entry in wanted {
            let pattern = FilePattern::new(entry["path"].as_str().unwrap_or_default())?;
            patterns.push((entry["exclude"] == true, pattern));
        }
        let is_wanted = |path: &RepoPath| {
            let matches = |excluded: bool| {
                let mut patterns = patterns.iter().filter(|(exclude, _)| *exclude == excluded);
                patterns.any(|(_, pattern)| pattern.matches(path.as_str()))
            };
            matches(false) && !matches(true)
        };
        let mut files: Vec<&RepoPath> = listed.iter().filter(|path| is_wanted(path)).collect();
        files.sort();
        files.dedup();
        let mut sets = Vec::new();
        for file in files {
            for mut content in self.content(looked_at, file)? {
                let folder = file.parent().to_string();
                if !self.language.is_go() {
                    let flat = flattened(&Value::of_json(&content));
                    content = Json::Object(
                        flat.into_iter()
                            .map(|(key, value)| (key, Json::String(value)))
                            .collect(),
                    );
                }
                let map = content.as_object().into_iter().flatten();
                let values = map.map(|(key, value)| (key.clone(), Value::of_json(value)));
                let paths = self.path_parameters(generator, &folder, Some(file.file_name()));
                let mut set = ParameterSet::new(values.chain(paths));
                set.origins.extend(looked_at.is_own().then(|| file.clone()));
                self.add_values(&generator["values"], &set)?;
                sets.push(set);
            }
        }
        Ok(sets)
    }

    /// Reads a file: a map, or a list of maps.
    fn content(&self, looked_at: &LookedAt<'_>, file: &RepoPath) -> Result<Vec<Json>, Reason> {
        let bytes = looked_at.read(file).map_err(|error| Reason::Unreadable {
            message: format!("{error:#}"),
        })?;
        let bytes = bytes.ok_or_else(|| Reason::Unreadable {
            message: format!("`{file}` is gone"),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| Reason::invalid(format!("`{file}` is not UTF-8")))?;
        let wrong = |why: String| Reason::invalid(format!("`{file}` {why}"));
        // Of several documents Go reads the first.
        let documents = yaml::documents(&text).map_err(|error| wrong(format!("is not YAML: {error}")))?;
        let mut documents = documents.iter().map(|document| &text[document.range.clone()]);
        let first = documents.next().unwrap_or_default();
        // Go takes a tab at the start of a line for the start of a value, also where there is none.
        let has_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
        let value = match yaml::raw_value(first).map_err(|error| wrong(format!("is not YAML: {error}")))? {
            None if documents.next().is_some() => {
                return Err(Reason::unsupported(format!("an empty first document in `{file}`")));
            }
            None if first.lines().any(has_tab) => {
                return Err(wrong("is not YAML: a line starts with a tab".to_owned()));
            }
            value => value.unwrap_or_default(),
        };
        match value {
            Json::Null => Ok(vec![Json::Object(serde_json::Map::new())]),
            Json::Object(_) => Ok(vec![value]),
            Json::Array(list) if list.iter().all(|item| item.is_object() || item.is_null()) => Ok(list),
            _ => Err(wrong("is neither a map nor a list of maps".to_owned())),
        }
    }

    /// Returns the parameters that a path gives.
    fn path_parameters(&self, generator: &Json, folder: &str, file: Option<&str>) -> Vec<(String, Value)> {
        let prefix = generator["pathParamPrefix"].as_str().unwrap_or_default();
        let base = folder.rsplit('/').next().unwrap_or(folder);
        let mut names = vec![
            ("basename", Value::text(base)),
            ("basenameNormalized", Value::Text(sanitized(base))),
        ];
        if let Some(file) = file {
            names.push(("filename", Value::text(file)));
            names.push(("filenameNormalized", Value::Text(sanitized(file))));
        }
        let segments = folder.split('/');
        if self.language.is_go() {
            let mut path: Vec<(String, Value)> = names
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            path.push(("path".to_owned(), Value::text(folder)));
            path.push(("segments".to_owned(), Value::texts(segments)));
            let path = Value::map(path);
            return vec![match prefix {
                "" => ("path".to_owned(), path),
                prefix => (prefix.to_owned(), Value::map([("path".to_owned(), path)])),
            }];
        }
        let root = if prefix.is_empty() {
            "path".to_owned()
        } else {
            format!("{prefix}.path")
        };
        let mut values: Vec<(String, Value)> = names
            .into_iter()
            .map(|(name, value)| (format!("{root}.{name}"), value))
            .collect();
        let segments = segments.enumerate().filter(|(_, segment)| !segment.is_empty());
        values.extend(segments.map(|(index, segment)| (format!("{root}[{index}]"), Value::text(segment))));
        values.push((root, Value::text(folder)));
        values
    }
}

/// Returns the folder that everything is below that a pattern can match.
fn base(pattern: &str) -> RepoPath {
    let wildcard = pattern.find(['*', '?', '[', '\\']).unwrap_or(pattern.len());
    let folder = pattern[..wildcard].rsplit_once('/').map_or("", |(folder, _)| folder);
    RepoPath::new(folder).unwrap_or_default()
}
