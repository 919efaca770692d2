//! `.homelab.yaml` at the repository's root: what the repository says about itself and its cluster, so that no command line
//! has to repeat it. [`table::TABLE`] is the one list of its keys: the reader, the JSON schema, the README and `explain`
//! come from it.
//!
//! The command line reads it, and refuses what it does not know. `filter` does not, and the plugin reads only the keys that
//! say what the repository consists of ([`scan`]): the versions are Argo CD's own there, and no rule is checked.

mod clusters;
mod entry;
mod roots;
mod schema;
mod table;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value};

use crate::failure::HintExt;
use crate::model::{Pointer, PointerBuf, PointerExt, Settings};
use crate::repo::{Files, RepoPath};
use crate::yaml::{self, Locator, Position, Tree, YamlError};

pub use schema::{schema, schema_text};
pub use table::{Key, TABLE};

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
    let documents = yaml::documents(text).map_err(malformed)?;
    let below = |error: YamlError, line: usize| malformed(error.below(line - 1));
    let mut found = None;
    for document in documents {
        let part = &text[document.range.clone()];
        let tree = Tree::parse(part).map_err(|error| below(error, document.line))?;
        if tree.is_empty() {
            continue;
        }
        if found.is_some() {
            return Err(anyhow!("{FILE}:{}:1: a second document", document.line).hint("write one document"));
        }
        let value = tree.value().map_err(|error| below(error, document.line))?;
        found = Some(());
        let place = |offset: usize| {
            let Position { line, column } = yaml::position(part, offset);
            format!("{FILE}:{}:{column}", line + document.line - 1)
        };
        let locator = Locator::new(&tree);
        let is_read = |offset: &usize| keys == Keys::All || is_scanned(&value, &locator, *offset);
        if let Some(offset) = tree.repeated_keys().into_iter().find(is_read) {
            return Err(anyhow!("{}: this key stands here a second time", place(offset)).hint("write every key once"));
        }
        if let Some(offset) = tree.dropped() {
            return Err(anyhow!("{}: nobody reads what stands here", place(offset)).hint("write one document"));
        }
        let mut faults = of_document(&mut settings, keys, &value, &locator);
        let offset = |fault: &Fault| {
            let span = locator.locate(&fault.pointer);
            let start = |span: yaml::Span| match fault.is_on_key {
                true => span.key.unwrap_or(span.value).start,
                false => span.value.start,
            };
            span.map_or(0, start)
        };
        faults.sort_by_key(offset);
        if let [first, others @ ..] = &faults[..] {
            let more = match others.len() {
                0 => String::new(),
                count => format!(" (and {count} more)"),
            };
            let at = place(offset(first));
            return Err(anyhow!("{at}: {}{more}", first.message).hint(first.hint.clone()));
        }
    }
    Ok(settings)
}

/// Reports whether an offset is in an entry whose key is read by [`scan`]: in the last entry that begins before it.
fn is_scanned(value: &Value, locator: &Locator<'_, '_>, offset: usize) -> bool {
    let names = value.as_object().into_iter().flat_map(Map::keys);
    let begins = names.filter_map(|name| {
        let span = locator.locate(&PointerBuf::new().child(name.as_str()))?;
        Some((span.key?.start, name)).filter(|(start, _)| *start <= offset)
    });
    let entry = begins.max();
    entry.is_some_and(|(_, name)| TABLE.iter().any(|key| key.name == name && key.is_scanned))
}

/// Reads the value of the document; returns what is wrong with it.
fn of_document(settings: &mut Settings, keys: Keys, value: &Value, locator: &Locator<'_, '_>) -> Vec<Fault> {
    let written = |pointer: &Pointer| locator.scalar_text(pointer).map(str::to_owned);
    let root = Entry::new(value, PointerBuf::new(), &written);
    let Value::Object(map) = value else {
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

fn malformed(error: YamlError) -> anyhow::Error {
    anyhow!("{FILE}:{error}").hint("correct the YAML")
}

#[cfg(test)]
mod tests;
