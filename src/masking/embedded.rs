//! Secrets inside a longer text: a file in a block scalar, the arguments of a command, a connection string.

use super::{is_secret, url};

/// Returns the secrets in a text: what stands behind a name that means one, as `password: x`, `password=x` and
/// `--password x`, and the logins and tokens of URLs.
pub fn secrets_within(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for place in url::logins(text) {
        let part = &text[place.range()];
        let login = part.trim_matches(['@', ':']);
        found.push(login.to_owned());
        found.extend(login.split_once(':').map(|(_, password)| password.to_owned()));
    }
    for line in text.lines() {
        of_line(line, &mut found);
    }
    found.retain(|secret| !secret.is_empty());
    found
}

/// Adds what stands behind the names of a line: up to the line's end behind `: ` and a name that is the line's first
/// word, up to the next blank or sign everywhere else.
fn of_line(line: &str, found: &mut Vec<String>) {
    let line = line.trim().trim_start_matches("- ");
    if let Some((key, value)) = line.split_once([':', '=']) {
        let name = key.trim().trim_start_matches("export ");
        if !name.contains(char::is_whitespace) && is_secret(name) {
            found.push(bare(value).to_owned());
        }
    }
    let mut from = 0;
    for (at, sign) in line.match_indices(['=', ':', ' ']) {
        let before = line[from..at].trim_end_matches(['"', '\'']);
        let start = before
            .rfind(|c: char| c.is_whitespace() || ",;&?{(\"'".contains(c))
            .map_or(0, |sign| sign + 1);
        let name = &before[start..];
        from = at;
        // Behind a blank there is a value only for the option of a command.
        if name.is_empty() || !is_secret(name) || sign == " " && !name.starts_with("--") {
            continue;
        }
        let value = line[at + 1..].trim_start();
        let value = match value.chars().next().filter(|quote| "\"'".contains(*quote)) {
            Some(quote) => value[1..].split(quote).next().unwrap_or_default(),
            None => value
                .split([' ', ',', ';', '&', '"', '\'', '}', ')'])
                .next()
                .unwrap_or_default(),
        };
        found.push(value.to_owned());
    }
}

/// Returns a value without its quotes.
fn bare(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_longer_texts() {
        for text in [
            "server:\n  port: 80\n  password: hunter2x\n",
            "password = hunter2x",
            "export DB_PASSWORD='hunter2x'",
            "Server=db;User Id=sa;Password=hunter2x;Timeout=5",
            "run --token hunter2x --port 80",
            "run --token=hunter2x",
            "{\"a\": 1, \"apiKey\": \"hunter2x\"}",
            "postgres://me:hunter2x@db/a",
            "https://x.example/a?sig=hunter2x",
        ] {
            let found = secrets_within(text);
            assert!(found.iter().any(|secret| secret == "hunter2x"), "{text}: {found:?}");
        }
        assert_eq!(secrets_within("port: 80\nimage: a/b:c\nuser=me"), [""; 0]);
    }
}
