//! The user's values, which helm and a chart's `fail` may quote: no message may show them.
//!
//! Values are parsed only when a message has to be masked; most renders have none.

use serde_json::Value;

use crate::masking::{Values, is_secret, secrets_within};
use crate::yaml;

/// Texts that no message may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confidential {
    secrets: Vec<String>,
    /// Single values by their names.
    parameters: Vec<(String, String)>,
    /// YAML texts of which every value is confidential.
    values: Vec<String>,
    /// YAML texts of which the secrets are confidential.
    files: Vec<String>,
    /// Whether helm reads values that nobody else has read.
    is_incomplete: bool,
}

impl Confidential {
    /// Makes the given secrets confidential.
    pub fn of(secrets: impl IntoIterator<Item = String>) -> Self {
        Self {
            secrets: secrets.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds secrets.
    pub fn add(&mut self, secrets: impl IntoIterator<Item = String>) {
        self.secrets.extend(secrets);
    }

    /// Adds a single value with its name.
    pub fn add_parameter(&mut self, name: &str, value: String) {
        self.parameters.push((name.to_owned(), value));
    }

    /// Adds every value of a text of YAML.
    pub fn add_values(&mut self, yaml: &str) {
        self.values.push(yaml.to_owned());
    }

    /// Adds the secrets in a text of YAML: the values under keys such as `password`, and what stands in longer texts.
    pub fn add_secrets(&mut self, yaml: String) {
        self.files.push(yaml);
    }

    /// Says that helm reads values from the network, which nobody knows here.
    pub fn add_unknown(&mut self) {
        self.is_incomplete = true;
    }

    /// Reports whether helm may show values that are not among [`Confidential::values`].
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// Returns all confidential values.
    pub fn values(&self) -> Values {
        let mut found = Found {
            all: true,
            ..Found::default()
        };
        self.secrets.iter().for_each(|text| found.values.add_secret(text));
        for (name, value) in &self.parameters {
            found.parameter(name, value);
        }
        for (texts, all) in [(&self.values, true), (&self.files, false)] {
            found.all = all;
            texts.iter().for_each(|text| found.text(text));
        }
        found.values
    }
}

/// The values that are found in texts of YAML.
#[derive(Default)]
struct Found {
    values: Values,
    /// Whether values that are no secrets are confidential, too.
    all: bool,
}

impl Found {
    fn text(&mut self, text: &str) {
        // An invalid text is the reason of helm's error; the values of its lines are better than nothing.
        for secret in secrets_within(text) {
            self.values.add_secret(secret);
        }
        if self.all {
            lines(text).for_each(|value| self.values.add(value));
        }
        let trees = yaml::documents(text).into_iter().flatten();
        let trees = trees.filter_map(|document| yaml::value(&text[document.range]).ok()?);
        trees.for_each(|tree| self.leaves(&tree, false));
    }

    /// Adds a value of `--set`, and the parts into which helm splits it.
    fn parameter(&mut self, name: &str, value: &str) {
        let is_secret = is_secret(name);
        let plain = value.replace('\\', "");
        let parts = plain.split([',', '{', '}', '=']).filter(|part| part.len() > 3);
        for part in [value, &plain].into_iter().chain(parts) {
            self.leaf(part, is_secret);
        }
    }

    fn leaf(&mut self, text: &str, is_secret: bool) {
        if is_secret {
            self.values.add_secret(text);
            return;
        }
        for secret in secrets_within(text) {
            self.values.add_secret(secret);
        }
        if self.all {
            self.values.add(text);
        }
    }

    fn leaves(&mut self, tree: &Value, is_secret_here: bool) {
        match tree {
            Value::String(text) => self.leaf(text, is_secret_here),
            Value::Number(number) => self.leaf(&number.to_string(), is_secret_here),
            Value::Array(items) => {
                let mut option = false;
                for item in items {
                    self.leaves(item, is_secret_here || option);
                    // The argument behind `--password`.
                    option = item
                        .as_str()
                        .is_some_and(|text| text.starts_with('-') && is_secret(text));
                }
            }
            Value::Object(map) => {
                // The variables of a container, such as `{name: DB_PASSWORD, value: …}`.
                let named = ["name", "key"].into_iter().any(|key| {
                    let name = map.get(key).and_then(Value::as_str);
                    name.is_some_and(is_secret)
                });
                for (key, value) in map {
                    self.leaves(value, is_secret_here || is_secret(key) || named && key == "value");
                }
            }
            _ => {}
        }
    }
}

/// Returns the values of a text's lines; an item of a list or a line of a block scalar has no key.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ");
        let (_, value) = line.split_once(": ").unwrap_or(("", line));
        let value = value.trim().trim_matches(['"', '\'']);
        let shows = !value.ends_with(':') && !matches!(value, "" | "true" | "false" | "null" | "{}" | "[]" | "|" | ">");
        (shows && !line.starts_with('#')).then(|| value.to_owned())
    })
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
            "env:\n- key: DB_PASSWORD\n  value: hunter2x\n",
            "env:\n  DB_PASSWORD: {value: hunter2x}\n",
            "args: [--port, '80', --password, hunter2x]\n",
            "args: [--password=hunter2x]\n",
            "url: postgres://me:hunter2x@db/a\n",
            "dsn: Server=db;Password=hunter2x\n",
            "config: |\n  server:\n    password: hunter2x\n",
            "a: b\n---\nsecret: hunter2x\n",
            "password: hunter2x\nbroken: [\n",
        ] {
            let mut values = Confidential::default();
            values.add_values(text);
            let mut secrets = Confidential::default();
            secrets.add_secrets(text.to_owned());
            for found in [values, secrets] {
                assert_eq!(found.values().mask("it is hunter2x"), "it is …", "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let mut files = Confidential::of(["set-it".to_owned()]);
        files.add_secrets(
            "image: jellyfin\nport: 8096\nexistingSecret: mine\npassword: hunter2x\npin: 1234\n".to_owned(),
        );
        assert_eq!(
            files.values().mask("jellyfin 8096 mine hunter2x 1234 set-it"),
            "jellyfin 8096 mine … … …"
        );
        let mut values = Confidential::default();
        values.add_values("port: 8096\non: true\n");
        assert_eq!(values.values().mask("8096 is true"), "… is true");
    }

    #[test]
    fn the_parts_of_a_parameter_are_confidential() {
        let mut parameters = Confidential::default();
        parameters.add_parameter("auth.password", "hunter2\\,x{y".to_owned());
        parameters.add_parameter("a", "{first=one,second}".to_owned());
        let values = parameters.values();
        assert_eq!(values.mask("hunter2,x{y, hunter2"), "…, …");
        assert_eq!(values.mask("it is first, second"), "it is …, …");
    }
}
