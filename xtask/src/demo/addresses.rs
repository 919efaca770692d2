//! The addresses of repositories inside of a manifest: what an ApplicationSet's generators and template point to.

use anyhow::Result;
use homelab::model::{Pointer, PointerBuf, PointerExt};
use serde_json::{Map, Value, json};

/// The only branch of each served repository.
pub(super) const BRANCH: &str = "main";

/// Gives the address under which a repository is served, if it is.
pub(super) type Served<'a> = dyn FnMut(&str) -> Result<Option<String>> + 'a;

/// What makes a part of a manifest point at the served repositories.
#[derive(Debug, Default)]
pub(super) struct Pointed {
    /// The operations of a JSON Patch.
    pub(super) operations: Vec<Value>,
    /// The revisions of served repositories that are asked for and not there, with their repositories.
    pub(super) revisions: Vec<(String, String)>,
}

impl Pointed {
    /// Adds what points everything below a place of a manifest at the served repositories: each `repoURL` with its revision, and the
    /// addresses in other texts, as in parameters and in `templatePatch`.
    ///
    /// # Errors
    /// When a repository cannot be served.
    pub(super) fn add(&mut self, place: &Pointer, tree: &Value, served: &mut Served<'_>) -> Result<()> {
        match tree {
            // A chart's repository is none of Git.
            Value::Object(map) if map.contains_key("chart") => self.add_members(place, map, &["repoURL"], served),
            Value::Object(map) => {
                self.add_revision(place, map, served)?;
                self.add_members(place, map, &[], served)
            }
            Value::Array(list) => {
                let mut entries = list.iter().enumerate();
                entries.try_for_each(|(index, entry)| self.add(&place.child(index), entry, served))
            }
            Value::String(text) => {
                let after = replaced(text, served)?;
                if after != *text {
                    self.replace(place.to_buf(), &after);
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn add_members(
        &mut self,
        place: &Pointer,
        map: &Map<String, Value>,
        without: &[&str],
        served: &mut Served<'_>,
    ) -> Result<()> {
        let mut members = map.iter().filter(|(key, _)| !without.contains(&key.as_str()));
        members.try_for_each(|(key, value)| self.add(&place.child(key.as_str()), value, served))
    }

    /// Points the revision beside a `repoURL` to the branch that is served.
    fn add_revision(&mut self, place: &Pointer, map: &Map<String, Value>, served: &mut Served<'_>) -> Result<()> {
        let Some(address) = map.get("repoURL").and_then(Value::as_str) else {
            return Ok(());
        };
        for key in ["revision", "targetRevision"] {
            let revision = map.get(key).and_then(Value::as_str).unwrap_or_default();
            let is_served = ["", "HEAD", BRANCH].contains(&revision) || revision.contains("{{");
            if !is_served && served(address)?.is_some() {
                self.replace(place.child(key), BRANCH);
                self.revisions.push((revision.to_owned(), address.to_owned()));
            }
        }
        Ok(())
    }

    fn replace(&mut self, place: PointerBuf, value: &str) {
        self.operations
            .push(json!({"op": "replace", "path": place, "value": value}));
    }
}

/// Returns a text with the addresses of served repositories in the place of those that they stand for.
///
/// # Errors
/// When a repository cannot be served.
pub(super) fn replaced(text: &str, served: &mut Served<'_>) -> Result<String> {
    let mut after = String::with_capacity(text.len());
    let is_end = |c: char| c.is_whitespace() || "\"'`,[]()<>|;".contains(c);
    for part in text.split_inclusive(is_end) {
        let word = part.trim_end_matches(is_end);
        // The end of a map in braces; braces inside belong to a template, which makes the address.
        let word = match word.strip_suffix('}') {
            Some(inside) if !inside.contains(['{', '}']) => inside,
            _ => word,
        };
        let is_address = word.contains("://") || word.starts_with("git@");
        match is_address.then(|| served(word)).transpose()?.flatten() {
            Some(address) => {
                after.push_str(&address);
                after.push_str(&part[word.len()..]);
            }
            None => after.push_str(part),
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(address: &str) -> Result<Option<String>> {
        Ok(
            homelab::model::repo_url::same(address, "https://git.example.org/me/home")
                .then(|| "file:///home.git".to_owned()),
        )
    }

    #[test]
    fn an_address_is_replaced_wherever_it_stands_as_a_word() {
        for (text, expected) in [
            ("https://git.example.org/me/home", "file:///home.git"),
            ("git@git.example.org:me/home.git", "file:///home.git"),
            (
                "a: 'https://git.example.org/me/home.git'\nb",
                "a: 'file:///home.git'\nb",
            ),
            (
                "{repoURL: https://git.example.org/me/home}",
                "{repoURL: file:///home.git}",
            ),
        ] {
            assert_eq!(replaced(text, &mut served).unwrap(), expected);
        }
        for text in [
            "https://git.example.org/me/home-2",
            "https://git.example.org/me/{{ .name }}",
            "https://git.example.org/{{ .owner }}/home",
            "https://kubernetes.default.svc",
            "home",
            "",
        ] {
            assert_eq!(replaced(text, &mut served).unwrap(), text);
        }
    }

    #[test]
    fn a_revision_goes_with_its_address() {
        let tree = json!({
            "git": {"repoURL": "https://git.example.org/me/home", "revision": "production"},
            "sources": [
                {"repoURL": "https://git.example.org/me/home", "targetRevision": "{{ .revision }}"},
                {"repoURL": "https://git.example.org/me/home", "chart": "web", "targetRevision": "1.0.0"},
                {"repoURL": "https://git.example.org/you/other", "targetRevision": "v1"},
            ],
        });
        let mut pointed = Pointed::default();
        pointed
            .add(&PointerBuf::from_tokens(["spec"]), &tree, &mut served)
            .unwrap();
        let operations: Vec<String> = pointed
            .operations
            .iter()
            .map(|operation| format!("{} {}", operation["path"], operation["value"]))
            .collect();
        assert_eq!(
            operations,
            [
                r#""/spec/git/revision" "main""#,
                r#""/spec/git/repoURL" "file:///home.git""#,
                r#""/spec/sources/0/repoURL" "file:///home.git""#,
            ]
        );
        assert_eq!(pointed.revisions.len(), 1);
    }
}
