//! Redacts helm's messages: one line, without temporary paths, and without anything that could be a value. Argo CD shows it
//! to all who can see the Application.

use crate::masking::{MASK, without_logins};
use crate::render::confidential::Confidential;

/// The maximum length of a message, in characters.
const LONGEST: usize = 600;
/// Words after which helm, its template engine and its YAML reader quote values.
const BEFORE_VALUES: &[&str] = &[
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
/// Helm's text before the message of its YAML parser, which quotes nothing and hides the line.
const BEFORE_LINE: &str = "cannot unmarshal yaml document: ";

/// Returns helm's message in one line.
///
/// `private` are paths that nobody should see; `confidential` are the user's values.
pub(super) fn redacted(stderr: &str, private: &[String], confidential: &Confidential) -> String {
    let start = stderr.find("Error:").map_or(0, |at| at + "Error:".len());
    let mut text = stderr[start..].to_owned();
    for path in private {
        text = text.replace(&format!("{path}/"), "").replace(path.as_str(), ".");
    }
    // Before anything is left out: a value may have several lines.
    let text = without_logins(&confidential.values().mask(&text));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("Use --debug") && !line.starts_with("WARNING:"));
    let mut text = lines.map(violation).collect::<Vec<_>>().join(" ");
    // The messages of a chart's `fail` and `required` come from its author; all others may quote.
    let authored = text.contains("execution error at ") && !text.contains("error calling ")
        || text.contains("error calling fail:");
    if authored && confidential.is_incomplete() {
        text = place_only(&text);
    } else if !authored {
        text = without_quotes(&text.replace(BEFORE_LINE, ""));
        for words in BEFORE_VALUES {
            if let Some(at) = text.find(words) {
                text.truncate(at + words.trim_end_matches('[').len());
                text.push_str(MASK);
            }
        }
    }
    if text.is_empty() {
        return "it printed no message".to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}{MASK}", &text[..end]),
        None => text,
    }
}

/// Returns the place of a message that comes from a chart, without its words: they may quote a value that helm fetched.
fn place_only(text: &str) -> String {
    let end = ["): ", "error calling fail:"]
        .iter()
        .filter_map(|end| Some(text.find(end)? + end.len()))
        .min();
    format!("{} {MASK}", text[..end.unwrap_or(0)].trim_end())
}

/// Returns a line `- at '/path': what is wrong` about a schema without the value that is wrong: the schema's own words and
/// the names of properties stay.
fn violation(line: &str) -> String {
    let parts = line.strip_prefix("- at '").and_then(|rest| rest.split_once("': "));
    let Some((path, reason)) = parts else {
        return line.to_owned();
    };
    format!("{path}: {};", without_value(reason))
}

/// Returns the schema's reason without the value.
fn without_value(reason: &str) -> String {
    const SCHEMAS_OWN: [&str; 7] = [
        "missing propert",
        "additional propert",
        "value must be ",
        "'anyOf'",
        "'oneOf'",
        "'allOf'",
        "'not'",
    ];
    if SCHEMAS_OWN.iter().any(|start| reason.starts_with(start)) {
        return reason.replace('\'', "");
    }
    if let Some((what, _)) = reason.split_once(": got ").filter(|(what, _)| !what.contains('\'')) {
        return what.to_owned();
    }
    for words in ["does not match pattern", "is not valid"] {
        if reason.contains(&format!("' {words}")) {
            return format!("… {words}");
        }
    }
    match (reason.find('\''), reason.rfind('\'')) {
        (Some(start), Some(end)) => format!("{}…{}", &reason[..start], &reason[end + 1..]),
        _ => reason.to_owned(),
    }
}

/// Leaves out quoted text, unless it is the name of a template or too short to be a secret.
fn without_quotes(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = opening_quote(rest, out.chars().next_back()) {
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
        let is_sign = quote == "'" && quoted.len() < 4;
        out.push_str(&rest[..=at]);
        out.push_str(if is_sign || is_template && !quoted.contains(char::is_whitespace) {
            quoted
        } else {
            "…"
        });
        out.push_str(quote);
        rest = &rest[at + 2 + end..];
    }
    out + rest
}

/// Returns where the next quotation begins; `before` is the text in front. An apostrophe in a word begins
/// none.
fn opening_quote(text: &str, before: Option<char>) -> Option<usize> {
    let mut last = before;
    for (at, c) in text.char_indices() {
        if matches!(c, '"' | '`') || c == '\'' && !last.is_some_and(char::is_alphanumeric) {
            return Some(at);
        }
        last = Some(c);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_place_and_reason_and_drops_values() {
        let private = ["/tmp/_cmp_server/1234".to_owned()];
        let confidential = Confidential::of(["hunter2".to_owned(), "hunter2hunter2".to_owned()]);
        for (printed, expected) in [
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
            (
                "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nplayer:\n- at '': missing properties 'image', 'port'\n- at '/password': 's3cret's' does not match pattern '^x+$'\n- at '/num': minimum: got 12345678, want 1\n- at '/kind': value must be one of 'a', 'b'\n",
                "values don't meet the specifications of the schema(s) in the following chart(s): player: : missing properties image, port; /password: … does not match pattern; /num: minimum; /kind: value must be one of a, b;",
            ),
            (
                "Error: execution error at (hunter2/templates/a.yaml:1:1): hunter2 is bad",
                "execution error at (…/templates/a.yaml:1:1): … is bad",
            ),
            (
                "Error: chart's template: it's 's3cret' here",
                "chart's template: it's '…' here",
            ),
            ("", "it printed no message"),
        ] {
            assert_eq!(redacted(printed, &private, &confidential), expected);
        }
        assert_eq!(
            redacted(&"x".repeat(5000), &[], &Confidential::default())
                .chars()
                .count(),
            LONGEST + 1
        );
    }
}
