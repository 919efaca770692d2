//! The user's values, which a chart's `fail` may quote: no message may show them.
//!
//! Values are parsed only when a message has to be redacted; most renders have none.

use serde_json::Value;

use crate::yaml;

/// Parts of keys whose values are secret.
const SECRET: [&str; 7] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "credential",
];

/// Texts that no message may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confidential {
    texts: Vec<String>,
    /// YAML texts of which every value is confidential.
    values: Vec<String>,
    /// YAML texts of which the values under secret keys are confidential.
    files: Vec<String>,
}

impl Confidential {
    /// Makes the given texts confidential.
    pub fn of(texts: impl IntoIterator<Item = String>) -> Self {
        Self {
            texts: texts.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds texts.
    pub fn add(&mut self, texts: impl IntoIterator<Item = String>) {
        self.texts.extend(texts);
    }

    /// Adds every value of a text of YAML.
    pub fn add_values(&mut self, yaml: &str) {
        self.values.push(yaml.to_owned());
    }

    /// Adds the values in a YAML text under keys such as `password`.
    pub fn add_secrets(&mut self, yaml: String) {
        self.files.push(yaml);
    }

    /// Returns all confidential texts, and each line of those with several lines.
    pub fn texts(&self) -> Vec<String> {
        let mut found = self.texts.clone();
        for (texts, all) in [(&self.values, true), (&self.files, false)] {
            for text in texts {
                // An invalid text is the reason of helm's error; redacting the values of its lines is better than
                // nothing.
                found.extend(
                    lines(text)
                        .filter(|(key, _)| all || is_secret(key))
                        .map(|(_, value)| value),
                );
                if let Ok(documents) = yaml::documents(text) {
                    let trees = documents
                        .into_iter()
                        .filter_map(|document| yaml::value(&text[document.range]).ok()?);
                    trees.for_each(|tree| leaves(&tree, all, &mut found));
                }
            }
        }
        let lines: Vec<String> = found
            .iter()
            .filter(|text| text.contains('\n'))
            .flat_map(|text| text.lines().map(|line| line.trim().to_owned()))
            .collect();
        found.extend(lines);
        found.retain(|text| !text.is_empty());
        found.sort();
        found.dedup();
        found
    }
}

fn leaves(tree: &Value, is_secret_here: bool, found: &mut Vec<String>) {
    match tree {
        Value::String(text) if is_secret_here => found.push(text.clone()),
        Value::Number(number) if is_secret_here => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, is_secret_here, found)),
        Value::Object(map) => {
            // The variables of a container, such as `{name: DB_PASSWORD, value: …}`.
            let named = map.get("name").and_then(Value::as_str).is_some_and(is_secret);
            for (key, value) in map {
                leaves(
                    value,
                    is_secret_here || is_secret(key) || named && key == "value",
                    found,
                );
            }
        }
        _ => {}
    }
}

/// Splits the lines of a text into key and value; an item of a list or a line of a block scalar has no key.
fn lines(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ");
        let (key, value) = line.split_once(": ").unwrap_or(("", line));
        let value = value.trim().trim_matches(['"', '\'']);
        let shows = !value.ends_with(':') && !matches!(value, "" | "true" | "false" | "null" | "{}" | "[]" | "|" | ">");
        (shows && !line.starts_with('#')).then(|| (key, value.to_owned()))
    })
}

/// Reports whether a key's name marks its value as secret. `existingSecret` and `secretName` name an object.
fn is_secret(key: &str) -> bool {
    let key = key.replace(['_', '-', '"', '\''], "").to_ascii_lowercase();
    let names = ["name", "ref", "existingsecret"].iter().any(|end| key.ends_with(end));
    !names && SECRET.iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_however_they_are_written() {
        for text in [
            "auth:\n  password: hunter2x # change me\n",
            "auth: {password: hunter2x}\n",
            "{\"auth\":{\"password\":\"hunter2x\"}}",
            "password: &p hunter2x\n",
            "password: \"hunter\\u0032x\"\n",
            "password: >-\n  hunter2x\n",
            "password: |\n  first\n  hunter2x\n",
            "tokens:\n- a\n- hunter2x\n",
            "env:\n- name: DB_PASSWORD\n  value: hunter2x\n",
            "a: b\n---\nsecret: hunter2x\n",
            "password: hunter2x\nbroken: [\n",
        ] {
            let mut values = Confidential::default();
            values.add_values(text);
            let mut secrets = Confidential::default();
            secrets.add_secrets(text.to_owned());
            for found in [values.texts(), secrets.texts()] {
                assert!(found.iter().any(|value| value == "hunter2x"), "{text:?}: {found:?}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let mut files = Confidential::of(["set".to_owned()]);
        files.add_secrets(
            "image: jellyfin\nport: 8096\nexistingSecret: mine\npassword: hunter2x\npin: 1234\n".to_owned(),
        );
        assert_eq!(files.texts(), ["hunter2x", "set"]);
        let mut values = Confidential::default();
        values.add_values("port: 8096\non: true\n");
        assert_eq!(values.texts(), ["8096"]);
    }
}
