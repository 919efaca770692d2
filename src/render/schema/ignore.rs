//! `.helmignore`: the files of a chart's folder that helm does not load
//! ([source](https://github.com/helm/helm/blob/main/pkg/ignore/rules.go)).

/// The rules of one file, in their order.
#[derive(Debug, Default)]
pub(super) struct Ignored(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    pattern: Vec<char>,
    is_negated: bool,
    only_folders: bool,
    /// Whether the pattern is for the whole path, and not for the name alone.
    is_path: bool,
}

impl Ignored {
    /// Reads the rules. Helm refuses a file with a rule that it cannot read; nothing is ignored by it.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let rules = std::str::from_utf8(bytes).ok().and_then(|text| {
            let lines = text.split('\n').map(str::trim);
            let rules = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            rules.map(Rule::read).collect::<Option<Vec<Rule>>>()
        });
        Self(rules.unwrap_or_default())
    }

    /// Reports whether helm passes a file or folder by. A negated rule ignores everything that it does not match.
    pub(super) fn has(&self, path: &str, is_folder: bool) -> bool {
        // Go skips bytes, and here these are characters: then nothing is passed by.
        if !path.is_ascii() {
            return false;
        }
        for rule in &self.0 {
            let matches = rule.matches(path);
            match rule.is_negated {
                true if rule.only_folders && !is_folder || !matches => return true,
                false if matches && (is_folder || !rule.only_folders) => return true,
                _ => {}
            }
        }
        false
    }
}

impl Rule {
    fn read(line: &str) -> Option<Self> {
        if line.contains("**") || !is_pattern(&chars(line)) {
            return None;
        }
        let (is_negated, line) = line.strip_prefix('!').map_or((false, line), |line| (true, line));
        let (only_folders, line) = line.strip_suffix('/').map_or((false, line), |line| (true, line));
        Some(Self {
            pattern: chars(line.strip_prefix('/').unwrap_or(line)),
            is_negated,
            only_folders,
            is_path: line.contains('/'),
        })
    }

    fn matches(&self, path: &str) -> bool {
        let name = match self.is_path {
            true => path,
            false => path.rsplit('/').next().unwrap_or_default(),
        };
        matches(&self.pattern, &chars(name)).unwrap_or_default()
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// Reports whether a pattern can be read; helm finds out so, too.
fn is_pattern(pattern: &[char]) -> bool {
    matches(pattern, &['a', 'b', 'c']).is_some()
}

/// Reports whether a name matches a pattern of Go's `path/filepath`; nothing for a malformed pattern, where Go comes across
/// the malformed part ([source](https://pkg.go.dev/path/filepath#Match)).
fn matches(pattern: &[char], name: &[char]) -> Option<bool> {
    let (mut pattern, mut name) = (pattern, name);
    while !pattern.is_empty() {
        let chunk = Chunk::first(pattern);
        pattern = chunk.rest;
        if chunk.after_star && chunk.text.is_empty() {
            return Some(!name.contains(&'/'));
        }
        if let Some(rest) = match_chunk(chunk.text, name)?
            && (rest.is_empty() || !pattern.is_empty())
        {
            name = rest;
            continue;
        }
        let mut found = None;
        if chunk.after_star {
            for (index, _) in name.iter().enumerate().take_while(|(_, c)| **c != '/') {
                if let Some(rest) = match_chunk(chunk.text, &name[index + 1..])? {
                    if pattern.is_empty() && !rest.is_empty() {
                        continue;
                    }
                    found = Some(rest);
                    break;
                }
            }
        }
        let Some(rest) = found else {
            return Some(false);
        };
        name = rest;
    }
    Some(name.is_empty())
}

/// The part of a pattern up to the next `*`.
struct Chunk<'p> {
    after_star: bool,
    text: &'p [char],
    rest: &'p [char],
}

impl<'p> Chunk<'p> {
    fn first(pattern: &'p [char]) -> Self {
        let stars = pattern.iter().take_while(|c| **c == '*').count();
        let pattern = &pattern[stars..];
        let (mut in_range, mut end) = (false, 0);
        while end < pattern.len() {
            match pattern[end] {
                '\\' if end + 1 < pattern.len() => end += 1,
                '[' => in_range = true,
                ']' => in_range = false,
                '*' if !in_range => break,
                _ => {}
            }
            end += 1;
        }
        Self {
            after_star: stars > 0,
            text: &pattern[..end],
            rest: &pattern[end..],
        }
    }
}

/// Matches a chunk without `*` at the start of a name, and returns the rest of the name; after a mismatch the chunk is read
/// to its end, for mistakes.
fn match_chunk<'n>(chunk: &[char], name: &'n [char]) -> Option<Option<&'n [char]>> {
    let (mut chunk, mut name, mut failed) = (chunk, name, false);
    while let Some((first, rest)) = chunk.split_first() {
        failed |= name.is_empty();
        let next = name.first().copied().unwrap_or_default();
        chunk = rest;
        match first {
            '[' => {
                let (is_in, rest) = match_range(chunk, next)?;
                failed |= !is_in;
                chunk = rest;
            }
            '?' => failed |= next == '/',
            '\\' => {
                let (escaped, rest) = chunk.split_first()?;
                failed |= *escaped != next;
                chunk = rest;
            }
            literal => failed |= *literal != next,
        }
        if !failed {
            name = &name[1..];
        }
    }
    Some((!failed).then_some(name))
}

/// Reads a range up to its `]`, and reports whether a character is in it.
fn match_range(range: &[char], next: char) -> Option<(bool, &[char])> {
    let (is_negated, mut range) = match range {
        ['^', rest @ ..] => (true, rest),
        _ => (false, range),
    };
    let (mut is_in, mut count) = (false, 0);
    loop {
        if let [']', rest @ ..] = range
            && count > 0
        {
            return Some((is_in != is_negated, rest));
        }
        let (low, mut rest) = escaped(range)?;
        let mut high = low;
        if let ['-', after @ ..] = rest {
            (high, rest) = escaped(after)?;
        }
        is_in |= low <= next && next <= high;
        (range, count) = (rest, count + 1);
    }
}

/// Reads a character of a range; the range goes on after it.
fn escaped(range: &[char]) -> Option<(char, &[char])> {
    let range = match range {
        [] | ['-' | ']', ..] => return None,
        ['\\', rest @ ..] => rest,
        _ => range,
    };
    let (first, rest) = range.split_first()?;
    (!rest.is_empty()).then_some((*first, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Compares with what helm's own reader says.
    #[test]
    fn ignores_what_helm_ignores() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/schema/helmignore.json")).unwrap();
        let mut different = Vec::new();
        for case in vectors.as_array().unwrap() {
            let (rules, path) = (case["rules"].as_str().unwrap(), case["path"].as_str().unwrap());
            let is_folder = case["folder"].as_bool().unwrap();
            let is_ignored = Ignored::read(rules.as_bytes()).has(path, is_folder);
            if is_ignored != case["ignored"].as_bool().unwrap() {
                different.push(format!("{rules:?} {path} {is_folder}: here {is_ignored}"));
            }
        }
        assert!(different.is_empty(), "{}", different.join("\n"));
    }
}
