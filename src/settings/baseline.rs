//! `.homelab-baseline.yaml` at the repository's root: the findings that are accepted for now.

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::document::documents;
use super::entry::{Entry, Fault};
use crate::repo::{Files, RepoPath, SourceFile};
use crate::rules::Baseline;
use crate::rules::baseline::Accepted;
use crate::yaml;

/// The file's path in the repository.
pub const BASELINE: &str = ".homelab-baseline.yaml";

/// The key of the list.
pub const LIST: &str = "accepted";

const HEAD: &str = "\
# Findings of `kubectl homelab validate` that are accepted for now; new ones are reported. Take out what is not needed any more
# with `kubectl homelab baseline --update`.
";
const FIELDS: [&str; 5] = ["rule", "application", "object", "pointer", "names"];
const HINT: &str = "make the file with `kubectl homelab baseline`";

/// Reads the baseline of a repository, with its file; `None` where there is none.
///
/// # Errors
/// When the file cannot be read, is no YAML, or has a key that is not known: with its place.
pub fn baseline(files: &dyn Files) -> Result<Option<(Baseline, SourceFile)>> {
    let path = RepoPath::new(BASELINE)?;
    let Some(bytes) = files.read(&path)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("`{BASELINE}` is not UTF-8"))?;
    let accepted = parse(&text).with_context(|| format!("`{BASELINE}` cannot be used"))?;
    let documents = yaml::documents(&text).map_err(|error| anyhow!("{BASELINE}:{error}"))?;
    let file = SourceFile { path, text, documents };
    Ok(Some((Baseline { accepted }, file)))
}

fn parse(text: &str) -> Result<Vec<Accepted>> {
    let mut accepted = Vec::new();
    let documents = documents(BASELINE, text)?;
    if let Some(second) = documents.get(1) {
        return Err(second.error_at_start("a second document", "write one document"));
    }
    for document in documents {
        document.check(|_| true)?;
        document.read(|root| match of_document(root) {
            Ok(read) => {
                accepted = read;
                Vec::new()
            }
            Err(faults) => faults,
        })?;
    }
    Ok(accepted)
}

fn of_document(root: &Entry<'_>) -> Result<Vec<Accepted>, Vec<Fault>> {
    let fields = root.fields(&[LIST])?;
    let Some(list) = fields.get(LIST) else {
        return Ok(Vec::new());
    };
    let Some(items) = list.items() else {
        return Err(vec![list.fault(format!("`{LIST}` is not a list"), HINT)]);
    };
    items.iter().map(of_item).collect()
}

fn of_item(item: &Entry<'_>) -> Result<Accepted, Vec<Fault>> {
    let fields = item.fields(&FIELDS)?;
    let text = |key: &str| fields.get(key).and_then(Entry::text);
    let needed = |key: &str| text(key).ok_or_else(|| vec![item.fault(format!("an entry has no `{key}`"), HINT)]);
    let names = match fields.get("names") {
        Some(names) => names
            .items()
            .and_then(|items| items.iter().map(Entry::text).collect())
            .ok_or_else(|| vec![names.fault("`names` is not a list of texts", HINT)])?,
        None => Vec::new(),
    };
    Ok(Accepted {
        rule: needed("rule")?,
        application: text("application"),
        object: needed("object")?,
        pointer: text("pointer").unwrap_or_default(),
        names,
    })
}

/// Returns the text of a new file.
///
/// # Errors
/// Never in practice: it holds texts and lists.
pub fn baseline_text(baseline: &Baseline) -> Result<String> {
    let entry = |accepted: &Accepted| {
        let mut entry = json!({"rule": accepted.rule});
        if let Some(application) = &accepted.application {
            entry["application"] = json!(application);
        }
        entry["object"] = json!(accepted.object);
        if !accepted.pointer.is_empty() {
            entry["pointer"] = json!(accepted.pointer);
        }
        if !accepted.names.is_empty() {
            entry["names"] = json!(accepted.names);
        }
        entry
    };
    let entries: Vec<Value> = baseline.accepted.iter().map(entry).collect();
    Ok(format!("{HEAD}{}", yaml::emit(&json!({LIST: entries}))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;
    use crate::repo::own_file::is_own_file;

    fn accepted() -> Baseline {
        let one = Accepted {
            rule: "HL113".to_owned(),
            application: Some("player".to_owned()),
            object: "apps/Deployment/media/player".to_owned(),
            pointer: "/spec/strategy".to_owned(),
            names: vec!["player".to_owned(), "media/yes".to_owned(), "0644".to_owned()],
        };
        let bare = Accepted {
            rule: "HL321".to_owned(),
            object: "apps/kustomization.yaml".to_owned(),
            ..Accepted::default()
        };
        Baseline {
            accepted: vec![one, bare],
        }
    }

    #[test]
    fn the_file_reads_as_it_was_written_and_is_no_manifest() {
        let text = baseline_text(&accepted()).unwrap();
        let files = Memory::new([(BASELINE, text.as_str())]).unwrap();
        let (read, file) = baseline(&files).unwrap().unwrap();
        assert_eq!((&read, &file.text), (&accepted(), &text));
        let fields = ["apiVersion:", "kind:", "metadata:"];
        assert!(
            text.lines()
                .all(|line| !fields.iter().any(|field| line.starts_with(field)))
        );
        assert!(is_own_file(&RepoPath::new(BASELINE).unwrap(), &text));
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_place() {
        for (text, message) in [
            ("accepted: 3\n", ":1:11: `accepted` is not a list"),
            ("accepted:\n- rule: HL101\n", ":2:3: an entry has no `object`"),
            ("accepted:\n- rule: HL101\n  objekt: a\n", ":3:3: unknown key `objekt`"),
            ("rules: []\n", ":1:1: unknown key `rules`"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{text}: {error}");
        }
        assert_eq!(parse("").unwrap(), []);
    }
}
