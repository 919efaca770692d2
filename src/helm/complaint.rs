//! What helm says when it fails, fit for everybody's eyes: one line, without temporary paths, and without anything that
//! could be a value. Argo CD shows it to all who can see the Application.

/// Longest complaint, in characters.
const LONGEST: usize = 600;
/// Behind these words helm, its template engine and its YAML reader quote values.
const QUOTES_VALUES_BEHIND: &[&str] = &[
    "can't iterate over ",
    "wrong type for value; expected ",
    "invalid value; ",
    "cannot unmarshal ",
    "failed parsing --set data: ",
    "unable to parse ",
    "map[",
    "can't evaluate field ",
    "unknown anchor ",
];
/// Helm's words before what its YAML reader says; they quote nothing, and hide the line.
const IN_FRONT_OF_THE_LINE: &str = "cannot unmarshal yaml document: ";

/// Helm's complaint in one line.
///
/// `private` are paths that nobody should see; `confidential` texts from the person's values.
pub(super) fn cleaned(stderr: &str, private: &[String], confidential: &[String]) -> String {
    let start = stderr.find("Error:").map_or(0, |at| at + "Error:".len());
    let lines = stderr[start..].lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("Use --debug") && !line.starts_with("WARNING:"));
    let mut text = lines.collect::<Vec<_>>().join(" ");
    // A chart's own `fail` and `required` say what the author wrote; all else may quote.
    let authored = text.contains("execution error at ") && !text.contains("error calling ")
        || text.contains("error calling fail:");
    for path in private {
        text = text.replace(&format!("{path}/"), "").replace(path.as_str(), ".");
    }
    // Longer texts first: one may hold another.
    let mut confidential: Vec<&str> = confidential
        .iter()
        .map(|value| value.trim_matches(['"', '\'']))
        .filter(|value| value.len() > 3)
        .collect();
    confidential.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in confidential {
        text = text.replace(value, "…");
    }
    if !authored {
        text = without_quotes(&text.replace(IN_FRONT_OF_THE_LINE, ""));
        for words in QUOTES_VALUES_BEHIND {
            if let Some(at) = text.find(words) {
                text.truncate(at + words.trim_end_matches('[').len());
                text.push('…');
            }
        }
    }
    if text.is_empty() {
        return "it said nothing".to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The text with what stands in quotes left out, unless it is the name of a template or a chart.
fn without_quotes(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(['"', '`']) {
        let quote = &rest[at..=at];
        let Some(end) = rest[at + 1..].find(quote) else {
            out.push_str(&rest[..at]);
            return out + "…";
        };
        let quoted = &rest[at + 1..at + 1 + end];
        let is_template = quoted.contains('/')
            && [".yaml", ".yml", ".tpl", ".txt"]
                .iter()
                .any(|ending| quoted.ends_with(ending));
        out.push_str(&rest[..=at]);
        out.push_str(if is_template && !quoted.contains(char::is_whitespace) {
            quoted
        } else {
            "…"
        });
        out.push_str(quote);
        rest = &rest[at + 2 + end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_place_and_reason_and_drops_values() {
        let private = ["/tmp/_cmp_server/1234".to_owned()];
        let confidential = ["hunter2".to_owned(), "hunter2hunter2".to_owned()];
        for (said, expected) in [
            (
                "WARNING: x\nError: execution error at (c/templates/a.yaml:3:4): set `image.tag`\n\nUse --debug flag to render out invalid YAML\n",
                "execution error at (c/templates/a.yaml:3:4): set `image.tag`",
            ),
            (
                "Error: YAML parse error on c/templates/secret.yaml: error converting YAML to JSON: yaml: line 5: could not find expected ':'",
                "YAML parse error on c/templates/secret.yaml: error converting YAML to JSON: yaml: line 5: could not find expected ':'",
            ),
            (
                "Error: template: c/templates/a.yaml:1:9: executing \"c/templates/a.yaml\" at <.Values.x>: range can't iterate over s3cret",
                "template: c/templates/a.yaml:1:9: executing \"c/templates/a.yaml\" at <.Values.x>: range can't iterate over …",
            ),
            (
                "Error: failed parsing --set data: key \"s3cret\" has no value",
                "failed parsing --set data: …",
            ),
            (
                "Error: failed to parse parameter values: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'",
                "failed to parse parameter values: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'",
            ),
            (
                "Error: failed to parse parameter values: cannot unmarshal yaml document: error unmarshaling JSON: json: cannot unmarshal array into Go value",
                "failed to parse parameter values: error unmarshaling JSON: json: cannot unmarshal …",
            ),
            (
                "Error: yaml: unknown anchor 's3cret' referenced",
                "yaml: unknown anchor …",
            ),
            ("Error: cannot unmarshal !!str `s3cret` into int", "cannot unmarshal …"),
            (
                "Error: open /tmp/_cmp_server/1234/c/x: no such file",
                "open c/x: no such file",
            ),
            (
                "Error: execution error at (c/a.yaml:1:1): password is hunter2hunter2",
                "execution error at (c/a.yaml:1:1): password is …",
            ),
            ("", "it said nothing"),
        ] {
            assert_eq!(cleaned(said, &private, &confidential), expected);
        }
        assert_eq!(cleaned(&"x".repeat(5000), &[], &[]).chars().count(), LONGEST + 1);
    }
}
