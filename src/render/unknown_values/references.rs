//! Which values the templates of a chart read: every `.Values.a.b` in its files.

use std::collections::BTreeSet;

/// The paths of values that are read. What is read as a whole is read with all that is in it.
#[derive(Clone, Debug, Default)]
pub(super) struct References(BTreeSet<Vec<String>>);

/// The functions that take a map, and then keys in it.
const BY_KEY: [&str; 3] = ["get", "hasKey", "index"];

impl References {
    /// Adds what a text reads.
    pub(super) fn read(&mut self, text: &str) {
        for (at, _) in text.match_indices("Values") {
            let (before, behind) = (&text[..at], &text[at + "Values".len()..]);
            match before.chars().next_back() {
                Some('.') => {}
                // `index . "Values"` and the like: nobody knows what comes of it.
                Some('"' | '`') => {
                    self.0.insert(Vec::new());
                    continue;
                }
                _ => continue,
            }
            if behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            let (mut path, rest) = fields(behind);
            if BY_KEY.contains(&function(before)) {
                path.extend(keys(rest));
            }
            self.0.insert(path);
        }
    }

    /// Adds what others read.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Adds one path.
    pub(super) fn add(&mut self, path: Vec<String>) {
        self.0.insert(path);
    }

    /// Reports whether a value is read: itself, something in it, or what it is in.
    pub(super) fn has(&self, path: &[String]) -> bool {
        self.0.iter().any(|read| {
            let common = read.len().min(path.len());
            read[..common] == path[..common]
        })
    }

    /// Reports whether a value, or what it is in, is read as a whole.
    pub(super) fn is_read_whole(&self, path: &[String]) -> bool {
        (0..=path.len()).any(|end| self.0.contains(&path[..end]))
    }

    /// Returns the keys below a path that are read by their names.
    pub(super) fn keys_below<'r>(&'r self, path: &'r [String]) -> impl Iterator<Item = &'r str> {
        let below = self
            .0
            .iter()
            .filter(|read| read.len() > path.len() && read[..path.len()] == *path);
        below.map(|read| read[path.len()].as_str())
    }
}

/// Returns the fields that follow, as `.a.b`, and what is behind them.
fn fields(mut text: &str) -> (Vec<String>, &str) {
    let mut path = Vec::new();
    while let Some(rest) = text.strip_prefix('.') {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        path.push(rest[..end].to_owned());
        text = &rest[end..];
    }
    (path, text)
}

/// Returns the function whose first argument ends a text: its name, before what the argument begins with.
fn function(before: &str) -> &str {
    let argument = before
        .rfind(|c: char| c.is_whitespace() || c == '(')
        .map_or(0, |at| at + 1);
    let text = before[..argument].trim_end_matches(|c: char| c.is_whitespace() || c == '(');
    let start = text.rfind(|c: char| !c.is_alphanumeric()).map_or(0, |at| at + 1);
    &text[start..]
}

/// Returns the keys in quotes at the start of a text.
fn keys(mut text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    while let Some(rest) = text.trim_start_matches([' ', '\t']).strip_prefix('"') {
        let Some((key, behind)) = rest.split_once('"') else {
            break;
        };
        keys.push(key.to_owned());
        text = behind;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut references = References::default();
        references.read(text);
        references.0.iter().map(|path| path.join(".")).collect()
    }

    #[test]
    fn paths_are_read() {
        for (text, expected) in [
            ("{{ .Values.image.tag | quote }}", &["image.tag"][..]),
            ("{{- with $.Values.ingress }}", &["ingress"]),
            ("{{ index .Values \"a-b\" \"c\" }}", &["a-b.c"]),
            ("{{ if hasKey .Values.a \"b\" }}", &["a.b"]),
            ("{{ toYaml .Values }}", &[""]),
            ("{{ $values := .root.Values -}}", &[""]),
            ("{{ get . \"Values\" }}", &[""]),
            ("{{ (.Values.a).b }}", &["a"]),
            ("{{ .ValuesFrom.a }} no Values at all", &[]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_read_as_a_whole_is_read_with_all_in_it() {
        let mut references = References::default();
        references.read("{{ toYaml .Values.resources }} {{ .Values.image.tag }}");
        let has = |path: &str| references.has(&path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert!(has("resources.limits.cpu") && has("image") && has("image.tag"));
        assert!(!has("image.tags") && !has("ingress"));
    }
}
