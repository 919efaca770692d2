//! Regular expressions ([source](https://masterminds.github.io/sprig/strings.html)).
//!
//! Go's and Rust's expressions find the same where they mean the same: classes of one letter are ASCII in Go, and what only
//! one of them reads is refused.

use regex::Regex;

use super::super::fault::Fault;
use super::super::value::Value;
use super::{Function, function, int, text};

pub(super) const TABLE: &[Function] = &[
    function("mustRegexFind", "ss", find),
    function("mustRegexFindAll", "ssi", find_all),
    function("mustRegexMatch", "ss", is_match),
    function("mustRegexReplaceAll", "sss", replace_all),
    function("mustRegexReplaceAllLiteral", "sss", replace_literally),
    function("mustRegexSplit", "ssi", split),
    function("regexFind", "ss", find),
    function("regexFindAll", "ssi", find_all),
    function("regexMatch", "ss", |values| match is_match(values) {
        // A malformed expression matches nothing here.
        Err(Fault::Invalid(_)) => Ok(Value::Bool(false)),
        matches => matches,
    }),
    function("regexQuoteMeta", "s", |values| {
        Ok(Value::Text(quoted(text(&values[0]))))
    }),
    function("regexReplaceAll", "sss", replace_all),
    function("regexReplaceAllLiteral", "sss", replace_literally),
    function("regexSplit", "ssi", split),
];

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// Compiles an expression that means the same in Go and in Rust.
fn compiled(expression: &str) -> Result<Regex, Fault> {
    let unsupported = || Fault::unsupported(format!("the expression `{expression}`"));
    let (mut out, mut rest, mut in_class) = (String::new(), expression.chars().peekable(), false);
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('d') => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('w') => out.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                Some('s') => out.push_str(if in_class { r"\t\n\f\r " } else { r"[\t\n\f\r ]" }),
                Some('D') if !in_class => out.push_str("[^0-9]"),
                Some('W') if !in_class => out.push_str("[^0-9A-Za-z_]"),
                Some('S') if !in_class => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') if !in_class => out.push_str(r"(?-u:\b)"),
                Some(escape)
                    if escape.is_ascii_punctuation() && !"<>".contains(escape) || "Aztnrfva".contains(escape) =>
                {
                    out.extend(['\\', escape]);
                }
                _ => return Err(unsupported()),
            },
            '[' if in_class => return Err(unsupported()),
            '[' => {
                in_class = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if rest.peek() == Some(&']') {
                    return Err(unsupported());
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' | '-' if in_class && rest.peek() == Some(&character) => return Err(unsupported()),
            '(' if !in_class && rest.peek() == Some(&'?') => {
                rest.next();
                match rest.next() {
                    Some(':') => out.push_str("(?:"),
                    _ => return Err(unsupported()),
                }
            }
            // A brace that counts nothing is a text in Go.
            '{' | '}' if in_class => out.extend(['\\', character]),
            '{' if !rest.peek().is_some_and(char::is_ascii_digit) => return Err(unsupported()),
            other => out.push(other),
        }
    }
    Regex::new(&out).map_err(|_| Fault::invalid("the expression is malformed"))
}

fn is_match(values: &[Value]) -> Result<Value, Fault> {
    Ok(Value::Bool(compiled(text(&values[0]))?.is_match(text(&values[1]))))
}

fn find(values: &[Value]) -> Result<Value, Fault> {
    let expression = compiled(text(&values[0]))?;
    Ok(Value::text(
        expression.find(text(&values[1])).map_or("", |found| found.as_str()),
    ))
}

/// Returns the matches as Go counts them: an empty one directly behind another is none.
fn matches<'t>(expression: &Regex, text: &'t str) -> Vec<regex::Match<'t>> {
    let mut end = None;
    let all = expression.find_iter(text).filter(|found| {
        let is_one = !found.is_empty() || end != Some(found.start());
        end = Some(found.end());
        is_one
    });
    all.collect()
}

fn find_all(values: &[Value]) -> Result<Value, Fault> {
    let expression = compiled(text(&values[0]))?;
    let most = usize::try_from(int(&values[2])).unwrap_or(usize::MAX);
    let found: Vec<&str> = matches(&expression, text(&values[1]))
        .iter()
        .take(most)
        .map(regex::Match::as_str)
        .collect();
    Ok(Value::texts(found))
}

fn replace_literally(values: &[Value]) -> Result<Value, Fault> {
    let expression = compiled(text(&values[0]))?;
    let (subject, by) = (text(&values[1]), text(&values[2]));
    let (mut out, mut end) = (String::new(), 0);
    for found in matches(&expression, subject) {
        out.push_str(&subject[end..found.start()]);
        out.push_str(by);
        end = found.end();
    }
    Ok(Value::Text(out + &subject[end..]))
}

fn replace_all(values: &[Value]) -> Result<Value, Fault> {
    let (subject, template) = (text(&values[1]), text(&values[2]));
    let expression = compiled(text(&values[0]))?;
    let (mut out, mut end) = (String::new(), 0);
    for found in matches(&expression, subject) {
        let groups = expression.captures_at(subject, found.start());
        out.push_str(&subject[end..found.start()]);
        if let Some(groups) = groups {
            groups.expand(template, &mut out);
        }
        end = found.end();
    }
    Ok(Value::Text(out + &subject[end..]))
}

fn split(values: &[Value]) -> Result<Value, Fault> {
    let expression = compiled(text(&values[0]))?;
    let (subject, most) = (text(&values[1]), int(&values[2]));
    if most == 0 {
        return Err(Fault::unsupported("a split into no parts"));
    }
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    if text(&values[0]).is_empty() || subject.is_empty() {
        return Err(Fault::unsupported("an empty text or expression"));
    }
    for found in matches(&expression, subject) {
        if most > 0 && parts.len() as i64 == most - 1 {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&subject[start..end]);
        }
        start = found.end();
    }
    if end != subject.len() {
        parts.push(&subject[start..]);
    }
    Ok(Value::texts(parts))
}
