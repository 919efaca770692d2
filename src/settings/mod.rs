//! `.homelab.yaml` at the repository's root: what the repository says about itself and its cluster, so that no command line
//! has to repeat it. [`table::TABLE`] is the one list of its keys: the reader, the JSON schema, the README and `explain`
//! come from it.
//!
//! The command line reads it, and refuses what it does not know. `filter` does not, and the plugin reads only the keys that
//! say what the repository consists of ([`scan`]): the versions are Argo CD's own there, and no rule is checked.

mod baseline;
mod clusters;
mod document;
mod entry;
mod generators;
mod roots;
mod schema;
mod table;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::Settings;
use crate::repo::{Files, RepoPath};

pub use baseline::{BASELINE, LIST, baseline, baseline_text};
pub use clusters::clusters_of_file;
pub use generators::generators_of_file;
pub use schema::{schema, schema_text};
pub use table::{Key, TABLE};

use document::documents;
use entry::{Entry, Fault};

/// The file's path in the repository.
pub const FILE: &str = ".homelab.yaml";

/// A name that people expect to be read as well.
const OTHER_NAME: &str = ".homelab.yml";

/// Which keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// All, and there must be no others.
    All,
    /// Those that say what the repository consists of; others may be of a newer version.
    Scanned,
}

/// Reads the settings of a repository; those without a file are empty.
///
/// # Errors
/// When the file cannot be read, is no YAML, or has a key or a value that is not known: with its place.
pub fn read(files: &dyn Files) -> Result<Settings> {
    read_keys(files, Keys::All)
}

/// Reads what the settings say of the repository itself: `exclude`, `repoURLs`, `roots` and `clusters`. Whatever other keys
/// there are, and what they say, makes no difference, so that nothing else in the file can fail a render.
///
/// # Errors
/// When the file cannot be read, is no YAML, or has one of these keys with a value that is not known: with its place.
pub fn scan(files: &dyn Files) -> Result<Settings> {
    read_keys(files, Keys::Scanned)
}

fn read_keys(files: &dyn Files, keys: Keys) -> Result<Settings> {
    let is_there = |name: &str| Ok::<_, anyhow::Error>(files.read(&RepoPath::new(name)?)?.is_some());
    if is_there(OTHER_NAME)? {
        return Err(anyhow!("`{OTHER_NAME}` is not read").hint(format!("rename it to `{FILE}`")));
    }
    let Some(bytes) = files.read(&RepoPath::new(FILE)?)? else {
        return Ok(Settings::default());
    };
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("`{FILE}` is not UTF-8"))?;
    parse(&text, keys).with_context(|| format!("`{FILE}` cannot be used"))
}

/// Reads the text of the file.
fn parse(text: &str, keys: Keys) -> Result<Settings> {
    let mut settings = Settings::default();
    let documents = documents(FILE, text)?;
    if let Some(second) = documents.get(1) {
        return Err(second.error_at_start("a second document", "write one document"));
    }
    for document in documents {
        let is_read = |offset: &usize| keys == Keys::All || document.key_at(*offset).is_some_and(is_scanned);
        document.check(is_read)?;
        document.read(|root| of_document(&mut settings, keys, root))?;
    }
    Ok(settings)
}

/// Reports whether a key is read by [`scan`].
fn is_scanned(name: &str) -> bool {
    TABLE.iter().any(|key| key.name == name && key.is_scanned)
}

/// Reads the document; returns what is wrong with it.
fn of_document(settings: &mut Settings, keys: Keys, root: &Entry<'_>) -> Vec<Fault> {
    let Value::Object(map) = root.value else {
        return vec![root.fault(
            "the document is not a map",
            format!("write keys such as `{}`", TABLE[0].name),
        )];
    };
    let mut faults = Vec::new();
    for (name, value) in map {
        let entry = root.child(name, value);
        match TABLE.iter().find(|key| key.name == name) {
            // As a key with nothing but comments below it.
            Some(_) if value.is_null() => {}
            Some(key) if keys == Keys::All || key.is_scanned => faults.extend((key.read)(settings, &entry)),
            None if keys == Keys::All => {
                faults.push(entry.unknown(name, &TABLE.iter().map(|key| key.name).collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    faults
}

#[cfg(test)]
mod tests;
