//! The values that a chart of Applications gets: its own `values.yaml`, the value files of the Application that renders it, and what
//! stands in that Application itself.

use json_patch::Patch;
use serde_json::Value;

use super::position;
use crate::model::{Application, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Change, ChangeSet, Files, Manifest, Rendered, Repo, RepoPath, SourceFile};
use crate::rules::fixes;
use crate::yaml;

/// A document of values.
pub(super) struct Document {
    /// The values.
    pub(super) tree: Value,
    home: Home,
}

/// Where values are written.
enum Home {
    /// In a file of their own.
    File(SourceFile),
    /// At a place of an Application, with its text.
    Application {
        manifest: Box<Manifest>,
        at: PointerBuf,
        text: String,
        line: usize,
        file: Box<SourceFile>,
    },
}

/// Returns the values of what renders an Application, those that win first.
pub(super) fn of(repo: &Repo, files: &dyn Files, rendered: &Rendered) -> Vec<Document> {
    let mut documents = Vec::new();
    if rendered.is_chart {
        let own = repo.settings.roots.iter().filter(|root| root.path == rendered.by);
        let mut named: Vec<RepoPath> = own
            .flat_map(|root| &root.values)
            .filter_map(|file| RepoPath::new(file).ok())
            .collect();
        named.reverse();
        named.extend(
            RepoPath::new(&rendered.by)
                .and_then(|chart| chart.join("values.yaml"))
                .ok(),
        );
        documents.extend(named.iter().filter_map(|file| of_file(files, file)));
        return documents;
    }
    let Some((manifest, app)) = repo.application(&rendered.by) else {
        return documents;
    };
    for source in app.sources() {
        documents.extend(inline(repo, manifest, &source));
        let mut named = value_files(repo, &app, &source);
        named.reverse();
        let chart = source
            .path()
            .filter(|_| !source.is_versioned() && repo.is_own(source.repo_url()));
        let chart = chart.and_then(|chart| RepoPath::new(chart).ok());
        named.extend(chart.and_then(|chart| chart.join("values.yaml").ok()));
        documents.extend(named.iter().filter_map(|file| of_file(files, file)));
    }
    documents
}

/// Returns the value files of a source in this repository, those of other sources that it names included.
fn value_files(repo: &Repo, app: &Application<'_>, source: &Source<'_>) -> Vec<RepoPath> {
    let options = source.helm().and_then(|helm| helm.get("valueFiles")?.as_array());
    let parameter = source
        .parameter("values-files")
        .and_then(|at| source.value(&at.child("array")));
    let list = options.or(parameter.and_then(Value::as_array));
    let sources = app.sources();
    let path = |file: &Value| {
        let file = file.as_str()?;
        if let Some((name, below)) = file.strip_prefix('$').and_then(|file| file.split_once('/')) {
            let of = sources.iter().find(|source| source.reference() == Some(name))?;
            return RepoPath::new(below).ok().filter(|_| repo.is_own(of.repo_url()));
        }
        let folder = match file.starts_with('/') {
            true => RepoPath::root(),
            false => RepoPath::new(source.path()?).ok()?,
        };
        let file = folder.join(file.trim_start_matches('/')).ok();
        file.filter(|_| repo.is_own(source.repo_url()))
    };
    list.into_iter().flatten().filter_map(path).collect()
}

/// Returns the values in the source itself, where somebody writes it.
fn inline(repo: &Repo, manifest: &Manifest, source: &Source<'_>) -> Option<Document> {
    let at = source.at(&["helm", "valuesObject"]);
    let tree = source.value(&at)?.clone();
    manifest.check_editable().ok()?;
    let file = repo.files.get(&manifest.file)?;
    Some(Document {
        tree,
        home: Home::Application {
            at,
            text: file.document(manifest.document).to_owned(),
            line: file.documents[manifest.document].line,
            file: Box::new(file.clone()),
            manifest: Box::new(manifest.clone()),
        },
    })
}

fn of_file(files: &dyn Files, path: &RepoPath) -> Option<Document> {
    let text = String::from_utf8(files.read(path).ok()??).ok()?;
    let documents = yaml::documents(&text).ok()?;
    // Helm reads one document.
    let [document] = documents.as_slice() else { return None };
    let tree = yaml::value(&text[document.range.clone()]).ok()??;
    Some(Document {
        tree,
        home: Home::File(SourceFile {
            path: path.clone(),
            text,
            documents,
        }),
    })
}

impl Document {
    /// Returns the values of a text, for tests.
    #[cfg(test)]
    pub(super) fn of_text(path: &str, text: &str) -> Self {
        let files = crate::repo::Memory::new([(path, text)]).unwrap();
        of_file(&files, &RepoPath::new(path).unwrap()).unwrap()
    }

    /// Returns the file that it is in.
    pub(super) fn file(&self) -> &RepoPath {
        match &self.home {
            Home::File(file) => &file.path,
            Home::Application { manifest, .. } => &manifest.file,
        }
    }

    /// Returns the place of a value, as `apps/values.yaml:12:3`.
    pub(super) fn place(&self, pointer: &Pointer) -> String {
        match &self.home {
            Home::File(file) => {
                let (line, column) = position(file.document(0), pointer);
                format!("{}:{}:{column}", file.path, line + file.documents[0].line - 1)
            }
            Home::Application {
                manifest,
                at,
                text,
                line: first,
                ..
            } => {
                let (line, column) = position(text, &at.concat(pointer));
                format!("{}:{}:{column}", manifest.file, line + first - 1)
            }
        }
    }

    /// Returns the lines with comments inside of an entry of the document that is patched, as `apps/values.yaml:12`.
    pub(super) fn comments(&self, pointer: &Pointer) -> Vec<String> {
        let (file, text, first) = match &self.home {
            Home::File(file) => (&file.path, file.document(0), file.documents[0].line),
            Home::Application {
                manifest, text, line, ..
            } => (&manifest.file, text.as_str(), *line),
        };
        let lines = yaml::comment_lines(text, pointer).into_iter();
        lines.map(|line| format!("{file}:{}", line + first - 1)).collect()
    }

    /// Returns the change that gives an entry of the values another key.
    pub(super) fn renamed(&self, pointer: &Pointer, key: &str) -> Change {
        let (file, document, pointer) = match &self.home {
            Home::File(file) => (file.clone(), 0, pointer.to_buf()),
            Home::Application { manifest, at, file, .. } => {
                let pointer = manifest.in_document(&at.concat(pointer));
                ((**file).clone(), manifest.document, pointer)
            }
        };
        Change::RenameKey {
            file,
            document,
            pointer,
            key: key.to_owned(),
        }
    }

    /// Returns a patch of the values as a change.
    pub(super) fn patched(&self, patch: Patch) -> ChangeSet {
        match &self.home {
            Home::File(file) => ChangeSet {
                changes: vec![Change::PatchFile {
                    file: file.clone(),
                    document: 0,
                    patch,
                }],
            },
            Home::Application { manifest, at, .. } => fixes::patch_below(manifest, at, patch.0),
        }
    }
}
