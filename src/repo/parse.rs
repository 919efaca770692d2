//! What is in one file: its documents, the manifests in them, and what is wrong.

use super::overrides::is_override;
use super::own_file::is_own_file;
use super::{Files, Malformed, Manifest, NotPlain, Origin, RepoPath, SourceFile};
use crate::failure;
use crate::model::Object;
use crate::yaml::{self, Position};

/// What is wrong with a document that is a list.
pub(super) const LIST: &str = "not a manifest: the document is a list";
const NO_MAP: &str = "not a manifest: the document is not a map";

/// One file, read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The file, unless it could not be decoded.
    pub(super) file: Option<SourceFile>,
    pub(super) manifests: Vec<Manifest>,
    pub(super) malformed: Vec<Malformed>,
    /// Set when it is no plain file.
    pub(super) skipped: Option<NotPlain>,
}

impl Parsed {
    /// Reads and parses a file; nothing where it is gone.
    pub(super) fn read(files: &dyn Files, path: &RepoPath) -> Self {
        let bytes = match files.read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Self::default(),
            Err(error) => {
                return match failure::find::<NotPlain>(&error) {
                    Some(skipped) => Self {
                        skipped: Some(skipped.clone()),
                        ..Self::default()
                    },
                    None => Self::wrong(path, None, format!("{error:#}")),
                };
            }
        };
        Self::of_bytes(path, bytes)
    }

    /// Parses the content of a file.
    pub(super) fn of_bytes(path: &RepoPath, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::of_text(path.clone(), text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
                Self::wrong(path, Some(yaml::position(&before, valid)), "not UTF-8".to_owned())
            }
        }
    }

    /// Returns a file of which nothing can be read.
    fn wrong(path: &RepoPath, position: Option<Position>, message: String) -> Self {
        Self {
            malformed: vec![Malformed {
                file: path.clone(),
                position,
                message,
            }],
            ..Self::default()
        }
    }

    /// Parses the text of a file.
    pub(super) fn of_text(path: RepoPath, text: String) -> Self {
        if is_own_file(&path, &text) || is_override(&path, &text) {
            return Self::default();
        }
        let (mut manifests, mut wrong) = (Vec::new(), Vec::new());
        let documents = yaml::documents(&text).unwrap_or_else(|error| {
            wrong.push(error);
            Vec::new()
        });
        for (index, document) in documents.iter().enumerate() {
            match yaml::value(&text[document.range.clone()]) {
                Ok(None) => {}
                Ok(Some(tree)) if tree.is_object() => manifests.push(Manifest {
                    file: path.clone(),
                    document: index,
                    object: Object::new(tree),
                    origin: Origin::Document,
                }),
                Ok(Some(tree)) => wrong.push(yaml::YamlError {
                    line: document.line,
                    column: 1,
                    message: if tree.is_array() { LIST } else { NO_MAP }.to_owned(),
                }),
                Err(error) => wrong.push(error.below(document.line - 1)),
            }
        }
        let malformed = wrong.into_iter().map(|error| Malformed {
            file: path.clone(),
            position: Some(Position {
                line: error.line,
                column: error.column,
            }),
            message: error.message,
        });
        Self {
            malformed: malformed.collect(),
            manifests,
            file: Some(SourceFile { path, text, documents }),
            skipped: None,
        }
    }
}
